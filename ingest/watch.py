"""Keeps the index in line with its files while the web chat runs: one thread watches and syncs."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from watchfiles import watch

from ingest.sources import roots
from ingest.sync import SyncReport, find_files, is_current, sync
from rag.errors import BelegError
from rag.i18n import Phrase
from rag.schema import SyncState
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
