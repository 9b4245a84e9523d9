"""What servers that speak OpenAI's protocol differ in: requests they accept, and what replies hold.

Beside the answer these are thoughts, template tokens, delimiters: seen from DeepSeek-R1, Qwen3, QwQ,
Magistral, Kimi, gpt-oss and small models, behind vLLM, llama.cpp, LM Studio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
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
        accepted = {name: value for name, value in wished.items() if name not in self.refused}
        messages = map(_message, _alternating(turns) if self.alternates else turns)
        return {"messages": list(messages), "stream": True, **accepted}

    def learnt(self, refusal: APIStatusError) -> Dialect | None:
        """The dialect without the refused parameter; None if the refusal is about something else."""
        said = f"{refusal.param or ''} {refusal.message} {refusal.body or ''}"
        if refusal.status_code not in (400, 422, _BROKEN_BY_TEMPLATES):
            return None
        named = [] if refusal.status_code == _BROKEN_BY_TEMPLATES else _OPTIONAL.findall(said)
        for name in named:
            if name not in self.refused:
                return replace(self, refused=self.refused | {name})
        if _TOOLS.search(said):
            return None if "tools" in self.refused else replace(self, refused=self.refused | {"tools"})
        return replace(self, alternates=True) if _ROLES.search(said) and not self.alternates else None


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
    for call in turn.calls:
        function = {"name": call.name, "arguments": call.arguments}
        told = {"id": call.id, "type": "function", "function": function}
        message.setdefault("tool_calls", []).append(told)
    if turn.answers is not None:
        message["tool_call_id"] = turn.answers
    return message


def events(data: Iterable[bytes]) -> Iterator[Json | None]:
    """The events of a stream (or the one reply of a server that does not stream), None for its proper end.

    Raises ValueError for invalid JSON. Pings, comments and a byte order mark are skipped.
    """
    held = b""
    for some in chain(data, [b"\n"]):
        *lines, held = (held + some).split(b"\n")
        for line in lines:
            text = line.decode("utf-8-sig", "replace").strip()
            if not text.startswith(("data:", "{")):
                continue  # a comment, or another field
            said = text.removeprefix("data:").strip()
            if said == "[DONE]":
                yield None
            elif said:
                event = json.loads(said)
                if isinstance(event, dict) and ("choices" in event or "error" in event):
                    yield event


def delta_of(event: Mapping[str, Any]) -> tuple[Json, str | None]:
    """What a chunk adds, and the finish reason, if any. Raises TypeError for anything but a chunk."""
    for choice in event["choices"][:1]:
        return choice.get("delta") or choice.get("message") or {}, choice.get("finish_reason")
    return {}, None


def text_of(content: Any) -> tuple[str, bool]:
    """The text of a content, possibly a list of parts, and whether it has thoughts."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        texts = (part.get("text") or "" for part in parts if part.get("type", "text") == "text")
        return "".join(map(str, texts)), any(re.search("think|reason", str(p.get("type"))) for p in parts)
    return content or "", False


_THOUGHT = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad|tool_call)"
_TOKEN = re.compile(
    rf"(?P<opens><{_THOUGHT}>|\[think\]|◁think▷|<\|begin_of_thought\|>)"
    rf"|(?P<closes></{_THOUGHT}>|\[/think\]|◁/think▷|<\|end_of_thought\|>|(?-i:assistantfinal))"
    r"|(?P<turn><\|(?:start|im_start|start_header_id)\|>|<start_of_turn>)|(?P<channel><\|channel\|>)"
    r"|(?P<ends><[|｜](?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|end▁of▁sentence|user)[|｜]>"
    r"|<end_of_turn>|<eos>|</s>|\[inst\])"
    r"|(?P<bracket><(?P<shut>/?)(?:sup|cite|citation|ref|source)(?:\s[^<>\n]{0,30})?>)"
    r"|(?P<dropped><[|｜][^<>\n]{1,40}[|｜]>|<(?:s|bos|unk|pad)>|\[/inst\]"
    r"|</?(?:passages?|answer|final|response|output)(?:\s[^<>\n]{0,30})?>)",
    re.IGNORECASE,
)
_BEGUN = "|".join("assistantfinal"[:length] for length in range(13, 0, -1))
_UNFINISHED = re.compile(rf"(?:<[^<>\n]{{0,42}}|\[/?[a-z]{{0,5}}|◁[^▷\n]{{0,8}}|(?-i:{_BEGUN}))$", re.I)
_ALOUD = re.compile(
    r"\W*(?:analysis(?-i:[A-Z])|(?:okay|ok|alright|hmm+|let me|let's|we need|i need|the user|thinking process"
    r"|(?:also|gut)(?=,)|der (?:be)?nutzer|die (?:be)?nutzerin|l'utilisateur|o usuário|користувач)(?!\w))",
    re.IGNORECASE,
)
"""First words of models that think aloud; their opening tag is often in the template and never sent."""
_BEGINNING = 16  # characters


class Restarted:
    """In place of a piece: the text so far was a thought, and the reply begins now."""


class Debris:
    """Takes a reply in pieces, and returns the text for the reader, however the reply is cut.

    `thought` says whether there was anything else, `said` whether there was text for the reader.
    """

    def __init__(self) -> None:
        self.thought = self.said = False
        self._held, self._thinking, self._over = "", False, False
        self._header: tuple[str, str] | None = None  # the kind of a header, and what it says so far

    def take(self, piece: str, *, last: bool = False) -> Iterator[str | Restarted]:
        """The certain text after a further piece; with `last`, all the rest."""
        self._held += piece
        while not self._over and (token := _TOKEN.search(self._held)):
            before, self._held = self._held[: token.start()], self._held[token.end() :]
            if token.lastgroup != "closes":
                yield from self._told(before)
            yield from self._met(token)
        if self._over:
            self._held = ""
            return
        unfinished = None if last else _UNFINISHED.search(self._held)
        at = unfinished.start() if unfinished else len(self._held)
        if not last and not self.said and not self._thinking and self._header is None:
            begun = self._held.lstrip()
            at = 0 if len(begun) < _BEGINNING or _ALOUD.match(begun) else at
        ready, self._held = self._held[:at], self._held[at:]
        yield from self._told(ready)

    def _told(self, text: str) -> Iterator[str]:
        if self._header is not None:
            kind, name = self._header
            name, ended, text = (name + text).partition("\n")
            self._header = (kind, name)
            if ended:
                self._entered()
        if self._thinking:
            self.thought = True
        elif text and self._header is None and not self._over:
            self.said = self.said or bool(text.strip())
            yield text

    def _met(self, token: re.Match[str]) -> Iterator[str | Restarted]:
        self._entered()
        match token.lastgroup:
            case "opens":
                self._thinking = self.thought = True
            case "closes":
                if self.said and not self._thinking:
                    yield Restarted()
                self.thought, self._thinking, self.said = True, False, False
            case "turn" | "channel" as kind:
                self._header, self._thinking = (kind, ""), False
            case "ends":
                # a thought of gpt-oss ends like a turn; after the reply, a model invents further turns
                self._over, self._thinking = self.said, False
            case "bracket":
                yield from self._told("]" if token["shut"] else "[")

    def _entered(self) -> None:
        """Handles a header: all channels except the final one are thoughts, and a user's turn is invented."""
        if self._header is None:
            return
        kind, name = self._header[0], self._header[1].strip().lower()
        self._header = None
        self._thinking = kind == "channel" and not name.startswith("final")
        self._over = self.said and kind == "turn" and name in ("user", "system", "tool")
