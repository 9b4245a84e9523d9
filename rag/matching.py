"""How well a sentence covers a question: soft matches of search keys, weighted by idf."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.ngrams import Finder
from rag.passage_terms import SentenceTerms
from rag.query import Concept

Matrix = NDArray[np.float64]
COMPOUND = 0.7
LEAST_DICE = 0.5
LEAST_COMPOUND_LENGTH = 5
LEAST_SOFT_WEIGHT = 0.5

_SHARED_BY_COMPOUNDS = 2
"""3-grams that a word and its beginning or end of five letters share at the least: ^ab and one within."""


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
        self._terms: dict[str, int] = {}
        self._columns = [
            self._terms.setdefault(term, len(self._terms)) for _, each in alternatives for term in each.keys
        ]
        soft = (term for _, each in alternatives if each.weight >= LEAST_SOFT_WEIGHT for term in each.keys)
        self._soft = _Likeness(list(dict.fromkeys(soft)))

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
        flat = [word for sentence in sentences for word in sentence.keys]
        distinct = dict.fromkeys(flat)
        pairs = [
            *self._soft.pairs(distinct),
            *((term, term, 1.0) for term in self._terms if term in distinct),
        ]
        known = {word: place for place, word in enumerate(dict.fromkeys(word for word, _, _ in pairs))}
        like = np.zeros((len(known), len(self._terms)))
        for word, term, likeness in pairs:
            like[known[word], self._terms[term]] = likeness
        said = np.zeros((len(sentences), len(self._terms)))
        places = [place for place, word in enumerate(flat) if word in known]  # most words are like none
        if places:
            rows = np.repeat(np.arange(len(sentences)), [len(sentence.keys) for sentence in sentences])[
                places
            ]
            firsts = np.flatnonzero(np.diff(rows, prepend=-1))
            occurring = like[[known[flat[place]] for place in places]]
            said[rows[firsts]] = np.maximum.reduceat(occurring, firsts, axis=0)
        return said


class _Likeness:
    """The likeness of some terms to many words at once, as `soft_match` has it."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = [term for term in terms if not term[0].isdigit()]
        trigrams = list(dict.fromkeys(trigram for term in self._terms for trigram in _trigrams(term)))
        places = {trigram: place for place, trigram in enumerate(trigrams)}
        self._finder = Finder(trigrams, 3)
        self._has = np.zeros((len(trigrams), len(self._terms)), dtype=np.int64)
        for column, term in enumerate(self._terms):
            self._has[[places[trigram] for trigram in _trigrams(term)], column] = 1

    def pairs(self, distinct: Iterable[str]) -> Iterator[tuple[str, str, float]]:
        """Words with the terms that they are like, and how much; equal ones are left out."""
        words = list(distinct)
        ends = np.cumsum(np.array([len(word) + 2 for word in words], dtype=np.int64))
        held, trigrams = self._finder.find(f"^{'$^'.join(words)}$", ends)
        if not len(held):
            return
        firsts = np.flatnonzero(np.diff(held, prepend=-1))
        shared = np.add.reduceat(self._has[trigrams], firsts, axis=0)
        # Dice itself where a word has no other 3-grams than those that it shares
        dice_at_most = 2 * shared / (shared + self._has.sum(axis=0))
        rows, columns = np.nonzero((dice_at_most >= LEAST_DICE) | (shared >= _SHARED_BY_COMPOUNDS))
        close = (dice_at_most[rows, columns] >= LEAST_DICE).tolist()
        for i, j, near in zip(held[firsts][rows].tolist(), columns.tolist(), close, strict=True):
            word, term = words[i], self._terms[j]
            likeness = soft_match(word, term) if near else _likeness(word, term, 0.0)
            if likeness and word != term and not word[0].isdigit():
                yield word, term, likeness


def windows(matrix: Matrix) -> Matrix:
    """Coverage by each sentence together with the one after it; same shape."""
    if len(matrix) < 2:
        return matrix
    return np.maximum(matrix, np.vstack([matrix[1:], matrix[-1:]]))


@functools.lru_cache(maxsize=20_000)
def _trigrams(key: str) -> frozenset[str]:
    padded = f"^{key}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
