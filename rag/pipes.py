"""Commands whose output is a pipe that may close early, as in `python -m rag ask "…" | head -1`."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence

READER_LEFT = 141
"""The exit status that shells give a program which SIGPIPE (13) ended: 128 + 13."""

Main = Callable[[Sequence[str] | None], int]


def ends_with_its_reader(main: Main) -> Callable[..., int]:
    """The main function, which ends quietly with 141 when nobody reads its output any more."""

    @functools.wraps(main)
    def ended(arguments: Sequence[str] | None = None) -> int:
        try:
            try:
                return main(arguments)
            finally:
                # now, while a failure can be caught: Python itself flushes too late for that
                if not sys.stdout.closed:
                    sys.stdout.flush()
        except BrokenPipeError:
            _mute()
            return READER_LEFT

    return ended


def _mute() -> None:
    """Sends what is still buffered nowhere, as Python writes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
