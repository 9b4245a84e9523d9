"""Protects the first second of the web chat: what is answered while it loads, and what when that fails."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.serve.opening import Opening
from rag.settings import load_settings
from tests.doors import doors
from tests.fake_engine import FakeEngine


def waiting(opened: threading.Event, lives: list[str]) -> Opening:
    """An app that is built once `opened` is set, and notes its own beginning and end."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        lives.append("begun")
        yield
        lives.append("ended")

    def build() -> FastAPI:
        opened.wait(10)
        app = FastAPI(lifespan=life)
        app.get("/")(lambda: "the chat")
        return app

    return Opening(build)


def until_open(client: TestClient) -> None:
    for _ in range(200):
        if "the chat" in client.get("/").text:
            return
        threading.Event().wait(0.02)
    raise AssertionError("the chat did not open")


def test_a_page_is_there_before_the_chat_and_then_the_chat() -> None:
    opened, lives = threading.Event(), list[str]()
    with TestClient(waiting(opened, lives)) as client:
        first = client.get("/")
        assert first.status_code == 200
        assert "wird geöffnet" in first.text
        assert first.headers["cache-control"] == "no-store"
        assert lives == []
        opened.set()
        until_open(client)
        assert lives == ["begun"]
    assert lives == ["begun", "ended"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/artikel"), ("POST", "/"), ("GET", "/gradio_api/x")])
def test_everything_else_is_asked_to_come_back(method: str, path: str) -> None:
    opened = threading.Event()
    with TestClient(waiting(opened, [])) as client:
        early = client.request(method, path)
        assert (early.status_code, early.headers["retry-after"]) == (503, "1")
        opened.set()


def test_a_chat_that_cannot_be_built_is_told_to_whoever_serves_it() -> None:
    told = threading.Event()

    def build() -> FastAPI:
        raise ValueError("no such theme")

    opening = Opening(build, told.set)
    with TestClient(opening):
        assert told.wait(10)
    assert str(opening.error) == "no such theme"


def test_who_stops_it_does_not_wait_for_the_chat() -> None:
    opened = threading.Event()
    with TestClient(waiting(opened, [])) as client:
        assert client.get("/").status_code == 200
    assert not opened.is_set()
    opened.set()


def test_pages_that_may_show_the_chat_may_do_so_while_it_opens() -> None:
    opened = threading.Event()
    opening = Opening(FastAPI, embedders=("https://news.example",))
    with TestClient(waiting(opened, [])) as alone:
        policy = alone.get("/?embed=1").headers["content-security-policy"]
        assert policy.endswith("frame-ancestors 'self'")
        opened.set()
    early = TestClient(opening)  # whose life has not begun
    assert (
        early.get("/?embed=1")
        .headers["content-security-policy"]
        .endswith("frame-ancestors 'self' https://news.example")
    )
    script = early.get("/widget.js")
    assert (script.status_code, script.headers["access-control-allow-origin"]) == (200, "*")
    assert "attachShadow" in script.text


@pytest.mark.parametrize(
    "path", ["/", "/artikel", "/config", "/api/v1/articles", "/quelle/bruecke", "/beleg/../"]
)
def test_a_visitor_without_a_login_learns_nothing_while_it_opens(path: str) -> None:
    """The guard is part of what is being built: until then there is one page, and it holds no article."""
    found = TestClient(Opening(FastAPI)).get(path)
    assert "wird geöffnet" in found.text
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert found.headers["x-content-type-options"] == "nosniff"


def test_the_login_stands_before_the_chat_from_its_first_moment(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, auth="password:apfel-birne")
    opening = Opening(lambda: doors(FakeEngine(), settings))
    page = {"Accept": "text/html"}
    with TestClient(opening, base_url="http://127.0.0.1", follow_redirects=False) as client:
        for _ in range(500):
            found = client.get("/", headers=page)
            if found.status_code != 200:
                break
            assert "wird geöffnet" in found.text
            threading.Event().wait(0.02)
        assert (found.status_code, found.headers["location"]) == (303, "/anmelden?next=/")
