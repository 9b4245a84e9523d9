"""One sync under the folder's lock: new versions beside the old ones, the swap, then the old ones go.

The order is what makes it safe. New versions go into Chroma beside the old ones; then the library
swaps all of them in one transaction; then the old ones leave Chroma. Until the swap the old state
answers, after it the new one. Whatever a crash leaves over is seen by the next sync (the library
notes that one is under way) and put right from the library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from ingest.diff import Outcome, Plan, make_plan, read_file_of
from ingest.report import Progress, SyncReport, report_of
from ingest.sources import UPLOADS, SourceFile, refuse_emptied, refuse_replaced
from ingest.state import LEXICAL, UNDER_WAY, VECTORS, Look, has_lexical_files, other_files
from rag.errors import ArticleError, IndexDamaged, IndexMismatch
from rag.schema import Article, Chunk
from rag.settings import Settings
from rag.store.fingerprint import check_fingerprint, dimension_of, fingerprint
from rag.store.library import Library
from rag.store.library_file import FILE_NAME
from rag.store.library_rows import Entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.models.embedder import Embedder
    from rag.store.shelf import Floats
    from rag.store.vectors import Vectors

_T = TypeVar("_T")
_WRITTEN_AT_ONCE = 256  # articles: some hundred chunks, which Chroma writes in less time than one by one
_EMBEDDED_AT_ONCE = 32  # articles: a step of the progress bar
_READ_AT_ONCE = 32  # files: the same
_SPARE_VECTORS = 10_000  # of other texts or models, kept in case they come back


class Sink(Protocol):
    """Where vectors go: the index in use, or one that is being built beside it."""

    def write(
        self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str
    ) -> None: ...


class Run:
    """One run; whoever makes it holds the folder's lock."""

    def __init__(self, settings: Settings, look: Look, embedder: Embedder, progress: Progress) -> None:
        self.settings = settings
        self.look = look
        self.progress = progress
        self.note = fingerprint(settings)
        self.embedder = embedder
        self.repaired: list[str] = []
        self.spoilt = False  # whether nothing of the lexical index there is can be used
        self.lexical: dict[str, tuple[int, int]] | None = None  # files of the lexical index built in this run

    def run(self, *, rebuild: bool, allow_empty: bool) -> SyncReport:
        with self._open_library(rebuild=rebuild) as library:
            if library.fingerprint and not rebuild:
                check_fingerprint(library.fingerprint, self.note)
                self.note = library.fingerprint
                self.embedder.expect(dimension_of(self.note))
            held = library.manifest()
            if not (self.look.files or held or allow_empty):
                raise ArticleError("no_articles", folders=", ".join(map(str, self.look.roots)))
            if not rebuild:
                refuse_emptied(self.look.roots, self.look.files, self._watched(held))
            plan = self._plan(library, held, rebuild=rebuild)
            if not (rebuild or self.look.named):
                gone = {id: held[id].path for id in plan.gone}
                refuse_replaced(self.look.roots, gone, self.look.folder)
            if not library.fingerprint and not plan.manifest and allow_empty:
                library.flip(meta={"fingerprint": self.note})
            if plan.manifest or held or allow_empty:
                self._apply(library, plan, rebuild=rebuild)
            else:  # nothing could be read: no index is made of that
                library.flip(files=plan.files)
            return report_of(library, plan.changes, self.repaired)

    def _watched(self, manifest: Mapping[str, Entry]) -> list[str]:
        """The indexed files that are no uploads: those are deleted on purpose only."""
        uploads = f"{self.look.folder / UPLOADS}{os.sep}"
        return [entry.path for entry in manifest.values() if not entry.path.startswith(uploads)]

    def _open_library(self, *, rebuild: bool) -> Library:
        from rag.store.seal import inspect

        if not (self.look.folder / FILE_NAME).exists() and inspect(self.look.folder) != "absent":
            self.repaired.append("the library was missing and was built anew")
        try:
            return Library.open(self.look.folder)
        except IndexDamaged as exc:
            self.repaired.append(f"the library was damaged and was built anew ({exc.__cause__ or exc})")
        except IndexMismatch:
            if not rebuild:
                raise
        for suffix in ("-wal", "-shm", ""):  # SQLite's own files; aside, for they may not be ours
            path = self.look.folder / f"{FILE_NAME}{suffix}"
            if path.exists():
                path.replace(path.with_name(f"{FILE_NAME}.damaged{suffix}"))
        return Library.open(self.look.folder)

    # planning

    def _plan(self, library: Library, held: Mapping[str, Entry], *, rebuild: bool) -> Plan:
        return make_plan(library, held, self.look.files, self._read, rebuild=rebuild)

    def _read(self, files: Sequence[SourceFile]) -> Mapping[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        for batch in batches_of(files, _READ_AT_ONCE):
            self.progress("read", len(outcomes), len(files))
            outcomes |= {file.key: read_file_of(file, self.settings.article_limit) for file in batch}
        if files:
            self.progress("read", len(files), len(files))
        return outcomes

    # applying

    def _apply(self, library: Library, plan: Plan, *, rebuild: bool) -> None:
        from rag.store.seal import inspect
        from rag.store.vectors import Vectors

        folder = self.look.folder
        self.spoilt = rebuild or not has_lexical_files(folder, library)
        if library.meta(LEXICAL) is not None and self.spoilt and not rebuild:
            self.repaired.append("files of the word index were missing or changed; it was built anew")
        whole = library.meta(UNDER_WAY) is None and not self.spoilt
        if whole and inspect(folder) == "intact" and not (rebuild or plan.written or plan.gone):
            self._note(library, plan)
            return
        if plan.written:
            self._embed_ahead(plan.written.values())
        with Vectors.open(folder, repair=True) as vectors:
            self._reconcile(library, vectors)
            old: tuple[set[str], set[str]] = (set(), set())
            if rebuild:
                self._rebuild(library, vectors, plan)
            elif plan.written or plan.gone:
                old = self._update(library, vectors, plan)
            else:
                self._note(library, plan)
            if self.lexical is None and self.spoilt:
                self._build_lexical(library)
            if self.lexical is not None:
                library.note(LEXICAL, json.dumps(self.lexical))
            vectors.delete(*old)
            library.note(UNDER_WAY, None)
            vectors.seal()
        self._prune(library)

    def _embed_ahead(self, articles: Collection[Article]) -> None:
        """Asks for the vectors of all new passages, and settles the fingerprint, before anything changes.

        They wait in the embedder's cache: whatever fails until the index is written, nothing is lost.
        """
        from ingest.chunking import chunk_article

        if self.embedder.is_builtin:
            return
        self.note = fingerprint(self.settings, self.embedder.dimension())
        done = 0
        self.progress("embed", done, len(articles))
        for batch in batches_of(articles, _EMBEDDED_AT_ONCE):
            chunks = [
                (article, c) for article in batch for c in chunk_article(article, self.settings.chunk_words)
            ]
            self.embedder.embed([embedded(article, chunk) for article, chunk in chunks])
            done += len(batch)
            self.progress("embed", done, len(articles))

    def _prune(self, library: Library) -> None:
        """Lets go of vectors that the index has no use for, when they are more than those it has."""
        articles = (article for article in library.articles())
        texts = (embedded(a, chunk) for a in articles for chunk in library.chunks_of(a.id))
        self.embedder.prune(texts, 2 * library.counts().chunks + _SPARE_VECTORS)

    def _update(self, library: Library, vectors: Vectors, plan: Plan) -> tuple[set[str], set[str]]:
        """Swaps the versions; the chunks and records that Chroma may drop now."""
        self._begin(library)
        old = set(library.versions({*plan.gone, *plan.written}))
        chunks, versions = set(library.chunk_ids(old)), versions_of(library, old)
        self._flip(library, vectors, plan, plan.gone, {})
        # what was written again under its old id stays: a file that changed back after a crash
        return chunks - set(library.chunk_ids(old)), versions - versions_of(library, old)

    def _rebuild(self, library: Library, vectors: Vectors, plan: Plan) -> None:
        with vectors.anew() as shelf:
            identity = shelf.identity
            self._begin(library)
            self._flip(library, shelf, plan, library.manifest(), {VECTORS: identity})
        vectors.swap(identity, probed=True)

    def _flip(
        self, library: Library, sink: Sink, plan: Plan, gone: Iterable[str], meta: Mapping[str, str]
    ) -> None:
        """Writes what the plan says to the vector index, and swaps the versions in the library."""
        from ingest.copies import update_copies

        marks: dict[str, NDArray[np.uint64]] = {}
        library.flip(
            self._written(plan.written.values(), sink, marks),
            gone,
            manifest=plan.manifest,
            files=plan.files,
            copies=update_copies(library, plan.written, plan.gone),
            marks=marks,  # filled while the articles are written
            meta={"fingerprint": self.note, **meta},
            last=lambda: self._build_lexical(library),
        )

    def _written(
        self, articles: Collection[Article], sink: Sink, marks: dict[str, NDArray[np.uint64]]
    ) -> Iterator[tuple[Article, Sequence[Chunk]]]:
        """The articles with their chunks, each batch on its way out written to the vector index.

        Adds each article's marks (see `ingest.copies`) to `marks`.
        """
        from ingest.chunking import chunk_article
        from ingest.copies import marks as marks_of

        written = 0
        for batch in batches_of(articles, _WRITTEN_AT_ONCE):
            entries = [(article, chunk_article(article, self.settings.chunk_words)) for article in batch]
            self._write(entries, sink)
            marks.update((article.id, marks_of(article.text)) for article in batch)
            yield from entries
            written += len(batch)
            self.progress("index", written, len(articles))

    def _write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], sink: Sink) -> None:
        texts = [embedded(article, chunk) for article, chunks in entries for chunk in chunks]
        sink.write(entries, self.embedder.embed(texts), self.note)

    def _reconcile(self, library: Library, vectors: Vectors) -> None:
        """Makes the vector index that of the library, as it is now, whatever happened to it."""
        wanted, chunks = library.meta(VECTORS), library.counts().chunks
        clean = library.meta(UNDER_WAY) is None
        if wanted == vectors.identity and clean and vectors.count() == chunks:
            return
        self._begin(library)
        if wanted != vectors.identity and not (wanted and vectors.swap(wanted)):
            if chunks:
                damage = vectors.damage or "it is not the one that was built last"
                self.repaired.append(f"the vector index was damaged ({damage}) and was built anew")
            vectors.clear()
        lost = set(library.chunk_ids()) - vectors.ids()
        missing = _articles_of(lost) | _articles_of(versions_of(library) - vectors.versions())
        if lost and clean and wanted == vectors.identity:
            self.repaired.append(f"{len(lost)} passages were missing from the vector index and are back")
        for batch in batches_of(sorted(missing), _WRITTEN_AT_ONCE):
            held = [(article, library.chunks_of(article.id)) for article in library.articles(batch)]
            self._write(held, vectors)
        vectors.delete(vectors.ids() - set(library.chunk_ids()), vectors.versions() - versions_of(library))
        library.note(VECTORS, vectors.identity)

    def _note(self, library: Library, plan: Plan) -> None:
        """Files that were touched, moved or became unreadable: nothing for Chroma."""
        if plan.files != library.files() or plan.manifest != library.manifest():
            library.flip(manifest=plan.manifest, files=plan.files)

    def _build_lexical(self, library: Library) -> None:
        from rag.retrieval.lexical import build_index

        before = other_files(self.look.folder)
        build_index(self.look.folder, library, self.spoilt)
        after = other_files(self.look.folder)
        self.lexical = {name: state for name, state in after.items() if before.get(name) != state}

    def _begin(self, library: Library) -> None:
        library.note(UNDER_WAY, "under way")


def embedded(article: Article, chunk: Chunk) -> str:
    """The text of a chunk as it is embedded: below the article's title, where it has one."""
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text


def versions_of(library: Library, ids: Collection[str] | None = None) -> set[str]:
    from rag.store.vector_records import version_id

    return {version_id(id, sha256) for id, sha256 in library.versions(ids).items()}


def _articles_of(record_ids: Iterable[str]) -> set[str]:
    return {id.split("#", 1)[0] for id in record_ids}


def batches_of(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of `size`, and what is left."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
