"""Protects Beleg for agents: the official MCP client asks, searches and reads, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import httpx
import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from starlette.testclient import TestClient

from ingest.sync import sync
from rag.engine import Engine, open_engine
from rag.errors import ProviderUnavailable
from rag.schema import Answer
from rag.serve.api import mcp as mcp_server
from rag.serve.api.mcp import create_server
from rag.serve.app import add_doors
from rag.serve.queue import Service
from rag.store.answers import Records
from rag.wire import answer_from_dict
from tests.conftest import ROOT
from tests.dossier import DOSSIER, LIBRARY, article, settings_for, write
from tests.visit import dossier

QUESTION = "Wer leitet die Bücherei?"
QUOTE = "Mareike Deters leitet die Bücherei seit acht Jahren."
UNKNOWN = "Wer gewann das Endspiel in Rom?"
ODD = article(
    "teil 2/3 (ä)", "In Moorhafen wird der Deich erhöht. Die Arbeiten beginnen im Mai.", title="Deich"
)
TOKEN = "a-token-for-agents"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ACCEPT = {"Accept": "application/json, text/event-stream"}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the invented dossier and its index."""
    folder = tmp_path_factory.mktemp("mcp")
    settings = settings_for(folder)
    write(settings.articles, *DOSSIER)
    sync(settings)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with closing(open_engine(settings_for(folder))) as engine:
        yield engine


def visit(server: Any, calls: Callable[[Client], Awaitable[Result]], **options: Any) -> Result:
    """What some calls of a client give; the server may be one of ours, an address, or a command."""

    async def session() -> Result | MCPError:
        async with Client(server, **options) as client:
            try:
                return await calls(client)
            except MCPError as error:  # the client's tasks would make a group of it
                return error

    result = asyncio.run(session())
    if isinstance(result, MCPError):
        raise result
    return result


def call(engine: Engine, tool: str, **arguments: object) -> Any:
    return visit(create_server(engine), lambda client: client.call_tool(tool, arguments))


def text(result: Any) -> str:
    (content,) = result.content
    return str(content.text)


# --- tools


def test_ask_gives_the_whole_answer_and_its_text_with_sources(engine: Engine) -> None:
    result = call(engine, "ask", question=QUESTION)
    assert result.is_error is False
    answer = answer_from_dict(result.structured_content)
    assert answer.citations[0].quote == QUOTE
    assert text(result).startswith(f"{QUOTE} [1]")
    assert f"[1] {LIBRARY.title}, {LIBRARY.outlet}, 2024-01-12 (buecherei:" in text(result)
    assert text(result).count(QUOTE) == 2


def test_a_follow_up_is_understood_by_its_history(engine: Engine) -> None:
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": QUOTE}]
    result = call(engine, "ask", question="Wo wurde sie geboren?", history=history)
    assert "Emden" in text(result)


def test_search_gives_passages_with_offsets(engine: Engine) -> None:
    result = call(engine, "search", question="Apfelernte", k=1)
    (passage,) = result.structured_content["passages"]
    assert passage["article_id"] == "apfelernte"
    assert passage["text"] in text(result)
    part = call(engine, "read_article", article_id="apfelernte", start=passage["start"], end=passage["end"])
    assert text(part) == passage["text"]


def test_read_article_gives_the_cited_words(engine: Engine) -> None:
    cited = call(engine, "ask", question=QUESTION).structured_content["citations"][0]
    span = {"start": cited["start"], "end": cited["end"]}
    result = call(engine, "read_article", article_id="buecherei", **span)
    assert text(result) == QUOTE
    assert result.structured_content["title"] == LIBRARY.title
    whole = call(engine, "read_article", article_id="buecherei")
    assert whole.structured_content["text"][slice(*span.values())] == QUOTE


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("ask", {"question": "  "}, "question is empty"),
        ("ask", {"question": "ß" * 2001}, "at most 2,000"),
        ("ask", {}, "question: Field required"),
        ("ask", {"question": "?", "quesiton": "?"}, "quesiton: Extra inputs"),
        ("ask", {"question": "?", "history": [{"role": "system", "content": "x"}]}, "history.0.role"),
        ("search", {"question": QUESTION, "k": 0}, "k: Input should be greater"),
        ("read_article", {"article_id": "nichts"}, "there is no article 'nichts'"),
        ("read_article", {"article_id": "wolf", "start": 9, "end": 3}, "9 to 3 is no part"),
        ("read_article", {"article_id": "wolf", "end": 99999}, "is no part of the article, which has"),
    ],
)
def test_a_bad_request_is_an_error_that_says_what_is_wrong(
    engine: Engine, tool: str, arguments: dict[str, Any], message: str
) -> None:
    result = call(engine, tool, **arguments)
    assert result.is_error is True
    assert result.structured_content is None
    assert message in text(result)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ProviderUnavailable("the model's server does not answer"), "the model's server does not answer"),
        (RuntimeError("a secret detail"), "an internal error"),
    ],
)
def test_failures_are_errors_of_the_tool(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: Exception, message: str
) -> None:
    async def fails(*_: object, **__: object) -> Answer:
        raise fault

    monkeypatch.setattr(engine, "aask", fails)
    result = call(engine, "ask", question=QUESTION)
    assert result.is_error is True
    assert message in text(result)
    assert "secret" not in text(result)


# --- resources


def test_articles_are_resources(engine: Engine) -> None:
    async def calls(client: Client) -> tuple[Any, Any]:
        listed = (await client.list_resources()).resources
        return listed, await client.read_resource(str(listed[1].uri))

    listed, read = visit(create_server(engine), calls)
    assert [resource.name for resource in listed] == sorted(article.id for article in DOSSIER)
    assert (listed[1].uri, listed[1].title) == ("beleg://article/bruecke", "Risse im Stahl")
    assert listed[1].description == "Küstenkurier, 2024-03-04"
    library = engine.library.article("bruecke")
    assert library
    assert read.contents[0].text == library.text


def test_a_long_list_goes_on_behind_its_cursor(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_server, "PAGE", 2)

    async def calls(client: Client) -> list[str]:
        names, cursor = [], None
        while True:
            page = await client.list_resources(cursor=cursor)
            names += [resource.name for resource in page.resources]
            if (cursor := page.next_cursor) is None:
                return names

    assert visit(create_server(engine), calls) == sorted(article.id for article in DOSSIER)


def test_the_template_leads_to_an_article_whatever_its_id() -> None:
    class Shelf:
        library = None

    class Only:
        def versions(self) -> dict[str, str]:
            return {ODD.id: ODD.sha256}

        def articles(self, ids: list[str]) -> list[Any]:
            return [ODD] if ODD.id in ids else []

        def article(self, ident: str) -> Any:
            return ODD if ident == ODD.id else None

    shelf: Any = Shelf()
    shelf.library = Only()

    async def calls(client: Client) -> tuple[Any, Any]:
        (resource,) = (await client.list_resources()).resources
        return await client.list_resource_templates(), await client.read_resource(str(resource.uri))

    templates, read = visit(create_server(shelf), calls)
    assert templates.resource_templates[0].uri_template == "beleg://article/{article_id}"
    assert read.contents[0].text == ODD.text


@pytest.mark.parametrize("uri", ["beleg://article/nichts", "beleg://article/", "file:///etc/passwd"])
def test_what_is_no_article_is_not_read(engine: Engine, uri: str) -> None:
    with pytest.raises(MCPError, match="there is no article"):
        visit(create_server(engine), lambda client: client.read_resource(uri))


# --- transports


@pytest.mark.slow
def test_over_standard_input_and_output(folder: Path) -> None:
    """With a client of the protocol before 2026; tests/test_examples.py has a newer one."""
    options = ["--articles", str(folder / "articles"), "--data", str(folder / "data")]
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag", "mcp", *options],
        cwd=ROOT,
        env={"BELEG_EMBEDDING": "words"},
    )

    async def calls(client: Client) -> tuple[Any, Any]:
        result = await client.call_tool("ask", {"question": QUESTION})
        return result, (await client.list_resources()).resources

    result, resources = visit(stdio_client(command), calls, mode="legacy")
    assert result.structured_content["citations"][0]["quote"] == QUOTE
    assert len(resources) == len(DOSSIER)


@pytest.mark.slow
def test_standard_output_carries_nothing_but_the_protocol(tmp_path: Path) -> None:
    write(tmp_path / "articles", LIBRARY)
    (tmp_path / "articles" / "leer.txt").write_text("", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "rag", "mcp", "--articles", "articles", "--data", "data"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        input='{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n',
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stderr
    (line,) = done.stdout.splitlines()
    assert '"jsonrpc":"2.0"' in line


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The whole site, with the door at /mcp, for whoever has the token."""
    with dossier(settings_for(folder, auth=f"token:agent={TOKEN}")) as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_over_http_beside_the_chat(address: str, mode: Any) -> None:
    async def session() -> tuple[Any, Any, Any]:
        async with (
            httpx2.AsyncClient(headers=BEARER, timeout=30) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
        ):
            found = await client.call_tool("ask", {"question": QUESTION})
            refused = await client.call_tool("ask", {"question": " "})
            return found, refused, await client.read_resource("beleg://article/wolf")

    found, refused, read = asyncio.run(session())
    assert found.structured_content["citations"][0]["quote"] == QUOTE
    assert refused.is_error is True
    assert "Wolf" in read.contents[0].text
    ident = found.structured_content["id"]
    assert httpx.get(f"{address}/antwort/{ident}.json", headers=BEARER).json()["question"] == QUESTION


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong-wrong-wrong-wrong"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        (BEARER, 200),
    ],
)
def test_nobody_gets_in_without_the_token(address: str, headers: dict[str, str], status: int) -> None:
    assert httpx.post(f"{address}/mcp", json=PING, headers=ACCEPT | headers).status_code == status


def service_of(engine: Engine, folder: Path, **given: Any) -> Service:
    return Service(engine, settings_for(folder, **given), Records(None))


def test_too_many_requests_are_refused(engine: Engine, folder: Path) -> None:
    app = FastAPI()
    service = service_of(engine, folder, rate=1)
    add_doors(app, service)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        first, second = (client.post("/mcp", json=PING, headers=ACCEPT) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)


@pytest.mark.parametrize("tool", ["ask", "search"])
def test_too_many_questions_at_once_are_an_error_of_the_tool(engine: Engine, folder: Path, tool: str) -> None:
    service = service_of(engine, folder, readers=1, waiting=0)
    list(service.queue.enter())
    server = create_server(engine, service)
    result = visit(server, lambda client: client.call_tool(tool, {"question": QUESTION}))
    assert result.is_error is True
    assert "too many questions at once" in text(result)
    service.queue.leave()
    result = visit(server, lambda client: client.call_tool(tool, {"question": QUESTION}))
    assert result.is_error is False
