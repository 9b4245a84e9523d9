"""Recognises a reply that declines, by the agreed word (the sentinel) or in the model's own words."""

import re

from rag.text.languages import pattern
from rag.verification.facts import facts

SENTINEL_LENGTH = 16
"""Characters of a reply that are held back until it is clear whether it begins with the sentinel."""

_SENTINEL = re.compile(r"[\W_]*(?:KEINE[_ ]?ANTWORT|NO[_ ]?ANSWER)\b[\W_]*")
_ALONE = re.compile(rf"[\W_]*{pattern('declines.alone')}[\W_]*", re.IGNORECASE)
_OF_THE_SOURCES = re.compile(
    rf"(?=.*\b{pattern('declines.sources')}\b).*\b{pattern('declines.says')}\b", re.IGNORECASE | re.DOTALL
)
_OF_ITSELF = re.compile(
    rf"(?=.*\b{pattern('declines.self')}\b).*\b{pattern('declines.knows')}\b", re.IGNORECASE | re.DOTALL
)


def is_sentinel(text: str) -> bool:
    """Whether these words are only the sentinel, or a variant of it."""
    return _SENTINEL.fullmatch(text) is not None or _ALONE.fullmatch(text) is not None


def begins_with_sentinel(text: str) -> bool:
    """Whether a reply begins with the sentinel, whatever follows."""
    return _SENTINEL.match(text) is not None


def declines(sentence: str) -> bool:
    """Whether a sentence says in its own words that the passages do not answer."""
    said = facts(sentence)
    about = _OF_THE_SOURCES.match(sentence) or _OF_ITSELF.match(sentence)
    return about is not None and said.negations > 0 and not (said.numbers or said.days or said.quotes)
