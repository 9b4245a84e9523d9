"""Ranks candidates for a follow-up question: a sentence that was just quoted is not the answer again."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.extract import Candidate
from rag.question.answer_type import cue_of
from rag.schema import Message
from rag.text.languages import pattern

AGAIN, AGAIN_ASKED_FOR = 4.0, 2.0
"""Penalty for a sentence quoted last, and for one that has the person, number or day asked for.

By words alone it is the greater one for both: the words carried over are all that sentence's own.
"""
_MORE = re.compile(rf"\b{pattern('follow_up.more')}\b", re.IGNORECASE)


def leaning(found: list[Candidate], question: str, history: Sequence[Message]) -> list[Candidate]:
    """The candidates for a follow-up question, best first, given the conversation before it."""
    last = next((message.content for message in reversed(history) if message.role == "assistant"), "")
    said = " ".join(last.split())
    cue = None if _MORE.search(question) else cue_of(question)

    def lowered(each: Candidate) -> Candidate:
        if " ".join(each.text.split()) not in said:
            return each
        may_answer = cue is not None and each.near is not None and cue.offered_by(each.text)
        penalty = AGAIN_ASKED_FOR if may_answer else AGAIN
        return replace(each, score=each.score - penalty)

    return sorted(map(lowered, found), key=lambda candidate: -candidate.score)
