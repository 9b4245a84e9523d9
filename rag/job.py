"""A question on its way through the engine: as it was asked, with what was found, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.chat_model import Deadline
from rag.extract import Candidate
from rag.rewrite import Context
from rag.schema import Citation, Message, Passage, Statement


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what it leans on; `german` is what a model made of it, None without one.

    `message` is what was typed, `question` what that asks (`rag.parse`). `started` is when it came, as
    `time.perf_counter` says; `usage` grows.
    """

    message: str
    question: str
    standalone: str
    german: str | None
    contexts: tuple[Context, ...]
    language: str
    history: tuple[Message, ...]
    deadline: Deadline
    started: float
    usage: dict[str, float]


@dataclass(frozen=True, slots=True)
class Job:
    """A question with what was found for it, `retrieved` seconds after it came; `timings` grow."""

    asked: Asked
    passages: tuple[Passage, ...]
    found: list[Candidate]
    confidence: float
    retrieved: float
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made of a question; `reason` where it was declined."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    reason: str | None = None
    further: tuple[Citation, ...] = ()
    dropped: tuple[str, ...] = ()


def besides(further: Sequence[Citation], cited: Sequence[Citation]) -> tuple[Citation, ...]:
    """The places that are not cited already."""
    return tuple(
        place
        for place in further
        if not any(
            c.article_id == place.article_id and c.start < place.end and place.start < c.end for c in cited
        )
    )
