"""The language model as Beleg asks it, by the openai client: one deadline, one clear error for each fault."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import socket
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import ProviderProtocol, ProviderTimeout
from rag.models.faults import CutStream, Server, translated, waited
from rag.models.loading import load_llama_index
from rag.models.proxies import client
from rag.text.normalize import count_tokens

if TYPE_CHECKING:
    import httpx

    from rag.settings import Settings

LONGEST_WAIT = 20.0
"""Seconds that a Retry-After may ask for; a reader rather hears that the server is busy."""
UNKNOWN_WINDOW = 4096
"""Tokens that a model nobody knows is trusted to take in: what Ollama gives every model by default."""
NO_KEY = "none"
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


class ChatModel:
    """A model on an OpenAI-compatible server. Safe to use from several threads."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self.server = server
        self._settings = settings
        self._sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closed = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self.server.model

    @functools.cached_property
    def window(self) -> int:
        """Tokens that the model takes in: as the settings say, else by LlamaIndex's table."""
        if self._settings.llm_window:
            return self._settings.llm_window
        load_llama_index()
        from llama_index.llms.openai.utils import openai_modelname_to_contextsize

        try:
            return openai_modelname_to_contextsize(self.name)
        except ValueError:
            return UNKNOWN_WINDOW

    def close(self) -> None:
        """Ends what is being said, and says nothing more."""
        self._closed = True
        for stream in list(self._sockets):
            with contextlib.suppress(OSError):
                # closing alone would not wake a thread that waits for it
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def warm_up(self) -> None:
        """Imports what the first question would wait for; sends nothing."""
        _ = self._client, self.window
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
            except Exception as exc:  # broken data makes the client raise nearly anything
                error = translated(exc, self.server)
                error.partial = said
                # a try that the deadline would end at once is none
                longest = min(LONGEST_WAIT, deadline.remaining() - 1)
                retries = 0 if said or self._closed else self._settings.llm_retries
                if not waited(error, attempt, retries=retries, longest=longest):
                    raise error from exc

    def complete(
        self, turns: Sequence[Turn], reply: int, deadline: Deadline, **options: Any
    ) -> tuple[str, Usage]:
        """The whole reply and what it used, in one try: for side tasks that can be done without.

        Raises ProviderError.
        """
        try:
            pieces = list(_without_thoughts(self._once(turns, reply, deadline, **options)))
        except Exception as exc:
            raise translated(exc, self.server) from exc
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        return text.strip(), next(piece.usage for piece in pieces if isinstance(piece, End))

    def _once(
        self, turns: Sequence[Turn], reply: int, deadline: Deadline, **options: Any
    ) -> Iterator[str | End]:
        reason, said, begun = None, "", False
        usage: Usage = {}
        request = {"model": self.name, "messages": [asdict(turn) for turn in turns], **self._limits(reply)}
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        with self._client.chat.completions.create(
            **request, **streamed, timeout=self._timeout(deadline), **options
        ) as stream:  # closed when nobody listens any more
            for chunk in stream:
                begun = True
                if not deadline.remaining():
                    raise self._late(deadline)
                usage = _usage(chunk.usage) or usage
                for choice in chunk.choices[:1]:
                    reason = choice.finish_reason or reason
                    if piece := choice.delta.content:
                        said += piece
                        yield piece
        if not begun:
            raise ValueError("the reply was no stream")
        if reason is None:
            raise CutStream
        if reason == "content_filter":
            raise ProviderProtocol("model_withheld", host=self.server.host)
        yield End(reason, usage or self._estimate(turns, said))

    def _timeout(self, deadline: Deadline) -> httpx.Timeout:
        import httpx

        left = deadline.remaining()
        if not left:
            raise self._late(deadline)
        patience = min(self.server.patience, left)
        return httpx.Timeout(patience, connect=min(_CONNECT, patience))

    def _limits(self, reply: int) -> dict[str, Any]:
        """OpenAI's reasoning models have another name for the most tokens, and one temperature."""
        from llama_index.llms.openai.utils import O1_MODELS

        if self.name in O1_MODELS:
            return {"max_completion_tokens": reply}
        return {"max_tokens": reply, "temperature": self._settings.llm_temperature}

    @functools.cached_property
    def _client(self) -> Any:  # its overloads know no request that is put together
        from openai import OpenAI

        key = self._settings.openai_api_key
        return OpenAI(
            api_key=key.get_secret_value() if key else NO_KEY,
            base_url=self.server.base_url,
            max_retries=0,
            http_client=client(self.server.base_url, event_hooks={"request": [self._watch]}),
        )

    def _watch(self, request: httpx.Request) -> None:
        """Notes the connection of a request (httpx calls it a `trace`); none is made after `close`."""
        import httpx

        def note(event: str, info: Mapping[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self._sockets.add(info["return_value"])

        if self._closed:
            raise httpx.ConnectError("Beleg is ending", request=request)
        request.extensions["trace"] = note

    def _estimate(self, turns: Sequence[Turn], said: str) -> Usage:
        """Tokens by our own count, for servers that report none of a stream (llama-cpp-python)."""
        asked = sum(count_tokens(turn.content, self.name) for turn in turns)
        return {"prompt_tokens": asked, "completion_tokens": count_tokens(said, self.name), "estimated": 1}

    def _late(self, deadline: Deadline) -> ProviderTimeout:
        return ProviderTimeout(
            "model_late", model=self.name, host=self.server.host, seconds=float(deadline.seconds)
        )


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
