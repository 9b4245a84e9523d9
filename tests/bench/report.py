"""The benchmark's figures as JSON and a Markdown table."""

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


def write(rows: Sequence[Row], folder: Path) -> str:
    """Writes bench.json and bench.md; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    figures = [_figures(row) for row in rows]
    text = json.dumps({**about, "rows": figures}, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    shown = f"{about['date']}, {about['machine']}\n\n{table(rows)}\n"
    (folder / "bench.md").write_text(shown, encoding="utf-8")
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
