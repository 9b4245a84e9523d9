"""A second process for large syncs, since Chroma's writing holds the interpreter's lock for most of the time.

`python -m ingest.helper` is its other end: calls come in on stdin and results go out on stdout, pickled.
Threads at both ends send and receive, so that neither end waits until the other, which is busy, has read.
It lives no longer than its parent, whose end closes stdin. A helper that fails costs time only: what it owes
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
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self, TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_AHEAD = 3  # calls under way, so that none waits for the other
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
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        for pipe in (self.process.stdin, self.process.stdout):
            _widen(pipe)
        self._calls = _sending(self.process.stdin)
        self._found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        _receiving(self.process.stdout, self._found, lambda: self._found.put(None))

    def begin(self, call: Callable[[_In], _Out], batch: _In) -> None:
        """Hands a batch over."""
        self._calls.put((call, batch))

    @property
    def has_answered(self) -> bool:
        """Whether `end` returns at once."""
        return not self._found.empty()

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


def helper_for(amount: int, least: int) -> Helper | None:
    """A helper where there is enough to do, and a processor to do it."""
    if amount < least or (os.cpu_count() or 1) < 2:
        return None
    try:
        return Helper()
    except OSError:
        return None


def shared(
    call: Callable[[_In], _Out], batches: Iterable[_In], helper: Helper | None, *, both: bool = True
) -> Iterator[_Out]:
    """Results in order, made by the helper, which begins at once, and here (`both`) while none is there."""
    if helper is None:
        return map(call, batches)
    rest = enumerate(batches)
    under_way: deque[tuple[int, _In]] = deque()
    _hand_over(call, rest, under_way, helper)
    return _shared(call, rest, under_way, helper, both)


def _hand_over(
    call: Callable[[_In], _Out],
    rest: Iterator[tuple[int, _In]],
    under_way: deque[tuple[int, _In]],
    helper: Helper,
) -> None:
    for place, batch in islice(rest, _AHEAD - len(under_way)):
        helper.begin(call, batch)
        under_way.append((place, batch))


def _shared(
    call: Callable[[_In], _Out],
    rest: Iterator[tuple[int, _In]],
    under_way: deque[tuple[int, _In]],
    helper: Helper,
    both: bool,
) -> Iterator[_Out]:
    made: dict[int, _Out] = {}
    due = 0
    while under_way:
        ours = next(rest, None) if both and not helper.has_answered else None
        place, batch = ours or under_way.popleft()
        made[place] = call(batch) if ours else helper.end(call, batch)
        _hand_over(call, rest, under_way, helper)
        while due in made:
            yield made.pop(due)
            due += 1


def done(task: Callable[[], _Out]) -> _Out:
    """What a task returns: for calls that differ."""
    return task()


def begun(task: Callable[[], _Out], helper: Helper | None) -> Callable[[], _Out]:
    """Begins a task; what returns its result, to be called once, when all that was begun before has ended."""
    if helper is None:
        return task
    helper.begin(done, task)
    return partial(helper.end, done, task)


def _widen(pipe: IO[bytes] | None) -> None:
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        assert pipe is not None
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)


def _sending(pipe: IO[bytes]) -> queue.SimpleQueue[Any]:
    """A queue whose items are sent, as long as someone receives them."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def send() -> None:
        with contextlib.suppress(OSError, ValueError):  # the other end is gone, or this one is closed
            while True:
                pickle.dump(items.get(), pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()

    threading.Thread(target=send, name="beleg-helper-send", daemon=True).start()
    return items


def _receiving(pipe: IO[bytes], items: queue.SimpleQueue[Any], at_end: Callable[[], None]) -> None:
    """Puts what is sent, in tuples of one, into a queue until nothing more can come."""

    def receive() -> None:
        with contextlib.suppress(Exception):
            while True:
                items.put((pickle.load(pipe),))
        at_end()

    threading.Thread(target=receive, name="beleg-helper-receive", daemon=True).start()


def main() -> None:
    """Answers calls until a call fails; ends at once when stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed is no result
    gc.set_threshold(100_000)
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    _receiving(sys.stdin.buffer, calls, lambda: os._exit(0))
    answers = _sending(results)
    with contextlib.suppress(Exception):  # it is raised again where the work is done instead
        while True:
            ((call, batch),) = calls.get()
            answers.put(call(batch))
    os._exit(1)  # at once: a thread waits for stdin


if __name__ == "__main__":
    main()
