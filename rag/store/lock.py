"""One process owns an embedded Chroma folder: a lock that a dead process cannot leave behind.

Measured: a second process on the same folder hangs for minutes and reads stale vectors, and three
writers lose data. The operating system holds the lock and drops it when the owner ends, however it
ends; a note beside it says who the owner is.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, IndexBusy

if TYPE_CHECKING:
    from filelock import BaseFileLock

WAIT_SECONDS = 2.0
"""How long a second process waits before it gives up."""

_LOCK, _NOTE = "chroma.lock", "chroma.owner"


_held: dict[Path, BaseFileLock] = {}  # with a count of how often it was acquired
_guard = threading.Lock()


def acquire(folder: Path, wait: float = WAIT_SECONDS) -> None:
    """Takes the lock of a data folder; a process that has it may take it again.

    Raises IndexBusy, naming the owner, when another process still has it after `wait` seconds.
    """
    with _guard:
        if folder in _held:
            _held[folder].acquire()
        else:
            _held[folder] = _lock(folder, wait)


def release(folder: Path) -> None:
    """Releases the lock; needed once for each `acquire`."""
    with _guard:
        lock = _held[folder]
        if lock.lock_counter == 1:
            del _held[folder]
            with contextlib.suppress(OSError):
                (folder / _NOTE).unlink()
        lock.release()


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[None]:
    """The lock of a data folder, for a time. Raises as `acquire`."""
    acquire(folder)
    try:
        yield
    finally:
        release(folder)


def announce(folder: Path, address: str) -> None:
    """Tells others that want the folder, where this process has it, at which address we serve."""
    if folder in _held:
        _write_note(folder, address)


def _write_note(folder: Path, address: str | None = None) -> None:
    """Leaves a note for others that want the folder: our pid, our command and, when we serve, our address."""
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    note = json.dumps({"pid": str(os.getpid()), "command": command, "address": address})
    # a separate file, because some versions of filelock truncate the lock file
    (folder / _NOTE).write_text(note, encoding="utf-8")


def owner(folder: Path) -> dict[str, str | None] | None:
    """What the last owner of the folder wrote about itself; None if it wrote nothing readable.

    {"pid": "4711", "command": "app.py", "address": "http://127.0.0.1:7860"}
    """
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        return {name: note[name] for name in ("pid", "command", "address")}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _lock(folder: Path, wait: float) -> BaseFileLock:
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # not bound to a thread: the web chat opens in one and closes in another
        lock = FileLock(folder / _LOCK, thread_local=False)
        lock.acquire(timeout=wait)
        _write_note(folder)
    except Timeout as exc:
        who = owner(folder)
        if who is None:
            raise IndexBusy("folder_in_use", path=folder) from exc
        raise IndexBusy("index_served" if who["address"] else "index_in_use", path=folder, **who) from exc
    except OSError as exc:
        raise ConfigError("cannot_use", path=folder, why=exc.strerror) from exc
    return lock
