"""Everything at once, for minutes: `make soak`. A real Beleg is asked through all its doors while articles
change; some readers leave midway, some send nonsense, and the model's server fails now and then.

Fails on an error that is not documented, on an answer that holds what somebody else asked for, and when
memory, open files, sockets or threads grow. Linux only; everything stays on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chat_reader import events
from tests.openai_server import OpenAIServer, Reply, openai_server
from tests.real_server import Running, server
from tests.test_bounded_work import worst
from tests.usage import Usage, growth, leaks, usage_of

WORKERS = 8
ROUND = 8.0  # seconds of asking between two samples
REST = 1.5  # seconds until what is left of a round has ended
CHANGING = 6
PATIENCE = 120.0  # seconds until a change has to show
_FIRST = "Birken Eschen Linden Tannen Weiden Erlen".split()
_LAST = "dorf feld hagen kirchen rode stedt".split()
CHIEFS = {
    f"{first}{last}": f"{first[0]}{first[1:-1]}{last[:2]}mann".capitalize()
    for first in _FIRST
    for last in _LAST
}
"""Places, and who leads the fire brigade there."""
_PLACE = re.compile(rf"\b({'|'.join(CHIEFS)})\b")
_CHIEF = re.compile(rf"\b({'|'.join(CHIEFS.values())})\b")
_READER = re.compile(r"Leser-[0-9a-f]{8}")
_STATE = re.compile(r"Stand (\d+)")
ASKED_OF_MODEL = re.compile(r"Question \(\w+\): (.*)")
_MISTAKE = re.compile(r" (ERROR|CRITICAL) |Traceback")
FAULT = "Störung"

Json = dict[str, Any]


def model(body: Json) -> Reply:
    """A model that cites the sentence about the place it is asked for, or breaks off where it is told to."""
    prompt = "\n".join(str(message["content"]) for message in body["messages"])
    if asked := ASKED_OF_MODEL.search(prompt):
        place = _PLACE.search(asked[1])
        cited = place and re.search(rf"\[(\d+\.\d+)\] (.* in {place[1]} leitet [^.]+)\.", prompt)
        said = f"{cited[2]} [{cited[1]}]. " * 3 if cited else "KEINE_ANTWORT"
        return Reply(said, size=9, pause=0.02, after=40 if FAULT in asked[1] else None)
    question = str(body["messages"][-1]["content"]).rsplit("user: ", 1)[-1]
    return Reply(f"QUESTION: {question}\nGERMAN: {question}")


def write_articles(folder: Path) -> None:
    """One article for each place, which stays as it is, and those that change."""
    folder.mkdir(parents=True)
    for number, (place, chief) in enumerate(CHIEFS.items(), 20):
        (folder / f"{place.lower()}.txt").write_text(
            f"Neues aus {place}\n\nDie Feuerwehr in {place} leitet Frau {chief}. Der Rat von {place} hat ihr"
            f" ein Fahrzeug für {number}000 Euro bewilligt. Es steht seit Montag in der Halle am Markt.",
            "utf-8",
        )
    for number in range(CHANGING):
        change(folder, number, 0)


def change(folder: Path, number: int, version: int) -> None:
    """A new version of a changing article, which says it three times; whole at once."""
    filling = "Der Wasserstand wird an der Brücke abgelesen und im Amt notiert. " * 8
    fresh = folder / f".wechsel-{number}"
    fresh.write_text(
        f"Pegel {number}\n\n" + f"Am Pegel {number} gilt Stand {version}. {filling}" * 3, "utf-8"
    )
    fresh.replace(folder / f"wechsel-{number}.txt")


@dataclass
class Soak:
    """A visited Beleg: what was done, and what was wrong."""

    client: httpx.AsyncClient
    articles: Path
    chance: random.Random
    functions: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    uploads: int = 0

    # --- questions

    def question(self, fault: str = "", *, extractive: bool = False) -> tuple[str, str, str]:
        """A question of a reader of its own, the place it is about, and the reader's mark.

        Without a model there is no mark in it: no article speaks of it, so that the answer may be declined.
        """
        place, reader = self.chance.choice(list(CHIEFS)), f"Leser-{self.chance.getrandbits(32):08x}"
        question = f"Welche Frau leitet die Feuerwehr in {place}{fault}?"
        return question if extractive else f"{question} ({reader})", place, reader

    def own(self, text: str, place: str, *readers: str) -> None:
        """Asserts that the text holds nothing that others asked for."""
        assert not set(_READER.findall(text)) - set(readers), f"another reader's question in {text[:300]}"
        said = set(_CHIEF.findall(text))
        assert CHIEFS[place] in said, f"{place}: no answer in {text[:300]}"

    def right(self, answer: Json, place: str, reader: str) -> None:
        """Asserts that a whole answer is the question's, and quotes its place's article."""
        self.own(json.dumps(answer, ensure_ascii=False), place, reader)
        cited = [cited["article_id"] for cited in answer["citations"]]
        assert place.lower() in cited, f"{place}: cites {cited}, says {answer['text'][:200]}"
        assert set(_CHIEF.findall(answer["text"])) == {CHIEFS[place]}, answer["text"][:300]

    async def rest(self) -> None:
        extractive = self.chance.random() < 0.5
        question, place, reader = self.question(extractive=extractive)
        sent = {"question": question, "extractive": extractive}
        reply = await self.client.post("/api/v1/ask", json=sent)
        assert reply.status_code == 200, reply.text
        self.right(reply.json(), place, reader)

    async def rest_stream(self) -> None:
        question, place, reader = self.question()
        leaves = self.chance.random() < 0.4
        sent = {"question": question, "extractive": False}
        async with self.client.stream("POST", "/api/v1/stream", json=sent) as reply:
            assert reply.status_code == 200
            async for line in reply.aiter_lines():
                if leaves and "delta" in line:
                    self.done["left midway"] += 1
                    return
                last = line if line.startswith("data:") else ""
                if '"statements"' in last:
                    self.right(json.loads(last[5:]), place, reader)
                    return
        raise AssertionError("a stream ended without its answer")

    async def openai(self) -> None:
        question, place, reader = self.question()
        leaves, words = self.chance.random() < 0.4, 0
        sent = {"model": "beleg", "stream": True, "messages": [{"role": "user", "content": question}]}
        said = ""
        async with self.client.stream("POST", "/v1/chat/completions", json=sent) as reply:
            assert reply.status_code == 200
            async for line in reply.aiter_lines():
                said += line
                words += "content" in line
                if leaves and words > 3:
                    self.done["left midway"] += 1
                    return
        assert said.endswith("data: [DONE]"), said[-300:]
        self.own(said, place, reader)

    async def mcp(self) -> None:
        extractive = self.chance.random() < 0.5
        question, place, reader = self.question(extractive=extractive)
        call = {"name": "ask", "arguments": {"question": question, "extractive": extractive}}
        sent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        reply = await self.client.post(
            "/mcp", json=sent, headers={"Accept": "application/json, text/event-stream"}
        )
        assert reply.status_code == 200, reply.text
        told = next(line[5:] for line in reply.text.splitlines() if line.startswith("data:"))
        self.right(json.loads(told)["result"]["structuredContent"], place, reader)

    async def broken_model(self) -> None:
        question, _, reader = self.question(f" {FAULT}")
        reply = await self.client.post("/api/v1/ask", json={"question": question})
        assert (reply.status_code, reply.json()["error"]["code"]) == (502, "provider_unavailable"), reply.text
        assert not set(_READER.findall(reply.text)) - {reader}

    # --- the chat

    async def chat(self) -> None:
        """A conversation of two questions, as the page asks them; some are stopped."""
        shown: list[Any] = []
        readers = []
        session = f"s{self.chance.getrandbits(48):x}"
        await self.greet(session)
        for _ in range(2):
            question, place, reader = self.question()
            readers.append(reader)
            leaves = self.chance.random() < 0.25
            last = await self.asked(session, question, shown, leave=leaves)
            if last is None:
                self.done["stopped"] += 1
                return
            self.own(json.dumps(last, ensure_ascii=False), place, *readers)
            shown = last[0]

    async def greet(self, session: str) -> None:
        """What a page that is loaded asks for first."""
        (await self.client.get("/", headers={"Accept": "text/html"})).raise_for_status()
        body = {"data": [], "fn_index": self.functions["load"], "session_hash": session}
        (await self.client.post("/gradio_api/run/predict", json=body)).raise_for_status()

    async def asked(self, session: str, question: str, shown: list[Any], *, leave: bool) -> Any:
        """The page after the answer; None when it was stopped."""
        body = {"data": [question, shown, ""], "fn_index": self.functions["submit"], "session_hash": session}
        joined = (await self.client.post("/gradio_api/queue/join", json=body)).raise_for_status().json()
        updates = 0
        async for event in events(self.client, session):
            updates += event["msg"] == "process_generating"
            if event["msg"] == "process_completed":
                assert event["success"], event
                return event["output"]["data"]
            if leave and updates > 2:
                cancel = {k: body[k] for k in ("session_hash", "fn_index")} | {"event_id": joined["event_id"]}
                await self.client.post("/gradio_api/cancel", json=cancel)
                return None
        raise AssertionError("the chat's events ended without the answer")

    # --- articles

    async def changing(self) -> None:
        """Changes an article of the folder; whoever reads it finds one version, whole."""
        number = self.chance.randrange(CHANGING)
        change(self.articles, number, int(time.time() * 10))
        for _ in range(3):
            reply = await self.client.get(f"/api/v1/articles/wechsel-{number}")
            assert reply.status_code == 200, reply.text
            states = _STATE.findall(reply.json()["text"])
            assert states == 3 * states[:1], states
            await asyncio.sleep(0.3)
        found = (await self.client.get("/api/v1/search", params={"q": f"Stand am Pegel {number}"})).json()
        assert found["passages"], "nothing is found of an article that changes"

    async def upload(self) -> None:
        """Takes an article in, reads it, deletes it."""
        self.uploads += 1
        ident = f"hochgeladen-{self.uploads}"
        text = f"Der Kutter {self.uploads}\n\nDer Kutter {self.uploads} liegt seit Montag vor der Mole fest."
        taken = await self.client.post(
            "/api/v1/articles", params={"name": f"{ident}.txt"}, content=text.encode()
        )
        assert taken.status_code == 201, taken.text
        await self.until(ident, 200)
        assert (await self.client.delete(f"/api/v1/articles/{ident}")).status_code == 202
        await self.until(ident, 404)

    async def until(self, ident: str, status: int) -> None:
        """Waits until an article has come, or gone."""
        ends = time.monotonic() + PATIENCE
        while (reply := await self.client.get(f"/api/v1/articles/{ident}")).status_code != status:
            assert time.monotonic() < ends, f"{ident}: {reply.status_code} after {PATIENCE} s"
            await asyncio.sleep(0.2)

    async def sync(self) -> None:
        assert (await self.client.post("/api/v1/sync")).status_code == 202

    # --- everything else

    async def pages(self) -> None:
        place = self.chance.choice(list(CHIEFS)).lower()
        for path in (
            "/",
            "/artikel?q=Feuerwehr",
            f"/quelle/{place}?von=0&bis=5",
            "/beleg/words.json",
            "/metrics",
        ):
            reply = await self.client.get(path, headers={"Accept": "text/html, */*"})
            assert reply.status_code == 200, f"{path}: {reply.status_code}"

    async def worst(self) -> None:
        """What costs most, or is refused: one of what `test_bounded_work` sends to a field of a door."""
        _, door, body = self.chance.choice(WORST)
        accept = {"Accept": "application/json, text/event-stream"}
        reply = await self.client.post(door, json=body, headers=accept)
        assert reply.status_code in (200, 400, 404, 413, 422), (
            f"{door}: {reply.status_code} {reply.text[:200]}"
        )

    async def wrong(self) -> None:
        method, path, sent, status = self.chance.choice(WRONG)
        reply = await self.client.request(method, path, **sent)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text[:200]}"

    async def visit(self, until: float) -> None:
        """One thing after another."""
        acts: Sequence[tuple[Callable[[], Awaitable[None]], int]] = (
            *((self.rest, 3), (self.rest_stream, 3), (self.openai, 3), (self.mcp, 2), (self.chat, 3)),
            *((self.changing, 1), (self.upload, 1), (self.sync, 1), (self.pages, 2), (self.wrong, 3)),
            *((self.broken_model, 1), (self.worst, 1)),
        )
        while time.monotonic() < until:
            act = self.chance.choices([each for each, _ in acts], [weight for _, weight in acts])[0]
            name = act.__name__  # type: ignore[attr-defined]
            try:
                await act()
            except (AssertionError, httpx.HTTPError, StopIteration, KeyError) as error:
                self.findings.append(f"{name}: {error!r}")
            self.done[name] += 1


WORST = list(worst())
WRONG: Sequence[tuple[str, str, Json, int]] = (
    ("POST", "/api/v1/ask", {"json": {"question": " "}}, 400),
    ("POST", "/api/v1/ask", {"json": {"question": "x" * 3000}}, 400),
    ("POST", "/api/v1/stream", {"content": b"{broken"}, 422),
    ("POST", "/v1/chat/completions", {"json": {"model": "none", "messages": []}}, 400),
    ("POST", "/mcp", {"content": b"[", "headers": {"Accept": "application/json, text/event-stream"}}, 400),
    ("GET", "/quelle/fehlt", {}, 404),
    ("GET", "/api/v1/answers/fehlt", {}, 404),
    ("DELETE", "/api/v1/articles/birkendorf", {}, 409),
    ("POST", "/api/v1/articles?name=x.exe", {"content": b"MZ"}, 422),
    ("POST", "/api/v1/ask", {"json": {"question": "x"}, "headers": {"Origin": "https://evil.example"}}, 403),
    ("GET", "/api/v1/feedback", {"headers": {"Host": "evil.example"}}, 403),
)
"""Method, path, what is sent, and the documented status."""


async def soak(running: Running, articles: Path, seconds: float, seed: int) -> tuple[Soak, list[Usage]]:
    """Visits until the time is over; a sample after each round, when nobody asks."""
    # a connection that is kept might be closed by the server just as it is used again
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=running.address, timeout=60, limits=limits) as client:
        config = (await client.get("/config")).json()
        visited = Soak(client, articles, random.Random(seed), _functions(config))
        samples, ends = [], time.monotonic() + seconds
        while time.monotonic() < ends:
            until = min(ends, time.monotonic() + ROUND)
            await asyncio.gather(*(visited.visit(until) for _ in range(WORKERS)))
            await asyncio.sleep(REST)
            samples.append(usage_of(running.process.pid))
            print(
                _line(len(samples), samples[-1], sum(visited.done.values()), len(visited.findings)),
                flush=True,
            )
    return visited, samples


def _functions(config: Json) -> dict[str, int]:
    """The numbers of the page's events: a question sent, a page loaded."""
    composer = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "composer")
    numbers = {}
    for each in config["dependencies"]:
        if [composer, "submit"] in each["targets"]:
            numbers["submit"] = each["id"]
        if any(event == "load" for _, event in each["targets"]):
            numbers["load"] = each["id"]
    return numbers


def _line(number: int, usage: Usage, done: int, findings: int) -> str:
    return (
        f"{number:3}: {usage.memory:5.0f} MB {usage.files:4.0f} files {usage.sockets:3.0f} sockets"
        f" {usage.threads:4.0f} threads; {done} things done, {findings} findings"
    )


def mistakes(log: str) -> list[str]:
    """Lines of the server's log that tell of no documented failure."""
    return [line for line in log.splitlines() if _MISTAKE.search(line)]


def run(minutes: float, seed: int) -> list[str]:
    """Soaks, prints figures, and says what was wrong."""
    with tempfile.TemporaryDirectory() as folder, openai_server(model) as peer:
        articles = Path(folder) / "articles"
        write_articles(articles)
        with server(articles, Path(folder) / "data", **_environment(peer)) as running:
            visited, samples = asyncio.run(soak(running, articles, minutes * 60, seed))
            findings = [*visited.findings, *leaks(samples), *mistakes(running.log.read_text("utf-8"))]
        if running.process.returncode != 0:
            findings.append(f"it ended with status {running.process.returncode}")
    grown = growth(samples)
    print(", ".join(f"{name} {count}" for name, count in sorted(visited.done.items())))
    print(
        f"after the warm-up: {grown.memory:+.0f} MB, {grown.files:+.0f} files, {grown.sockets:+.0f} sockets,"
        f" {grown.threads:+.0f} threads; {len(findings)} findings"
    )
    return findings


def _environment(peer: OpenAIServer) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": peer.base_url,
        "OPENAI_API_KEY": "sk-soak",
        "BELEG_LLM": "scripted",
        "BELEG_LLM_RETRIES": "0",
        "BELEG_RATE": "0",
        "BELEG_SYNC_SECONDS": "2",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked when (default: 1)")
    options = parser.parse_args()
    findings = run(options.minutes, options.seed)
    for finding in findings[:40]:
        print(finding[:600], file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
