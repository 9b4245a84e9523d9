"""From a question to passages: two BM25 fields, summed, then reranked by what sentences cover."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.question.query import Concept, Query
from rag.retrieval.bm25 import Floats, WeightedTerms
from rag.retrieval.lexical import LexicalIndex, heading
from rag.retrieval.matching import Matrix, coverage, summed, windows
from rag.retrieval.passage_terms import PassageTerms, SentenceTerms, passage_terms
from rag.schema import Article, Chunk, Passage
from rag.text.analysis import language_of

GRAMS_WEIGHT = 0.3
COVERAGE_WEIGHT = 0.5
RERANKED = 20
CACHED_CHUNKS = 5_000
SURE = 0.8
"""An alternative counts as a mention from this share of the likeliest one's weight: no mere synonym does."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage with what the answer is chosen by.

    `matrix` is the coverage of the query's concepts by the passage's sentences, shape
    (sentences, concepts), `title` that by the article's title, shape (concepts,).
    """

    passage: Passage
    matrix: Matrix
    title: Vector
    sentences: tuple[SentenceTerms, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A chunk as the ranking needs it."""

    chunk: Chunk
    article: Article
    terms: PassageTerms


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits for a query, best first; `idf` weighs its concepts, `gram_idf` its 5-grams."""

    query: Query
    idf: Vector
    gram_idf: Mapping[str, float]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near chunks are to a question in meaning: 0 to 1 by chunk id, 0 for all others.

    `weight` is what the nearest gains beside a chunk that says every word of the question, which is 1.
    """

    weight: float
    shares: Mapping[str, float]


def one_of_copies(ranking: Ranking) -> tuple[Ranking, tuple[Article, ...]]:
    """The ranking with only the best ranked of articles that nearly repeat each other; and the others."""
    chosen: dict[str, Article] = {}
    for hit in ranking.hits:
        article = hit.passage.article
        chosen.setdefault(article.copy_of or article.id, article)
    kept = {article.id for article in chosen.values()}
    others = {hit.passage.article.id: hit.passage.article for hit in ranking.hits}
    left_out = tuple(article for ident, article in others.items() if ident not in kept)
    hits = tuple(hit for hit in ranking.hits if hit.passage.article.id in kept)
    return replace(ranking, hits=hits), left_out


class Source(Protocol):
    """Where passages come from: a library."""

    def passages(self, ids: Collection[str]) -> Iterable[tuple[Article, Chunk]]:
        """The chunks of `ids` that exist, each with its article."""

    def languages(self) -> Collection[str | None]:
        """The languages of its articles, None where one is not known."""


class Index:
    """The searchable chunks of a library. Safe to use from several threads."""

    def __init__(self, lexical: LexicalIndex, source: Source) -> None:
        self.ids, self.words, self.grams = lexical.ids, lexical.words, lexical.grams
        self._source, self._terms = source, lexical.terms
        self._known: dict[int, _Found] = {}

    def rank(
        self, query: Query, k: int, near: Nearness | None = None, only: Collection[str] | None = None
    ) -> Ranking:
        """The best k passages for a query, by its words, and by meaning too where `near` is given.

        With `only`, ids of articles, they are from those alone.
        """
        idf, gram_idf, scores = self._scores(query)
        if near is not None:
            scores = self._fused(scores, near)
        if only is not None:
            scores = scores * np.isin(self._article_of_row, sorted(only))
        best = self._best(scores, max(k, RERANKED))
        scored = [(each, float(scores[row])) for row, each in zip(best, self._found(best), strict=True)]
        hits = _hits([(found, score) for found, score in scored if found], query, idf)
        hits.sort(key=lambda hit: -hit.passage.score)
        return Ranking(query, idf, gram_idf, tuple(hits[:k]))

    @functools.cached_property
    def languages(self) -> frozenset[str]:
        """The languages that the articles are analysed by; German where there are none."""
        return frozenset(map(language_of, self._source.languages())) or frozenset({"de"})

    def idf(self, concept: Concept) -> float:
        """How much a concept tells in these chunks: the idf of the word and its synonyms as one term."""
        return self.words.synonyms([_keys(concept)])[0].possible

    def mentioning(self, concepts: Sequence[Concept]) -> set[str]:
        """Ids of the articles that say every concept, in the text or the title; all of them for none."""
        held = {row: _place(self.ids[row])[0] for row in np.flatnonzero(self.words.live).tolist()}
        found = set(held.values())
        for concept in concepts:
            likeliest = max((each.weight for each in concept.alternatives), default=0.0)
            sure = [each.keys for each in concept.alternatives if each.weight >= SURE * likeliest]
            rows: set[int] = set()
            for keys in sure:  # of several words, each must be there
                said = self.words.synonyms([[(1.0, (key,))] for key in keys])
                rows |= set.intersection(*(set(each.rows.tolist()) for each in said))
            found &= {held[row] for row in rows if row in held}
        return found

    def _best(self, scores: Floats, k: int) -> list[int]:
        """The k rows with the highest scores above 0, best first; of equal ones, in the library's order."""
        if len(scores) > k:
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            rows = np.flatnonzero(scores >= least) if least > 0 else np.flatnonzero(scores > 0)
        else:
            rows = np.flatnonzero(scores > 0)
        return sorted(rows.tolist(), key=lambda row: (-scores[row], _place(self.ids[row])))[:k]

    def _scores(self, query: Query) -> tuple[Vector, Mapping[str, float], Floats]:
        """The idf of concepts and of 5-grams, and each chunk's share of the best possible score, 0 to 1."""
        found = self.grams.look_up(query.grams)
        most, total = found.sums()
        total *= GRAMS_WEIGHT
        most *= GRAMS_WEIGHT
        weights = [concept.weight for concept in query.concepts]
        words = self.words.synonyms([_keys(concept) for concept in query.concepts])
        for weight, said in zip(weights, words, strict=True):
            total[said.rows] += weight * said.possible * said.scores
            most += weight * said.possible
        if not query.grams:
            grams = self.grams.best_sums([_grams(concept) for concept in query.concepts])
            for weight, said in zip(weights, grams, strict=True):
                total[said.rows] += GRAMS_WEIGHT * weight * said.scores
                most += GRAMS_WEIGHT * weight * said.possible
        total /= most or 1.0
        idf = np.array([weight * said.possible for weight, said in zip(weights, words, strict=True)])
        return idf, dict(zip(query.grams, found.idf.tolist(), strict=True)), total

    def _fused(self, scores: Floats, near: Nearness) -> Floats:
        """The weighted mean of words and meaning, 0 to 1."""
        fused: Floats = np.zeros(len(self.ids))
        for id, share in near.shares.items():
            row = self._rows.get(id)
            if row is not None:  # versions that await deletion are no longer ranked
                fused[row] = share
        fused *= near.weight
        fused += scores
        fused /= 1 + near.weight
        return fused

    @functools.cached_property
    def _article_of_row(self) -> NDArray[np.str_]:
        return np.array([_place(id)[0] for id in self.ids], dtype=np.str_)

    @functools.cached_property
    def _rows(self) -> dict[str, int]:
        return {self.ids[row]: row for row in np.flatnonzero(self.words.live).tolist()}

    def _found(self, rows: Sequence[int]) -> list[_Found | None]:
        """The chunks of rows; None for one that the library no longer knows: it is never served."""
        held = self._known  # another thread may begin a new one
        known = {row: held[row] for row in rows if row in held}
        new = [row for row in rows if row not in known]
        if new:
            looked_up = self._look_up(new)
            known |= looked_up
            if len(self._known) + len(looked_up) > CACHED_CHUNKS:
                self._known = {}
            self._known |= looked_up
        return [known.get(row) for row in rows]

    def _look_up(self, rows: Sequence[int]) -> dict[int, _Found]:
        row_of = {self.ids[row]: row for row in rows}
        found = {}
        for article, chunk in self._source.passages(row_of.keys()):
            row = row_of[chunk.id]
            terms = self._terms(row)
            if terms is None:  # stored by another version
                terms = passage_terms(heading(article), article.text, chunk.sentences, article.language)
            found[row] = _Found(chunk, article, terms)
        return found


def _keys(concept: Concept) -> WeightedTerms:
    return [(each.weight, each.keys) for each in concept.alternatives]


def _grams(concept: Concept) -> WeightedTerms:
    return [(each.weight, each.grams) for each in concept.alternatives]


def _hits(scored: Sequence[tuple[_Found, float]], query: Query, idf: Vector) -> list[Hit]:
    """The chunks with what their sentences and titles cover, and scores that count it."""
    sizes = [len(each.terms.sentences) for each, _ in scored]
    ends = np.cumsum([0, *sizes]).tolist()
    sentences = [terms for each, _ in scored for terms in each.terms.sentences]
    matrix = coverage(query.concepts, [*sentences, *(each.terms.heading for each, _ in scored)])
    own, titles = matrix[: ends[-1]], matrix[ends[-1] :]
    best = np.zeros(len(scored))
    if len(idf) and len(own):
        np.maximum.at(best, np.repeat(np.arange(len(sizes)), sizes), summed(windows(own, sizes), idf))
        best /= idf.sum()
    return [
        Hit(
            Passage(each.chunk, each.article, (score + COVERAGE_WEIGHT * covered) / (1 + COVERAGE_WEIGHT)),
            own[start:end],
            title,
            each.terms.sentences,
        )
        for (each, score), covered, (start, end), title in zip(
            scored, best.tolist(), pairwise(ends), titles, strict=True
        )
    ]


def _place(chunk_id: str) -> tuple[str, int]:
    """Where a chunk stands in the library: its article, and its number there."""
    article, _, ordinal = chunk_id.rsplit("#", 2)
    return article, int(ordinal)
