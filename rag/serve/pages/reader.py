"""An article as HTML for the reader: the page, and the part that the side panel shows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from rag.i18n import Words
from rag.schema import Article, AsideKind, Span
from rag.serve.pages.around import Around
from rag.serve.pages.places import MARK_ID, day, original_path
from rag.serve.views import page
from rag.text.normalize import paragraphs


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a block's text; `anchor` is the id of the place to scroll to."""

    text: str
    marked: bool = False
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or an aside of the article."""

    tag: str
    kind: AsideKind | None
    pieces: tuple[Piece, ...]


def reader_page(
    article: Article, span: Span | None, words: Words, *, stale: bool, around: Around | None = None
) -> str:
    """A whole page with the article and its marked place, or the hits of a search; needs no JavaScript."""
    shown = _shown(article, span, words, stale=stale, around=around)
    return page("reader.html", words, around=around, **shown)


def reader_fragment(article: Article, span: Span | None, words: Words, *, stale: bool) -> str:
    """The article with its place marked: `<article>` with a header and the text in blocks."""
    return page("article.html", words, **_shown(article, span, words, stale=stale))


def _shown(
    article: Article, span: Span | None, words: Words, *, stale: bool, around: Around | None = None
) -> dict[str, object]:
    if stale or not span or not (cited := article.text[slice(*span)]).strip():
        span = None
    else:  # without the white space around it
        span = span[0] + len(cited) - len(cited.lstrip()), span[1] - len(cited) + len(cited.rstrip())
    marks = [span] if span else []
    leads_to = (MARK_ID, span)
    if around and around.query:
        marks = list(around.hits)
        leads_to = ("treffer", marks[around.at - 1] if marks else None)
    blocks = [_cut(article.text, block, kind, marks, leads_to) for block, kind in _blocks(article, span)]
    genre = words("reader.comment") if article.genre == "comment" else None
    page_number = article.page_at(span[0]) if span else None
    known = [part for part in (article.outlet, day(article.published, words), genre) if part]
    return {
        "article": article,
        "kicker": known or [article.source],
        "stale": stale,
        "original": original_path(article.id, page_number),
        "page_number": page_number,
        "blocks": blocks,
    }


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


def _cut(
    text: str, block: Span, kind: AsideKind | None, marks: Sequence[Span], leads_to: tuple[str, Span | None]
) -> Block:
    """A block with its marked parts; the one to scroll to has an id."""
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
    return Block("h2" if kind in ("title", "heading") else "p", kind, tuple(pieces))


def _overlap(block: Span, span: Span | None) -> Span | None:
    """The common part of two spans; None without one."""
    if span is None:
        return None
    start, end = max(block[0], span[0]), min(block[1], span[1])
    return (start, end) if start < end else None
