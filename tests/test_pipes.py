"""Protects `… | head`: a command whose reader leaves early ends quietly, with the status that shells know."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.terminal import READER_LEFT, ends_with_its_reader
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


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp850"])
def test_output_without_some_characters_shows_the_others(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "mole.txt").write_text("Kapitänin Yıldız liegt „seit Montag“ vor der Mole.", "utf-8")
    asked = ["-m", "rag", "ask", "Wo liegt Yıldız?", "--articles", str(tmp_path / "mole.txt")]
    shown, as_json = (
        subprocess.run(
            [sys.executable, *asked, "--data", str(tmp_path / "data"), *form],
            cwd=ROOT,
            env=os.environ | {"PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        ).stdout.decode(encoding)
        for form in ([], ["--json"])
    )
    assert re.search("Y[?ı]ld[?ı]z liegt", shown)
    assert "Kapitänin Yıldız liegt „seit Montag“" in json.loads(as_json)["text"]


def test_every_command_of_a_terminal_without_umlauts_says_its_errors(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "Überall")
    for command in (["app.py"], ["-m", "rag", "search", "Größe"], ["-m", "ingest"], ["-m", "eval", nowhere]):
        place = [nowhere] if command[-1] == "ingest" else ["--articles", nowhere]
        done = subprocess.run(
            [sys.executable, *command, *place],
            cwd=ROOT,
            env=os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert b"berall" in done.stderr
        assert b"Traceback" not in done.stderr


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
