"""Facts in a sentence that can be checked exactly: numbers, dates, quotations, negation.

Numbers are compared by value, however they are written („fünfmal“, „5“, "five times"), dates by
day and month, with weekdays and „heute“ resolved against the day of publication.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text.figures import WEEKDAYS, Day, written
from rag.text.languages import pattern, table
from rag.text.normalize import lower_case

_WEEKDAY = re.compile(
    rf"\b({'|'.join(WEEKDAYS)})(?:s|abend|morgen|nacht|mittag|nachmittag|vormittag)?\b", re.I
)
_RELATIVE = {word: days for each in ("de", "en") for word, days in table(each, "calendar.relative").items()}
_RELATIVE_WORD = re.compile(rf"(?<!am )(?<!guten )\b(?:{'|'.join(_RELATIVE)})\b")
_QUOTE = re.compile(r"„([^„“”\"]+)[“”\"]|“([^“”]+)”|»([^»«]+)«|«\s?([^«»]+?)\s?»|\"([^\"]+)\"")
_ELLIPSIS = re.compile(r"\s*(?:\[?…\]?|\[?\.\.\.\]?)\s*")
_NEGATION = re.compile(rf"\b{pattern('claims.denies')}\b|n't\b", re.IGNORECASE)
_EARLIEST = 1500
"""A number from this one up to the year of publication may be a year."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a text. `numbers` by value, without those of dates; `days` as written or resolved;
    `weekdays` from 0 (Monday) to 6; `quotes` folded."""

    numbers: frozenset[float]
    days: frozenset[Day]
    weekdays: frozenset[int]
    quotes: tuple[str, ...]
    negations: int


def facts(text: str, language: str = "de", published: date | None = None) -> Facts:
    """The facts of a text; with the day of publication „gestern“ and „am Freitag“ are resolved to days."""
    read = list(written(text, language))
    days = {day for each in read for day in each.days}
    weekdays = {WEEKDAYS[lower_case(match[1])] for match in _WEEKDAY.finditer(text)}
    if published:
        away = [_RELATIVE[word] for word in _RELATIVE_WORD.findall(text.lower())]
        # the days of that name in the week before publication, on it, and in the week after
        away += [after - (published.weekday() - day) % 7 for day in weekdays for after in (0, 7)]
        named = (published + timedelta(n) for n in away)
        days |= {(day.year, day.month, day.day) for day in named}
    numbers, negations = {number for each in read for number in each.numbers}, len(_NEGATION.findall(text))
    quotes = tuple(quotations(text))
    return Facts(frozenset(numbers), frozenset(days), frozenset(weekdays), quotes, negations)


def besides_facts(text: str, language: str) -> str:
    """The words of a text without its dates and figures, which are compared by value."""
    for each in sorted(written(text, language), key=lambda each: each.start, reverse=True):
        said = text[each.start : each.end]
        if each.days or any(char.isnumeric() for char in said):
            text = f"{text[: each.start]} · {text[each.end :]}"
    return _WEEKDAY.sub(" · ", text)


def missing(claim: Facts, source: Facts, source_text: str, published: date | None) -> list[str]:
    """The kinds of facts that the claim has and the source has not: `number`, `date`, `quote`, each once."""
    lacks = []
    years = {year for year, _, _ in source.days if year}
    if published and not years.union(n for n in source.numbers if _EARLIEST <= n <= published.year):
        years = {published.year}  # the source may leave out the year of its own publication
    if any(number not in source.numbers and number not in years for number in claim.numbers):
        lacks.append("number")
    if not all(_said(day, source.days, published) for day in claim.days) or not all(
        weekday in source.weekdays or _falls_on(weekday, source.days, published) for weekday in claim.weekdays
    ):
        lacks.append("date")
    words = fold_quote(source_text)
    if any(quote not in words for quote in claim.quotes):
        lacks.append("quote")
    return lacks


def quotations(text: str) -> Iterator[str]:
    """The quotations of a text, folded by `fold_quote`; one with an omission counts as several."""
    for found in _QUOTE.finditer(text):
        inner = next(group for group in found.groups() if group)
        yield from filter(None, (fold_quote(part) for part in _ELLIPSIS.split(inner)))


def fold_quote(text: str) -> str:
    """The form in which quotations are compared: letters and digits in lower case, one space between
    words."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def _said(day: Day, said: frozenset[Day], published: date | None) -> bool:
    year, month, number = day
    default = published.year if published else None
    return any(
        month == other_month
        and number in (None, other_number)
        and (year is None or (other_year or default) in (None, year))
        for other_year, other_month, other_number in said
    )


def _falls_on(weekday: int, days: frozenset[Day], published: date | None) -> bool:
    for stated, month, number in days:
        year = stated or (published.year if published else None)
        with contextlib.suppress(ValueError):
            if year and number and date(year, month, number).weekday() == weekday:
                return True
    return False
