"""How well a sentence covers a question: soft matches of search keys, weighted by idf."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.question.query import Concept
from rag.store.terms import SentenceTerms
from rag.text.ngrams import Finder, Places

Matrix = NDArray[np.float64]
COMPOUND = 0.7
LEAST_DICE = 0.5
LEAST_COMPOUND_LENGTH = 5
LEAST_SOFT_WEIGHT = 0.5

_SHARED_BY_COMPOUNDS = 2
"""3-grams that a word and its beginning or end of five letters share at the least."""
_SPACE = 0x20


@functools.lru_cache(maxsize=100_000)
def soft_match(left: str, right: str) -> float:
    """Likeness of two search keys, 0 to 1.

    1 when equal; else the Dice coefficient of their 3-grams where it is at least .5, and at least
    .7 when one begins or ends with the other (compounds). Numbers match exactly or not at all.
    """
    if left == right:
        return 1.0
    if left[0].isdigit() or right[0].isdigit():
        return 0.0
    a, b = _trigrams(left), _trigrams(right)
    return _likeness(left, right, 2 * len(a & b) / (len(a) + len(b)))


def _likeness(left: str, right: str, dice: float) -> float:
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    compound = len(short) >= LEAST_COMPOUND_LENGTH and (long.startswith(short) or long.endswith(short))
    return max(dice if dice >= LEAST_DICE else 0.0, COMPOUND if compound else 0.0)


def coverage(concepts: Sequence[Concept], sentences: Sequence[SentenceTerms]) -> Matrix:
    """How far each sentence says each concept, 0 to 1; shape (sentences, concepts)."""
    return Matcher(concepts).coverage(sentences)


class Matcher:
    """The coverage of some concepts, for many sentences at once. Safe to use from several threads."""

    def __init__(self, concepts: Sequence[Concept]) -> None:
        self._concepts = len(concepts)
        alternatives = [(j, each) for j, concept in enumerate(concepts) for each in concept.alternatives]
        owners = [j for j, _ in alternatives]
        self._sayable = sorted(set(owners))
        self._firsts = np.searchsorted(owners, self._sayable)
        self._weights = np.array([each.weight for _, each in alternatives])
        self._is_soft = self._weights >= LEAST_SOFT_WEIGHT
        self._sizes = np.array([len(each.keys) for _, each in alternatives])
        self._starts = np.cumsum(self._sizes) - self._sizes
        terms: dict[str, int] = {}
        self._columns = [terms.setdefault(term, len(terms)) for _, each in alternatives for term in each.keys]
        self._terms = list(terms)
        soft = {term for _, each in alternatives if each.weight >= LEAST_SOFT_WEIGHT for term in each.keys}
        # numbers are alike when they are the same
        self._may_be_soft = np.array([term in soft and not term[0].isdigit() for term in terms], dtype=bool)
        trigrams = list(dict.fromkeys(trigram for term in terms for trigram in _trigrams(term)))
        self._finder = Finder(trigrams, 3)
        place = {trigram: place for place, trigram in enumerate(trigrams)}
        self._has = np.zeros((len(trigrams), len(terms)), dtype=np.int64)
        for column, term in enumerate(terms):
            self._has[[place[trigram] for trigram in _trigrams(term)], column] = 1
        self._trigrams_of = self._has.sum(axis=0)

    def coverage(self, sentences: Sequence[SentenceTerms]) -> Matrix:
        """How far each sentence says each concept, 0 to 1; shape (sentences, concepts)."""
        matrix = np.zeros((len(sentences), self._concepts))
        said = self._said(sentences)
        if said.any():
            each = said[:, self._columns]
            soft = np.add.reduceat(each, self._starts, axis=1) / self._sizes
            exact = np.minimum.reduceat(each, self._starts, axis=1) == 1.0
            shares = self._weights * np.where(self._is_soft, soft, exact)
            matrix[:, self._sayable] = np.maximum.reduceat(shares, self._firsts, axis=1)
        return matrix

    def _said(self, sentences: Sequence[SentenceTerms]) -> Matrix:
        """The likeness of the likest word of each sentence to each term; shape (sentences, terms)."""
        said = np.zeros((len(sentences), len(self._terms)))
        lines = [sentence.line for sentence in sentences]
        text = "".join(lines)
        ends = np.cumsum(np.array([len(line) for line in lines], dtype=np.int64))
        words, columns, shared = self._near(text)
        rows, sizes = np.searchsorted(ends, words, side="right").tolist(), self._trigrams_of.tolist()
        for row, start, column, number in zip(rows, words.tolist(), columns, shared, strict=True):
            word, term = text[start : text.index(" ", start)], self._terms[column]
            if word == term:
                said[row, column] = 1.0
            elif self._may_be_soft[column]:
                dice = 2 * number / (len(_trigrams(word)) + sizes[column])
                said[row, column] = max(said[row, column], _likeness(word, term, dice))
        return said

    def _near(self, text: str) -> tuple[Places, list[int], list[int]]:
        """Words of a text, as the places where they begin, with terms that they may be like: those terms,
        and how many 3-grams they share."""
        places, trigrams = self._finder.find(text)
        if not len(places):
            return places, [], []
        letters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
        spaces = np.flatnonzero(letters == _SPACE)
        words = spaces[np.searchsorted(spaces, places, side="right") - 1] + 1
        pairs = np.sort(words * len(self._has) + trigrams)
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]  # a word may have a 3-gram twice
        words, trigrams = pairs // len(self._has), pairs % len(self._has)
        firsts = np.flatnonzero(np.diff(words, prepend=-1))
        shared = np.add.reduceat(self._has[trigrams], firsts, axis=0)
        # the Dice coefficient, as if the word had no other 3-grams than those that it shares
        soft = (2 * shared >= LEAST_DICE * (shared + self._trigrams_of)) | (shared >= _SHARED_BY_COMPOUNDS)
        near = np.where(self._may_be_soft, soft, shared == self._trigrams_of)
        rows, columns = np.nonzero(near)
        return words[firsts][rows], columns.tolist(), shared[near].tolist()


def windows(matrix: Matrix, sizes: Sequence[int]) -> Matrix:
    """Coverage by each sentence together with the one after it, of chunks with so many sentences each."""
    chunk = np.repeat(np.arange(len(sizes)), sizes)
    both = matrix.copy()
    both[:-1] = np.maximum(matrix[:-1], matrix[1:] * (chunk[1:] == chunk[:-1])[:, np.newaxis])
    return both


def summed(values: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted sum of each row; not by `@`, which may round equal rows differently."""
    total: NDArray[np.float64] = (values * weights).sum(axis=1)
    return total


@functools.lru_cache(maxsize=20_000)
def _trigrams(key: str) -> frozenset[str]:
    padded = f" {key} "
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
