"""Memory that is no longer used, given back."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Frees unreachable cycles, and returns what the C library holds free to the system.

    Failed answers are cycles (error, traceback, frame) that hold the mapped files of the index they asked.
    glibc keeps in pieces what many threads have freed (malloc_trim(3)); other C libraries need no asking.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
