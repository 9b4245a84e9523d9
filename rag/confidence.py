"""How sure it is that the articles answer a question: the chance, 0 to 1, that declining rests on."""

from __future__ import annotations

import math

import numpy as np

from rag.cues import cue_of
from rag.extract import Candidate
from rag.query import Concept
from rag.retrieval import Ranking

THRESHOLD = 0.4

# fitted by logistic regression on XQuAD tuning questions over small dossiers, answerable against
# those whose paragraph or whole article was taken out; balanced classes
COVERED, ABSENT, CUE_MISSING, BIAS = 8.1, -4.1, -0.25, -2.1
TITLE_COUNTS = 0.8
NOT_A_NOUN = 0.6


def confidence(ranking: Ranking, found: list[Candidate]) -> float:
    """The chance that the best sentence, read with its neighbours, answers the question.

    It rests on three things: how much of the question the best sentence, its neighbours and the
    article's title cover; how much of it none of the passages says; whether the kind of answer
    that is asked for is there. Words that are no nouns or names count less.
    """
    if not ranking.hits or not found:
        return 0.0
    weights = ranking.idf * [_topical(concept, ranking.query.language) for concept in ranking.query.concepts]
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    best = found[0]
    around = best.hit.matrix[max(0, best.index - 1) : best.index + 2].max(axis=0)
    covered = float(np.maximum(around, TITLE_COUNTS * best.hit.title) @ weights) / total
    said = np.max([hit.matrix.max(axis=0) for hit in ranking.hits], axis=0)
    absent = float((1 - said) @ weights) / total
    cue = cue_of(ranking.query.text)
    missing = cue is not None and not cue.offered_by(best.text)
    score = BIAS + COVERED * covered + ABSENT * absent + CUE_MISSING * missing
    return 1 / (1 + math.exp(-score))


def _topical(concept: Concept, language: str) -> float:
    noun = language != "de" or concept.word[0].isupper() or concept.word[0].isdigit()
    return 1.0 if noun else NOT_A_NOUN
