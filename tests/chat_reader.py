"""A reader of the web chat without a browser: asks as the page does, in one session, after what was said."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

QUEUE = "/gradio_api/queue"


@dataclass(frozen=True, slots=True)
class Functions:
    """What the page calls: to ask, and to settle an answer that has ended."""

    ask: int
    settle: int


async def functions_of(client: httpx.AsyncClient) -> Functions:
    """Those of the page that the client's server shows."""
    config = (await client.get("/config")).raise_for_status().json()
    composer = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "composer")
    ask = next(d["id"] for d in config["dependencies"] if [composer, "submit"] in d["targets"])
    return Functions(ask, next(d["id"] for d in config["dependencies"] if d["trigger_after"] == ask))


class Reader:
    """One reader with a conversation."""

    def __init__(self, client: httpx.AsyncClient, functions: Functions) -> None:
        self.client = client
        self.functions = functions
        self.session = f"s{random.getrandbits(48):x}"
        self.shown: list[dict[str, Any]] = []

    async def ask(self, question: str, word: str) -> float | None:
        """Seconds until `word` is among what is shown, None when it never is; waits for the whole answer."""
        first, started = None, time.perf_counter()
        told = [question, self.shown, ""]
        sent = {"data": told, "fn_index": self.functions.ask, "session_hash": self.session}
        (await self.client.post(f"{QUEUE}/join", json=sent)).raise_for_status()
        async with aclosing(events(self.client, self.session)) as coming:
            async for event in coming:
                if first is None and word in str(event):
                    first = time.perf_counter() - started
                if event["msg"] == "process_completed":
                    self.shown = event["output"]["data"][0]
                    break
        sent = {"data": [self.shown], "fn_index": self.functions.settle, "session_hash": self.session}
        (await self.client.post("/gradio_api/run/predict", json=sent)).raise_for_status()
        return first


async def events(client: httpx.AsyncClient, session: str) -> AsyncGenerator[dict[str, Any]]:
    """The server's events for a session."""
    async with client.stream("GET", f"{QUEUE}/data", params={"session_hash": session}) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])
