"""The benchmark's figures as JSON, a Markdown table and a plot."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from eval.charts import Axes, curve, nice
from tests.bench.rows import Row

_STYLE = """<style>
svg { font: 12px system-ui, sans-serif; background: #fff; color: #222 }
.axis { stroke: #666 } .grid { stroke: #ddd } .curve { fill: none; stroke: #1f6feb; stroke-width: 2 }
.area { fill: #1f6feb; opacity: .1 } .dot { fill: #1f6feb } .note { font-weight: 600 } .tick { fill: #555 }
</style>"""


def write(rows: Sequence[Row], folder: Path) -> str:
    """Writes bench.json, bench.md and, from two sizes on, growth.svg; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    figures = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    text = json.dumps({**about, "rows": figures}, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    shown = f"{about['date']}, {about['machine']}\n\n{table(rows)}\n"
    (folder / "bench.md").write_text(shown, encoding="utf-8")
    points = [(row.articles, row.ours * 1000) for row in rows if row.name.startswith("retrieval, rerank")
              and row.name.endswith("p50")]  # fmt: skip
    if len(points) > 1:
        (folder / "growth.svg").write_text(_growth(points), encoding="utf-8")
    return shown


def machine() -> str:
    """Processor, cores and Python."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| what | articles | Beleg | peer | ratio | goal | n |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_line(row) for row in rows]
    notes = [f"- {row.name}, {row.articles:,} articles: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes])


def _line(row: Row) -> str:
    sign, unit = ("≥", " × faster") if row.times_faster else ("≤", " ×")
    met = "met" if row.met else "**missed**"
    return (
        f"| {row.name} | {row.articles:,} | {_amount(row.ours, row.unit)} | {_amount(row.peer, row.unit)}"
        f" | {row.ratio:.3g}{unit} | {sign} {row.goal:g} {met} | {row.n} |"
    )


def _amount(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} {unit}" if unit == "s" else f"{value:,.0f} {unit}"


def _growth(points: Sequence[tuple[float, float]]) -> str:
    axes = Axes(
        nice(points[-1][0]),
        nice(max(y for _, y in points)),
        "articles",
        "milliseconds a question",
        lambda x: f"{x:,.0f}",
        lambda y: f"{y:g}",
    )
    drawn = curve(
        "growth",
        "Retrieval by number of articles",
        "Median milliseconds for retrieval with rerank and confidence",
        points,
        axes,
        f"{points[-1][1]:.1f} ms",
    )
    opening, rest = str(drawn).split(">", 1)
    return opening.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1) + ">" + _STYLE + rest
