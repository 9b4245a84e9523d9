"""An article as HTML for the reader: the page, and the part that the side panel shows."""

from __future__ import annotations

import html
from collections.abc import Iterator
from itertools import groupby, pairwise

from rag.schema import Article, AsideKind, Span
from rag.serve.frame import page
from rag.serve.markup import html_text
from rag.serve.places import MARK_ID, day
from rag.serve.strings import Strings
from rag.text import paragraphs


def reader_page(article: Article, span: Span | None, words: Strings, *, stale: bool) -> str:
    """A whole page with the article and its marked place; needs no JavaScript."""
    return page(article.title or words.untitled, reader_fragment(article, span, words, stale=stale), words)


def reader_fragment(article: Article, span: Span | None, words: Strings, *, stale: bool) -> str:
    """The article with its place marked: `<article>` with a header and the text in blocks."""
    lang = f' lang="{html.escape(article.language)}"' if article.language else ""
    note = f'<p class="note" role="note">{html_text(words.changed)}</p>' if stale else ""
    span = None if stale else _visible(article.text, span)
    blocks = list(_blocks(article, span))
    first = next((block for block, _ in blocks if _overlap(block, span)), None)
    body = "".join(_block(article.text, block, kind, span, anchor=block == first) for block, kind in blocks)
    return f'<article class="reader"{lang}>{_reader_header(article, words)}{note}{body}</article>'


def _reader_header(article: Article, words: Strings) -> str:
    published = day(article.published, words)
    genre = words.comment if article.genre == "comment" else None
    known = [part for part in (article.outlet, published, genre) if part] or [article.source]
    kicker = html_text(" · ".join(known))
    author = article.author if article.author != article.outlet else None
    return (
        "<header>"
        + f'<p class="kicker">{kicker}</p><h1>{html_text(article.title or words.untitled)}</h1>'
        + (f'<p class="author">{html_text(author)}</p>' if author else "")
        + "</header>"
    )


def _blocks(article: Article, span: Span | None) -> Iterator[tuple[Span, AsideKind | None]]:
    """Spans of the paragraphs and asides of an article, in order; a title shown above is left out."""
    edges = {edge for aside in article.asides for edge in (aside.start, aside.end)}
    for start, end in paragraphs(article.text):
        cuts = sorted({start, end, *(edge for edge in edges if start < edge < end)})
        for kind, parts in groupby(pairwise(cuts), key=lambda part: _aside_kind(article, part)):
            pieces = list(parts)
            block = (pieces[0][0], pieces[-1][1])
            if article.text[slice(*block)].strip() and not _repeats_title(article, block, kind, span):
                yield block, kind


def _aside_kind(article: Article, part: Span) -> AsideKind | None:
    kinds = (aside.kind for aside in article.asides if aside.start <= part[0] and part[1] <= aside.end)
    return next(kinds, None)


def _repeats_title(article: Article, block: Span, kind: AsideKind | None, span: Span | None) -> bool:
    return kind == "title" and article.title is not None and not _overlap(block, span)


def _block(text: str, block: Span, kind: AsideKind | None, span: Span | None, *, anchor: bool) -> str:
    tag = "h2" if kind in ("title", "heading") else "p"
    css = f' class="aside {kind}"' if kind else ""
    return f"<{tag}{css}>{_marked(text, block, span, anchor=anchor)}</{tag}>"


def _marked(text: str, block: Span, span: Span | None, *, anchor: bool) -> str:
    """The block's text, with the part that `span` covers in a `<mark>`."""
    shared = _overlap(block, span)
    if shared is None:
        return html.escape(text[slice(*block)].strip())
    target = f' id="{MARK_ID}" tabindex="-1"' if anchor else ""
    before, inside, after = text[block[0] : shared[0]], text[slice(*shared)], text[shared[1] : block[1]]
    return (
        html.escape(before.lstrip())
        + f"<mark{target}>{html.escape(inside)}</mark>"
        + html.escape(after.rstrip())
    )


def _visible(text: str, span: Span | None) -> Span | None:
    """The span without surrounding white space, None when nothing remains."""
    if span is None or not (words := text[slice(*span)]).strip():
        return None
    return span[0] + len(words) - len(words.lstrip()), span[1] - len(words) + len(words.rstrip())


def _overlap(block: Span, span: Span | None) -> Span | None:
    """The common part of two spans, None when there is none."""
    if span is None:
        return None
    start, end = max(block[0], span[0]), min(block[1], span[1])
    return (start, end) if start < end else None
