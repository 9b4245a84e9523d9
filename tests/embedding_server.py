"""An OpenAI-compatible embeddings server on the loopback: vectors by rule, faults by script."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DIMENSION = 16

# words that mean the same, for a vector that knows more than their letters
MEANINGS = {"schäfer": "tierhalter", "schafe": "nutztiere", "bridge": "klappbrücke", "repair": "reparatur"}


def vector(text: str, dimension: int = DIMENSION) -> list[float]:
    """The direction of a text: the sum of one for each meaning in it."""
    total = np.full(dimension, 1e-3)
    for word in re.findall(r"\w+", text.lower()):
        total += _direction(MEANINGS.get(word, word), dimension)
    return [float(number) for number in total]


def _direction(meaning: str, dimension: int) -> Any:
    seed = int.from_bytes(hashlib.sha256(meaning.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimension)


@dataclass(frozen=True)
class Reply:
    """What the server says next instead of the truth; a body that is no JSON is sent as it is."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Served:
    """A running server: its address, what it was asked, and what it is to say next."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    script: deque[Reply | None] = field(default_factory=deque)
    dimension: int = DIMENSION
    down: bool = False

    @property
    def texts(self) -> list[str]:
        """Every text that was asked for, in order."""
        return [text for request in self.requests for text in request["input"]]

    def fail(self, status: int, code: str | None = None, *, times: int = 1, **headers: str) -> None:
        """Makes the next requests fail."""
        body = {"error": {"message": "no", "type": code, "code": code}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.extend([Reply(status, body, named)] * times)


def reply_with(vectors: Sequence[Sequence[object]]) -> Reply:
    """A well-formed reply that holds just these vectors."""
    data = [{"object": "embedding", "index": i, "embedding": list(row)} for i, row in enumerate(vectors)]
    return Reply(body={"object": "list", "data": data, "model": "m", "usage": {}})


@contextmanager
def serving() -> Iterator[Served]:
    """An embeddings server while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    served = Served(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.served = served  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        served: Served = self.server.served  # type: ignore[attr-defined]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/embeddings", self.path
        if served.down:
            self.close_connection = True
            return
        served.requests.append(asked)
        served.keys.append(self.headers.get("Authorization"))
        reply = served.script.popleft() if served.script else None
        if reply is None:
            # in reverse: the protocol numbers the vectors, and says nothing of their order
            rows = [vector(text, served.dimension) for text in asked["input"]]
            reply = reply_with(rows)
            reply.body["data"].reverse()
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        whole = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(whole))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(whole)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on stderr."""
