"""Protects the whole site behind one guard, chat included, and the one table from errors to statuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from rag import errors
from rag.errors import BelegError
from rag.serve.api.errors import TABLE, openai_body, plain_body, problem_of
from rag.settings import load_settings
from tests.doors import BEARER, TOKEN, fake
from tests.fake_engine import FakeEngine
from tests.visit import chat_of, serving

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


# --- the table


def every_error(kind: type[BelegError] = BelegError) -> Iterator[type[BelegError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from every_error(each)


def test_every_error_has_a_row_of_its_own() -> None:
    rows = {kind for kind, _, _ in TABLE}
    assert [kind.__name__ for kind in every_error() if kind not in rows] == []
    codes = [code for _, _, code in TABLE]
    assert len(set(codes)) == len(codes)


def test_a_row_comes_before_those_of_its_ancestors() -> None:
    kinds = [kind for kind, _, _ in TABLE]
    for i, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[i + 1 :]), kind


def test_a_mistake_of_ours_is_told_without_details() -> None:
    problem = problem_of(KeyError("a secret detail"))
    assert (problem.status, problem.code) == (500, "internal")
    assert "secret" not in str(plain_body(problem)) + str(openai_body(problem))


def test_what_passes_says_when_to_come_back() -> None:
    assert problem_of(errors.Overloaded("too many")).headers["Retry-After"]
    assert "Retry-After" not in problem_of(errors.BadRequest("empty")).headers


# --- the whole site

_AUTH = f"password:apfel-birne token:test={TOKEN}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole site."""
    folder = tmp_path_factory.mktemp("site")
    settings = load_settings(data=folder, articles=folder, auth=_AUTH)

    with serving(chat_of(FakeEngine(), settings)) as address:
        yield address


@pytest.fixture
def visitor(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site) as client:
        yield client


@pytest.mark.slow
def test_the_chat_and_all_of_gradio_are_behind_the_guard(visitor: httpx.Client) -> None:
    for path in (
        *("/config", "/gradio_api/info", "/gradio_api/queue/data", "/gradio_api/file=/etc/passwd"),
        *("/theme.css", "/assets/index.js", "/static/img/logo.svg", "/quelle/waermeplan", "/auswertung"),
        *(
            "/feedback.jsonl",
            "/antwort/x.json",
            "/artikel",
            "/api/v1/docs",
            "/v1/openapi.json",
            "/metrics",
        ),
    ):
        assert visitor.get(path).status_code == 401, path
        assert visitor.get(path, headers={"Accept": "text/html"}).status_code == 303, path
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/export/md", "/artikel/einlesen"):
        assert visitor.post(path, json={}).status_code == 401, path


@pytest.mark.slow
def test_a_reader_comes_from_the_login_to_the_chat(visitor: httpx.Client) -> None:
    right = {"password": "apfel-birne", "next": "/"}
    page = visitor.get("/", headers={"Accept": "text/html"}, follow_redirects=True)
    assert 'name="password"' in page.text
    chat = visitor.post("/anmelden", data=right, follow_redirects=True)
    assert 'id="masthead"' in chat.text or "gradio" in chat.text
    assert visitor.get("/config").json()["version"]
    assert visitor.get("/quelle/waermeplan").status_code == 200


@pytest.mark.slow
def test_no_page_of_another_port_reads_the_chat_and_gradio_takes_no_files(visitor: httpx.Client) -> None:
    found = visitor.get("/config", headers={**BEARER, "Origin": "http://localhost:3000"})
    assert found.status_code == 200
    assert not [name for name in found.headers if name.startswith("access-control-allow")]
    sent = visitor.post("/gradio_api/upload", headers=BEARER, files={"files": ("x.txt", b"x" * 100)})
    assert sent.status_code == 404


@pytest.mark.slow
def test_a_question_counts_for_every_door_alike(visitor: httpx.Client) -> None:
    visitor.post("/api/v1/ask", json={"question": "Wärmeplan"}, headers=BEARER)
    figures = visitor.get("/metrics", headers=BEARER).text
    assert 'beleg_answers_total{door="rest",outcome="answered"} 1.0' in figures
    assert 'beleg_requests_total{door="rest",method="POST",status="200"} 1.0' in figures
    assert "beleg_articles 3.0" in figures
    assert "Wärmeplan" not in figures


def test_health_says_nothing_but_yes(tmp_path: Path) -> None:
    visitor: TestClient = fake(tmp_path)
    assert [visitor.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]


def test_an_index_that_cannot_be_read_is_not_ready(tmp_path: Path) -> None:
    engine = FakeEngine()

    def damaged() -> None:
        raise errors.IndexDamaged("the library is garbage; run: python -m ingest --rebuild")

    engine.library.counts = damaged  # type: ignore[method-assign,assignment]
    answer = fake(tmp_path, engine).get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready\n")
