"""Measures of cases combined to one number for a set, with its 95 % interval, and laid out as tables."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from eval import metrics
from eval.measures import HEADLINE, MEASURES, is_right
from eval.metrics import Floats
from eval.runs import Row, Run
from rag.i18n import ENGLISH

RESAMPLES = 10_000
SEED = 20250815
DECLINING = ("abstention_precision", "abstention_recall", "abstention_f1")
CALIBRATION = ("confidence_auroc", "confidence_ece")
COLUMNS = ("evidence_hit", "fact_recall", "citation_recall", "abstention_right", "evidence_recall@5", "words")
RETRIEVAL_COLUMNS = tuple(f"article_{name}" for name in ("hit@1", "hit@5", "recall@10", "mrr@10", "ndcg@10"))
T = TypeVar("T")
_LEAST_SHARE = 0.1
_AT_ONCE = 1000  # resamples: memory for 10,000 at once grows with the set
_CONFIDENCE = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Value:
    """A measure over a set: its value, the 95 % interval, and over how many cases."""

    value: float
    low: float
    high: float
    cases: int


def parts(name: str, row: Row) -> tuple[float, float]:
    """A case's part of numerator and denominator: every measure except `CALIBRATION` is a ratio of two sums.

    A mean is the sum of values over the number of cases that have one; precision, recall and F1 of
    declining are such ratios of counts (F1 = 2 right / (declined + unanswerable)).
    """
    if name not in DECLINING:
        return (row.measures[name], 1.0) if name in row.measures else (0.0, 0.0)
    if row.case.answerable is None or "abstained" not in row.measures:
        return 0.0, 0.0
    said, true = row.measures["abstained"], float(not row.case.answerable)
    below = {"precision": said, "recall": true, "f1": (said + true) / 2}
    return said * true, below[name.removeprefix("abstention_")]


def judged_confidence(name: str, rows: Sequence[Row]) -> list[tuple[int, float, bool]]:
    """The cases for a measure of calibration: position, confidence, and outcome. The outcome is, for AUROC,
    that the question is answerable; for ECE, that an answer (not declined) is right."""
    found = []
    for place, row in enumerate(rows):
        given = name == "confidence_auroc" or row.measures.get("abstained") == 0.0
        outcome = row.case.answerable if name == "confidence_auroc" else is_right(row.case, row.measures)
        if "confidence" in row.measures and given and outcome is not None:
            found.append((place, row.measures["confidence"], outcome))
    return found


def values(rows: Sequence[Row], names: Sequence[str], weights: Floats | None = None) -> Floats:
    """The measures, a column each, under each weighting of the cases (a row of `weights`; default: 1 each).
    NaN if the denominator is 0."""
    weights = np.ones((1, len(rows))) if weights is None else weights
    ratios = np.array([[parts(name, row) for name in names] for row in rows], dtype=np.float64)
    sums = weights @ ratios.reshape(len(rows), 2 * len(names))
    above, below = sums[:, 0::2], sums[:, 1::2]
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    for column, name in enumerate(names):
        if name in CALIBRATION and (judged := judged_confidence(name, rows)):
            places, confidences, outcomes = (np.array(each) for each in zip(*judged, strict=True))
            formula = metrics.auroc if name == "confidence_auroc" else metrics.calibration_error
            found[:, column] = formula(confidences, outcomes, weights[:, places])
    return found


def resamples(clusters: Sequence[str]) -> Iterator[Floats]:
    """10,000 bootstrap samples of the clusters (Efron & Tibshirani 1993) as weights of the cases, in batches.
    Cases of one cluster, the questions of one conversation, come and go together."""
    names, cluster = np.unique(np.array(clusters), return_inverse=True)
    random = np.random.default_rng(SEED)
    even = np.full(len(names), 1 / len(names))
    for _ in range(RESAMPLES // _AT_ONCE):
        yield random.multinomial(len(names), even, size=_AT_ONCE)[:, cluster].astype(np.float64)


def interval(found: Floats) -> tuple[Floats, Floats]:
    """Bounds of the 95 % percentile interval along the first axis, samples without a value left out."""
    empty = np.all(np.isnan(found), axis=0)
    low, high = np.nanpercentile(np.where(empty, 0.0, found), _CONFIDENCE, axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def summary(rows: Sequence[Row]) -> dict[str, Value]:
    """The measures that any case has, by name."""
    found = means(rows)
    if not found:
        return {}
    names = list(found)
    conversations = [row.case.conversation for row in rows]
    drawn = [values(rows, names, weights) for weights in resamples(conversations)]
    lows, highs = interval(np.concatenate(drawn))
    return {
        name: Value(found[name], float(low), float(high), _cases(name, rows))
        for name, low, high in zip(names, lows, highs, strict=True)
    }


def _cases(name: str, rows: Sequence[Row]) -> int:
    """The number of cases that have a measure."""
    if name in DECLINING:
        return sum(row.case.answerable is not None and bool(row.measures) for row in rows)
    if name in CALIBRATION:
        return len(judged_confidence(name, rows))
    return sum(name in row.measures for row in rows)


def means(rows: Sequence[Row], names: Sequence[str] = tuple(MEASURES)) -> dict[str, float]:
    """Like `summary`, values only; without declining if no question is unanswerable."""
    declinable = any(row.case.answerable is False for row in rows)
    names = [name for name in names if declinable or name not in DECLINING]
    found = values(rows, names)[0] if rows else []
    return {name: float(value) for name, value in zip(names, found, strict=False) if not math.isnan(value)}


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Rows as columns, two spaces apart: those of `left` begin at the left, the others end at the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        pairs = enumerate(zip(row, widths, strict=True))
        lines.append("  ".join(f"{cell:{'<' if at in left else '>'}{width}}" for at, (cell, width) in pairs))
    return "\n".join(line.rstrip() for line in lines)


def by_value(items: Sequence[T], fields: Sequence[str], of: Callable[[T], object]) -> dict[str, Sequence[T]]:
    """The items by field and value, where a field of what they are about has several values."""
    found: dict[str, Sequence[T]] = {}
    for field in fields:
        values = sorted({value for item in items if (value := getattr(of(item), field))})
        for value in values if len(values) > 1 else ():
            found[f"{field} {value}"] = [item for item in items if getattr(of(item), field) == value]
    return found


def groups(rows: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """All cases, and those of each type, language and frequent tag, by a name to show."""
    found: dict[str, Sequence[Row]] = {"all": rows}
    found |= by_value(rows, ("type", "lang"), lambda row: row.case)
    for tag in sorted({tag for row in rows for tag in row.case.tags}):
        bearing = [row for row in rows if tag in row.case.tags]
        if _LEAST_SHARE * len(rows) <= len(bearing) < len(rows):
            found[f"tag {tag}"] = bearing
    answerable = [row for row in rows if row.case.answerable]
    if 0 < len(answerable) < len(rows):
        found["answerable"] = answerable
    return found


def columns_of(run: Run) -> tuple[str, ...]:
    """The most telling measures of a run."""
    return RETRIEVAL_COLUMNS if run.about["set"]["retrieval_only"] else COLUMNS


def by_kind(run: Run) -> list[tuple[str, int, dict[str, float]]]:
    """The name of each group, how many cases it has, and their most telling measures."""
    columns = columns_of(run)
    return [(name, len(rows), means(rows, columns)) for name, rows in groups(run.rows).items()]


def shown(name: str, value: float) -> str:
    """A value with the number of digits that suits its unit."""
    digits = {"words": 1, "tokens": 0, "cost": 5}.get(MEASURES[name].unit, 3)
    return f"{value:.{digits}f}"


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile: the least value that so many of the values do not exceed."""
    median, p95 = np.quantile(values, (0.5, 0.95), method="inverted_cdf")
    return float(median), float(p95)


def run_table(run: Run) -> str:
    """The measures with their intervals, then the most telling ones by kind of question, times and costs."""
    found = summary(run.rows)
    wanted = [name for name in HEADLINE if name in found]
    if run.about["set"]["retrieval_only"]:
        wanted = [name for name in found if name != "seconds_total"]
    rows = [[ENGLISH(f"eval.{name}") for name in ("name", "value", "interval", "over")]]
    for name in wanted:
        value = found[name]
        span = f"{shown(name, value.low)} – {shown(name, value.high)}"
        rows.append([name, shown(name, value.value), span, str(value.cases)])
    columns = columns_of(run)
    kinds = [[ENGLISH("eval.kind_of"), ENGLISH("eval.over"), *columns]]
    for name, count, values in by_kind(run):
        cells = [shown(column, values[column]) if column in values else "–" for column in columns]
        kinds.append([name, str(count), *cells])
    parts = [aligned(rows, left=(0, 2)), aligned(kinds), "\n".join(_cost(run)), "\n".join(_notes(run))]
    return "\n\n".join(part for part in parts if part)


def _cost(run: Run) -> list[str]:
    """Median and 95th percentile of the times, sums of tokens and cost."""
    lines = []
    for name in ("seconds_first", "seconds_total", "prompt_tokens", "completion_tokens", "cost"):
        values = [row.measures[name] for row in run.rows if name in row.measures]
        if values and MEASURES[name].unit == "seconds":
            lines.append("{:24}p50 {:.3f}   p95 {:.3f}".format(name, *quantiles(values)))
        elif values:
            lines.append(f"{name:24}sum {sum(values):g}   mean {sum(values) / len(values):g}")
    return lines


def _notes(run: Run) -> list[str]:
    """Notes: measures left out, with the reason, and failed cases."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, needs in run.about["left_out"].items():
        reasons[needs].append(name)
    left_out, needed, error = (ENGLISH(f"eval.{name}") for name in ("left_out", "needed", "outcome.error"))
    lines = []
    for needs, names in reasons.items():
        shown = ", ".join(names) if len(names) < 5 else f"{names[0]} and {len(names) - 1} more"
        lines.append(f"{left_out}: {shown}; {needed} {needs}")
    failed = [(row.case.id, row.error) for row in run.rows if row.error is not None]
    return lines + [f"{error}: {id}: {why['type']}: {why['message']}" for id, why in failed]
