"""Protects docs/faults.md: every row names a test, and every test that is named exists."""

from __future__ import annotations

import re

from tests.conftest import ROOT

TABLE = (ROOT / "docs" / "faults.md").read_text("utf-8")
TEST = re.compile(r"`(test_\w+)\.(test_\w+)`")


def test_every_fault_has_a_test() -> None:
    rows = [row for row in TABLE.splitlines() if row.startswith("| ") and not row.startswith("| fault ")]
    assert len(rows) > 50
    assert [row for row in rows if not TEST.search(row)] == []


def test_every_test_exists() -> None:
    missing = [
        f"{module}.{name}"
        for module, name in TEST.findall(TABLE)
        if f"def {name}(" not in (ROOT / "tests" / f"{module}.py").read_text("utf-8")
    ]
    assert missing == []
