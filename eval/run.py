"""Runs a question set: opens the index, asks, measures, and stores the results."""

import hashlib
import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from eval.cases import Case, QuestionSet, digest
from eval.measures import (
    MEASURES,
    Shelf,
    Supports,
    answer_measures,
    ranked_measures,
    sentence_measures,
    shelf_of,
    without_markers,
)
from eval.report import keep_reports
from eval.runs import Journal, Row, Run, Verdict, write_run, write_whole
from eval.statistics import means
from eval.verifier import BY_VERIFIER, by_verifier
from ingest.structure.article import detect_language
from ingest.sync import sync
from rag.answering.generate import judge
from rag.engine import EXTRACTIVE, Engine, open_engine
from rag.errors import BadRequest, BelegError, ConfigError
from rag.i18n import ENGLISH
from rag.models.chat import ChatModel, Deadline
from rag.schema import VERSION, Answer, Citation, Delta, Done
from rag.settings import DEFAULTS, Settings, load_settings
from rag.store.library_file import fingerprint
from rag.wire import Json, sent_answer

FOLDER = "evaluation"
RETRIEVED = 10
"""Passages to retrieve when only retrieval is measured."""
_ELSEWHERE = Path(".beleg")
_SECRET_NAMES = {"key", "token", "secret", "password", "options"}
_NOT_KEPT = ("articles", "data", "host", "port", "embedding_options")
"""Settings that change no answer, and one that may hold a key; the index names what matters of it."""
_PARAGRAPH_WORDS, _PARAGRAPHS = 400, 10

Progress = Callable[[Iterator[Row]], Iterable[Row]]
"""Hands on the rows of a run, and shows how far it is."""

Judge = Callable[[str, str], bool | None]
"""Whether a context supports a sentence; None without a reliable verdict."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One planned run: its settings and its name."""

    settings: Settings
    label: str


@dataclass(frozen=True, slots=True)
class Examiner:
    """Everything needed to measure an answer, except the case. `gains` (query → article → relevance) makes it
    a measurement of retrieval alone."""

    shelf: Shelf
    supports: Supports[Citation]
    judge: Judge | None = None
    extractive: bool = False
    gains: Mapping[str, Mapping[str, float]] | None = None


def folder_of(settings: Settings) -> Path:
    """The folder for the evaluations of an index."""
    return settings.data_dir / FOLDER


def plans(
    questions: QuestionSet,
    articles: Sequence[Path],
    data: Path | None,
    changes: Sequence[Mapping[str, str]],
    dossier: str | None = None,
) -> list[Plan]:
    """A plan for each articles folder, with the given settings and with each set of changes.

    Settings that change the index get their own index. A set that brings its articles is asked about these;
    its paragraphs stay whole, as in published figures.
    """
    if data and len(articles) > 1:
        raise BadRequest("--data is the folder of one index; give it with one --articles at most")
    own: dict[str, object] = {}
    if questions.articles:
        if articles:
            raise BadRequest(f"{questions.name} brings its own articles; leave --articles out")
        articles = [_written(questions)]
        own = {"chunk_words": _PARAGRAPH_WORDS, "passages": _PARAGRAPHS}
    found = []
    folders: Sequence[Path | None] = articles or [None]
    for folder in folders:
        given = {**own, "articles": folder, "data": data, "dossier": dossier}
        plain = load_settings(**given)
        for change in [{}, *changes]:
            changed = load_settings(**{**given, **change})
            if fingerprint(changed) != fingerprint(plain):
                variant = hashlib.sha256(fingerprint(changed).encode()).hexdigest()[:8]
                changed = replace(changed, data=folder_of(plain) / f"index-{variant}")
            said = [folder.name] if folder and len(articles) > 1 else []
            said += [f"{name}={value}" for name, value in without_secrets(change).items()]
            found.append(Plan(changed, " ".join(said)))
    return found


def _written(questions: QuestionSet) -> Path:
    """The folder with the articles of a set, written once."""
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in questions.articles)
    known = hashlib.sha256(lines.encode()).hexdigest()[:8]
    file = _ELSEWHERE / "sets" / f"{questions.name}-{known}" / "articles.jsonl"
    if not file.exists():
        write_whole(file, lines + "\n")
    return file.parent


def measure(
    plan: Plan, questions: QuestionSet, *, extractive: bool, judge: bool, resume: bool, progress: Progress
) -> Run:
    """The run of a plan, which is kept as `latest.json` beside the index, with its reports.

    `extractive` asks for verbatim sentences even with a model configured; `resume` continues an interrupted
    run. Raises BelegError if the run cannot begin; failures of single cases are recorded in the run.
    """
    settings = plan.settings
    sync(settings.unpublished, embed="all")
    with closing(open_engine(settings)) as engine:
        model = engine.model if judge else None
        if judge and model is None:
            where = "set OPENAI_API_KEY (OpenAI), or OPENAI_BASE_URL and BELEG_LLM"
            raise ConfigError(f"--judge needs a language model: {where}")
        shelf = shelf_of(engine.library)
        named = {id for case in questions.cases for id in case.articles or ()}
        if named and not named & shelf.articles.keys():
            raise BadRequest(
                f"{questions.name} is about other articles: none of its {len(named)} (as {min(named)}) is in"
                " the index; name their folder with --articles"
            )
        asked = partial(_verdict, model, settings.llm_deadline) if model else None
        supports = by_verifier(engine.index.idf, shelf)
        examiner = Examiner(shelf, supports, asked, extractive, questions.gains)
        about = _about(plan, questions, engine, examiner)
        journal = Journal(journal_of(plan), about, resume=resume)
        rows = tuple(progress(run(engine, questions.cases, examiner, journal)))
    result, measured = Run(about, rows), means(rows)
    about |= {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": result.complete,
        "left_out": {n: ENGLISH(f"eval.needs.{m.needs}") for n, m in MEASURES.items() if n not in measured},
    }
    write_run(folder_of(settings) / "latest.json", result)
    keep_reports(folder_of(settings), [result])
    return result


def journal_of(plan: Plan) -> Path:
    """The journal of a plan's answered cases, kept until all plans are done."""
    name = hashlib.sha256(plan.label.encode()).hexdigest()[:8]
    return folder_of(plan.settings) / f"under-way-{name}.jsonl"


def _about(plan: Plan, questions: QuestionSet, engine: Engine, examiner: Examiner) -> Json:
    """The conditions of a run; runs under the same conditions differ only in the time they take."""
    articles = examiner.shelf.articles.values()
    hashes = sorted(article.sha256 for article in articles)
    kept = {name: getattr(plan.settings, name) for name in DEFAULTS}
    return {
        "label": plan.label,
        "version": VERSION,
        "set": {
            "name": questions.name,
            "sha256": digest(questions.cases),
            "cases": len(questions.cases),
            "retrieval_only": questions.gains is not None,
        },
        "engine": {
            "mode": EXTRACTIVE if examiner.extractive else engine.mode,
            "index": engine.library.fingerprint,
            "articles": len(articles),
            "articles_sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        },
        "settings": without_secrets({n: v for n, v in kept.items() if n not in _NOT_KEPT}),
        "scorer": BY_VERIFIER,
        "judge": engine.mode if examiner.judge else None,
    }


def run(
    engine: Engine, cases: Sequence[Case], examiner: Examiner, journal: Journal | None = None
) -> Iterator[Row]:
    """The rows of all cases, in order; with a journal each is on disk before the next is asked. A failure
    is recorded in its row. Raises BadRequest if the journal belongs to another run."""
    rows = journal.begin() if journal else {}
    for case in cases:
        if (row := rows.get(case.id)) is None:
            row = examine(engine, case, examiner)
            if journal:
                journal.add(row)
        yield row


def examine(engine: Engine, case: Case, examiner: Examiner) -> Row:
    """The row of one case; an error of the engine becomes part of it."""
    try:
        if examiner.gains is not None:
            started = time.perf_counter()
            passages = engine.search(case.question, RETRIEVED)
            seconds = time.perf_counter() - started
            ranked = list(dict.fromkeys(passage.article.id for passage in passages))
            measures = ranked_measures("article", ranked, examiner.gains[case.id])
            return Row(case, measures={**measures, "seconds_total": seconds})
        return _answer_row(engine, case, examiner)
    except Exception as exc:
        error = {"type": type(exc).__name__, "message": str(exc)}
        if not isinstance(exc, BelegError):
            last = traceback.extract_tb(exc.__traceback__)[-1]
            error["where"] = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
        return Row(case, error=error)


def _answer_row(engine: Engine, case: Case, examiner: Examiner) -> Row:
    started = time.perf_counter()
    told = [
        (event, time.perf_counter() - started)
        for event in engine.stream(case.question, case.history, extractive=examiner.extractive)
        if isinstance(event, Delta | Done)
    ]
    done, total = told[-1]
    assert isinstance(done, Done)
    answer, gold = done.answer, examiner.shelf.gold(case)
    language = detect_language(without_markers(answer.text))
    measures = answer_measures(case, answer, examiner.shelf, examiner.supports, language)
    measures |= {"seconds_first": told[0][1], "seconds_total": total}
    if answer.passages or answer.abstained:  # answers from the library involve no search
        measures |= sentence_measures(case, engine.find(case.question, case.history), gold)
    judged = verdicts(answer, examiner.judge) if examiner.judge else ()
    if (faithful := faithfulness(judged)) is not None:
        measures["judge_faithfulness"] = faithful
    return Row(case, sent_answer(answer), measures, tuple(map(examiner.shelf.quoted, gold)), judged)


def verdicts(answer: Answer, judge: Judge) -> tuple[Verdict, ...]:
    """The verdict on each sentence with a claim, by all passages of the answer."""
    context = "\n\n".join(passage.chunk.text for passage in answer.passages)
    claims = (statement.text for statement in answer.statements if statement.status != "no claim")
    return tuple(Verdict(claim, judge(claim, context)) for claim in claims)


def faithfulness(judged: tuple[Verdict, ...]) -> float | None:
    """Share of the judged sentences that the passages support; None when none was judged.

    As RAGAS' faithfulness (Es et al. 2023, arXiv 2309.15217), with sentences in the place of the
    claims that a model makes of them: hence the measure is called `judge_faithfulness`.
    """
    known = [verdict.supported for verdict in judged if verdict.supported is not None]
    return sum(known) / len(known) if known else None


def _verdict(model: ChatModel, seconds: float, sentence: str, context: str) -> bool | None:
    """A model's, which must quote its evidence, within so many seconds."""
    found = judge(model, sentence, context, Deadline(seconds))
    return None if found is None else found[0]


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without keys and tokens, which type or name tell, and addresses without user or query."""
    return {name: _public(name, value) for name, value in settings.items() if value is not None}


def _public(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr) or _SECRET_NAMES & set(name.lower().split("_")):
        return "(secret)"
    if isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return value if isinstance(value, int | float | str) else str(value)
