"""Asks the language model by the openai client: one deadline, one clear error for each fault."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import socket
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import ProviderProtocol, ProviderTimeout
from rag.models import load_llama_index
from rag.models.dialect import Call, Debris, Dialect, Restarted, Turn, delta_of, events, text_of
from rag.models.faults import CutStream, Server, overflows, translated, waited
from rag.models.proxies import NO_KEY, client
from rag.settings import OPENAI_MODEL, Settings
from rag.text.normalize import count_tokens

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT = 20.0
"""Longest Retry-After, in seconds, to wait for; beyond that the reader is told that the server is busy."""
UNKNOWN_WINDOW = 4096
"""Assumed window of an unknown model, in tokens: Ollama's default for every model."""
_CONNECT = 10.0
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")

Turns = Sequence[Turn]
Options = Mapping[str, Any]
Usage = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class End:
    """Last item of a stream: why the model stopped (`stop`, `length`, `tool_calls`), and the tokens used.

    `thought` says whether there were thoughts besides the reply; `calls` are the tools that it calls.
    """

    reason: str
    usage: Usage = field(default_factory=dict)
    thought: bool = False
    calls: tuple[Call, ...] = ()


Said = str | Restarted | End
"""A piece of a reply: text, a restart that voids the text so far, or the end."""


class Deadline:
    """The end of the time to wait, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self._end - time.monotonic())


def build_model(settings: Settings) -> ChatModel | None:
    """The language model that the settings name; None without one."""
    if not settings.has_model:
        return None
    name, has_key = settings.llm or OPENAI_MODEL, settings.openai_api_key is not None
    return ChatModel(Server(name, settings.base_url, has_key, settings.llm_patience), settings)


class ChatModel:
    """A model on an OpenAI-compatible server. Safe to use from several threads."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self.server, self.name = server, server.model
        self._settings = settings
        self._sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closed = False
        self._dialect = Dialect()

    @functools.cached_property
    def window(self) -> int:
        """The model's window in tokens: from the settings, else from LlamaIndex's table."""
        if self._settings.llm_window:
            return self._settings.llm_window
        load_llama_index()
        from llama_index.llms.openai.utils import openai_modelname_to_contextsize

        try:
            return openai_modelname_to_contextsize(self.name)
        except ValueError:
            return UNKNOWN_WINDOW

    def close(self) -> None:
        """Ends replies under way, and refuses further requests."""
        self._closed = True
        for stream in list(self._sockets):
            with contextlib.suppress(OSError):
                # closing alone would not wake a thread that waits for it
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        if opened := vars(self).pop("_client", None):
            opened.close()

    def warm_up(self) -> None:
        """Imports everything that the first question needs; sends nothing."""
        _ = self._client, self.window
        count_tokens("", self.name)

    def stream(
        self, turns: Turns, reply: int, deadline: Deadline, *, retries: int | None = None, **options: Any
    ) -> Iterator[Said]:
        """The reply in pieces of text, then `End`; at most `reply` tokens.

        A fault before the first word is retried if that can help and there is time, `retries` times (default:
        as the settings say). Raises ProviderError, whose `partial` is the text so far.
        """
        most = self._settings.llm_retries if retries is None else retries
        for attempt in itertools.count():
            said = ""
            try:
                for piece in self._once(turns, reply, deadline, options):
                    said = "" if isinstance(piece, Restarted) else said
                    said += piece if isinstance(piece, str) else ""
                    yield piece
                return
            except Exception as exc:  # broken data makes the client raise almost anything
                error = translated(exc, self.server)
                error.partial = said
                # no further try if the deadline would end it at once
                longest = min(LONGEST_WAIT, deadline.remaining() - 1)
                if not waited(error, attempt, retries=0 if said or self._closed else most, longest=longest):
                    raise error from exc

    def complete(self, turns: Turns, reply: int, deadline: Deadline, **options: Any) -> tuple[str, Usage]:
        """The whole reply and the tokens used, in one try, for optional tasks. Raises ProviderError."""
        text, usage = "", dict[str, float]()
        for piece in self.stream(turns, reply, deadline, retries=0, **options):
            if isinstance(piece, End):
                usage = dict(piece.usage)
            else:
                text = "" if isinstance(piece, Restarted) else text + piece
        return text.strip(), usage

    def _once(self, turns: Turns, reply: int, deadline: Deadline, options: Options) -> Iterator[Said]:
        """One request, and the reply without debris. Raises whatever is wrong with it."""
        from openai import APIError

        debris = Debris()
        reason, said, begun, thought = None, "", False, False
        usage: Usage = {}
        calls: dict[int, Call] = {}
        with self._opened(turns, reply, deadline, options) as response:  # close it when the reader is gone
            for event in events(self._alive(response.iter_bytes(), deadline)):
                if event is None:
                    reason = reason or ("stop" if said or calls else None)
                    break
                begun = True
                if error := event.get("error"):
                    told = error.get("message") if isinstance(error, Mapping) else error
                    raise APIError(str(told or "error"), response.http_request, body=error)
                usage = _usage(event.get("usage")) or usage
                delta, ended = delta_of(event)
                reason = ended or reason
                piece, thinks = text_of(delta.get("content"))
                thought = thought or thinks or any(delta.get(name) for name in _THOUGHTS)
                _called(calls, delta.get("tool_calls"))
                said += piece
                yield from debris.take(piece)
        if not begun:
            raise ValueError("the reply was no stream")
        if reason is None:
            raise CutStream
        if reason == "content_filter":
            raise ProviderProtocol("model_withheld", host=self.server.host)
        yield from debris.take("", last=True)
        thought = thought or debris.thought
        if not debris.said and not calls and (reason == "length" or thought):
            code = "model_spent" if reason == "length" else "model_thought"
            raise ProviderProtocol(code, model=self.name, host=self.server.host, tokens=reply)
        if not usage:  # by our own count: llama-cpp-python reports none for a stream
            asked = sum(count_tokens(turn.content, self.name) for turn in turns)
            written = count_tokens(said, self.name)
            usage = {"prompt_tokens": asked, "completion_tokens": written, "estimated": 1}
        yield End(reason, usage, thought, tuple(calls.values()))

    @contextlib.contextmanager
    def _opened(self, turns: Turns, reply: int, deadline: Deadline, options: Options) -> Iterator[Any]:
        """The open reply to a request in the server's dialect; what is refused is left out from then on."""
        import httpx
        from openai import APIStatusError

        asked = self._client.chat.completions.with_streaming_response.create
        options = {"temperature": self._settings.llm_temperature, **options}
        while True:
            dialect, patience = self._dialect, min(self.server.patience, self._left(deadline))
            timeout = httpx.Timeout(patience, connect=min(_CONNECT, patience))
            request = dialect.request(turns, reply, **options)
            try:
                with asked(model=self.name, timeout=timeout, **request) as response:
                    yield response
                    return
            except APIStatusError as refusal:
                learnt = None if overflows(refusal) else dialect.learnt(refusal)
                if learnt is None:
                    raise
                self._dialect = learnt

    def _alive(self, data: Iterator[bytes], deadline: Deadline) -> Iterator[bytes]:
        for some in data:
            self._left(deadline)
            yield some

    def _left(self, deadline: Deadline) -> float:
        """Seconds that are left. Raises ProviderTimeout where there are none."""
        if left := deadline.remaining():
            return left
        seconds = float(deadline.seconds)
        raise ProviderTimeout("model_late", model=self.name, host=self.server.host, seconds=seconds)

    @functools.cached_property
    def _client(self) -> Any:  # its overloads know no request that is put together
        from openai import OpenAI

        url, key = self.server.base_url, self._settings.openai_api_key
        watched = client(url, event_hooks={"request": [self._watch]})
        said = key.get_secret_value() if key else NO_KEY
        return OpenAI(api_key=said, base_url=url, max_retries=0, http_client=watched)

    def _watch(self, request: httpx.Request) -> None:
        """Records the connection of a request (an httpx `trace`); refuses new ones after `close`."""
        import httpx

        def note(event: str, info: Mapping[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self._sockets.add(info["return_value"])

        if self._closed:
            raise httpx.ConnectError("Beleg is ending", request=request)
        request.extensions["trace"] = note


def _usage(reported: Any) -> dict[str, float]:
    """Tokens, and the cost if the server reports it (OpenRouter does)."""
    names = ("prompt_tokens", "completion_tokens", "cost")
    found = {name: reported.get(name) for name in names} if isinstance(reported, Mapping) else {}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def _called(calls: dict[int, Call], pieces: Any) -> None:
    """Collects the pieces of tool calls in a chunk."""
    for n, piece in enumerate(pieces or ()):
        at, function = piece.get("index", n), piece.get("function") or {}
        if (held := calls.get(at)) and piece.get("id") not in (None, "", held.id, f"call_{at}"):
            at = len(calls)  # some servers number every call 0
        so_far = calls.get(at, Call(f"call_{at}", "", ""))
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):  # some servers send parsed arguments
            arguments = json.dumps(arguments)
        id, name = piece.get("id") or so_far.id, so_far.name or function.get("name") or ""
        calls[at] = Call(id, name, so_far.arguments + arguments)
