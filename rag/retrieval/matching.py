"""How much of a question a sentence covers: soft matches of search keys, weighted by idf."""

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.question.query import Alternative, Concept
from rag.store.terms import SentenceTerms

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
COMPOUND = 0.7
LEAST_DICE = 0.5
LEAST_COMPOUND_LENGTH = 5
LEAST_SOFT_WEIGHT = 0.5


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
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    compound = len(short) >= LEAST_COMPOUND_LENGTH and (long.startswith(short) or long.endswith(short))
    return max(dice if dice >= LEAST_DICE else 0.0, COMPOUND if compound else 0.0)


def coverage(concepts: Sequence[Concept], sentences: Sequence[SentenceTerms]) -> Matrix:
    """How far each sentence covers each concept, 0 to 1; shape (sentences, concepts)."""
    matrix = np.zeros((len(sentences), len(concepts)))
    ways = [(column, way) for column, concept in enumerate(concepts) for way in concept.alternatives]
    ways_by_term: dict[str, list[int]] = defaultdict(list)
    for place, (_, way) in enumerate(ways):
        for term in way.keys:
            ways_by_term[term].append(place)
    likeness = _likeness_to([way for _, way in ways])
    for row, sentence in enumerate(sentences):
        said: dict[str, float] = {}
        for word in sentence.keys:
            for term, like in likeness(word):
                said[term] = max(like, said.get(term, 0.0))
        for place in {place for term in said for place in ways_by_term[term]}:
            column, way = ways[place]
            matrix[row, column] = max(matrix[row, column], _share(way, said))
    return matrix


def _share(way: Alternative, said: Mapping[str, float]) -> float:
    """How far a sentence has an alternative of a concept; an unlikely alternative counts in full or not at
    all."""
    parts = [said.get(term, 0.0) for term in way.keys]
    if way.weight >= LEAST_SOFT_WEIGHT:
        return way.weight * sum(parts) / len(parts)
    return way.weight if min(parts) == 1.0 else 0.0


def _likeness_to(ways: Sequence[Alternative]) -> Callable[[str], list[tuple[str, float]]]:
    """A function that gives the similar terms of a word, with their similarity."""
    terms = {term for way in ways for term in way.keys}
    soft = {term for way in ways if way.weight >= LEAST_SOFT_WEIGHT for term in way.keys}
    sharing: dict[str, list[str]] = defaultdict(list)
    for term in soft:
        for trigram in _trigrams(term):
            sharing[trigram].append(term)

    @functools.cache
    def likeness(word: str) -> list[tuple[str, float]]:
        near = {term for trigram in _trigrams(word) for term in sharing.get(trigram, ())}
        found = [(term, soft_match(word, term)) for term in near]
        if word in terms and word not in near:
            found.append((word, 1.0))
        return [(term, like) for term, like in found if like]

    return likeness


def present(grams: Collection[str], texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which text has which n-gram; shape (texts, grams)."""
    found = [[gram in text for gram in grams] for text in texts]
    return np.array(found, dtype=bool).reshape(len(texts), len(grams))


def summed(values: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted sum of each row; `@` might round equal rows differently."""
    total: NDArray[np.float64] = (values * weights).sum(axis=1)
    return total


@functools.lru_cache(maxsize=20_000)
def _trigrams(key: str) -> frozenset[str]:
    padded = f" {key} "
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
