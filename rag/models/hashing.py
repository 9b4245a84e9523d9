"""The built-in embedding: sub-words hashed into a short vector, without a model or a download.

Words are reduced to their search keys (stem, one spelling for all transliterations, no stop
words), so that Selenskyj and Zelensky share their vector. Measured on XQuAD-de among 10kGNAD
(R@1 / R@10, percent) at 512 dimensions: plain lower-cased words 61 / 80, search keys 71 / 86. Of
the latter 1,024 dimensions give 77 / 90 and 2,048 give 79 / 93, for two and four times the disk,
memory and writing time; 512 it is, because the lexical search finds more than any of them and
this vector has no weight beside it by default.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.schema import BUILTIN_DIMENSION
from rag.text.analysis import keys

Floats = NDArray[np.float32]
Numbers = NDArray[np.uint64]

_GRAMS = (3, 4, 5)  # letters
_WORD_COPIES = 2  # a whole word in common says more than any of its parts
_BATCH = 64  # texts hashed at once: enough to vectorise
_TEXT_BITS, _HASH_BITS = np.uint64(6), np.uint64(58)  # 64 texts a batch
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64


def vectors(texts: Sequence[str], dimension: int = BUILTIN_DIMENSION) -> Floats:
    """One row of length 1 for each text; all texts without content words share one.

    Feature hashing with signs (Weinberger et al., Feature Hashing for Large Scale Multitask
    Learning, ICML 2009), weight 1 + log(tf). Stable across processes and machines.
    """
    return vectors_of([keys(text) for text in texts], dimension)


def vectors_of(texts: Sequence[Sequence[str]], dimension: int = BUILTIN_DIMENSION) -> Floats:
    """The same for texts that are given as their search keys."""
    rows = [_rows(texts[start : start + _BATCH], dimension) for start in range(0, len(texts), _BATCH)]
    return np.concatenate(rows) if rows else np.zeros((0, dimension), dtype=np.float32)


def _rows(texts: Sequence[Sequence[str]], dimension: int) -> Floats:
    hashes, rows = _features(texts)
    # the text in the upper bits, so that one sort brings together what is to be counted
    marked, tf = np.unique(hashes >> _TEXT_BITS | rows << _HASH_BITS, return_counts=True)
    rows, hashes = (marked >> _HASH_BITS).astype(np.int64), marked << _TEXT_BITS
    bucket = ((hashes >> np.uint64(32)) % np.uint64(dimension)).astype(np.int64)
    weight = np.where(hashes & np.uint64(1 << 20), 1.0, -1.0) * (1 + np.log(tf))
    sums = np.bincount(rows * dimension + bucket, weights=weight, minlength=len(texts) * dimension)
    table = sums.reshape(len(texts), dimension)
    table[~table.any(axis=1), 0] = 1  # no words: cosine needs some direction
    unit: Floats = (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _features(words: Sequence[Sequence[str]]) -> tuple[Numbers, Numbers]:
    """Hashes of the words and n-grams of some texts, and the index of the text each is from.

    All texts are hashed as one string of the form `<wort><wort>`, with a polynomial whose prefix
    sums give the hash of any window: the sum over it, shifted back to its start.
    """
    flat = [word for text in words for word in text]
    codes = np.frombuffer("".join(f"<{word}>" for word in flat).encode("utf-32-le"), dtype=np.uint32)
    lengths = np.array([len(word) + 2 for word in flat], dtype=np.int64)
    text_of_word = np.repeat(np.arange(len(words), dtype=np.uint64), [len(text) for text in words])
    text_of_code = np.repeat(text_of_word, lengths)
    ends = np.cumsum(lengths)
    end_of_word = np.repeat(ends, lengths)

    powers, inverses = (table[: len(codes)] for table in _powers(1 << len(codes).bit_length()))
    prefix = np.concatenate(
        [np.zeros(1, np.uint64), np.cumsum(codes.astype(np.uint64) * powers, dtype=np.uint64)]
    )
    hashes, rows = [], []
    for copy in range(_WORD_COPIES):
        starts = ends - lengths
        hashes.append(_mixed((prefix[ends] - prefix[starts]) * inverses[starts], salt=copy))
        rows.append(text_of_word)
    for length in _GRAMS:
        starts = np.flatnonzero(np.arange(len(codes)) + length <= end_of_word)
        hashes.append(_mixed((prefix[starts + length] - prefix[starts]) * inverses[starts], salt=length))
        rows.append(text_of_code[starts])
    return np.concatenate(hashes), np.concatenate(rows)


@functools.lru_cache(maxsize=4)
def _powers(count: int) -> tuple[Numbers, Numbers]:
    """Powers 0 to count - 1 of the base, and of its inverse, modulo 2^64."""
    tables = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        steps = np.full(count, base, dtype=np.uint64)
        steps[:1] = 1
        tables.append(np.multiply.accumulate(steps))
    return tables[0], tables[1]


def _mixed(hashes: Numbers, salt: int) -> Numbers:
    """All bits spread over all (the finaliser of MurmurHash3), differently for each salt."""
    hashes = hashes + np.uint64(salt * _BASE % (1 << 64))
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
