"""Protects `… | head`: a command whose reader leaves early ends quietly, with the status that shells know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.pipes import READER_LEFT, ends_with_its_reader
from tests.conftest import ROOT


def left(command: list[str], **environment: str) -> tuple[int, str]:
    """Status and errors of a command whose output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    "command",
    [["rag", "ask", "Wo liegt der Kutter?"], ["ingest"], ["eval", "questions.jsonl"]],
    ids=lambda command: str(command[0]),
)
def test_output_that_nobody_reads(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "mole.txt").write_text("Der Kutter liegt seit Montag vor der Mole.", "utf-8")
    (tmp_path / "questions.jsonl").write_text('{"id": "1", "question": "Wo liegt der Kutter?"}\n', "utf-8")
    name, *given = command
    places = [str(tmp_path)] if name == "ingest" else ["--articles", str(tmp_path / "mole.txt")]
    given = [str(tmp_path / each) if each.endswith(".jsonl") else each for each in given]
    status, errors = left(["-m", name, *given, *places, "--data", str(tmp_path / "data")])
    assert status == READER_LEFT
    assert "Error" not in errors


def test_what_is_read_keeps_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    @ends_with_its_reader
    def main(_: object = None) -> int:
        print("said")
        return 3

    assert (main(), capsys.readouterr().out) == (3, "said\n")


def test_other_failures_are_not_swallowed() -> None:
    @ends_with_its_reader
    def main(_: object = None) -> int:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        main()
