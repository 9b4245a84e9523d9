"""Brings the index in line with the article files: a diff by content, safe to break off anywhere.

The order is what makes it safe. New versions go into Chroma beside the old ones; then the library
swaps all of them in one transaction; then the old ones leave Chroma. Until the swap the old state
answers, after it the new one. Whatever a crash leaves over is seen by the next sync (the library
notes that one is under way) and put right from the library.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ingest.publish import is_published, publish
from ingest.sources import (
    UPLOADS,
    SourceFile,
    Wanted,
    assign_ids,
    find_sources,
    own_id,
    reason,
    refuse_emptied,
    remember,
    roots,
    unchanged,
)
from rag import lock
from rag.errors import ArticleError, BelegError, ConfigError, IndexBusy, IndexDamaged, IndexMismatch
from rag.library import (
    FILE_NAME,
    Entry,
    FileState,
    Library,
    check_fingerprint,
    dimension_of,
    fingerprint,
    serves,
)
from rag.schema import Article, Chunk
from rag.settings import Settings

if TYPE_CHECKING:
    from ingest.readers import Document
    from rag.embedder import Embedder
    from rag.vectors import Floats, Vectors

Progress = Callable[[str, int, int], None]
"""Called with a step ("read", "embed", "index"), how many articles or files are done, and of how many."""

_AT_ONCE = 128  # articles: some hundred chunks, for Chroma stops all other threads meanwhile
_EMBEDDED_AT_ONCE = 32  # articles: a step of the progress bar
_SPARE_VECTORS = 10_000  # of other texts or models, kept in case they come back
_UNDER_WAY, _VECTORS, _LEXICAL = "sync", "vectors", "lexical segments"  # notes in the library
_T = TypeVar("_T")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. Numbers count articles; `skipped` holds the name and reason of what was not read.

    `duplicates` are pairs (copy, original) of article ids in the whole index; `repaired` says what
    was found damaged and is whole again; `articles` and `chunks` are what the index holds now.
    """

    added: int
    changed: int
    deleted: int
    unchanged: int
    duplicates: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    repaired: tuple[str, ...]
    articles: int
    chunks: int
    seconds: float
    fingerprint: str


def sync(
    settings: Settings,
    *,
    paths: Sequence[Path] | None = None,
    rebuild: bool = False,
    allow_empty: bool = False,
    take_over: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Makes the index in `settings.data_dir` that of the article files, and says what was done.

    The source is `settings.articles` (or `paths`, which replace it for this data folder from now
    on) and the uploads in the data folder. `rebuild` makes everything anew beside the old index,
    for other settings or an emptied source; `take_over` makes this Beleg the one that writes to the
    Chroma server (`ingest.publish`). Raises ArticleError for a path that does not exist or
    holds nothing (with `allow_empty` that gives an index without articles), ConfigError, IndexBusy
    when another process uses the folder, IndexMismatch when the index was built with other
    settings, ProviderError when the embedding fails; in all these cases the old index is
    untouched, and what was embedded is not paid for again.
    """
    started = time.perf_counter()
    with _one_at_a_time:
        look = _look(settings, paths)
        report = None if rebuild or settings.chroma_replica else _report_if_idle(settings, look)
        if report is None:
            lock.acquire(look.folder)
            try:
                with closing(_embedder(settings)) as embedder:
                    kind = _Replica if settings.chroma_replica else _Sync
                    work = kind(settings, look, embedder, progress or _silent)
                    report = work.run(rebuild=rebuild, allow_empty=allow_empty)
            except OSError as exc:
                raise ConfigError(_no_room(exc, look.folder)) from exc
            finally:
                lock.release(look.folder)
        if settings.chroma_url and not settings.chroma_replica:
            publish(settings, look.folder, take_over=take_over)
        if paths is not None:
            remember(settings, paths)
    return replace(report, seconds=time.perf_counter() - started)


def _embedder(settings: Settings) -> Embedder:
    # only when there is something to do: it imports numpy
    from rag.providers import build_embedder

    return build_embedder(settings)


def is_current(settings: Settings) -> bool:
    """Whether the index is that of the article files, by the files' size and time alone.

    Takes no lock and imports nothing heavy; False for any index that is not fit to be opened.
    """
    try:
        look = _look(settings, None)
        with Library.open(look.folder, read_only=True) as library:
            return _is_current(settings, look, library)
    except BelegError:
        return False


# --- looking, without the lock


@dataclass(frozen=True, slots=True)
class _Look:
    """The source as it is on disk, and the data folder it belongs to."""

    folder: Path
    roots: tuple[Path, ...]
    files: tuple[SourceFile, ...]


def _look(settings: Settings, paths: Sequence[Path] | None) -> _Look:
    folder = settings.data_dir.resolve()
    if settings.chroma_replica:
        if paths:
            raise ConfigError(
                "a replica takes its articles from the Chroma server; name no folders, or unset"
                " BELEG_CHROMA_REPLICA"
            )
        return _Look(folder, (), ())
    folders = roots(settings, paths)
    return _Look(folder, tuple(folders), tuple(find_sources(folders, folder)))


def _library_if_readable(folder: Path) -> Library | None:
    try:
        return Library.open(folder, read_only=True)
    except BelegError:
        return None


def _is_current(settings: Settings, look: _Look, library: Library) -> bool:
    from rag.vectors import inspect

    held = library.files()
    return (
        serves(library.fingerprint, fingerprint(settings))
        and library.meta(_UNDER_WAY) is None
        and (not settings.chroma_url or settings.chroma_replica or is_published(library))
        and (not settings.chroma_replica or library.counts().articles > 0)
        and len(held) == len(look.files)
        and all(unchanged(file, held) for file in look.files)
        and _has_lexical_files(look.folder, library)
        and inspect(look.folder) in ("intact", "unclear")
    )


def _report_if_idle(settings: Settings, look: _Look) -> SyncReport | None:
    """The report when there is nothing to do; None when there is, or it takes the lock to find out."""
    from rag.vectors import inspect

    library = _library_if_readable(look.folder)
    if library is None:
        return None
    with library:
        if not _is_current(settings, look, library) or not library.counts().articles:
            return None
        if any(state.unread for state in library.files().values()):
            return None  # permissions change without a trace in size and time
        if inspect(look.folder) == "unclear" and not _has_owner(look.folder):
            return None
        return _report(library, _Changes(unchanged=library.counts().articles), ())


def _has_owner(folder: Path) -> bool:
    """Whether a process works with the folder, and so has found its files whole."""
    try:
        lock.acquire(folder, 0)
    except IndexBusy:
        return True
    lock.release(folder)
    return False


def _has_lexical_files(folder: Path, library: Library) -> bool:
    """Whether the files that the lexical index wrote last are all there, as long and as old as they were."""
    noted = library.meta(_LEXICAL)
    held = _other_files(folder)
    return noted is not None and all(
        name in held and list(held[name]) == state for name, state in json.loads(noted).items()
    )


def _other_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the files in a data folder that are neither library, vectors nor uploads."""
    ours = (FILE_NAME, "chroma", "embeddings", "records", "evaluation", UPLOADS)
    tops = [path for path in folder.iterdir() if not path.name.startswith(ours)]
    found = {}
    for file in (file for top in tops for file in (top, *top.rglob("*"))):
        with contextlib.suppress(FileNotFoundError):  # a journal that SQLite has just removed
            if file.is_file():
                stat = file.stat()
                found[str(file.relative_to(folder))] = (stat.st_size, stat.st_mtime_ns)
    return found


# --- the plan: what differs


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What reading one file gave; `unread` when that is nothing but problems."""

    documents: tuple[Document, ...] = ()
    problems: tuple[str, ...] = ()
    unread: bool = False


@dataclass(frozen=True, slots=True)
class _Changes:
    """How many articles are new, changed, gone and as before."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the library shall hold: articles to be written, ids to be removed, manifest and files."""

    written: Mapping[str, Article]
    gone: tuple[str, ...]
    manifest: Mapping[str, Entry]
    files: Mapping[str, FileState]
    changes: _Changes


def _read(file: SourceFile, limit_bytes: int) -> _Outcome:
    from ingest.readers import read_file

    try:
        reading = read_file(file.path, limit_bytes=limit_bytes)
    except ArticleError as exc:
        return _Outcome(problems=(reason(file.path, exc),), unread=True)
    return _Outcome(reading.documents, tuple(reason(file.path, problem) for problem in reading.problems))


def _ids(
    files: Sequence[SourceFile],
    outcomes: Mapping[str, _Outcome],
    entries: Mapping[str, Sequence[tuple[str, Entry]]],
) -> dict[str, list[tuple[str, str]]]:
    """For each file the id and own name of its articles: as just read, else as they are indexed."""
    names: list[tuple[SourceFile, str]] = []
    for file in files:
        outcome = outcomes.get(file.key)
        if outcome is None or outcome.unread:
            names += [(file, entry.name) for _, entry in entries.get(file.key, ())]
        else:
            names += [(file, own_id(file, doc.id, n)) for n, doc in enumerate(outcome.documents, 1)]
    ids = assign_ids([Wanted(name, file.name, file.holds_records) for file, name in names])
    by_file: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for id, (file, name) in zip(ids, names, strict=True):
        by_file[file.key].append((id, name))
    return by_file


def _compare(manifest: Mapping[str, Entry], now: Mapping[str, Entry]) -> _Changes:
    """Counts of the difference between two manifests, by hash."""
    same = sum(id in manifest and manifest[id].sha256 == entry.sha256 for id, entry in now.items())
    both = len(manifest.keys() & now.keys())
    return _Changes(len(now) - both, both - same, len(manifest) - both, same)


def _silent(step: str, done: int, total: int) -> None:
    """No progress to be shown."""


# --- doing it, under the lock


class _Sink(Protocol):
    """Where vectors go: the index in use, or one that is being built beside it."""

    def write(
        self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str
    ) -> None: ...


class _Sync:
    """One run; whoever makes it holds the folder's lock."""

    def __init__(self, settings: Settings, look: _Look, embedder: Embedder, progress: Progress) -> None:
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
                raise ArticleError(_how_to_begin(self.look.roots))
            if not rebuild:
                refuse_emptied(self.look.roots, self.look.files, self._watched(held))
            plan = self._plan(library, rebuild=rebuild)
            if not library.fingerprint and not plan.manifest and allow_empty:
                library.flip(meta={"fingerprint": self.note})
            if plan.manifest or held or allow_empty:
                self._apply(library, plan, rebuild=rebuild)
            else:  # nothing could be read: no index is made of that
                library.flip(files=plan.files)
            return _report(library, plan.changes, self.repaired)

    def _watched(self, manifest: Mapping[str, Entry]) -> list[str]:
        """The indexed files that are no uploads: those are deleted on purpose only."""
        uploads = f"{self.look.folder / UPLOADS}{os.sep}"
        return [entry.path for entry in manifest.values() if not entry.path.startswith(uploads)]

    def _open_library(self, *, rebuild: bool) -> Library:
        from rag.vectors import inspect

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

    def _plan(self, library: Library, *, rebuild: bool) -> _Plan:
        held, manifest = library.files(), library.manifest()
        entries: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
        for id, entry in manifest.items():
            entries[entry.path].append((id, entry))

        files = self.look.files
        fresh = [f for f in files if rebuild or not unchanged(f, held) or held[f.key].unread]
        outcomes = self._read_all(fresh)
        ids = _ids(files, outcomes, entries)
        # an unchanged file whose article gives way to another of that name is read for its new id
        renamed = [f for f in files if f.key not in outcomes and _renamed(ids[f.key], entries[f.key])]
        if renamed:
            outcomes |= self._read_all(renamed)
            ids = _ids(files, outcomes, entries)

        written: dict[str, Article] = {}
        now: dict[str, Entry] = {}
        for file in files:
            outcome = outcomes.get(file.key)
            if outcome is None or outcome.unread:
                now |= {id: entry for id, entry in entries[file.key] if id not in now}
                continue
            for article, name in self._articles(file, outcome, ids[file.key]):
                now[article.id] = Entry(name, file.key, file.name, article.sha256)
                if rebuild or article.id not in manifest or manifest[article.id].sha256 != article.sha256:
                    written[article.id] = article
        if rebuild:
            kept = now.keys() - written.keys()
            written |= {article.id: replace(article, copy_of=None) for article in library.articles(kept)}
        states = {f.key: _state_after(f, outcomes.get(f.key), held, bool(entries[f.key])) for f in files}
        gone = tuple(sorted(manifest.keys() - now.keys()))
        return _Plan(written, gone, now, states, _compare(manifest, now))

    def _read_all(self, files: Sequence[SourceFile]) -> dict[str, _Outcome]:
        outcomes = {}
        for done, file in enumerate(files):
            self.progress("read", done, len(files))
            outcomes[file.key] = _read(file, self.settings.article_limit)
        if files:
            self.progress("read", len(files), len(files))
        return outcomes

    def _articles(
        self, file: SourceFile, outcome: _Outcome, ids: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[Article, str]]:
        from ingest.articles import article_from

        for document, (id, name) in zip(outcome.documents, ids, strict=True):
            yield article_from(document, id, file.name), name

    # applying

    def _apply(self, library: Library, plan: _Plan, *, rebuild: bool) -> None:
        from rag.vectors import BUILTIN_INDEX, CHUNK_INDEX, Vectors, inspect

        folder = self.look.folder
        self.spoilt = rebuild or not _has_lexical_files(folder, library)
        if library.meta(_LEXICAL) is not None and self.spoilt and not rebuild:
            self.repaired.append("files of the word index were missing or changed; it was built anew")
        whole = library.meta(_UNDER_WAY) is None and not self.spoilt
        if whole and inspect(folder) == "intact" and not (rebuild or plan.written or plan.gone):
            self._note(library, plan)
            return
        if plan.written:
            self._embed_ahead(plan.written.values())
        graph = BUILTIN_INDEX if self.embedder.is_builtin else CHUNK_INDEX
        with Vectors.open(folder, repair=True, graph=graph) as vectors:
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
                library.note(_LEXICAL, json.dumps(self.lexical))
            vectors.delete(*old)
            library.note(_UNDER_WAY, None)
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
        for batch in _batches(articles, _EMBEDDED_AT_ONCE):
            chunks = [
                (article, c) for article in batch for c in chunk_article(article, self.settings.chunk_words)
            ]
            self.embedder.embed([_embedded(article, chunk) for article, chunk in chunks])
            done += len(batch)
            self.progress("embed", done, len(articles))

    def _prune(self, library: Library) -> None:
        """Lets go of vectors that the index has no use for, when they are more than those it has."""
        articles = (article for article in library.articles())
        texts = (_embedded(a, chunk) for a in articles for chunk in library.chunks_of(a.id))
        self.embedder.prune(texts, 2 * library.counts().chunks + _SPARE_VECTORS)

    def _update(self, library: Library, vectors: Vectors, plan: _Plan) -> tuple[set[str], set[str]]:
        """Swaps the versions; the chunks and records that Chroma may drop now."""
        from ingest.copies import marks, update_copies

        self._begin(library)
        old = {*plan.gone, *plan.written} & library.manifest().keys()
        chunks, versions = set(library.chunk_ids(old)), _versions(library, old)
        library.flip(
            self._written(plan.written.values(), vectors),
            plan.gone,
            manifest=plan.manifest,
            files=plan.files,
            copies=update_copies(library, plan.written, plan.gone),
            marks={article.id: marks(article.text) for article in plan.written.values()},
            meta={"fingerprint": self.note},
            last=lambda: self._build_lexical(library),
        )
        # what was written again under its old id stays: a file that changed back after a crash
        return chunks - set(library.chunk_ids(old)), versions - _versions(library, old)

    def _rebuild(self, library: Library, vectors: Vectors, plan: _Plan) -> None:
        from ingest.copies import marks, update_copies

        with vectors.anew() as shelf:
            identity = shelf.identity
            self._begin(library)
            library.flip(
                self._written(plan.written.values(), shelf),
                library.manifest(),
                manifest=plan.manifest,
                files=plan.files,
                copies=update_copies(library, plan.written, plan.gone),
                marks={article.id: marks(article.text) for article in plan.written.values()},
                meta={"fingerprint": self.note, _VECTORS: identity},
                last=lambda: self._build_lexical(library),
            )
        vectors.swap(identity, probed=True)

    def _written(
        self, articles: Collection[Article], sink: _Sink
    ) -> Iterator[tuple[Article, Sequence[Chunk]]]:
        """The articles with their chunks, each batch on its way out written to the vector index."""
        from ingest.chunking import chunk_article

        done = 0
        for batch in _batches(articles):
            entries = [(article, chunk_article(article, self.settings.chunk_words)) for article in batch]
            self._write(entries, sink)
            yield from entries
            done += len(batch)
            self.progress("index", done, len(articles))

    def _write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], sink: _Sink) -> None:
        texts = [_embedded(article, chunk) for article, chunks in entries for chunk in chunks]
        sink.write(entries, self.embedder.embed(texts), self.note)

    def _reconcile(self, library: Library, vectors: Vectors) -> None:
        """Makes the vector index that of the library, as it is now, whatever happened to it."""
        wanted, chunks = library.meta(_VECTORS), library.counts().chunks
        clean = library.meta(_UNDER_WAY) is None
        if wanted == vectors.identity and clean and vectors.count() == chunks:
            return
        self._begin(library)
        if wanted != vectors.identity and not (wanted and vectors.swap(wanted)):
            if chunks:
                damage = vectors.damage or "it is not the one that was built last"
                self.repaired.append(f"the vector index was damaged ({damage}) and was built anew")
            vectors.clear()
        lost = set(library.chunk_ids()) - vectors.ids()
        missing = {id.split("#", 1)[0] for id in lost} | _articles_of(_versions(library) - vectors.versions())
        if lost and clean and wanted == vectors.identity:
            self.repaired.append(f"{len(lost)} passages were missing from the vector index and are back")
        for batch in _batches(sorted(missing)):
            held = [(article, library.chunks_of(article.id)) for article in library.articles(batch)]
            self._write(held, vectors)
        vectors.delete(vectors.ids() - set(library.chunk_ids()), vectors.versions() - _versions(library))
        library.note(_VECTORS, vectors.identity)

    def _note(self, library: Library, plan: _Plan) -> None:
        """Files that were touched, moved or became unreadable: nothing for Chroma."""
        if plan.files != library.files() or plan.manifest != library.manifest():
            library.flip(manifest=plan.manifest, files=plan.files)

    def _build_lexical(self, library: Library) -> None:
        from rag.lexical import build_index

        before = _other_files(self.look.folder)
        build_index(self.look.folder, library, self.spoilt)
        after = _other_files(self.look.folder)
        self.lexical = {name: state for name, state in after.items() if before.get(name) != state}

    def _begin(self, library: Library) -> None:
        library.note(_UNDER_WAY, "under way")


class _Replica(_Sync):
    """A run whose source is the Chroma server: its article records in the place of files."""

    def run(self, *, rebuild: bool, allow_empty: bool) -> SyncReport:  # noqa: ARG002
        from rag.shared import SharedIndex

        with SharedIndex(self.settings) as self.shared, self._open_library(rebuild=rebuild) as library:
            there = self.shared.versions()
            if not there:
                raise ConfigError(
                    f"the Chroma server at {self.shared.address} holds no articles; nothing was changed."
                    " Write some to it: python -m ingest with CHROMA_URL, where the articles are"
                )
            for found in self.shared.fingerprints():
                check_fingerprint(found, self.note)
                if library.fingerprint and not rebuild:
                    check_fingerprint(library.fingerprint, found)
                self.note = found
            self.embedder.expect(dimension_of(self.note))
            plan = self._plan_of(library, there, rebuild=rebuild)
            self._apply(library, plan, rebuild=rebuild)
            return _report(library, plan.changes, self.repaired)

    def _plan_of(self, library: Library, there: Collection[str], *, rebuild: bool) -> _Plan:
        held, manifest = _versions(library), library.manifest()
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
        return _Plan(written, tuple(sorted(manifest.keys() - now.keys())), now, {}, _compare(manifest, now))

    def _embed_ahead(self, articles: Collection[Article]) -> None:
        """Nothing: the vectors are the server's."""

    def _write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], sink: _Sink) -> None:
        vectors = self.shared.vectors([chunk.id for _, chunks in entries for chunk in chunks])
        if vectors is None:  # deleted meanwhile: the next look takes the newer version
            super()._write(entries, sink)
        else:
            sink.write(entries, vectors, self.note)


def _no_room(error: OSError, folder: Path) -> str:
    return (
        f"cannot use {error.filename or folder}: {error.strerror or error}; the index as it is goes on"
        " answering; check free space and permissions"
    )


def _how_to_begin(folders: Sequence[Path]) -> str:
    return (
        f"no articles in {', '.join(map(str, folders))}; put files there (.txt, .md, .html, .pdf, .docx,"
        " .jsonl), or run: python -m ingest FOLDER"
    )


def _renamed(ids: Sequence[tuple[str, str]], entries: Iterable[tuple[str, Entry]]) -> bool:
    return {id for id, _ in ids} != {id for id, _ in entries}


def _state_after(
    file: SourceFile, outcome: _Outcome | None, held: Mapping[str, FileState], indexed: bool
) -> FileState:
    """What to note of a file: as it was noted if it was not read, else with what reading it gave."""
    if outcome is None:
        return held[file.key]
    problems = outcome.problems
    if outcome.unread and indexed:
        problems = tuple(f"{problem} (its earlier version still answers)" for problem in problems)
    return replace(file.state, problems=problems, unread=outcome.unread)


def _versions(library: Library, ids: Collection[str] | None = None) -> set[str]:
    from rag.vectors import version_id

    return {version_id(id, sha256) for id, sha256 in library.versions(ids).items()}


def _articles_of(record_ids: Iterable[str]) -> set[str]:
    return {id.split("#", 1)[0] for id in record_ids}


def _embedded(article: Article, chunk: Chunk) -> str:
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text


def _batches(items: Collection[_T], size: int = _AT_ONCE) -> Iterator[list[_T]]:
    held = list(items)
    for start in range(0, len(held), size):
        yield held[start : start + size]


def _shown(path: str) -> str:
    """A path as people write it: relative to where they are, if it is below."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def _report(library: Library, changes: _Changes, repaired: Sequence[str]) -> SyncReport:
    counts = library.counts()
    files = library.files().items()
    skipped = [(_shown(path), problem) for path, state in files for problem in state.problems]
    return SyncReport(
        added=changes.added,
        changed=changes.changed,
        deleted=changes.deleted,
        unchanged=changes.unchanged,
        duplicates=tuple(library.copies().items()),
        skipped=tuple(sorted(skipped)),
        repaired=tuple(repaired),
        articles=counts.articles,
        chunks=counts.chunks,
        seconds=0.0,
        fingerprint=library.fingerprint,
    )
