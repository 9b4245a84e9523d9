"""Follow-up questions: what an elliptic question leaves out is carried over from the history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.analysis import tokens, words
from rag.query import STOP, detect_language
from rag.schema import Message

ASKED_WEIGHT = 0.5
ANSWERED_WEIGHT = 0.35
EXCHANGES = 2
FADING = 0.5
MESSAGE_LIMIT = 2000
"""Characters of an earlier message that count: as many as a question may have."""

_MARKER = re.compile(r"\[\d+(?:[,;–-]\s*\d+)*\]")
_CONJUNCTION = re.compile(r"^(?:und|aber|also|and|but|so|et|mais|e|mas|і|а|та|але)\b", re.IGNORECASE)
_REFERS_BACK = re.compile(
    r"\b(?:er|ihm|ihn|sie|ihnen|ihr|ihre[mnrs]?|sein|seine[mnrs]?|dessen|deren|dies|dieser|diese[mns]?|dazu|davon|daran|dabei"
    r"|dafür|dagegen|darüber|darauf|damit|dort|damals|danach|davor|he|him|his|she|her|they|them|their|it|its"
    r"|this|these|those|there|il|elle|ils|elles|lui|leur|cela|ce|ele|ela|eles|elas|isso|isto|він|вона|вони"
    r"|його|її|їх|це|цей|там|тоді)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\b(?:das|that|ça|так)\b\W*$|\b(?:das|that)\s+(?:war|ist|was|is)?\W*$", re.IGNORECASE)
# the noun of "welche Bedingungen", "how many soldiers": asked for, so that no pronoun means it
_ASKED_NOUN = re.compile(
    r"\b(?:welche[mnrs]?|was für(?: eine?[mnrs]?)?|wie ?viele?n?|which|what|how (?:many|much))\s+(\w+)",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|are|was|were) there\b|\bis it (?:true|possible|likely)\b|\best-ce que?\b|(?<=, )damit\b",
    re.IGNORECASE,
)
_FEW_WORDS = 1


@dataclass(frozen=True, slots=True)
class Context:
    """Earlier text whose words still count, each with a weight from 0 to 1."""

    text: str
    weight: float


def recent(history: Sequence[Message], turns: int) -> tuple[Message, ...]:
    """The last messages of a conversation, each cut to `MESSAGE_LIMIT`: all of it that is ever used."""
    last = history[max(0, len(history) - turns) :]
    return tuple(Message(message.role, message.content[:MESSAGE_LIMIT]) for message in last)


def context_for(question: str, history: Sequence[Message]) -> tuple[Context, ...]:
    """The history that a question needs, nearest first; empty when it stands alone."""
    if not history or stands_alone(question):
        return ()
    contexts = []
    fading = 1.0
    for message in reversed(history[-2 * EXCHANGES :]):
        weight = ASKED_WEIGHT if message.role == "user" else ANSWERED_WEIGHT
        contexts.append(Context(_MARKER.sub("", message.content), weight * fading))
        if message.role == "user":
            fading *= FADING
    return tuple(contexts)


def stands_alone(question: str) -> bool:
    """Whether a question can be understood without what was said before.

    It cannot when it opens like a follow-up, points back with a pronoun before it has named
    anything, or has hardly a word of its own.
    """
    language = detect_language(question)
    own = [(word, start) for word, start, _ in tokens(question) if word.lower() not in STOP[language]]
    if _CONJUNCTION.match(question) or _POINTS.search(question) or len(own) <= _FEW_WORDS:
        return False
    pronoun = _REFERS_BACK.search(_EXPLETIVE.sub(lambda match: "·" * len(match.group()), question))
    if pronoun is None:
        return True
    asked = {match.start(1) for match in _ASKED_NOUN.finditer(question)}
    named = [start for word, start in own if word[0].isupper() and start > 0 and start not in asked]
    return bool(named) and named[0] < pronoun.start()


def standalone(question: str, contexts: Sequence[Context]) -> str:
    """The question with the words it leans on, for people to read."""
    if not contexts:
        return question
    said = {word.lower() for word in words(question)}
    carried: dict[str, None] = {}
    for context in contexts:
        stop = STOP[detect_language(context.text)]
        for word in words(context.text):
            if word.lower() not in stop and word.lower() not in said:
                carried.setdefault(word)
    return f"{question} ({', '.join(list(carried)[:8])})" if carried else question
