"""Fifty readers at once: `make load`. A slow engine streams to readers, some of whom stop or reload.

Fails when a reader sees a word of another's conversation, or when an answer is lost; prints how long the
first word took. Everything stays on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from rag.schema import Delta, Done, Event, Filters, Message, Retrieved
from tests.chat_reader import events, functions_of
from tests.fake_engine import FakeEngine, canned

WORDS, SECONDS_A_WORD = 40, 0.05
ROUNDS = 3
SECONDS_READ = 10.0
"""On average, from the end of an answer to the next question, of those who read."""
_READER = re.compile(r"Leser-(\d+-\d+)")


class SlowEngine(FakeEngine):
    """Says back who asks, as slowly as a language model."""

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),  # noqa: ARG002
        *,
        extractive: bool = False,  # noqa: ARG002
        filters: Filters | None = None,  # noqa: ARG002
    ) -> Iterator[Event]:
        answer = canned("mond")
        yield Retrieved(question, answer.passages, 0.02)
        text = ""
        for n in range(WORDS):
            time.sleep(SECONDS_A_WORD)
            word = f"{question} " if n % 5 == 1 else f"Wort{n} "
            text += word
            yield Delta(word)
        yield Done(replace(answer, question=question, text=text, further=()))


def serve(channel: Connection, folder: str) -> None:
    """The real app with the slow engine, in a process of its own."""
    from rag.settings import Settings
    from tests.visit import chat_of, serving

    with serving(chat_of(SlowEngine(), Settings(data=Path(folder)))) as address:
        channel.send(address)
        with suppress(EOFError):
            channel.recv()


@dataclass(slots=True)
class Seen:
    """What one question brought its reader."""

    first_word: float | None = None
    complete: bool = False
    mixed: bool = False


async def ask(client: httpx.AsyncClient, function: int, reader: str, leave_after: float | None) -> Seen:
    """Asks as the page does; leaves early (stops) after so many seconds, if told."""
    session = f"s{random.getrandbits(48):x}"
    question, seen, started = f"Leser-{reader}", Seen(), time.perf_counter()
    body = {"data": [question, [], ""], "fn_index": function, "session_hash": session}
    joined = (await client.post("/gradio_api/queue/join", json=body)).raise_for_status().json()
    async for event in events(client, session):
        seen.mixed |= any(other != reader for other in _READER.findall(json.dumps(event)))
        if seen.first_word is None and "Wort0" in json.dumps(event):
            seen.first_word = time.perf_counter() - started
        if event["msg"] == "process_completed":
            seen.complete = bool(event["success"]) and f"Wort{WORDS - 1}" in json.dumps(event)
            break
        if leave_after is not None and time.perf_counter() - started > leave_after:
            cancel = {"session_hash": session, "fn_index": function, "event_id": joined["event_id"]}
            await client.post("/gradio_api/cancel", json=cancel)
            break
    return seen


async def visit(client: httpx.AsyncClient, function: int, reader: int, pause: float) -> list[Seen]:
    """One reader, who reads that long on average before each question, which differs.

    Every third stops an answer, every fifth reloads the page in between.
    """
    chance = random.Random(reader)
    found = []
    for n in range(ROUNDS):
        await asyncio.sleep(chance.expovariate(1 / pause) if pause else 0.0)
        leave = chance.uniform(0.3, 1.5) if reader % 3 == 0 and n == 0 else None
        seen = await ask(client, function, f"{reader}-{n}", leave)
        if leave is None:
            found.append(seen)
        elif seen.mixed:
            raise AssertionError(f"reader {reader} saw another's words")
        if reader % 5 == 0:
            (await client.get("/", headers={"Accept": "text/html"})).raise_for_status()
    return found


async def run(address: str, readers: int, pause: float) -> list[Seen]:
    """All readers at the same time, each with a pause before a question."""
    # a connection that is kept might be closed by the server just as it is used again
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        function = (await functions_of(client)).ask
        await ask(client, function, "0-0", None)  # the first answer of a process is slower
        coming = (visit(client, function, reader, pause) for reader in range(1, readers + 1))
        visits = await asyncio.gather(*coming)
    return [seen for visited in visits for seen in visited]


def report(who: str, seen: list[Seen]) -> bool:
    """Prints the figures; whether every answer came whole and to its reader."""
    waits = sorted(each.first_word for each in seen if each.first_word is not None)
    lost, mixed = sum(not each.complete for each in seen), sum(each.mixed for each in seen)
    p95 = waits[min(len(waits) - 1, round(0.95 * len(waits)))]
    print(
        f"{who}, {len(seen)} answers: first word p50 {statistics.median(waits):.2f} s,"
        f" p95 {p95:.2f} s; lost {lost}, mixed {mixed}"
    )
    return not lost and not mixed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=50)
    readers = parser.parse_args().readers
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, folder))
        server.start()
        address = ours.recv()
        try:
            fine = [
                report("one reader", asyncio.run(run(address, 1, 0.0))),
                report(f"{readers} readers, all at once", asyncio.run(run(address, readers, 0.0))),
                report(
                    f"{readers} readers, each asks again after {SECONDS_READ:g} s on average",
                    asyncio.run(run(address, readers, SECONDS_READ)),
                ),
            ]
        finally:
            ours.send("done")
            server.join(timeout=15)
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
