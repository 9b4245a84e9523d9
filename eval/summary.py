"""From the measures of single cases to one number for a set, with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.cases import Case
from eval.measures import MEASURES

RESAMPLES = 10_000
SEED = 20250815
DECLINING = ("abstention_precision", "abstention_recall", "abstention_f1")
_AT_ONCE = 1000  # resamples: memory for 10,000 at once grows with the set
_CONFIDENCE = (2.5, 97.5)

Floats = NDArray[np.float64]
Measured = tuple[Case, Mapping[str, float]]
"""A case with its measures; no measures where it failed."""


@dataclass(frozen=True, slots=True)
class Value:
    """A measure over a set: its value, the 95 % interval, and over how many cases."""

    value: float
    low: float
    high: float
    cases: int


def parts(name: str, case: Case, measures: Mapping[str, float]) -> tuple[float, float]:
    """What a case adds above and below the line of a measure: every measure is a ratio of two sums.

    A mean is the sum of values over the number of cases that have one; precision, recall and F1 of
    declining are such ratios of counts (F1 = 2 right / (declined + unanswerable)).
    """
    if name not in DECLINING:
        return (measures[name], 1.0) if name in measures else (0.0, 0.0)
    if case.answerable is None or "abstained" not in measures:
        return 0.0, 0.0
    said, true = measures["abstained"], float(not case.answerable)
    below = {
        "abstention_precision": said,
        "abstention_recall": true,
        "abstention_f1": (said + true) / 2,
    }[name]
    return said * true, below


def columns(measured: Sequence[Measured], names: Sequence[str]) -> Floats:
    """The parts of all cases, one row a case, two columns a measure."""
    rows = [[part for name in names for part in parts(name, case, found)] for case, found in measured]
    return np.array(rows, dtype=np.float64).reshape(len(measured), 2 * len(names))


def ratios(sums: Floats) -> Floats:
    """Values from sums of `columns`; NaN where there is nothing below the line."""
    above, below = sums[..., 0::2], sums[..., 1::2]
    values: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return values


def resampled(rows: Floats, clusters: Sequence[str], seed: int = SEED) -> Floats:
    """Sums of the rows over 10,000 bootstrap samples of the clusters (Efron & Tibshirani 1993).

    Rows of one cluster, the questions of one conversation, come and go together.
    """
    _, cluster = np.unique(np.array(clusters), return_inverse=True)
    count = int(cluster.max()) + 1
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, cluster, rows)
    random = np.random.default_rng(seed)
    even = np.full(count, 1 / count)
    batches = [random.multinomial(count, even, size=_AT_ONCE) @ sums for _ in range(RESAMPLES // _AT_ONCE)]
    return np.concatenate(batches)


def interval(values: Floats) -> tuple[Floats, Floats]:
    """Bounds of the 95 % percentile interval along the first axis, samples without a value left out."""
    empty = np.all(np.isnan(values), axis=0)
    low, high = np.nanpercentile(np.where(empty, 0.0, values), _CONFIDENCE, axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def summary(measured: Sequence[Measured], names: Sequence[str] = tuple(MEASURES)) -> dict[str, Value]:
    """The measures that any case has, by name."""
    if not measured:
        return {}
    names = without_counts(measured, names)
    rows = columns(measured, names)
    values = ratios(rows.sum(axis=0))
    lows, highs = interval(ratios(resampled(rows, [case.conversation for case, _ in measured])))
    counts = (rows[:, 1::2] > 0).sum(axis=0)
    known = sum(case.answerable is not None and bool(found) for case, found in measured)
    return {
        name: Value(float(values[i]), float(lows[i]), float(highs[i]), _cases(name, int(counts[i]), known))
        for i, name in enumerate(names)
        if not math.isnan(values[i])
    }


def without_counts(measured: Sequence[Measured], names: Sequence[str]) -> list[str]:
    """The names less those that say nothing here: declining, where no question is unanswerable."""
    declinable = any(case.answerable is False for case, _ in measured)
    return [name for name in names if declinable or name not in DECLINING]


def _cases(name: str, count: int, known: int) -> int:
    return known if name in DECLINING else count


def means(measured: Sequence[Measured], names: Sequence[str] = tuple(MEASURES)) -> dict[str, float]:
    """As `summary`, values only."""
    names = without_counts(measured, names)
    values = ratios(columns(measured, names).sum(axis=0))
    return {name: float(value) for name, value in zip(names, values, strict=True) if not math.isnan(value)}


def missing(measured: Sequence[Measured]) -> dict[str, str]:
    """The measures that no case has, with what they need."""
    present = means(measured)
    return {name: measure.needs for name, measure in MEASURES.items() if name not in present}
