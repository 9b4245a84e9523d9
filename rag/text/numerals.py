"""Number words, months and weekdays of the languages that readers and articles use."""

from __future__ import annotations

import re

from rag.text.languages import LANGUAGES, table


def _numbered(name: str, first: int) -> dict[str, int]:
    """The words of all languages by their place in their language's list."""
    return {
        form: number
        for language in LANGUAGES
        for number, forms in enumerate(table(language, name).split(), first)
        for form in forms.split("/")
    }


def _valued(name: str, *languages: str) -> dict[str, float]:
    """Words by the value under which their language's table has them."""
    return {
        word.replace("_", " "): float(value)
        for language in languages or LANGUAGES
        for value, words in table(language, name).items()
        for word in words.split()
    }


MONTHS = _numbered("calendar.months", 1)
WEEKDAYS = _numbered("calendar.weekdays", 0)
SCALES = dict(sorted(_valued("numbers.scales").items(), key=lambda scale: -len(scale[0])))
"""What multiplies the number before it; a word stands before the words that begin it."""

FRACTIONS = _valued("numbers.fractions")

_WORDS = {language: _valued("numbers.words", language) for language in LANGUAGES}
_GERMAN_ORDINALS = _valued("numbers.ordinals", "de")
_GERMAN = {"ein": 1.0} | _WORDS["de"]


def _any(least: float, below: float) -> str:
    """A pattern of the German number words from one value to below another, the longest first."""
    fitting = (word for word, value in _GERMAN.items() if least <= value < below)
    return "|".join(sorted(fitting, key=len, reverse=True))


_SPOKEN = re.compile(
    rf"(?:(?P<thousands>{_any(2, 100)}|ein)?(?P<thousand>tausend))?"
    rf"(?:(?P<hundreds>{_any(1, 10)})?(?P<hundred>hundert))?(?:und)?"
    rf"(?:(?P<one>{_any(1, 10)})und(?P<ten>{_any(20, 100)})|(?P<plain>{_any(2, 100)}))?(?P<half>einhalb)?"
    r"(?:mal\w{0,3}|fach\w{0,2}|(?:jähr|stünd|täg|minüt|wöch|monat|köpf|seit|stell|teil|strahl)\w+)?"
)


def word_value(word: str, language: str) -> float | None:
    """The value of a number word in lower case, None for any other; `ein` and `one` are none."""
    word = word.replace("’", "'")
    if word in FRACTIONS:
        return FRACTIONS[word]
    if language != "de":
        first, _, second = word.partition("-")
        known = _WORDS.get(language, _WORDS["en"])
        if second and first in known:
            return known[first] + known[second] if second in known and known[first] >= 20 else known[first]
        return known.get(word)
    return _GERMAN_ORDINALS.get(word.rstrip("nmsr")) or _german_value(word)


def _german_value(word: str) -> float | None:
    match = _SPOKEN.fullmatch(word)
    if match is None or not any(match[name] for name in ("thousand", "hundred", "one", "plain")):
        return None
    of = {name: _GERMAN.get(match[name] or "", 0.0) for name in match.groupdict()}
    value = sum(of[name] for name in ("one", "ten", "plain"))
    value += 1000 * (of["thousands"] or 1) if match["thousand"] else 0
    value += 100 * (of["hundreds"] or 1) if match["hundred"] else 0
    return value + 0.5 if match["half"] else value
