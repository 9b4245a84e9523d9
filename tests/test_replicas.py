"""Protects several Belegs on one Chroma server as people run them: two chats and one ingest, each a process,
under questions all the while, over a restart of the server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chroma_server import ChromaServer
from tests.conftest import ROOT
from tests.real_server import running

pytestmark = pytest.mark.slow

PATIENCE = 300.0  # seconds
QUESTION = "Wie viele Mitglieder stimmten für den Wärmeplan?"
STORY = (
    "Der Stadtrat hat am Mittwoch den Wärmeplan beschlossen. {0} Mitglieder stimmten für den Wärmeplan. "
    "Die Opposition nannte den Plan unfertig. Stand der Meldung ist Fassung {0}."
)
OTHERS = "Die Brücke Nummer {} am Hafen wird ab Montag gesperrt. Die Bauarbeiten dauern bis in den Oktober."


def ingest(articles: Path, data: Path, url: str) -> subprocess.CompletedProcess[str]:
    """The writer, as people run it."""
    return subprocess.run(
        [sys.executable, "-m", "ingest", str(articles), "--data", str(data)],
        cwd=ROOT,
        env=os.environ | {"CHROMA_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


class Readers:
    """Threads that ask two chats one question all the while, and what they were told."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.statuses: Counter[int] = Counter()
        self.quotes: set[str] = set()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(address,)) for address in addresses]

    def _ask(self, address: str) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            while not self._ended.wait(0.25):
                answer = client.post(f"{address}/api/v1/ask", json={"question": QUESTION})
                self.statuses[answer.status_code] += 1
                self.quotes |= {citation["quote"] for citation in answer.json()["citations"]}

    @contextmanager
    def reading(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()


def said(address: str) -> tuple[str, list[tuple[str, int, int, str]]]:
    answer = httpx.post(f"{address}/api/v1/ask", json={"question": QUESTION}, timeout=PATIENCE).json()
    places = [(c["article_id"], c["start"], c["end"], c["quote"]) for c in answer["citations"]]
    return answer["text"], places


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.1)


def test_two_chats_and_one_ingest_share_a_server_that_is_restarted(tmp_path: Path) -> None:
    articles, data = tmp_path / "articles", tmp_path / "writer"
    articles.mkdir()
    for n in range(30):
        (articles / f"bridge{n}.txt").write_text(OTHERS.format(n), "utf-8")

    def publish(version: int) -> subprocess.CompletedProcess[str]:
        (articles / "heating.txt").write_text(STORY.format(version), "utf-8")
        return ingest(articles, data, server.url)

    def all_say(version: int) -> bool:
        return all(f"{version} Mitglieder" in said(address)[0] for address in chats)

    server = ChromaServer(tmp_path / "server")
    try:
        assert publish(38).returncode == 0
        with ExitStack() as stack:
            chats = [
                stack.enter_context(running(tmp_path / "nowhere", tmp_path / name / "data", **of(server.url)))
                for name in ("one", "two")
            ]
            assert said(chats[0]) == said(chats[1])
            assert all_say(38)
            readers = Readers(chats)
            with readers.reading():
                assert publish(39).returncode == 0
                wait_until(lambda: all_say(39))
                server.stop()
                failed = publish(40)
                assert failed.returncode == 1
                assert "does not answer" in failed.stderr
                assert all_say(39)
                server.start()
                assert publish(41).returncode == 0
                wait_until(lambda: all_say(41))
            assert said(chats[0]) == said(chats[1])
            assert_takes_nothing_in(chats[0])
    finally:
        server.stop()
    assert readers.statuses.keys() == {200}
    assert readers.statuses[200] > 20
    for quote in readers.quotes:  # each from one version, whole
        assert any(quote in STORY.format(version) for version in (38, 39, 41)), quote


def of(url: str) -> dict[str, str]:
    """The environment of a replica."""
    return {"CHROMA_URL": url, "BELEG_CHROMA_REPLICA": "true", "BELEG_SYNC_SECONDS": "0.5", "BELEG_RATE": "0"}


def assert_takes_nothing_in(address: str) -> None:
    """Every door by which articles come in or go says why not, and nothing is kept."""
    with httpx.Client(base_url=address, headers={"Accept-Language": "de"}) as client:
        attempts: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/api/v1/articles", {"params": {"name": "neu.txt"}, "content": b"Ganz neu."}),
            ("DELETE", "/api/v1/articles/heating", {}),
            ("POST", "/artikel/datei", {"params": {"name": "neu.txt"}, "content": b"Ganz neu."}),
            ("POST", "/artikel/loeschen", {"params": {"id": "heating"}}),
        ]
        for method, path, request in attempts:
            answer = client.request(method, path, **request)
            assert answer.status_code == 409, path
            assert "Chroma" in answer.text, path
        page = client.get("/artikel").text
        assert "kommen die Artikel von einem Chroma-Server" in page
        assert 'type="file"' not in page
        assert client.get("/api/v1/articles").json()["total"] == 31
