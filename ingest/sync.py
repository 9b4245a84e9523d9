"""Brings the index in line with the article files: a diff by content, safe to break off anywhere."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.publish import publish
from ingest.report import Changes, Progress, SyncReport, report_of, silent
from ingest.sources import remember
from ingest.state import Look, agrees, has_owner, library_if_readable, look_at
from rag.errors import BelegError, ConfigError
from rag.settings import Settings
from rag.store import lock
from rag.store.library import Library

if TYPE_CHECKING:
    from ingest.run import Run
    from rag.models.embedder import Embedder

__all__ = ["SyncReport", "answers_all_the_same", "is_current", "sync"]

_one_at_a_time = threading.Lock()


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
    holds nothing (with `allow_empty` that gives an index without articles), ConfigError (also where
    articles that nobody named would take the place of others), IndexBusy
    when another process uses the folder, IndexMismatch when the index was built with other
    settings, ProviderError when the embedding fails; in all these cases the old index is
    untouched, and what was embedded is not paid for again.
    """
    started = time.perf_counter()
    with _one_at_a_time:
        look = look_at(settings, paths)
        report = None if rebuild or settings.chroma_replica else _report_if_idle(settings, look)
        if report is None:
            lock.acquire(look.folder)
            try:
                with closing(_embedder(settings)) as embedder:
                    work = _run(settings)(settings, look, embedder, progress or silent)
                    report = work.run(rebuild=rebuild, allow_empty=allow_empty)
            except OSError as exc:
                raise ConfigError(_no_room(exc, look.folder)) from exc
            finally:
                lock.release(look.folder)
        if paths is not None:
            remember(settings, paths)  # the index is of these now, whether or not a server takes them
        if settings.chroma_url and not settings.chroma_replica:
            publish(settings, look.folder, take_over=take_over, named=look.named)
    return replace(report, seconds=time.perf_counter() - started)


def _embedder(settings: Settings) -> Embedder:
    # only when there is something to do: it imports numpy
    from rag.models.providers import build_embedder

    return build_embedder(settings)


def _run(settings: Settings) -> type[Run]:
    if settings.chroma_replica:
        from ingest.replica import Replica

        return Replica
    from ingest.run import Run

    return Run


def is_current(settings: Settings) -> bool:
    """Whether the index is that of the article files, by the files' size and time alone.

    Takes no lock and imports nothing heavy; False for any index that is not fit to be opened.
    """
    try:
        look = look_at(settings, None)
        with Library.open(look.folder, read_only=True) as library:
            return agrees(settings, look, library)
    except BelegError:
        return False


def answers_all_the_same(settings: Settings, error: BelegError) -> bool:
    """Whether a sync failed for want of room or permission alone, and there is an index to answer from."""
    folder = look_at(settings, None).folder
    if not _is_of_the_disk(error) and _has_room(folder):
        return False
    library = library_if_readable(folder)
    if library is not None:
        library.close()
    return library is not None


def _is_of_the_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError | sqlite3.OperationalError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _has_room(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(bytes(1_000_000))
    except OSError:
        return False
    return True


def _report_if_idle(settings: Settings, look: Look) -> SyncReport | None:
    """The report when there is nothing to do; None when there is, or it takes the lock to find out."""
    from rag.store.seal import inspect

    library = library_if_readable(look.folder)
    if library is None:
        return None
    with library:
        if not agrees(settings, look, library) or not library.counts().articles:
            return None
        if library.has_unread():
            return None  # permissions change without a trace in size and time
        if inspect(look.folder) == "unclear" and not has_owner(look.folder):
            return None
        return report_of(library, Changes(unchanged=library.counts().articles), ())


def _no_room(error: OSError, folder: Path) -> str:
    return (
        f"cannot use {error.filename or folder}: {error.strerror or error}; the index as it is goes on"
        " answering; check free space and permissions"
    )
