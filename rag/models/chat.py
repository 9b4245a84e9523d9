"""The language model as Beleg asks it: one retry layer, one deadline, one clear error for each fault."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import ProviderError, ProviderProtocol, ProviderTimeout
from rag.models.faults import CUT, NO_STREAM, Server, foreign_errors, translated
from rag.models.retry import wait_to_retry
from rag.text.normalize import count_tokens

if TYPE_CHECKING:
    from rag.models.llm import ServerLLM

LONGEST_WAIT = 20.0
"""Seconds that a Retry-After may ask for; a reader rather hears that the server is busy."""
_CONNECT = 10.0
_THINKING = re.compile(r"\s*<think>")
_THOUGHT = "</think>"

Usage = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message for the model: role `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class End:
    """Last item of a stream: why the model stopped (`stop`, `length`), and what it used."""

    reason: str
    usage: Usage = field(default_factory=dict)


class Deadline:
    """A moment after which nobody waits any more; `seconds` from now."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self._end - self._clock())


class Opened(threading.local):
    """The connection that this thread has opened last, until someone takes it.

    The client's stream and its generator hold each other, so that a stopped one would stay open
    until Python's garbage collector comes by.
    """

    def __init__(self) -> None:
        self._close: Callable[[], None] = _nothing

    def note(self, response: Any) -> None:
        """Remembers a response (an event hook of httpx)."""
        self._close = response.close

    def take(self) -> Callable[[], None]:
        """Closes what was opened; nothing when that was taken before."""
        close, self._close = self._close, _nothing
        return close


def _nothing() -> None:
    pass


class Connections:
    """The connections of an httpx client, to be cut when the program ends: who waits on one then ends too.

    They are noted by what httpx documents as extensions, `trace` and `network_stream`.
    """

    def __init__(self) -> None:
        self._streams: weakref.WeakSet[Any] = weakref.WeakSet()
        self.are_cut = False

    def watch(self, request: Any) -> None:
        """Notes the connection of a request (an event hook of httpx); there is no new one after the cut."""
        import httpx

        if self.are_cut:
            raise httpx.ConnectError("Beleg is ending", request=request)
        request.extensions["trace"] = self._note

    def cut(self) -> None:
        """Ends all of them, in whatever state."""
        self.are_cut = True
        for stream in list(self._streams):
            with contextlib.suppress(OSError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._streams.add(info["return_value"])


class ChatModel:
    """A model on an OpenAI-compatible server. Safe to use from several threads.

    `build` makes the LlamaIndex LLM when it is first needed, for its import takes two seconds.
    """

    def __init__(
        self, server: Server, build: Callable[[Opened, Connections], ServerLLM], retries: int
    ) -> None:
        self.server = server
        self._build = build
        self._retries = retries
        self._llm: ServerLLM | None = None
        self.opened = Opened()
        self._connections = Connections()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.server.model

    @property
    def llm(self) -> ServerLLM:
        """The LlamaIndex LLM behind this model."""
        if self._llm is None:
            self._llm = self._build(self.opened, self._connections)
        return self._llm

    def close(self) -> None:
        """Ends what is being said, and says nothing more."""
        self._connections.cut()

    def warm_up(self) -> None:
        """Imports what the first question would wait for; sends nothing. Raises ConfigError."""
        foreign_errors()
        _ = self.llm.metadata
        count_tokens("", self.name)

    def stream(self, turns: Sequence[Turn], reply: int, deadline: Deadline) -> Iterator[str | End]:
        """The reply in pieces of text, then `End`; at most `reply` tokens.

        A fault before the first word is tried again where that can help and time allows. Raises
        ProviderError, whose `partial` is the text so far.
        """
        for attempt in itertools.count():
            said = ""
            try:
                for piece in _without_thoughts(self._once(turns, reply, deadline)):
                    said += piece if isinstance(piece, str) else ""
                    yield piece
                return
            except foreign_errors() as exc:
                error = translated(exc, self.server, said)
                error.partial = said
                if said or not self._again(error, exc, attempt, deadline):
                    raise error from exc

    def complete(
        self, turns: Sequence[Turn], reply: int, deadline: Deadline, **options: Any
    ) -> tuple[str, Usage]:
        """The whole reply and what it used, in one try: for side tasks that can be done without.

        Raises ProviderError.
        """
        try:
            response = self.llm.chat(
                _messages(turns), max_tokens=reply, timeout=self._timeout(deadline), **options
            )
            choice = response.raw.choices[0]
            if choice.finish_reason not in ("stop", "length"):
                raise CUT
            text = "".join(
                p for p in _without_thoughts(iter([choice.message.content or ""])) if isinstance(p, str)
            )
            return text.strip(), _usage(response.raw.usage)
        except foreign_errors() as exc:
            raise translated(exc, self.server) from exc

    def _once(self, turns: Sequence[Turn], reply: int, deadline: Deadline) -> Iterator[str | End]:
        reason: str | None = None
        usage: Usage = {}
        n, said = -1, ""
        replies = self.llm.stream_chat(
            _messages(turns),
            max_tokens=reply,
            timeout=self._timeout(deadline),
            stream_options={"include_usage": True},
        )
        with contextlib.ExitStack() as connection:
            for n, response in enumerate(replies):
                if n == 0:
                    connection.callback(self.opened.take())
                if not deadline.remaining():
                    raise self._late(deadline)
                for choice in response.raw.choices[:1]:
                    reason = choice.finish_reason or reason
                usage = _usage(response.raw.usage) or usage
                if response.delta:
                    said += response.delta
                    yield response.delta
        if n < 0:
            raise NO_STREAM
        if reason is None:
            # a stream that was cut looks complete to the client
            raise CUT
        if reason == "content_filter":
            raise ProviderProtocol(f"{self.server.host} withheld the answer (content filter); ask otherwise")
        yield End(reason, usage or self._estimate(turns, said))

    def _estimate(self, turns: Sequence[Turn], said: str) -> Usage:
        """Tokens by our own count, for servers that report none of a stream (llama-cpp-python)."""
        asked = sum(count_tokens(turn.content, self.name) for turn in turns)
        return {"prompt_tokens": asked, "completion_tokens": count_tokens(said, self.name), "estimated": 1}

    def _timeout(self, deadline: Deadline) -> Any:
        import httpx

        left = deadline.remaining()
        if not left:
            raise self._late(deadline)
        patience = min(self.server.patience, left)
        return httpx.Timeout(patience, connect=min(_CONNECT, patience))

    def _late(self, deadline: Deadline) -> ProviderTimeout:
        return ProviderTimeout(
            f"{self.server.model} at {self.server.host} did not finish within {deadline.seconds:g} seconds;"
            " ask for less, or raise BELEG_LLM_DEADLINE"
        )

    def _again(self, error: ProviderError, cause: Exception, attempt: int, deadline: Deadline) -> bool:
        if self._connections.are_cut:
            return False
        # a try that the deadline would end at once is none
        longest = min(LONGEST_WAIT, deadline.remaining() - 1)
        return wait_to_retry(error, cause, attempt, retries=self._retries, longest=longest)


def _messages(turns: Sequence[Turn]) -> list[Any]:
    from llama_index.core.base.llms.types import ChatMessage

    return [ChatMessage(role=turn.role, content=turn.content) for turn in turns]


def _usage(reported: Any) -> dict[str, float]:
    """Tokens, and cost where the server says it (OpenRouter does)."""
    names = ("prompt_tokens", "completion_tokens", "cost")
    found = {name: getattr(reported, name, None) for name in names}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def _without_thoughts(pieces: Iterator[str | End]) -> Iterator[str | End]:
    """The reply without a `<think>…</think>` at its beginning, as reasoning models write it."""
    held, thinking, begun = "", False, False
    for piece in pieces:
        if begun or isinstance(piece, End):
            if held and not thinking:
                yield held
            held = ""
            yield piece
            continue
        held += piece
        if not thinking and not (thinking := _THINKING.match(held) is not None):
            if not "<think>".startswith(held.lstrip()[:7]):
                begun = True
                yield held
                held = ""
        elif _THOUGHT in held:
            begun, thinking = True, False
            held = held.partition(_THOUGHT)[2].lstrip()
    if held and not thinking:
        yield held
