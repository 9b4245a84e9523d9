"""Protects a Chroma server that several Belegs share: replicas fill themselves from it alone, follow its
changes, and outlive it."""

from __future__ import annotations

import contextlib
import http.server
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chromadb.api.models.Collection import Collection

import app
from ingest.diff import is_current
from ingest.intake import Watcher
from ingest.shared import Published, headers
from ingest.sync import sync
from rag.engine import open_engine
from rag.errors import ConfigError, IndexBusy, ProviderAuth, ProviderUnavailable
from rag.settings import Settings, load_settings
from rag.store.chroma import LEAST
from tests.chroma_server import STARTS_WITHIN, ChromaServer, front_door, own_authority
from tests.test_sync import BRIDGE, HEATING, SUMMIT, House

QUESTION = "Wie viele Mitglieder stimmten für den Wärmeplan?"


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    started = ChromaServer(tmp_path_factory.mktemp("server"))
    yield started
    started.stop()


@pytest.fixture
def server(module_server: ChromaServer) -> Iterator[ChromaServer]:
    """A server that holds nothing, and runs again afterwards whatever the test did."""
    yield module_server
    module_server.start()
    module_server.empty()


def writer(root: Path, url: str) -> House:
    house = House(root)
    house.settings = Settings(articles=house.articles, data=house.data, chroma_url=url)
    house.write("heating.txt", HEATING)
    house.write("bridge.txt", BRIDGE)
    return house


def replica(root: Path, url: str) -> House:
    house = House(root)
    house.settings = Settings(data=house.data, chroma_url=url, chroma_replica=True)
    return house


def breaking_off(*_: object, **__: object) -> None:
    raise ProviderUnavailable("the server went away")


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
    follower.settings = replace(follower.settings, sync_seconds=0.2)
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
    with pytest.raises(ProviderUnavailable, match=r"does not answer .* keeps answering"):
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
    with contextlib.closing(Published(follower.settings)) as there:
        there.delete(there.versions())
        there.chroma.delete(there.chroma.ids())
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
        broken.setattr(Published, "delete", lambda *_: None)  # the writer is between its steps
        broken.setattr("ingest.shared.delete_unknown", lambda *_: None)
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
            Published(settings)
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
    settings = Settings(data=tmp_path, chroma_url="127.0.0.1:8000", chroma_replica=True)
    with pytest.raises(ConfigError, match="CHROMA_URL is no address"):
        sync(settings)


# --- one writer


def test_second_writer_is_refused_and_told_who_the_first_is(tmp_path: Path, server: ChromaServer) -> None:
    first, second = writer(tmp_path / "first", server.url), writer(tmp_path / "second", server.url)
    first.sync()
    second.write("heating.txt", SUMMIT)
    with pytest.raises(IndexBusy, match=r"written by another Beleg \(.+, data\); nothing was written"):
        second.sync()
    assert second.texts()["heating"] == SUMMIT  # its own index is complete, and answers
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert follower.texts() == first.texts()


def test_writer_that_is_taken_over_is_refused_from_then_on(tmp_path: Path, server: ChromaServer) -> None:
    first, second = writer(tmp_path / "first", server.url), writer(tmp_path / "second", server.url)
    first.sync()
    second.write("heating.txt", SUMMIT)
    second.sync(take_over=True)
    first.write("bridge.txt", SUMMIT)
    with pytest.raises(IndexBusy, match="python -m ingest --take-over"):
        first.sync()
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert follower.texts() == second.texts()


def test_writer_stays_it_when_its_index_is_lost(tmp_path: Path, server: ChromaServer) -> None:
    source = writer(tmp_path / "writer", server.url)
    source.sync()
    for path in source.data.iterdir():
        if path.name != "writer.id":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    source.write("heating.txt", SUMMIT)
    source.sync()
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert follower.texts() == source.texts()


def usual(data: Path, url: str | None) -> Settings:
    """The settings of one who names no articles: those in `seeds` are taken, unless others are remembered."""
    return Settings(data=data, chroma_url=url)


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, whose usual articles are not those of any dossier."""
    (tmp_path / "home" / "seeds").mkdir(parents=True)
    (tmp_path / "home" / "seeds" / "summit.txt").write_text(SUMMIT, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "home")


@pytest.mark.usefixtures("seeds")
def test_refused_writer_that_takes_over_writes_its_own_articles(tmp_path: Path, server: ChromaServer) -> None:
    writer(tmp_path / "first", server.url).sync()
    dossier = House(tmp_path / "second")
    dossier.write("heating.txt", HEATING.replace("38", "41"))
    dossier.settings = usual(dossier.data, server.url)
    with pytest.raises(IndexBusy):
        dossier.sync(paths=[dossier.articles])
    report = dossier.sync(take_over=True)
    assert (report.articles, report.deleted) == (1, 0)
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert "41 Mitglieder" in follower.texts().pop("heating")
    assert follower.texts() == dossier.texts()


@pytest.mark.usefixtures("seeds")
def test_dossier_read_while_the_server_was_down_stays_the_source(
    tmp_path: Path, server: ChromaServer
) -> None:
    dossier = House(tmp_path / "writer")
    dossier.write("heating.txt", HEATING)
    dossier.settings = usual(dossier.data, server.url)
    server.stop()
    with pytest.raises(ProviderUnavailable):
        dossier.sync(paths=[dossier.articles])
    server.start()
    app.update(dossier.settings)
    assert dossier.texts() == {"heating": HEATING}


@pytest.mark.usefixtures("seeds")
def test_articles_that_nobody_named_do_not_take_over_a_server_of_others(
    tmp_path: Path, server: ChromaServer
) -> None:
    source = writer(tmp_path / "writer", server.url)
    source.sync()
    with pytest.raises(ConfigError, match=r"articles that are not here.*python -m ingest FOLDER --take-over"):
        sync(usual(tmp_path / "other", server.url), take_over=True)
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert follower.texts() == source.texts()
    named = [Path("seeds")]
    sync(usual(tmp_path / "other", server.url), paths=named, take_over=True)
    follower.sync()
    assert follower.texts() == {"summit": SUMMIT}


def test_of_many_who_want_to_write_at_once_one_may(tmp_path: Path, server: ChromaServer) -> None:
    settings = Settings(data=tmp_path, chroma_url=server.url)
    told: dict[str, str | None] = {}

    def claim(name: str) -> None:
        with contextlib.closing(Published(settings)) as there:
            told[name] = there.claim(name, name)

    threads = [threading.Thread(target=claim, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (first,) = [name for name, other in told.items() if other is None]
    assert {other for name, other in told.items() if name != first} == {first}


# --- how it is written


def test_many_articles_go_in_few_requests_chunks_before_records(
    tmp_path: Path, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = writer(tmp_path / "writer", server.url)
    for n in range(60):
        source.write(f"more/{n}.txt", f"{BRIDGE} Das ist Meldung {n}.")
    sent: list[tuple[str, int]] = []
    upsert = Collection.upsert

    def counted(self: Collection, **values: Any) -> None:
        sent.append((self.name, len(values["ids"])))
        upsert(self, **values)

    source.settings, shared = replace(source.settings, chroma_url=None), source.settings
    source.sync()
    monkeypatch.setattr(Collection, "upsert", counted)
    source.settings = shared
    source.sync()
    *chunks, articles = sent
    assert {name for name, _ in chunks} == {"chunks"}
    assert sum(n for _, n in chunks) == 62
    assert len(chunks) <= 62 // LEAST + 1
    assert articles == ("articles", 62)


def test_writing_that_breaks_off_between_chunks_and_records_shows_a_replica_nothing_of_it(
    tmp_path: Path, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, follower = writer(tmp_path / "writer", server.url), replica(tmp_path / "replica", server.url)
    source.sync()
    follower.sync()
    before = follower.texts()
    source.write("heating.txt", SUMMIT)
    source.write("new.txt", SUMMIT + " Mehr dazu morgen.")
    with monkeypatch.context() as broken:
        broken.setattr(Published, "add", breaking_off)
        with pytest.raises(ProviderUnavailable):
            source.sync()
    follower.sync()
    assert follower.texts() == before
    source.sync()
    follower.sync()
    assert follower.texts() == source.texts()
    follower.assert_whole()


def test_what_the_server_missed_is_written_when_the_chat_starts_again(
    tmp_path: Path, server: ChromaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    source = writer(tmp_path / "writer", server.url)
    source.sync()
    server.stop()
    source.write("more.txt", SUMMIT)
    app.update(source.settings)  # the chat starts all the same
    assert "does not answer" in capsys.readouterr().err
    assert "more" in source.texts()
    assert not is_current(source.settings)
    server.start()
    app.update(source.settings)
    assert is_current(source.settings)
    follower = replica(tmp_path / "replica", server.url)
    follower.sync()
    assert follower.texts() == source.texts()


def test_empty_replica_without_its_server_does_not_start(tmp_path: Path, server: ChromaServer) -> None:
    server.stop()
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        app.update(replica(tmp_path / "replica", server.url).settings)
    server.start()


def test_replica_with_folders_is_a_contradiction(tmp_path: Path) -> None:
    house = replica(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="name no folders"):
        house.sync(paths=[house.articles])


# --- the way there


@pytest.mark.filterwarnings("ignore:`verify=<str>` is deprecated")  # of httpx, to chromadb
def test_token_and_own_authority_open_a_server_behind_tls(tmp_path: Path, server: ChromaServer) -> None:
    authority = own_authority(tmp_path)
    with front_door(server.port, authority, token="geheim") as url:
        source = writer(tmp_path / "writer", url)
        trusting = {"chroma_ca": authority.certificate, "chroma_token": "geheim"}
        source.settings = load_settings(**{**vars(source.settings), **trusting})
        source.sync()
        follower = replica(tmp_path / "replica", url)
        follower.settings = load_settings(**{**vars(follower.settings), **trusting})
        follower.sync()
        assert follower.texts() == source.texts()

        with pytest.raises(ProviderAuth, match="BELEG_CHROMA_TOKEN"):
            Published(replace(follower.settings, chroma_token=None))
        with pytest.raises(ConfigError, match=r"cannot be trusted .* set BELEG_CHROMA_CA"):
            Published(replace(follower.settings, chroma_ca=None))


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ingest.shared._PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes a connection, and says nothing
        settings = Settings(data=tmp_path, chroma_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ProviderUnavailable, match="does not answer"):
            Published(settings)
