"""The benchmark's figures as JSON and a Markdown table."""

from __future__ import annotations

import json
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
    figures = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    text = json.dumps({**about, "rows": figures}, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    shown = f"{about['date']}, {about['machine']}\n\n{table(rows)}\n"
    (folder / "bench.md").write_text(shown, encoding="utf-8")
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
    peer = "" if row.peer is None else _amount(row.peer, row.unit)
    ratio = "" if row.ratio is None else f"{row.ratio:.3g} ×"
    most = [] if row.most is None else [f"≤ {_amount(row.most, row.unit)}"]
    times = [] if row.times is None else [f"≤ {row.times:g} ×"]
    met = {None: "", True: " met", False: " **missed**"}[row.met]
    goal = ", ".join([*most, *times]) + met
    ours = _amount(row.ours, row.unit)
    return f"| {row.name} | {row.articles:,} | {ours} | {peer} | {ratio} | {goal} | {row.n} |"


def _amount(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} {unit}" if unit == "s" else f"{value:,.0f} {unit}"
