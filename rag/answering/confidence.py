"""How certain an answer is: the probability that the articles answer, and `sure`, `unsure` or `none`."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answering.extract import CONTENT, Candidate
from rag.answering.extract import SAID as COVERED
from rag.answering.roles import misplaced
from rag.question.answer_type import Cue, cue_of
from rag.question.figures import asked_noun, figure_of, unnamed
from rag.question.query import Concept, understand
from rag.retrieval.matching import coverage
from rag.retrieval.retriever import Ranking
from rag.schema import Certainty
from rag.store.terms import sentence_terms
from rag.text.analysis import language_of, words
from rag.text.languages import STOP

SURE, UNSURE, UNSURE_BY_WORDS = 0.74, 0.22, 0.25
"""Confidence from which an answer may be called sure, and from which it is shown as the nearest place; below
that (by words alone, below the third) the question is declined.

With the other sets fitted, sure answers to general news are right 3 times of 4 or more, and a quarter of the
answerable questions get one; of the project's own sets 8 to 10 of 10, and a fifth.
"""
AGREED, ONE_ARTICLE = 0.9, 0.7
"""Share of the question that a sentence must say to say nearly all of it, and share of the probability from
which its article has no rival."""
NEVER_BY_SCORE = frozenset({"person", "place", "reason"})
"""Kinds of answer that cannot be checked in a sentence: near misses look just like answers."""

# By words alone: fitted by logistic regression, cross-validated by question, on the tuning questions of the
# project's sets and dev.jsonl, each also without the chunks of its evidence.
ABSENT, UNSAID, GREATEST_GAP, CUE_MISSING, CONCEPTS, BIAS = -2.15, -2.21, -3.07, -1.03, 0.79, 0.6

# by meaning, too; fitted on whether the answer is right, on the tuning questions of seeds,
# declining, everyday, conversations, dev, news1 and news2, each by the square root of its size. With one set
# left out the AUROC of answerable against not is .76 and .66 on general news, .87 on dev.
NEAREST, NOT_OFFERED, NOUN_MISSING, FOREIGN = 0.87, -0.97, -1.19, 0.64
WHO_OR_WHY, SHARE, WORDS_WANTING, MEANING_BIAS = -0.53, 3.24, 0.32, -16.59
LOOKED_AT, GREATEST_DISTANCE = 25, 3.0
SHOWN = 2
"""So many places are shown as the nearest; where a figure or date is asked for, one of them must have it."""
LEAST_FOREIGN = -1.0
"""An article in another language lacks no more words than this: the glossary may lack them."""

# For sentences that a model cites when the confidence is below `UNSURE`. On the tuning questions of all sets
# a third of the evidence of answerable questions passes, and 3 % of the first sentences of the best passage
# to unanswerable ones, which models like to copy.
CITED_CONFIDENCE, CITED_COVERAGE = 0.17, 0.15

TITLE_COUNTS = 0.8
SAID = 0.5
_CLAUSE_END = re.compile(r"[,:](?!\d)|[;)]|\s[–—-]\s")
_WORDS_OF_A_CLAUSE = 3
_NUMBER = Cue("number", frozenset())


def confidence(ranking: Ranking, found: Sequence[Candidate]) -> float:
    """The chance that the best sentence, read in its passage, answers the question.

    By words alone it falls with the words of the question that the passages lack (`_by_words`). With meaning,
    it rises with the similarity of the best sentences, and with the share of the best one's article in the
    probability of all. It falls if the figure or date asked for is only far from there, if the noun after
    "wie viele" or "welche" is missing, if a name or a reason is asked for, and if words are missing. That all
    words are there proves nothing: near misses have them, too.
    """
    by_words = _by_words(ranking, found)
    if not by_words or found[0].near is None:
        return by_words
    near = [20 * (candidate.near or 0.0) for candidate in found[:LOOKED_AT]]
    cue = cue_of(ranking.query.text)
    said = math.log(by_words / (1 - by_words))
    foreign = ranking.query.language != language_of(found[0].article.language)
    score = (
        NEAREST * max(near)
        + NOT_OFFERED * _distance_of_offer(ranking, found[:LOOKED_AT], near)
        + NOUN_MISSING * _noun_missing(ranking, found[0])
        + FOREIGN * foreign
        + WHO_OR_WHY * (cue is not None and cue.kind in ("person", "reason"))
        + SHARE * min(ONE_ARTICLE, _share(found))
        + WORDS_WANTING * min(0.0, max(said, LEAST_FOREIGN) if foreign else said)
        + MEANING_BIAS
    )
    return 1 / (1 + math.exp(-score))


def certainty(
    ranking: Ranking, found: Sequence[Candidate], confidence: float, *, leans: bool = False
) -> Certainty:
    """How certain a verbatim answer is that begins with the best sentence.

    None below the least confidence, and where a figure or date is asked for that neither of the `SHOWN` best
    sentences has, unless the question `leans` on those before.

    The answer to a question that leans on others is sure only if the sentence says all its own
    content words: the sentence quoted before says the others, whatever is asked. „Und wann?“ has none; a
    date is sure.

    Never sure: a reason, a sentence in which the parties of the question have changed roles, and „ein Labor“
    where it is asked which. A figure or date is sure only if the sentence has one in a clause that is about
    the question; a name or a place only if the sentence says nearly the whole question and its article has
    no rival.
    """
    if not found or confidence < (UNSURE_BY_WORDS if found[0].near is None else UNSURE):
        return "none"
    best, figure, cue = found[0], figure_of(ranking.query), cue_of(ranking.query.text)
    kind = figure.kind if figure else cue.kind if cue else None
    language = language_of(best.article.language)
    if figure is not None and not leans and not any(_offers(figure, each) for each in found[:SHOWN]):
        return "none"
    if figure is not None and not _bound(ranking, best, figure):
        return "unsure"
    if kind == "reason" or (leans and not _says_what_is_new(ranking, best, kind)):
        return "unsure"
    if misplaced(ranking.query, best.text, language) or unnamed(ranking.query, best.text, language):
        return "unsure"
    degree = kind in ("measure", "size") and len(ranking.query.concepts) == 1
    if degree and not _says_the_degree(ranking, best):
        return "unsure"
    whole = float(best.covered @ ranking.idf) >= AGREED * float(ranking.idf.sum())
    agrees = whole and _share(found) >= ONE_ARTICLE
    return "sure" if agrees or (confidence >= SURE and kind not in NEVER_BY_SCORE) else "unsure"


def _bound(ranking: Ranking, best: Candidate, figure: Cue, *, loosely: bool = False) -> bool:
    """Whether the clause of such a figure says a content word of the question, or there is none to say.

    In another clause a figure is of something else. One that says nearly nothing but the figure, as
    „Putin, 72,“ or „am Mittwoch, dem 13. August,“, belongs to those around it. With `loosely`, any word will
    do, also one of the questions before, and the sentence before may say it.
    """
    least = 0.0 if loosely else CONTENT
    concepts = [concept for concept in ranking.query.concepts if concept.weight >= least]
    text, language = best.text, language_of(best.article.language)
    cuts = [0, *(cut.end() for cut in _CLAUSE_END.finditer(text)), len(text)]
    clauses = []
    for start, end in figure.spans(text, language):
        low = max(at for at, cut in enumerate(cuts) if cut <= start)
        high = min(at for at, cut in enumerate(cuts) if cut >= end)
        others = [word for word in words(text[cuts[low] : start] + text[end : cuts[high]]) if word.isalpha()]
        if len(others) < _WORDS_OF_A_CLAUSE:
            low, high = max(0, low - 1), min(len(cuts) - 1, high + 1)
        clauses.append(sentence_terms(text[cuts[low] : cuts[high]], language))
    around = [sentence_terms(best.answers, language)] if best.answers else []
    around += best.hit.sentences[best.index - 1 : best.index] if loosely and best.index else []
    if around and _offers(figure, best):
        clauses += around
    said = coverage(concepts, clauses) >= SAID
    return bool(said.any() if concepts else clauses)


def _says_what_is_new(ranking: Ranking, best: Candidate, kind: str | None) -> bool:
    own = [concept.weight >= CONTENT for concept in ranking.query.concepts]
    return bool((best.covered[own] >= COVERED).all()) if any(own) else kind == "date"


def _says_the_degree(ranking: Ranking, best: Candidate) -> bool:
    """Whether the sentence has "high" where "how high" is asked: any number may stand beside a name alone."""
    said = {word.lower() for word in words(best.text)}
    named = {word.lower() for concept in ranking.query.concepts for word in concept.word.split()}
    asked = {word.lower() for word in words(ranking.query.text)} - named - STOP[ranking.query.language]
    return not asked.isdisjoint(said)


def _share(found: Sequence[Candidate]) -> float:
    """The share of the best sentence's article in the probability of all, 0 to 1."""
    chances = np.exp(np.array([candidate.score for candidate in found]) - found[0].score)
    own = np.array([candidate.article.id == found[0].article.id for candidate in found])
    return float(chances[own].sum() / chances.sum())


def _distance_of_offer(ranking: Ranking, found: Sequence[Candidate], near: Sequence[float]) -> float:
    """How much less similar than the best sentence the first one with the figure or date asked for is.

    Its clause must be about the question. 0 if none is asked for, `GREATEST_DISTANCE` at most.
    """
    figure = figure_of(ranking.query)
    if figure is None:
        return 0.0
    away = [
        max(near) - nearness
        for candidate, nearness in zip(found, near, strict=True)
        if _bound(ranking, candidate, figure, loosely=True)
    ]
    return min([GREATEST_DISTANCE, *away])


def _offers(figure: Cue, candidate: Candidate) -> bool:
    """Whether a sentence has such a figure; where a question in the text asks for it, any number is one."""
    language = language_of(candidate.article.language)
    if figure.offered_by(candidate.text, language):
        return True
    asked = figure_of(understand(candidate.answers, language)) if candidate.answers else None
    return asked is not None and asked.kind == figure.kind and _NUMBER.offered_by(candidate.text, language)


def _noun_missing(ranking: Ranking, best: Candidate) -> float:
    """How far the noun that is asked for is missing in the best article, 0 to 1."""
    noun = (asked_noun(ranking.query) or "").lower()
    for place, concept in enumerate(ranking.query.concepts):
        if noun and noun in concept.word.lower().split():
            hits = [hit for hit in ranking.hits if hit.passage.article.id == best.article.id]
            said = [float(hit.matrix[:, place].max(initial=0.0)) for hit in hits]
            return 1 - max(*said, float(best.hit.title[place]))
    return 0.0


def _by_words(ranking: Ranking, found: Sequence[Candidate]) -> float:
    if not ranking.hits or not found:
        return 0.0
    concepts = ranking.query.concepts
    weights = ranking.idf
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    best = found[0]
    read = best.hit.matrix[: best.index + 2].max(axis=0)
    said = np.concatenate([hit.matrix for hit in ranking.hits]).max(axis=0)
    gaps = (1 - np.maximum(read, TITLE_COUNTS * best.hit.title)) * weights
    cue = cue_of(ranking.query.text)
    score = (
        BIAS
        + ABSENT * float((1 - said) @ weights) / total
        + UNSAID * _unsaid(read, concepts)
        + GREATEST_GAP * float(gaps.max()) / total
        + CUE_MISSING * (cue is not None and not cue.offered_by(best.text, best.article.language))
        + CONCEPTS * math.log1p(len(concepts))
    )
    return 1 / (1 + math.exp(-float(score)))


def covers(ranking: Ranking, cited: Candidate) -> bool:
    """Whether a sentence that a model cites covers the question: its concepts, and the kind of answer.

    The sentence itself must say some of it, because every sentence is in a passage that the search found.
    """
    cue = cue_of(ranking.query.text)
    own = float(cited.covered @ ranking.idf) / (float(ranking.idf.sum()) or 1.0)
    return (
        own >= CITED_COVERAGE
        and confidence(ranking, [cited]) >= CITED_CONFIDENCE
        and (cue is None or cue.offered_by(cited.text, cited.article.language))
    )


def _unsaid(said: NDArray[np.float64], concepts: tuple[Concept, ...]) -> float:
    """The share of the question's content words that are missing, 0 to 1."""
    pairs = zip(said, concepts, strict=True)
    missing = [bool(share < SAID) for share, concept in pairs if concept.weight >= CONTENT]
    return sum(missing) / max(1, len(missing))
