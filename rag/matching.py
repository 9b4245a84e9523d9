"""How well a sentence covers a question: soft matches of search keys, weighted by idf."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.analysis import grams, keys
from rag.query import Concept
from rag.separable import separated_verbs

Matrix = NDArray[np.float64]
COMPOUND = 0.7
LEAST_DICE = 0.5
LEAST_COMPOUND_LENGTH = 5
LEAST_SOFT_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class SentenceTerms:
    """A sentence as its distinct search keys and folded 5-grams."""

    keys: tuple[str, ...]
    grams: frozenset[str]


@functools.lru_cache(maxsize=500_000)
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
    dice = 2 * len(a & b) / (len(a) + len(b))
    short, long = sorted((left, right), key=len)
    compound = len(short) >= LEAST_COMPOUND_LENGTH and (long.startswith(short) or long.endswith(short))
    return max(dice if dice >= LEAST_DICE else 0.0, COMPOUND if compound else 0.0)


def sentence_terms(sentence: str) -> SentenceTerms:
    """A sentence as the matching sees it."""
    joined = [verb.key for verb in separated_verbs(sentence)]
    return SentenceTerms(tuple(dict.fromkeys([*keys(sentence), *joined])), frozenset(grams(sentence)))


def coverage(concepts: Sequence[Concept], sentences: Sequence[SentenceTerms]) -> Matrix:
    """How far each sentence says each concept, 0 to 1; shape (sentences, concepts)."""
    matrix = np.zeros((len(sentences), len(concepts)))
    for i, sentence in enumerate(sentences):
        for j, concept in enumerate(concepts):
            matrix[i, j] = _says(concept, sentence.keys)
    return matrix


def windows(matrix: Matrix) -> Matrix:
    """Coverage by each sentence together with the one after it; same shape."""
    if len(matrix) < 2:
        return matrix
    return np.maximum(matrix, np.vstack([matrix[1:], matrix[-1:]]))


def _says(concept: Concept, keys: tuple[str, ...]) -> float:
    best = 0.0
    for alternative in concept.alternatives:
        if alternative.weight <= best:
            continue
        if alternative.weight >= LEAST_SOFT_WEIGHT:
            best = max(best, alternative.weight * _mean_match(alternative.keys, keys))
        elif all(key in keys for key in alternative.keys):
            best = alternative.weight
    return best


@functools.lru_cache(maxsize=200_000)
def _mean_match(terms: tuple[str, ...], keys: tuple[str, ...]) -> float:
    return sum(max((soft_match(term, key) for key in keys), default=0.0) for term in terms) / len(terms)


@functools.lru_cache(maxsize=200_000)
def _trigrams(key: str) -> frozenset[str]:
    padded = f"^{key}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
