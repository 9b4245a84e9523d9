"""Protects the start of the web chat: what it refuses, where it listens, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import app
from rag.engine import open_engine
from rag.errors import ConfigError
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELEG_PORT", "9000")
    monkeypatch.setenv("BELEG_HOST", "::1")
    (settings,) = app.settings_from(["--port", "9001", "--articles", "x"])
    assert (settings.port, settings.host, settings.articles) == (9001, "::1", Path("x"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "beleg.example", ""])
def test_hosts_that_others_can_reach_are_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--host", host]) == 1
    assert "set BELEG_AUTH" in capsys.readouterr().err


def test_with_a_login_beleg_serves_other_machines() -> None:
    with app.listener(load_settings(host="0.0.0.0", port=0, auth="password:apfel-birne")) as bound:
        assert bound.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_fine(host: str) -> None:
    with app.listener(load_settings(host=host, port=0)) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"


def test_a_certain_port_that_is_taken_is_an_error(taken: int) -> None:
    with pytest.raises(ConfigError, match=f"port {taken} is taken; choose another with --port"):
        app.listener(load_settings(port=taken))


def test_without_a_certain_port_the_next_free_one_is_taken(
    taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(host="127.0.0.1", port=taken)
    with app.listener(settings) as bound:
        port = bound.getsockname()[1]
    assert port > taken
    assert f"port {taken} is taken, using {port}" in capsys.readouterr().out


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 203\.0\.113\.7"):
        app.listener(load_settings(host="203.0.113.7", port=0, auth="password:apfel-birne"))


@pytest.mark.slow
def test_it_serves_where_it_says_and_ends_in_order(tmp_path: Path) -> None:
    """By Ctrl-C; tests/test_sigterm.py ends it otherwise."""
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "rat.txt").write_text("Der Stadtrat hat den Wärmeplan am Dienstag beschlossen.", "utf-8")
    command = [sys.executable, "app.py", "--articles", str(articles), "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            line, note = process.stdout.readline(), process.stdout.readline()
            address = re.fullmatch(r"Beleg: (http://127\.0\.0\.1:\d+)\n", line)
            assert address, line
            assert "nothing is sent anywhere" in note
            with urllib.request.urlopen(address[1], timeout=60) as page:
                assert b"Beleg" in page.read()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=300)
        finally:
            process.kill()  # one that goes on would keep the test waiting for ever
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.slow
def test_an_empty_folder_begins_an_empty_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "articles").mkdir()
    settings = load_settings(articles=tmp_path / "articles", data=tmp_path / "data")
    app.update(settings)
    assert "no articles in" in capsys.readouterr().out
    with closing(open_engine(settings)) as engine:
        assert engine.ask("Was ist neu?").abstained
        assert engine.suggestions() == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        app.main(["--articles", str(tmp_path / "nowhere"), "--data", str(tmp_path / "data"), "--port", "0"])
        == 1
    )
    assert "nowhere does not exist" in capsys.readouterr().err
