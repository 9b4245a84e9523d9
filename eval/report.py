"""A run, or several, as HTML: what the templates show, worked out; words and markup are in the templates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from eval.compare import Difference, compare
from eval.measures import HEADLINE, LEVELS, MEASURES, RANKS, is_right
from eval.metrics import reliability, risk_coverage, says, touches, without_markers
from eval.runs import Json, Row, Run, write_whole
from eval.statistics import means, summary
from eval.tables import COLUMNS, RETRIEVAL_COLUMNS, groups, quantiles
from rag.engine import EXTRACTIVE
from rag.i18n import LANGUAGES, Words
from rag.serve.views import environment

_TEMPLATES = environment(Path(__file__).parent / "templates")
SHOWN = 20  # of the weakest answers
_MOST_TILES = 4
_TILES = (
    "evidence_hit",
    "fact_recall",
    "citation_precision",
    "abstention_f1",
    "article_mrr@10",
    "article_ndcg@10",
)
_GROUPS = ("answers", "citations", "declining", "confidence", "retrieval", "cost")
_TELLING = ("hit@1", "recall@5", "mrr@10", "ndcg@10")  # a table of its own has the others
_GOODNESS = (
    *("abstention_right", "evidence_hit", "fact_recall", "citation_recall", "quote_exact"),
    *("article_hit@10", "judge_faithfulness"),
)


def report(runs: Sequence[Run], lang: str = "de") -> str:
    """The page on the last of the runs; with several it begins with how the others differ from the first.

    It is one file that loads nothing. Raises BadRequest for runs that cannot be compared.
    """
    return _TEMPLATES.get_template("report.html").render(_view(runs, lang))


def keep_reports(folder: Path, runs: Sequence[Run]) -> None:
    """Writes `latest.html` in German and `latest.en.html` in English, and what the web chat shows of each
    in a frame of its own: `part.de.html`, `part.en.html`."""
    for lang, name in (("de", "latest.html"), ("en", "latest.en.html")):
        view = _view(runs, lang)
        write_whole(folder / name, _TEMPLATES.get_template("report.html").render(view))
        write_whole(folder / f"part.{lang}.html", _TEMPLATES.get_template("part.html").render(view))


def _view(runs: Sequence[Run], lang: str) -> dict[str, Any]:
    """All that the templates show."""
    run, pen = runs[-1], Pen(LANGUAGES[lang])
    values = summary(run.measured)
    known = means(run.measured)
    columns = RETRIEVAL_COLUMNS if run.about["set"]["retrieval_only"] else COLUMNS
    return dict(
        words=pen.words,
        run=run,
        values=values,
        facts=_facts(run, pen),
        comparisons=[_comparison(runs[0], each) for each in runs[1:]],
        tiles=[name for name in _TILES if name in values][:_MOST_TILES],
        risk=_risk(run, pen),
        calibration=_calibration(run, pen),
        latency=_latency(run, pen),
        groups=[(group, here) for group in _GROUPS if (here := _members(group, values))],
        levels=[level for level in LEVELS if f"{level}_hit@1" in values],
        ranks=RANKS,
        kinds=_kinds(run, columns),
        kind_columns=[name for name in columns if name in known],
        weakest=weakest(run),
        case_columns=[name for name in COLUMNS if name in known and name != "words"],
        left_out=[(name, measure.needs) for name, measure in MEASURES.items() if name not in values],
        settings={
            **run.about["engine"],
            **{name: run.about.get(name) for name in ("scorer", "judge")},
            "set sha256": run.about["set"]["sha256"],
            **run.about["settings"],
        },
        **{each.__name__: each for each in (faults, hits, outcome, pieces, on_track)},
        **{name: getattr(pen, name) for name in ("legend", "shown", "span")},
        says_any=lambda text, ways: any(says(without_markers(text), way) for way in ways),
        source=lambda place: (
            ", ".join(filter(None, (place.get("outlet"), place.get("title")))) or place["article_id"]
        ),
        labels=lambda names: [pen.legend(name)[0] for name in names],
        unit=lambda name: MEASURES[name].unit,
    )


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes numbers and the names of measures in one language."""

    words: Words

    def number(self, value: float, digits: int) -> str:
        """A number with so many digits behind the decimal sign."""
        return f"{value:.{digits}f}".replace(".", self.words.at("format.decimal")).replace("-", "−")

    def share(self, value: float, digits: int = 1) -> str:
        """A share of one as per cent."""
        return self.number(100 * value, digits) + str(self.words.at("format.percent"))

    def seconds(self, value: float) -> str:
        """A time."""
        return self.number(value, 2 if value < 10 else 1) + "\u202fs"

    def shown(self, name: str, value: float) -> str:
        """A measure's value."""
        match MEASURES[name].unit:
            case "share":
                return self.share(value)
            case "seconds":
                return self.seconds(value)
            case unit:
                return self.number(value, {"tokens": 0, "cost": 5}.get(unit, 1))

    def span(self, name: str, low: float, high: float) -> str:
        """An interval of a measure's."""
        return f"{self.shown(name, low)} – {self.shown(name, high)}"

    def legend(self, name: str) -> tuple[str, str]:
        """What a measure is called, and what it says."""
        level, _, rest = name.partition("_")
        rank, _, k = rest.partition("@")
        if level not in LEVELS or not k:
            label, text = self.words.at(f"eval.measure.{name}")
            return label, text
        label = {"mrr": "MRR", "ndcg": "nDCG"}.get(rank, rank)
        return f"{self.words(f'eval.level.{level}')}: {label}@{k}", self.words(f"eval.retrieval.{rank}", k=k)


def _members(group: str, present: Collection[str]) -> list[str]:
    """The measures of a group that are there; those of retrieval at the most telling depths."""
    names = [name for name, measure in MEASURES.items() if measure.group == group and name in present]
    return [name for name in names if name.partition("_")[2] not in RANKS or name.endswith(_TELLING)]


def _facts(run: Run, pen: Pen) -> list[str]:
    """What the head of the report says of a run."""
    about, words = run.about, pen.words
    mode, created = about["engine"]["mode"], str(about.get("created", ""))
    try:
        form = "%d.%m.%Y, %H:%M UTC" if words.lang == "de" else "%Y-%m-%d, %H:%M UTC"
        created = datetime.fromisoformat(created).strftime(form)
    except ValueError:
        pass  # as it is
    return [
        *([run.label] if about.get("label") else []),
        words("eval.cases", n=len(run.rows)),
        words("eval.extractive") if mode == EXTRACTIVE else f"{words('eval.by')} {mode}",
        f"{words('eval.made')} {created}",
        f"Beleg {about.get('version', '')}",
    ]


def _comparison(before: Run, after: Run) -> tuple[str, list[tuple[Difference, float]]]:
    """The title, and the differences of the most telling measures, each with the reach of its bar."""
    found = {each.name: each for each in compare(before, after)}
    shown = [found[name] for name in (*HEADLINE, "seconds_total") if name in found] or list(found.values())
    reach: dict[str, float] = {}
    for each in shown:
        unit = MEASURES[each.name].unit
        reach[unit] = max(reach.get(unit, 0.0), abs(each.low), abs(each.high))
    rows = [(each, nice(reach[MEASURES[each.name].unit] or 0.1)) for each in shown]
    return f"{before.label} → {after.label}", rows


def _kinds(run: Run, columns: Sequence[str]) -> list[tuple[str, str, int, dict[str, float]]]:
    """Heading and name of each kind of case, how many there are, and their measures."""
    found = []
    for kind, members in groups(run.rows).items():
        heading, _, name = kind.partition(" ")
        measured = [(row.case, row.measures) for row in members]
        found.append((heading, name, len(members), means(measured, columns)))
    return found


# --- the weakest answers --------------------------------------------------------------------------


def goodness(row: Row) -> float:
    """How good an answer is, 0 to 1: the mean of what is known of it; -1 where the case failed."""
    if row.error is not None:
        return -1.0
    # where only retrieval was measured, by how well it ranked
    names = [name for name in _GOODNESS if name != "article_hit@10" or row.answer is None]
    known = [row.measures[name] for name in names if name in row.measures]
    if "forbidden_rate" in row.measures:
        known.append(1 - row.measures["forbidden_rate"])
    return sum(known) / len(known) if known else 1.0


def weakest(run: Run, most: int = SHOWN) -> list[Row]:
    """The rows that fall short, worst first; of those as bad the surest answer comes first."""
    short = [row for row in run.rows if goodness(row) < 1]
    return sorted(short, key=lambda row: (goodness(row), -float((row.answer or {}).get("confidence", 0))))[
        :most
    ]


def outcome(row: Row) -> str:
    """What became of a case: `error`, `declined`, `right`, `wrong`; nothing where it cannot be told."""
    if row.error is not None:
        return "error"
    if row.answer and row.answer["abstained"] and row.case.answerable is not True:
        return "declined"
    right = is_right(row.case, row.measures)
    return "" if right is None else "right" if right else "wrong"


def faults(row: Row) -> list[str]:
    """What is wrong with an answer (`eval.fault` of the locales)."""
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
    """The text cut at the evidence fragments in it, and which pieces are such."""
    spans = sorted((at, at + len(f)) for f in fragments if f and (at := text.find(f)) >= 0)
    found, end = [], 0
    for low, high in spans:
        if low >= end:
            found += [(text[end:low], False), (text[low:high], True)]
            end = high
    return [*found, (text[end:], False)]


def hits(citation: Json, gold: Sequence[Json]) -> bool:
    """Whether a citation touches a gold sentence."""
    one, *others = ((c["article_id"], c["start"], c["end"]) for c in (citation, *gold))
    return any(touches(one, other) for other in others)


# --- plots ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Axes:
    """The frame of a plot, 520 by 300: how far the axes go (from 0), and the labels of their ticks."""

    most_x: float
    most_y: float
    labels_x: Mapping[float, str]
    labels_y: Mapping[float, str]
    left: float = 56.0
    right: float = 494.0
    top: float = 16.0
    bottom: float = 254.0

    def x(self, value: float) -> float:
        """Pixels from the left, at most where the axis ends."""
        return round(self.left + (self.right - self.left) * min(1.0, value / self.most_x), 2)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return round(self.bottom - (self.bottom - self.top) * value / self.most_y, 2)

    @property
    def x_ticks(self) -> list[tuple[float, str]]:
        """Where the ticks are, with their labels."""
        return [(self.x(value), label) for value, label in self.labels_x.items()]

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """As `x_ticks`."""
        return [(self.y(value), label) for value, label in self.labels_y.items()]


def _share_axes(pen: Pen, most_y: float = 1.0) -> Axes:
    labels_x, labels_y = ({tick: pen.share(tick, 0) for tick in ticks(most)} for most in (1.0, most_y))
    return Axes(1.0, most_y, labels_x, labels_y)


def _answered(run: Run) -> tuple[list[tuple[float, bool]], int]:
    """Confidence of the answers given and whether they are right; and of how many questions that is known."""
    judged = [(row.answer, is_right(row.case, row.measures)) for row in run.rows if row.answer]
    known = [(answer, right) for answer, right in judged if right is not None]
    given = [(float(answer["confidence"]), right) for answer, right in known if not answer["abstained"]]
    return given, len(known)


def _risk(run: Run, pen: Pen) -> dict[str, Any] | None:
    """Risk over coverage, as far as questions were answered."""
    given, questions = _answered(run)
    if not given:
        return None
    points = [(covered * len(given) / questions, risk) for covered, risk in risk_coverage(given)]
    axes = _share_axes(pen, max(0.2, nice(max(risk for _, risk in points))))
    coverage, risk = (pen.share(value) for value in points[-1])
    words = pen.words
    return {
        "axes": axes,
        "points": [(axes.x(covered), axes.y(wrong)) for covered, wrong in points],
        "note": f"{words('eval.now')}: {coverage}, {risk} {words('eval.outcome.wrong')}",
        "description": f"{words('eval.coverage')} {coverage}; {words('eval.risk')} {risk}",
    }


def _calibration(run: Run, pen: Pen) -> dict[str, Any] | None:
    """The share of right answers over their confidence; a dot's area goes by the number of answers."""
    given, _ = _answered(run)
    if not given:
        return None
    axes, found = _share_axes(pen), reliability(given)
    points = [(axes.x(c), axes.y(r), round(3 + 12 * math.sqrt(n / len(given)), 2)) for c, r, n in found]
    description = "; ".join(f"{pen.share(c, 0)}: {pen.share(r, 0)} ({n})" for c, r, n in found)
    return {"axes": axes, "points": points, "description": description}


def _latency(run: Run, pen: Pen) -> dict[str, Any] | None:
    """How many answers took how long; those beyond the axis are in the last bar."""
    seconds = [row.measures["seconds_total"] for row in run.rows if "seconds_total" in row.measures]
    if not seconds:
        return None
    median, p95 = quantiles(seconds)
    end = nice(min(max(seconds), 2 * p95) * 1.02)
    counts = bins(seconds, end)
    most = nice(max(5, *counts))
    labels_x = {tick: pen.number(tick, digits(end)) for tick in ticks(end)}
    axes = Axes(end, most, labels_x, {tick: pen.number(tick, 0) for tick in ticks(most)})
    width = end / len(counts)
    shown = {"median": pen.seconds(median), "p95": pen.seconds(p95)}
    labels = [f"{pen.words('eval.median')} {shown['median']}", f"{pen.words('eval.p95')} {shown['p95']}"]
    return {
        **shown,
        "axes": axes,
        "bars": [
            (axes.x(place * width) + 1, axes.y(count), round(axes.x(width) - axes.left - 2, 2))
            for place, count in enumerate(counts)
            if count
        ],
        "marks": [(axes.x(median), labels[0]), (axes.x(p95), labels[1])],
        "description": "; ".join(labels),
    }


def on_track(share: float) -> float:
    """Where a share lies on the track of a bar, in pixels."""
    return round(180 * min(1.0, max(0.0, share)), 2)


def bins(values: Sequence[float], most: float) -> list[int]:
    """How many values lie in each of 24 equal ranges from 0 to `most`; greater ones in the last."""
    counts, _ = np.histogram(np.minimum(values, most), bins=24, range=(0, most))
    return [int(count) for count in counts]


def ticks(most: float) -> list[float]:
    """Round values from 0 to the end of an axis, which is a `nice` number."""
    digit = round(most / 10.0 ** math.floor(math.log10(most) + 1e-9))
    steps = 4 if digit in (2, 4, 8) else 5
    return [most * step / steps for step in range(steps + 1)]


def digits(most: float) -> int:
    """Digits behind the decimal point that the ticks of an axis need."""
    return max(0, -math.floor(math.log10(ticks(most)[1]) + 1e-9))


def nice(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 or 10 times a power of ten that is not smaller: a good end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value * (1 - 1e-9))
