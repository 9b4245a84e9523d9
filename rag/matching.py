"""How well a sentence covers a question: soft matches of search keys, weighted by idf."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.analysis import folded, keys
from rag.query import Concept
from rag.separable import separated_verbs

Matrix = NDArray[np.float64]
COMPOUND = 0.7
LEAST_DICE = 0.5
LEAST_COMPOUND_LENGTH = 5
LEAST_SOFT_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class SentenceTerms:
    """A sentence as its distinct search keys, and as its folded text, a tenth as large as its 5-grams."""

    keys: tuple[str, ...]
    folded: str


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
    dice = 2 * len(a & b) / (len(a) + len(b))
    short, long = sorted((left, right), key=len)
    compound = len(short) >= LEAST_COMPOUND_LENGTH and (long.startswith(short) or long.endswith(short))
    return max(dice if dice >= LEAST_DICE else 0.0, COMPOUND if compound else 0.0)


def sentence_terms(sentence: str) -> SentenceTerms:
    """A sentence as the matching sees it."""
    joined = [verb.key for verb in separated_verbs(sentence)]
    return SentenceTerms(tuple(dict.fromkeys([*keys(sentence), *joined])), folded(sentence))


def coverage(concepts: Sequence[Concept], sentences: Sequence[SentenceTerms]) -> Matrix:
    """How far each sentence says each concept, 0 to 1; shape (sentences, concepts)."""
    return Matcher(concepts).coverage(sentences)


class Matcher:
    """The coverage of some concepts, for many sentences.

    Most words of a text are like none of the question's; those that share no 3-gram with any are passed
    over, and a word is compared once however often it stands there. Not safe to use from several threads.
    """

    def __init__(self, concepts: Sequence[Concept]) -> None:
        self._concepts = concepts
        self._soft: dict[str, list[str]] = {}  # 3-gram → terms to be matched softly
        self._uses: dict[str, list[int]] = {}  # term → concepts that have it
        self._matches: dict[str, list[tuple[str, float]]] = {}  # key of a text → terms it is like
        soft: set[str] = set()
        for j, concept in enumerate(concepts):
            for alternative in concept.alternatives:
                for term in alternative.keys:
                    self._uses.setdefault(term, []).append(j)
                if alternative.weight >= LEAST_SOFT_WEIGHT:
                    soft.update(alternative.keys)
        for term in soft:
            for trigram in _trigrams(term):
                self._soft.setdefault(trigram, []).append(term)
        self._trigrams = frozenset(self._soft)

    def coverage(self, sentences: Sequence[SentenceTerms]) -> Matrix:
        """How far each sentence says each concept, 0 to 1; shape (sentences, concepts)."""
        matrix = np.zeros((len(sentences), len(self._concepts)))
        for i, sentence in enumerate(sentences):
            said: dict[str, float] = {}
            for key in sentence.keys:
                matches = self._matches.get(key)
                for term, likeness in self._like(key) if matches is None else matches:
                    if likeness > said.get(term, 0.0):
                        said[term] = likeness
            for j in {j for term in said for j in self._uses[term]}:
                matrix[i, j] = _says(self._concepts[j], said)
        return matrix

    def _like(self, key: str) -> list[tuple[str, float]]:
        """The terms that a key is like, and how much."""
        found = [(key, 1.0)] if key in self._uses else []
        trigrams = _trigrams(key)
        if not self._trigrams.isdisjoint(trigrams):
            shared = self._trigrams & trigrams
            near = {term for trigram in shared for term in self._soft[trigram]} - {key}
            likely = ((term, soft_match(term, key)) for term in near)
            found += [(term, likeness) for term, likeness in likely if likeness > 0]
        self._matches[key] = found
        return found


def windows(matrix: Matrix) -> Matrix:
    """Coverage by each sentence together with the one after it; same shape."""
    if len(matrix) < 2:
        return matrix
    return np.maximum(matrix, np.vstack([matrix[1:], matrix[-1:]]))


def _says(concept: Concept, said: Mapping[str, float]) -> float:
    """How far a sentence says a concept, by its likeness to each term, 0 to 1."""
    best = 0.0
    for alternative in concept.alternatives:
        if alternative.weight <= best:
            continue
        if alternative.weight >= LEAST_SOFT_WEIGHT:
            total = sum(said.get(term, 0.0) for term in alternative.keys)
            best = max(best, alternative.weight * (total / len(alternative.keys)))
        elif all(said.get(term) == 1.0 for term in alternative.keys):
            best = alternative.weight
    return best


@functools.lru_cache(maxsize=20_000)
def _trigrams(key: str) -> frozenset[str]:
    padded = f"^{key}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
