"""What must hold whatever comes in: each target takes input of any kind, and raises when an invariant breaks.

`test_properties.py` draws the input with Hypothesis, `fuzz.py` with a fuzzer that follows the coverage.
"""

from __future__ import annotations

import html
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingest.__main__ import check, check_text
from ingest.chunking import chunk_article
from ingest.readers import SUFFIXES, read_file
from ingest.readers.document import Document
from ingest.structure.article import answerable, article_from
from rag.answering.compose import compose
from rag.answering.confidence import confidence
from rag.answering.extract import candidates
from rag.answering.stream import Writing
from rag.i18n import GERMAN
from rag.question.answer_type import cue_of
from rag.question.followup import context_for, standalone
from rag.question.parse import reduced
from rag.question.query import understand
from rag.retrieval.retriever import Retriever
from rag.schema import Answer, Citation, Message, Passage
from rag.serve.chat import render
from rag.serve.chat.messages import said, user_message
from rag.settings import Settings
from rag.text.analysis import words
from rag.text.normalize import normalise
from rag.verification.facts import facts
from rag.verification.reply import Marker, parse
from rag.verification.verify import Verifier
from tests.dossier import DOSSIER, index_of

LIMIT = 1_000_000
LANGUAGES = ("de", "en", "fr", "pt", "uk")


def read(suffix: str, data: bytes) -> None:
    """A file is read, or refused with an ArticleError; what is read can be cut and stored."""
    from rag.errors import ArticleError

    assert suffix in SUFFIXES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"artikel{suffix}"
        path.write_bytes(data)
        try:
            documents = read_file(path, limit_bytes=LIMIT).documents
        except ArticleError as refused:
            listed = check_text(check(Settings(articles=Path(folder), article_limit=LIMIT), None))
            if path.name not in listed or str(refused) not in listed:
                raise AssertionError(f"{refused} is not listed with the file's name: {listed}") from refused
            return
    assert documents
    for document in documents:
        cut(document)


def cut(document: Document, words: int = 120) -> None:
    """An article's text is its document's; its chunks are slices of it, in order, without the asides."""
    article = article_from(document, "artikel", "artikel.txt")
    assert article.text == normalise(document.text)
    article.text.encode()
    chunks = chunk_article(article, words)
    for chunk in chunks:
        assert article.text[chunk.start : chunk.end] == chunk.text
        assert (chunk.start, chunk.end) == (chunk.sentences[0][0], chunk.sentences[-1][1])
        assert not any(aside.start < chunk.end and chunk.start < aside.end for aside in article.asides)
    spans = [span for chunk in chunks for span in chunk.sentences]
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    said = "".join("".join(article.text[slice(*span)].split()) for span in spans)
    kept = answerable(article.text, article.asides)
    assert said == "".join("".join(article.text[slice(*span)].split()) for span in kept)


def cite(text: str, cuts: Sequence[int]) -> None:
    """However a stream is cut, its text and its citations are those of the whole."""
    assert _pieces(_parts(text, cuts)) == _pieces([text])


def ask(question: str, said: Sequence[str] = ()) -> None:
    """Any question is understood, searched and answered verbatim, after any conversation."""
    message, question = question, reduced(question)
    assert set(words(question.lower())) <= set(words(message.lower()))
    history = [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(said)]
    contexts = context_for(question, history)
    standalone(question, contexts).encode("utf-8", "replace")
    cue_of(question)
    query = understand(question, contexts=[(context.text, context.weight) for context in contexts])
    ranking = _index().rank(query, 20)
    found = candidates(ranking)
    assert 0 <= confidence(ranking, found) <= 1
    draft = compose(found)
    for citation in (*draft.citations, *draft.further):
        assert_verbatim(citation)


def write(text: str, cuts: Sequence[int]) -> None:
    """Whatever a model writes: quotes are verbatim, statements stand where they say, nothing is active."""
    passages = _passages()
    writing = Writing(Verifier(passages, _index().idf))
    for _ in writing.run(iter(_parts(text, cuts))):
        pass
    for statement in writing.statements:
        assert 0 <= statement.start <= statement.end <= len(writing.text)
        assert set(statement.citations) <= {citation.number for citation in writing.citations}
        assert statement.status != "supported" or statement.citations
    for citation in writing.citations:
        assert_verbatim(citation)
    answer = Answer(
        "?", "?", "de", writing.text, tuple(writing.statements), tuple(writing.citations), passages,
        False, "sure", None, "modell", "f", 1.0,
    )  # fmt: skip
    assert_harmless(render.answer_markdown(answer, GERMAN))
    assert_harmless(render.draft_markdown(text))


def say(text: str, language: str = "de") -> None:
    """The facts of any text can be read; typed text is shown as it is and does nothing."""
    from datetime import date

    facts(text, language, date(2024, 3, 4))
    asked = user_message(text)
    assert_harmless(asked["content"])
    assert html.unescape(asked["content"]).split() == said(asked).split() == text.split()


def assert_verbatim(citation: Citation) -> None:
    article = next(article for article in DOSSIER if article.id == citation.article_id)
    assert article.text[citation.start : citation.end] == citation.quote != ""


def assert_harmless(markdown: str) -> None:
    """Rendered by a lenient renderer, it holds only our own elements, and links to our articles alone."""
    from html.parser import HTMLParser

    seen: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: seen.append((tag, dict(attributes)))  # type: ignore[method-assign]
    parser.feed(_markdown().render(markdown))
    for tag, attributes in seen:
        assert tag in ("p", "br", "a", "span", "small", "blockquote", "cite"), tag
        assert set(attributes) <= {"href", "title", "class"}, attributes
        assert (attributes.get("href") or "/quelle/").startswith("/quelle/")


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])


@cache
def _index() -> Retriever:
    return index_of(*DOSSIER)


@cache
def _passages() -> tuple[Passage, ...]:
    hits = _index().rank(understand("Was kostet die Reparatur der Brücke?"), 5).hits
    assert hits
    return tuple(hit.passage for hit in hits)


def _parts(text: str, cuts: Sequence[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[low:high] for low, high in pairwise(edges)]


def _pieces(deltas: Sequence[str]) -> list[str | Marker]:
    """The pieces of a stream, neighbouring texts joined."""
    joined: list[str | Marker] = []
    for piece in parse(deltas):
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
