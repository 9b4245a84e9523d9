"""Dates as questions write them, in German, English, French, Portuguese and Ukrainian."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text.figures import FULL_MONTH, MONTHS, OF, ORDINAL, THROUGH

_YEAR = r"(?:19|20)\d\d"
DATE = re.compile(
    rf"\b(?:{_YEAR}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]{_YEAR}"
    rf"|(?:\d{{1,2}}{ORDINAL}{THROUGH})?\d{{1,2}}{ORDINAL}{OF}\s+(?:{FULL_MONTH})\b(?:,?{OF}\s+{_YEAR}\b)?"
    rf"|(?:{FULL_MONTH})\s+\d{{1,2}}(?!\d){ORDINAL}(?:,?\s+{_YEAR}\b)?"
    rf"|(?:{FULL_MONTH}){OF}\s+{_YEAR}\b"
    rf"|(?:in|im|en|em)\s+(?:{FULL_MONTH})\b(?!\s+\d)|(?!(?:may|march|mars|mai)\b)(?:{FULL_MONTH})\b"
    rf"|{_YEAR}\b)(?:\s+р(?:оку|оці|ік|\.))?",
    re.IGNORECASE,
)
"""A day, a month or a year; a month alone only if its name is no other word (may), or after „im“."""
_FIGURES, _WORDS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Days:
    """A range of days, both ends included, None for an open end; without a year where the question has none.

    Written as ISO dates, or as `MM-DD` of any year (`yearless`).
    """

    first: str | None
    last: str | None
    yearless: bool = False

    def ranged(self, how: str) -> Days | None:
        """The days `before`, `after`, `since` or `until` these; None where the year is not said."""
        if self.yearless or self.first is None or self.last is None:
            return None
        ends = {
            "before": (None, _moved(self.first, -1)),
            "after": (_moved(self.last, 1), None),
            "since": (self.first, None),
            "until": (None, self.last),
        }
        return Days(*ends[how])

    def through(self, other: Days) -> Days | None:
        """The range between two: „vom 15. bis zum 19. August 2025“; None where the years are unclear."""
        if self.yearless and not other.yearless and self.first and other.first:
            return Days(f"{other.first[:4]}-{self.first}", other.last)
        return Days(self.first, other.last, self.yearless) if self.yearless == other.yearless else None


def days_of(written: str) -> Days | None:
    """The days that a match of `DATE` means; None for a date that does not exist."""
    figures = _FIGURES.findall(written)
    year = next((int(each) for each in figures if len(each) == 4), None)
    small = [int(each) for each in figures if len(each) < 4]
    named = (MONTHS.get(word.lower()) for word in _WORDS.findall(written))
    month = next((number for number in named if number), None)
    if month is None and len(small) == 2:
        month, *small = small if len(figures[0]) == 4 else small[::-1]
    try:
        first = _days(year, month, small[0] if small else None)
        return first.through(_days(year, month, small[-1])) if len(small) > 1 else first
    except ValueError:
        return None


def _days(year: int | None, month: int | None, day: int | None) -> Days:
    """Raises ValueError for a date that does not exist."""
    if month is None:
        return Days(f"{year}-01-01", f"{year}-12-31")
    whole = calendar.monthrange(year or 2024, month)[1]  # without a year, any leap year will do
    first, last = date(year or 2024, month, day or 1), date(year or 2024, month, day or whole)
    cut = 0 if year else len("2024-")
    return Days(first.isoformat()[cut:], last.isoformat()[cut:], year is None)


def _moved(day: str, by: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=by)).isoformat()
