"""Protects Beleg from its surroundings: a proxy, an exception or a certificate that cannot be used is named
and left out, and this machine is reached directly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from ingest.sync import sync
from rag.engine import open_engine
from rag.errors import ProviderUnavailable
from rag.models.proxies import client, leave_out_unusable
from rag.settings import load_settings
from tests.conftest import ROOT
from tests.embedding_server import serving
from tests.openai_server import OpenAIServer, Reply, openai_server
from tests.real_server import server as started

QUESTION = "Wo liegt der Kutter?"
DEAD = "http://127.0.0.1:9"
ODD = [
    {"ALL_PROXY": "socks5://127.0.0.1:9"},
    {"ALL_PROXY": "socks://127.0.0.1:9"},
    {"all_proxy": "socks5h://nutzer:geheim@127.0.0.1:9"},
    {"HTTP_PROXY": "http://::1:9"},
    {"HTTPS_PROXY": "proxy.example:neun"},
    {"http_proxy": "::::"},
    {"NO_PROXY": "fd00::/8,[::1]", "HTTP_PROXY": "http://[::1]:9"},
    {"no_proxy": "[fe80::1]:8080, ,münchen.example,["},
    {"SSL_CERT_FILE": "/nirgends/ca.pem"},
    {"SSL_CERT_FILE": str(ROOT / "README.md")},
]
by_name = pytest.mark.parametrize("odd", ODD, ids=lambda odd: " ".join(f"{k}={v}" for k, v in odd.items()))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the machine of the tests prescribes."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def model() -> Iterator[OpenAIServer]:
    with openai_server() as served:
        served.default = Reply("Der Kutter liegt seit Montag vor der Mole. [1.1]")
        yield served


@pytest.fixture(scope="module")
def mole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of articles, with its index in `data` beside it."""
    folder = tmp_path_factory.mktemp("mole") / "articles"
    folder.mkdir()
    (folder / "mole.txt").write_text("Der Kutter liegt seit Montag vor der Mole.", encoding="utf-8")
    sync(load_settings(articles=folder, data=folder.parent / "data"))
    return folder


@by_name
def test_what_httpx_fails_at_is_left_out_and_the_rest_is_not(
    odd: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = odd | {"https_proxy": "http://proxy.example:3128", "PATH": "/bin"}
    problems = leave_out_unusable(environment)
    assert environment["https_proxy"] == "http://proxy.example:3128"
    assert environment["PATH"] == "/bin"
    assert all(f"{problem.split()[0]} names" in problem for problem in problems)
    assert "geheim" not in " ".join(problems)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    httpx.Client().close()  # as gradio and chromadb make theirs
    assert leave_out_unusable(environment) == []


def test_a_proxy_that_cannot_be_used_is_named() -> None:
    (problem,) = leave_out_unusable({"ALL_PROXY": "socks5://nutzer:geheim@proxy.example:1080"})
    assert problem.startswith("ALL_PROXY names a proxy of the kind socks5, which is not supported")
    (problem,) = leave_out_unusable({"SSL_CERT_FILE": "/nirgends/ca.pem"})
    assert problem.startswith("SSL_CERT_FILE names /nirgends/ca.pem, which cannot be used")


@by_name
def test_model_on_this_machine_answers_whatever_the_environment_says(
    odd: dict[str, str], mole: Path, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTP_PROXY", odd.get("HTTP_PROXY", DEAD))
    settings = load_settings(
        articles=mole, data=mole.parent / "data", openai_base_url=model.base_url, llm="scripted"
    )
    with closing(open_engine(settings)) as engine:
        assert "vor der Mole" in engine.ask(QUESTION).text
    assert model.requests


def test_embedding_on_this_machine_is_asked_without_a_proxy(
    mole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with serving() as embedding:
        given = {"embedding": "openai-like:klein", "embedding_url": embedding.url}
        sync(load_settings(articles=mole, data=tmp_path, **given))
        assert embedding.requests


def test_other_machines_are_reached_by_the_proxy_unless_excepted(
    model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", model.base_url.removesuffix("/v1"))
    monkeypatch.setenv("NO_PROXY", "intern.example,10.0.0.0/8,gpu.example:8000")
    with client("http://llm.example/v1") as outside:
        outside.post("http://llm.example/v1/chat/completions", json={"messages": []})
    assert model.requests
    for excepted in ("http://llm.intern.example/v1", "http://10.1.2.3/v1", "http://gpu.example:8000/v1"):
        with client(excepted) as inside, pytest.raises(Exception, match="reach loopback only"):
            inside.get(excepted)


def test_dead_proxy_of_another_machine_is_an_error_that_names_the_server(
    mole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    settings = load_settings(
        articles=mole,
        data=mole.parent / "data",
        openai_base_url="http://llm.example/v1",
        llm="m",
        llm_retries=0,
    )
    with closing(open_engine(settings)) as engine, pytest.raises(ProviderUnavailable, match=r"llm\.example"):
        engine.ask(QUESTION)


def test_commands_say_what_they_leave_out_and_answer(mole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    command = ["-m", "rag", "ask", QUESTION, "--articles", str(mole), "--data", str(mole.parent / "data")]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (
        0,
        "beleg: ALL_PROXY names a proxy of the kind socks5, which is not supported (http and https are);"
        " it is left out\n",
    )
    assert "vor der Mole" in done.stdout


@pytest.mark.slow
def test_the_chat_starts_behind_a_socks_proxy(mole: Path) -> None:
    odd = {"ALL_PROXY": "socks5://127.0.0.1:9", "SSL_CERT_FILE": "/nirgends", "NO_PROXY": "fd00::/8"}
    with (
        started(mole, mole.parent / "data", **odd) as running,
        httpx.Client(base_url=running.address, trust_env=False) as visitor,
    ):
        assert visitor.get("/").status_code == 200
    assert "Traceback" not in running.log.read_text("utf-8")
