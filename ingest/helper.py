"""A second process for large syncs, since Chroma's writing holds the interpreter's lock for most of the time.

`python -m ingest.helper` is its other end: calls come in on stdin and results go out on stdout, pickled. It
lives no longer than its parent, whose end closes stdin. A helper that fails costs time only: what it owes
is done here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Self, TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_AHEAD = 2  # calls under way, so that none waits for the other
_PIPE_BYTES = 1 << 20  # what a batch takes: else its sender waits until it is read
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which Python names from 3.10 on, on Linux only


class Helper:
    """The process, and the calls that it has not answered. Close it after use."""

    def __init__(self) -> None:
        """Starts the process; raises OSError when that fails."""
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ingest.helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for pipe in (self.process.stdin, self.process.stdout):
            _widen(pipe)
        threading.Thread(target=self._listen, name="beleg-helper", daemon=True).start()

    def begin(self, call: Callable[[_In], _Out], batch: _In) -> None:
        """Hands a batch over."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: `end` does the work
            pickle.dump((call, batch), self.process.stdin, pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()

    def end(self, call: Callable[[_In], _Out], batch: _In) -> _Out:
        """The result of the earliest call that was begun and not ended; its arguments are given once more."""
        found = self._found.get()
        if found is None:
            self._found.put(None)
            return call(batch)  # raises here what it may have raised there
        result: _Out = found[0]
        return result

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        with contextlib.suppress(OSError):
            self.process.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        # always listening, so that neither end waits for the other to read
        assert self.process.stdout is not None
        with contextlib.suppress(Exception):
            while True:
                self._found.put((pickle.load(self.process.stdout),))
        self._found.put(None)


def helper_for(amount: int, least: int) -> Helper | None:
    """A helper where there is enough to do, and a processor to do it."""
    if amount < least or (os.cpu_count() or 1) < 2:
        return None
    try:
        return Helper()
    except OSError:
        return None


def handed_over(call: Callable[[_In], _Out], batches: Iterable[_In], helper: Helper | None) -> Iterator[_Out]:
    """The results in order, each made by the helper while we are at the one before."""
    if helper is None:
        yield from map(call, batches)
        return
    begun: deque[_In] = deque()
    for batch in batches:
        helper.begin(call, batch)
        begun.append(batch)
        if len(begun) > _AHEAD:
            yield helper.end(call, begun.popleft())
    while begun:
        yield helper.end(call, begun.popleft())


def halved(call: Callable[[_In], _Out], batches: Iterable[_In], helper: Helper | None) -> Iterator[_Out]:
    """The results in order, every other one made by the helper."""
    rest = iter(batches)
    for theirs in rest:
        if helper is None:
            yield call(theirs)
            continue
        helper.begin(call, theirs)
        ours = [call(batch) for batch in (next(rest, None),) if batch is not None]
        yield helper.end(call, theirs)
        yield from ours


def _widen(pipe: IO[bytes] | None) -> None:
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        assert pipe is not None
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)


def main() -> None:
    """Answers calls until stdin is closed, or a call fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed is no result
    gc.set_threshold(100_000)
    with contextlib.suppress(EOFError, OSError):
        while True:
            call, batch = pickle.load(sys.stdin.buffer)
            pickle.dump(call(batch), results, pickle.HIGHEST_PROTOCOL)
            results.flush()


if __name__ == "__main__":
    main()
