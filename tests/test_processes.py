"""Protects a data folder from a second process: it is told who has it and where, within seconds, by every
door; measured without the lock, it hung for minutes and lost vectors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.store import lock
from tests.conftest import ROOT
from tests.real_server import running
from tests.test_sync import BRIDGE, HEATING, House

pytestmark = pytest.mark.slow

WITHIN = 300  # seconds, the start of Python on a busy machine included
WEIGHTED = {"BELEG_DENSE_WEIGHT": "0.5"}


def test_a_second_process_waits_less_than_five_seconds() -> None:
    assert lock.WAIT_SECONDS < 5


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of Beleg's; one that hangs fails the test."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
    )


def test_chat_that_ranks_by_meaning_owns_its_folder(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("heating.txt", HEATING)
    folders = ("--articles", str(house.articles), "--data", str(house.data))
    with running(house.articles, house.data, BELEG_SYNC_SECONDS="0", **WEIGHTED) as address:
        house.write("bridge.txt", BRIDGE)
        for refused in (
            run("-m", "ingest", *folders[1:], "--rebuild"),
            run("-m", "rag", "ask", "Wer stimmte dafür?", *folders, **WEIGHTED),
            run("app.py", *folders, "--port", "0", **WEIGHTED),
        ):
            assert refused.returncode == 1, refused.stdout
            told = rf"is in use by process \d+ \(app\.py .*\); use it at {re.escape(address)}, or stop it"
            assert re.search(told, refused.stderr), refused.stderr
            assert "Traceback" not in refused.stderr
        (house.articles / "bridge.txt").unlink()
        asked = run("-m", "rag", "ask", "Wie viele Mitglieder stimmten dafür?", *folders)
        assert asked.returncode == 0, asked.stderr  # by words alone, nobody is in the way
        assert "38 Mitglieder" in asked.stdout
    house.write("bridge.txt", BRIDGE)
    house.sync()
    house.assert_whole()


def test_chat_that_ranks_by_words_owns_its_folder_too(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("heating.txt", HEATING)
    folders = ("--articles", str(house.articles), "--data", str(house.data))
    with running(house.articles, house.data, BELEG_SYNC_SECONDS="0") as address:
        house.write("bridge.txt", BRIDGE)
        refused = run("-m", "ingest", *folders[1:])
        assert refused.returncode == 1, refused.stdout
        assert f"use it at {address}, or stop it" in refused.stderr
        asked = run("-m", "rag", "ask", "Wie viele Mitglieder stimmten dafür?", *folders)
        assert asked.returncode == 0, asked.stderr
