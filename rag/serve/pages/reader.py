"""An article as HTML: its page, with what stands around it, and the part that the side panel shows."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from urllib.parse import urlencode

from rag.i18n import Words
from rag.schema import Article, AsideKind, Filters, Span
from rag.serve.links import MARK_ID, original_path
from rag.serve.pages.catalogue import Catalogue, Row, address_of, wish_of
from rag.serve.views import page
from rag.text.normalize import paragraphs, trimmed

Excerpt = tuple[str, str, str]
_MOST_HITS = 1_000
_BESIDE = 70  # characters of an excerpt, before and after its first hit


@dataclass(frozen=True, slots=True)
class Piece:
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
    around: Around | None = None,
    part: bool = False,
) -> str:
    """A page with the article and its marked place, or the part of it that a script shows in a panel.

    What is searched for inside is marked in place of that. A block has a kind of aside, or none, and pieces.
    """
    place = trimmed(article.text, *span) if span and not stale else (0, 0)
    span = place if place[0] < place[1] else None
    marks = [span] if span else []
    leads_to = (MARK_ID, span)
    if around and around.query:
        marks = list(around.hits)
        leads_to = ("treffer", marks[around.at - 1] if marks else None)
    blocks = [(kind, _cut(article.text, block, marks, leads_to)) for block, kind in _blocks(article, span)]
    page_number = article.page_at(span[0]) if span else None
    return page(
        "article.html" if part else "reader.html",
        words,
        around=around,
        article=article,
        stale=stale,
        original=original_path(article.id, page_number),
        page_number=page_number,
        blocks=blocks,
    )


def _blocks(article: Article, span: Span | None) -> Iterator[tuple[Span, AsideKind | None]]:
    """Spans of the paragraphs and asides of an article, in order.

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
            block = (pieces[0][0], pieces[-1][1])
            shown_above = kind == "title" and article.title is not None and not _overlap(block, span)
            if article.text[slice(*block)].strip() and not shown_above:
                yield block, kind


def _cut(text: str, block: Span, marks: Sequence[Span], leads_to: tuple[str, Span | None]) -> list[Piece]:
    """A block, its parts marked that the marks cover; the one that a reader is led to has an id."""
    anchor, target = leads_to
    pieces, at = list[Piece](), block[0]
    low = bisect_right(marks, block[0], key=lambda mark: mark[1])
    for mark in marks[low : bisect_left(marks, block[1], key=lambda mark: mark[0])]:
        if shared := _overlap(block, mark):
            leads = mark == target and target[0] >= block[0]
            pieces += [
                Piece(text[at : shared[0]]),
                Piece(text[slice(*shared)], True, anchor if leads else None),
            ]
            at = shared[1]
    pieces.append(Piece(text[at : block[1]]))
    pieces[0] = replace(pieces[0], text=pieces[0].text.lstrip())
    pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
    return pieces


def _overlap(block: Span, span: Span | None) -> Span | None:
    """The common part of two spans; None without one."""
    if span is None:
        return None
    start, end = max(block[0], span[0]), min(block[1], span[1])
    return (start, end) if start < end else None


# --- what stands around it -----------------------------------------------------------------------


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
        """The address of a hit; past the last one is the first again."""
        found = {"liste": self.liste, "suche": self.query, "treffer": str((at - 1) % len(self.hits) + 1)}
        return f"{self.address}?{urlencode({name: value for name, value in found.items() if value})}#treffer"


def around(
    catalogue: Catalogue, row: Row, article: Article, *, liste: str = "", query: str = "", at: str = ""
) -> Around:
    """What stands around the article of a row; `at` is what the address says of the hit."""
    asked = wish_of(liste)
    found = catalogue.found(asked)
    place = next((i for i, each in enumerate(found) if each.id == row.id), None)
    before = found[place - 1] if place else None
    after = found[place + 1] if place is not None and place + 1 < len(found) else None
    # the title stands above the text, and there nothing is marked
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
    """Where the words of a query stand in a text, also within words, in upper or lower case.

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
