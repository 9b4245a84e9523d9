"""A scripted server that speaks OpenAI's protocol, real HTTP and SSE, for the faults that providers show."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DIMENSION = 8


@dataclass(frozen=True)
class Reply:
    """What the server does with a request; by default it streams `text` and ends well.

    `text` comes in pieces of `size` characters, `pause` seconds apart. After `after` characters it
    stops: with `then` = `cut` the connection closes, with `hang` nothing more comes, and a dict is
    sent as an event of its own (an error object, null choices); bytes are sent as they are.
    `calls` are tools with their arguments, which come after the text, in pieces too.
    """

    text: str = ""
    size: int = 7
    pause: float = 0.0
    after: int | None = None
    then: str | Json | bytes = "cut"
    status: int = 200
    error: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0.0
    finish: str | None = "stop"
    calls: tuple[tuple[str, str], ...] = ()
    usage: Json | None = field(
        default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    )


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error in OpenAI's form; `retry_after="1"` becomes a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, error={"message": message, "code": code, "type": code}, headers=named)


HTML = Reply(body=b"<!doctype html><title>Sign in</title>", headers={"content-type": "text/html"})


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def prompt(self) -> str:
        """All messages as one text."""
        return "\n".join(str(message["content"]) for message in self.body.get("messages", []))


Script = Reply | Callable[[Json], Reply]


class OpenAIServer:
    """Answers with the queued replies in turn, then with `default`; keeps what was asked."""

    def __init__(self, default: Script | None = None) -> None:
        self.default = default or Reply("Keine Ahnung.")
        self.queue: deque[Script] = deque()
        self.requests: list[Request] = []
        self.gone = threading.Event()
        """Set when a client left in the middle of a stream."""
        self.closing = threading.Event()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def next(self, body: Json) -> Reply:
        script = self.queue.popleft() if self.queue else self.default
        return script(body) if callable(script) else script

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextlib.contextmanager
def openai_server(default: Script | None = None) -> Iterator[OpenAIServer]:
    server = OpenAIServer(default)
    try:
        yield server
    finally:
        server.close()


def embedding(text: str) -> list[float]:
    """The vector that the server gives a text: from its hash, never zero."""
    digest = hashlib.sha256(text.encode()).digest()
    return [(byte + 1) / 256 for byte in digest[:DIMENSION]]


def _handler(server: OpenAIServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

        def do_POST(self) -> None:
            self.close_connection = True
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.requests.append(
                Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._reply(server.next(body), body)

        def _reply(self, reply: Reply, body: Json) -> None:
            server.closing.wait(reply.wait)
            if reply.error is not None:
                self._json(reply.status, {"error": reply.error}, reply.headers)
            elif reply.body is not None:
                self._send(reply.status, reply.body, reply.headers)
            elif self.path.endswith("/embeddings"):
                self._embeddings(body)
            elif body.get("stream"):
                self._stream(reply)
            else:
                self._json(200, _completion(reply))

        def _embeddings(self, body: Json) -> None:
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            rows = [
                {"object": "embedding", "index": i, "embedding": _encoded(embedding(text), body)}
                for i, text in enumerate(texts)
            ]
            usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
            self._json(200, {"object": "list", "data": rows, "model": body["model"], "usage": usage})

        def _stream(self, reply: Reply) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self._event(_chunk({"role": "assistant", "content": ""}))
            stop = len(reply.text) if reply.after is None else reply.after
            for start in range(0, min(stop, len(reply.text)), reply.size):
                self._event(_chunk({"content": reply.text[start : min(start + reply.size, stop)]}))
                server.closing.wait(reply.pause)
            if reply.after is not None:
                self._break_off(reply.then)
                return
            for n, (name, arguments) in enumerate(reply.calls):
                begun = {
                    "index": n,
                    "id": f"c{n}",
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                }
                self._event(_chunk({"tool_calls": [begun]}))
                for start in range(0, len(arguments), reply.size):
                    piece = {"arguments": arguments[start : start + reply.size]}
                    self._event(_chunk({"tool_calls": [{"index": n, "function": piece}]}))
            self._event(_chunk({}, "tool_calls" if reply.calls else reply.finish))
            if reply.usage:
                self._event({**_chunk({}), "choices": [], "usage": reply.usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _break_off(self, then: str | Json | bytes) -> None:
            if then == "hang":
                # wakes when the client goes, or the test ends
                self.connection.settimeout(0.05)
                while not server.closing.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not self.connection.recv(1):
                            server.gone.set()
                            return
            elif then == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif then != "cut":
                self._event(then)

        def _event(self, data: Any) -> None:
            raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
            try:
                self.wfile.write(b"data: " + raw + b"\n\n")
                self.wfile.flush()
            except OSError:
                server.gone.set()
                raise

        def _json(self, status: int, data: Json, headers: Mapping[str, str] | None = None) -> None:
            typed = {"content-type": "application/json", **(headers or {})}
            self._send(status, json.dumps(data).encode(), typed)

        def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(data)), "connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _chunk(delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**_frame("chat.completion.chunk"), "choices": [choice]}


def _completion(reply: Reply) -> Json:
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}
    return {**_frame("chat.completion"), "choices": [choice], "usage": reply.usage}


def _frame(kind: str) -> Json:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": "scripted"}


def _encoded(vector: list[float], body: Json) -> list[float] | str:
    if body.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
