"""Differences between servers that speak OpenAI's protocol: in requests that they accept, and in replies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import APIStatusError

_OPTIONAL = re.compile(
    r"\b(?:max_completion_tokens|max_tokens|temperature|stream_options|response_format|parallel_tool_calls)\b"
)
_TOOLS = re.compile(r"\btools?\b", re.IGNORECASE)
_ROLES = re.compile(r"\broles?\b|\balternat", re.IGNORECASE)
_BROKEN_BY_TEMPLATES = 500
"""Status of servers that fail when filling the model's chat template."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message for the model: role `system`, `user`, `assistant` or `tool`.

    `calls` are the tools that an assistant's turn calls, `answers` the call that a tool's turn answers.
    """

    role: str
    content: str
    calls: tuple[Call, ...] = ()
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, with arguments as the model wrote them: JSON, or an attempt at it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """Limits of a server found so far: refused parameters, and whether user and assistant must alternate."""

    refused: frozenset[str] = frozenset()
    alternates: bool = False

    def request(self, turns: Sequence[Turn], reply: int, **options: Any) -> Json:
        """The body of a request for at most `reply` tokens."""
        limit = "max_completion_tokens" if "max_tokens" in self.refused else "max_tokens"
        wished = {limit: reply, "stream_options": {"include_usage": True}, **options}
        messages = _alternating(turns) if self.alternates else turns
        return {
            "messages": [_message(turn) for turn in messages],
            "stream": True,
            **{name: value for name, value in wished.items() if name not in self.refused},
        }

    def learnt(self, refusal: APIStatusError) -> Dialect | None:
        """The dialect without the refused parameter; None if the refusal is about something else."""
        said = f"{refusal.param or ''} {refusal.message} {refusal.body or ''}"
        if refusal.status_code in (400, 422):
            for name in _OPTIONAL.findall(said):
                if name not in self.refused:
                    return replace(self, refused=self.refused | {name})
        if refusal.status_code in (400, 422, _BROKEN_BY_TEMPLATES) and _TOOLS.search(said):
            return None if "tools" in self.refused else replace(self, refused=self.refused | {"tools"})
        if refusal.status_code in (400, 422, _BROKEN_BY_TEMPLATES) and _ROLES.search(said):
            return None if self.alternates else replace(self, alternates=True)
        return None


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Alternating turns, the user first; the system prompt becomes the beginning of the first user turn."""
    told: list[Turn] = []
    for turn in turns:
        role = "assistant" if turn.role == "assistant" else "user"
        if told and told[-1].role == role:
            told[-1] = Turn(role, f"{told[-1].content}\n\n{turn.content}")
        elif told or role == "user":
            told.append(Turn(role, turn.content))
    return told


def _message(turn: Turn) -> Json:
    message: Json = {"role": turn.role, "content": turn.content}
    if turn.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.calls
        ]
    if turn.answers is not None:
        message["tool_call_id"] = turn.answers
    return message


def events(data: Iterable[bytes]) -> Iterator[Json | None]:
    """The events of a stream (or the one reply of a server that does not stream), None for its proper end.

    Raises ValueError for invalid JSON. Pings, comments and a byte order mark are skipped.
    """
    held = b""
    for some in data:
        *lines, held = (held + some).split(b"\n")
        for line in lines:
            yield from _event(line)
    yield from _event(held)


def _event(line: bytes) -> Iterator[Json | None]:
    text = line.decode("utf-8-sig", "replace").strip()
    name, colon, rest = text.partition(":")
    if text.startswith("{"):
        rest = text
    elif name != "data" or not colon or not rest.strip():
        return
    if rest.strip() == "[DONE]":
        yield None
        return
    event = json.loads(rest)
    if isinstance(event, dict) and ("choices" in event or "error" in event):
        yield event


def delta_of(event: Mapping[str, Any]) -> tuple[Json, str | None]:
    """The text that a chunk adds, and the finish reason, if any. Raises TypeError for anything but a
    chunk."""
    for choice in event["choices"][:1]:
        return choice.get("delta") or choice.get("message") or {}, choice.get("finish_reason")
    return {}, None


def text_of(content: Any) -> tuple[str, bool]:
    """The text of a content, possibly a list of parts, and whether it has thoughts."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        text = "".join(
            str(part["text"]) for part in parts if part.get("type", "text") == "text" and part.get("text")
        )
        return text, any(
            "think" in str(part.get("type")) or "reason" in str(part.get("type")) for part in parts
        )
    return content or "", False
