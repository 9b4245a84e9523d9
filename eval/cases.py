"""Question sets: one case a line of JSON, as ../shared/eval/dev.jsonl has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag.errors import BadRequest
from rag.schema import Message


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what a good answer holds.

    `articles` are the ids of the articles that hold the answer: () for an unanswerable question,
    None when it is not said. `facts` are lists of accepted alternatives, `evidence` verbatim
    fragments of the sentences that answer.
    """

    id: str
    question: str
    lang: str | None = None
    type: str | None = None
    articles: tuple[str, ...] | None = None
    facts: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()

    @property
    def answerable(self) -> bool | None:
        """Whether the articles answer it; None when the set does not say."""
        return None if self.articles is None else bool(self.articles)


def load_cases(path: Path) -> list[Case]:
    """The cases of a set; raises BadRequest, naming the line, for one that is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise BadRequest(f"cannot read the question set {path}: {exc.strerror}") from exc
    cases = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                cases.append(_case(json.loads(line)))
            except (ValueError, KeyError, TypeError) as exc:
                raise BadRequest(f"{path}, line {number}: no case with id and question ({exc})") from exc
    return cases


def _case(row: dict[str, object]) -> Case:
    articles, history = row.get("articles"), row.get("history") or []
    return Case(
        id=str(row["id"]),
        question=str(row["question"]),
        lang=_text(row.get("lang")),
        type=_text(row.get("type")),
        articles=None if articles is None else tuple(articles),  # type: ignore[arg-type]
        facts=tuple(tuple(alternatives) for alternatives in row.get("facts") or []),  # type: ignore[attr-defined]
        evidence=tuple(row.get("evidence") or ()),  # type: ignore[arg-type]
        history=tuple(Message(turn["role"], turn["content"]) for turn in history),  # type: ignore[attr-defined]
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
