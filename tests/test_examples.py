"""Protects the examples in docs/examples: each does what it says, against a real server over the seeds."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.settings import load_settings
from tests.conftest import ROOT, missing
from tests.test_widget import Newspaper, site_with
from tests.visit import MARKS, dossier

EXAMPLES = ROOT / "docs" / "examples"
QUESTION = "Wie oft reiste Witkoff nach Russland?"
QUOTE = "reiste fünfmal nach Russland"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Another site, for the page with the widget."""
    (folder / "site").mkdir()
    with site_with("", folder / "site") as site:
        yield site


@pytest.fixture(scope="module")
def address(folder: Path, site: str) -> Iterator[str]:
    """The whole site over the seeds."""
    with dossier(load_settings(articles=ROOT / "seeds", data=folder / "server", origins=site)) as address:
        yield address


def run(name: str, *arguments: str, cwd: Path, **environment: str) -> str:
    """What an example prints, run from the clone as its first lines say."""
    documented = re.search(
        r"\.venv/bin/python (-m docs\.examples\.\w+)", (EXAMPLES / name).read_text("utf-8")
    )
    assert documented
    done = subprocess.run(
        [sys.executable, *documented[1].split(), *arguments],
        cwd=ROOT,
        env=os.environ | {"BELEG_DATA": str(cwd / "examples-data")} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_script(folder: Path) -> None:
    said = run("python_script.py", str(ROOT / "seeds"), QUESTION, cwd=folder)
    assert QUOTE in said
    assert "[1] Beleg-Digest (nach Observador), Sieben Monate bis Alaska" in said


# llama-index-workflows looks at every attribute of an agent
@pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated")
@pytest.mark.filterwarnings("ignore:The `__fields_set__` attribute is deprecated")
@pytest.mark.filterwarnings("ignore:Accessing the 'model_(computed_)?fields' attribute")
def test_llama_index_agent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.llms.llm import ToolSelection
    from llama_index.core.llms.mock import MockFunctionCallingLLM

    def scripted(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        if messages[-1].role == "tool":
            return ChatMessage(role="assistant", content=messages[-1].content)
        call = ToolSelection(tool_id="1", tool_name="dossier", tool_kwargs={"input": QUESTION})
        return ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [call]})

    monkeypatch.chdir(folder)
    llm = MockFunctionCallingLLM(response_generator=scripted)
    assert QUOTE in asyncio.run(example("llama_index_agent").ask(str(ROOT / "seeds"), QUESTION, llm))


def test_mcp_client(folder: Path, address: str) -> None:
    said = run("mcp_client.py", f"{address}/mcp", QUESTION, cwd=folder)
    assert QUOTE in said
    assert "[1] Sieben Monate bis Alaska" in said


def test_mcp_configuration(folder: Path) -> None:
    from mcp import Client, StdioServerParameters

    servers = json.loads((EXAMPLES / "mcp_config.json").read_text("utf-8"))["mcpServers"]
    assert servers["beleg-over-http"]["url"].endswith("/mcp")
    assert servers["beleg"].pop("command") == "beleg"  # the installed form of python -m rag
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag", *servers["beleg"]["args"], "--data", str(folder / "stdio")],
        cwd=ROOT,
        env={"BELEG_EMBEDDING": "builtin"},
    )

    async def ask() -> Any:
        async with Client(command) as client:
            return await client.call_tool("ask", {"question": QUESTION})

    assert QUOTE in asyncio.run(ask()).structured_content["text"]


def test_rest_with_curl(folder: Path, address: str) -> None:
    if shutil.which("curl") is None:
        missing("curl is not installed", "BELEG_REQUIRE_CURL")
    done = subprocess.run(
        ["sh", str(EXAMPLES / "rest.sh"), address], capture_output=True, text=True, timeout=300, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer, stream, passages, articles = re.split(
        r"^(?:the answer.*|passages|articles)$", done.stdout, flags=re.M
    )[1:]
    assert QUOTE in json.loads(answer)["text"]
    assert QUOTE in stream
    assert len(json.loads(passages)["passages"]) == 2
    assert json.loads(articles)["total"] == 5


def test_openai_client(folder: Path, address: str) -> None:
    said = run("openai_client.py", f"{address}/v1", QUESTION, cwd=folder)
    assert said.count(QUOTE) == 3  # the answer, its citation, and the answer streamed
    assert "[1] sieben-monate-bis-alaska: „Steve Witkoff" in said


class TestInTheBrowser:
    pytestmark = MARKS

    def test_page_with_the_widget(self, browser: Any, folder: Path, site: str, address: str) -> None:
        from playwright.sync_api import expect

        page = (EXAMPLES / "widget.html").read_text("utf-8")
        assert "http://127.0.0.1:7860" in page
        page = page.replace("http://127.0.0.1:7860", address)
        (folder / "site" / "index.html").write_text(page, "utf-8")
        paper = Newspaper(browser, site, address)
        paper.bubble.click()
        composer = paper.chat.locator("#composer textarea")
        composer.fill(QUESTION)
        composer.press("Enter")
        expect(paper.chat.locator(".bot-row").last).to_contain_text(QUOTE)
        assert paper.outside == []


def example(name: str) -> Any:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
