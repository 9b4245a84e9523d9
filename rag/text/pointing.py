"""Sentences that go on from the one before: they open with a pronoun, or a word of time that points back."""

from __future__ import annotations

import re

from rag.text.languages import LANGUAGES, pattern

_BACK, _PRONOUN = (
    {each: re.compile(rf"[„“\"(«]?{pattern(name, each)}\b") for each in LANGUAGES}
    for name in ("opens.back", "opens.pronoun")
)


def points_back(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a word that means something said before, by its article's language."""
    return _BACK[language].match(sentence) is not None


def opens_with_pronoun(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a pronoun, so that only the one before names whom or what it means."""
    return _PRONOUN[language].match(sentence) is not None
