"""What is measured: each function runs both programs in turn on the same work."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench.corpus import ASKED, Question, change
from tests.bench.worker import worker

ROOT = Path(__file__).parents[2]
TIMES = 5
_PROGRAMS = ("ours", "stock")
_RETRIEVAL, _MEMORY = "retrieval, rerank and confidence", "memory while answering"
# as a user has it: without it our modules are compiled at each start, and installed ones are not
_KEPT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT = {
    **_KEPT,
    "BELEG_LLM": "none",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
_FIRST_PAGE = 60  # seconds

Pair = tuple[float, float]
"""Ours and the peer's."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: `ours` and `peer` are medians of `n` measurements; there may be no peer.

    The goals, where there are any: `most` of ours, in the row's unit, and `times` the peer's at most.
    """

    name: str
    unit: str
    articles: int
    ours: float
    peer: float | None = None
    n: int = 1
    most: float | None = None
    times: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether all its goals are reached; None where it has none."""
        goals = [(self.ours, self.most), (self.ratio, self.times)]
        reached = [value <= goal for value, goal in goals if value is not None and goal is not None]
        return all(reached) if reached else None


@dataclass(slots=True)
class Bench:
    """One corpus with the indexes of both programs."""

    folder: Path
    size: int
    asked: list[Question]
    rows: list[Row] = field(default_factory=list)

    @property
    def questions(self) -> list[Question]:
        """Those for retrieval and answers."""
        return self.asked[:ASKED]

    @property
    def of_readers(self) -> list[str]:
        """Others; where there are none, the same."""
        return [question.text for question in self.asked[ASKED:] or self.asked]

    @property
    def articles(self) -> Path:
        return self.folder / "articles"

    def data(self, program: str) -> Path:
        return self.folder / program

    def add(self, name: str, unit: str, pairs: Sequence[Pair], **goals: Any) -> None:
        """A row of the medians of pairs."""
        ours, peer = (median(pair[side] for pair in pairs) for side in (0, 1))
        self.rows.append(Row(name, unit, self.size, ours, peer, len(pairs), **goals))

    def alone(self, name: str, unit: str, *ours: float, **goals: Any) -> None:
        """A row without a peer."""
        self.rows.append(Row(name, unit, self.size, median(ours), n=len(ours), **goals))


def ingest(bench: Bench, times: int) -> None:
    """Articles to a searchable index, anew each time, and the most memory that it took."""
    seconds, peaks = [], []
    for _ in range(times):
        took, peak = {}, {}
        for program in _PROGRAMS:
            shutil.rmtree(bench.data(program), ignore_errors=True)
            with worker(program, bench.articles, bench.data(program)) as run:
                done, peak[program] = run.watched("ingest")
                took[program] = done.seconds
        seconds.append((took["ours"], took["stock"]))
        peaks.append((peak["ours"], peak["stock"]))
    bench.add("ingest, all vectors included", "s", seconds, times=6)
    bench.add("the same, peak memory", "MB", peaks, note="processes together, shared pages once (PSS)")


def words_alone(bench: Bench) -> None:
    """Until every article is found by its words: our library and lexical index."""
    shutil.rmtree(bench.data("ours"), ignore_errors=True)
    with worker("ours", bench.articles, bench.data("ours")) as run:
        done, peak = run.watched("index_words")
    most = 15 if bench.size <= 1_000 else None
    bench.alone("words of all articles indexed", "s", done.seconds, most=most)
    bench.alone("the same, peak memory", "MB", peak)


def questions_alone(bench: Bench) -> None:
    """Retrieval where there is no peer, each question asked once."""
    with worker("ours", bench.articles, bench.data("ours")) as run:
        run("open")
        run("retrieve", "Wann wurde der Beschluss gefasst?")
        found = [(done.seconds, done.value) for done in (run("retrieve", q.text) for q in bench.questions)]
        memory = run.memory()
    recall = f"R@1 {_recall(bench.questions, found, 1):.2f} R@10 {_recall(bench.questions, found, 10):.2f}"
    times = [seconds for seconds, _ in found]
    bench.alone(f"{_RETRIEVAL}, p50", "s", median(times), note=recall)
    bench.alone(f"{_RETRIEVAL}, p95", "s", quantiles(times, n=20)[-1])
    bench.alone(_MEMORY, "MB", memory)


def prepare(bench: Bench, programs: Sequence[str] = _PROGRAMS, call: str = "ingest") -> None:
    """Makes the indexes that are not there, for rows that need them."""
    for program in programs:
        if not bench.data(program).exists():
            with worker(program, bench.articles, bench.data(program)) as run:
                run(call)


def sync_of_nothing(bench: Bench, times: int) -> None:
    """The whole command when nothing has changed."""
    pairs = [(_command(_ours_sync(bench)), _command(_stock(bench))) for _ in range(times)]
    bench.add("sync, nothing changed, whole command", "s", pairs, most=2)


def sync_of_one(bench: Bench, times: int) -> None:
    """One changed article, until a question finds it; in a program that runs already."""
    pairs = []
    for number in range(times):
        mark = change(bench.articles, number)
        took = {}
        for program in _PROGRAMS:
            with worker(program, bench.articles, bench.data(program)) as run:
                took[program] = run("update").seconds
                opened = run("open").seconds
                found = run("retrieve", f"Wann blüht das {mark}?")
                took[program] += opened + found.seconds
                if program == "ours" and found.value[0] != f"a{number:06}":
                    raise AssertionError(f"the changed article is not found: {found.value}")
        pairs.append((took["ours"], took["stock"]))
    bench.add("one article changed, until found by its words", "s", pairs, most=5, times=0.2)


def questions(bench: Bench) -> None:
    """Retrieval, then whole answers, each question asked once; and what the programs hold in memory."""
    half = len(bench.questions) // 2
    with ExitStack() as stack:
        runs = {
            name: stack.enter_context(worker(name, bench.articles, bench.data(name))) for name in _PROGRAMS
        }
        for run in runs.values():
            run("open")
            for warm in ("retrieve", "answer"):
                run(warm, "Wann wurde der Beschluss gefasst?")
        retrieved = bench.questions[:half]
        found: dict[str, list[tuple[float, list[str]]]] = {name: [] for name in _PROGRAMS}
        for question in retrieved:
            for name, run in runs.items():
                done = run("retrieve", question.text)
                found[name].append((done.seconds, done.value))
        answered = [runs["ours"]("answer", question.text).seconds for question in bench.questions[half:]]
        memory = {name: run.memory() for name, run in runs.items()}
    times = {name: [seconds for seconds, _ in results] for name, results in found.items()}
    note = "; ".join(
        f"{name} R@1 {_recall(retrieved, found[name], 1):.2f} R@10 {_recall(retrieved, found[name], 10):.2f}"
        for name in _PROGRAMS
    )
    _spread(bench, _RETRIEVAL, list(zip(*times.values(), strict=True)), note=note)
    beside = list(zip(answered, times["stock"], strict=False))
    _spread(bench, "whole answer, beside the peer's retrieval alone", beside, most=(0.09, 0.2), times=3)
    bench.add(_MEMORY, "MB", [(memory["ours"], memory["stock"])])


def ask_once(bench: Bench, times: int) -> None:
    """A question from the command line, index warm."""
    question = bench.questions[0].text
    ours = [sys.executable, "-m", "rag", "ask", question, "--data", str(bench.data("ours")),
            "--articles", str(bench.articles)]  # fmt: skip
    pairs = [(_command(ours), _command([*_stock(bench), question])) for _ in range(times)]
    bench.add("python -m rag ask, whole process", "s", pairs, most=2.5)


def first_page(bench: Bench, times: int) -> None:
    """From the command to the first page, and to the chat on it."""
    command = [sys.executable, "app.py", "--data", str(bench.data("ours")), "--articles", str(bench.articles)]
    pages, chats = zip(*(_until_chat(command, free_port()) for _ in range(times)), strict=True)
    bench.alone("python app.py to the first page", "s", *pages, most=2)
    bench.alone("python app.py to the chat", "s", *chats, most=12)


def growth(benches: Sequence[Bench]) -> None:
    """How much slower retrieval is in the largest corpus than in the smallest."""
    first, last = (
        next(row for row in bench.rows if is_retrieval(row)) for bench in (benches[0], benches[-1])
    )
    name = f"retrieval, growth from {first.articles:,} articles"
    benches[-1].rows.append(Row(name, "s", last.articles, last.ours, first.ours, first.n, times=5))


def is_retrieval(row: Row) -> bool:
    """Whether it is the median time of retrieval."""
    return row.name == f"{_RETRIEVAL}, p50"


def _spread(
    bench: Bench,
    name: str,
    pairs: Sequence[Pair],
    most: tuple[float | None, float | None] = (None, None),
    **goals: Any,
) -> None:
    """Two rows: the median of pairs, and the 95th percentile of each side."""
    bench.add(f"{name}, p50", "s", pairs, most=most[0], **goals)
    ours, peer = (quantiles([pair[side] for pair in pairs], n=20)[-1] for side in (0, 1))
    row = Row(f"{name}, p95", "s", bench.size, ours, peer, len(pairs), most[1], goals.get("times"))
    bench.rows.append(row)


def _recall(asked: Sequence[Question], found: Sequence[tuple[float, Sequence[str]]], k: int) -> float:
    """Share of the questions whose article is among the articles of the best k passages."""
    hits = [question.article in ids[:k] for question, (_, ids) in zip(asked, found, strict=True)]
    return sum(hits) / len(hits)


def _ours_sync(bench: Bench) -> list[str]:
    return [sys.executable, "-m", "ingest", str(bench.articles), "--data", str(bench.data("ours"))]


def _stock(bench: Bench) -> list[str]:
    return [sys.executable, "-m", "tests.bench.stock", str(bench.articles), str(bench.data("stock"))]


def _command(command: Sequence[str]) -> float:
    """Seconds of a whole process; raises RuntimeError with what it said if it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return seconds


def _until_chat(command: Sequence[str], port: int) -> Pair:
    """Seconds to the first page, and to the page with Gradio's chat."""
    started = time.perf_counter()
    page = None
    command = [*command, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        try:
            while True:
                shown = _page(f"http://127.0.0.1:{port}/")
                seconds = time.perf_counter() - started
                if shown and page is None:
                    page = seconds
                if page is not None and b"gradio" in shown:
                    return page, seconds
                if process.poll() is not None or seconds > _FIRST_PAGE:
                    raise RuntimeError(f"{' '.join(command)} shows no chat")
                # a page that waits asks again each second, as ours tells it to
                time.sleep(0.02 if page is None else 0.2)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()


def _page(address: str) -> bytes:
    """What is answered with success, else nothing."""
    try:
        with urllib.request.urlopen(address, timeout=_FIRST_PAGE) as response:
            body: bytes = response.read()
            return body
    except OSError:
        return b""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
