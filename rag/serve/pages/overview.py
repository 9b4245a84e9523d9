"""The dossier at a glance: publication dates as a plot, and for the start page outlets, people and places."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from rag.answering.claims import Claim
from rag.answering.disagreement import Difference
from rag.i18n import Words
from rag.question.known import places
from rag.question.suggest import answerable, speakers
from rag.schema import Filters, cite
from rag.serve.links import citation_path
from rag.serve.pages.catalogue import Catalogue, address_of
from rag.serve.views import fragment, shortened

Unit = Literal["day", "week", "month", "year"]

_LEAST_BARS = 12  # fewer would be so wide that they are no bars any more
_LABELS = 5
_READ = 200  # articles that are read for names; the start page waits for this once
_NAMES = 5
_DIFFERENCES, _LONGEST = 3, 90


class Overview:
    """The overview of a library, made once per revision."""

    def __init__(self, catalogue: Catalogue, differing: Callable[[], Sequence[Difference]]) -> None:
        self.catalogue, self._differing = catalogue, differing
        self._names_at = lru_cache(maxsize=1)(self._names)

    def html(self, words: Words) -> str:
        """Outlets, people and places, bars of publication, and what articles say differently, if known."""
        rows = self.catalogue.rows()
        days = [row.published for row in rows]
        plot = plot_of(days, days, words)
        known = [day for day in days if day]
        period = words.dates(min(known), max(known)) if known else ""
        outlets = Counter(row.outlet for row in rows if row.outlet).most_common(_NAMES)

        def side(claim: Claim) -> tuple[str, str]:
            """What one article says, and the address of the place."""
            said = shortened(claim.article.text[slice(*claim.clause)].strip(" ,;:–"), _LONGEST)
            return said, citation_path(cite(claim.article, claim.span, 1, "supported"))

        people, where = self._names_at(self.catalogue.library.revision)
        return fragment(
            "overview",
            words,
            outlets=[name for name, _ in outlets],
            people=people,
            where=where,
            plot=plot,
            period=period,
            about=lambda **chosen: address_of(Filters(**chosen)),
            differing=[list(map(side, each.claims)) for each in self._differing()[:_DIFFERENCES]],
        )

    def _names(self, _: int) -> tuple[list[str], list[str]]:
        """People who are quoted, and places."""
        ids = [row.id for row in self.catalogue.rows()]
        articles = list(self.catalogue.library.articles(ids[:: max(1, len(ids) // _READ)]))
        texts = [answerable(article) for article in articles]
        said = Counter(name for article in articles for name in speakers(article, ""))
        people = sorted(said, key=lambda name: (-said[name], -sum(name in text for text in texts), name))
        return people[:_NAMES], places(texts, _NAMES)


class Bar(NamedTuple):
    """A stretch of days, both included: how many articles appeared in it, and how many of these are found."""

    first: date
    last: date
    name: str
    articles: int
    found: int


class Plot(NamedTuple):
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
    days, hits = [day for day in published if day], [day for day in found if day]
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
    step, ticks = -(-len(drawn) // _LABELS), []
    for at in range((len(drawn) - 1) % step // 2, len(drawn), step):
        day = drawn[at].first
        short = words.short_date(day).removesuffix(f" {day.year}")
        name = short if unit in ("day", "week") else _name(day, unit, words)
        ticks.append((100 * (at + 0.5) / len(drawn), name))
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
        n, last = hits[day], _following(day, unit) - timedelta(days=1)
        key = "articles.count" if n == articles[day] else "articles.found"
        told = words(key, n=n, shown=n, all=articles[day])
        made.append(Bar(day, last, f"{_name(day, unit, words)}: {told}", articles[day], n))
    return made


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
