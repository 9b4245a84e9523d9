"""Combines the measures of cases to one number for a set, with its 95 % interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval import metrics
from eval.measures import MEASURES, is_right
from eval.metrics import Floats
from eval.runs import Row

RESAMPLES = 10_000
SEED = 20250815
DECLINING = ("abstention_precision", "abstention_recall", "abstention_f1")
CALIBRATION = ("confidence_auroc", "confidence_ece")
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
