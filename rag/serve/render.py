"""Answers and articles as Markdown and HTML: pure functions, no web framework.

Article text, model text and questions are foreign: nothing in them may become active. In
Markdown every character that could start something is written as an entity (`markdown_text`), in
HTML everything is escaped; `plain_text` gives back the words, for the history.

The address of a place is `/quelle/<article id>?von=<start>&bis=<end>&v=<version>#beleg`: `von`
and `bis` are offsets in the article's text, half-open; `v` is the beginning of the article's hash, so
that a place in an article that has changed since is never shown wrongly; `#beleg` is the mark.
With `&teil=1` the server sends the article alone, for the chat's side panel.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, pairwise
from urllib.parse import quote, urlencode

from rag.schema import Answer, Article, AsideKind, Citation, Passage, Span
from rag.serve.strings import Strings, article_count, date_range, long_date, mode_line, number, seconds
from rag.text import paragraphs

MARK_ID = "beleg"
_VERSION_DIGITS = 12
_WORD_JOINER = "\u2060"  # keeps a chip on the line of the word before it
_SNIPPET = 180
_FURTHER = 3

_MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_ACTIVE = re.compile(r"^[-+=\d]|[&<>\"\\`*_\[\]|~$#%:@]|(?<=www)\.", re.IGNORECASE)
_CHIP = re.compile(_WORD_JOINER + r"\[\d+\]\(/quelle/[^)]*\)")
_ATTRIBUTION = re.compile(r" ?<cite>.*?</cite>")
_PARAGRAPH = re.compile(r"\n\s*\n")
_QUOTATION_MARKS = " „“”»«\"'"


# --- foreign text ---------------------------------------------------------------------------------


def markdown_text(text: str) -> str:
    """One line of Markdown that shows exactly these words and does nothing.

    >>> markdown_text("1. <b>www.taz.de</b>")
    '&#49;. &#60;b&#62;www&#46;taz.de&#60;/b&#62;'
    """
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", _one_line(text))


def markdown_lines(text: str) -> str:
    """As `markdown_text`, keeping the line breaks: for what a user typed."""
    return "\n".join(markdown_text(line) for line in text.strip().splitlines())


def plain_text(markdown: str) -> str:
    """The words of a message that this module wrote, without citations and attributions."""
    words = _ATTRIBUTION.sub("", _CHIP.sub("", markdown))
    return html.unescape(re.sub(r"^> ?", "", words, flags=re.MULTILINE)).strip()


def _html(text: str) -> str:
    """One escaped line of HTML; percent signs too, which are Gradio's placeholder for formulas."""
    return html.escape(_one_line(text)).replace("%", "&#37;")


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- places and their names -----------------------------------------------------------------------


def source_path(article_id: str, start: int, end: int, sha256: str) -> str:
    """The address of a place in an article; see the top of this module."""
    query = urlencode({"von": start, "bis": end, "v": sha256[:_VERSION_DIGITS]})
    return f"/quelle/{quote(article_id, safe='')}?{query}#{MARK_ID}"


def is_current(article: Article, version: str | None) -> bool:
    """Whether an address that names this version (or none) still fits the article."""
    return not version or article.sha256.startswith(version)


def citation_path(citation: Citation) -> str:
    """The address of a cited place."""
    return source_path(citation.article_id, citation.start, citation.end, citation.sha256)


def origin(citation: Citation, words: Strings, separator: str = ", ") -> str:
    """taz, 16. August 2025; what is unknown is left out."""
    return separator.join(part for part in (citation.outlet, _day(citation.published, words)) if part)


def _day(published: date | None, words: Strings) -> str | None:
    return long_date(published, words) if published else None


def label(citation: Citation, words: Strings) -> str:
    """taz, 16. August 2025: Roter Teppich für Putin; what is unknown is left out, the id remains."""
    return (
        ": ".join(part for part in (origin(citation, words), citation.title) if part) or citation.article_id
    )


def chip(citation: Citation, words: Strings) -> str:
    """The numbered link to a cited place, as Markdown."""
    title = markdown_text(label(citation, words)).replace("(", "&#40;").replace(")", "&#41;")
    return f'{_WORD_JOINER}[{citation.number}]({citation_path(citation)} "{title}")'


def place_of(passage: Passage) -> Citation:
    """A found passage in the form of a citation, so that both are shown alike."""
    chunk, article = passage.chunk, passage.article
    return Citation(
        number=0,
        article_id=article.id,
        start=chunk.start,
        end=chunk.end,
        quote=chunk.text,
        status="no claim",
        title=article.title,
        outlet=article.outlet,
        published=article.published,
        sha256=article.sha256,
    )


# --- the frame of the chat ------------------------------------------------------------------------


def masthead(articles: int, first: date | None, last: date | None, words: Strings) -> str:
    """Name, one line, and what the dossier holds."""
    days = date_range(first, last, words) if first and last else None
    held = " · ".join(part for part in (article_count(articles, words), days) if part)
    return (
        f'<div class="masthead" lang="{words.lang}"><h1 class="brand">Beleg</h1>'
        f'<span class="tagline">{_html(words.tagline)}</span><span class="held">{_html(held)}</span></div>'
    )


def start(words: Strings) -> str:
    """The start screen's title and line."""
    lang = f'lang="{words.lang}"'
    return f"<h2 {lang}>{_html(words.start_title)}</h2><p {lang}>{_html(words.start_line)}</p>"


def footnote(mode: str, words: Strings) -> str:
    """Who answers, and a word of caution."""
    return f'<p lang="{words.lang}">{_spans(mode_line(mode, words) + ".", words.check)}</p>'


# --- an answer, as Markdown for the chat ----------------------------------------------------------


def draft_markdown(text: str) -> str:
    """A provisional answer: the words so far, citations not yet resolved."""
    return "\n\n".join(markdown_text(part) for part in _paragraphs(_MARKER.sub("", text)))


def answer_markdown(answer: Answer, words: Strings) -> str:
    """The answer with its citations as chips; verbatim passages as quotations with their origin."""
    if not answer.abstained and (quotations := _quotations(answer)):
        return "\n\n".join(_quotation(citation, words) for citation in quotations)
    return "\n\n".join(_with_chips(part, answer.citations, words) for part in _paragraphs(answer.text))


def evidence_html(answer: Answer, words: Strings) -> str:
    """What stands below an answer: cards of the cited articles, and further or nearest places."""
    heading = words.nearest if answer.abstained else words.further
    return source_cards(answer.citations, words) + place_list(answer.further[:_FURTHER], heading, words)


def source_cards(citations: Sequence[Citation], words: Strings) -> str:
    """A card for each cited article: the numbers that cite it, title, outlet and date."""
    by_article: dict[str, list[Citation]] = {}
    for citation in citations:
        by_article.setdefault(citation.article_id, []).append(citation)
    cards = "".join(_card(cited, words) for cited in by_article.values())
    return f'<ul class="cards">{cards}</ul>' if cards else ""


def place_list(places: Sequence[Citation], heading: str | None, words: Strings) -> str:
    """Places worth reading, as links with the beginning of their text."""
    items = "".join(_place(place, words) for place in places)
    title = f'<p class="label">{_html(heading)}</p>' if heading else ""
    return f'<div class="places">{title}<ul>{items}</ul></div>' if items else ""


def search_title(passages: Sequence[Passage], articles: int, took: float, words: Strings) -> str:
    """3 von 5 Artikeln ausgewertet (0,02 s)"""
    found = len({passage.article.id for passage in passages})
    return words.searched.format(
        found=number(found, words), all=number(articles, words), seconds=seconds(took, words)
    )


def search_html(passages: Sequence[Passage], words: Strings) -> str:
    """The found passages, best first."""
    return place_list([place_of(passage) for passage in passages], None, words)


def _quotations(answer: Answer) -> list[Citation]:
    """The citations of an answer that says nothing but their quotes; else none."""
    numbered = {citation.number: citation for citation in answer.citations}
    quoted = []
    for statement in answer.statements:
        citation = numbered.get(statement.citations[0]) if len(statement.citations) == 1 else None
        if citation is None or citation.quote.strip(_QUOTATION_MARKS) != statement.text.strip(
            _QUOTATION_MARKS
        ):
            return []
        quoted.append(citation)
    return quoted


def _quotation(citation: Citation, words: Strings) -> str:
    source = _html(origin(citation, words))
    attribution = f" <cite>{source}</cite>" if source else ""
    return f"> {markdown_text(citation.quote)}{chip(citation, words)}{attribution}"


def _with_chips(text: str, citations: Iterable[Citation], words: Strings) -> str:
    """One paragraph with `[n]` made chips; a number that cites nothing stays text."""
    chips = {str(citation.number): chip(citation, words) for citation in citations}
    pieces = _MARKER.split(_one_line(text))
    rendered = markdown_text(pieces[0])
    for digits, following in zip(pieces[1::2], pieces[2::2], strict=True):
        space = " " if following.startswith(" ") else ""
        rendered += chips.get(digits, f" &#91;{digits}&#93;") + space + markdown_text(following)
    return rendered


def _paragraphs(text: str) -> list[str]:
    return [part for part in _PARAGRAPH.split(text.strip()) if part.strip()]


def _card(cited: Sequence[Citation], words: Strings) -> str:
    first = cited[0]
    numbers = "".join(f'<span class="number">{citation.number}</span>' for citation in cited)
    return (
        f'<li><a class="card" href="{html.escape(citation_path(first))}">'
        f'<span class="numbers">{numbers}</span>'
        f'<span class="title">{_html(first.title or f"„{_shortened(first.quote, 60)}“")}</span>'
        f'<span class="origin">{_spans(first.outlet, _day(first.published, words))}</span></a></li>'
    )


def _spans(*parts: str | None) -> str:
    return " ".join(f"<span>{_html(part)}</span>" for part in parts if part)


def _place(place: Citation, words: Strings) -> str:
    source = " · ".join(part for part in (origin(place, words, " · "), place.title) if part)
    return (
        f'<li><a class="place" href="{html.escape(citation_path(place))}">'
        f'<span class="excerpt">{_html(_shortened(place.quote))}</span>'
        f'<span class="origin">{_html(source or place.article_id)}</span></a></li>'
    )


def _shortened(text: str, length: int = _SNIPPET) -> str:
    """The beginning of a passage, cut between words."""
    line = _one_line(text)
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0].rstrip(" ,;:–") + " …"


# --- an article, as HTML for the reader -----------------------------------------------------------


def reader_page(article: Article, span: Span | None, words: Strings, stylesheet: str, *, stale: bool) -> str:
    """A whole page with the article and its marked place; needs no JavaScript."""
    title = _html(article.title or words.untitled)
    return _page(title, reader_fragment(article, span, words, stale=stale), words, stylesheet)


def missing_page(words: Strings, stylesheet: str) -> str:
    """The page for an article that is not there."""
    title = _html(words.missing_title)
    body = f'<div class="missing"><h1>{title}</h1><p>{_html(words.missing_text)}</p></div>'
    return _page(title, body, words, stylesheet)


def reader_fragment(article: Article, span: Span | None, words: Strings, *, stale: bool) -> str:
    """The article with its place marked: `<article>` with a header and the text in blocks."""
    lang = f' lang="{html.escape(article.language)}"' if article.language else ""
    note = f'<p class="note" role="note">{_html(words.changed)}</p>' if stale else ""
    span = None if stale else _visible(article.text, span)
    blocks = list(_blocks(article, span))
    first = next((block for block, _ in blocks if _overlap(block, span)), None)
    body = "".join(_block(article.text, block, kind, span, anchor=block == first) for block, kind in blocks)
    return f'<article class="reader"{lang}>{_reader_header(article, words)}{note}{body}</article>'


def _page(title: str, body: str, words: Strings, stylesheet: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{words.lang}" class="reader-page"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} – Beleg</title>"
        f'<link rel="icon" href="/beleg/favicon.svg"><link rel="stylesheet" href="{html.escape(stylesheet)}">'
        '</head><body><header class="masthead"><a class="brand" href="/">Beleg</a>'
        f'<span class="tagline">{_html(words.tagline)}</span><a class="back" href="/">{_html(words.back)}</a>'
        f"</header><main>{body}</main></body></html>\n"
    )


def _reader_header(article: Article, words: Strings) -> str:
    day = _day(article.published, words)
    genre = words.comment if article.genre == "comment" else None
    known = [part for part in (article.outlet, day, genre) if part] or [article.source]
    kicker = _html(" · ".join(known))
    author = article.author if article.author != article.outlet else None
    return (
        "<header>"
        + f'<p class="kicker">{kicker}</p><h1>{_html(article.title or words.untitled)}</h1>'
        + (f'<p class="author">{_html(author)}</p>' if author else "")
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
