"""Runs and comparisons as tables for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from eval.measures import HEADLINE, MEASURES
from eval.metrics import quantile
from eval.runs import Row, Run
from eval.statistics import means, summary

_LEAST_SHARE = 0.1
COLUMNS = ("evidence_hit", "fact_recall", "citation_recall", "abstention_right", "evidence_recall@5", "words")
RETRIEVAL_COLUMNS = (
    "article_hit@1",
    "article_hit@5",
    "article_recall@10",
    "article_mrr@10",
    "article_ndcg@10",
)


def groups(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """All cases, and those of each type, language and frequent tag, by a name to show."""
    rows = list(rows)
    found: dict[str, list[Row]] = defaultdict(list)
    found["all"] = rows
    for heading, field in (("type", "type"), ("lang", "lang")):
        kinds = sorted({value for row in rows if (value := getattr(row.case, field))})
        for kind in kinds if len(kinds) > 1 else ():
            found[f"{heading} {kind}"] = [row for row in rows if getattr(row.case, field) == kind]
    for tag in sorted({tag for row in rows for tag in row.case.tags}):
        bearing = [row for row in rows if tag in row.case.tags]
        if _LEAST_SHARE * len(rows) <= len(bearing) < len(rows):
            found[f"tag {tag}"] = bearing
    answerable = [row for row in rows if row.case.answerable]
    if 0 < len(answerable) < len(rows):
        found["answerable"] = answerable
    return found


def shown(name: str, value: float) -> str:
    """A value with the digits that its unit deserves."""
    return {"words": f"{value:.1f}", "tokens": f"{value:.0f}", "cost": f"{value:.5f}"}.get(
        MEASURES[name].unit, f"{value:.3f}"
    )


def run_table(run: Run) -> str:
    """The measures with their intervals, then the most telling ones by type and language."""
    found = summary(run.measured)
    wanted = [name for name in HEADLINE if name in found]
    if run.about["set"]["retrieval_only"]:
        wanted = [name for name in found if name != "seconds_total"]
    lines = [f"{'measure':24}{'value':>8}   {'95 % interval':16}{'cases':>6}"]
    for name in wanted:
        value = found[name]
        span = f"{shown(name, value.low)} – {shown(name, value.high)}"
        lines.append(f"{name:24}{shown(name, value.value):>8}   {span:16}{value.cases:>6}")
    return "\n".join([*lines, "", *_by_group(run), "", *_cost(run), *_notes(run)])


def _by_group(run: Run) -> list[str]:
    columns = RETRIEVAL_COLUMNS if run.about["set"]["retrieval_only"] else COLUMNS
    lines = [f"{'':24}{'cases':>6}" + "".join(f"{name:>{len(name) + 2}}" for name in columns)]
    for name, rows in groups(run.rows).items():
        values = means([(row.case, row.measures) for row in rows], columns)
        cells = [(len(c) + 2, shown(c, values[c]) if c in values else "–") for c in columns]
        lines.append(f"{name:24}{len(rows):>6}" + "".join(f"{cell:>{width}}" for width, cell in cells))
    return lines


def _cost(run: Run) -> list[str]:
    """Median and 95th percentile of the times, sums of tokens and cost."""
    lines = []
    for name in ("seconds_first", "seconds_total"):
        if values := _values(run, name):
            lines.append(f"{name:24}p50 {quantile(values, 0.5):.3f}   p95 {quantile(values, 0.95):.3f}")
    for name in ("prompt_tokens", "completion_tokens", "cost"):
        if values := _values(run, name):
            lines.append(f"{name:24}sum {sum(values):g}   mean {sum(values) / len(values):g}")
    return lines


def _values(run: Run, name: str) -> list[float]:
    return [row.measures[name] for row in run.rows if name in row.measures]


def _notes(run: Run) -> list[str]:
    lines = [""]
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, needs in run.about["left_out"].items():
        reasons[needs].append(name)
    lines += [f"not measured: {_joined(names)}; needs {needs}" for needs, names in reasons.items()]
    for row in run.rows:
        if row.error is not None:
            lines.append(f"failed: {row.case.id}: {row.error['type']}: {row.error['message']}")
    return lines


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 5 else f"{names[0]} and {len(names) - 1} more"
