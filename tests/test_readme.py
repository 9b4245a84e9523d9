"""Protects README and the pages in docs: Beleg says what they show, and what they name is there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from ingest.readers import SUFFIXES
from rag import open_engine
from rag.__main__ import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = re.findall(r"^\$ python -m rag (.+)\n((?:(?!\$ |```).*\n)+)", README, re.MULTILINE)
KINDS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in README.split("## What you can ask")[1].split("\n## ")[0].splitlines()
    if line.startswith("| ")
][1:]
"""Rows of the table: kind, question (behind an arrow, one that follows another), beginning of the answer."""


EXAMPLES = [
    re.findall(
        r"\*\*(.+?)\*\* (.+?)(?=\*\*|$)", " ".join(re.sub("^ *> ", "", block, flags=re.MULTILINE).split())
    )
    for block in re.findall(r"(?:^ *> .+\n)+", (ROOT / "docs" / "asking.md").read_text("utf-8"), re.MULTILINE)
]
"""Conversations of docs/asking.md: each question with the pieces of its answer, and "…" between them."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for an index of the seeds."""
    return ["--articles", str(ROOT / "seeds"), "--data", str(tmp_path_factory.mktemp("readme"))]


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, on one line; by words alone, as all tests without an embedding of their own."""
    return " ".join(printed_by(arguments, capsys).split())


def printed_by(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints."""
    capsys.readouterr()
    assert main(arguments) == 0
    return capsys.readouterr().out


def conversation(
    questions: list[str], options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """The answers to questions that follow each other."""
    turns: list[dict[str, str]] = []
    history = folder / "history.json"
    for question in questions:
        history.write_text(json.dumps(turns), "utf-8")
        answer = printed_by(["ask", question, *options, "--history", str(history)], capsys)
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [" ".join(turn["content"].split()) for turn in turns[1::2]]


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_prints_what_readme_shows(
    command: str,
    output: str,
    index: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = said([*shlex.split(command), *index], capsys)
    whole = ".*".join(re.escape(" ".join(part.split())) for part in output.split("…\n"))
    assert re.fullmatch(whole, printed), printed


@pytest.mark.parametrize(("kind", "question", "answer"), KINDS)
def test_each_kind_of_question_is_answered_as_readme_says(
    kind: str,
    question: str,
    answer: str,
    index: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    questions, _, option = question.partition(" `")
    options = [*shlex.split(option.strip("`")), *index]
    assert conversation(questions.split(" → "), options, tmp_path, capsys)[-1].startswith(answer), kind


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0][0])
def test_answers_are_as_the_page_on_asking_shows_them(
    example: list[tuple[str, str]], index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = conversation([question for question, _ in example], index, tmp_path, capsys)
    for (_, shown), answer in zip(example, answers, strict=True):
        assert re.match(".*".join(map(re.escape, shown.strip().split("…"))), answer)


def test_an_answer_a_declined_question_and_every_kind_are_shown() -> None:
    assert (len(SHOWN), len(KINDS), len(EXAMPLES)) == (2, 12, 14)


def test_the_program_in_readme_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert found is not None
    monkeypatch.setenv("BELEG_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    names = {"open_engine": open_engine}
    exec(found[1], names)
    names["engine"].close()  # type: ignore[attr-defined]
    assert "leitete Medinsky die russische Delegation" in capsys.readouterr().out


def test_readme_is_a_front_door_of_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_readme_names_every_kind_of_file_that_is_read() -> None:
    line = next(line for line in README.splitlines() if line.startswith("Read are"))
    assert sorted(re.findall(r"`(\.\w+)`", line)) == sorted(SUFFIXES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"(docs/[^\"]+)\"", text)
    for target in (markdown or html for markdown, html in links):
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


def test_every_file_and_folder_that_the_architecture_names_is_there() -> None:
    named = re.findall(r"`((?:rag|ingest|eval|tests|docs|seeds)/[\w./]*)`", ARCHITECTURE)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == ["ingest/readers/NAME.py"]


def test_the_architecture_names_every_folder_of_the_program() -> None:
    folders = {
        f"{path.parent.relative_to(ROOT)}/"
        for top in ("rag", "ingest", "eval")
        for path in (ROOT / top).rglob("*.py")
        if "static" not in path.parts
    }
    assert [folder for folder in sorted(folders) if f"`{folder}`" not in ARCHITECTURE] == []
