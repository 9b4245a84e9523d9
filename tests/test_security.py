"""Protects readers and keys from articles, files, models and requests that mean harm (docs/security.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ingest.intake import safe_name
from ingest.readers import read_file
from ingest.sources import slug
from ingest.structure.article import article_from
from rag.engine import Engine, open_engine
from rag.i18n import GERMAN
from rag.schema import Article, Message
from rag.serve.chat import render
from rag.serve.pages.reader import reader_page
from tests.conftest import ROOT
from tests.dossier import engine_over
from tests.openai_server import OpenAIServer, Reply, openai_server
from tests.pages import pages
from tests.poison import ECHO, POISON, TRUTH
from tests.targets import assert_harmless

QUESTION = "Wie ist die Fähre nach Moorhafen gestrichen?"
KEY = "sk-verysecret1234"


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> list[Article]:
    folder: Path = tmp_path_factory.mktemp("poison")
    read = []
    for name, text in POISON.items():
        (folder / name).write_text(text, "utf-8")
        for document in read_file(folder / name, limit_bytes=1_000_000).documents:
            read.append(article_from(document, slug(document.id or name), name))
    return read


@pytest.fixture(scope="module")
def engine(articles: list[Article], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine_over(tmp_path_factory.mktemp("index"), *articles) as engine:
        yield engine


@pytest.fixture
def echo(engine: Engine) -> Iterator[tuple[Engine, OpenAIServer]]:
    """An engine whose model does whatever an article tells it to."""
    with openai_server(Reply(ECHO)) as server:
        told = {"openai_api_key": KEY, "openai_base_url": server.base_url, "llm": "echo"}
        settings = type(engine.settings)(**{**vars(engine.settings), **told})
        with closing(open_engine(settings)) as answering:
            yield answering, server


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    seen: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.feed(page)
    return seen


def test_every_poisoned_article_is_read_and_none_runs(articles: list[Article]) -> None:
    assert len(articles) == len(POISON) >= 10
    for article in articles:
        assert TRUTH in article.text, article.source
        page = reader_page(article, (0, 10), GERMAN, stale=False)
        for tag, attributes in elements(page):
            assert tag not in {"img", "form", "iframe", "svg", "object", "style", "input"}, article.source
            assert not any(name.startswith("on") for name in attributes), article.source
            assert tag not in {"script", "link"} or (
                attributes.get("src") or attributes.get("href") or ""
            ).startswith("/")
            assert tag != "a" or (attributes.get("href") or "").startswith(("/", "#"))


def test_an_answer_from_poisoned_articles_is_their_words_and_does_nothing(engine: Engine) -> None:
    answer = engine.ask(QUESTION, [Message("user", "<img src=x>"), Message("assistant", ECHO)])
    assert TRUTH in answer.text
    assert_harmless(render.answer_markdown(answer, GERMAN))


def test_a_model_that_follows_an_article_is_not_believed(echo: tuple[Engine, OpenAIServer]) -> None:
    engine, server = echo
    answer = engine.ask(QUESTION)
    assert answer.reason == "not verified"
    assert "GEKAPERT" not in answer.text
    assert answer.model is None
    assert TRUTH in answer.text
    assert_harmless(render.answer_markdown(answer, GERMAN))
    assert KEY not in server.requests[-1].prompt


def test_addresses_in_articles_are_never_fetched(engine: Engine) -> None:
    # the tests' network is closed: a request for the beacon would raise NetworkBlocked
    engine.ask(f"Was steht auf https://beacon.example/b.png? {QUESTION}")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.txt",
        "..\\..\\boot.txt",
        "/etc/x.txt",
        ".ssh.txt",
        "a\0b.txt",
        "%2e%2e/x.txt",
        "CON.txt",
    ],
)
def test_the_name_of_an_upload_leads_nowhere(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", safe_name(name))


@pytest.mark.parametrize(
    "path",
    ["/beleg/../rag/settings.py", "/beleg/%2e%2e/%2e%2e/app.py", "/beleg/..%2f..%2fapp.py",
     "/beleg//etc/passwd",
     "/quelle/..%2f..%2fetc%2fpasswd", "/antwort/..%2f..%2frecords.sqlite.json", "/quelle/%00", "/beleg/%00"],
)  # fmt: skip
def test_no_address_leads_out_of_its_folder(path: str, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    with pages(tmp_path) as app, TestClient(app) as client:
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/artikel", "/auswertung", "/quelle/bruecke", "/quelle/x", "/beleg/base.css", "/feedback.jsonl"]
)
def test_every_response_has_the_headers(path: str, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    with pages(tmp_path) as app, TestClient(app) as client:
        headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.mark.parametrize(
    "path", ["/artikel?q={}", "/artikel?sort={}", "/quelle/{}", "/quelle/bruecke?von={}&bis={}&v={}"]
)
def test_parameters_of_an_address_are_text(path: str, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    with pages(tmp_path) as app, TestClient(app) as client:
        page = client.get(path.format(ATTACK, ATTACK, ATTACK)).text
    assert not any("onerror" in attributes for _, attributes in elements(page))
    assert "alert(1)</script>" not in page


def test_every_defence_has_a_test_that_exists() -> None:
    table = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| LLM(\d\d) .*$", table, re.MULTILINE)
    assert rows == [f"{n:02}" for n in range(1, 11)]
    named = re.findall(r"`(test_\w+)\.(test_\w+)`", table)
    missing = [
        f"{module}.{name}"
        for module, name in named
        if f"def {name}(" not in (ROOT / "tests" / f"{module}.py").read_text("utf-8")
    ]
    assert len(named) >= 10
    assert missing == []
