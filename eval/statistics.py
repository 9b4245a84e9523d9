"""Measures of cases combined to one number for a set, with its 95 % interval, and laid out as tables.

What only a set has, the calibration of confidence, has its formulas here.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eval.measures import HEADLINE, MEASURES, is_right
from eval.runs import Row, Run
from rag.i18n import ENGLISH

Floats = NDArray[np.float64]

BINS = 10  # ranges of confidence
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
            formula = auroc if name == "confidence_auroc" else calibration_error
            found[:, column] = formula(confidences, outcomes, weights[:, places])
    return found


def risk_coverage(answers: Iterable[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Points (coverage, risk) of answering only where confidence is high enough, from (confidence, right).

    Coverage is the share of the answers that are given, risk the share of those that are wrong
    (El-Yaniv & Wiener 2010); answers of the same confidence come together.
    """
    ordered = sorted(answers, reverse=True)
    points, wrong = [], 0
    for given, (confidence, right) in enumerate(ordered, 1):
        wrong += not right
        if given == len(ordered) or ordered[given][0] != confidence:
            points.append((given / len(ordered), wrong / given))
    return points


def auroc(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """Area under the ROC curve: the chance that a positive scores higher than a negative, ties count half.

    Mann & Whitney 1947; Fawcett 2006. One value for each row of `weights`, which weigh the scores; NaN
    where either kind is missing.
    """
    ours, theirs = scores[positive, None], scores[None, ~positive]
    above = (ours > theirs) + 0.5 * (ours == theirs)
    wins = ((weights[:, positive] @ above) * weights[:, ~positive]).sum(axis=1)
    pairs = weights[:, positive].sum(axis=1) * weights[:, ~positive].sum(axis=1)
    area: Floats = np.divide(wins, pairs, out=np.full(wins.shape, np.nan), where=pairs > 0)
    return area


def calibration_error(confidence: Floats, right: NDArray[np.bool_], weights: Floats) -> Floats:
    """Expected calibration error: how far confidence is from the share that is right, over ten equal ranges.
    Naeini et al. 2015; Guo et al. 2017 (arXiv 1706.04599). One value for each row of `weights`."""
    gaps = np.zeros((len(confidence), BINS))
    gaps[np.arange(len(confidence)), bin_of(confidence)] = confidence - right
    total = weights.sum(axis=1)
    gap = np.abs(weights @ gaps).sum(axis=1)
    error: Floats = np.divide(gap, total, out=np.full(gap.shape, np.nan), where=total > 0)
    return error


def bin_of(confidence: Floats) -> NDArray[np.int_]:
    """The number of the equal range, of ten, for each confidence; 1 belongs to the last."""
    places: NDArray[np.int_] = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return places


def reliability(answers: Iterable[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """For each range of confidence with answers: mean confidence, share right, and number of answers. The
    reliability diagram of Guo et al. 2017, from (confidence, right)."""
    pairs = np.array(list(answers), dtype=np.float64).reshape(-1, 2)
    places = bin_of(pairs[:, 0])
    groups = [pairs[places == place] for place in range(BINS)]
    return [(float(g[:, 0].mean()), float(g[:, 1].mean()), len(g)) for g in groups if len(g)]


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
