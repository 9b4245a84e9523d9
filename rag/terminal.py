"""What commands have in common: output that may close early (`… | head -1`), and odd surroundings."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rag.models.proxies import leave_out_unusable

if TYPE_CHECKING:
    from tqdm import tqdm

_UNITS = {"read": "file", "index": "article", "embed": "passage", "sentences": "passage"}

READER_LEFT = 141
"""The exit status that shells give a program which SIGPIPE (13) ended: 128 + 13."""

Main = Callable[[Sequence[str] | None], int]


def program(alone: str, command: str = "") -> str:
    """What a command is called where it runs: `beleg serve`, `python -m rag serve`, or as it is `alone`."""
    started = Path(sys.argv[0])
    if started.stem == "beleg":
        return f"beleg {command}".rstrip()
    return f"python -m rag {command}".rstrip() if started.parts[-2:] == ("rag", "__main__.py") else alone


def ends_with_its_reader(main: Main) -> Callable[..., int]:
    """The main function, which ends quietly with 141 when nobody reads its output any more.

    Before that, see `make_ready`.
    """

    @functools.wraps(main)
    def ended(arguments: Sequence[str] | None = None) -> int:
        make_ready()
        try:
            try:
                return main(arguments)
            finally:
                # now, while a failure can be caught: Python itself flushes too late for that
                if not sys.stdout.closed:
                    sys.stdout.flush()
        except BrokenPipeError:
            # what is still buffered goes nowhere, as Python writes it at its end
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            return READER_LEFT

    return ended


def make_ready() -> None:
    """Lets a program run in any surroundings, of what a process is given by the machine.

    Output shows "?" for a character that its encoding lacks (cp1252, ASCII); proxies and certificates
    that cannot be used are said and left out.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there may be none, or one of somebody else's
            stream.reconfigure(errors="replace")
    for problem in leave_out_unusable(os.environ):
        print(f"beleg: {problem}", file=sys.stderr)


class Bars:
    """One progress bar a step, on stderr, and only where somebody watches (a terminal)."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._step = ""

    def show(self, step: str, done: int, total: int) -> None:
        """Moves the bar of a step; that of the step before is cleared away."""
        if self._bar is None or step != self._step:
            from tqdm import tqdm

            self.close()
            self._step = step
            self._bar = tqdm(total=total, desc=step, unit=_UNITS[step], leave=False, disable=None)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Clears the bar away."""
        if self._bar is not None:
            self._bar.close()


def as_json(value: object, indent: int = 2) -> str:
    """JSON for standard output; with escapes where its encoding lacks a character, so that none is lost."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text
