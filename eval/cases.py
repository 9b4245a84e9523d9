"""Question sets: one case a line of JSON."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from rag.errors import BadRequest
from rag.schema import Message

T = TypeVar("T")


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the parts of a good answer.

    `articles` are the ids of the articles that hold the answer: () for an unanswerable question,
    None if not stated. `facts` are lists of accepted alternatives, `forbidden` what must not
    be said, `evidence` verbatim fragments of the sentences that answer.

    {"id": "s-01", "question": "Wie oft reiste Witkoff?", "lang": "de", "type": "fact",
     "articles": ["sieben-monate"], "facts": [["fünf", "five"]], "evidence": ["reiste fünfmal"]}
    """

    id: Annotated[str, Field(coerce_numbers_to_str=True)]
    question: Annotated[str, AfterValidator(_not_empty)]
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
        """Whether the articles answer it; None if the set does not say."""
        return None if self.articles is None else bool(self.articles)

    @property
    def conversation(self) -> str:
        """The first question of its conversation, which identifies that."""
        return " ".join((self.history[0].content if self.history else self.question).casefold().split())


_CASE = TypeAdapter(Case)


def load_cases(path: Path) -> list[Case]:
    """The cases of a set; raises BadRequest, naming the line, for one that is none."""
    cases = read_lines(path, _CASE, "case")
    check_ids(path, cases)
    return cases


def read_lines(path: Path, form: TypeAdapter[T], what: str) -> list[T]:
    """The objects in a JSONL file, without null fields; raises BadRequest, naming the line."""
    found = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                if isinstance(row, dict):
                    row = {name: value for name, value in row.items() if value is not None}
                found.append(form.validate_python(row))
            except ValueError as exc:
                raise BadRequest(f"{path}, line {number}: no {what} ({why(exc)})") from exc
    return found


def why(exc: ValueError) -> str:
    """The first error in data, on one line: place and reason."""
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


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


def case_to_dict(case: Case) -> dict[str, Any]:
    """The JSON form of a case, without the fields that it does not state."""
    row: dict[str, Any] = _CASE.dump_python(case, mode="json", exclude_defaults=True)
    return row


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 of a set's cases, independent of the layout of its file."""
    rows = [case_to_dict(case) for case in cases]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
