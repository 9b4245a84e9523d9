"""Protects the Python door: one import, one call, answers to await, and streams that end when stopped."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest

from rag import open_engine
from rag.engine import Engine
from rag.errors import ArticleError, BadRequest, ConfigError, ProviderUnavailable
from rag.schema import Answer, Delta, Done, Event, Message, Passage, Retrieved
from tests.dossier import DOSSIER, write
from tests.fake_engine import canned

QUESTION = "Wie viele Schafe verlor der Schäfer?"


# --- opening


def test_one_call_indexes_a_folder_and_answers(tmp_path: Path) -> None:
    write(tmp_path / "articles", *DOSSIER)
    with closing(open_engine(tmp_path / "articles", tmp_path / "data")) as engine:
        answer = engine.ask(QUESTION)
    assert answer.citations[0].quote.startswith("Schäfer Arne Petersen verlor in drei Nächten elf Schafe.")


def test_settings_go_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELEG_PASSAGES", "7")
    write(tmp_path / "articles", *DOSSIER)
    with closing(open_engine(str(tmp_path / "articles"), str(tmp_path / "data"), passages=2)) as engine:
        assert engine.settings.passages == 2
        assert len(engine.search(QUESTION)) == 2


def test_files_that_cannot_be_read_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "articles", *DOSSIER)
    (tmp_path / "articles" / "leer.txt").write_text("", "utf-8")
    with caplog.at_level(logging.WARNING, "rag"):
        open_engine(tmp_path / "articles", tmp_path / "data").close()
    assert re.search(r"skipped .*leer\.txt: is empty", caplog.text)


def test_without_a_sync_an_index_must_be_there(tmp_path: Path) -> None:
    write(tmp_path / "articles", *DOSSIER)
    with pytest.raises(ConfigError, match="python -m ingest"):
        open_engine(tmp_path / "articles", tmp_path / "data", sync=False)


def test_a_folder_that_is_not_there_is_named_with_the_way_to_another(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match=r"nowhere does not exist; .*--articles.*BELEG_ARTICLES"):
        open_engine(tmp_path / "nowhere", tmp_path / "data")


def test_an_unknown_setting_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "articles", *DOSSIER)
    with pytest.raises(ConfigError, match="passage"):
        open_engine(tmp_path / "articles", tmp_path / "data", passage=3)


# --- awaiting


class Slow(Engine):
    """An engine whose stream waits in its second step, and notes when it is closed."""

    def __init__(self) -> None:
        self.waiting, self.go_on, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.threads: set[str] = set()

    def stream(self, question: str, *_: Any, **__: Any) -> Iterator[Event]:
        answer = canned(question)
        try:
            self.threads.add(threading.current_thread().name)
            yield Retrieved(question, (), 0.0)
            self.waiting.set()
            self.go_on.wait(60)
            yield Delta(answer.text)
            if "kaputt" in question:
                raise ProviderUnavailable("down")
            yield Done(answer)
        finally:
            self.closed.set()

    def search(self, question: str, k: int | None = None, **_: Any) -> tuple[Passage, ...]:
        self.threads.add(threading.current_thread().name)
        return canned(question).passages[:k]


def test_the_awaited_answer_is_that_of_the_stream() -> None:
    engine = Slow()
    engine.go_on.set()
    assert asyncio.run(engine.aask("Fernwärme")) == canned("Fernwärme")
    assert threading.main_thread().name not in engine.threads


def test_other_tasks_go_on_meanwhile() -> None:
    async def both() -> Answer:
        engine = Slow()
        asked = asyncio.create_task(engine.aask("Fernwärme"))
        while not engine.waiting.is_set():
            await asyncio.sleep(0)
        engine.go_on.set()
        return await asked

    assert asyncio.run(both()).citations


def test_passages_are_awaited_too() -> None:
    engine = Slow()
    assert len(asyncio.run(engine.asearch("Fernwärme", 2))) == 2
    assert threading.main_thread().name not in engine.threads


def test_failures_reach_who_awaits() -> None:
    engine = Slow()
    engine.go_on.set()
    with pytest.raises(ProviderUnavailable, match="down"):
        asyncio.run(engine.aask("kaputt"))
    assert engine.closed.wait(60)


def test_an_iteration_that_stops_closes_the_stream() -> None:
    engine = Slow()

    async def first() -> Event:
        async with aclosing(engine.astream("Fernwärme")) as events:
            async for event in events:
                return event
        raise AssertionError

    assert isinstance(asyncio.run(first()), Retrieved)
    assert engine.closed.wait(60)
    assert not engine.waiting.is_set()


def test_cancelling_in_the_middle_of_a_step_closes_the_stream_behind_it() -> None:
    engine = Slow()

    async def cancelled() -> None:
        asked = asyncio.create_task(engine.aask("Fernwärme"))
        while not engine.waiting.is_set():
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert not engine.closed.is_set()
        engine.go_on.set()

    asyncio.run(cancelled())
    assert engine.closed.wait(60)


def test_bad_requests_are_raised_when_awaited(tmp_path: Path) -> None:
    write(tmp_path / "articles", *DOSSIER)
    with closing(open_engine(tmp_path / "articles", tmp_path / "data")) as engine:
        with pytest.raises(BadRequest, match="empty"):
            asyncio.run(engine.aask(" "))
        answer = asyncio.run(engine.aask(QUESTION, [Message("user", "Hallo")], extractive=True))
    assert answer.citations
