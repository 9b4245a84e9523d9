"""Protects the first second of the web chat: what is answered while it loads, and what when that fails."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.serve.opening import Opening


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
