"""Asks an engine the questions of a set and measures what comes back."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from eval import judge as judging
from eval.cases import Case
from eval.measures import Scorer, Shelf, answer_measures, ranked_measures
from eval.metrics import ArticleSpan, without_markers
from eval.record import Journal, Json, Row
from ingest.structure.language import detect_language
from rag.errors import BelegError, ProviderError
from rag.schema import Answer, Delta, Done, Event, Message, Passage
from rag.wire import answer_to_dict

RETRIEVED = 10
"""Passages that are asked for where only retrieval is measured."""


class Engine(Protocol):
    """What an evaluation needs of an engine: the same that every door calls."""

    def stream(
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> Iterator[Event]: ...

    def search(self, question: str, k: int | None = None) -> tuple[Passage, ...]: ...


@dataclass(frozen=True, slots=True)
class Examiner:
    """Everything that measuring an answer takes besides the case.

    `gains` (query → article → relevance) makes it a measurement of retrieval alone.
    """

    shelf: Shelf
    supports: Scorer
    judge: judging.Judge | None = None
    extractive: bool = False
    gains: Mapping[str, Mapping[str, float]] | None = None


def run(
    engine: Engine,
    cases: Sequence[Case],
    examiner: Examiner,
    journal: Journal | None = None,
    *,
    resume: bool = False,
    progress: Callable[[], object] = lambda: None,
) -> tuple[Row, ...]:
    """The rows of all cases, in order; with a journal each is on disk before the next is asked.

    What fails in one case is recorded in its row. Raises BadRequest when the journal to go on from
    belongs to another run.
    """
    rows = journal.begin(resume=resume) if journal else {}
    for case in cases:
        if case.id not in rows:
            rows[case.id] = examine(engine, case, examiner)
            if journal:
                journal.add(rows[case.id])
        progress()
    return tuple(rows[case.id] for case in cases)


def examine(engine: Engine, case: Case, examiner: Examiner) -> Row:
    """The row of one case; an error of the engine becomes part of it."""
    try:
        if examiner.gains is not None:
            return _retrieval_row(engine, case, examiner.gains[case.id])
        return _answer_row(engine, case, examiner)
    except Exception as exc:
        return Row(case, error=_error(exc))


def _answer_row(engine: Engine, case: Case, examiner: Examiner) -> Row:
    answer, first, total = timed(engine, case, extractive=examiner.extractive)
    gold = examiner.shelf.gold(case)
    language = detect_language(without_markers(answer.text))
    measures = answer_measures(case, answer, examiner.shelf, examiner.supports, language)
    measures |= {"seconds_first": first, "seconds_total": total}
    verdicts = judging.verdicts(answer, examiner.judge) if examiner.judge else ()
    if (faithful := judging.faithfulness(verdicts)) is not None:
        measures["judge_faithfulness"] = faithful
    return Row(
        case=case,
        answer=answer_to_dict(answer),
        measures=measures,
        gold=[_gold(span, examiner.shelf) for span in gold],
        judged=[asdict(verdict) for verdict in verdicts],
    )


def timed(engine: Engine, case: Case, *, extractive: bool) -> tuple[Answer, float, float]:
    """The answer, and the seconds until its first words and until it was complete, as a door sees them."""
    started, first = time.perf_counter(), None
    for event in engine.stream(case.question, case.history, extractive=extractive):
        if first is None and isinstance(event, Delta | Done):
            first = time.perf_counter() - started
        if isinstance(event, Done):
            return event.answer, first or 0.0, time.perf_counter() - started
    raise ProviderError("the stream ended without an answer")


def _retrieval_row(engine: Engine, case: Case, gains: Mapping[str, float]) -> Row:
    started = time.perf_counter()
    passages = engine.search(case.question, RETRIEVED)
    seconds = time.perf_counter() - started
    ranked = list(dict.fromkeys(passage.article.id for passage in passages))
    return Row(case, measures={**ranked_measures("article", ranked, gains), "seconds_total": seconds})


def _gold(span: ArticleSpan, shelf: Shelf) -> Json:
    id, start, end = span
    article = shelf.articles[id]
    return {
        "article_id": id,
        "start": start,
        "end": end,
        "text": article.text[start:end],
        "title": article.title,
        "outlet": article.outlet,
    }


def _error(exc: Exception) -> Mapping[str, str]:
    error = {"type": type(exc).__name__, "message": str(exc)}
    if not isinstance(exc, BelegError):
        last = traceback.extract_tb(exc.__traceback__)[-1]
        error["where"] = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    return error


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they may be written down: no keys or tokens, and addresses without a user or query.

    Secrets are told by their type and, should one be plain text, by their name.
    """
    return {name: _public(name, value) for name, value in settings.items() if value is not None}


_SECRET_NAMES = ("key", "token", "secret", "password")


def _public(name: str, value: Any) -> Any:
    secret = isinstance(value, SecretStr) or set(_SECRET_NAMES) & set(name.lower().split("_"))
    if secret:
        return "(secret)"
    if isinstance(value, str) and "://" in value:
        from urllib.parse import urlsplit, urlunsplit

        parts = urlsplit(value)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return value if isinstance(value, int | float | bool | str) else str(value)
