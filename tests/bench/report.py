"""The benchmark's figures as JSON, a Markdown table and a plot."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.rows import Row

_STYLE = """<style>
svg { font: 12px system-ui, sans-serif; background: #fff; color: #222 }
.grid { stroke: #ddd } .curve { fill: none; stroke: #1f6feb; stroke-width: 2 }
.dot { fill: #1f6feb } .note { font-weight: 600 }
</style>"""


_PLOTS = {
    "growth.svg": ("retrieval, rerank and confidence, p50", "milliseconds", 1000, "Median time of retrieval"),
    "growth-p95.svg": (
        "retrieval, rerank and confidence, p95",
        "milliseconds",
        1000,
        "Slow retrievals",
    ),
    "growth-memory.svg": ("memory while answering", "MB", 1, "Memory while answering"),
}
"""File → row, unit, factor to it, and title."""


def write(rows: Sequence[Row], folder: Path) -> str:
    """Writes bench.json, bench.md and, from two sizes on, plots of growth; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    figures = [_figures(row) for row in rows]
    text = json.dumps({**about, "rows": figures}, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    shown = f"{about['date']}, {about['machine']}\n\n{table(rows)}\n"
    (folder / "bench.md").write_text(shown, encoding="utf-8")
    for file, (name, unit, factor, title) in _PLOTS.items():
        points = [(row.articles, row.ours * factor) for row in rows if row.name == name]
        if len(points) > 1:
            (folder / file).write_text(_growth(points, unit, title), encoding="utf-8")
    return shown


def _figures(row: Row) -> dict[str, object]:
    held = {**asdict(row), "ratio": row.ratio, "met": row.met}
    alone = {"peer": None, "ratio": None, "goal": None, "met": None} if math.isnan(row.peer) else {}
    return held | alone  # JSON knows no NaN


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
    if math.isnan(row.peer):
        return f"| {row.name} | {row.articles:,} | {_amount(row.ours, row.unit)} | | | | {row.n} |"
    sign, unit = ("≥", " × faster") if row.times_faster else ("≥" if row.at_least else "≤", " ×")
    met = "met" if row.met else "**missed**"
    return (
        f"| {row.name} | {row.articles:,} | {_amount(row.ours, row.unit)} | {_amount(row.peer, row.unit)}"
        f" | {row.ratio:.3g}{unit} | {sign} {row.goal:g} {met} | {row.n} |"
    )


def _amount(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} {unit}" if unit == "s" else f"{value:,.0f} {unit}"


def _growth(points: Sequence[tuple[float, float]], unit: str, title: str) -> str:
    most_x, most_y = points[-1][0], max(y for _, y in points) or 1.0
    placed = [(56 + 438 * x / most_x, 254 - 238 * y / most_y) for x, y in points]
    line = " ".join(f"{x:.2f},{y:.2f}" for x, y in placed)
    across = [
        f'<text x="{56 + 438 * share}" y="272" text-anchor="middle">{most_x * share:,.0f}</text>'
        for share in (0, 0.5, 1)
    ]
    up = [
        f'<path d="M56,{254 - 238 * share}H494" class="grid"/>'
        f'<text x="48" y="{258 - 238 * share}" text-anchor="end">{most_y * share:.3g}</text>'
        for share in (0, 0.5, 1)
    ]
    x, y = placed[-1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 300" role="img">{_STYLE}'
        f"<title>{title}, in {unit}, by number of articles</title>{''.join([*across, *up])}"
        f'<text x="275" y="292" text-anchor="middle">articles</text><text x="4" y="12">{unit}</text>'
        f'<polyline points="{line}" class="curve"/><circle cx="{x}" cy="{y}" r="5.5" class="dot"/>'
        f'<text x="{x - 10}" y="{max(y - 12, 14)}" text-anchor="end" class="note">{points[-1][1]:.1f}</text>'
        "</svg>"
    )
