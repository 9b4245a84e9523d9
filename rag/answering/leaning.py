"""Ranks candidates for a follow-up question: places near the last answer, but not the same again."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.extract import Candidate
from rag.question.answer_type import cue_of
from rag.schema import Message
from rag.text.languages import pattern

AGAIN, NEAR, SAME_ARTICLE = -4.0, 1.5, 0.5
"""Penalty for a sentence quoted last; bonus for others within `REACH` characters, and beyond."""
REACH = 500
_MORE = re.compile(rf"\b{pattern('follow_up.more')}\b", re.IGNORECASE)


def leaning(found: list[Candidate], question: str, history: Sequence[Message]) -> list[Candidate]:
    """The candidates for a follow-up question, best first, given the conversation before it.

    A sentence that was just quoted may answer again if it has the person, number or day asked for.
    """
    last = next((message.content for message in reversed(history) if message.role == "assistant"), "")
    said = " ".join(last.split())
    quoted = [each for each in found if " ".join(each.text.split()) in said]
    if not quoted:
        return found
    cue = None if _MORE.search(question) else cue_of(question)
    moved = [
        replace(each, score=each.score + _gain(each, quoted))
        for each in found
        if each not in quoted or not (cue and cue.offered_by(each.text))
    ]
    moved += [each for each in quoted if cue and cue.offered_by(each.text)]
    return sorted(moved, key=lambda candidate: -candidate.score)


def _gain(candidate: Candidate, quoted: Sequence[Candidate]) -> float:
    beside = [each for each in quoted if each.article.id == candidate.article.id]
    if any(each.span == candidate.span for each in beside):
        return AGAIN
    if any(abs(each.span[0] - candidate.span[0]) <= REACH for each in beside):
        return NEAR
    return SAME_ARTICLE if beside else 0.0
