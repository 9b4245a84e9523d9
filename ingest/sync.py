"""Brings the index in line with the article files: a diff by content, safe to interrupt anywhere.

look → diff → read → chunk → `library.replace` (one transaction) → Chroma follows. After the transaction
new articles are found by their words, and by meaning as soon as their vectors are ready.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ingest import sources
from ingest.diff import (
    VECTORS,
    Outcome,
    Plan,
    agrees,
    has_vectors,
    is_current,
    make_plan,
    read_file_of,
)
from ingest.meaning import MOST_UNASKED, WISH, Wish, embed_sentences, kept, left_to_words, prune, vectors_of
from ingest.sources import SourceFile
from rag import errors
from rag.errors import BelegError, ConfigError
from rag.i18n import Phrase
from rag.schema import Article, Chunk
from rag.settings import Settings, embedding_choice
from rag.store import lock
from rag.store.chroma import Chroma, Pair, Progress, Stop, add_missing, delete_unknown
from rag.store.library import Library
from rag.store.library_file import (
    FILE_NAME,
    LEFT_TO_WORDS,
    PASSED_OVER,
    check_fingerprint,
    dimension_of,
    fingerprint,
)

_T = TypeVar("_T")

if TYPE_CHECKING:
    from rag.models.embedder import Embedder, Floats

_AT_ONCE = 32  # articles or files for each step of the progress bar

_OF_THE_DISK = frozenset({"cannot_use", "cache_unusable", "disk_full", "index_unwritable"})
"""Codes of errors by which a disk that is full or read-only is said."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. Numbers count articles; `skipped` has name and reason of each file that was not read,
    or, where its name is also in `in_part`, not all of it.

    `duplicates` are pairs (copy, original) of article ids in the whole index; `repaired` says what was
    damaged and is whole again; `articles` and `chunks` are what the index holds now. `pending` is the number
    of chunks without vectors, found by their words only; `unasked` says what embedding them would take if
    they are too many to do so without `--embed`. `read` and `left_out` count the parts of files that were
    read and not read, by kind.
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
    pending: int = 0
    unasked: str | None = None
    in_part: tuple[str, ...] = ()
    read: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def how_read(self, name: str) -> str:
        """Of a file in `skipped`: whether nothing of it was read, or a part."""
        return "read in part" if name in self.in_part else "skipped"


def sync(
    settings: Settings,
    *,
    paths: Sequence[Path] | None = None,
    rebuild: bool = False,
    allow_empty: bool = False,
    take_over: bool = False,
    wait: bool = True,
    embed: Wish | None = None,
    progress: Progress = lambda *_: None,
    stop: Stop = lambda: False,
) -> SyncReport:
    """Brings the index in `settings.data_dir` in line with the article files, and reports what was done.

    The source is `settings.articles` (or `paths`, which replace it for this data folder from now on) and the
    uploads in the data folder. `rebuild` makes everything anew, for other settings or an emptied source;
    `take_over` makes this Beleg the writer of the Chroma server. Without `wait`, and when `stop` returns true
    between two batches, missing vectors are left to the next sync. For more than `MOST_UNASKED` new articles
    the built-in encoder makes vectors only if `embed` says of what. Raises ArticleError for a path that does
    not exist or holds nothing (with `allow_empty` that gives an index without articles), ConfigError (also if
    articles that nobody named would replace others), IndexBusy when another process uses the folder,
    IndexMismatch when the index was built with other settings; in all these cases the old index is untouched.
    Raises ProviderError when the embedding fails: the new articles are found by their words then, and nothing
    embedded is paid for again.
    """
    started = time.perf_counter()
    is_replica, folder = settings.chroma_replica, settings.data_dir.resolve()
    stop = stop if wait else lambda: True
    with _one_at_a_time:
        files = sources.find_files(settings, paths)
        report = None if rebuild or embed or is_replica else _report_if_idle(settings, files)
        if report is None:
            # imported only when needed, because they import numpy and chromadb
            from ingest.shared import Replica
            from rag.models.embedding import build_embedder

            kind = Replica if is_replica else Run
            try:
                with lock.owned(folder), closing(build_embedder(settings)) as embedder:
                    run = kind(settings, paths, files, embedder, rebuild, allow_empty, embed, progress, stop)
                    report = run.run()
            except OSError as exc:
                path, why = exc.filename or folder, exc.strerror or exc
                raise ConfigError("index_unwritable", path=path, why=why) from exc
        elif paths is not None:
            sources.remember(settings, paths)
        if settings.chroma_url and not is_replica and not report.pending:
            from ingest.shared import publish

            publish(settings, take_over=take_over, named=sources.are_named(settings, paths))
    return replace(report, seconds=time.perf_counter() - started)


def catch_up(settings: Settings) -> list[str]:
    """Brings the index up to date before a question; returns notes for people, one line each.

    With a full or read-only disk, another process at work or an embedding out of reach, the index is used as
    it is. Raises the same as `sync`.
    """
    if is_current(settings.unpublished):
        return []
    try:
        report = sync(settings.unpublished)
    except BelegError as error:
        if not answers_all_the_same(settings, error):
            raise
        return [str(error)]
    skipped = [f"{report.how_read(name)} {name}: {reason}" for name, reason in report.skipped]
    return [*skipped, report.unasked] if report.unasked else skipped


def embeds_at_once(settings: Settings) -> bool:
    """Whether vectors take seconds (or a server's time), not hours of this machine."""
    return embedding_choice(settings).kind not in ("class", "e5")


def answers_all_the_same(settings: Settings, error: BelegError) -> bool:
    """Whether a sync failed only for lack of space or permission, because another process is at it, or while
    vectors are still to come; and there is an index to answer from."""
    passing = errors.IndexBusy, errors.ProviderUnavailable
    with contextlib.suppress(BelegError), Library.open(settings.data_dir.resolve(), read_only=True):
        return error.code in _OF_THE_DISK or isinstance(error, passing)
    return False


def _report_if_idle(settings: Settings, files: Sequence[SourceFile]) -> SyncReport | None:
    """The report if there is nothing to do; None if there is, or if the lock is needed to find out."""
    folder = settings.data_dir.resolve()
    with contextlib.suppress(BelegError), Library.open(folder, read_only=True) as library:
        articles = library.counts().articles
        # a change of permissions shows in neither size nor time
        unread = any(state.unread for state in library.files().values())
        if articles and not unread and agrees(settings, files, library):
            return _report_of(library, (0, 0, 0, articles))
    return None


def _report_of(
    library: Library, changes: tuple[int, int, int, int], repaired: Sequence[str] = (), pending: int = 0
) -> SyncReport:
    """The report of a sync on the library as it is now; the caller knows the seconds."""
    counts, read, left_out = library.counts(), Counter[str](), Counter[str]()
    skipped, in_part = list[tuple[str, str]](), set[str]()
    here = f"{Path.cwd()}{os.sep}"  # paths below it are said without it
    for path, state in library.files().items():
        name = path.removeprefix(here)
        read.update(state.account.read)
        left_out.update(state.account.left_out)
        skipped += [(name, problem) for problem in state.problems]
        in_part |= set() if state.unread else {name}
    return SyncReport(
        *changes,
        duplicates=tuple(library.copies().items()),
        skipped=tuple(sorted(skipped)),
        repaired=tuple(repaired),
        articles=counts.articles,
        chunks=counts.chunks,
        seconds=0.0,
        fingerprint=library.fingerprint,
        pending=pending,
        unasked=library.phrase(LEFT_TO_WORDS),
        in_part=tuple(sorted(in_part)),
        read=dict(read),
        left_out=dict(left_out),
    )


# --- one sync


@dataclass
class Run:
    """One sync from files, with the options of `sync`; the caller holds the folder's lock."""

    settings: Settings
    paths: Sequence[Path] | None
    files: Sequence[SourceFile]
    embedder: Embedder
    rebuild: bool
    allow_empty: bool
    wish: Wish | None
    progress: Progress
    stop: Stop

    def __post_init__(self) -> None:
        self.folder = self.settings.data_dir.resolve()
        self.roots = sources.roots(self.settings, self.paths)
        self.named = self.settings.chroma_replica or sources.are_named(self.settings, self.paths)
        self.note = fingerprint(self.settings)
        self.is_e5 = embedding_choice(self.settings).kind == "e5"  # the built-in encoder, also of sentences
        self.repaired: list[str] = []

    def run(self) -> SyncReport:
        """Runs the sync. Raises the same as `sync`."""
        with self._library() as library:
            if library.fingerprint and not self.rebuild:
                self.settle(library.fingerprint)
            plan = self.plan(library)
            lost_none = has_vectors(library)
            if not (plan.manifest or library.counts().articles or self.allow_empty):
                library.replace(files=plan.files)  # nothing could be read, so no index is made
                return _report_of(library, plan.changes, self.repaired)
            self._replace(library, plan)
            if self.paths is not None:
                sources.remember(self.settings, self.paths)
            pending = self._embed(library, plan, lost_none=lost_none)
            return _report_of(library, plan.changes, self.repaired, pending)

    def plan(self, library: Library) -> Plan:
        """The differences between files and library; writes nothing."""
        held = library.manifest()
        if not (self.files or held or self.allow_empty):
            raise errors.ArticleError("no_articles", folders=", ".join(map(str, self.roots)))
        library.note(PASSED_OVER, sources.passed_over(self.roots))
        if not self.rebuild:
            uploads = f"{self.folder / sources.UPLOADS}{os.sep}"  # which are deleted on purpose only
            watched = [entry.path for entry in held.values() if not entry.path.startswith(uploads)]
            sources.refuse_emptied(self.roots, self.files, watched)
        limit = self.settings.article_limit

        def read(files: Sequence[SourceFile]) -> dict[str, Outcome]:
            return {file.key: read_file_of(file, limit) for file in self._shown("read", files)}

        plan = make_plan(library, held, self.files, read, rebuild=self.rebuild)
        if not (self.rebuild or self.named):
            sources.refuse_replaced(self.roots, [held[id].path for id in plan.gone], self.folder)
        return plan

    def embed(self, pairs: Sequence[Pair]) -> Floats:
        """The vectors of passages."""
        return vectors_of(self.embedder, pairs)

    def settle(self, found: str) -> None:
        """Adopts the fingerprint of an existing index. Raises IndexMismatch if it does not fit."""
        check_fingerprint(found, self.note)
        self.note = found
        self.embedder.expect(dimension_of(found))

    def _library(self) -> Library:
        """The library; a new one in place of a damaged one or an earlier format."""
        path = self.folder / FILE_NAME
        if not path.exists() and (self.folder / "chroma").exists():
            self.repaired.append("the library was missing and was built anew")
        try:
            return Library.open(self.folder)
        except errors.IndexDamaged as exc:
            self.repaired.append(f"the library was damaged and was built anew ({exc.__cause__ or exc})")
        except errors.IndexMismatch as exc:
            # articles that nobody named never replace an unreadable index
            outdated = isinstance(exc, errors.IndexOutdated) and self.named
            if not (self.rebuild or (outdated and (self.files or self.settings.chroma_replica))):
                raise
            if not self.rebuild:
                self.repaired.append("the index was of an earlier Beleg and was built anew from the articles")
        for suffix in ("-wal", "-shm", ""):  # SQLite's own files; aside, in case they are not ours
            file = path.with_name(f"{FILE_NAME}{suffix}")
            if file.exists():
                file.replace(file.with_name(f"{FILE_NAME}.damaged{suffix}"))
        return Library.open(self.folder)

    def _shown(self, step: str, items: Sequence[_T]) -> Iterator[_T]:
        """The items, with progress shown while they are taken."""
        for done, item in enumerate(items):
            if done % _AT_ONCE == 0:
                self.progress(step, done, len(items))
            yield item
        if items:
            self.progress(step, len(items), len(items))

    def _replace(self, library: Library, plan: Plan) -> None:
        """Applies the plan to the library, in one transaction."""
        from ingest.chunking import chunk_article
        from ingest.copies import marks as marks_of
        from ingest.copies import update_copies

        if library.fingerprint and not (self.rebuild or plan.written or plan.gone):
            if plan.files != library.files() or plan.manifest != library.manifest():
                library.replace(manifest=plan.manifest, files=plan.files)
            return
        marks: dict[str, Sequence[int]] = {}

        def cut() -> Iterator[tuple[Article, Sequence[Chunk]]]:
            for article in self._shown("index", list(plan.written.values())):
                marks[article.id] = marks_of(article.text)
                yield article, chunk_article(article, self.settings.chunk_words)

        library.replace(
            cut(),
            library.manifest() if self.rebuild else plan.gone,
            manifest=plan.manifest,
            files=plan.files,
            copies=update_copies(library, plan.written, plan.gone),
            marks=marks,  # filled while the articles are written
            meta={"fingerprint": self.note},
        )

    def _embed(self, library: Library, plan: Plan, *, lost_none: bool) -> int:
        """Brings Chroma in line; returns the number of passages without a vector."""
        if self.wish:
            library.note(WISH, self.wish)
        elif has_vectors(library) and not self.rebuild:
            return 0
        with Chroma.open(self.folder) as chroma:
            self._say_losses(library, plan, chroma, lost_none=lost_none)
            library.note(VECTORS, None)  # until all are there
            try:
                left = self._left_to_words(library, chroma)
                pending = 0 if left else self._reconcile(library, chroma)
                if self.is_e5 and not (left or pending or library.meta(WISH) == "passages"):
                    pending = embed_sentences(library, self.embedder, self.progress, self.stop)
            except errors.ProviderError as error:
                error.phrase = Phrase("words_meanwhile", problem=error.phrase)
                raise
        if not pending:
            library.note(VECTORS, library.state)
            prune(library, self.embedder)
        return pending

    def _left_to_words(self, library: Library, chroma: Chroma) -> bool:
        """Whether there is more to embed than was requested; then nothing new is embedded."""
        articles, passages = library.without_vectors()
        asked = not self.is_e5 or library.meta(WISH) or self.settings.chroma_url
        left = not asked and articles > MOST_UNASKED
        library.note(LEFT_TO_WORDS, left_to_words(passages) if left else None)
        if left:
            delete_unknown(library, chroma)
        return left

    def _reconcile(self, library: Library, chroma: Chroma) -> int:
        is_open = not self.embedder.is_builtin and dimension_of(library.fingerprint) is None
        if is_open and library.counts().chunks:
            if self.stop():
                return library.counts().chunks
            # asked for only now, so that the articles did not wait for it
            library.note("fingerprint", fingerprint(self.settings, self.embedder.dimension()))
        if self.rebuild:
            chroma.renew(library.fingerprint)
        embed = partial(kept, library, self.embed) if self.is_e5 else self.embed
        delete_unknown(library, chroma)
        return add_missing(library, chroma, embed, self.progress, self.stop)

    def _say_losses(self, library: Library, plan: Plan, chroma: Chroma, *, lost_none: bool) -> None:
        if chroma.damage:
            self.repaired.append(f"the vector index was damaged ({chroma.damage}) and is filled anew")
            chroma.damage = None
        elif lost_none and not self.rebuild:
            missing = library.chunk_rows().keys() - chroma.ids()
            if lost := [id for id in missing if id.rsplit("#", 2)[0] not in plan.written]:
                self.repaired.append(f"{len(lost)} passages were missing from the vector index and are back")
