"""A sync whose source is the Chroma server: its article records in the place of files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from ingest.diff import Plan, compare
from ingest.report import SyncReport, report_of
from ingest.run import Run, Sink, versions_of
from rag.errors import ConfigError
from rag.schema import Article, Chunk
from rag.store.fingerprint import check_fingerprint, dimension_of
from rag.store.library import Library
from rag.store.library_rows import Entry


class Replica(Run):
    """A run whose source is the Chroma server: its article records in the place of files."""

    def run(self, *, rebuild: bool, allow_empty: bool) -> SyncReport:  # noqa: ARG002
        from rag.store.chroma_server import SharedIndex

        with SharedIndex(self.settings) as self.shared, self._open_library(rebuild=rebuild) as library:
            there = self.shared.versions()
            if not there:
                raise ConfigError("chroma_server_empty", address=self.shared.address)
            for found in self.shared.fingerprints():
                check_fingerprint(found, self.note)
                if library.fingerprint and not rebuild:
                    check_fingerprint(library.fingerprint, found)
                self.note = found
            self.embedder.expect(dimension_of(self.note))
            plan = self._plan_of(library, there, rebuild=rebuild)
            self._apply(library, plan, rebuild=rebuild)
            return report_of(library, plan.changes, self.repaired)

    def _plan_of(self, library: Library, there: Collection[str], *, rebuild: bool) -> Plan:
        held, manifest = versions_of(library), library.manifest()
        offered: dict[str, set[str]] = defaultdict(set)
        for version in there:
            offered[version.split("#", 1)[0]].add(version)
        # while the writer swaps versions there are two: the one we have stays until it is gone
        kept = {id for id, versions in offered.items() if versions & held}
        wanted = [min(versions) for id, versions in offered.items() if rebuild or id not in kept]
        written = {article.id: article for article in self.shared.articles(wanted)}
        now = {id: manifest[id] for id in kept - written.keys()}
        now |= {
            id: Entry(id, article.source, article.source, article.sha256) for id, article in written.items()
        }
        return Plan(written, tuple(sorted(manifest.keys() - now.keys())), now, {}, compare(manifest, now))

    def _embed_ahead(self, articles: Collection[Article]) -> None:
        """Nothing: the vectors are the server's."""

    def _write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], sink: Sink) -> None:
        vectors = self.shared.vectors([chunk.id for _, chunks in entries for chunk in chunks])
        if vectors is None:  # deleted meanwhile: the next look takes the newer version
            super()._write(entries, sink)
        else:
            sink.write(entries, vectors, self.note)
