"""The frame of an article on its page: the list that it was opened from, and a search inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from rag.schema import Article, Filters, Span
from rag.serve.pages.catalogue import Catalogue, Row, wish
from rag.serve.pages.choice import address_of

Excerpt = tuple[str, str, str]

_MOST_HITS = 1_000
_BESIDE = 70  # characters of an excerpt, before and after its first hit


@dataclass(frozen=True, slots=True)
class Around:
    """Addresses of the list, of the neighbours in it, and of the chat about this article; the search inside.

    `at` counts from 1 which of the `hits` is shown; `liste` is the list's query, for the search's form.
    """

    address: str
    asks: str
    back: str
    before: str | None = None
    after: str | None = None
    liste: str = ""
    query: str = ""
    hits: tuple[Span, ...] = ()
    at: int = 1

    def hit(self, at: int) -> str:
        """The address of a hit; after the last comes the first."""
        found = {"liste": self.liste, "suche": self.query, "treffer": str((at - 1) % len(self.hits) + 1)}
        return f"{self.address}?{urlencode({name: value for name, value in found.items() if value})}#treffer"


def around(
    catalogue: Catalogue, row: Row, article: Article, *, liste: str = "", query: str = "", at: str = ""
) -> Around:
    """What stands around the article of a row; `at` is what the address says of the hit."""
    said = {name: values[-1] for name, values in parse_qs(liste).items()}
    asked = wish(*(said.get(name, "") for name in ("q", "sort", "seite", "von", "bis")))
    found = catalogue.found(asked)
    place = next((i for i, each in enumerate(found) if each.id == row.id), None)
    before = found[place - 1] if place else None
    after = found[place + 1] if place is not None and place + 1 < len(found) else None
    # the title is shown above the text, where nothing is marked
    titles = [aside for aside in article.asides if aside.kind == "title" and article.title]
    hits = tuple(
        (start, end)
        for start, end in spans_of(query, article.text)
        if not any(title.start <= start < title.end for title in titles)
    )
    number = int(at) if at.isascii() and at.isdecimal() and len(at) < 8 else 1
    return Around(
        row.address,
        address_of(Filters(articles=(row.id,))),
        asked.address,
        asked.reading(before) if before else None,
        asked.reading(after) if after else None,
        asked.query_string,
        query,
        hits,
        min(max(1, number), max(1, len(hits))),
    )


def spans_of(query: str, text: str) -> Sequence[Span]:
    """Spans of a query's words in a text, also inside words, in any case.

    >>> spans_of("hafen AM", "Am Hafen: die Hafenbrücke")
    [(0, 2), (3, 8), (14, 19)]
    """
    words = "|".join(map(re.escape, sorted(query.split(), key=len, reverse=True)))
    found = re.finditer(words, text, re.IGNORECASE) if words else ()
    return [match.span() for _, match in zip(range(_MOST_HITS), found, strict=False)]


def excerpt(query: str, text: str) -> Excerpt | None:
    """A few words of an article before the first hit, the hit, and some after it.

    None where no word stands in the text: the title, the outlet or the author has them.
    """
    start, end = next(iter(spans_of(query, text)), (0, 0))
    if start == end:
        return None
    first, last = text.rfind(" ", 0, max(0, start - _BESIDE)) + 1, text.find(" ", end + _BESIDE)
    before, after = text[first:start], text[end : last if last > 0 else None]
    return ("… " if first else "") + before, text[start:end], after + (" …" if last > 0 else "")
