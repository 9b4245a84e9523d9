"""Protects a Chroma server that several Belegs share: replicas fill themselves from it alone, follow its
changes, and outlive it."""

from __future__ import annotations

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.sync import sync
from ingest.watch import Watcher
from rag.engine import open_engine
from rag.errors import ConfigError, ProviderAuth, ProviderUnavailable
from rag.settings import Settings, load_settings
from rag.shared import SharedIndex, headers
from tests.test_sync import BRIDGE, HEATING, House

QUESTION = "Wie viele Mitglieder stimmten für den Wärmeplan?"
STARTS_WITHIN = 60.0


class ChromaServer:
    """A real `chroma run` on the loopback."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Starts it, and returns once it answers."""
        command = [Path(sys.executable).with_name("chroma"), "run", "--path", self.folder]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=2).close()
                return
            time.sleep(0.1)
        raise AssertionError("the Chroma server does not start")

    def stop(self) -> None:
        """Ends it, as a restart would."""
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    started = ChromaServer(tmp_path / "server")
    yield started
    started.stop()


def writer(root: Path, url: str) -> House:
    house = House(root)
    house.settings = Settings(_env_file=None, articles=house.articles, data=house.data, chroma_url=url)
    house.write("heating.txt", HEATING)
    house.write("bridge.txt", BRIDGE)
    return house


def replica(root: Path, url: str) -> House:
    house = House(root)
    house.settings = Settings(_env_file=None, data=house.data, chroma_url=url, chroma_replica=True)
    return house


def said(house: House) -> tuple[str, list[tuple[str, int, int, str]]]:
    """What a Beleg answers, with its citations."""
    with contextlib.closing(open_engine(house.settings)) as engine:
        answer = engine.ask(QUESTION)
    return answer.text, [(c.article_id, c.start, c.end, c.quote) for c in answer.citations]


def test_empty_replicas_give_the_writers_answers_and_follow_its_changes(
    tmp_path: Path, server: ChromaServer
) -> None:
    source = writer(tmp_path / "writer", server.url)
    source.sync()
    replicas = [replica(tmp_path / name, server.url) for name in ("one", "two")]
    for each in replicas:
        each.sync()
        each.assert_whole()
        assert said(each) == said(source)
        assert said(each)[1]
    source.write("heating.txt", HEATING.replace("38 Mitglieder", "41 Mitglieder"))
    (source.articles / "bridge.txt").unlink()
    source.sync()
    for each in replicas:
        report = each.sync()
        assert (report.changed, report.deleted) == (1, 1)
        assert each.texts() == source.texts()
        each.assert_whole()
        assert "41 Mitglieder" in said(each)[0]


def test_watching_replica_takes_changes_in_by_itself(tmp_path: Path, server: ChromaServer) -> None:
    source = writer(tmp_path / "writer", server.url)
    source.sync()
    follower = replica(tmp_path / "replica", server.url)
    follower.settings = follower.settings.model_copy(update={"sync_seconds": 0.2})
    follower.sync()
    with contextlib.closing(Watcher(follower.settings)) as watcher:
        watcher.start()
        source.write("heating.txt", BRIDGE.replace("Hafen", "Markt"))
        source.sync()
        end = time.monotonic() + STARTS_WITHIN
        while follower.texts() != source.texts() and time.monotonic() < end:
            time.sleep(0.1)
    assert follower.texts() == source.texts()


def test_server_that_is_down_costs_news_and_no_answers(tmp_path: Path, server: ChromaServer) -> None:
    source, follower = writer(tmp_path / "writer", server.url), replica(tmp_path / "replica", server.url)
    source.sync()
    follower.sync()
    before = said(follower)
    server.stop()
    source.write("more.txt", BRIDGE.replace("Hafen", "Bahnhof"))
    with pytest.raises(ProviderUnavailable, match=r"does not answer .* goes on answering"):
        source.sync()
    assert "more" in source.texts()
    with pytest.raises(ProviderUnavailable):
        follower.sync()
    assert said(follower) == before
    server.start()
    source.sync()
    follower.sync()
    assert follower.texts() == source.texts()


def test_emptied_server_does_not_empty_a_replica(tmp_path: Path, server: ChromaServer) -> None:
    source, follower = writer(tmp_path / "writer", server.url), replica(tmp_path / "replica", server.url)
    source.sync()
    follower.sync()
    with SharedIndex(follower.settings) as shared:
        shared.delete(shared.chunk_ids(), shared.versions())
    with pytest.raises(ConfigError, match="holds no articles; nothing was changed"):
        follower.sync()
    assert follower.texts() == source.texts()
    source.sync()  # notices, and writes them again
    follower.sync()
    follower.assert_whole()


def test_while_two_versions_are_there_a_replica_keeps_its_own(tmp_path: Path, server: ChromaServer) -> None:
    source, follower = writer(tmp_path / "writer", server.url), replica(tmp_path / "replica", server.url)
    source.sync()
    follower.sync()
    before = follower.texts()
    source.write("heating.txt", HEATING.replace("38", "41"))
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(SharedIndex, "delete", lambda *_: None)  # the writer is between its two steps
        source.sync()
    follower.sync()
    assert follower.texts() == before
    follower.assert_whole()


def test_token_and_headers_reach_the_server_and_a_refusal_names_the_settings(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as asked:
        threading.Thread(target=asked.serve_forever, daemon=True).start()
        settings = load_settings(
            data=tmp_path,
            chroma_url=f"http://127.0.0.1:{asked.server_port}",
            chroma_token="geheim",
            chroma_headers='{"X-Proxy": "innen"}',
        )
        with pytest.raises(ProviderAuth, match="BELEG_CHROMA_TOKEN") as refused:
            SharedIndex(settings)
        asked.shutdown()
    assert "geheim" not in str(refused.value)
    assert seen[0]["x-chroma-token"] == "geheim"
    assert seen[0]["authorization"] == "Bearer geheim"
    assert seen[0]["x-proxy"] == "innen"


@pytest.mark.parametrize("given", ["no json", "[1]", '{"a": 1}'])
def test_malformed_headers_are_named(given: str) -> None:
    with pytest.raises(ConfigError, match="BELEG_CHROMA_HEADERS"):
        headers(load_settings(chroma_headers=given))


def test_replica_without_a_server_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="set CHROMA_URL"):
        load_settings(chroma_replica=True)


def test_address_without_a_scheme_is_named(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path, chroma_url="127.0.0.1:8000", chroma_replica=True)
    with pytest.raises(ConfigError, match="CHROMA_URL is no address"):
        sync(settings)
