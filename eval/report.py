"""Prepares one or several runs for the templates of the HTML report."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from eval.compare import Difference, compare
from eval.measures import HEADLINE, LEVELS, MEASURES, RANKS, is_right, says, touches, without_markers
from eval.runs import Row, Run, write_whole
from eval.statistics import (
    COLUMNS,
    by_kind,
    columns_of,
    judged_confidence,
    quantiles,
    reliability,
    risk_coverage,
    summary,
)
from rag.engine import EXTRACTIVE
from rag.i18n import LANGUAGES, Words
from rag.schema import Citation
from rag.serve.views import environment
from rag.wire import Json

_TEMPLATES = environment(Path(__file__).parent / "templates")
SHOWN = 20  # of the weakest answers
_FORMS = {"de": "%d.%m.%Y, %H:%M UTC"}
_TILES = (
    *("evidence_hit", "fact_recall", "citation_precision", "abstention_f1"),
    *("article_mrr@10", "article_ndcg@10"),
)
_GROUPS = ("answers", "citations", "declining", "confidence", "retrieval", "cost")
_TELLING = ("hit@1", "recall@5", "mrr@10", "ndcg@10")  # a table of its own has the others
_GOODNESS = (
    *("abstention_right", "evidence_hit", "fact_recall", "citation_recall", "quote_exact"),
    "judge_faithfulness",
)


def report(runs: Sequence[Run], lang: str = "de") -> str:
    """The page on the last of the runs; with several it begins with their differences from the first. It is a
    single file that loads nothing. Raises BadRequest for runs that cannot be compared."""
    return _TEMPLATES.get_template("report.html").render(_view(runs, lang))


def keep_reports(folder: Path, runs: Sequence[Run]) -> None:
    """Writes `latest.html` in German and `latest.en.html` in English, and what the web chat shows of each
    in a frame of its own: `part.de.html`, `part.en.html`."""
    for lang, name in (("de", "latest.html"), ("en", "latest.en.html")):
        view = _view(runs, lang)
        write_whole(folder / name, _TEMPLATES.get_template("report.html").render(view))
        write_whole(folder / f"part.{lang}.html", _TEMPLATES.get_template("part.html").render(view))


def _view(runs: Sequence[Run], lang: str) -> dict[str, Any]:
    """The values for the templates."""
    run, pen = runs[-1], Pen(LANGUAGES[lang])
    values = summary(run.rows)

    listed = [name for name in values if name.partition("_")[2] not in RANKS or name.endswith(_TELLING)]
    groups = [(group, [name for name in listed if MEASURES[name].group == group]) for group in _GROUPS]
    return dict(
        words=pen.words,
        extractive=EXTRACTIVE,
        run=run,
        values=values,
        made=datetime.fromisoformat(run.about["created"]).strftime(_FORMS.get(lang, "%Y-%m-%d, %H:%M UTC")),
        comparisons=[_comparison(runs[0], each) for each in runs[1:]],
        tiles=[name for name in _TILES if name in values][:4],
        **_confidence_plots(run, pen),
        latency=_latency(run, pen),
        groups=[(group, names) for group, names in groups if names],
        levels=[level for level in LEVELS if f"{level}_hit@1" in values],
        ranks={rank: pen.rank(rank) for rank in RANKS},
        kinds=[(*pen.kind(name), count, found) for name, count, found in by_kind(run)],
        kind_columns=[name for name in columns_of(run) if name in values],
        weakest=weakest(run),
        case_columns=[name for name in COLUMNS if name in values and name != "words"],
        settings={
            **run.about["engine"],
            **{name: run.about.get(name) for name in ("scorer", "judge")},
            "set sha256": run.about["set"]["sha256"],
            **run.about["settings"],
        },
        **{each.__name__: each for each in (faults, hits, outcome, pieces)},
        legend=pen.legend,
        shown=pen.shown,
        measures=MEASURES,
        says_any=lambda text, ways: any(says(without_markers(text), way) for way in ways),
        labels=lambda names: [pen.legend(name)[0] for name in names],
    )


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes numbers and the names of measures in one language."""

    words: Words

    def number(self, value: float, digits: int) -> str:
        """A number with so many decimals."""
        return f"{value:.{digits}f}".replace(".", self.words.at("format.decimal")).replace("-", "−")

    def share(self, value: float, digits: int = 1) -> str:
        """A share of one as per cent."""
        return self.number(100 * value, digits) + str(self.words.at("format.percent"))

    def shown(self, name: str, value: float) -> str:
        """A measure's value."""
        match MEASURES[name].unit:
            case "share":
                return self.share(value)
            case "seconds":
                return self.number(value, 2 if value < 10 else 1) + "\u202fs"
            case unit:
                return self.number(value, {"tokens": 0, "cost": 5}.get(unit, 1))

    def legend(self, name: str) -> tuple[str, str]:
        """A measure's name and explanation."""
        level, _, rest = name.partition("_")
        rank, _, k = rest.partition("@")
        if level not in LEVELS or not k:
            label, text = self.words.at(f"eval.measure.{name}")
            return label, text
        said = self.words(f"eval.retrieval.{rank}", k=k)
        return f"{self.words(f'eval.level.{level}')}: {self.rank(rest)}", said

    def rank(self, name: str) -> str:
        """The name of a measure of ranks: hit@1 is „an erster Stelle“."""
        rank, _, k = name.partition("@")
        return self.words("eval.rank.first" if name == "hit@1" else f"eval.rank.{rank}", k=k)

    def kind(self, group: str) -> tuple[str, str]:
        """Heading and name of a kind of question; unknown kinds keep the name from their set."""
        heading, _, name = group.partition(" ")
        known = self.words.at("articles.languages" if heading == "lang" else "eval.kinds")
        return heading, str(known.get(name, name.replace("_", " ")))


def _comparison(before: Run, after: Run) -> tuple[str, list[tuple[Difference, float]]]:
    """The title, and the differences of the most telling measures, each with the reach of its bar."""
    found = {each.name: each for each in compare(before, after)}
    shown = [found[name] for name in (*HEADLINE, "seconds_total") if name in found] or list(found.values())
    reach = defaultdict[str, float](float)
    for each in shown:
        unit = MEASURES[each.name].unit
        reach[unit] = max(reach[unit], abs(each.low), abs(each.high))
    rows = [(each, reach[MEASURES[each.name].unit] or 1.0) for each in shown]
    return f"{before.label} → {after.label}", rows


def goodness(row: Row) -> float:
    """A score for an answer, 0 to 1: the mean of its known measures; -1 for a failed case."""
    if row.error is not None:
        return -1.0
    # where only retrieval was measured, by how well it ranked
    names = _GOODNESS if row.answer else ("article_hit@10",)
    known = [row.measures[name] for name in names if name in row.measures]
    if "forbidden_rate" in row.measures:
        known.append(1 - row.measures["forbidden_rate"])
    return sum(known) / len(known) if known else 1.0


def weakest(run: Run) -> list[Row]:
    """The rows with faults, worst first, and among equals the most confident first."""
    short = [row for row in run.rows if goodness(row) < 1]
    order = sorted(short, key=lambda row: (goodness(row), -(row.answer.confidence if row.answer else 0.0)))
    return order[:SHOWN]


def outcome(row: Row) -> str:
    """The outcome of a case: `error`, `declined`, `right`, `wrong`; empty if unknown."""
    if row.error is not None:
        return "error"
    if row.answer and row.answer.abstained and row.case.answerable is not True:
        return "declined"
    return {None: "", True: "right", False: "wrong"}[is_right(row.case, row.measures)]


def faults(row: Row) -> list[str]:
    """The faults of an answer (`eval.fault` of the locales)."""
    measures = row.measures
    if row.error is not None:
        return ["error"]
    if measures.get("abstention_right") == 0:
        return ["wrongly_answered" if row.case.answerable is False else "wrongly_declined"]
    found = {
        "missed": measures.get("evidence_hit", 1) == 0,
        "facts_missing": measures.get("fact_recall", 1) < 1,
        "unsupported": measures.get("citation_recall", 1) < 1,
        "inexact": measures.get("quote_exact", 1) < 1,
        "forbidden": measures.get("forbidden_rate", 0) > 0,
    }
    return [fault for fault, is_so in found.items() if is_so]


def pieces(text: str, fragments: Sequence[str]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is an evidence fragment."""
    spans = sorted((at, at + len(f)) for f in fragments if f and (at := text.find(f)) >= 0)
    found, end = [], 0
    for low, high in spans:
        if low >= end:
            found += [(text[end:low], False), (text[low:high], True)]
            end = high
    return [*found, (text[end:], False)]


def hits(cited: Citation, gold: Sequence[Json]) -> bool:
    """Whether a citation overlaps a gold sentence."""
    place = (cited.article_id, cited.start, cited.end)
    return any(touches(place, (each["article_id"], each["start"], each["end"])) for each in gold)


def _confidence_plots(run: Run, pen: Pen) -> dict[str, Any]:
    """Risk over coverage as far as questions were answered; the share that is right over confidence, where a
    dot's area goes by the number of answers."""
    given = [(sure, right) for _, sure, right in judged_confidence("confidence_ece", run.rows)]
    questions = sum(is_right(row.case, row.measures) is not None for row in run.rows if row.answer)
    if not given:
        return {"risk": None, "calibration": None}
    words, axis = pen.words, [(step / 5, pen.share(step / 5, 0)) for step in range(6)]
    curve = [(covered * len(given) / questions, risk) for covered, risk in risk_coverage(given)]
    coverage, risk = (pen.share(value) for value in curve[-1])
    found = reliability(given)
    return {
        "risk": {
            "axes": (axis, axis),
            "points": curve,
            "note": f"{words('eval.now')}: {coverage}, {risk} {words('eval.outcome.wrong')}",
            "description": f"{words('eval.coverage')} {coverage}; {words('eval.risk')} {risk}",
        },
        "calibration": {
            "axes": (axis, axis),
            "points": [(x, y, 3 + 12 * (n / len(given)) ** 0.5) for x, y, n in found],
            "description": "; ".join(f"{pen.share(x, 0)}: {pen.share(y, 0)} ({n})" for x, y, n in found),
        },
    }


def _latency(run: Run, pen: Pen) -> dict[str, Any] | None:
    """How many answers took how long; those beyond the axis are in the last bar."""
    seconds = [row.measures["seconds_total"] for row in run.rows if "seconds_total" in row.measures]
    if not seconds:
        return None
    times = dict(zip(("median", "p95"), quantiles(seconds), strict=True))
    end = min(max(seconds), 2 * times["p95"]) or 1.0
    counts, _ = np.histogram(np.minimum(seconds, end), bins=24, range=(0, end))
    most = int(counts.max())
    shown = {name: pen.shown("seconds_total", value) for name, value in times.items()}
    labels = {name: f"{pen.words(f'eval.{name}')} {value}" for name, value in shown.items()}
    return {
        **shown,
        "axes": (
            [(step / 5, pen.number(end * step / 5, 2)) for step in range(6)],
            [(step, pen.number(most * step, 0)) for step in (0, 0.5, 1)],
        ),
        "bars": [count / most for count in counts.tolist()],
        "marks": [(times[name] / end, label) for name, label in labels.items()],
        "description": "; ".join(labels.values()),
    }
