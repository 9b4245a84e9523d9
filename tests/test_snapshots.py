"""Protects what clients of every door see: schemas, listings, help texts, and an answered, a declined and a
failing question at each. `RENEW_SNAPSHOTS=1 python -m pytest tests/test_snapshots.py` writes them anew; a
change of them is a change for clients, and CHANGELOG names it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import app
import eval.__main__
import ingest.__main__
import rag.__main__
from rag.schema import Answer, Done
from rag.settings import load_settings
from tests.doors import client, doors
from tests.fake_engine import FakeEngine

FOLDER = Path(__file__).parent / "snapshots"
QUESTIONS = {
    "answered": "Was steht im Wärmeplan?",
    "declined": "Wer gewann das Endspiel in Rom?",
    "failing": "Geht der Wärmeplan kaputt?",
}
_CHANGING = re.compile(r"^[0-9a-f]{32}$|^chatcmpl-[0-9a-f]{32}$|^\d{4}-\d\d-\d\dT[\d:.+-]+$")
_ARTICLE = {"article_id": "waermeplan", "start": 0, "end": 10}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[TestClient]:
    """The doors of the small engine."""
    with client(doors(FakeEngine(), load_settings(data=tmp_path))) as entered:
        yield entered


def compare(name: str, seen: Any) -> None:
    """Fails when something is not as the snapshot has it."""
    path = FOLDER / f"{name}.json"
    written = json.dumps(_steady(seen), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("RENEW_SNAPSHOTS"):
        path.write_text(written, encoding="utf-8")
    assert json.loads(written) == json.loads(path.read_text(encoding="utf-8"))


def _steady(seen: Any, key: str = "") -> Any:
    """With a word in the place of what differs each time."""
    match seen:
        case dict():
            return {name: _steady(each, name) for name, each in seen.items()}
        case list():
            return [_steady(each) for each in seen]
        case str() if _CHANGING.match(seen) or key == "version":
            return "…"
        case int() if key == "created":
            return 0
    return seen


def _told(response: Any) -> dict[str, Any]:
    """Status and body, of a stream the events, of MCP what its one event holds."""
    if response.headers["content-type"].startswith("text/event-stream"):
        body: Any = [_event(each) for each in response.text.strip().split("\n\n")]
    else:
        body = response.json()
    return {"status": response.status_code, "type": response.headers["content-type"], "body": body}


def _event(written: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in written.split("\n"))
    data = fields.pop("data")
    return {**fields, "data": data if data == "[DONE]" else json.loads(data)}


def _questions(asked: Callable[[str], Any]) -> dict[str, Any]:
    return {outcome: asked(question) for outcome, question in QUESTIONS.items()}


def _mcp(served: TestClient, method: str, **params: Any) -> Any:
    headers = {"Accept": "application/json, text/event-stream"}
    sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    body = _told(served.post("/mcp", json=sent, headers=headers))["body"]
    message = body[-1]["data"] if isinstance(body, list) else body
    return message.get("result") or message["error"]


def test_rest_schema(served: TestClient) -> None:
    compare("rest_schema", served.get("/api/v1/openapi.json").json())


def test_openai_schema(served: TestClient) -> None:
    compare("openai_schema", served.get("/v1/openapi.json").json())


def test_rest_answers(served: TestClient) -> None:
    compare(
        "rest",
        {
            "ask": _questions(lambda q: _told(served.post("/api/v1/ask", json={"question": q}))),
            "stream": _questions(lambda q: _told(served.post("/api/v1/stream", json={"question": q}))),
            "search": _told(served.get("/api/v1/search", params={"q": "Wärmeplan", "k": 1})),
            "malformed": _told(served.post("/api/v1/ask", json={})),
            "missing": _told(served.get("/api/v1/answers/none")),
            "article": _told(served.get("/api/v1/articles/waermeplan?highlight=0-10")),
        },
    )


def test_openai_answers(served: TestClient) -> None:
    def ask(question: str, **more: Any) -> Any:
        messages = [{"role": "user", "content": question}]
        sent = {"model": "beleg", "messages": messages, **more}
        return _told(served.post("/v1/chat/completions", json=sent))

    compare(
        "openai",
        {
            "models": _told(served.get("/v1/models")),
            "completion": _questions(ask),
            "stream": _questions(lambda q: ask(q, stream=True, stream_options={"include_usage": True})),
            "embeddings": _shortened(
                _told(served.post("/v1/embeddings", json={"model": "builtin", "input": ["Wärme", "Plan"]}))
            ),
            "malformed": _told(served.post("/v1/chat/completions", json={"model": "beleg"})),
        },
    )


def _shortened(told: dict[str, Any]) -> dict[str, Any]:
    """The first two numbers of each vector are enough."""
    for row in told["body"]["data"]:
        row["embedding"] = [round(number, 6) for number in row["embedding"][:2]]
    return told


def test_mcp_listings(served: TestClient) -> None:
    client_info = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client_info}
    compare(
        "mcp_listings",
        {
            "initialize": _mcp(served, "initialize", **hello),
            "tools": _mcp(served, "tools/list"),
            "resources": _mcp(served, "resources/list"),
            "templates": _mcp(served, "resources/templates/list"),
            "prompts": _mcp(served, "prompts/list"),
        },
    )


def test_mcp_answers(served: TestClient) -> None:
    def call(tool: str, **arguments: Any) -> Any:
        return _mcp(served, "tools/call", name=tool, arguments=arguments)

    compare(
        "mcp",
        {
            "ask": _questions(lambda q: call("ask", question=q)),
            "search": call("search", question="Wärmeplan", k=1),
            "malformed": call("ask", question="?", history="none"),
            "unknown argument": call("ask", question="?", more=1),
            "no tool": call("none"),
            "read_article": call("read_article", **_ARTICLE),
            "no article": call("read_article", article_id="none"),
            "resource": _mcp(served, "resources/read", uri="beleg://article/waermeplan"),
            "no resource": _mcp(served, "resources/read", uri="beleg://article/none"),
        },
    )


class _Engine(FakeEngine):
    """As the command line asks it."""

    def ask(self, *asked: Any, **how: Any) -> Answer:
        return next(event.answer for event in self.stream(*asked, **how) if isinstance(event, Done))

    def close(self) -> None:
        """Nothing is open."""


def test_command_line_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rag.engine.open_engine", lambda _: _Engine())
    monkeypatch.setattr("ingest.sync.is_current", lambda _: True)

    def ask(question: str, *more: str) -> dict[str, Any]:
        status = rag.__main__.main(["ask", question, "--data", str(tmp_path), *more])
        said = capsys.readouterr()
        return {
            "status": status,
            "out": json.loads(said.out or "null") if more else said.out,
            "err": said.err,
        }

    compare("command_line", {"text": _questions(ask), "json": _questions(lambda q: ask(q, "--json"))})


def test_help_of_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    mains: dict[str, tuple[Callable[[Sequence[str]], int], list[str]]] = {
        "app.py": (app.main, []),
        "rag": (rag.__main__.main, []),
        **{f"rag {each}": (rag.__main__.main, [each]) for each in ("ask", "search", "mcp")},
        "ingest": (ingest.__main__.main, []),
        "eval": (eval.__main__.main, []),
        **{f"eval {each}": (eval.__main__.main, [each]) for each in ("compare", "report", "support")},
    }
    said = {}
    for name, (main, before) in mains.items():
        with pytest.raises(SystemExit) as ended:
            main([*before, "--help"])
        assert ended.value.code == 0
        said[name] = capsys.readouterr().out.splitlines()
    compare("help", said)
