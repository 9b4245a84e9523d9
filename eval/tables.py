"""Runs as tables for the terminal."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from eval.measures import HEADLINE, MEASURES
from eval.runs import Row, Run
from eval.statistics import means, summary
from rag.i18n import ENGLISH

T = TypeVar("T")
_LEAST_SHARE = 0.1
COLUMNS = ("evidence_hit", "fact_recall", "citation_recall", "abstention_right", "evidence_recall@5", "words")
RETRIEVAL_COLUMNS = tuple(f"article_{name}" for name in ("hit@1", "hit@5", "recall@10", "mrr@10", "ndcg@10"))


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
    parts = [
        aligned(rows, left=(0, 2)),
        aligned(kinds),
        "\n".join(_cost(run)),
        "\n".join(_notes(run)),
    ]
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
