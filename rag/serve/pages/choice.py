"""The choice of articles that may answer: filters in an address, and how the page shows them.

A choice is the query of an address, `medium=<outlet>&von=<day>&bis=<day>&artikel=<id>`, possibly with several
outlets and articles. Invalid parts are ignored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from rag.engine import Engine
from rag.errors import BelegError
from rag.i18n import Words
from rag.schema import Filters
from rag.serve.links import link
from rag.serve.pages.catalogue import Catalogue, day_of, ordered
from rag.serve.views import fragment
from rag.text.analysis import fold

LISTED = 200
"""Most articles in the list of the form; others can be chosen on their own pages."""
_MOST = 200  # most outlets, or articles, in an address
_NAMED = 3  # most articles with a chip each


def choice_of(query: str) -> Filters:
    """The filters of an address.

    >>> choice_of("?medium=taz&bis=nie")
    Filters(outlets=('taz',), authors=(), first=None, last=None, articles=(), genre=None)
    """
    said = parse_qs(query.removeprefix("?"))
    outlets, articles = (tuple(dict.fromkeys(said.get(name, ())))[:_MOST] for name in ("medium", "artikel"))
    first, last = (day_of(said.get(name, [""])[-1]) for name in ("von", "bis"))
    return Filters(outlets=outlets, articles=articles, first=first, last=last)


def address_of(chosen: Filters, answer: str = "") -> str:
    """The address of the chat with this choice, and of the conversation up to an answer."""
    query = urlencode([*choice_query(chosen), *([("gespraech", answer)] if answer else [])])
    return link(f"/?{query}" if query else "/")


def choice_query(chosen: Filters) -> list[tuple[str, str]]:
    """The choice as names and values of a query."""
    days = [(name, day.isoformat()) for name, day in (("von", chosen.first), ("bis", chosen.last)) if day]
    outlets = [("medium", each) for each in chosen.outlets]
    return [*outlets, *days, *(("artikel", each) for each in chosen.articles)]


def parts(chosen: Filters, titles: Mapping[str, str], words: Words) -> Iterator[tuple[str, Filters]]:
    """The names of what is chosen, each with what is chosen without it; `titles` are those of articles."""
    for name in chosen.outlets:
        yield name, replace(chosen, outlets=_without(name, chosen.outlets))
    for name in chosen.authors:
        yield name, replace(chosen, authors=_without(name, chosen.authors))
    if chosen.first or chosen.last:
        yield words.period(chosen.first, chosen.last), replace(chosen, first=None, last=None)
    if chosen.genre:
        yield words(f"choice.{chosen.genre}"), replace(chosen, genre=None)
    if len(chosen.articles) > _NAMED:
        yield words("choice.articles", n=len(chosen.articles)), replace(chosen, articles=())
        return
    for id in chosen.articles:
        yield titles.get(id, id), replace(chosen, articles=_without(id, chosen.articles))


def _without(name: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in names if each != name)


def chosen_html(engine: Engine, catalogue: Catalogue, query: str, words: Words) -> str:
    """The chips above the composer, the number of articles that answer, and the button for the dialog."""
    chosen = choice_of(query)
    if chosen == Filters():
        return fragment("choice", words, chips=(), told="", wrong=False)
    rows, wrong = catalogue.rows(), False
    titles = {row.id: row.title or words("reader.untitled") for row in rows} if chosen.articles else {}
    chips = [(name, address_of(without)) for name, without in parts(chosen, titles, words)]
    try:
        told = words("articles.found", shown=len(engine.fitting(chosen) or ()), all=len(rows))
    except BelegError as error:
        told, wrong = words.said(error.phrase), True
    return fragment("choice", words, chips=chips, told=told, wrong=wrong)


def choice_form(catalogue: Catalogue, query: str) -> dict[str, object]:
    """The content of the form: outlets with their articles, the range of days, and the newest articles."""
    chosen, rows = choice_of(query), catalogue.rows()
    days = [row.published for row in rows if row.published]
    outlets = Counter(row.outlet for row in rows if row.outlet)
    # as filters have it: in part and in any case, too
    named = [fold(name.strip()) for name in chosen.outlets if name.strip()]
    newest = ordered(rows, "datum", descending=True)
    listed = [row for row in newest if row.id in chosen.articles]
    listed += [row for row in newest if row.id not in chosen.articles][: LISTED - len(listed)]
    return {
        "chosen": chosen,
        "outlets": [
            (name, n, any(each in fold(name) for each in named)) for name, n in sorted(outlets.items())
        ],
        "first": min(days, default=None),
        "last": max(days, default=None),
        "listed": listed,
        "more": len(rows) - len(listed),
    }
