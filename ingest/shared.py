"""The Chroma server that several Belegs share: one publishes its articles there, replicas sync from it."""

import socket
import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from ingest.diff import Plan, compare
from ingest.report import SyncReport
from ingest.sync import PUBLISHED, Run, vectors_of
from rag.errors import ConfigError, IndexBusy
from rag.models.embedder import Embedder, Floats
from rag.models.embedding import build_embedder
from rag.settings import Settings
from rag.store import lock
from rag.store.chroma import Pair, add_missing, delete_unknown
from rag.store.library import Library
from rag.store.library_rows import Entry
from rag.store.published import Published, version_id

_WRITER = "writer.id"  # a file beside the library, because the library may be rebuilt


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
    versions = {version_id(id, sha256): id for id, sha256 in library.versions().items()}
    there = server.versions()
    new = [id for version, id in versions.items() if version not in there]
    server.add(list(library.articles(new)) if new else [])
    _claim(server, folder)
    server.delete(there - versions.keys())
    delete_unknown(library, server.chroma)


def _claim(server: Published, folder: Path, *, take_over: bool = False) -> None:
    """Registers this Beleg as the server's writer. Raises IndexBusy if there is another one."""
    path, own = folder / _WRITER, ""  # with our id, which survives crashes and rebuilds
    with suppress(OSError):
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
        held = {version_id(id, sha256) for id, sha256 in library.versions().items()}
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
