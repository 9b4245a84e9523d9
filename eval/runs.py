"""A run on disk: one JSON file and, while it is under way, a journal that survives a crash."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, TypeAdapter

from eval.cases import Case, case_to_dict, why
from rag.errors import BadRequest, ConfigError
from rag.wire import Answer, Json


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judged sentence; `supported` is None when the model failed or its evidence was not verbatim."""

    sentence: str
    supported: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """A case with its whole answer, measures and gold sentences.

    `error` ({"type", "message", "where"}) says why there is no answer.
    """

    case: Annotated[Case, PlainSerializer(case_to_dict)]
    answer: Answer | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    gold: tuple[Json, ...] = ()
    judged: tuple[Verdict, ...] = ()
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The results of a set: `about` says with what and when, `rows` are the cases in the set's order."""

    about: Json
    rows: Annotated[tuple[Row, ...], Field(validation_alias="cases")]
    format: Literal[1] = 1

    @property
    def label(self) -> str:
        """The name of the run."""
        return str(self.about.get("label") or self.about["engine"]["mode"])

    @property
    def failed(self) -> list[str]:
        """Ids of the cases without an answer."""
        return [row.case.id for row in self.rows if row.error is not None]

    @property
    def complete(self) -> bool:
        """Whether every case of the set was asked and answered."""
        return not self.failed and len(self.rows) == self.about["set"]["cases"]


_ROW, _RUN = TypeAdapter(Row), TypeAdapter(Run)


def load_run(path: Path) -> Run:
    """A run from its file; raises BadRequest when it is none."""
    try:
        run = _RUN.validate_json(path.read_bytes())
        _ = run.label, run.complete, str(run.about["set"]["sha256"])
    except OSError as exc:
        raise BadRequest(f"cannot read the run {path}: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise BadRequest(f"{path} is not the run of an evaluation ({why(exc)})") from exc
    return run


def write_run(path: Path, run: Run) -> None:
    """Writes a run, one case a line; a reader sees the old file or the new one, never half of one."""
    head = json.dumps({"format": run.format, "about": run.about}, ensure_ascii=False, indent=1)
    rows = ",\n".join(_ROW.dump_json(row).decode() for row in run.rows)
    write_whole(path, f'{head[:-2]},\n "cases": [\n{rows}\n ]\n}}\n')


def lean(run: Run) -> Run:
    """The run without the texts of passages and further places, which are in the articles anyway."""
    rows = []
    for row in run.rows:
        if answer := row.answer:
            passages = tuple(replace(passage, text="") for passage in answer.passages)
            further = tuple(replace(citation, quote="") for citation in answer.further)
            answer = replace(answer, passages=passages, further=further)
        rows.append(replace(row, answer=answer))
    return replace(run, rows=tuple(rows))


def write_whole(path: Path, text: str) -> None:
    """Writes a file in one step; raises ConfigError where it cannot be written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as exc:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {exc.strerror}") from exc


class Journal:
    """The rows of a run under way, one per line, each on disk before the next question is asked."""

    def __init__(self, path: Path, identity: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path, self.identity, self.resume = path, dict(identity), resume

    def begin(self) -> dict[str, Row]:
        """The rows already answered, by case id; none unless `resume`. Raises BadRequest when the journal
        belongs to another set, index, engine or version."""
        rows = {row.case.id: row for row in self._rows() if row.error is None} if self.resume else {}
        lines = (_ROW.dump_json(row).decode() for row in rows.values())
        write_whole(self.path, "\n".join([json.dumps(self.identity, ensure_ascii=False), *lines, ""]))
        return rows

    def add(self, row: Row) -> None:
        """Appends a row."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_ROW.dump_json(row).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _rows(self) -> Iterator[Row]:
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
            found = json.loads(lines[0])
        except (FileNotFoundError, ValueError):
            return
        if found != self.identity:
            differs = ", ".join(sorted(n for n in self.identity if found.get(n) != self.identity[n]))
            raise BadRequest(f"{self.path} was begun with another {differs}; start anew without --resume")
        for line in lines[1:]:
            try:
                yield _ROW.validate_json(line)
            except ValueError:
                return  # a line cut short by a crash; this case and those after it are asked again
