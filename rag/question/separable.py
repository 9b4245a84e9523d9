"""Joins separated German verbs: „Sie gab das Amt … ab“ is abgeben, not geben."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.question.glossary import is_german
from rag.text.analysis import infinitive, key, tokens
from rag.text.languages import word_set

_PARTICLES = word_set("words.particles", "de")
_CLAUSE = re.compile(r"[^,;:.!?()–—„“”]+")
_BEFORE_AND = re.compile(r"\s+(?:und|oder|sowie|aber)\b")
_WEAK_ENDING = re.compile(r"(?:e?te[nt]?|e?test|e?s?t|en?)$")
_LEAST_LENGTH = 3


@dataclass(frozen=True, slots=True)
class SeparatedVerb:
    """A verb and its particle, as offsets in the text, and the search key of the joined verb."""

    verb: int
    particle: int
    key: str


def separated_verbs(text: str) -> list[SeparatedVerb]:
    """The verbs of German `text` whose particle is apart, at the end of the clause."""
    return [
        found for clause in _CLAUSE.finditer(text) for found in _in_clause(clause.group(), clause.start())
    ]


def _in_clause(clause: str, offset: int) -> Iterator[SeparatedVerb]:
    words = tokens(clause)
    for place, (particle, start, end) in enumerate(words):
        ends = place == len(words) - 1 or _BEFORE_AND.match(clause, end)
        if place and ends and particle.lower() in _PARTICLES:
            for word, begin, _ in words[:place]:
                joined = _joined(word, particle.lower())
                if joined:
                    yield SeparatedVerb(offset + begin, offset + start, joined)
                    break


def _joined(word: str, particle: str) -> str | None:
    """The search key of particle and verb joined, if that is a German word."""
    lower = word.lower()
    if len(lower) < _LEAST_LENGTH or word[0].isupper():
        return None
    for base in (infinitive(lower), _WEAK_ENDING.sub("", lower) + "en"):
        if base.endswith("n") and is_german(particle + base):
            return key(particle + base)
    return None
