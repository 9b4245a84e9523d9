"""Protects the command line: what it prints, what scripts may read from it, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from rag.schema import Answer
from rag.store.library import Library
from tests.conftest import ROOT
from tests.dossier import DOSSIER, WOLF, article, write

HEAVY = ("chromadb", "llama_index", "gradio", "openai", "torch", "tiktoken", "fastapi", "trafilatura")
KEYS = {
    *("text", "abstained", "reason", "language", "citations", "passages", "timings", "confidence"),
    *("question", "standalone_question", "statements", "further"),
}
CITATION_KEYS = {
    *("number", "article_id", "start", "end", "quote", "status", "title", "outlet", "published"),
}
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for the dossier's folder and its index, made by the first command."""
    folder = tmp_path_factory.mktemp("cli")
    write(folder / "articles", *DOSSIER)
    options = ["--articles", str(folder / "articles"), "--data", str(folder / "data")]
    assert main(["search", "Wolf", *options]) == 0
    return options


def ask(capsys: Captured, *arguments: str) -> dict[str, Any]:
    """What `ask --json` prints."""
    capsys.readouterr()
    assert main(["ask", *arguments, "--json"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    answer = json.loads(output.out)
    assert isinstance(answer, dict)
    return answer


def in_a_process(*arguments: str, cwd: Path, code: str | None = None, **environment: str) -> Any:
    """`python -m rag …`, or `python -c code …`, as a user runs it."""
    command = ["-c", code] if code else ["-m", "rag"]
    return subprocess.run(
        [sys.executable, "-W", "error", *command, *arguments],
        capture_output=True,
        check=False,
        timeout=600,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


# --- ask -----------------------------------------------------------------------------------------


def test_ask_prints_the_answer_and_where_it_stands(folders: list[str], capsys: Captured) -> None:
    assert main(["ask", "Wie viele Schafe verlor der Schäfer?", *folders]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Schäfer Arne Petersen verlor in drei Nächten elf Schafe.")
    assert "\n[1] Wolf vor der Kamera, Moorhafener Bote (wolf:" in output.out
    assert output.err == ""


def test_ask_names_places_to_read_on(folders: list[str], capsys: Captured) -> None:
    assert main(["ask", "Was geschah in Moorhafen an der Wiede mit Brücke und Bücherei?", *folders]) == 0
    assert "\nWeiterlesen:\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "question", ["Wie viele Schafe verlor der Schäfer?", "Wie heißt die Hauptstadt von Peru?"]
)
def test_json_keeps_its_contract(folders: list[str], capsys: Captured, question: str) -> None:
    answer = ask(capsys, question, *folders)
    assert set(answer) >= KEYS
    assert (answer["question"], answer["language"]) == (question, "de")
    for citation in answer["citations"] + answer["further"]:
        assert set(citation) >= CITATION_KEYS
    assert answer["abstained"] is (answer["citations"] == [])
    assert (answer["reason"] is None) is not answer["abstained"]
    assert all(isinstance(seconds, float) for seconds in answer["timings"].values())
    assert answer["passages"][0].keys() >= {"article_id", "start", "end", "text", "score"}


def test_json_citations_are_exact(folders: list[str], capsys: Captured) -> None:
    answer = ask(capsys, "Was sagte die Bürgermeisterin über die Sicherheit?", *folders)
    with Library.open(Path(folders[3]), read_only=True) as library:
        for citation in answer["citations"] + answer["further"]:
            article = library.article(citation["article_id"])
            assert article is not None
            assert article.text[citation["start"] : citation["end"]] == citation["quote"]
    first = answer["citations"][0]
    assert first["quote"].startswith("„Die Sicherheit der Fußgänger geht vor“, sagte")
    assert (first["number"], first["article_id"], first["status"]) == (1, "bruecke", "supported")
    assert (first["title"], first["outlet"]) == ("Risse im Stahl", "Küstenkurier")
    assert first["published"] == "2024-03-04"


def test_history_tells_what_a_follow_up_means(folders: list[str], tmp_path: Path, capsys: Captured) -> None:
    turns = [
        {"role": "user", "content": "Wer leitet die Bücherei?"},
        {"role": "assistant", "content": "Mareike Deters leitet die Bücherei. [1]"},
    ]
    history = tmp_path / "history.json"
    history.write_text(json.dumps(turns), encoding="utf-8")
    answer = ask(capsys, "Und wo wurde sie geboren?", "--history", str(history), *folders)
    assert "Emden" in answer["citations"][0]["quote"]
    assert "Deters" in answer["standalone_question"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"5",
        b'"user"',
        b'{"role": "user", "content": "x"}',
        b'["Wer leitet die B\xc3\xbccherei?"]',
        b'[{"role": "user"}]',
        b'[{"content": "x"}]',
        b'[{"role": "system", "content": "x"}]',
        b'[{"role": null, "content": "x"}]',
        b"[null]",
        pytest.param(
            b'[{"role": "user", "content": null}]',
        ),
    ],
)
def test_bad_history_is_refused(folders: list[str], tmp_path: Path, capsys: Captured, content: bytes) -> None:
    history = tmp_path / "history.json"
    history.write_bytes(content)
    assert main(["ask", "Und wo?", "--history", str(history), *folders]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("beleg: --history")
    assert str(history) in output.err


def test_missing_history_is_refused(folders: list[str], tmp_path: Path, capsys: Captured) -> None:
    assert main(["ask", "Und wo?", "--history", str(tmp_path / "none.json"), *folders]) == 1
    assert capsys.readouterr().err.startswith("beleg: --history: cannot read")


# --- search --------------------------------------------------------------------------------------


def test_search_prints_passages_best_first(folders: list[str], capsys: Captured) -> None:
    assert main(["search", "Klappbrücke über die Wiede", *folders]) == 0
    scores = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines() if line[:1].isdigit()]
    assert len(scores) >= 2
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("k", [1, 2])
def test_search_prints_as_many_passages_as_asked_for(folders: list[str], capsys: Captured, k: int) -> None:
    question = "Was schreibt der Moorhafener Bote über Karten und Schafe?"
    assert main(["search", question, "-k", str(k), "--json", *folders]) == 0
    passages = json.loads(capsys.readouterr().out)
    assert len(passages) == k
    assert all(passage["text"] for passage in passages)


@pytest.mark.parametrize("k", ["0", "-1"])
def test_search_refuses_a_number_of_passages_below_one(folders: list[str], k: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["search", "Klappbrücke über die Wiede", "-k", k, *folders])
    assert ended.value.code == 2


def test_search_that_finds_nothing_prints_an_empty_list(folders: list[str], capsys: Captured) -> None:
    assert main(["search", "Xylqua Brzwnk", "--json", *folders]) == 0
    assert json.loads(capsys.readouterr().out) == []


# --- the index -----------------------------------------------------------------------------------


def test_new_changed_and_unreadable_files_are_seen_at_the_next_question(
    tmp_path: Path, capsys: Captured
) -> None:
    options = ["--articles", str(tmp_path / "articles"), "--data", str(tmp_path / "data")]
    write(tmp_path / "articles", WOLF)
    assert ask(capsys, "Wer leitet die Bücherei?", *options)["abstained"]

    text = "Fünfzehn Schafe verlor Schäfer Arne Petersen. Der Rat tagt."
    write(tmp_path / "articles", *DOSSIER, article("wolf", text))
    (tmp_path / "articles" / "leer.txt").write_text(" \n")
    assert main(["ask", "Wie viele Schafe verlor der Schäfer?", *options]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Fünfzehn Schafe verlor")
    assert output.err.startswith("beleg: skipped ")
    assert "leer.txt" in output.err
    assert not ask(capsys, "Wer leitet die Bücherei?", *options)["abstained"]


def test_each_articles_folder_has_an_index_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "eins", WOLF)
    write(tmp_path / "zwei", article("kran", "Am Kai steht seit 1963 der Kran von Hinrich Ahlers."))
    for folder, answered in [("eins", True), ("zwei", False)]:
        answer = ask(capsys, "Wie viele Schafe verlor der Schäfer?", "--articles", folder)
        assert answer["abstained"] is not answered
    assert sorted(path.name.split("-")[0] for path in (tmp_path / ".beleg").iterdir()) == ["eins", "zwei"]


# --- failing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("question", "says"),
    [("", "question is empty"), ("  \n", "question is empty"), ("x" * 2001, "at most 2,000")],
)
def test_question_that_cannot_be_read_is_refused(
    folders: list[str], capsys: Captured, command: str, question: str, says: str
) -> None:
    assert main([command, question, *folders]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("beleg: ")
    assert says in output.err


def test_missing_articles_folder_is_named(tmp_path: Path, capsys: Captured) -> None:
    missing = tmp_path / "nowhere"
    assert main(["ask", "Was?", "--articles", str(missing), "--data", str(tmp_path / "data")]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("beleg: ")
    assert str(missing) in output.err


def test_empty_articles_folder_says_what_to_put_there(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "articles").mkdir()
    options = ["--articles", str(tmp_path / "articles"), "--data", str(tmp_path / "data")]
    assert main(["ask", "Was?", *options]) == 1
    assert "put files there (.txt, .md" in capsys.readouterr().err


def test_wrong_setting_is_named(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("BELEG_PASSAGES", "many")
    assert main(["ask", "Was?", *folders]) == 1
    assert capsys.readouterr().err.startswith("beleg: BELEG_PASSAGES: ")


def test_index_of_other_settings_names_the_command_that_rebuilds(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("BELEG_CHUNK_WORDS", "60")
    assert main(["ask", "Wer leitet die Bücherei?", *folders]) == 1
    output = capsys.readouterr()
    assert "run: python -m ingest --rebuild" in output.err
    assert output.out == ""


@pytest.mark.parametrize(
    "arguments", [[], ["answer", "x"], ["ask"], ["search", "x", "-k", "x"], ["ask", "x", "y"]]
)
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m rag")


def test_interrupt_ends_quietly(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def interrupted(*_: object, **__: object) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.engine.Engine.ask", interrupted)
    assert main(["ask", "Was?", *folders]) == 130
    assert capsys.readouterr() == ("", "")


# --- as a process --------------------------------------------------------------------------------


def test_exit_codes_and_output_of_the_process(folders: list[str], tmp_path: Path) -> None:
    answered = in_a_process("ask", "Wie viele Schafe verlor der Schäfer?", "--json", *folders, cwd=tmp_path)
    assert (answered.returncode, answered.stderr) == (0, b"")
    assert json.loads(answered.stdout)["citations"][0]["article_id"] == "wolf"
    refused = in_a_process("ask", "", *folders, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.startswith(b"beleg: The question is empty")
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert imported_by(["ask", "--help"], tmp_path) & {*HEAVY, "pydantic", "numpy"} == set()


def test_a_question_to_an_index_that_is_current_imports_nothing_heavy(
    folders: list[str], tmp_path: Path
) -> None:
    imported = imported_by(["ask", "Wer leitet die Bücherei?", "--json", *folders], tmp_path)
    assert imported & set(HEAVY) == set()


def imported_by(arguments: list[str], cwd: Path) -> set[str]:
    """The modules in `sys.modules` after a command; it must end well."""
    code = (
        "import sys\n"
        "from rag.__main__ import main\n"
        "try:\n    status = main()\n"
        "except SystemExit as ended:\n    status = ended.code\n"
        "print(status, *sys.modules, file=sys.stderr)\n"
    )
    ended = in_a_process(*arguments, cwd=cwd, code=code)
    status, *modules = ended.stderr.decode().split()
    assert status == "0", ended.stderr
    assert ended.stdout
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize(
    ("started", "named"),
    [
        ("/usr/bin/beleg", "beleg serve"),
        ("/x/rag/__main__.py", "python -m rag serve"),
        ("/x/app.py", "app.py"),
    ],
)
def test_a_command_is_called_as_it_was_started(
    started: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.terminal import program

    monkeypatch.setattr("sys.argv", [started])
    assert program("app.py", "serve") == named
