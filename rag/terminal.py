"""Shared by all commands: output that closes early (`… | head -1`), odd encodings, progress bars."""

from __future__ import annotations

import contextlib
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

DOSSIER_HELP = "which of BELEG_DOSSIERS (default: the first)"
"""Of the option that all commands have."""

READER_LEFT = 141
"""The exit status that shells give to a program ended by SIGPIPE: 128 + 13."""

Main = Callable[[Sequence[str] | None], int]


def program(alone: str, command: str = "") -> str:
    """How a command was called: `beleg serve`, `python -m rag serve`, or the name that it has `alone`."""
    started = Path(sys.argv[0])
    if started.stem == "beleg":
        return f"beleg {command}".rstrip()
    return f"python -m rag {command}".rstrip() if started.parts[-2:] == ("rag", "__main__.py") else alone


def ends_with_its_reader(main: Main) -> Callable[..., int]:
    """Wraps a main function: after `make_ready`, it ends quietly with 141 when nobody reads its output."""

    @functools.wraps(main)
    def ended(arguments: Sequence[str] | None = None) -> int:
        make_ready()
        try:
            try:
                return main(arguments)
            finally:
                # flush while a failure can still be caught; Python's own flush comes too late
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
    """Prepares for odd environments.

    Output shows "?" for characters that its encoding lacks (cp1252, ASCII); unusable proxies and certificates
    are reported and left out.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there may be no stream, or one that cannot be reconfigured
            stream.reconfigure(errors="replace")
    for problem in leave_out_unusable(os.environ):
        print(f"beleg: {problem}", file=sys.stderr)


class Bars:
    """One progress bar for each step, on stderr, and only on a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._step = ""

    def show(self, step: str, done: int, total: int) -> None:
        """Moves the bar of a step; removes that of the step before."""
        if self._bar is None or step != self._step:
            from tqdm import tqdm

            self.close()
            self._step = step
            self._bar = tqdm(total=total, desc=step, unit=_UNITS[step], leave=False, disable=None)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()


def as_json(value: object, indent: int = 2) -> str:
    """JSON for standard output, with escapes for characters that its encoding lacks."""
    with contextlib.suppress(UnicodeEncodeError):
        text = json.dumps(value, ensure_ascii=False, indent=indent)
        text.encode(sys.stdout.encoding or "utf-8")
        return text
    return json.dumps(value, indent=indent)
