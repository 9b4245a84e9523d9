"""The publication dates as a plot: what `timeline.html` draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.i18n import Words

Unit = Literal["day", "week", "month", "year"]

_LEAST_BARS = 12  # fewer would be so wide that they are no bars any more
_HEIGHT = 100
_BAR = 0.72  # of the room for it
_LABELS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time from `start`: how many articles appeared in it, and how many of these are found."""

    start: date
    articles: int
    found: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the plot, as wide as a bar; a unit of `x` is a bar with the room beside it."""

    kind: Literal["rest", "hit"]
    x: float
    height: float
    width: float = _BAR

    @property
    def y(self) -> float:
        """Its upper edge, from the top."""
        return _HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bar as it is drawn: all its articles behind, the found ones before them; and the days it is of."""

    name: str
    boxes: tuple[Box, ...]
    at: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Tick:
    """A name below the plot, and where."""

    percent: float
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What the template draws; without dates there are no bars."""

    unit: Unit = "day"
    bars: tuple[Drawn, ...] = ()
    ticks: tuple[Tick, ...] = ()
    width: int = 0
    most: int = 0
    told: str = ""
    undated: int = 0
    height: int = _HEIGHT


def plot_of(published: Sequence[date | None], found: Sequence[date | None], words: Words) -> Plot | None:
    """The plot of all dates, those of the `found` articles in colour, and how many have none.

    None without articles.
    """
    days = [day for day in published if day]
    hits = [day for day in found if day]
    if not days:
        return Plot() if published else None
    unit = unit_for(min(days), max(days))
    counts = bars(days, hits, unit)
    most = max(bar.articles for bar in counts)
    return Plot(
        unit,
        tuple(_drawn(at, bar, most, unit, words) for at, bar in enumerate(counts) if bar.articles),
        tuple(_ticks(counts, unit, words)),
        len(counts),
        most,
        _description(counts, hits, unit, words),
        len(found) - len(hits),
    )


def unit_for(first: date, last: date) -> Unit:
    """The stretch of time of a bar, so that there are few enough to tell them apart.

    >>> unit_for(date(2025, 8, 15), date(2025, 8, 19)), unit_for(date(1990, 1, 1), date(2025, 8, 19))
    ('day', 'year')
    """
    days = (last - first).days
    return "day" if days <= 62 else "week" if days <= 400 else "month" if days <= 2200 else "year"


def bars(published: Sequence[date], found: Sequence[date], unit: Unit) -> list[Bar]:
    """A bar for each unit from the first to the last date, with empty ones around them if there are few."""
    start = _STARTS[unit]
    articles, hits = Counter(map(start, published)), Counter(map(start, found))
    low, high = min(articles), max(articles)
    starts = list(_from_to(low, high, unit))
    while len(starts) < _LEAST_BARS:
        starts.append(_following(starts[-1], unit))
        if len(starts) < _LEAST_BARS:
            starts.insert(0, start(starts[0] - timedelta(days=1)))
    return [Bar(day, articles[day], hits[day]) for day in starts]


def _drawn(at: int, bar: Bar, most: int, unit: Unit, words: Words) -> Drawn:
    told = (
        words("articles.count", n=bar.found)
        if bar.found == bar.articles
        else words("articles.found", shown=bar.found, all=bar.articles)
    )
    boxes = [_box("rest", at, bar.articles, most)] if bar.found < bar.articles else []
    boxes += [_box("hit", at, bar.found, most)] if bar.found else []
    last = _following(bar.start, unit) - timedelta(days=1)
    return Drawn(f"{_name(bar.start, unit, words)}: {told}", tuple(boxes), at, bar.start, last)


def _box(kind: Literal["rest", "hit"], at: int, value: int, most: int) -> Box:
    return Box(kind, at + (1 - _BAR) / 2, max(2.0, _HEIGHT * value / most))


def _description(counts: Sequence[Bar], hits: Sequence[date], unit: Unit, words: Words) -> str:
    if not hits:
        return words("timeline.empty")
    peak = max(counts, key=lambda bar: bar.found)
    return words(
        "timeline.text",
        articles=words("articles.count", n=len(hits)),
        per=words(f"timeline.per.{unit}"),
        range=words.dates(min(hits), max(hits)),
        most=peak.found,
        peak=_name(peak.start, unit, words),
    )


def _ticks(counts: Sequence[Bar], unit: Unit, words: Words) -> Iterator[Tick]:
    """Names of a few bars, evenly apart, each where its bar is."""
    step = -(-len(counts) // _LABELS)
    for at in range((len(counts) - 1) % step // 2, len(counts), step):
        yield Tick(100 * (at + 0.5) / len(counts), _tick(counts[at].start, unit, words))


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


def _from_to(low: date, high: date, unit: Unit) -> Iterator[date]:
    while low <= high:
        yield low
        low = _following(low, unit)
