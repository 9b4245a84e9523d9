"""Where some n-grams stand in many texts, all found at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]
Places = NDArray[np.int64]

_FACTOR = 0x9E3779B97F4A7C15
_BUCKET_BITS = 16


class Finder:
    """Finds n-grams of one length in texts. Two of 64 bits share a code with a chance of 1 in 10¹⁹."""

    def __init__(self, grams: Sequence[str], n: int) -> None:
        """`grams` are distinct, each `n` letters long."""
        self._n, self._size = n, len(grams)
        codes = _coded("".join(grams), n)[::n]
        self._order = np.argsort(codes)
        self._codes = codes[self._order]
        self._met = np.zeros(1 << _BUCKET_BITS, dtype=bool)
        self._met[_bucket(codes)] = True

    def find(self, text: str) -> tuple[Places, Places]:
        """Where grams begin in a text, ascending, and which of them they are."""
        codes = _coded(text, self._n)
        near = np.flatnonzero(self._met[_bucket(codes)])  # most are passed over here
        if not len(near):
            return near, near
        wanted = codes[near]
        found = np.minimum(np.searchsorted(self._codes, wanted), self._size - 1)
        known = self._codes[found] == wanted
        return near[known], self._order[found[known]]

    def present(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which text has which gram; shape (texts, grams)."""
        ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
        places, grams = self.find("".join(texts))
        owners = np.searchsorted(ends, places, side="right")
        within = places + self._n <= ends[owners]
        matrix = np.zeros((len(texts), self._size), dtype=bool)
        matrix[owners[within], grams[within]] = True
        return matrix


def _coded(text: str, n: int) -> Codes:
    """The n-grams of a text, each as a number."""
    letters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = max(len(letters) - n + 1, 0)
    codes = np.zeros(count, dtype=np.uint64)
    for place in range(n):
        codes += letters[place : place + count] * np.uint64(pow(_FACTOR, place + 1, 1 << 64))
    return codes


def _bucket(codes: Codes) -> Places:
    return (codes >> np.uint64(64 - _BUCKET_BITS)).astype(np.intp)
