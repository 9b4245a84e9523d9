"""One process owns an embedded Chroma folder: a lock that a dead process cannot leave behind.

Measured: a second process on the same folder hangs for minutes and reads stale vectors, and three
writers lose data. The operating system holds the lock and drops it when the owner ends, however it
ends; a note beside it says who the owner is.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import ConfigError, IndexBusy

WAIT_SECONDS = 2.0
"""How long a second process waits before it gives up."""

_LOCK, _NOTE = "chroma.lock", "chroma.owner"

_held: dict[Path, Any] = {}  # with a count of how often it was acquired
_guard = threading.Lock()


@contextlib.contextmanager
def owned(folder: Path, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """The lock of a data folder, for a time; a process that has it may take it again.

    Raises IndexBusy, naming the owner, when another process still has it after `wait` seconds, ConfigError
    when the folder cannot be used.
    """
    from filelock import FileLock, Timeout

    with _guard:
        # not bound to a thread: the web chat opens in one and closes in another
        lock = _held.get(folder) or FileLock(folder / _LOCK, thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=wait)
            if folder not in _held:
                _write_note(folder)
        except Timeout as exc:
            who = owner(folder)
            if who is None:
                raise IndexBusy("folder_in_use", path=folder) from exc
            raise IndexBusy("index_served" if who["address"] else "index_in_use", path=folder, **who) from exc
        except OSError as exc:
            raise ConfigError("cannot_use", path=folder, why=exc.strerror) from exc
        _held[folder] = lock
    try:
        yield
    finally:
        with _guard:
            if lock.lock_counter == 1:
                del _held[folder]
                with contextlib.suppress(OSError):
                    (folder / _NOTE).unlink()
            lock.release()


def announce(folder: Path, address: str) -> None:
    """Tells others that want the folder, where this process has it, at which address we serve."""
    if folder in _held:
        _write_note(folder, address)


def _write_note(folder: Path, address: str | None = None) -> None:
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
