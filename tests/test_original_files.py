"""Protects the way back from a citation to its file: the page it names, and the file opened there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.sync import sync
from rag.engine import Engine, open_engine
from rag.i18n import GERMAN
from rag.schema import Article
from rag.serve.api.openai_forms import references
from rag.serve.chat.render import evidence_html
from rag.serve.pages.export import conversation
from rag.settings import Settings
from rag.wire import answer_from_dict, answer_text, answer_to_dict
from tests.printed import pdf

FERRY = [
    ["Die Fähre nach Norderau wird im Winter überholt.", "Sie fährt seit vierzig Jahren."],
    ["Kapitän Ole Brandt steuert die Fähre seit 2009.", "Er kennt jede Sandbank."],
]
PAGE = (
    "<html><body><article><h1>Markt</h1><p>Der Markt zieht im Mai auf den Rathausplatz.</p></article></html>"
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    root = tmp_path_factory.mktemp("originals")
    (root / "articles").mkdir()
    (root / "articles" / "faehre.pdf").write_bytes(pdf(*FERRY))
    (root / "articles" / "markt.html").write_text(PAGE, "utf-8")
    (root / "articles" / "notiz.txt").write_text("Die Post schließt im Juni.", "utf-8")
    (root / "geheim.txt").write_text("Nicht für alle.", "utf-8")
    settings = Settings(articles=root / "articles", data=root / "data")
    sync(settings)
    with closing(open_engine(settings)) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from rag.serve.pages.routes import add_article_routes
    from rag.serve.queue import Service
    from rag.store.answers import Records

    app = FastAPI()
    add_article_routes(app, Service(engine, engine.settings, Records(None)))
    return TestClient(app)


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (9, 1), (10, 3), (99, 3)])
def test_a_page_without_text_is_no_place(offset: int, page: int) -> None:
    article = Article("a", "x" * 100, "a.pdf", "", pages=(0, 10, 10))
    assert article.page_at(offset) == page
    assert Article("a", "x", "a.txt", "").page_at(0) is None


def test_every_door_names_the_page_of_a_citation(engine: Engine) -> None:
    answer = engine.ask("Wer steuert die Fähre?")
    citation = answer.citations[0]
    assert (citation.article_id, citation.page) == ("faehre", 2)
    assert answer_from_dict(answer_to_dict(answer)).citations == answer.citations
    assert "S. 2" in answer.text
    assert "p. 2" in answer_text(answer)
    assert 'p. 2"' in references(answer, "http://beleg.test", answer.text)
    assert "S. 2" in evidence_html(answer, GERMAN)
    turn = {"question": answer.question, "record": answer_to_dict(answer)}
    assert "S. 2" in conversation("md", "Fähre", [turn], GERMAN, lambda _: False).decode()


def test_an_article_without_pages_names_none(engine: Engine) -> None:
    answer = engine.ask("Wann schließt die Post?")
    assert [citation.page for citation in answer.citations] == [None]
    assert "S. " not in answer.text


def test_the_reader_leads_to_the_page_of_the_file(client: Any, engine: Engine) -> None:
    start = engine.library.article("faehre").text.index("Kapitän")  # type: ignore[union-attr]
    html = client.get(f"/quelle/faehre?von={start}&bis={start + 20}").text
    assert 'href="/original/faehre#page=2"' in html


def test_a_pdf_is_shown_and_a_web_page_only_saved(client: Any) -> None:
    shown = client.get("/original/faehre")
    assert (shown.content[:5], shown.headers["content-type"]) == (b"%PDF-", "application/pdf")
    assert shown.headers["content-disposition"] == 'inline; filename="faehre.pdf"'
    saved = client.get("/original/markt")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("id", ["geheim", "../geheim.txt", "%2e%2e%2fgeheim.txt", "faehre.pdf", ""])
def test_no_file_is_served_that_the_library_does_not_know(client: Any, id: str) -> None:
    assert client.get(f"/original/{id}").status_code == 404


def test_marks_of_an_articles_own_footnotes_are_unlike_ours(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("Das Freibad öffnet im Mai wieder seine Becken.[1][12]", "utf-8")
    settings = Settings(articles=tmp_path, data=tmp_path / "data")
    sync(settings)
    with closing(open_engine(settings)) as opened:
        answer = opened.ask("Wann öffnet das Freibad?")
        assert "Becken.⁽¹⁾⁽¹²⁾ [1]" in opened.ask("Worum geht es in den Artikeln?").text
    assert answer.text.startswith("Das Freibad öffnet im Mai wieder seine Becken.⁽¹⁾⁽¹²⁾ [1]")
    assert answer.citations[0].quote.endswith("Becken.[1][12]")
