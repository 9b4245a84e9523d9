"""An embedding model for tests, on `openai_server`: vectors by rule, among them words that mean the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tests.openai_server import Json, OpenAIServer, Reply, Script, openai_server, refusal

DIMENSION = 16

# words that mean the same, for a vector that knows more than their letters
MEANINGS = {"schäfer": "tierhalter", "schafe": "nutztiere"}


def vector(text: str, dimension: int = DIMENSION) -> list[float]:
    """The direction of a text: the sum of one for each meaning in it."""
    total = np.full(dimension, 1e-3)
    for word in re.findall(r"\w+", text.lower()):
        total += _direction(MEANINGS.get(word, word), dimension)
    return [float(number) for number in total]


def _direction(meaning: str, dimension: int) -> Any:
    seed = int.from_bytes(hashlib.sha256(meaning.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimension)


def reply_with(vectors: Sequence[Sequence[object]]) -> Reply:
    """A well-formed reply that holds these vectors, numbered, and the last of them first."""
    data = [{"object": "embedding", "index": i, "embedding": list(row)} for i, row in enumerate(vectors)]
    return reply_of({"object": "list", "data": data[::-1], "model": "m", "usage": {}})


def reply_of(data: Json) -> Reply:
    """A reply that is this JSON."""
    return Reply(body=json.dumps(data).encode(), headers={"content-type": "application/json"})


class Model:
    """The model on its server: what it was asked, and what it is to say instead of the truth."""

    def __init__(self) -> None:
        self.dimension = DIMENSION
        self.down = False
        self.server: OpenAIServer

    @property
    def url(self) -> str:
        return self.server.base_url

    @property
    def script(self) -> deque[Script]:
        """What is replied next, before the truth is told again."""
        return self.server.queue

    @property
    def requests(self) -> list[Json]:
        """The body of every request."""
        return [request.body for request in self.server.requests]

    @property
    def keys(self) -> list[str | None]:
        """The authorisation of every request."""
        return [request.headers.get("authorization") for request in self.server.requests]

    @property
    def texts(self) -> list[str]:
        """Every text that was asked for, in order."""
        return [text for body in self.requests for text in body["input"]]

    def truth(self, body: Json) -> Reply:
        if self.down:
            return refusal(503, "down")
        return reply_with([vector(text, self.dimension) for text in body["input"]])

    def fail(self, status: int, code: str | None = None, *, times: int = 1, **headers: str) -> None:
        """Makes the next requests fail."""
        self.script.extend([refusal(status, "no", code, **headers)] * times)


@contextlib.contextmanager
def serving() -> Iterator[Model]:
    """A model on the loopback while the block runs."""
    model = Model()
    with openai_server(model.truth) as model.server:
        yield model
