"""What Beleg itself says in an answer, by language (English for any other)."""

from __future__ import annotations

from rag.text.languages import LANGUAGES, table


def declined(language: str) -> str:
    """The sentence that declines a question."""
    return _said("declined", language)


def unverified(language: str) -> str:
    """The sentence that withholds an answer which the articles do not bear out."""
    return _said("unverified", language)


def comes_nearest(language: str) -> str:
    """The line above places that may answer a question, and may not."""
    return _said("nearest", language)


def too_many(language: str) -> str:
    """The sentence that says that the questions after the fourth are left."""
    return _said("too_many", language)


def stand_in(withheld: bool, language: str) -> str:
    """What stands above verbatim sentences in place of a model's answer: withheld, or none given."""
    return f"{_said('stands_in', language)} {_said('unproven' if withheld else 'unanswered', language)}"


def _said(name: str, language: str) -> str:
    return str(table(language if language in LANGUAGES else "en", f"says.{name}"))


NEAREST = frozenset(comes_nearest(language) for language in LANGUAGES)
NOTICES = NEAREST | {stand_in(withheld, language) for withheld in (True, False) for language in LANGUAGES}
"""What stands above quotations and is no part of what they say."""
