"""Protects the port: whoever opens many connections, or sends half a request and waits, keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

import app
from rag.serve.security import connections, guard
from rag.serve.security.connections import Connections
from tests.doors import fake


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server whose patience is short, and that lets an address have three connections."""
    monkeypatch.setattr(connections, "OF_ONE_ADDRESS", 3)
    monkeypatch.setattr(Connections.__init__, "__defaults__", ((), 0.3))
    with serving(FastAPI()) as found:
        yield found


@contextlib.contextmanager
def serving(site: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as bound, app.served(site, bound):
        yield bound.getsockname()[1]


def opened(port: int, sent: bytes = b"") -> socket.socket:
    there = socket.create_connection(("127.0.0.1", port), timeout=60)
    there.sendall(sent)
    return there


def ended(there: socket.socket) -> bool:
    """Whether the server ends the connection; waits for it."""
    with there:
        try:
            while there.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
    return True


HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "


@pytest.mark.parametrize("sent", [b"", HALF, b"G"])
def test_who_sends_no_whole_head_is_not_waited_for(port: int, sent: bytes) -> None:
    assert ended(opened(port, sent))


def test_nor_is_who_sends_half_a_head_behind_an_answer(port: int) -> None:
    whole = HALF + b"1\r\n\r\n"
    assert ended(opened(port, whole + HALF))


def test_an_address_has_so_many_connections_and_no_more(port: int) -> None:
    kept = [opened(port, HALF) for _ in range(3)]
    assert ended(opened(port, HALF))
    for each in kept:
        each.close()


def test_half_requests_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even at the same address, and long before their time is over."""
    monkeypatch.setattr(connections, "OF_ONE_ADDRESS", 3)
    with serving(FastAPI()) as port:
        kept = [opened(port, HALF) for _ in range(9)]
        with opened(port, HALF + b"1\r\n\r\n") as there:
            assert there.recv(100).startswith(b"HTTP/1.1 404")
        assert ended(kept[0])
        for each in kept:
            each.close()


def test_who_is_being_answered_is_not_ended_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OF_ONE_ADDRESS", 3)
    site, begun, over = FastAPI(), threading.Semaphore(0), threading.Event()

    @site.get("/")
    def slow() -> str:
        begun.release()
        over.wait(60)
        return "done"

    with serving(site) as port:
        asking = [opened(port, HALF + b"1\r\n\r\n") for _ in range(3)]
        assert all(begun.acquire(timeout=60) for _ in asking)
        assert ended(opened(port, HALF + b"1\r\n\r\n"))
        over.set()
        for each in asking:
            with each:
                assert each.recv(100).startswith(b"HTTP/1.1 200")


def test_connections_that_have_ended_count_no_more(port: int) -> None:
    for _ in range(8):
        with opened(port, HALF + b"1\r\nConnection: close\r\n\r\n") as there:
            assert there.recv(100).startswith(b"HTTP/1.1 404")


def test_a_head_without_end_is_refused(port: int) -> None:
    assert ended(opened(port, HALF + b"x" * 100_000))


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "IDLE_SECONDS", 0.2)
    head = b"POST /api/v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with serving(fake(tmp_path).app) as port, opened(port, head + b"Content-Length: 99\r\n\r\n{") as there:
        assert there.recv(100).startswith(b"HTTP/1.1 408")


def test_what_takes_long_to_answer_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connections.__init__, "__defaults__", ((), 0.1))
    site = FastAPI()

    @site.get("/")
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "done"

    with serving(site) as port, opened(port, HALF + b"1\r\n\r\n") as there:
        assert there.recv(100).startswith(b"HTTP/1.1 200")
