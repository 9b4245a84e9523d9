"""Finds near-copies, such as the same agency text twice, without comparing all articles with each other.

The library keeps marks of every article: the hashes of an eighth of its runs of eight words. A copy shares
most runs with the original, and so most marks; only articles with many marks in common are compared.
"""

import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.schema import Article
from rag.store.library import Library

_RUN = 8
_ONE_IN = 8  # a copy of 40 words is still found 49 times in 50
_SAME = 0.8  # of the runs of the shorter one
_PART = 0.2  # of the marks of the shorter one; fewer may be chance or a common phrase
_GOOD_PART = 0.5  # the same where each article is looked up instead of compared with all
_WORD = re.compile(r"\w+")

Hashes = NDArray[np.uint64]


def marks(text: str) -> list[int]:
    """Hashes of about an eighth of the text's runs of eight words, each once, ascending."""
    return _marks(_runs(text)).tolist() if len(_WORD.findall(text)) >= _RUN else []


def near_duplicates(articles: Sequence[Article]) -> dict[str, str]:
    """Id of each copy → id of the first article with nearly the same text.

    A copy shares at least 80 % of its runs of eight words with the other; of two that contain
    each other the later one is the copy, otherwise the shorter one is.
    """
    runs = [_runs(article.text) for article in articles]
    copies: dict[int, int] = {}

    def root(index: int) -> int:
        while index in copies:
            index = copies[index]
        return index

    for first, later in _candidates(runs):
        if first in copies and later in copies:
            continue
        shared = len(np.intersect1d(runs[first], runs[later], assume_unique=True))
        for copy, other in ((later, first), (first, later)):
            if shared >= _SAME * len(runs[copy]) and copy not in copies and root(other) != copy:
                copies[copy] = root(other)
                break
    return {articles[copy].id: articles[root(other)].id for copy, other in sorted(copies.items())}


def update_copies(library: Library, written: Mapping[str, Article], gone: Collection[str]) -> dict[str, str]:
    """Article id → id of the article it nearly repeats, as it will be after a sync.

    `written` are the added and changed articles by id, `gone` the ids that will be removed.
    """
    before = library.copies()
    replaced = {*written, *gone}
    orphans = {copy for copy, original in before.items() if original in replaced} - replaced
    group: set[str] = set()
    if len(written) > library.counts().articles / 10:
        group |= library.versions().keys()
    else:  # the articles in the library that are much like the written ones, at any remove
        found = orphans | _alike(library, (marks(article.text) for article in written.values()))
        while new := found - group:
            group |= new
            found = _alike(library, (library.marks([id]) for id in new))
    group -= replaced
    kept = {article.id: article for article in library.articles(group)}
    settled = {copy: original for copy, original in before.items() if copy not in replaced | group}
    articles = {**kept, **written}
    # by id, so that the same articles always give the same originals
    return settled | near_duplicates([articles[id] for id in sorted(articles)])


def _alike(library: Library, texts: Iterable[Collection[int]]) -> set[str]:
    """Ids of the articles that share a good part of the marks of one of the texts.

    One mark is not enough: a common phrase would join half the library.
    """
    return {
        id
        for own in texts
        for id, (shared, held) in library.sharing(own).items()
        if shared >= _GOOD_PART * min(len(own), held) - 1
    }


def _candidates(runs: Sequence[Hashes]) -> list[tuple[int, int]]:
    """Pairs of articles, earlier one first, that share a good part of the marks.

    Each mark pairs an article with the first and with the previous one that has it, so that a phrase
    common to all of them costs no more than any other. A text too short for a mark gets its smallest hash.
    """
    samples = [found if len(found := _marks(own)) else own[:1] for own in runs]
    ends: dict[int, tuple[int, int]] = {}
    shared: Counter[tuple[int, int]] = Counter()
    for later, sample in enumerate(samples):
        for mark in sample.tolist():
            first, last = ends.get(mark, (later, later))
            shared.update({(first, later), (last, later)})
            ends[mark] = first, later
    return sorted(
        (first, later)
        for (first, later), number in shared.items()
        if first != later and number >= _PART * min(len(samples[first]), len(samples[later]))
    )


def _marks(runs: Hashes) -> Hashes:
    hashes = runs >> np.uint64(16)  # the upper bits are the well-mixed ones
    return np.unique(hashes[hashes % np.uint64(_ONE_IN) == 0])


def _runs(text: str) -> Hashes:
    """Hashes of the text's runs of eight words, each once, ascending; of a shorter text, its one hash."""
    numbers = np.array([zlib.crc32(word.encode()) for word in _WORD.findall(text.lower())], dtype=np.uint64)
    width = max(1, min(_RUN, len(numbers)))
    hashes = np.zeros(max(0, len(numbers) - width + 1), dtype=np.uint64)
    # an odd 64-bit multiplier a word, others for each width: hashes without collisions worth counting
    factors = np.random.default_rng(width).integers(0, 2**63, width, np.uint64) * np.uint64(2) + np.uint64(1)
    for place, factor in enumerate(factors):
        hashes += numbers[place : place + len(hashes)] * factor
    return np.unique(hashes)
