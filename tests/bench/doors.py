"""What readers wait for: the first word among many; and what a server that answers holds in memory."""

from __future__ import annotations

import asyncio
import html
import itertools
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import httpx

from tests.bench.rows import ENVIRONMENT, ROOT, Bench, Row, free_port
from tests.bench.worker import memory_of
from tests.chat_reader import Reader, functions_of

READERS = 50
QUESTIONS_EACH = 3
SECONDS_READ = 10.0
"""On average, between the end of an answer and the next question."""
_RECORD = "/antwort/"  # the link to an answer's record, which comes with its words
_SEED = 7
_ENVIRONMENT = {**ENVIRONMENT, "BELEG_RATE": "0"}  # all readers have one address
_STREAM = "/api/v1/stream"
_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A program that serves."""

    address: str
    pid: int


def first_word(bench: Bench) -> None:
    """Our own time before the first word, of one reader and of many: who ask at the same moment, or read."""
    command = [sys.executable, "app.py", "--data", str(bench.data("ours")), "--articles", str(bench.articles)]
    questions = itertools.cycle(bench.of_readers)  # each is new, for an answer that was given is remembered

    def some(n: int) -> list[str]:
        return list(itertools.islice(questions, n))

    with _serving(command) as server:
        address = server.address
        asyncio.run(_first_words(address, some(5)))  # the first answers of a process are slower
        alone = [asyncio.run(_first_words(address, [question]))[0] for question in some(READERS)]
        _beside_one(bench, "all at once", asyncio.run(_first_words(address, some(READERS))), alone)
        asyncio.run(_conversations(address, [some(5)], 0.0))
        alone = asyncio.run(_conversations(address, [[question] for question in some(READERS)], 0.0, 1))
        among = asyncio.run(
            _conversations(address, [some(QUESTIONS_EACH) for _ in range(READERS)], SECONDS_READ)
        )
    how = f"in the chat, each asks again after {SECONDS_READ:g} s on average"
    _beside_one(bench, how, among, alone, most=0.5)


def _beside_one(
    bench: Bench, how: str, among: Sequence[float], alone: Sequence[float], most: float | None = None
) -> None:
    note = f"peer: one reader alone; p50 {median(among):.3f} s and {median(alone):.3f} s"
    p95, peer = (quantiles(times, n=20)[-1] for times in (among, alone))
    name = f"first word, {READERS} readers, {how}, p95"
    bench.rows.append(Row(name, "s", bench.size, p95, peer, len(among), most, note=note))


def serving_memory(bench: Bench) -> None:
    """What the process that serves the web chat holds in memory once it has answered."""
    command = [sys.executable, "-m", "tests.bench.dossier", str(bench.articles), str(bench.data("ours"))]
    questions = [question.text for question in bench.questions]
    with _serving(command) as server:
        for question in questions:
            asyncio.run(_first_words(server.address, [question]))
        asyncio.run(_conversations(server.address, [questions[:5]], 0.0))
        memory = memory_of(server.pid)
    name = f"memory of the serving process, {len(questions)} questions answered"
    bench.alone(name, "MB", memory, most=450 if bench.size <= 1_000 else 900)


async def _first_words(address: str, questions: Sequence[str]) -> list[float]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        return await asyncio.gather(*(_first_of(client, question) for question in questions))


async def _conversations(
    address: str, conversations: Sequence[Sequence[str]], pause: float, at_once: int = READERS
) -> list[float]:
    """First words in the chat: of readers who ask their questions one by one, reading in between.

    They come as they go on, each after a random while.
    """
    chance, asked = random.Random(_SEED), {question for each in conversations for question in each}
    chairs = asyncio.Semaphore(at_once)
    # a connection that is kept might be closed by the server just as it is used again
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        functions = await functions_of(client)

        async def converse(questions: Sequence[str], pauses: Sequence[float]) -> tuple[list[Any], str]:
            reader, firsts = Reader(client, functions), []
            async with chairs:
                for question, seconds in zip(questions, pauses, strict=True):
                    await asyncio.sleep(seconds)
                    firsts.append(await reader.ask(question, _RECORD))
            return firsts, html.unescape(str([message["content"] for message in reader.shown]))

        pauses = [[chance.expovariate(1 / pause) if pause else 0.0 for _ in each] for each in conversations]
        told = await asyncio.gather(*map(converse, conversations, pauses))
    for questions, (_, shown) in zip(conversations, told, strict=True):
        if any(question in shown for question in asked - set(questions)):
            raise RuntimeError(f"{address} showed a reader what another had asked")
    found = [first for firsts, _ in told for first in firsts if first is not None]
    if len(found) < sum(map(len, conversations)):
        raise RuntimeError(f"{address} left questions of the chat without an answer")
    return found


async def _first_of(client: httpx.AsyncClient, question: str) -> float:
    started = time.perf_counter()
    async with client.stream("POST", _STREAM, json={"question": question}) as reply:
        reply.raise_for_status()
        async for line in reply.aiter_lines():
            if line.startswith("event: delta"):
                return time.perf_counter() - started
    return time.perf_counter() - started  # declined without a word


@contextmanager
def _serving(command: Sequence[str]) -> Iterator[Server]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [*command, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=_ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(address, process)
            yield Server(address, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/readyz", timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")
