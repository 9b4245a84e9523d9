"""Answers in several steps: a model that can call tools searches again, reads or lists articles."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from rag.answering.generate import PROMPTS, passage_text, prompt, reply_to, tokens
from rag.answering.work import Job, summed
from rag.errors import BadRequest, ContextOverflow, ProviderProtocol
from rag.models.chat import ChatModel, End, Said, Usage
from rag.models.dialect import Call, Restarted, Turn
from rag.schema import Filters, Passage
from rag.store.library import Library

CALLS_A_STEP = 3
FOUND_A_SEARCH = 4
READ_AT_ONCE = 8  # passages
LISTED = 50  # articles
MISUSES = 2
"""After so many malformed or repeated calls the model has to answer from what it has."""


@dataclass(frozen=True)
class Found(Restarted):
    """A finished step: the `tool`, what it was `asked` for, and the new passages."""

    tool: str
    asked: str
    passages: tuple[Passage, ...]


class Tools:
    """The tools for one question. `held` are all passages so far; their numbers never change."""

    def __init__(self, library: Library, search: Callable[..., Sequence[Passage]], job: Job) -> None:
        self._library, self._search, self._only = library, search, job.asked.only
        self.held = list(job.passages)
        self._made: set[tuple[str, str]] = set()

    def run(self, call: Call) -> tuple[str, Found | None]:
        """A tool's reply to the model, and the step to show to readers; None for a malformed call."""
        try:
            given = json.loads(call.arguments or "{}")
            known = {"search": self._searched, "read": self._whole, "catalogue": self._listed}
            made = (call.name, json.dumps(given, sort_keys=True))
            if made in self._made:
                return PROMPTS["already"], None
            asked, passages, text = known[call.name](given)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, BadRequest) as error:
            return f"{PROMPTS['misused']} ({type(error).__name__}: {error})", None
        self._made.add(made)
        held = {passage.chunk.id for passage in self.held}
        new = tuple(passage for passage in passages if passage.chunk.id not in held)
        self.held.extend(new)
        numbers = {passage.chunk.id: n for n, passage in enumerate(self.held, 1)}
        told = (passage_text(numbers[passage.chunk.id], passage) for passage in passages)
        return text or "\n\n".join(told) or PROMPTS["nothing"], Found(call.name, asked, new)

    def _searched(self, given: dict[str, Any]) -> tuple[str, Sequence[Passage], str]:
        query = str(given["query"])
        first, last = (
            date.fromisoformat(day) if (day := given.get(name)) else None for name in ("from", "to")
        )
        outlets, authors = ((str(given[name]),) if given.get(name) else () for name in ("outlet", "author"))
        filters = Filters(outlets, authors, first, last, tuple(sorted(self._only or ())))
        return query, self._search(query, FOUND_A_SEARCH, filters=filters), ""

    def _whole(self, given: dict[str, Any]) -> tuple[str, Sequence[Passage], str]:
        number = int(str(given["passage"]).strip("[] ").split(".")[0])
        if number < 1:
            raise ValueError("there is no such passage")
        article = self.held[number - 1].article
        chunks = self._library.chunks_of(article.id)[:READ_AT_ONCE]
        return article.title or article.id, [Passage(chunk, article, 0.0) for chunk in chunks], ""

    def _listed(self, _: dict[str, Any]) -> tuple[str, Sequence[Passage], str]:
        listed = [row for row in self._library.listed() if self._only is None or row.id in self._only]
        known = ((row.title, row.outlet, row.author, row.published) for row in listed[:LISTED])
        lines = (" · ".join(" ".join(str(each).split()) for each in row if each) for row in known)
        more = f"\n… and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
        return "", (), "\n".join(lines).replace("<", "‹").replace(">", "›") + more


def write_in_steps(model: ChatModel, job: Job, tools: Tools, reply: int, most: int) -> Iterator[Said]:
    """The model's answer in pieces, after at most `most` requests; `Found` for each step on the way.

    If the server has no tools, or the model misuses them twice, it answers from what it has. Raises
    ProviderError.
    """
    budget = model.window - reply
    turns = prompt(model, job, job.passages, budget, PROMPTS["in_steps"])
    misused, overflowed = 0, False
    used: Usage = {}
    for _ in range(most - 1):
        said, end = "", None
        try:
            for piece in model.stream(turns, reply, job.asked.deadline, tools=PROMPTS["tools"]):
                if isinstance(piece, End):
                    end = piece
                else:
                    said = "" if isinstance(piece, Restarted) else said + str(piece)
                    yield piece
        except (ContextOverflow, ProviderProtocol) as error:
            if error.code not in ("model_window", "model_thought", "model_spent") or said:
                raise
            overflowed = isinstance(error, ContextOverflow)
        if end is None:
            break
        used = summed(used, end.usage)
        if not end.calls:
            yield replace(end, usage=used)
            return
        turns.append(Turn("assistant", said, calls=tuple(map(_readable, end.calls))))
        stepped = False
        for n, call in enumerate(end.calls):
            text, found = tools.run(call) if n < CALLS_A_STEP else (PROMPTS["misused"], None)
            misused += found is None
            if found is not None:
                stepped = True
                yield found
            turns.append(Turn("tool", text, answers=call.id))
        if said and not stepped:
            yield Restarted()
        if misused >= MISUSES or tokens(model, turns) > budget:
            break
    yield Restarted()
    for piece in reply_to(model, job, tools.held, reply, overflowed=overflowed):
        yield replace(piece, usage=summed(used, piece.usage)) if isinstance(piece, End) else piece


def _readable(call: Call) -> Call:
    """The call, with arguments that are valid JSON."""
    try:
        json.loads(call.arguments)
    except (ValueError, RecursionError):
        return replace(call, arguments="{}")
    return call
