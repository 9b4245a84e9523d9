"""Finds the passages for a question: words and meaning, summed, then reranked by what sentences cover."""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from rag.question.query import Concept, Query
from rag.retrieval.matching import Matrix, Vector, coverage, summed
from rag.retrieval.words import CANDIDATES, keys_of, scored, with_spellings
from rag.schema import Article, Passage
from rag.store.library import Library
from rag.store.terms import PassageTerms, SentenceTerms
from rag.text.analysis import language_of

COVERAGE_WEIGHT = 0.5
RERANKED = 20
SURE = 0.8
"""Share of the likeliest alternative's weight from which another counts as a mention; synonyms do not reach
it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage with its coverage.

    `matrix` is the coverage of the query's concepts by the passage's sentences, shape (sentences, concepts);
    `title` that by the article's title, shape (concepts,).
    """

    passage: Passage
    matrix: Matrix
    title: Vector
    sentences: tuple[SentenceTerms, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits for a query, best first; `idf` weighs its concepts, `gram_idf` its 5-grams. `by_meaning` says
    that meaning was compared, too."""

    query: Query
    idf: Vector
    gram_idf: Mapping[str, float]
    hits: tuple[Hit, ...]
    by_meaning: bool = False


@dataclass(frozen=True, slots=True)
class Nearness:
    """Nearness of chunks to a question in meaning: 0 to 1 by chunk id, 0 for all others. `weight` is the
    score of the nearest one, where a chunk with every word of the question has 1."""

    weight: float
    shares: Mapping[str, float]


def one_of_copies(ranking: Ranking) -> tuple[Ranking, tuple[Article, ...]]:
    """The ranking with only the best of each group of near-copies, and the articles left out."""
    articles = {hit.passage.article.id: hit.passage.article for hit in ranking.hits}
    best = {article.copy_of or id: id for id, article in reversed(articles.items())}
    left_out = tuple(article for id, article in articles.items() if id not in best.values())
    hits = tuple(hit for hit in ranking.hits if hit.passage.article.id in best.values())
    return replace(ranking, hits=hits), left_out


class Retriever:
    """Searches the passages of a library at one revision. Safe to use from several threads."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def rank(
        self, query: Query, k: int, near: Nearness | None = None, only: Collection[str] | None = None
    ) -> Ranking:
        """The best k passages for a query, by words, and by meaning if `near` is given.

        Nearness counts once all passages that the words find have vectors: those without would be put behind.
        `only` are the ids of the articles that count; None for all.
        """
        query = with_spellings(self.library, query)
        idf = np.array([concept.weight * self.idf(concept) for concept in query.concepts])
        # one that the library does not know is never served
        known = {} if near is None else self.library.rows_of(near.shares, only)
        shares = {} if near is None else {row: near.shares[id] for id, row in known.items()}
        sought = self.library.candidates(keys_of(query.concepts), CANDIDATES, only)
        held = self.library.terms_of(list(dict.fromkeys([*sought, *shares])))
        terms, rows = {row: PassageTerms.unpack(packed) for row, packed in held.items()}, list(held)
        scores, gram_idf = scored(query, idf, list(terms.values()), self.library.mean_length)
        said = np.argsort(-scores, kind="stable")[:RERANKED].tolist()
        rows_said = {rows[place] for place in said if scores[place] > 0}
        # those with a vector of the built-in encoder: all that words find, or none at all
        embedded = self.library.packed_passages([*rows_said, *shares]).keys() if shares else set[int]()
        by_meaning = bool(shares) and (not embedded or embedded >= rows_said)
        if near is not None and by_meaning:
            meaning = np.array([shares.get(row, 0.0) for row in rows])
            scores = (scores + near.weight * meaning) / (1 + near.weight)
        order = np.argsort(-scores, kind="stable")[: max(k, RERANKED)].tolist()
        best = {rows[place]: float(scores[place]) for place in order if scores[place] > 0}
        hits = sorted(self._hits(query, idf, best, terms), key=lambda hit: -hit.passage.score)
        return Ranking(query, idf, gram_idf, tuple(hits[:k]), by_meaning)

    @functools.cached_property
    def languages(self) -> frozenset[str]:
        """The languages by whose rules the articles are analysed; German if there are no articles."""
        return frozenset(map(language_of, self.library.languages())) or frozenset({"de"})

    def idf(self, concept: Concept) -> float:
        """The idf of a concept in Lucene's form, log(1 + (N - df + .5) / (df + .5)); df counts passages with
        any of its alternatives."""
        n, df = self.library.counts().chunks, self.library.frequency([a.keys for a in concept.alternatives])
        return float(np.log1p((n - df + 0.5) / (df + 0.5)))

    def mentioning(self, concepts: Sequence[Concept]) -> set[str]:
        """Ids of the articles that mention every concept, in text or title; all articles for no concepts."""
        found = set(self.library.versions())
        for concept in concepts:
            likeliest = max((each.weight for each in concept.alternatives), default=0.0)
            sure = [each.keys for each in concept.alternatives if each.weight >= SURE * likeliest]
            found &= set[str]().union(*(self.library.saying(keys) for keys in sure))
        return found

    def _hits(
        self, query: Query, idf: Vector, scores: Mapping[int, float], terms: Mapping[int, PassageTerms]
    ) -> list[Hit]:
        """The passages with the coverage by their sentences and titles, and scores that include it."""
        said = [terms[row] for row in scores]
        ends = [0, *accumulate(len(each.sentences) for each in said)]
        sentences = [sentence for each in said for sentence in each.sentences]
        matrix = coverage(query.concepts, [*sentences, *(each.heading for each in said)])
        total = float(idf.sum()) or 1.0
        held = self.library.passages_at(list(scores))
        hits = []
        for n, (row, (start, end)) in enumerate(zip(scores, pairwise(ends), strict=True)):
            if row not in held:
                continue  # a sync has replaced it meanwhile
            article, chunk = held[row]
            own, title = matrix[start:end], matrix[ends[-1] + n]
            pairs = np.maximum(own, np.vstack([own[1:], own[-1:]]))  # each sentence with the one after it
            covered = float(summed(pairs, idf).max(initial=0.0)) / total
            score = (scores[row] + COVERAGE_WEIGHT * covered) / (1 + COVERAGE_WEIGHT)
            hits.append(Hit(Passage(chunk, article, score), own, title, terms[row].sentences))
        return hits
