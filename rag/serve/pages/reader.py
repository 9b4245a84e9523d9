"""An article as HTML: its page, with what stands around it, and the part that the side panel shows."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple
from urllib.parse import quote, urlencode

from rag.i18n import Words
from rag.schema import Article, AsideKind, Filters, Span
from rag.serve.links import MARK_ID, link
from rag.serve.pages.catalogue import Catalogue, Row, address_of, number_of, wish_of
from rag.serve.views import page
from rag.text.normalize import paragraphs, trimmed

_MOST_HITS = 1_000
_BESIDE = 70  # characters of an excerpt, before and after its first hit


class Piece(NamedTuple):
    """A part of a block's text; `anchor` is the id of the place to scroll to."""

    text: str
    marked: bool = False
    anchor: str | None = None


def reader_page(
    article: Article,
    span: Span | None,
    words: Words,
    *,
    stale: bool,
    around: "Around | None" = None,
    part: bool = False,
) -> str:
    """A page with the article and its marked place, or the part of it that a script shows in a panel.

    What is searched for inside is marked in place of that. A block has a kind of aside, or none, and pieces.
    """
    place = trimmed(article.text, *span) if span and not stale else (0, 0)
    span = place if place[0] < place[1] else None
    marks, anchor, target = [span] if span else [], MARK_ID, span
    if around and around.query:
        marks, anchor = around.hits, "treffer"
        target = marks[around.at - 1] if marks else None

    def cut(block: Span) -> Iterator[Piece]:
        """A block, its parts marked that the marks cover; the one that a reader is led to has an id."""
        at, low = block[0], bisect_right(marks, block[0], key=lambda mark: mark[1])
        for mark in marks[low : bisect_left(marks, block[1], key=lambda mark: mark[0])]:
            start, end = max(block[0], mark[0]), min(block[1], mark[1])
            leads = mark == target and mark[0] >= block[0]
            yield Piece(article.text[at:start])
            yield Piece(article.text[start:end], True, anchor if leads else None)
            at = end
        yield Piece(article.text[at : block[1]])

    page_number = article.page_at(span[0]) if span else None
    return page(
        "article.html" if part else "reader.html",
        words,
        around=around,
        article=article,
        stale=stale,
        original=link(f"/original/{quote(article.id, safe='')}")
        + (f"#page={page_number}" if page_number else ""),
        page_number=page_number,
        blocks=[(kind, cut(block)) for block, kind in _blocks(article, span)],
    )


def _blocks(article: Article, span: Span | None) -> Iterator[tuple[Span, AsideKind | None]]:
    """Spans of the paragraphs and asides of an article, in order, without white space at their ends.

    A title is left out, for it is shown above, unless the marked place is in it.
    """

    def kind_of(part: Span) -> AsideKind | None:
        kinds = (aside.kind for aside in article.asides if aside.start <= part[0] and part[1] <= aside.end)
        return next(kinds, None)

    edges = {edge for aside in article.asides for edge in (aside.start, aside.end)}
    for start, end in paragraphs(article.text):
        cuts = sorted({start, end, *(edge for edge in edges if start < edge < end)})
        for kind, parts in groupby(pairwise(cuts), key=kind_of):
            pieces = list(parts)
            low, high = trimmed(article.text, pieces[0][0], pieces[-1][1])
            is_asked_for = span is not None and span[0] < high and low < span[1]
            if low < high and (kind != "title" or article.title is None or is_asked_for):
                yield (low, high), kind


class Around:
    """Addresses of the list, of the neighbours in it, and of the chat about this article; the search inside.

    `at` is what the address says of which hit is shown, then its number from 1; `liste` is the list's query.
    """

    def __init__(
        self, catalogue: Catalogue, row: Row, article: Article, liste: str, query: str, at: str
    ) -> None:
        asked = wish_of(liste)
        found = catalogue.found(asked)
        place = next((i for i, each in enumerate(found) if each.id == row.id), len(found))
        self.address, self.asks = row.address, address_of(Filters(articles=(row.id,)))
        self.back, self.liste, self.query = asked.address, asked.query_string, query
        self.before = asked.reading(found[place - 1]) if 0 < place < len(found) else None
        self.after = asked.reading(found[place + 1]) if place + 1 < len(found) else None
        # the title stands above the text, and there nothing is marked
        titles = [aside for aside in article.asides if aside.kind == "title" and article.title]
        self.hits = [
            (start, end)
            for start, end in spans_of(query, article.text)
            if not any(title.start <= start < title.end for title in titles)
        ]
        self.at = min(number_of(at), max(1, len(self.hits)))

    def hit(self, at: int) -> str:
        """The address of a hit; past the last one is the first again."""
        found = {"liste": self.liste, "suche": self.query, "treffer": str((at - 1) % len(self.hits) + 1)}
        return f"{self.address}?{urlencode({name: value for name, value in found.items() if value})}#treffer"


def spans_of(query: str, text: str) -> Sequence[Span]:
    """Where the words of a query stand in a text, also within words, in upper or lower case.

    >>> spans_of("hafen AM", "Am Hafen: die Hafenbrücke")
    [(0, 2), (3, 8), (14, 19)]
    """
    words = "|".join(map(re.escape, sorted(query.split(), key=len, reverse=True)))
    found = re.finditer(words, text, re.IGNORECASE) if words else ()
    return [match.span() for _, match in zip(range(_MOST_HITS), found, strict=False)]


def excerpt(query: str, text: str) -> tuple[str, str, str] | None:
    """A few words of an article before the first hit, the hit, and some after it.

    None where no word stands in the text: the title, the outlet or the author has them.
    """
    start, end = next(iter(spans_of(query, text)), (0, 0))
    if start == end:
        return None
    first, last = text.rfind(" ", 0, max(0, start - _BESIDE)) + 1, text.find(" ", end + _BESIDE)
    before, after = text[first:start], text[end : last if last > 0 else None]
    return ("… " if first else "") + before, text[start:end], after + (" …" if last > 0 else "")
