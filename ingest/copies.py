"""Which articles nearly repeat another, kept up to date without comparing all with all.

Every article leaves marks in the library: the hashes of an eighth of its runs of eight words. A
copy shares most of its runs with the original, hence marks, so that only articles with a good part of
them in common need to be compared. (All with all takes 4 s for 10,000 articles, this a few milliseconds
for a changed one.)
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ingest.duplicates import near_duplicates
from rag.schema import Article
from rag.store.library import Library

_RUN = 8
_ONE_IN = 8  # a copy of 40 words is still found 49 times in 50
_GOOD_PART = 0.5  # a copy shares .8 of the runs, of a short text by chance fewer of the marks
_WORD = re.compile(r"\w+")
_FACTORS = np.random.default_rng(_RUN).integers(0, 2**63, _RUN, np.uint64) * np.uint64(2) + np.uint64(1)


def marks(text: str) -> NDArray[np.uint64]:
    """Hashes of about an eighth of the text's runs of eight words, each once, ascending."""
    words = _WORD.findall(text.lower())
    numbers = np.array(list(map(_number, words)), dtype=np.uint64)
    hashes = _runs(numbers) >> np.uint64(16)  # the upper bits are the well-mixed ones
    return np.unique(hashes[hashes % np.uint64(_ONE_IN) == 0])


@functools.lru_cache(maxsize=200_000)
def _number(word: str) -> int:
    return zlib.crc32(word.encode())


def update_copies(library: Library, written: Mapping[str, Article], gone: Collection[str]) -> dict[str, str]:
    """Article id → id of the article it nearly repeats, as it will be after a sync.

    `written` are the added and changed articles by id, `gone` the ids that will be removed.
    """
    before = library.copies()
    replaced = {*written, *gone}
    orphans = {copy for copy, original in before.items() if original in replaced} - replaced
    if len(written) > library.counts().articles / 10:
        kept = {article.id: article for article in library.articles() if article.id not in replaced}
        return _among({**kept, **written})
    group = _group(library, written, orphans) - replaced
    kept = {article.id: article for article in library.articles(group)}
    settled = {copy: original for copy, original in before.items() if copy not in replaced | group}
    return settled | _among({**kept, **written})


def _among(articles: Mapping[str, Article]) -> dict[str, str]:
    # by id, so that the same articles always give the same originals
    return near_duplicates([articles[id] for id in sorted(articles)])


def _group(library: Library, written: Mapping[str, Article], orphans: set[str]) -> set[str]:
    """Ids of the articles in the library that are much like the written ones, at any remove."""
    found = orphans | _alike(library, (marks(article.text).tolist() for article in written.values()))
    group: set[str] = set()
    while new := found - group:
        group |= new
        found = _alike(library, (library.marks([id]) for id in new))
    return group


def _alike(library: Library, texts: Iterable[Collection[int]]) -> set[str]:
    """Ids of the articles that share a good part of the marks of one of the texts.

    One mark is not enough: a phrase that many have would join half the library.
    """
    return {
        id
        for own in texts
        for id, (shared, held) in library.sharing(own).items()
        if shared >= _GOOD_PART * min(len(own), held) - 1
    }


def _runs(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    hashes = np.zeros(max(0, len(numbers) - _RUN + 1), dtype=np.uint64)
    for place, factor in enumerate(_FACTORS):
        hashes += numbers[place : place + len(hashes)] * factor
    return hashes
