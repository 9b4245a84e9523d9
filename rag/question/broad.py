"""Broad questions, which share no word with what answers them: „Was kam heraus?“, „Wie geht es weiter?“"""

import functools
import re
from dataclasses import dataclass

from rag.text.analysis import words
from rag.text.languages import STOP, table, word_set

KINDS = ("outcome", "next_step")
MOST_OF_A_TOPIC = 2
"""Words that may say of what; who says more asks for something particular."""


@dataclass(frozen=True, slots=True)
class Broad:
    """The kind of a broad question, one of `KINDS`, and the words that say of what; none for all there is."""

    kind: str
    topic: str


def broad_of(question: str, language: str) -> Broad | None:
    """The broad question that a message asks in a language; None where it asks for something particular."""
    opens = re.match(table(language, "broad.opens"), question, re.IGNORECASE)
    if opens is None:
        return None
    rest = question[opens.end() :]
    beside = STOP[language] | word_set("broad.beside", language)
    for kind in KINDS:
        asks = _asks(kind, language)
        if asks.search(rest):
            topic = [word for word in words(asks.sub(" ", rest)) if word.lower() not in beside]
            return Broad(kind, " ".join(topic)) if len(topic) <= MOST_OF_A_TOPIC else None
    return None


def answers_to(kind: str, language: str) -> tuple[str, ...]:
    """What answers to a kind of broad question might say, in the language of an article."""
    return tuple(table(language, f"broad.{kind}.says").strip().splitlines())


@functools.cache
def _asks(kind: str, language: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{table(language, f'broad.{kind}.asks')})(?!\w)", re.IGNORECASE)
