"""Protects `python -m ingest` as people and scripts meet it: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.__main__ import main
from rag.store.library_file import SCHEMA_VERSION

ROOT = Path(__file__).parents[1]
TEXT = "Der Stadtrat hat am Mittwoch den Wärmeplan beschlossen. 38 Mitglieder stimmten dafür, 21 dagegen."


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "heating.txt").write_text(TEXT, encoding="utf-8")
    return folder


def run(articles: Path, *options: str) -> int:
    return main([str(articles), "--data", str(articles.parent / "data"), *options])


def test_summary_says_what_was_done(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(articles) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(
        "1 article, 1 passage in the index: 1 added, 0 changed, 0 deleted, 0 unchanged"
    )
    assert printed.err == ""
    assert run(articles) == 0
    assert "0 added, 0 changed, 0 deleted, 1 unchanged" in capsys.readouterr().out


def test_skipped_files_are_named_with_the_reason(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (articles / "leer.txt").write_text("")
    assert run(articles) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("skipped: ")]
    assert "leer.txt: is empty" in line


def test_a_file_read_in_part_is_not_called_skipped(
    articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (articles / "wire.jsonl").write_text('{"text": "Der Deich hält seit dem Herbst."}\n{broken\n')
    assert run(articles) == 0
    out = capsys.readouterr().out
    assert "wire.jsonl: line 2" in out.split("read in part: ")[1]
    assert "skipped" not in out


def test_what_is_not_read_is_counted_by_kind(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (articles / "sub").mkdir()
    for name in ("a.doc", "sub/b.DOC", "c.png", "Makefile", ".hidden", "README.rst", "~$d.docx"):
        (articles / name).write_text("x")
    (articles / "linked").symlink_to(articles.parent, target_is_directory=True)
    assert run(articles) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "not read: 4 files of other kinds: .doc 2, .png 1, without ending 1; 1 linked folder not entered"
    )
    for path in articles.rglob("*"):
        if path.is_symlink() or (path.is_file() and path.name != "heating.txt"):
            path.unlink()
    assert run(articles) == 0
    assert "not read" not in capsys.readouterr().out


def test_json_is_all_that_is_printed(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (articles / "leer.txt").write_text("")
    assert run(articles, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["articles"], report["chunks"]) == (1, 1, 1)
    assert report["skipped"][0]["name"].endswith("leer.txt")
    assert report["skipped"][0]["reason"].startswith("is empty")
    assert report["fingerprint"].startswith(f"schema {SCHEMA_VERSION}")


def test_nothing_readable_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "leer.txt").write_text("")
    assert run(folder) == 1
    assert "leer.txt" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_error_is_one_line_without_a_traceback(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / name) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert len(printed.err.splitlines()) == 1


def test_several_paths_and_a_rebuild(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = articles.parent / "bridge.txt"
    other.write_text("Die Brücke am Hafen wird ab Montag gesperrt. Das teilte die Stadt am Freitag mit.")
    assert run(articles, str(other), "--rebuild", "--json") == 0
    assert json.loads(capsys.readouterr().out)["added"] == 2


def test_near_duplicates_are_named(articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (articles / "again.txt").write_text(TEXT, encoding="utf-8")
    run(articles)
    assert "near-duplicate: heating repeats again" in capsys.readouterr().out


def test_interruption_says_that_nothing_is_lost(
    articles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.sync.sync", interrupted)
    assert run(articles) == 130
    assert "old index still answers" in capsys.readouterr().err


def test_module_runs_as_a_command(articles: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ingest",
        str(articles),
        "--data",
        str(articles.parent / "data"),
        "--json",
    ]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["articles"] == 1
