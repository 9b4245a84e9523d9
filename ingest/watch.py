"""Keeps the index in line with its files while the web chat runs: one thread looks and syncs."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.sources import find_sources, roots
from ingest.sync import SyncReport, is_current, sync
from rag.errors import BelegError
from rag.intake import SyncState

if TYPE_CHECKING:
    from rag.settings import Settings

SETTLE_SECONDS = 0.4
"""A source that changes is read once it looks the same twice: a file may still be being copied."""

_MOST_LOOKS = 25
_RETRY_SECONDS = 60.0  # after a failure that a further look at the files does not explain
_INTERNAL = "an internal error; the server's log says more"

log = logging.getLogger(__name__)


class Watcher:
    """Looks at the files every `settings.sync_seconds`, and syncs when they differ or `refresh` asks for it.

    A look reads nothing but names, sizes and times. There is one sync at a time; a failed one is
    made again when the files change, when asked for, and after a minute.
    """

    def __init__(self, settings: Settings, run: Callable[..., SyncReport] = sync) -> None:
        """`run` makes a sync, as `ingest.sync.sync` does."""
        self.settings = settings
        self._run = run
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._asked = False
        self._state = SyncState()
        self._seen: tuple[object, ...] | None = None
        self._retry = float("inf")
        self._reported: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._watch, name="beleg-watch", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def close(self) -> None:
        """Ends: a sync under way is broken off, and the next one completes it."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def state(self) -> SyncState:
        """How far it is."""
        return self._state

    def refresh(self) -> None:
        """Asks for a sync now, even of files that look unchanged."""
        with self._changed:
            self._asked = True
            self._state = replace(self._state, running=True, step="", done=0, total=0)
            self._changed.notify()

    def _watch(self) -> None:
        with contextlib.suppress(BelegError):
            files = self._look()  # first: what changes after that is seen by the next look
            if is_current(self.settings) and not self.settings.chroma_replica:
                self._seen = files
                self._state = SyncState(checked=datetime.now())
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(
                    lambda: self._asked or self._closed.is_set(), self.settings.sync_seconds or None
                )
                asked, self._asked = self._asked, False
            with contextlib.suppress(_Closed):
                self._turn(asked=asked)

    def _turn(self, *, asked: bool) -> None:
        """One look, and a sync if there is reason for one."""
        try:
            files = self._look()
            if not asked and files == self._seen and time.monotonic() < self._retry:
                self._done(self._state.error)
                return
            self._seen = files if asked else self._settled(files)
        except BelegError as exc:  # such as a folder that is gone: it may come back just as it was
            self._seen = None
            self._failed(str(exc))
            return
        self._sync()

    def _look(self) -> tuple[object, ...]:
        if self.settings.chroma_replica:
            from rag.shared import SharedIndex

            with SharedIndex(self.settings) as shared:
                return tuple(sorted(shared.versions()))
        return tuple(find_sources(roots(self.settings, None), self.settings.data_dir.resolve()))

    def _settled(self, files: tuple[object, ...]) -> tuple[object, ...]:
        """The files once two looks agree."""
        for _ in range(_MOST_LOOKS):
            if self._closed.wait(SETTLE_SECONDS):
                raise _Closed
            before, files = files, self._look()
            if files == before:
                break
        return files

    def _sync(self) -> None:
        self._retry = time.monotonic() + _RETRY_SECONDS
        try:
            report = self._run(self.settings, allow_empty=True, progress=self._progress)
        except BelegError as exc:
            self._failed(str(exc))
        except OSError as exc:
            self._failed(f"{exc.strerror or exc}; check free space and permissions")
        except _Closed:
            raise
        except Exception:
            log.exception("reading articles in failed unexpectedly")
            self._failed(_INTERNAL)
        else:
            self._retry = float("inf")
            self._tell(report)
            self._done(None)

    def _progress(self, step: str, done: int, total: int) -> None:
        if self._closed.is_set():
            raise _Closed
        self._state = replace(self._state, running=True, step=step, done=done, total=total)

    def _done(self, error: str | None) -> None:
        checked = self._state.checked if error else datetime.now()
        with self._changed:
            self._state = SyncState(running=self._asked, error=error, checked=checked)

    def _failed(self, error: str) -> None:
        if error != self._state.error:
            log.warning("articles were not read in: %s", error)
        self._done(error)

    def _tell(self, report: SyncReport) -> None:
        """Notes for the log: what changed, and what cannot be read since now."""
        if report.added or report.changed or report.deleted:
            log.info("articles: %d new, %d changed, %d gone", report.added, report.changed, report.deleted)
        for note in report.repaired:
            log.warning("%s", note)
        for name, problem in report.skipped:
            if (name, problem) not in self._reported:
                log.warning("%s: %s", name, problem)
        self._reported = set(report.skipped)


class _Closed(Exception):
    """Unwinds a sync when the watcher is closed."""
