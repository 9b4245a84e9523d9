"""Answers as Markdown and HTML for the chat: pure functions, no web framework."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from urllib.parse import quote

from rag.schema import Answer, Citation, Passage, Span, Statement
from rag.serve.markup import html_text, markdown_text, shortened, spans
from rag.serve.places import chip, citation_path, day, origin, place_of
from rag.serve.strings import Strings, counted, number, seconds

_SNIPPET = 180
_FURTHER = 3

_MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_PARAGRAPH = re.compile(r"\n\s*\n")
_QUOTATION_MARKS = " „“”»«\"'"

_Insert = tuple[int, int, int, str]
"""Markup in a text: where it starts, its order among those that start there, what it replaces up to."""


def draft_markdown(text: str) -> str:
    """A provisional answer: the words so far, citations not yet resolved."""
    plain = _MARKER.sub("", text)
    return "\n\n".join(markdown_text(plain[slice(*span)]) for span in _paragraphs(plain))


def answer_markdown(answer: Answer, words: Strings) -> str:
    """The answer with its citations as chips; verbatim passages as quotations with their origin.

    A sentence that its sources do not fully support is set off, with a note in `<small>`.
    """
    if not answer.abstained and (quotations := _quotations(answer)):
        return "\n\n".join(_quotation(citation, words) for citation in quotations)
    shown = _paragraphs(answer.text)[_stands_in(answer) :]  # without the notice, which is the heading
    return "\n\n".join(_marked_up(answer, span, words) for span in shown)


def evidence_html(answer: Answer, words: Strings, outdated: Set[str] = frozenset()) -> str:
    """What stands below an answer: cards of the cited articles, and further or nearest places.

    Articles whose id is in `outdated` have changed since the answer.
    """
    heading = words.nearest if answer.abstained else words.further
    dropped = counted(words.dropped, len(answer.dropped), words) if answer.dropped else None
    return (
        (f'<p class="hint">{html_text(dropped)}</p>' if dropped else "")
        + source_cards(answer.citations, words, outdated)
        + place_list(answer.further[:_FURTHER], heading, words)
    )


def record_link(answer_id: str, words: Strings) -> str:
    """The link that saves an answer; it also says which record an answer on the page is."""
    label = html_text(words.save_answer)
    return f'<a class="record" href="/antwort/{quote(answer_id)}.md" title="{label}" download>{label}</a>'


def without_model(words: Strings) -> str:
    """The heading of an answer for which the language model was left out."""
    return f'<small class="label">{html_text(words.mode_extractive)}</small>'


def stands_in(answer: Answer) -> str:
    """The heading of verbatim sentences in place of a model's answer, which says why; else nothing."""
    notice, _, _ = answer.text.partition("\n\n")
    return f'<small class="label">{html_text(notice)}</small>' if _stands_in(answer) else ""


def failure_html(reason: str, words: Strings, *, partial: bool) -> str:
    """Says, in place of an answer, that the language model failed, or that it broke off."""
    told = (words.partial if partial else words.model_failed).format(reason=reason)
    return f'<div class="failure"><p>{html_text(told)}</p></div>'


def stopped_html(words: Strings) -> str:
    """Says that a reader stopped the answer."""
    return f'<p class="stopped">{html_text(words.stopped)}</p>'


def source_cards(citations: Sequence[Citation], words: Strings, outdated: Set[str] = frozenset()) -> str:
    """A card for each cited article: the numbers that cite it, title, outlet and date."""
    by_article: dict[str, list[Citation]] = {}
    for citation in citations:
        by_article.setdefault(citation.article_id, []).append(citation)
    cards = "".join(_card(cited, words, outdated) for cited in by_article.values())
    return f'<ul class="cards">{cards}</ul>' if cards else ""


def place_list(places: Sequence[Citation], heading: str | None, words: Strings) -> str:
    """Places worth reading, as links with the beginning of their text."""
    items = "".join(_place(place, words) for place in places)
    title = f'<p class="label">{html_text(heading)}</p>' if heading else ""
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


def _stands_in(answer: Answer) -> bool:
    return answer.reason is not None and not answer.abstained


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
    source = html_text(origin(citation, words))
    attribution = f" <cite>{source}</cite>" if source else ""
    return f"> {markdown_text(citation.quote)}{chip(citation, words)}{attribution}"


def _marked_up(answer: Answer, span: Span, words: Strings) -> str:
    """A part of the answer's text with `[n]` made chips, and with the status of its sentences.

    A number that cites nothing stays text.
    """
    chips = _chips(answer.text, answer.citations, words)
    within = [each for each in answer.statements if span[0] <= each.start < each.end <= span[1]]
    inserts = sorted([*chips, *_status_marks(within, words)], key=lambda insert: insert[:2])
    rendered, (at, end) = "", span
    for start, _, until, markup in inserts:
        if at <= start <= until <= end:
            rendered += _escaped(answer.text[at:start]) + markup
            at = until
    return (rendered + _escaped(answer.text[at:end])).strip()


def _chips(text: str, citations: Iterable[Citation], words: Strings) -> Iterator[_Insert]:
    """The chips that take the places of the `[n]` in a text."""
    known = {str(citation.number): chip(citation, words) for citation in citations}
    for found in _MARKER.finditer(text):
        yield found.start(), 1, found.end(), known.get(found[1], f" &#91;{found[1]}&#93;")


def _status_marks(statements: Iterable[Statement], words: Strings) -> Iterator[_Insert]:
    """What opens and closes the sentences that are not simply supported."""
    for statement in statements:
        start, end = statement.start, statement.end
        if statement.status in ("weak", "unsupported"):
            told = html_text(getattr(words, statement.status))
            yield start, 2, start, f'<span class="{statement.status}" title="{told}">'
            yield end, 0, end, f'</span> <small class="status">{told}</small>'
        elif statement.repaired:
            yield end, 0, end, f' <small class="status">{html_text(words.repaired)}</small>'


def _escaped(text: str) -> str:
    """As `markdown_text`, keeping a space at either end."""
    if not text.strip():
        return " " if text else ""
    return " " * text[0].isspace() + markdown_text(text) + " " * text[-1].isspace()


def _paragraphs(text: str) -> list[Span]:
    """The spans of what blank lines part."""
    edges = [0, *(edge for found in _PARAGRAPH.finditer(text) for edge in found.span()), len(text)]
    return [span for span in zip(edges[::2], edges[1::2], strict=True) if text[slice(*span)].strip()]


def _card(cited: Sequence[Citation], words: Strings, outdated: Set[str]) -> str:
    first = cited[0]
    changed = words.outdated if first.article_id in outdated else None
    numbers = "".join(f'<span class="number">{citation.number}</span>' for citation in cited)
    return (
        f'<li><a class="card" href="{html.escape(citation_path(first))}">'
        f'<span class="numbers">{numbers}</span>'
        f'<span class="title">{html_text(first.title or f"„{shortened(first.quote, 60)}“")}</span>'
        f'<span class="origin">{spans(first.outlet, day(first.published, words), changed)}</span></a></li>'
    )


def _place(place: Citation, words: Strings) -> str:
    source = " · ".join(part for part in (origin(place, words, " · "), place.title) if part)
    return (
        f'<li><a class="place" href="{html.escape(citation_path(place))}">'
        f'<span class="excerpt">{html_text(shortened(place.quote, _SNIPPET))}</span>'
        f'<span class="origin">{html_text(source or place.article_id)}</span></a></li>'
    )
