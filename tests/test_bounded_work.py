"""Protects everybody else: the worst input of each field, at each door, is little work or refused."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.serve.api import openai_forms
from rag.serve.pages.routes import add_answer_routes
from tests.doors import client, doors, over_dossier

SIZE = 400_000  # characters; what grows with it in any other way than a little has grown by now
MOST = 25_000_000  # bytes


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("work")
    with over_dossier(folder, rate=0) as engine, client(app := doors(engine, engine.settings)) as asking:
        add_answer_routes(app, app.state.service)
        asking.post("/api/v1/ask", json={"question": "Was kostet die Brücke?"})  # loads what is loaded once
        asking.post("/v1/embeddings", json={"model": "builtin", "input": "x"})
        yield asking


def many(item: Any) -> list[Any]:
    return [item] * (SIZE // (len(json.dumps(item)) + 2))


LONG = {"words": "Brücke " * (SIZE // 7), "lines": "\n" * SIZE, "defined": "\n[1]: <" * (SIZE // 7)}
ITEMS: dict[str, Any] = {"texts": "", "objects": {}, "nested": [[[[[]]]]]}
ASKED = {"question": "Was kostet die Brücke?"}
SAID = {"role": "user", "content": "Und wer noch?"}
TALK = {"model": "beleg", "messages": [SAID]}


def in_mcp(arguments: Any) -> Any:
    call = {"name": "ask", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}


def worst() -> Iterator[tuple[str, str, Any]]:
    """Name, door and body."""
    for name, text in LONG.items():
        old = {"role": "user", "content": text}
        yield f"rest question {name}", "/api/v1/ask", {"question": text}
        yield f"rest history {name}", "/api/v1/ask", {**ASKED, "history": [old]}
        yield f"chat message {name}", "/v1/chat/completions", {"model": "beleg", "messages": [old, SAID]}
        yield f"chat question {name}", "/v1/chat/completions", {"model": "beleg", "messages": [old]}
        yield f"completion {name}", "/v1/completions", {"model": "beleg", "prompt": text}
        yield f"response {name}", "/v1/responses", {"model": "beleg", "input": [old, SAID]}
        yield f"embedding {name}", "/v1/embeddings", {"model": "builtin", "input": text[:99_000]}
        yield f"tool {name}", "/mcp", in_mcp({**ASKED, "history": [old]})
    for name, item in ITEMS.items():
        yield f"rest history of {name}", "/api/v1/ask", {**ASKED, "history": many(item)}
        yield f"messages of {name}", "/v1/chat/completions", {"model": "beleg", "messages": many(item)}
        parts = {"model": "beleg", "messages": [{"role": "user", "content": many(item)}]}
        yield f"parts of {name}", "/v1/chat/completions", parts
        yield f"prompts of {name}", "/v1/completions", {"model": "beleg", "prompt": many(item)}
        yield f"input of {name}", "/v1/responses", {"model": "beleg", "input": many(item)}
        yield f"embeddings of {name}", "/v1/embeddings", {"model": "builtin", "input": many(item)}
        yield f"stops of {name}", "/v1/completions", {"model": "beleg", "prompt": "x", "stop": many(item)}
        yield f"tool history of {name}", "/mcp", in_mcp({**ASKED, "history": many(item)})
        yield f"other fields of {name}", "/api/v1/ask", {**ASKED, "z": many(item)}
        for field in ("outlets", "articles"):
            chosen = {"filters": {field: many(item)}}
            yield f"rest {field} of {name}", "/api/v1/ask", ASKED | chosen
            yield f"chat {field} of {name}", "/v1/chat/completions", TALK | chosen
            yield f"tool {field} of {name}", "/mcp", in_mcp(ASKED | chosen)
    fields = {str(n): 0 for n in range(SIZE // 10)}
    yield "fields", "/api/v1/ask", ASKED | fields
    yield "fields of filters", "/api/v1/ask", {**ASKED, "filters": fields}
    yield "fields of a tool's filters", "/mcp", in_mcp({**ASKED, "filters": fields})
    yield "name in filters", "/api/v1/ask", {**ASKED, "filters": {"outlets": ["x" * SIZE]}}
    yield "id in a tool's filters", "/mcp", in_mcp({**ASKED, "filters": {"articles": ["x" * SIZE]}})
    yield "fields of a message", "/api/v1/ask", {**ASKED, "history": [SAID | fields]}
    yield "turns of a conversation to keep", "/export/json", {"title": "x", "turns": many(0)}
    yield "records of a conversation to keep", "/export/md", {"title": "x", "turns": many({"question": 0})}


@pytest.mark.parametrize(("door", "body"), [pytest.param(d, b, id=n) for n, d, b in worst()])
def test_the_worst_of_each_field_takes_little(asking: TestClient, door: str, body: Any) -> None:
    sent = json.dumps(body)
    accept = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    tracemalloc.start()
    try:
        answer = asking.post(door, content=sent, headers=accept)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code in (200, 400, 422)
    assert peak < MOST
    assert len(answer.content) < SIZE / 2, "what was wrong is told once, not as often as it was sent"


def test_nesting_without_end_is_no_failure_of_ours(asking: TestClient) -> None:
    for door in ("/api/v1/ask", "/v1/chat/completions", "/v1/responses", "/mcp"):
        answer = asking.post(
            door,
            content="[" * SIZE,
            headers={"Content-Type": "application/json", "Accept": "application/json, text/event-stream"},
        )
        assert answer.status_code == 400


def test_tokens_are_counted_of_what_is_read(asking: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    monkeypatch.setattr(openai_forms, "count_tokens", lambda text: counted.append(len(text)) or 1)
    said = [{"role": "user", "content": "Die Brücke. " * 5_000}] * 10
    asking.post("/v1/chat/completions", json={"model": "beleg", "messages": [*said, SAID]})
    assert counted
    assert sum(counted) < 20_000


def test_more_text_than_is_embedded_at_a_time_is_refused_by_name(asking: TestClient) -> None:
    sent = {"model": "builtin", "input": ["x" * 99_000] * 6}
    answer = asking.post("/v1/embeddings", json=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert "At most 500000 characters" in answer.json()["error"]["message"]


def test_what_is_embedded_in_parts_is_in_order(asking: TestClient) -> None:
    texts = [f"Wort{n}" for n in range(150)]
    told = asking.post("/v1/embeddings", json={"model": "builtin", "input": texts}).json()["data"]
    alone = asking.post("/v1/embeddings", json={"model": "builtin", "input": texts[140]}).json()["data"]
    assert len(told) == 150
    assert told[140]["embedding"] == alone[0]["embedding"]
