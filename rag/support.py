"""Whether the words that a sentence cites say what it says: pure, deterministic, no model.

A sentence is compared with the best window of one or two sentences of the passage: how much of
its content words the window says (weighted by idf), and whether a number, date, quotation, name
or negation differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag.facts import Facts, besides_facts, facts, missing
from rag.lexical import heading
from rag.matching import SentenceTerms, coverage, sentence_terms
from rag.query import Concept, detect_language, understand
from rag.schema import Article, Chunk, Span, Status

SUPPORTED, UNSUPPORTED = 0.60, 0.35
PAIR_GAIN = 0.08
"""What a second sentence must add to the coverage to be quoted as well."""
LACK_COSTS = 0.2
AIM_GAIN = 0.05
NAMED = 0.5
TITLE_COUNTS = 0.8
DOSSIER_LANGUAGE = "de"

Vector = NDArray[np.float64]
Idf = Callable[[Concept], float]
"""How much a concept tells: its inverse document frequency in the dossier."""


@dataclass(frozen=True)
class Claim:
    """A sentence of an answer, without citations, as it is checked."""

    text: str
    idf: Idf

    @cached_property
    def language(self) -> str:
        return detect_language(self.text)

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        return understand(besides_facts(self.text), self.language).concepts

    @cached_property
    def weights(self) -> Vector:
        return np.array([concept.weight * self.idf(concept) for concept in self.concepts])

    @cached_property
    def facts(self) -> Facts:
        return facts(self.text, self.language)

    def share(self, said: Vector) -> float:
        """Share of the claim that is said, by weight, 0 to 1."""
        return float(said @ self.weights) / (float(self.weights.sum()) or 1.0)


@dataclass(frozen=True)
class Source:
    """A passage as claims are checked against it."""

    article: Article
    chunk: Chunk

    @cached_property
    def sentences(self) -> tuple[SentenceTerms, ...]:
        return tuple(sentence_terms(self.article.text[start:end]) for start, end in self.chunk.sentences)

    @cached_property
    def title(self) -> SentenceTerms:
        return sentence_terms(heading(self.article))

    @cached_property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Runs of one and of two sentences, first and last included."""
        count = len(self.chunk.sentences)
        return (*((i, i) for i in range(count)), *((i, i + 1) for i in range(count - 1)))

    def facts_of(self, span: Span) -> Facts:
        """The facts of a stretch of the article."""
        return facts(
            self.article.text[slice(*span)], self.article.language or DOSSIER_LANGUAGE, self.article.published
        )

    def lacks(self, claim: Claim, span: Span) -> tuple[str, ...]:
        """What the claim says to the letter and the words at `span` do not."""
        words = self.article.text[slice(*span)]
        return tuple(missing(claim.facts, self.facts_of(span), words, self.article.published))

    def span(self, window: tuple[int, int]) -> Span:
        """Where a window stands in the article."""
        return self.chunk.sentences[window[0]][0], self.chunk.sentences[window[1]][1]


@dataclass(frozen=True, slots=True)
class Support:
    """What a passage says to a claim: `score` is the coverage 0 to 1 by the words at `span`.

    `said` is the coverage of each of the claim's concepts, by the window and by the title.
    """

    status: Status
    score: float
    span: Span
    said: Vector
    lacks: tuple[str, ...] = ()


def support(claim: Claim, source: Source, sentence: int | None = None) -> Support:
    """The support of a claim by the best window of a passage.

    `sentence` (from 0) is where the model pointed: among windows that say as much, it is preferred.
    """
    covered = coverage(claim.concepts, source.sentences)
    title = TITLE_COUNTS * coverage(claim.concepts, [source.title])[0]
    found = []
    for first, last in source.windows:
        said = covered[first : last + 1].max(axis=0)
        span, score = source.span((first, last)), claim.share(said)
        lacks = source.lacks(claim, span)
        aimed = sentence is not None and first <= sentence <= last
        worth = score - LACK_COSTS * len(lacks) - PAIR_GAIN * (last - first) + AIM_GAIN * aimed
        found.append((worth, Support("weak", score, span, np.maximum(said, title), lacks)))
    best = max(found, key=lambda pair: pair[0])[1]
    return replace(best, status=_status(claim, [source], [best]))


def together(claim: Claim, sources: Sequence[Source], found: Sequence[Support]) -> Status:
    """The status of a claim by several passages at once, each with its best window."""
    return _status(claim, sources, found)


def _status(claim: Claim, sources: Sequence[Source], found: Sequence[Support]) -> Status:
    whole = [source.lacks(claim, (source.chunk.start, source.chunk.end)) for source in sources]
    if set.intersection(*map(set, whole)):
        return "unsupported"
    said = np.max([each.said for each in found], axis=0)
    score = max(max(each.score for each in found), claim.share(said) if len(found) > 1 else 0.0)
    if any(claim.language != (source.article.language or DOSSIER_LANGUAGE) for source in sources):
        return "weak" if score >= UNSUPPORTED / 2 else "unsupported"
    if score < UNSUPPORTED:
        return "unsupported"
    lacks = set.intersection(*(set(each.lacks) for each in found))
    negated = all(
        _negated(claim, source.facts_of(each.span)) for source, each in zip(sources, found, strict=True)
    )
    if score < SUPPORTED or lacks or negated or _unnamed(claim, said):
        return "weak"
    return "supported"


def _unnamed(claim: Claim, said: Vector) -> bool:
    """Whether a noun or name of the claim is not said."""
    return any(
        concept.word[0].isupper() and covered < NAMED
        for concept, covered in zip(claim.concepts, said, strict=True)
    )


def _negated(claim: Claim, source: Facts) -> bool:
    return bool(claim.facts.negations) != bool(source.negations)
