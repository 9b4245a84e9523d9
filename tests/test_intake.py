"""Protects articles on their way in: uploads are checked and never overwrite, and the watched folder is read
when it changes, once, whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest import intake
from ingest.diff import is_current
from ingest.intake import ArticleIntake, Watcher, safe_name
from ingest.sync import SyncReport, sync
from rag.errors import ArticleError, ArticleTooLarge, ConfigError
from rag.i18n import GERMAN
from rag.schema import Received, SyncState
from rag.settings import Settings
from rag.store.library import Library

BRIDGE = "Die Brücke am Hafen wird ab Montag gesperrt. Die Bauarbeiten dauern bis in den Oktober hinein."
BUSES = "Die Busse fahren ab Freitag häufiger durch die Stadt. Der Rat hat das am Mittwoch beschlossen."
REPORT = SyncReport(0, 0, 0, 0, (), (), (), 0, 0, 0.0, "")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "articles").mkdir()
    return Settings(
        articles=tmp_path / "articles",
        data=tmp_path / "data",
        article_limit=5000,
        sync_seconds=0.05,
    )


# --- uploads


def upload(uploads: ArticleIntake, name: str, *parts: bytes) -> Received:
    async def arriving() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return asyncio.run(uploads.add(name, arriving()))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Brücke am Hafen.TXT", "Bruecke-am-Hafen.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.md", "boot.md"),
        ("/abs/olute.html", "olute.html"),
        (".versteckt.txt", "versteckt.txt"),
        ("~$Entwurf.docx", "Entwurf.docx"),
        ("README.md", "upload-README.md"),
        ("a\0b\n.txt", "a-b.txt"),
        ("archiv.tar.gz", "archiv.tar.gz"),
        ("ohne", "ohne"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", ".", "..", "/", ".txt", "日本.txt", "x" * 300 + ".txt"])
def test_any_name_gives_a_file_in_the_folder(settings: Settings, name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not safe.startswith(".")
    assert len(safe) < 120
    assert (settings.uploads_dir / safe).parent == settings.uploads_dir


def test_an_upload_is_saved_whole(settings: Settings) -> None:
    uploads = ArticleIntake(settings)
    assert upload(uploads, "brücke.txt", BRIDGE.encode()[:40], BRIDGE.encode()[40:]) == Received(
        "bruecke.txt"
    )
    assert (settings.uploads_dir / "bruecke.txt").read_text("utf-8") == BRIDGE
    assert files(settings.uploads_dir) == ["bruecke.txt"]


def test_another_file_of_the_same_name_is_kept_beside(settings: Settings) -> None:
    uploads = ArticleIntake(settings)
    upload(uploads, "a.txt", BRIDGE.encode())
    assert upload(uploads, "a.txt", BUSES.encode()) == Received("a-2.txt")
    assert upload(uploads, "a.txt", BUSES.encode()) == Received("a-2.txt", known=True)
    assert upload(uploads, "a.txt", BRIDGE.encode()) == Received("a.txt", known=True)
    assert files(settings.uploads_dir) == ["a-2.txt", "a.txt"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("leer.txt", b"", "is empty"),
        ("bild.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "is a PNG image, not what its ending says"),
        ("bericht.pdf", b"Das ist kein PDF.", "is not a pdf file but something else"),
        ("text.docx", b"%PDF-1.7 ...", "is not a docx file but a PDF; rename it"),
        ("daten.jsonl", b"{}\n", 'has no usable line: line 1: no "text"'),
        ("tabelle.csv", b"a;b", r"files ending in '\.csv' are not read; use \.txt"),
        ("ohne", b"text", "files ending in '' are not read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    settings: Settings, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(ArticleError, match=f"^{reason}") as refusal:
        upload(ArticleIntake(settings), name, content)
    assert str(settings.data_dir) not in str(refusal.value)
    assert not settings.uploads_dir.exists() or files(settings.uploads_dir) == []


def test_too_large_a_file_is_refused_while_it_comes_in(settings: Settings) -> None:
    taken: list[int] = []

    async def arriving() -> AsyncIterator[bytes]:
        for size in (5000, 1, 5000):
            taken.append(size)
            yield b"x" * size

    with pytest.raises(ArticleTooLarge, match=r"is larger than 0\.005 MB"):
        asyncio.run(ArticleIntake(settings).add("gross.txt", arriving()))
    assert taken == [5000, 1]
    assert files(settings.uploads_dir) == []


def test_parts_that_cannot_be_used_are_told(settings: Settings) -> None:
    lines = '{"text": "Der Rat tagt am Mittwoch."}\nkaputt\n'
    received = upload(ArticleIntake(settings), "rat.jsonl", lines.encode())
    assert received.problems[0].startswith("line 2: not JSON")


def test_what_an_earlier_process_left_half_received_is_cleared_away(settings: Settings) -> None:
    left = settings.uploads_dir / ".incoming" / "tmp1"
    left.mkdir(parents=True)
    (left / "halb.txt").write_text("abc")
    ArticleIntake(settings)
    assert files(settings.uploads_dir) == []


def test_only_uploads_are_removed(settings: Settings) -> None:
    uploads = ArticleIntake(settings)
    upload(uploads, "a.txt", BRIDGE.encode())
    own = settings.articles / "b.txt"
    own.write_text(BUSES)
    for path in (own, settings.uploads_dir / ".." / "library.sqlite3", settings.uploads_dir):
        with pytest.raises(ArticleError, match="not an upload"):
            uploads.remove(path)
    uploads.remove(settings.uploads_dir / "a.txt")
    assert files(settings.uploads_dir) == []
    assert own.exists()


# --- the watcher


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SETTLE_SECONDS", 0.02)


@pytest.fixture
def watching(settings: Settings) -> Iterator[Callable[..., Watcher]]:
    started: list[Watcher] = []

    def start(run: Callable[..., SyncReport] = sync, **changes: object) -> Watcher:
        watcher = Watcher(replace(settings, **changes), run)
        started.append(watcher)
        watcher.start()
        return watcher

    yield start
    for watcher in started:
        watcher.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def texts(settings: Settings) -> dict[str, str]:
    with Library.open(settings.data_dir, read_only=True) as library:
        return {article.id: article.text for article in library.articles()}


def test_files_that_appear_change_and_vanish_are_followed(
    settings: Settings, watching: Callable[..., Watcher]
) -> None:
    file = settings.articles / "bridge.txt"
    file.write_text(BRIDGE)
    (settings.articles / "buses.txt").write_text(BUSES)
    sync(settings)
    watcher = watching()
    (settings.articles / "rat.txt").write_text("Der Rat tagt am Mittwoch zum letzten Mal in diesem Jahr.")
    until(lambda: len(texts(settings)) == 3)
    file.write_text(BRIDGE + " Danach ist sie wieder frei.")
    until(lambda: texts(settings)["bridge"].endswith("wieder frei."))
    file.unlink()
    until(lambda: set(texts(settings)) == {"buses", "rat"})
    until(lambda: not watcher.state.running)
    assert watcher.state.error is None
    assert watcher.state.checked is not None


def test_a_broken_file_is_reported_by_name_once_and_the_rest_is_read(
    settings: Settings, watching: Callable[..., Watcher], caplog: pytest.LogCaptureFixture
) -> None:
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    (settings.articles / "leer.txt").write_text("")
    with caplog.at_level(logging.INFO, "ingest.intake"):
        watcher = watching()
        until(lambda: watcher.state.checked and not watcher.state.running)
        watcher.refresh()
        until(lambda: not watcher.state.running)
    assert set(texts(settings)) == {"bridge"}
    assert sum("leer.txt" in line for line in caplog.messages) == 1
    with Library.open(settings.data_dir, read_only=True) as library:
        (problem,) = library.files()[str(settings.articles / "leer.txt")].problems
    assert (problem, GERMAN.said(problem)) == ("is empty; remove it or fill it", "ist leer")


def test_a_change_is_noticed_long_before_the_next_look(
    settings: Settings, watching: Callable[..., Watcher]
) -> None:
    run = Counting()
    watching(run, sync_seconds=3600.0)

    def noticed() -> bool:  # written again, for it may have been before the watching began
        (settings.articles / "bridge.txt").write_text(BRIDGE)
        time.sleep(0.2)
        return run.times > 0

    until(noticed)


def test_a_folder_that_cannot_be_watched_is_looked_at(
    settings: Settings, watching: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(intake, "watch", refused)
    run = Counting()
    watching(run)
    until(lambda: run.times == 1)
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    until(lambda: run.times == 2)


def test_an_empty_folder_gives_an_empty_index_until_something_comes(
    settings: Settings, watching: Callable[..., Watcher]
) -> None:
    sync(settings, allow_empty=True)
    assert texts(settings) == {}
    watching()
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    until(lambda: set(texts(settings)) == {"bridge"})


def test_the_last_upload_can_be_deleted(settings: Settings) -> None:
    settings.uploads_dir.mkdir(parents=True)
    (settings.uploads_dir / "bridge.txt").write_text(BRIDGE)
    sync(settings)
    (settings.uploads_dir / "bridge.txt").unlink()
    assert sync(settings, allow_empty=True).deleted == 1
    assert texts(settings) == {}


class Counting:
    """Stands in for a sync, and counts; `error` is raised."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.times = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, _: Settings, **__: object) -> SyncReport:
        self.times += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.may_go_on.wait(60)
        self.at_once -= 1
        if self.error:
            raise self.error
        return REPORT


def looks(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits until a watcher has looked that many times more."""
    seen = [0]
    real = Watcher._look

    def look(self: Watcher) -> tuple[object, ...]:
        seen[0] += 1
        return real(self)

    monkeypatch.setattr(Watcher, "_look", look)
    until(lambda: seen[0] >= count)


@pytest.mark.parametrize(
    "error", [None, ConfigError("the disk is full"), OSError(28, "No space"), ValueError("?")]
)
def test_unchanged_files_are_not_read_again_whatever_came_of_them(
    watching: Callable[..., Watcher],
    error: Exception | None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    run = Counting(error)
    watching(run)
    until(lambda: run.times == 1)
    looks(5, monkeypatch)
    assert run.times == 1
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    until(lambda: run.times == 2)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("the disk is full"), "the disk is full"),
        (OSError(28, "No space left"), "No space left; check free space and permissions"),
        (ValueError("a secret"), "an internal error; the server's log says more"),
    ],
)
def test_a_failure_is_told_and_logged_once_and_gone_with_the_next_success(
    watching: Callable[..., Watcher], error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = Counting(error)
    watcher = watching(run)
    until(lambda: watcher.state.error == told)
    watcher.refresh()
    until(lambda: run.times == 2 and not watcher.state.running)
    assert sum(told in line for line in caplog.messages) == 1
    run.error = None
    watcher.refresh()
    until(lambda: watcher.state.error is None and not watcher.state.running)


def test_a_folder_that_is_gone_is_told_and_read_when_it_is_back(
    settings: Settings, watching: Callable[..., Watcher]
) -> None:
    run = Counting()
    watcher = watching(run)
    until(lambda: run.times == 1)
    settings.articles.rename(settings.articles.with_name("away"))
    until(lambda: watcher.state.error and "does not exist" in watcher.state.error)
    settings.articles.with_name("away").rename(settings.articles)
    until(lambda: watcher.state.error is None)


def test_a_file_that_appears_at_the_very_start_is_read(
    settings: Settings, watching: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    def current(_: Settings, **__: bool) -> bool:
        (settings.articles / "bridge.txt").write_text(BRIDGE)
        return True

    monkeypatch.setattr(intake, "is_current", current)
    run = Counting()
    watching(run)
    until(lambda: run.times == 1)


def test_many_requests_at_once_make_one_more_sync(watching: Callable[..., Watcher]) -> None:
    run = Counting()
    run.may_go_on.clear()
    watcher = watching(run, sync_seconds=0.0)
    watcher.refresh()
    until(lambda: run.times == 1)
    for _ in range(20):
        watcher.refresh()
    run.may_go_on.set()
    until(lambda: not watcher.state.running)
    assert (run.times, run.most_at_once) == (2, 1)


def test_it_runs_from_the_request_until_the_work_is_done(watching: Callable[..., Watcher]) -> None:
    run = Counting()
    run.may_go_on.clear()
    watcher = watching(run, sync_seconds=0.0)
    assert watcher.state == SyncState()
    watcher.refresh()
    assert watcher.state.running
    run.may_go_on.set()
    until(lambda: not watcher.state.running)
    assert run.times == 1


def test_a_file_still_being_copied_is_waited_for(
    settings: Settings, watching: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "SETTLE_SECONDS", 0.5)
    run = Counting()
    watching(run)
    until(lambda: run.times == 1)
    file = settings.articles / "lang.txt"
    for n in range(12):
        file.write_text("Satz. " * (n + 1))
        time.sleep(0.03)
    until(lambda: run.times >= 2)
    assert run.times <= 4  # a look a part would be a dozen


def test_closing_breaks_off_a_sync_under_way(watching: Callable[..., Watcher]) -> None:
    entered = threading.Event()
    steps = [0]

    def endless(_: Settings, *, progress: Callable[[str, int, int], None], **__: object) -> SyncReport:
        while True:
            entered.set()
            steps[0] += 1
            progress("index", steps[0], 10**9)
            time.sleep(0.005)

    watcher = watching(endless)
    assert entered.wait(60)
    until(lambda: watcher.state.step == "index" and watcher.state.total == 10**9)
    watcher.close()
    done = steps[0]
    assert not any(thread.name == "beleg-watch" for thread in threading.enumerate())
    assert steps[0] == done


def test_a_sync_that_is_broken_off_leaves_the_index_as_it_was(settings: Settings) -> None:
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    sync(settings)
    (settings.articles / "buses.txt").write_text(BUSES)
    watcher = Watcher(settings)
    watcher._closed.set()
    with pytest.raises(intake._Closed):
        sync(settings, progress=watcher._progress)
    assert set(texts(settings)) == {"bridge"}
    assert sync(settings).added == 1


# --- vectors, which come after the words


def test_vectors_that_the_start_did_not_wait_for_are_made_unasked(
    settings: Settings, watching: Callable[..., Watcher]
) -> None:
    (settings.articles / "bridge.txt").write_text(BRIDGE)
    assert sync(settings, wait=False).pending == 1
    watcher = watching(sync_seconds=0)
    until(lambda: is_current(settings))
    assert watcher.state.error is None


def test_vectors_wait_while_new_articles_are_read(
    settings: Settings, watching: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.models.embedder import Embedder

    monkeypatch.setattr("rag.store.chroma.MOST", 1)
    embed = Embedder.embed
    held: list[set[str]] = []

    def and_another_comes(self: Embedder, found: Sequence[str]) -> Any:
        if not held:
            (settings.articles / "buses.txt").write_text(BUSES)
        held.append(set(texts(settings)))
        return embed(self, found)

    monkeypatch.setattr(Embedder, "embed", and_another_comes)
    for n in range(3):
        (settings.articles / f"bridge{n}.txt").write_text(f"{BRIDGE} Stand {n}.")
    watching()
    until(lambda: is_current(settings))
    first = {"bridge0", "bridge1", "bridge2"}
    assert held == [first, *[first | {"buses"}] * 3]
