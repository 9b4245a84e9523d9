"""Protects the way from what a reader was told of a failure to the line of the log: both name the request."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from rag.i18n import GERMAN
from rag.serve.chat.conversation import Chat
from rag.serve.logs import HEADER, request_id, with_ids, within
from rag.serve.queue import Service
from rag.settings import Settings, load_settings
from rag.store.answers import Records
from tests.chat_reader import events
from tests.doors import BEARER, WITH_TOKEN, doors
from tests.fake_engine import FakeEngine
from tests.visit import chat_of, serving

NAMED = {HEADER: "probe-7"}
BROKEN, BREAKS_OFF = "absturz", "abbruch Wärmeplan"
ACCEPT = {"Accept": "application/json, text/event-stream"}


def client(folder: Path, **given: Any) -> TestClient:
    app = with_ids(doors(FakeEngine(), load_settings(data=folder, **given)))
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False, headers=NAMED)


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/api/v1/ask", {"question": BROKEN}, 500),
        ("/api/v1/ask", {"question": "kaputt"}, 502),
        ("/api/v1/ask", {}, 422),
        ("/api/v1/nothing", {}, 404),
        ("/v1/chat/completions", {"model": "beleg", "messages": [{"role": "user", "content": BROKEN}]}, 500),
        ("/v1/chat/completions", {"model": "none", "messages": [{"role": "user", "content": "x"}]}, 404),
    ],
)
def test_an_error_names_its_request(tmp_path: Path, path: str, sent: Any, status: int) -> None:
    response = client(tmp_path).post(path, json=sent)
    assert (response.status_code, response.headers[HEADER]) == (status, "probe-7")
    assert response.json()["error"]["request_id"] == "probe-7"


def test_so_does_a_refusal_of_the_guard(tmp_path: Path) -> None:
    response = client(tmp_path, **WITH_TOKEN).get("/api/v1/feedback")
    assert (response.status_code, response.json()["error"]["request_id"]) == (401, "probe-7")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/v1/stream", {"question": BREAKS_OFF}),
        (
            "/v1/chat/completions",
            {"model": "beleg", "stream": True, "messages": [{"role": "user", "content": BREAKS_OFF}]},
        ),
    ],
)
def test_so_does_an_error_in_the_middle_of_a_stream(tmp_path: Path, path: str, sent: Any) -> None:
    last = client(tmp_path).post(path, json=sent).text.strip().rpartition("data: ")[2]
    assert json.loads(last)["error"]["request_id"] == "probe-7"


def test_so_does_a_tool_that_failed(tmp_path: Path) -> None:
    call = {"name": "ask", "arguments": {"question": BROKEN}}
    sent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    with client(tmp_path, **WITH_TOKEN) as api:
        response = api.post("/mcp", json=sent, headers=ACCEPT | BEARER)
    assert "(request probe-7)" in response.text


def test_without_a_request_there_is_nothing_to_name() -> None:
    chat = Chat(Service(FakeEngine(), Settings(readers=1), Records(None)))  # type: ignore[arg-type]
    *_, view = chat.ask(BROKEN, [], GERMAN)
    assert view.notice == GERMAN("errors.internal")


def test_every_step_is_the_requests_whichever_thread_takes_it() -> None:
    closed = []

    def steps() -> Iterator[str | None]:
        try:
            while True:
                yield request_id()
        finally:
            closed.append(request_id())

    found, named = list[str | None](), within("probe-8", steps())
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.append(next(named)))
        thread.start()
        thread.join()
    named.close()  # type: ignore[attr-defined]
    assert (found, closed, request_id()) == (["probe-8", "probe-8"], ["probe-8"], None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Gradio's own
@pytest.mark.parametrize("question", [BROKEN, "kaputt"])
def test_the_chat_names_it_and_the_log_has_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, question: str
) -> None:
    seen: list[str | None] = []
    caplog.handler.addFilter(lambda _: seen.append(request_id()) is None)
    caplog.set_level(logging.WARNING, logger="rag.serve.chat.conversation")

    with serving(with_ids(chat_of(FakeEngine(), Settings(data=tmp_path)))) as address:
        shown = asyncio.run(_asked(address, question))
    assert "Kennung der Anfrage: probe-7" in json.dumps(shown, ensure_ascii=False)
    assert seen
    assert set(seen) == {"probe-7"}


async def _asked(address: str, question: str) -> Any:
    """What the page shows at the end."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as visitor:
        config = (await visitor.get("/config")).json()
        composer = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "composer")
        function = next(d["id"] for d in config["dependencies"] if [composer, "submit"] in d["targets"])
        body = {"data": [question, [], ""], "fn_index": function, "session_hash": "s1"}
        german = {"Accept-Language": "de"}
        (await visitor.post("/gradio_api/queue/join", json=body, headers=NAMED | german)).raise_for_status()
        return [event async for event in _until_complete(visitor)]


async def _until_complete(visitor: httpx.AsyncClient) -> Any:
    async for event in events(visitor, "s1"):
        yield event
        if event["msg"] == "process_completed":
            return
