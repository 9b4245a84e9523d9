"""Question sets: one case a line of JSON."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import BadRequest
from rag.schema import Message


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what a good answer holds.

    `articles` are the ids of the articles that hold the answer: () for an unanswerable question,
    None when it is not said. `facts` are lists of accepted alternatives, `forbidden` what must not
    be said, `evidence` verbatim fragments of the sentences that answer.

    {"id": "s-01", "question": "Wie oft reiste Witkoff?", "lang": "de", "type": "fact",
     "articles": ["sieben-monate"], "facts": [["fünf", "five"]], "evidence": ["reiste fünfmal"]}
    """

    id: str
    question: str
    lang: str | None = None
    type: str | None = None
    articles: tuple[str, ...] | None = None
    facts: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    tags: tuple[str, ...] = ()
    note: str | None = None

    @property
    def answerable(self) -> bool | None:
        """Whether the articles answer it; None when the set does not say."""
        return None if self.articles is None else bool(self.articles)

    @property
    def conversation(self) -> str:
        """What the turns of one conversation share: its first question."""
        return " ".join((self.history[0].content if self.history else self.question).casefold().split())


def load_cases(path: Path) -> list[Case]:
    """The cases of a set; raises BadRequest, naming the line, for one that is none."""
    cases = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                cases.append(case_from_dict(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as exc:
                raise BadRequest(
                    f"{path}, line {number}: no case with id and question ({_why(exc)})"
                ) from exc
    check_ids(path, cases)
    return cases


def read_text(path: Path) -> str:
    """The text of a file of a set; raises BadRequest when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise BadRequest(f"cannot read the question set {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BadRequest(f"the question set {path} is not UTF-8 ({exc.reason})") from exc


def check_ids(path: Path, cases: Sequence[Case]) -> None:
    """Raises BadRequest for a set without cases, or one that has an id twice."""
    if not cases:
        raise BadRequest(f"the question set {path} holds no case")
    id, times = Counter(case.id for case in cases).most_common(1)[0]
    if times > 1:
        raise BadRequest(f"{path}: the id {id!r} stands for {times} cases; give each its own")


def case_from_dict(row: Mapping[str, Any]) -> Case:
    """A case from its JSON form; raises ValueError, KeyError or TypeError when it is none."""
    articles = row.get("articles")
    return Case(
        id=str(row["id"]),
        question=_text(row, "question"),
        lang=_text(row, "lang", None),
        type=_text(row, "type", None),
        articles=None if articles is None else _texts(row, "articles"),
        facts=tuple(_texts({"facts": ways}, "facts") for ways in row.get("facts") or ()),
        evidence=_texts(row, "evidence"),
        forbidden=_texts(row, "forbidden"),
        history=tuple(_message(turn) for turn in row.get("history") or ()),
        tags=_texts(row, "tags"),
        note=_text(row, "note", None),
    )


def case_to_dict(case: Case) -> dict[str, Any]:
    """The JSON form of a case, without the fields that it does not state."""
    row: dict[str, Any] = {"id": case.id, "question": case.question, "lang": case.lang, "type": case.type}
    if case.articles is not None:
        row["articles"] = list(case.articles)
    row["facts"] = [list(ways) for ways in case.facts]
    for name in ("evidence", "forbidden", "tags"):
        row[name] = list(getattr(case, name))
    row["history"] = [{"role": turn.role, "content": turn.content} for turn in case.history]
    row["note"] = case.note
    return {name: value for name, value in row.items() if value or name == "articles"}


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 of what a set asks, whatever the layout of its file."""
    rows = [case_to_dict(case) for case in cases]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


_REQUIRED = object()


def _text(row: Mapping[str, Any], name: str, default: Any = _REQUIRED) -> Any:
    value = row[name] if default is _REQUIRED else row.get(name, default)
    if value is not default and value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    if default is _REQUIRED and not (value or "").strip():
        raise ValueError(f"{name} is empty")
    return value


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = row.get(name) or ()
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} is no list of texts")
    return tuple(values)


def _message(turn: Mapping[str, Any]) -> Message:
    if turn["role"] not in ("user", "assistant"):
        raise ValueError(f"the role {turn['role']!r} is neither user nor assistant")
    return Message(turn["role"], _text(turn, "content"))


def _why(exc: Exception) -> str:
    return f"{exc.args[0]} is missing" if isinstance(exc, KeyError) else str(exc)
