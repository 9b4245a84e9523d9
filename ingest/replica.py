"""A sync from a Chroma server in place of files, vectors included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ingest.diff import Plan, compare
from ingest.report import SyncReport
from ingest.sync import Run
from rag.errors import ConfigError
from rag.models.hashing import Floats
from rag.store.chroma import Pair
from rag.store.library import Library
from rag.store.library_rows import Entry
from rag.store.published import Published, version_id


class Replica(Run):
    """See `Run`."""

    def run(self) -> SyncReport:
        """Runs the sync. Raises ConfigError, without changes, if the server has no articles."""
        with Published(self.settings) as self.server:
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
