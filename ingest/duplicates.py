"""Articles that nearly repeat another, as agency copies do."""

from __future__ import annotations

import functools
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.schema import Article

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHINGLE = 8
_SAME = 0.8
_AT_ONCE = 1_000_000  # shingles
_PUNCTUATION = string.punctuation + "„“”‚‘’«»‹›–—…"


def near_duplicates(articles: Sequence[Article]) -> dict[str, str]:
    """Id of each copy → id of the first article with nearly the same text.

    A copy shares at least 80 % of its runs of eight words with the other; of two that contain
    each other the later one is the copy, otherwise the shorter one is.
    """
    import numpy as np

    codes = _WordCodes()
    prints = [_shingles(article.text, codes) for article in articles]
    copies: dict[int, int] = {}

    def root(index: int) -> int:
        while index in copies:
            index = copies[index]
        return index

    for first, later in _candidates(prints):
        if first in copies and later in copies:
            continue
        shared = len(np.intersect1d(prints[first], prints[later], assume_unique=True))
        for copy, other in ((later, first), (first, later)):
            if shared >= _SAME * len(prints[copy]) and copy not in copies and root(other) != copy:
                copies[copy] = root(other)
                break
    return {articles[copy].id: articles[root(other)].id for copy, other in sorted(copies.items())}


class _WordCodes(dict[str, int]):
    """A number for each word, the same however it is capitalised and whatever quotation marks it wears."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def __missing__(self, token: str) -> int:
        word = token.strip(_PUNCTUATION).lower()
        self[token] = self._numbers.setdefault(word, len(self._numbers) + 1)
        return self[token]


def _shingles(text: str, codes: _WordCodes) -> NDArray[np.uint64]:
    """Distinct hashes of all runs of eight words, sorted; of the whole text when it is shorter."""
    import numpy as np

    words = text.split()
    numbers = np.array(list(map(codes.__getitem__, words)), np.uint64)
    width = max(1, min(_SHINGLE, len(words)))
    runs = max(0, len(words) - width + 1)
    hashes = np.zeros(runs, np.uint64)
    for place, factor in enumerate(_factors(width)):
        hashes += numbers[place : place + runs] * factor
    hashes.sort()  # `np.unique` takes ten times as long
    return hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))[:runs]]


@functools.cache
def _factors(width: int) -> NDArray[np.uint64]:
    """One odd 64-bit multiplier a word, others for each width: hashes without collisions worth counting."""
    import numpy as np

    return np.random.default_rng(width).integers(0, 2**63, width, np.uint64) * np.uint64(2) + np.uint64(1)


def _candidates(prints: Sequence[NDArray[np.uint64]]) -> list[tuple[int, int]]:
    """Pairs of articles, earlier one first, that share a good part of the shorter one's shingles.

    Each shingle pairs an article with the first and with the previous one that has it, so that a
    phrase common to all of them costs no more than any other. A part of the shingles is looked at
    at a time, so that memory holds no more than that of them twice.
    """
    import numpy as np

    sizes = np.array([len(each) for each in prints], np.int64)
    owners = np.arange(len(prints), dtype=np.int32)
    parts = max(1, int(sizes.sum()) // _AT_ONCE)
    edges = [part * (2**64 // parts) for part in range(1, parts)]
    cuts = [
        np.concatenate(([0], np.searchsorted(each, np.array(edges, np.uint64)), [len(each)]))
        for each in prints
    ]
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for part in range(parts if prints else 0):
        pieces = [each[cut[part] : cut[part + 1]] for each, cut in zip(prints, cuts, strict=True)]
        found = _pairs(
            np.concatenate(pieces), np.repeat(owners, [len(piece) for piece in pieces]), len(prints)
        )
        keys, where = np.unique(np.concatenate((keys, found[0])), return_inverse=True)
        counts = np.bincount(where, np.concatenate((counts, found[1])), len(keys)).astype(np.int64)
    first, later = keys // max(1, len(prints)), keys % max(1, len(prints))
    enough = counts >= 0.2 * np.minimum(sizes[first], sizes[later])
    return list(zip(first[enough].tolist(), later[enough].tolist(), strict=True))


def _pairs(
    shingle: NDArray[np.uint64], owner: NDArray[np.int32], articles: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of owners as `first * articles + later`, and how many of the shingles each pair shares."""
    import numpy as np

    order = np.argsort(shingle, kind="stable")
    owner, shingle = owner[order].astype(np.int64), shingle[order]
    fresh = np.ones(len(shingle), bool)
    fresh[1:] = shingle[1:] != shingle[:-1]
    leader = owner[np.maximum.accumulate(np.where(fresh, np.arange(len(owner)), 0))]
    again = np.flatnonzero(~fresh)
    pairs = np.concatenate(
        (leader[again] * articles + owner[again], owner[again - 1] * articles + owner[again])
    )
    return np.unique(pairs, return_counts=True)
