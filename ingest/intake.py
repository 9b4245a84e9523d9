"""Beside the web chat: one thread that keeps the index in line with its files, and the articles uploaded.

Uploads are checked as they arrive, and saved as files, which the thread then reads.
"""

import asyncio
import contextlib
import filecmp
import itertools
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from watchfiles import watch

from ingest.diff import is_current
from ingest.readers import SUFFIXES, read_file, too_large
from ingest.sources import FIELDS, INCOMING, describe, edited, find_files, roots, sidecar_of, slug
from ingest.structure.article import article_from
from ingest.sync import SyncReport, sync
from rag.errors import ArticleError, BelegError
from rag.i18n import Phrase
from rag.schema import Received, SyncState
from rag.settings import Settings

SETTLE_SECONDS = 0.4
"""Changed files are read once nothing has changed for so long, because they may still be being copied."""

_LONGEST_SETTLING = 10.0
_RETRY_SECONDS = 60.0  # after a failure that the files do not explain

log = logging.getLogger(__name__)


class Watcher:
    """Looks at the files when they change, and syncs when they differ or `refresh` asks for it.

    It also looks every `settings.sync_seconds`, for network folders and Chroma servers, which report no
    changes (0: only on request). A look reads only names, sizes and times. There is one sync at a time; a
    failed one is repeated when files change, on request, and after a minute. `state` says how far it is.
    """

    def __init__(self, settings: Settings, run: Callable[..., SyncReport] = sync) -> None:
        """`run` makes a sync, as `ingest.sync.sync` does."""
        self.settings = settings
        self._run = run
        self._changing = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._asked = False
        self.state = SyncState()
        self._seen: tuple[object, ...] | None = None
        self._retry = float("inf")
        self._reported: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._watch, name="beleg-watch", daemon=True)

    def start(self) -> None:
        """Starts watching."""
        self._thread.start()

    def close(self) -> None:
        """Stops watching; a sync under way is interrupted, and the next one completes it."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Requests a sync now, even if files look unchanged."""
        with self._changing:
            self._asked = True
            self.state = replace(self.state, running=True, step="", done=0, total=0)
        self._wake.set()

    def _watch(self) -> None:
        with contextlib.suppress(BelegError, _Closed):
            files = self._look()  # taken first, so that later changes are seen by the next look
            if is_current(self.settings, vectors=False) and not self.settings.chroma_replica:
                self._seen = files
                self.state = SyncState(checked=datetime.now().astimezone())
                if not is_current(self.settings):  # the chat did not wait for the vectors
                    self._sync()
        seconds = self.settings.sync_seconds
        while not self._closed.is_set():
            folders = [] if self.settings.chroma_replica else roots(self.settings, None)
            watched = [folder for folder in folders if folder.exists()]
            if not seconds or not watched:
                self._wake.wait(seconds or None)
            else:
                try:
                    self._turn_with_changes(watched, seconds)
                except (OSError, RuntimeError):  # the system watches no more folders
                    self._wake.wait(seconds)
            self._wake.clear()
            self._turn()

    def _turn_with_changes(self, folders: list[Path], seconds: float) -> None:
        """A turn when files have settled, and every so many seconds, until woken or a look fails."""
        for _ in watch(
            *folders,
            watch_filter=None,
            step=int(SETTLE_SECONDS * 1000),
            debounce=int(_LONGEST_SETTLING * 1000),
            rust_timeout=max(1, int(seconds * 1000)),
            yield_on_timeout=True,
            stop_event=self._wake,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            self._turn()
            if self._seen is None:  # a watched folder may be gone
                return

    def _turn(self) -> None:
        """One look, and a sync if there is reason for one."""
        with self._changing:
            asked, self._asked = self._asked, False
        with contextlib.suppress(_Closed):
            try:
                files = self._look()
            except BelegError as exc:  # such as a folder that is gone: it may come back just as it was
                self._seen = None
                self._done(exc.phrase)
                return
            if not asked and files == self._seen and time.monotonic() < self._retry:
                self._done(self.state.error)
            elif not self._closed.is_set():
                self._seen = files
                self._sync()

    def _look(self) -> tuple[object, ...]:
        if self.settings.chroma_replica:
            from ingest.shared import Published

            with contextlib.closing(Published(self.settings)) as server:
                return tuple(sorted(server.versions()))
        return find_files(self.settings)

    def _sync(self) -> None:
        self._retry = time.monotonic() + _RETRY_SECONDS
        try:
            calls = {"progress": self._progress, "stop": self._has_more_urgent}
            report = self._run(self.settings, allow_empty=True, **calls)
        except _Closed:
            raise
        except Exception as exc:
            if isinstance(exc, BelegError):
                self._done(exc.phrase)
            elif isinstance(exc, OSError):
                self._done(Phrase("no_room", why=exc.strerror or exc))
            else:
                log.exception("reading articles in failed unexpectedly")
                self._done(Phrase("internal_error"))
            return
        self._retry = time.monotonic() if report.pending else float("inf")  # at the next look
        if report.added or report.changed or report.deleted:
            log.info("articles: %d new, %d changed, %d gone", report.added, report.changed, report.deleted)
        for note in report.repaired:
            log.warning("%s", note)
        for name, problem in sorted(set(report.skipped) - self._reported):
            log.warning("%s: %s", name, problem)
        self._reported = set(report.skipped)
        self._done()

    def _progress(self, step: str, done: int, total: int) -> None:
        if self._closed.is_set():
            raise _Closed
        self.state = replace(self.state, running=True, step=step, done=done, total=total)

    def _has_more_urgent(self) -> bool:
        """Whether files have changed while vectors are made; they go first."""
        try:
            return self._asked or (bool(self.settings.sync_seconds) and self._look() != self._seen)
        except BelegError:
            return True

    def _done(self, error: str | None = None) -> None:
        if error and error != self.state.error:
            log.warning("articles were not read in: %s", error)
        checked = self.state.checked if error else datetime.now().astimezone()
        with self._changing:
            self.state = SyncState(running=self._asked, error=error, checked=checked)


class _Closed(Exception):
    """Unwinds a sync when the watcher is closed."""


class ArticleIntake(Watcher):
    """The folder of uploaded files, and the watcher that reads them; see `rag.serve.queue.Intake`."""

    suffixes = SUFFIXES
    edited = staticmethod(edited)

    def __init__(self, settings: Settings) -> None:
        """Removes incomplete files of an earlier process."""
        super().__init__(settings)
        self.folder = settings.uploads_dir.resolve()
        self.limit = settings.article_limit
        self._naming = threading.Lock()
        shutil.rmtree(self.folder / INCOMING, ignore_errors=True)

    async def add(self, name: str, parts: AsyncIterator[bytes]) -> Received:
        safe = safe_name(name)
        if (ending := Path(safe).suffix) not in SUFFIXES:
            raise ArticleError("ending_not_read", ending=ending, endings=", ".join(SUFFIXES))
        (self.folder / INCOMING).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder / INCOMING, ignore_cleanup_errors=True) as folder:
            file, size = Path(folder) / safe, 0
            with file.open("wb") as incoming:
                async for part in parts:
                    size += len(part)
                    if size > self.limit:
                        raise too_large(self.limit)
                    incoming.write(part)
            return await asyncio.to_thread(self._keep, file)

    def remove(self, path: Path) -> None:
        if path.resolve().parent != self.folder:
            raise ArticleError("no_upload")
        path.unlink(missing_ok=True)
        sidecar_of(path).unlink(missing_ok=True)

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        if path.resolve().parent != self.folder or not path.is_file():
            raise ArticleError("no_upload")
        documents = read_file(path, limit_bytes=self.limit).documents
        articles = [article_from(document, path.name, path.name) for document in documents]
        said = {name: {str(getattr(article, name) or "") for article in articles} for name in FIELDS}
        # what all articles of the file have in common is what it says
        describe(path, fields, {name: values.pop() for name, values in said.items() if len(values) == 1})

    def _keep(self, file: Path) -> Received:
        """Reads a file, and moves it to its place unless the same is there.

        Another file of that name is never overwritten: the new one becomes `name-2`.
        """
        problems = read_file(file, limit_bytes=self.limit).problems
        with self._naming:
            there = self.folder / file.name
            for n in itertools.count(2):
                if not there.exists():
                    file.replace(there)
                    return Received(there.name, False, problems)
                if filecmp.cmp(file, there, shallow=False):
                    return Received(there.name, True, problems)
                there = self.folder / f"{file.stem}-{n}{file.suffix}"
        raise AssertionError("some name is free")


def safe_name(name: str) -> str:
    """A file name that is safe anywhere: no folders, not hidden.

    >>> safe_name("../../Öl & Gas.TXT")
    'Oel-Gas.txt'
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, ending = base.rpartition(".")
    stem, suffix = (slug(stem), f".{slug(ending).lower()}") if dot else (slug(base), "")
    # a README is about a folder, and passed over there
    return f"{'upload-' if stem.lower() == 'readme' else ''}{stem}{suffix}"
