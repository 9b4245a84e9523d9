"""The Chroma server that several Belegs share (`CHROMA_URL`): one writes, the others fill themselves from it.

It holds the same vectors as a folder, each article whole, and a note on the writer. An article's record is
written after its vectors, so that a replica sees an old or a new version, never a mixture. Each Beleg answers
from its own data folder: while the server is down, only changes are missing.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from ingest.diff import PUBLISHED, Plan, compare
from ingest.meaning import vectors_of
from ingest.sync import Run, SyncReport
from rag.errors import BelegError, ConfigError, IndexBusy, ProviderAuth, ProviderUnavailable
from rag.models.embedder import Embedder, Floats
from rag.models.embedding import build_embedder
from rag.schema import Article
from rag.settings import Settings
from rag.store import lock
from rag.store.chroma import Chroma, Pair, add_missing, delete_unknown
from rag.store.library import Library
from rag.store.library_file import batches
from rag.store.library_rows import Entry

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

ARTICLES, WRITER = "articles", "writer"
_ARTICLE = TypeAdapter(Article)
_PATIENCE = 30.0  # seconds
_REFUSED = re.compile(r"\b40[13]\b|unauthorized|forbidden|authz|auth(?:orization)?error")
_AT_ONCE = 100  # articles a request: some megabytes
_WRITER_FILE = "writer.id"  # a file beside the library, because the library may be rebuilt


def publish(settings: Settings, *, take_over: bool = False, named: bool = True) -> None:
    """Writes new vectors, then the articles they belong to, then removes old ones; holds the folder's lock.

    In this order a replica always sees whole versions of articles. Raises IndexBusy if another Beleg is the
    writer, except with `take_over`, and ConfigError if that would replace its articles by some that nobody
    `named`.
    """
    folder = settings.data_dir.resolve()
    with Library.open(folder) as library, closing(Published(settings)) as server:
        counts = library.counts()
        held = server.chroma.count(), server.count()
        noted = library.meta(PUBLISHED) == f"{server.identity} {library.state}"
        if noted and held == (counts.chunks, counts.articles) and not take_over:
            return
        theirs = {version.split("#", 1)[0] for version in server.versions()} if take_over else set()
        if not named and theirs - library.versions().keys():
            raise ConfigError("chroma_server_strange", address=server.address)
        with lock.owned(folder), closing(build_embedder(settings)) as embedder:
            _claim(server, folder, take_over=take_over)
            _write(library, server, folder, embedder)
            library.note(PUBLISHED, f"{server.identity} {library.state}")


def _write(library: Library, server: Published, folder: Path, embedder: Embedder) -> None:
    def ours(pairs: Sequence[Pair]) -> Floats:
        _claim(server, folder)  # another Beleg may have taken over meanwhile
        return vectors_of(embedder, pairs)

    if not server.chroma.is_of(library.fingerprint):
        server.delete(server.versions())  # replicas do not take articles without vectors
        server.chroma.renew(library.fingerprint)
    add_missing(library, server.chroma, ours)
    versions = {_version_id(id, sha256): id for id, sha256 in library.versions().items()}
    there = server.versions()
    new = [id for version, id in versions.items() if version not in there]
    server.add(list(library.articles(new)) if new else [])
    _claim(server, folder)
    server.delete(there - versions.keys())
    delete_unknown(library, server.chroma)


def _claim(server: Published, folder: Path, *, take_over: bool = False) -> None:
    """Registers this Beleg as the server's writer. Raises IndexBusy if there is another one."""
    path, own = folder / _WRITER_FILE, ""  # with our id, which survives crashes and rebuilds
    with contextlib.suppress(OSError):
        own = path.read_text("utf-8").strip()
    if not own:  # a loss of power can leave it empty
        own, new = uuid.uuid4().hex, path.with_suffix(".new")
        new.write_text(own, "utf-8")
        new.replace(path)
    name = f"{socket.gethostname()}, {folder.name}"  # no path: a page may show it
    held = server.claim(own, name, take_over=take_over)
    if held is not None:
        raise IndexBusy("chroma_server_taken", address=server.address, writer=held)


class Replica(Run):
    """A sync from the server in place of files, vectors included."""

    def run(self) -> SyncReport:
        """Runs the sync. Raises ConfigError, without changes, if the server has no articles."""
        with closing(Published(self.settings)) as self.server:
            return super().run()

    def plan(self, library: Library) -> Plan:
        """The differences between the server's articles and the library's."""
        there = self.server.versions()
        if not there or not self.server.chroma.fingerprint:
            raise ConfigError("chroma_server_empty", address=self.server.address)
        self.settle(self.server.chroma.fingerprint)
        manifest = library.manifest()
        held = {_version_id(id, sha256) for id, sha256 in library.versions().items()}
        offered: dict[str, set[str]] = defaultdict(set)
        for version in there:
            offered[version.split("#", 1)[0]].add(version)
        # while the writer swaps versions there are two: the one we have stays until it is gone
        kept = {id for id, versions in offered.items() if versions & held}
        wanted = [min(versions) for id, versions in offered.items() if self.rebuild or id not in kept]
        written = {article.id: article for article in self.server.articles(wanted)}
        now = {id: manifest[id] for id in kept - written.keys()}
        now |= {id: Entry(id, each.source, each.source, each.sha256) for id, each in written.items()}
        return Plan(written, tuple(sorted(manifest.keys() - now.keys())), now, {}, compare(manifest, now))

    def embed(self, pairs: Sequence[Pair]) -> Floats:
        """The server's vectors; our own if those have been deleted meanwhile."""
        found = self.server.chroma.vectors([chunk.id for _, chunk in pairs])
        return super().embed(pairs) if found is None else found


# --- the server


class Published:
    """The articles on a Chroma server and, as `chroma`, the vectors of their passages; close it after use.

    Every method raises ProviderUnavailable when the server does not answer, ProviderAuth when it refuses us.
    """

    def __init__(self, settings: Settings) -> None:
        """Connects by the settings `CHROMA_URL` and `BELEG_CHROMA_…`."""
        self.address = str(settings.chroma_url)
        self._call = partial(_call, self.address)
        client = self._call(lambda: _client(settings))
        try:
            self.chroma = Chroma(client, self._call, None)
            articles = partial(client.get_or_create_collection, ARTICLES, embedding_function=None)
            self._articles: Collection = self._call(articles)
        except BaseException:
            client.close()
            raise

    @property
    def identity(self) -> str:
        """An id that changes when the vectors are made anew."""
        return str(self.chroma.chunks.id)

    def count(self) -> int:
        """Number of articles."""
        return int(self._call(self._articles.count))

    def versions(self) -> set[str]:
        """Ids of the articles' versions, as `_version_id` makes them."""
        return set(self._call(lambda: self._articles.get(include=[]))["ids"])

    def articles(self, versions: Iterable[str]) -> Iterator[Article]:
        """The articles of some versions; those that have been deleted meanwhile are left out."""
        for batch in batches(sorted(versions), _AT_ONCE):
            rows = self._call(partial(self._articles.get, ids=list(batch), include=["metadatas"]))
            for row in rows["metadatas"]:  # each Beleg finds near-copies itself
                yield replace(_ARTICLE.validate_json(row["article"]), copy_of=None)

    def add(self, articles: Sequence[Article]) -> None:
        """Writes versions of articles, whose vectors must be there.

        Stored as metadata, because Chroma would index a document for full-text search, which is not needed
        and takes as long as everything else together.
        """
        for batch in batches(articles, _AT_ONCE):
            stored: dict[str, Any] = {
                "ids": [_version_id(article.id, article.sha256) for article in batch],
                # Chroma requires a vector: one of two numbers, different for each
                "embeddings": [[int(article.sha256[:8], 16) / 2**32, 1.0] for article in batch],
                "metadatas": [{"article": _ARTICLE.dump_json(article).decode()} for article in batch],
            }
            self._call(partial(self._articles.upsert, **stored))

    def delete(self, versions: Iterable[str]) -> None:
        """Removes versions of articles; unknown ones are ignored."""
        for batch in batches(sorted(versions), _AT_ONCE):
            self._call(partial(self._articles.delete, ids=list(batch)))

    def claim(self, writer: str, name: str, *, take_over: bool = False) -> str | None:
        """Registers `writer`; returns None if successful, else the name of the present writer.

        The note is a collection, because creating one is the only operation on a Chroma server that succeeds
        for only one of several at the same time.
        """
        from chromadb.errors import ChromaError, NotFoundError

        ours, client = {"writer": writer, "name": name}, self.chroma.client

        def registered() -> str | None:
            note = partial(client.get_collection, WRITER, embedding_function=None)
            try:
                noted = note()
            except NotFoundError:
                with contextlib.suppress(ChromaError):  # somebody else was first
                    client.create_collection(WRITER, embedding_function=None, metadata=ours)
                noted = note()
            held = noted.metadata or {}
            if take_over and held.get("writer") != writer:
                noted.modify(metadata=ours)
            return None if take_over or held.get("writer") == writer else str(held.get("name"))

        found: str | None = self._call(registered)
        return found

    def close(self) -> None:
        """Closes the connection."""
        self.chroma.close()


def _version_id(article_id: str, sha256: str) -> str:
    """Id of an article's record: versions of an article lie side by side, as their passages do."""
    return f"{article_id}#{sha256[:12]}"


# --- the connection


def headers(settings: Settings) -> dict[str, str]:
    """Headers of every request: `BELEG_CHROMA_HEADERS` (JSON), and the token as Chroma expects it.

    Raises ConfigError unless the headers are a JSON object of strings.
    """
    said = settings.chroma_headers.get_secret_value() if settings.chroma_headers else "{}"
    try:
        given = TypeAdapter(dict[str, str]).validate_json(said)
    except ValidationError:  # which would tell the secret
        wanted = 'BELEG_CHROMA_HEADERS is no JSON object of texts, as {"Authorization": "…"}'
        raise ConfigError(wanted) from None
    if settings.chroma_token is None:
        return given
    token = settings.chroma_token.get_secret_value()
    return {"Authorization": f"Bearer {token}", "x-chroma-token": token} | given


def _client(settings: Settings) -> Client:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    url = urlsplit(str(settings.chroma_url))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ConfigError(f"CHROMA_URL is no address as http://127.0.0.1:8000: {settings.chroma_url}")
    secure, verify = url.scheme == "https", str(settings.chroma_ca) if settings.chroma_ca else True
    port = url.port or (443 if secure else 8000)
    # chromadb leaves its connections open when it is closed
    said = {"Connection": "close"} | headers(settings)
    own = ChromaSettings(_env_file=None, anonymized_telemetry=False, chroma_server_ssl_verify=verify)
    place = {"tenant": settings.chroma_tenant, "database": settings.chroma_database}
    return cast("Client", chromadb.HttpClient(url.hostname, port, secure, said, own, **place))


def _call(address: str, work: Callable[[], Any]) -> Any:
    """The server's answer, with its errors as ours.

    Runs in a thread and waits at most `_PATIENCE`, because chromadb itself would wait without end.
    """
    said: Future[Any] = Future()

    def ask() -> None:
        try:
            said.set_result(work())
        except BaseException as exc:
            said.set_exception(exc)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return said.result(_PATIENCE)
    except BelegError:
        raise
    except Exception as exc:
        raise _error(address, exc) from exc


def _error(address: str, exc: Exception) -> BelegError:
    reasons, behind = "", cast("BaseException | None", exc)
    while behind is not None:  # chromadb hides a refusal behind a blank error
        reasons += f" {type(behind).__name__} {behind}".lower()
        behind = behind.__cause__ or behind.__context__
    text = (str(exc).strip() or type(exc).__name__).splitlines()[0][:200]
    if _REFUSED.search(reasons):
        return ProviderAuth("chroma_server_refuses", address=address)
    if "certificate" in reasons:
        return ConfigError("chroma_server_strange_certificate", address=address, why=text)
    return ProviderUnavailable("chroma_server_silent", address=address, why=text)
