"""What a process holds, as Linux tells it: memory, open files, sockets and threads."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

PROC = Path("/proc")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory in MB, open files (sockets among them), sockets, threads."""

    memory: float
    files: float
    sockets: float
    threads: float


MOST_GROWTH = Usage(memory=40, files=16, sockets=8, threads=16)
"""What may be added from the end of the warm-up to the end of a soak: pools and caches that still fill."""


def usage_of(pid: int) -> Usage:
    """What the process holds now."""
    held = PROC / str(pid)
    resident = int((held / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    targets = [_target(each) for each in (held / "fd").iterdir()]
    sockets = sum(each.startswith("socket:") for each in targets)
    return Usage(resident / _MEGABYTE, len(targets), sockets, len(list((held / "task").iterdir())))


def growth(samples: Sequence[Usage]) -> Usage:
    """What the last quarter of the samples holds more than the second, by medians; the first warms up."""
    quarter = max(1, len(samples) // 4)
    before, after = (_medians(part) for part in (samples[quarter : 2 * quarter], samples[-quarter:]))
    return Usage(*(late - early for early, late in zip(astuple(before), astuple(after), strict=True)))


def leaks(samples: Sequence[Usage]) -> list[str]:
    """What grew beyond its bound."""
    found = growth(samples)
    return [
        f"{name} grew by {getattr(found, name):.0f}, more than {getattr(MOST_GROWTH, name)}"
        for name in Usage.__slots__
        if getattr(found, name) > getattr(MOST_GROWTH, name)
    ]


def _medians(samples: Sequence[Usage]) -> Usage:
    return Usage(*map(statistics.median, zip(*map(astuple, samples), strict=True)))


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile
        return ""
