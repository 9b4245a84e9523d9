"""What kind of answer a question asks for, and whether a sentence offers one."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.schema import Span
from rag.text.analysis import language_of, words
from rag.text.languages import LANGUAGES, pattern, table

# for these kinds capitals do not matter, and matching in lower case takes half the time of IGNORECASE
_IN_SMALL_LETTERS = frozenset({"number", "duration", "reason", "definition"})

_DIGIT = re.compile(r"\d")

_CAPITAL = "A-ZÀ-ÖØ-ÞŒА-ЯЄІЇҐ"
_NAME = rf"[{_CAPITAL}][\w’'-]+"
# the order matters: "how old" asks for an age, not for just any number
_KINDS = ("date", "duration", "age", "number", "person", "place", "reason", "definition")
_ASKS = {kind: re.compile(pattern(f"asks.{kind}"), re.IGNORECASE) for kind in _KINDS}


def _offers(language: str) -> dict[str, re.Pattern[str]]:
    """What an answer of each kind looks like in an article."""

    def told(name: str) -> str:
        return pattern(f"offers.{name}", language)

    calendar = told("calendar") + (table(language, "offers.ending") or "")
    return {
        "date": re.compile(
            rf"\b(?:1\d|20)\d\d\b|\d(?:\.|st|nd|rd|th|er)? ?(?:de )?{calendar}"
            rf"|\b{calendar}\b(?:\.? \d{{1,2}}\b(?!:))?|{told('then')}"
        ),
        "number": re.compile(rf"\d[\d.,]*|\b{told('numbers')}\w*"),
        "duration": re.compile(
            rf"(?:\d|\b(?:{told('numbers')}|{told('one')})\w*).{{0,12}}?{told('units')}\w*"
        ),
        "age": re.compile(told("age")),
        # not at the beginning of a sentence, where everything has a capital
        "person": re.compile(rf"(?<![.!?“„] )(?<!^){_NAME} (?:{told('particles')} )?{_NAME}"),
        "place": re.compile(rf"\b(?i:{told('places')})\b {told('before_place')}[{_CAPITAL}]\w+"),
        "reason": re.compile(rf"\b{told('reasons')}\b"),
        "definition": re.compile(rf"\b{told('copulas')}\b"),
    }


def _dates(language: str) -> re.Pattern[str]:
    """Dates, whose figures are not counts: „am 15. August 2025“, „seit 2014“; not „2014 Menschen“."""
    written = table(language, "calendar.written").replace(" ", "|")
    other = table(language, "offers.other_months")  # also short ones
    month = f"(?:{written}|{other})" if other else f"(?:{written})"
    behind = table(language, "offers.behind_a_count")
    counted = rf"(?! {behind})" if behind else ""
    return re.compile(
        rf"\b\d{{1,2}}(?:\.|st|nd|rd|th|er)? ?(?:de )?{month}(?:,? (?:de )?\d{{4}})?"
        rf"|\b{month} (?:\d{{1,2}}\b(?:st|nd|rd|th)?(?:, \d{{4}})?|\d{{4}})|\b(?:1[5-9]|20)\d\d\b{counted}"
    )


_OFFERS = {language: _offers(language) for language in LANGUAGES}
_DATES = {language: _dates(language) for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Cue:
    """The kind of answer that a question asks for, and its own words, which cannot be the answer."""

    kind: str
    own_words: frozenset[str]

    def offered_by(self, sentence: str, language: str | None = "de") -> bool:
        """Whether a sentence in `language` has something of that kind that is not in the question."""
        return any(True for _ in self.spans(sentence, language))

    def spans(self, sentence: str, language: str | None = "de") -> Iterator[Span]:
        """Where in the sentence that is, as offsets."""
        language, read = language_of(language), sentence
        if self.kind == "number" and _DIGIT.search(sentence):
            read = without_dates(sentence, language)
        if self.kind in _IN_SMALL_LETTERS:
            read = read.lower()
        for match in _OFFERS[language][self.kind].finditer(read):
            if not {word.lower() for word in words(match.group())} <= self.own_words:
                yield match.span()


def dates_in(sentence: str, language: str | None) -> list[Span]:
    """Spans of the whole dates in a sentence in `language`."""
    return [date.span() for date in _DATES[language_of(language)].finditer(sentence)]


def without_dates(sentence: str, language: str) -> str:
    """The sentence with its dates blanked, so that their figures are not taken for counts."""
    return _DATES[language].sub(lambda date: " " * len(date[0]), sentence)


@functools.lru_cache(maxsize=1_000)
def cue_of(question: str) -> Cue | None:
    """The kind of answer that a question in any of our languages asks for; None for no particular kind."""
    for kind, asks in _ASKS.items():
        if asks.search(question.strip()):
            return Cue(kind, frozenset(word.lower() for word in words(question)))
    return None
