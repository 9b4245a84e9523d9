"""Protects the first second of the web chat: what is answered while it loads, and what when that fails."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import app
from rag.serve.opening import opening
from rag.settings import Settings


def test_a_page_is_there_before_the_chat_and_then_the_chat() -> None:
    """Both by the same address, from the moment that it is printed."""
    chat = FastAPI()
    chat.get("/")(lambda: "the chat")
    seen: list[str] = []

    def build() -> FastAPI:
        seen.append(httpx.get(address).text)
        threading.Thread(target=look, daemon=True).start()
        return chat

    def look() -> None:
        with contextlib.suppress(AssertionError):
            while "the chat" not in (page := once_more()):
                assert "wird geöffnet" in page
            seen.append(page)
        os.kill(os.getpid(), signal.SIGINT)  # Ctrl-C, whatever was seen: the server would run for ever

    def once_more() -> str:
        while True:
            # whoever has just connected as the one server leaves and the other comes asks again
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(address, timeout=10).text

    with socket.create_server(("127.0.0.1", 0)) as bound:
        address = app.address_of(bound)
        with pytest.raises(KeyboardInterrupt):
            app.run(build, bound, "a note", Settings())
    assert "wird geöffnet" in seen[0]
    assert "the chat" in seen[1]


def test_a_chat_that_cannot_be_built_is_an_error() -> None:
    def build() -> FastAPI:
        raise ValueError("no such theme")

    with socket.create_server(("127.0.0.1", 0)) as bound, pytest.raises(ValueError, match="no such theme"):
        app.run(build, bound, "a note", Settings())


@pytest.mark.parametrize(("method", "path"), [("GET", "/artikel"), ("POST", "/"), ("GET", "/gradio_api/x")])
def test_everything_else_is_asked_to_come_back(method: str, path: str) -> None:
    early = TestClient(opening()).request(method, path)
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    assert early.headers["connection"] == "close"  # so that none is cut when the chat takes over


@pytest.mark.parametrize("path", ["/api/v1/ask", "/v1/chat/completions", "/mcp"])
def test_programs_are_told_as_their_door_tells_errors(path: str) -> None:
    early = TestClient(opening()).post(path, json={})
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    assert early.json()["error"]["code"] == "opening"
    assert early.headers["content-security-policy"].startswith("default-src 'none'")


def test_pages_that_may_show_the_chat_may_do_so_while_it_opens() -> None:
    policy = TestClient(opening()).get("/?embed=1").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self'")
    early = TestClient(opening(["https://news.example"]))
    policy = early.get("/?embed=1").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://news.example")
    script = early.get("/widget.js")
    assert (script.status_code, script.headers["access-control-allow-origin"]) == (200, "*")
    assert "attachShadow" in script.text


@pytest.mark.parametrize(
    "path", ["/", "/artikel", "/config", "/api/v1/articles", "/quelle/bruecke", "/beleg/../"]
)
def test_a_visitor_without_a_login_learns_nothing_while_it_opens(path: str) -> None:
    """The guard is part of what is being built: until then there is one page, and it holds no article."""
    found = TestClient(opening()).get(path)
    assert "wird geöffnet" in found.text or found.json()["error"]["code"] == "opening"
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["x-content-type-options"] == "nosniff"
