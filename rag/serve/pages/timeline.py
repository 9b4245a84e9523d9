"""The publication dates as a plot: what `timeline.html` draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.i18n import Words

Unit = Literal["day", "week", "month", "year"]

_LEAST_BARS = 12  # fewer would be so wide that they are no bars any more
_LABELS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of days, both included: how many articles appeared in it, and how many of these are found."""

    first: date
    last: date
    name: str
    articles: int
    found: int


@dataclass(frozen=True, slots=True)
class Plot:
    """What the template draws, `ticks` being names below it and where, in per cent; no bars without dates."""

    unit: Unit = "day"
    bars: tuple[Bar, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    most: int = 0
    told: str = ""
    undated: int = 0


def plot_of(published: Sequence[date | None], found: Sequence[date | None], words: Words) -> Plot | None:
    """The plot of all dates, those of the `found` articles in colour, and how many have none.

    None without articles.
    """
    days = [day for day in published if day]
    hits = [day for day in found if day]
    if not days:
        return Plot() if published else None
    unit = unit_for(min(days), max(days))
    drawn = bars(days, hits, unit, words)
    peak, told = max(drawn, key=lambda bar: bar.found), words("timeline.empty")
    if hits:
        told = words(
            "timeline.text",
            articles=words("articles.count", n=len(hits)),
            per=words(f"timeline.per.{unit}"),
            range=words.dates(min(hits), max(hits)),
            most=peak.found,
            peak=_name(peak.first, unit, words),
        )
    step = -(-len(drawn) // _LABELS)
    ticks = [
        (100 * (at + 0.5) / len(drawn), _tick(drawn[at].first, unit, words))
        for at in range((len(drawn) - 1) % step // 2, len(drawn), step)
    ]
    most = max(bar.articles for bar in drawn)
    return Plot(unit, tuple(drawn), tuple(ticks), most, told, len(found) - len(hits))


def unit_for(first: date, last: date) -> Unit:
    """The period of a bar, long enough to keep the number of bars small.

    >>> unit_for(date(2025, 8, 15), date(2025, 8, 19)), unit_for(date(1990, 1, 1), date(2025, 8, 19))
    ('day', 'year')
    """
    days = (last - first).days
    return "day" if days <= 62 else "week" if days <= 400 else "month" if days <= 2200 else "year"


def bars(published: Sequence[date], found: Sequence[date], unit: Unit, words: Words) -> list[Bar]:
    """A bar for each unit from the first to the last date, with empty ones around them if there are few."""
    start = _STARTS[unit]
    articles, hits = Counter(map(start, published)), Counter(map(start, found))
    starts, end = [min(articles)], max(articles)
    while starts[-1] < end:
        starts.append(_following(starts[-1], unit))
    while len(starts) < _LEAST_BARS:
        starts.append(_following(starts[-1], unit))
        if len(starts) < _LEAST_BARS:
            starts.insert(0, start(starts[0] - timedelta(days=1)))
    made = []
    for day in starts:
        shown, all_of_them = hits[day], articles[day]
        told = (
            words("articles.count", n=shown)
            if shown == all_of_them
            else words("articles.found", shown=shown, all=all_of_them)
        )
        last = _following(day, unit) - timedelta(days=1)
        made.append(Bar(day, last, f"{_name(day, unit, words)}: {told}", all_of_them, shown))
    return made


def _tick(day: date, unit: Unit, words: Words) -> str:
    if unit in ("month", "year"):
        return _name(day, unit, words)
    return words.short_date(day).removesuffix(f" {day.year}")


def _name(day: date, unit: Unit, words: Words) -> str:
    if unit == "year":
        return str(day.year)
    if unit == "month":
        return f"{words.at('format.short_months')[day.month - 1]} {day.year}"
    return words("timeline.week_of", day=words.short_date(day)) if unit == "week" else words.short_date(day)


_STARTS: dict[Unit, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "year": lambda day: day.replace(month=1, day=1),
}
_AT_MOST = {"day": 1, "week": 7, "month": 31, "year": 366}


def _following(day: date, unit: Unit) -> date:
    return _STARTS[unit](day + timedelta(days=_AT_MOST[unit]))
