"""The Chroma server that several Belegs share (`CHROMA_URL`): one writes, the others fill themselves from it.

It holds what an embedded index holds, in the same two collections, and a note of who writes. An article's
record is written after its chunks and holds the whole article, so that a replica sees an old or a new version
and never a mixture. Each Beleg answers from its own data folder: a server that is down costs no answer, only
news.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, get_args
from urllib.parse import urlsplit

from rag.errors import BelegError, ConfigError, ProviderAuth, ProviderUnavailable
from rag.schema import Article, Aside, Chunk, Genre
from rag.store.chroma import ARTICLE_INDEX, ARTICLES, CHUNK_INDEX, CHUNKS, collection
from rag.store.vector_records import article_records, chunk_records

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

    from rag.settings import Settings

    Floats = NDArray[np.float32]

_T = TypeVar("_T")
_PATIENCE = 30.0  # seconds
_REFUSED = re.compile(r"\b40[13]\b|unauthorized|forbidden|authz|auth(?:orization)?error")
_WRITER = "writer"
_AT_ONCE = 500  # records a request: some megabytes


class SharedIndex:
    """The two collections on a Chroma server; close it after use.

    Every method raises ProviderUnavailable when the server does not answer, ProviderAuth when it refuses us.
    """

    def __init__(self, settings: Settings) -> None:
        """Connects by the settings `CHROMA_URL` and `BELEG_CHROMA_…`."""
        self.address = str(settings.chroma_url)
        with contextlib.ExitStack() as on_error:
            self._client = self._told(lambda: _client(settings))
            on_error.callback(self._client.close)
            self._chunks = self._told(lambda: collection(self._client, CHUNKS, CHUNK_INDEX))
            self._articles = self._told(lambda: collection(self._client, ARTICLES, ARTICLE_INDEX))
            on_error.pop_all()

    @property
    def identity(self) -> str:
        """Changes when the collection is made anew."""
        return str(self._chunks.id)

    def sizes(self) -> tuple[int, int]:
        """Numbers of chunks and of article records."""
        return self._told(self._chunks.count), self._told(self._articles.count)

    def versions(self) -> set[str]:
        """Ids of the article records, as `rag.store.vector_records.version_id` makes them."""
        return set(self._told(lambda: self._articles.get(include=[]))["ids"])

    def chunk_ids(self) -> set[str]:
        """Ids of all chunks."""
        return set(self._told(lambda: self._chunks.get(include=[]))["ids"])

    def fingerprints(self) -> set[str]:
        """What the articles were indexed with: one, unless the writer is just changing it."""
        return {str(row["fingerprint"]) for row in self._records(self.versions())}

    def articles(self, versions: Iterable[str]) -> Iterator[Article]:
        """The articles of some records; those that have been deleted meanwhile are left out."""
        return map(_article, self._records(versions))

    def vectors(self, chunk_ids: Sequence[str]) -> Floats | None:
        """The chunks' vectors in their order; None when the server does not have them all."""
        import numpy as np

        found: dict[str, Any] = {}
        for batch in _batches(chunk_ids):
            rows = self._told(partial(self._chunks.get, ids=batch, include=["embeddings"]))
            held = rows["embeddings"] if rows["embeddings"] is not None else []
            found |= dict(zip(rows["ids"], held, strict=True))
        if not chunk_ids or found.keys() < set(chunk_ids):
            return None
        return np.array([found[id] for id in chunk_ids], dtype=np.float32)

    def write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str) -> None:
        """Adds versions of articles: first all chunks, with one row of `vectors` each, then the records.

        So a record that is there speaks for chunks that are there, wherever this breaks off.
        """
        pairs = [(article, chunk) for article, chunks in entries for chunk in chunks]
        for start in range(0, len(pairs), _AT_ONCE):
            records = chunk_records(pairs[start : start + _AT_ONCE], note, is_server=True)
            some = vectors[start : start + _AT_ONCE]
            self._told(partial(self._chunks.upsert, embeddings=some, **records))
        articles = [article for article, _ in entries]
        self._told(partial(self._articles.upsert, **article_records(articles, note, is_server=True)))

    def claim(self, writer: str, name: str, *, take_over: bool = False) -> str | None:
        """Notes who writes here; None when that is `writer` now, else the name of who it is.

        The note is a collection, for making one is the only thing on a Chroma server that succeeds for a
        single one of several who try.
        """
        ours = {"writer": writer, "name": name}
        noted = self._told(lambda: self._note_of_the_writer(ours))
        held = noted.metadata or {}
        if held.get("writer") == writer:
            return None
        if take_over:
            self._told(lambda: noted.modify(metadata=ours))
            return None
        return str(held.get("name"))

    def _note_of_the_writer(self, ours: dict[str, Any]) -> Collection:
        from chromadb.errors import ChromaError, NotFoundError

        with contextlib.suppress(NotFoundError):
            return self._client.get_collection(_WRITER, embedding_function=None)
        with contextlib.suppress(ChromaError):  # another was first
            self._client.create_collection(_WRITER, embedding_function=None, metadata=ours)
        return self._client.get_collection(_WRITER, embedding_function=None)

    def delete(self, chunk_ids: Iterable[str], versions: Iterable[str]) -> None:
        """Removes records, the articles first; unknown ids are ignored."""
        for holder, ids in ((self._articles, versions), (self._chunks, chunk_ids)):
            for batch in _batches(sorted(ids)):
                self._told(partial(holder.delete, ids=batch))

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _records(self, versions: Iterable[str]) -> Iterator[dict[str, Any]]:
        for batch in _batches(sorted(versions)):
            rows = self._told(partial(self._articles.get, ids=batch, include=["metadatas"]))["metadatas"]
            yield from (dict(row) for row in rows or [])

    def _told(self, call: Callable[[], _T]) -> _T:
        """What the server says to a call, its errors as ours.

        In a thread that nobody waits for any longer than that: chromadb would, without end.
        """
        said: Future[_T] = Future()

        def work() -> None:
            try:
                said.set_result(call())
            except BaseException as exc:
                said.set_exception(exc)

        threading.Thread(target=work, daemon=True).start()
        with self._translated():
            return said.result(_PATIENCE)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """chromadb's and its HTTP client's errors as ours."""
        try:
            yield
        except BelegError:
            raise
        except Exception as exc:
            why = (str(exc).strip() or type(exc).__name__).splitlines()[0][:200]
            if _REFUSED.search(_reasons(exc)):
                raise ProviderAuth("chroma_server_refuses", address=self.address) from exc
            if "certificate" in _reasons(exc):
                raise ConfigError("chroma_server_strange_certificate", address=self.address, why=why) from exc
            raise ProviderUnavailable("chroma_server_silent", address=self.address, why=why) from exc


def headers(settings: Settings) -> dict[str, str]:
    """What is sent with every request: `BELEG_CHROMA_HEADERS` (JSON), and the token as Chroma expects it.

    Raises ConfigError for headers that are no JSON object of strings.
    """
    given: dict[str, str] = {}
    if settings.chroma_headers is not None:
        try:
            given = json.loads(settings.chroma_headers.get_secret_value())
        except ValueError:
            given = cast("dict[str, str]", None)
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise ConfigError('BELEG_CHROMA_HEADERS is no JSON object of texts, as {"Authorization": "…"}')
    if settings.chroma_token is not None:
        token = settings.chroma_token.get_secret_value()
        given = {"Authorization": f"Bearer {token}", "x-chroma-token": token} | given
    return given


def _client(settings: Settings) -> Client:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    url = urlsplit(str(settings.chroma_url))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ConfigError(f"CHROMA_URL is no address as http://127.0.0.1:8000: {settings.chroma_url}")
    verify: bool | str = str(settings.chroma_ca) if settings.chroma_ca else True
    client = chromadb.HttpClient(
        host=url.hostname,
        port=url.port or (443 if url.scheme == "https" else 8000),
        ssl=url.scheme == "https",
        # chromadb leaves its connections open when it is closed
        headers={"Connection": "close"} | headers(settings),
        settings=ChromaSettings(_env_file=None, anonymized_telemetry=False, chroma_server_ssl_verify=verify),
        tenant=settings.chroma_tenant,
        database=settings.chroma_database,
    )
    return cast("Client", client)


def _article(row: dict[str, Any]) -> Article:
    """The inverse of `rag.store.vector_records.article_metadata`."""
    day = row.get("published")
    genre = row.get("genre")
    return Article(
        id=row["article_id"],
        text=row["text"],
        source=row["source"],
        sha256=row["sha256"],
        title=row.get("title"),
        outlet=row.get("outlet"),
        author=row.get("author"),
        published=None if day is None else date(day // 10_000, day // 100 % 100, day % 100),
        language=row.get("language"),
        genre=genre if genre in get_args(Genre) else None,
        asides=tuple(Aside(*aside) for aside in json.loads(row["asides"])),
    )


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield list(ids[start : start + _AT_ONCE])


def _reasons(error: BaseException | None) -> str:
    """What an error and those behind it say, in lower case; chromadb hides a refusal behind a blank one."""
    told = []
    while error is not None:
        told.append(f"{type(error).__name__} {error}".lower())
        error = error.__cause__ or error.__context__
    return " ".join(told)
