"""From a set and settings to a run: opens the index, asks, keeps the result in the data folder."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from eval.cases import digest
from eval.formats import QuestionSet
from eval.judge import Judge, model_judge
from eval.measures import Shelf, shelf_of
from eval.record import Journal, Run, lean, write_run, write_whole
from eval.report import report
from eval.run import Examiner, run, without_secrets
from eval.scorers import BY_VERIFIER, by_verifier
from eval.summary import missing
from ingest.sync import is_current, sync
from rag.engine import EXTRACTIVE, Engine, open_engine
from rag.errors import BadRequest, ConfigError
from rag.settings import FIELDS, Settings, load_settings
from rag.store.fingerprint import fingerprint

FOLDER = "evaluation"
_ELSEWHERE = Path(".beleg")
_NOT_ABOUT_ANSWERS = ("articles", "data", "host", "port")
_PARAGRAPH_WORDS, _PARAGRAPHS = 400, 10

Progress = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: the settings it is made with, and what to call it."""

    settings: Settings
    label: str


@dataclass(frozen=True, slots=True)
class How:
    """How the questions are asked: verbatim even with a model configured, judged, gone on with.

    `lean` leaves the texts of passages out of the file that is asked for.
    """

    extractive: bool = False
    judge: bool = False
    resume: bool = False
    lean: bool = False


def folder_of(settings: Settings) -> Path:
    """Where the evaluations of an index are kept."""
    return settings.data_dir / FOLDER


def plans(
    questions: QuestionSet, articles: Sequence[Path], data: Path | None, changes: Sequence[Mapping[str, str]]
) -> list[Plan]:
    """A run for each articles folder, with the settings as they are and with each set of changes.

    Settings that change the index get an index of their own. A set that brings its articles is
    asked about these; its paragraphs stay whole, as published figures count them.
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
        plain = load_settings(articles=folder, data=data, **own)
        for change in [{}, *changes]:
            changed = load_settings(**{**own, "articles": folder, "data": data, **change})
            if fingerprint(changed) != fingerprint(plain):
                variant = hashlib.sha256(fingerprint(changed).encode()).hexdigest()[:8]
                changed = replace(changed, data=folder_of(plain) / f"index-{variant}")
            said = [folder.name] if folder and len(articles) > 1 else []
            said += [f"{name}={value}" for name, value in change.items()]
            found.append(Plan(changed, " ".join(said)))
    return found


def _written(questions: QuestionSet) -> Path:
    """The folder with the articles of a set, written once."""
    lines = "\n".join(json.dumps(dict(record), ensure_ascii=False) for record in questions.articles)
    known = hashlib.sha256(lines.encode()).hexdigest()[:8]
    file = _ELSEWHERE / "sets" / f"{questions.name}-{known}" / "articles.jsonl"
    if not file.exists():
        write_whole(file, lines + "\n")
    return file.parent


def measure(
    plan: Plan, questions: QuestionSet, how: How, out: Path | None = None, progress: Progress = lambda: None
) -> Run:
    """The run of a plan; it is kept as `latest.json` beside the index, and in `out`.

    Raises BelegError when it cannot begin; what fails in a case is in the run.
    """
    settings = plan.settings
    if not is_current(settings.unpublished):
        sync(settings.unpublished)
    with closing(open_engine(settings)) as engine:
        shelf = shelf_of(engine.library)
        _check_articles(questions, shelf)
        examiner = Examiner(
            shelf=shelf,
            supports=by_verifier(engine.index.idf, shelf),
            judge=_judge(engine) if how.judge else None,
            extractive=how.extractive,
            gains=questions.gains,
        )
        about = _about(plan, questions, engine, shelf, how)
        journal = Journal(journal_of(plan), about)
        rows = run(engine, questions.cases, examiner, journal, resume=how.resume, progress=progress)
    finished = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "complete": True}
    result = Run(about | finished, rows)
    result.about["complete"] = result.complete
    result.about["left_out"] = missing(result.measured)
    write_run(folder_of(settings) / "latest.json", result)
    if out:
        write_run(out, lean(result) if how.lean else result)
    keep_reports(folder_of(settings), [result])
    return result


def journal_of(plan: Plan) -> Path:
    """Where the answered cases of a plan are written down until all plans are through."""
    name = hashlib.sha256(plan.label.encode()).hexdigest()[:8]
    return folder_of(plan.settings) / f"under-way-{name}.jsonl"


def keep_reports(folder: Path, runs: Sequence[Run]) -> None:
    """Writes the reports that the web chat shows: `latest.html` in German, `latest.en.html` in English."""
    write_whole(folder / "latest.html", report(runs, "de"))
    write_whole(folder / "latest.en.html", report(runs, "en"))


def _judge(engine: Engine) -> Judge:
    if engine.model is None:
        raise ConfigError(
            "--judge needs a language model: set OPENAI_API_KEY (OpenAI), or OPENAI_BASE_URL and BELEG_LLM"
        )
    return model_judge(engine.model, engine.settings.llm_deadline)


def _check_articles(questions: QuestionSet, shelf: Shelf) -> None:
    """Raises BadRequest when none of the articles that a set names is in the index."""
    named = {id for case in questions.cases for id in case.articles or ()}
    if named and not named & shelf.articles.keys():
        raise BadRequest(
            f"{questions.name} is about other articles: none of its {len(named)} (as {min(named)}) is in the"
            " index; name their folder with --articles"
        )


def _about(plan: Plan, questions: QuestionSet, engine: Engine, shelf: Shelf, how: How) -> dict[str, Any]:
    """With what a run is made; two runs with the same are the same but for the time they take."""
    hashes = sorted(article.sha256 for article in shelf.articles.values())
    kept = {name: getattr(plan.settings, name) for name in FIELDS}
    return {
        "label": plan.label,
        "version": version(),
        "set": {
            "name": questions.name,
            "sha256": digest(questions.cases),
            "cases": len(questions.cases),
            "retrieval_only": questions.gains is not None,
        },
        "engine": {
            "mode": EXTRACTIVE if how.extractive else engine.mode,
            "index": engine.library.fingerprint,
            "articles": len(shelf.articles),
            "articles_sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        },
        "settings": without_secrets({n: v for n, v in kept.items() if n not in _NOT_ABOUT_ANSWERS}),
        "scorer": BY_VERIFIER,
        "judge": engine.mode if how.judge else None,
    }


def version() -> str:
    """Beleg's version: as installed, or as the project's file says."""
    try:
        return metadata.version("beleg")
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
