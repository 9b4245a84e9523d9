"""Answers as Markdown and HTML for the chat: pure functions, no web framework."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from markupsafe import Markup

from rag.answering.texts import DIFFER, NEAREST, NOTICES, values
from rag.engine import Engine
from rag.i18n import Words
from rag.question.figures import asked_for
from rag.question.query import detect_language
from rag.schema import Answer, Citation, Passage, Span, cite
from rag.serve.links import citation_path, is_current, label, origin
from rag.serve.views import WORD_JOINER, fragment, markdown_text
from rag.store.library import Library

_FURTHER = 3

_MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_PARAGRAPH = re.compile(r"\n\s*\n")

_Insert = tuple[int, int, int, str]
"""Markup for a text: start, order among others at the same start, the markup, and the end of what it
replaces."""


def draft_markdown(text: str) -> str:
    """A provisional answer: the words so far, citations not yet resolved."""
    plain = without_markers(text)
    return "\n\n".join(markdown_text(plain[slice(*span)]) for span in _paragraphs(plain))


def without_markers(text: str) -> str:
    """The words of an answer without its `[n]`."""
    return _MARKER.sub("", text).strip()


def answer_markdown(answer: Answer, words: Words) -> str:
    """The answer with its citations as chips; verbatim passages as quotations with their origin.

    Beleg's own line above quotations is their heading. The figure or date asked for is marked in the first
    one. A sentence that its sources do not fully support is set off, with a note in `<small>`.
    """
    return "\n\n".join(_paragraph(answer, span, words) for span in _paragraphs(answer.text))


def evidence_html(answer: Answer, words: Words, articles: Library | None = None) -> str:
    """The part below an answer: cards of the cited articles, and further (folded) or nearest places.

    `articles` show what has changed since the answer, and name the near-copies.
    """
    further = answer.further[:_FURTHER]
    heading = words("answer.nearest") if answer.abstained else words("answer.further", n=len(further))
    sources: dict[str, list[Citation]] = {}
    copies: dict[str, dict[str, None]] = {}
    outdated, names = set[str](), dict[str, str]()
    also_in = {ident for citation in answer.citations for ident in citation.also_in}
    for copy in articles.articles(also_in) if articles else ():
        day = words.long_date(copy.published) if copy.published else None
        names[copy.id] = ", ".join(filter(None, (copy.outlet or copy.title, day))) or copy.id
    for citation in answer.citations:
        sources.setdefault(citation.article_id, []).append(citation)
        told = dict.fromkeys(names.get(copy, copy) for copy in citation.also_in)
        copies.setdefault(citation.article_id, {}).update(told)
        if articles and outdated_citation(citation, articles):
            outdated.add(citation.article_id)
    shown = {"answer": answer, "sources": sources, "outdated": outdated, "copies": copies}
    return fragment("evidence", words, **shown, heading=heading, further=further)


def outdated_citation(citation: Citation, articles: Library) -> bool:
    """Whether the cited article has changed, or is gone, since it was cited."""
    article = articles.article(citation.article_id)
    return article is None or not is_current(article, citation.sha256)


def spoken(answer: Answer) -> str:
    """The answer's words, without markers and without Beleg's line above quotations."""
    said = (answer.text[slice(*span)] for span in _paragraphs(answer.text))
    return without_markers("\n\n".join(text for text in said if text not in NOTICES))


def search_title(articles: int, cited: int | None, took: float, words: Words) -> str:
    """5 Artikel durchsucht, 3 zitiert (0,02 s); `cited` is None while there is no answer yet."""
    told = words("answer.searched", n=articles)
    if cited is not None:
        told += ", " + (words("answer.cited", n=cited) if cited else words("answer.none_cited"))
    return f"{told} ({words.seconds(took)} s)"


def search_html(passages: Sequence[Passage], words: Words) -> str:
    """The found passages, best first, as links with the beginning of their text."""
    places = []
    for passage in passages:
        at = (passage.chunk.start, passage.chunk.end)
        # of an answer that was kept, the article's text is not there
        places.append(replace(cite(passage.article, at, 0, "no claim"), quote=passage.chunk.text))
    return fragment("places", words, places=places, heading=None)


def mode_line(engine: Engine, words: Words) -> str:
    """Who answers: no model, or the model by its name and where text is sent."""
    if engine.mode == "extractive":
        return words("answer.extractive")
    told = f" – {words('answer.sends_to', host=engine.sends_to)}" if engine.sends_to else ""
    return words("answer.by_model", model=engine.mode) + told


def _paragraph(answer: Answer, span: Span, words: Words) -> str:
    """A paragraph: a heading, a quotation, or prose with its marks."""
    text = answer.text[slice(*span)]
    sides = {values(pair.said) for pair in answer.contradictions}
    if text in NOTICES | sides:
        return fragment("label", words, said=text, unsure=text in NEAREST, differ=text in DIFFER | sides)
    quoted = _quoted(answer, span)
    if quoted is None:
        return _marked_up(answer, span, words)
    leads = answer.statements[0].start == span[0] and answer.certainty != "unsure"
    quote = " ".join(quoted.quote.split())
    pairs = [zip(pair.citations, pair.said, strict=True) for pair in answer.contradictions]
    differs = [" ".join(said.split()) for pair in pairs for number, said in pair if number == quoted.number]
    found = [(quote.find(each), len(each)) for each in differs]
    marks = [(start, start + length) for start, length in found if start >= 0]
    if leads and not differs:
        marks = asked_for(answer.standalone_question, quote, detect_language(quote))
    said = _with_inserts(quote, (0, len(quote)), _marked(marks, 0))
    source = origin(quoted, words)
    return f"> {said}{chip(quoted, words)}" + (f" {fragment('cite', words, source=source)}" if source else "")


def _quoted(answer: Answer, span: Span) -> Citation | None:
    """The place quoted by a paragraph that is nothing but a quotation."""
    numbered = {citation.number: citation for citation in answer.citations}
    for statement in answer.statements if answer.model is None else ():
        cited = numbered.get(statement.citations[0]) if len(statement.citations) == 1 else None
        if statement.start == span[0] and cited and cited.quote == statement.text:
            return cited
    return None


def _marked_up(answer: Answer, span: Span, words: Words) -> str:
    """A part of the answer's text with `[n]` made chips, and with the status of its sentences.

    A number without a citation stays text.
    """
    chips = {str(citation.number): chip(citation, words) for citation in answer.citations}
    inserts: list[_Insert] = [
        (found.start(), 1, found.end(), chips.get(found[1], f" &#91;{found[1]}&#93;"))
        for found in _MARKER.finditer(answer.text)
    ]
    for each in answer.statements:
        if not span[0] <= each.start < each.end <= span[1]:
            continue
        if each is answer.statements[0] and each.citations:
            said = _MARKER.sub(lambda found: " " * len(found[0]), answer.text[each.start : each.end])
            asked = asked_for(answer.standalone_question, said, detect_language(said))
            inserts += _marked(asked, each.start)
        if each.status in ("weak", "unsupported"):
            told = words(f"answer.{each.status}")
            opening = Markup('<span class="{}" title="{}">').format(each.status, told)
            closing = f"</span> {fragment('status', words, said=told)}"
            inserts += [(each.start, 2, each.start, str(opening)), (each.end, 0, each.end, closing)]
        elif each.repaired:
            note = f" {fragment('status', words, said=words('answer.repaired'))}"
            inserts.append((each.end, 0, each.end, note))
    return _with_inserts(answer.text, span, inserts)


def _with_inserts(text: str, span: Span, inserts: Iterable[_Insert]) -> str:
    """A part of a text, escaped, with markup put in."""
    rendered, (at, end) = "", span
    for start, _, until, markup in sorted(inserts, key=lambda insert: insert[:2]):
        if at <= start <= until <= end:
            rendered += _escaped(text[at:start]) + markup
            at = until
    return (rendered + _escaped(text[at:end])).strip()


def _marked(spans: Iterable[Span], at: int) -> Iterator[_Insert]:
    """Markup for stretches of a text that begins at `at`."""
    for start, end in spans:
        yield at + start, 3, at + start, "<mark>"
        yield at + end, -1, at + end, "</mark>"


def _escaped(text: str) -> str:
    """As `markdown_text`, keeping a space at either end."""
    if not text.strip():
        return " " if text else ""
    return " " * text[0].isspace() + markdown_text(text) + " " * text[-1].isspace()


def _paragraphs(text: str) -> list[Span]:
    """Spans of the paragraphs, separated by blank lines."""
    edges = [0, *(edge for found in _PARAGRAPH.finditer(text) for edge in found.span()), len(text)]
    return [span for span in zip(edges[::2], edges[1::2], strict=True) if text[slice(*span)].strip()]


def chip(citation: Citation, words: Words) -> str:
    """The numbered link to a cited place, as Markdown."""
    title = markdown_text(label(citation, words)).replace("(", "&#40;").replace(")", "&#41;")
    return f'{WORD_JOINER}[{citation.number}]({citation_path(citation)} "{title}")'
