"""Protects `… | head`: a command whose reader leaves early ends quietly, with the status that shells know."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import app
import eval.__main__
import ingest.__main__
import rag.__main__
from rag.terminal import READER_LEFT, ends_with_its_reader
from tests.conftest import ROOT


def left(command: list[str]) -> tuple[int, str]:
    """Status and errors of a command whose output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
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


def shown(
    terminal: pytest.MonkeyPatch, encoding: str, main: Callable[..., int], *arguments: str
) -> tuple[int, str, str]:
    """Status, output and errors of a command on a terminal with such an encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        terminal.setattr(sys, name, stream)
    status = main(arguments)
    written = []
    for stream in streams:
        stream.seek(0)
        written.append(stream.read())
    return status, written[0], written[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp850"])
def test_output_without_some_characters_shows_the_others(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mole.txt").write_text("Kapitänin Yıldız liegt „seit Montag“ vor der Mole.", "utf-8")
    places = ["--articles", str(tmp_path / "mole.txt"), "--data", str(tmp_path / "data")]
    ask = ["ask", "Wo liegt Yıldız?", *places]
    assert re.search("Y[?ı]ld[?ı]z liegt", shown(monkeypatch, encoding, rag.__main__.main, *ask)[1])
    _, answer, _ = shown(monkeypatch, encoding, rag.__main__.main, *ask, "--json")
    assert "Kapitänin Yıldız liegt „seit Montag“" in json.loads(answer)["text"]


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (app.main, ["--articles", "{}"]),
        (rag.__main__.main, ["search", "Größe", "--articles", "{}"]),
        (ingest.__main__.main, ["{}"]),
        (eval.__main__.main, ["{}"]),
    ],
)
def test_every_command_of_a_terminal_without_umlauts_says_its_errors(
    tmp_path: Path, main: Callable[..., int], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = [each.format(tmp_path / "Überall") for each in arguments]
    status, _, errors = shown(monkeypatch, "ascii", main, *nowhere)
    assert (status, "?berall" in errors) == (1, True)


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
