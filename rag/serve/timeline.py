"""The publication dates as a plot: bars in SVG, drawn on the server; the table is its alternative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.serve.article_strings import ArticleStrings, article_strings, short_date
from rag.serve.markup import html_text
from rag.serve.strings import Strings, article_count, counted, date_range, number

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


def timeline(published: Sequence[date | None], found: Sequence[date | None], words: Strings) -> str:
    """The plot of all dates, those of the `found` articles in colour, and how many have none."""
    text = article_strings(words)
    days = [day for day in published if day]
    hits = [day for day in found if day]
    undated = counted(text.undated, len(found) - len(hits), words) if len(found) > len(hits) else ""
    note = f'<p class="undated">{html_text(undated)}</p>' if undated else ""
    if not days:
        plot = f'<p class="undated">{html_text(text.timeline_empty)}</p>' if published else ""
        return f'<figure class="timeline">{plot}</figure>' if plot else ""
    unit = unit_for(min(days), max(days))
    counts = bars(days, hits, unit)
    return (
        f'<figure class="timeline"><figcaption>{html_text(text.each[unit])}</figcaption>'
        f'<div class="plot"><span aria-hidden="true">{number(_most(counts), words)}</span>'
        f"{_svg(counts, hits, unit, words)}</div>"
        f'<div class="axis" aria-hidden="true">{_labels(counts, unit, text)}</div>{note}</figure>'
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


def _most(counts: Sequence[Bar]) -> int:
    return max(bar.articles for bar in counts)


def _svg(counts: Sequence[Bar], hits: Sequence[date], unit: Unit, words: Strings) -> str:
    most = _most(counts)
    drawn = "".join(_bar(at, bar, most, unit, words) for at, bar in enumerate(counts) if bar.articles)
    text = article_strings(words)
    return (
        f'<svg role="img" aria-labelledby="zeit-titel zeit-text" viewBox="0 0 {len(counts)} {_HEIGHT}"'
        f' preserveAspectRatio="none"><title id="zeit-titel">{html_text(text.timeline)}</title>'
        f'<desc id="zeit-text">{html_text(_description(counts, hits, unit, words))}</desc>{drawn}</svg>'
    )


def _bar(at: int, bar: Bar, most: int, unit: Unit, words: Strings) -> str:
    text = article_strings(words)
    name = f"{_name(bar.start, unit, text)}: {article_count(bar.found, words)}"
    if bar.found != bar.articles:
        name = f"{_name(bar.start, unit, text)}: " + text.found.format(
            shown=number(bar.found, words), all=number(bar.articles, words)
        )
    rest = _rectangle(at, bar.articles, most, "rest") if bar.found < bar.articles else ""
    hit = _rectangle(at, bar.found, most, "hit") if bar.found else ""
    return f"<g><title>{html_text(name)}</title>{rest}{hit}</g>"


def _rectangle(at: int, value: int, most: int, css: str) -> str:
    height = max(2.0, _HEIGHT * value / most)
    x = at + (1 - _BAR) / 2
    return (
        f'<rect class="{css}" x="{x:.2f}" y="{_HEIGHT - height:.1f}" width="{_BAR}" height="{height:.1f}"/>'
    )


def _description(counts: Sequence[Bar], hits: Sequence[date], unit: Unit, words: Strings) -> str:
    text = article_strings(words)
    if not hits:
        return text.timeline_empty
    peak = max(counts, key=lambda bar: bar.found)
    return text.timeline_text.format(
        articles=article_count(len(hits), words),
        per=text.per[unit],
        range=date_range(min(hits), max(hits), words),
        most=number(peak.found, words),
        peak=_name(peak.start, unit, text),
    )


def _labels(counts: Sequence[Bar], unit: Unit, text: ArticleStrings) -> str:
    """Names of a few bars, evenly apart, each where its bar is."""
    step = -(-len(counts) // _LABELS)
    first = (len(counts) - 1) % step // 2
    names = {at: _tick(counts[at].start, unit, text) for at in range(first, len(counts), step)}
    return "".join(
        f'<span style="--at:{(at + 0.5) / len(counts):.2%}">{html_text(name)}</span>'
        for at, name in names.items()
    )


def _tick(day: date, unit: Unit, text: ArticleStrings) -> str:
    if unit in ("month", "year"):
        return _name(day, unit, text)
    return short_date(day, text).removesuffix(f" {day.year}")


def _name(day: date, unit: Unit, text: ArticleStrings) -> str:
    if unit == "year":
        return str(day.year)
    if unit == "month":
        return f"{text.short_months[day.month - 1]} {day.year}"
    return text.week_of.format(day=short_date(day, text)) if unit == "week" else short_date(day, text)


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
