"""Protects the tests themselves: none reaches another machine or depends on the one it runs on."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.settings import load_settings
from tests.conftest import OF_THE_TESTS, NetworkBlocked, missing

OUTSIDE_V4 = ("192.0.2.1", 80)  # addresses set aside for documentation
OUTSIDE_V6 = ("2001:db8::1", 80)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: socket.create_connection(OUTSIDE_V4, timeout=1),
        lambda: socket.create_connection(("beleg.example", 80), timeout=1),
        lambda: urllib.request.urlopen("http://beleg.example/", timeout=1),
        lambda: socket.getaddrinfo("beleg.example", 80),
        lambda: socket.getaddrinfo(host=b"beleg.example", port=80),
        lambda: socket.gethostbyname("beleg.example"),
    ],
)
def test_other_machines_are_out_of_reach(attempt: Callable[[], Any]) -> None:
    with pytest.raises(NetworkBlocked, match="reach loopback only"):
        attempt()


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, OUTSIDE_V4), (socket.AF_INET6, OUTSIDE_V6)])
@pytest.mark.parametrize("way", ["connect", "connect_ex", "sendto"])
def test_sockets_refuse_other_machines(family: int, address: tuple[str, int], way: str) -> None:
    kind, data = (socket.SOCK_DGRAM, [b"x"]) if way == "sendto" else (socket.SOCK_STREAM, [])
    with socket.socket(family, kind) as outside, pytest.raises(NetworkBlocked, match=address[0]):
        getattr(outside, way)(*data, address)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_loopback_is_open(name: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((name, server.getsockname()[1]), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_unix_sockets_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a UNIX socket is short
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("socket")
        server.listen()
        client.connect("socket")


def test_settings_of_this_machine_are_forgotten(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert [name for name in os.environ if name.startswith("OPENAI_")] == []
    assert [
        name for name in os.environ if name.startswith("BELEG_") and not name.startswith(OF_THE_TESTS)
    ] == ["BELEG_EMBEDDING"]  # set by conftest: no test waits for the encoder unless it is about it
    assert Path.home().is_relative_to(tmp_path_factory.getbasetemp())


def test_a_developers_env_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("BELEG_PORT=1234\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings().port == 7860


def test_what_is_missing_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELEG_REQUIRE_SHARED", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no dossier"):
        missing("no dossier", "BELEG_REQUIRE_SHARED")


def test_what_is_missing_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELEG_REQUIRE_SHARED", "1")
    with pytest.raises(pytest.fail.Exception, match="no dossier, and BELEG_REQUIRE_SHARED is set"):
        missing("no dossier", "BELEG_REQUIRE_SHARED")
