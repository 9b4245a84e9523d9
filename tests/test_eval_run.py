"""Protects a run: what is measured of an answer, that nothing is lost to a crash or hidden by an error,
and that no secret is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.cases import Case, case_to_dict, digest, load_cases
from eval.measures import Shelf, answer_measures, shelf_of
from eval.run import Examiner, faithfulness, run, verdicts, without_secrets
from eval.runs import Journal, Row, Run, Verdict, load_run, write_run
from eval.verifier import by_verifier
from rag.engine import Engine
from rag.errors import BadRequest, ProviderTimeout
from rag.schema import Answer, Certainty, Citation, Event, Message, Statement
from rag.settings import load_settings
from tests.dossier import BRIDGE, DOSSIER, WOLF, engine_over, write
from tests.openai_server import Reply, openai_server, refusal

SHEEP = Case(
    "sheep",
    "Wie viele Schafe verlor der Schäfer?",
    lang="de",
    type="fact",
    articles=("wolf",),
    facts=(("elf", "11"), ("Petersen",), ("zwölf",)),
    evidence=("verlor in drei Nächten elf",),
    forbidden=("Goldfisch",),
)
PERU = Case("peru", "Wie heißt die Hauptstadt von Peru?", lang="de", type="unanswerable", articles=())
PRICE = Case(
    "price",
    "Und was kostet die Reparatur?",
    type="follow_up",
    articles=("bruecke",),
    evidence=("4,3 Millionen",),
    history=(Message("user", "Warum ist die Klappbrücke gesperrt?"), Message("assistant", "Wegen Rissen.")),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine_over(tmp_path_factory.mktemp("eval"), *DOSSIER) as opened:
        yield opened


@pytest.fixture(scope="module")
def examiner(engine: Engine) -> Examiner:
    shelf = shelf_of(engine.library)
    return Examiner(shelf, by_verifier(engine.index.idf, shelf))


class Failing:
    """Asks another engine, but fails for certain questions."""

    def __init__(self, engine: Engine, failures: dict[str, Exception]) -> None:
        self.engine, self.failures, self.asked = engine, failures, list[str]()

    def stream(
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> Iterator[Event]:
        self.asked.append(question)
        if error := self.failures.get(question):
            raise error
        return self.engine.stream(question, history, extractive=extractive)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


# --- measures


def test_an_answer_is_measured(engine: Engine, examiner: Examiner) -> None:
    (row,) = run(engine, [SHEEP], examiner)
    assert row.answer is not None
    assert row.answer.question == SHEEP.question
    wanted = {
        "evidence_hit": 1,
        "fact_recall": 2 / 3,
        "forbidden_rate": 0,
        "quote_exact": 1,
        "abstained": 0,
        "abstention_right": 1,
        "language_match": 1,
        "article_hit@1": 1,
        "article_mrr@10": 1,
        "evidence_recall@1": 1,
        "evidence_ndcg@10": 1,
        "sentence_hit@1": 1,
        "sentence_hit@3": 1,
        "lead_answers": 1,
        "wrongly_declined": 0,
    }
    assert {name: row.measures[name] for name in wanted} == pytest.approx(wanted)
    assert 0 < row.measures["seconds_first"] <= row.measures["seconds_total"]
    assert [gold["text"] for gold in row.gold] == ["Schäfer Arne Petersen verlor in drei Nächten elf Schafe."]


def test_sentences_are_measured_without_declining(engine: Engine, examiner: Examiner) -> None:
    unknown = replace(
        SHEEP,
        id="opera",
        question="Welche Oper liebt der Schäfer Petersen seit seiner Kindheit in Italien?",
        evidence=("Petersen verlor",),
    )
    sheep, declined = run(engine, [SHEEP, unknown], examiner)
    assert declined.measures["abstained"] == declined.measures["wrongly_declined"] == 1
    assert declined.measures["sentence_hit@3"] == 1
    assert declined.measures["evidence_hit"] == declined.measures["lead_answers"] == 0
    # who else lost sheep is in no other article
    assert sheep.measures["absent_declined"] == 1


def lead(case: Case, *statements: tuple[str, str]) -> float | None:
    """`lead_answers` of an answer with these statements and the words that each cites."""
    text = WOLF.text
    places = [(n, text.index(quote), quote) for n, (_, quote) in enumerate(statements, 1)]
    citations = tuple(Citation(n, "wolf", at, at + len(said), said, "supported") for n, at, said in places)
    said = tuple(Statement(words, (n,), "supported") for n, (words, _) in enumerate(statements, 1))
    answer = Answer("", "", "de", "", said, citations, (), False, "sure", None, None, "", 0.9)
    return answer_measures(case, answer, Shelf({"wolf": WOLF}), lambda *_: True, None).get("lead_answers")


def test_the_first_statement_answers_by_a_fact_or_by_its_citation() -> None:
    right, other = "verlor in drei Nächten elf Schafe", WOLF.text[:20]
    assert lead(SHEEP, ("Er verlor viele.", right)) == 1
    assert lead(SHEEP, ("Es waren elf.", other)) == 1
    assert lead(SHEEP, ("Es waren viele.", other), ("Elf.", right)) == 0
    assert lead(SHEEP) == 0
    assert lead(Case("a", "Wer?", articles=("wolf",)), ("Er.", other)) is None


@pytest.mark.parametrize(("certainty", "precision", "coverage"), [("sure", 1.0, 1.0), ("unsure", None, 0.0)])
def test_answers_that_call_themselves_sure_are_held_to_it(
    engine: Engine, examiner: Examiner, certainty: Certainty, precision: float | None, coverage: float
) -> None:
    answer = replace(engine.ask(SHEEP.question), certainty=certainty)
    found = answer_measures(SHEEP, answer, examiner.shelf, examiner.supports, None)
    assert (found.get("sure_precision"), found.get("sure_coverage")) == (precision, coverage)


def test_measures_without_their_fields_are_left_out(engine: Engine, examiner: Examiner) -> None:
    (row,) = run(engine, [PERU], examiner)
    assert row.measures["abstained"] == row.measures["abstention_right"] == 1
    absent = {"evidence_hit", "fact_recall", "forbidden_rate", "followup_success", "article_hit@1", "words"}
    assert absent & row.measures.keys() == set()
    assert {
        "citation_recall",
        "citation_precision",
        "cost",
        "judge_faithfulness",
    } & row.measures.keys() == set()


def test_a_follow_up_succeeds_when_its_gold_sentence_is_cited(engine: Engine, examiner: Examiner) -> None:
    (row,) = run(engine, [PRICE], examiner)
    assert row.measures["followup_success"] == row.measures["evidence_hit"] == 1


def test_our_verifier_scores_citations_by_what_they_say(engine: Engine, examiner: Examiner) -> None:
    answer = engine.ask(SHEEP.question)
    sheep = next(c for c in answer.citations if "elf Schafe" in c.quote)
    assert examiner.supports("Petersen verlor elf Schafe.", [sheep])
    assert not examiner.supports("Petersen verlor zwölf Schafe.", [sheep])
    assert not examiner.supports("Petersen verlor elf Schafe.", [])


def test_a_judge_is_asked_for_each_sentence_with_all_passages(engine: Engine) -> None:
    answer: Answer = engine.ask(SHEEP.question)
    asked: list[tuple[str, str]] = []
    scripted = iter([True, None, False])

    def judge(sentence: str, context: str) -> bool | None:
        asked.append((sentence, context))
        return next(scripted)

    found = verdicts(answer, judge)
    assert [sentence for sentence, _ in asked] == [s.text for s in answer.statements]
    assert all(passage.chunk.text in context for _, context in asked for passage in answer.passages)
    assert found[0] == Verdict(answer.statements[0].text, True)
    assert faithfulness((Verdict("a", True), Verdict("b", None), Verdict("c", False))) == 0.5
    assert faithfulness((Verdict("b", None),)) is None


def test_retrieval_alone_is_measured_by_graded_judgements(engine: Engine) -> None:
    gains = {"sheep": {"wolf": 2.0, "bruecke": 0.0}}
    (row,) = run(engine, [SHEEP], Examiner(Shelf({}), lambda *_: False, gains=gains))
    assert row.answer is None
    assert (row.measures["article_hit@1"], row.measures["article_ndcg@10"]) == (1, 1)


# --- errors and resuming


def test_what_fails_in_one_case_is_recorded_and_the_rest_goes_on(engine: Engine, examiner: Examiner) -> None:
    failures = {SHEEP.question: ProviderTimeout("no token in 30 s"), PERU.question: KeyError("boom")}
    sheep, peru, price = run(Failing(engine, failures), [SHEEP, PERU, PRICE], examiner)
    assert sheep.error == {"type": "ProviderTimeout", "message": "no token in 30 s"}
    assert sheep.answer is None
    assert sheep.measures == {}
    assert peru.error is not None
    assert peru.error["type"] == "KeyError"
    assert peru.error["where"].startswith("test_eval_run.py:")
    assert price.error is None


def test_a_broken_run_goes_on_where_it_stopped(engine: Engine, examiner: Examiner, tmp_path: Path) -> None:
    part = tmp_path / "part.jsonl"
    stopping = Failing(engine, {PERU.question: KeyboardInterrupt()})  # type: ignore[dict-item]
    with pytest.raises(KeyboardInterrupt):
        list(run(stopping, [SHEEP, PERU, PRICE], examiner, Journal(part, {"set": "a"})))
    going_on = Failing(engine, {})
    journal = Journal(part, {"set": "a"}, resume=True)
    rows = list(run(going_on, [SHEEP, PERU, PRICE], examiner, journal))
    assert going_on.asked == [PERU.question, PRICE.question]
    assert [row.case.id for row in rows] == ["sheep", "peru", "price"]
    assert all(row.answer for row in rows)


def test_failed_cases_and_a_line_cut_short_are_asked_again(
    engine: Engine, examiner: Examiner, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "part.jsonl", {"set": "a"})
    list(run(Failing(engine, {SHEEP.question: ValueError("x")}), [SHEEP, PERU, PRICE], examiner, journal))
    last = journal.path.read_bytes().rstrip().rpartition(b"\n")
    journal.path.write_bytes(b"".join(last[:2]) + '{"case": "Ö'.encode()[:-1])  # within a letter
    again = Failing(engine, {})
    journal = Journal(journal.path, {"set": "a"}, resume=True)
    list(run(again, [SHEEP, PERU, PRICE], examiner, journal))
    assert again.asked == [SHEEP.question, PRICE.question]


def test_a_journal_of_another_run_is_not_gone_on_with(tmp_path: Path) -> None:
    Journal(tmp_path / "part.jsonl", {"set": "a", "version": "1"}).begin()
    with pytest.raises(BadRequest, match="begun with another version; start anew without --resume"):
        Journal(tmp_path / "part.jsonl", {"set": "a", "version": "2"}, resume=True).begin()


# --- sets


def test_a_case_survives_its_json_form(tmp_path: Path) -> None:
    cases = [SHEEP, PERU, PRICE]
    (tmp_path / "set.jsonl").write_text("\n".join(json.dumps(case_to_dict(case)) for case in cases), "utf-8")
    assert load_cases(tmp_path / "set.jsonl") == cases
    assert "articles" not in case_to_dict(Case("a", "Wer?"))
    assert digest([SHEEP]) != digest([PERU])


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('{"id": "a"}', "line 1: no case .*question.*[Rr]equired"),
        ('{"id": "a", "question": "Wer?"}\n{"id": "b", "question": ""}', "line 2: .*question.*is empty"),
        ('{"id": "a", "question": "Wer?", "facts": ["x"]}', r"facts\.0: .* tuple"),
        (
            '{"id": "a", "question": "Wer?", "history": [{"role": "x", "content": "y"}]}',
            r"history\.0\.role",
        ),
        ('{"id": "a", "question": "Wer?"}\n{"id": "a", "question": "Was?"}', "'a' stands for 2 cases"),
        ("\n", "holds no case"),
        ("[1]", "line 1"),
    ],
)
def test_a_bad_set_is_refused_with_the_place(tmp_path: Path, lines: str, reason: str) -> None:
    (tmp_path / "set.jsonl").write_text(lines, "utf-8")
    with pytest.raises(BadRequest, match=reason):
        load_cases(tmp_path / "set.jsonl")


def test_a_conversation_is_known_by_its_first_question() -> None:
    first = Case("a", "Warum ist die  Klappbrücke gesperrt?")
    assert PRICE.conversation == first.conversation != SHEEP.conversation


# --- the command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "articles", BRIDGE, WOLF)
    rows = [json.dumps(case_to_dict(case)) for case in (SHEEP, PERU)]
    (tmp_path / "set.jsonl").write_text("\n".join(rows), "utf-8")
    return tmp_path


def options(folder: Path) -> list[str]:
    return [str(folder / "set.jsonl"), "--articles", str(folder / "articles"), "--data", str(folder / "data")]


def test_the_command_prints_measures_and_keeps_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options(folder), "--out", str(folder / "run.json")]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^evidence_hit +1\.000  1\.000 – 1\.000 +1$", printed, re.MULTILINE)
    assert "Not measured: forbidden_rate" not in printed
    assert "Not measured: followup_success; needs cases with `history`" in printed
    kept = load_run(folder / "run.json")
    assert kept == load_run(folder / "data" / "evaluation" / "latest.json")
    assert [row.case for row in kept.rows] == [SHEEP, PERU]
    assert kept.complete
    assert kept.about["engine"]["mode"] == "extractive"
    data = json.loads((folder / "run.json").read_text("utf-8"))
    assert data["cases"][0]["case"]["question"] == SHEEP.question
    assert data["cases"][0]["answer"]["citations"][0]["article_id"] == "wolf"
    assert data["cases"][0]["error"] is None


def test_a_lean_run_leaves_out_texts_that_stand_in_the_articles(folder: Path) -> None:
    assert main([*options(folder), "--lean", "--out", str(folder / "run.json")]) == 0
    answer = load_run(folder / "run.json").rows[0].answer
    assert answer is not None
    assert {passage.text for passage in answer.passages} == {""}
    assert "elf Schafe" in answer.citations[0].quote


def test_a_setting_can_be_varied(folder: Path) -> None:
    assert (
        main([*options(folder), "--with", "passages=1,chunk_words=60", "--out", str(folder / "r.json")]) == 0
    )
    one, two = load_run(folder / "r-1.json"), load_run(folder / "r-2.json")
    assert (two.label, two.about["settings"]["passages"]) == ("passages=1 chunk_words=60", 1)
    assert one.about["engine"]["index"] != two.about["engine"]["index"]
    assert len(two.rows[0].answer.passages) == 1  # type: ignore[union-attr]


def test_several_runs_are_gone_on_with_one_by_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []
    real = Engine.stream

    def breaking(self: Engine, question: str, *more: Any, **options: Any) -> Iterator[Event]:
        asked.append(self.settings.passages)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return real(self, question, *more, **options)

    monkeypatch.setattr(Engine, "stream", breaking)
    command = [*options(folder), "--with", "passages=1", "--html", str(folder / "report.html")]
    assert main(command) == 130
    assert "--resume goes on from here" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert asked == [8, 8, 1, 1, 1]
    assert "extractive → passages=1" in (folder / "report.html").read_text("utf-8")
    assert list((folder / "data" / "evaluation").glob("under-way*")) == []


def test_two_folders_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    write(folder / "fewer", BRIDGE)
    both = ["--articles", str(folder / "articles"), "--articles", str(folder / "fewer")]
    assert main([str(folder / "set.jsonl"), *both]) == 1
    assert "is about other articles" in capsys.readouterr().err
    write(folder / "fewer", WOLF)
    assert main([str(folder / "set.jsonl"), *both, "--out", str(folder / "r.json")]) == 0
    assert [load_run(folder / f"r-{n}.json").label for n in (1, 2)] == ["articles", "fewer"]
    assert main([str(folder / "set.jsonl"), *both, "--data", "x"]) == 1


def test_a_set_about_other_articles_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "set.jsonl").write_text('{"id": "a", "question": "Wer?", "articles": ["fremd"]}', "utf-8")
    assert main(options(folder)) == 1
    assert "none of its 1 (as fremd) is in the index" in capsys.readouterr().err


def test_a_judge_needs_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*options(folder), "--judge"]) == 1
    assert "--judge needs a language model" in capsys.readouterr().err


def test_a_model_is_measured_and_judges_where_one_is_configured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "Petersen verlor in drei Nächten elf Schafe"

    def scripted(body: dict[str, Any]) -> Reply:
        if "response_format" in body:
            return Reply(json.dumps({"supported": True, "evidence": "verlor in drei Nächten elf Schafe"}))
        return Reply("KEINE_ANTWORT" if "Peru" in str(body["messages"]) else f"{said} [1].")

    with openai_server(scripted) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret1234")
        monkeypatch.setenv("BELEG_LLM", "scripted")
        assert main([*options(folder), "--judge", "--out", str(folder / "run.json")]) == 0
    kept = load_run(folder / "run.json")
    sheep, peru = kept.rows
    assert (kept.about["engine"]["mode"], kept.about["judge"]) == ("scripted", "scripted")
    assert sheep.measures["judge_faithfulness"] == sheep.measures["citation_recall"] == 1
    assert sheep.measures["completion_tokens"] == 20
    assert sheep.judged == (Verdict(f"{said}.", True),)
    assert peru.measures["abstained"] == 1
    assert "completion_tokens" in capsys.readouterr().out
    assert "sk-verysecret1234" not in (folder / "run.json").read_text("utf-8")


def test_a_provider_that_fails_makes_the_run_incomplete(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with openai_server(refusal(401, "no such key")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("BELEG_LLM", "scripted")
        assert main([*options(folder), "--out", str(folder / "run.json")]) == 2
        assert load_run(folder / "run.json").failed == ["sheep", "peru"]
        assert "error: sheep: ProviderAuth" in capsys.readouterr().out
        server.default = Reply("KEINE_ANTWORT")
        assert main([*options(folder), "--resume", "--out", str(folder / "run.json")]) == 0
    assert load_run(folder / "run.json").complete


def test_no_secret_is_written_down() -> None:
    settings = load_settings(
        openai_api_key="sk-abcdef", openai_base_url="http://user:hidden@127.0.0.1:1/v1?key=hidden"
    )
    kept = without_secrets({**vars(settings), "access_token": "hidden", "passages": 8})
    assert "sk-abcdef" not in json.dumps(kept)
    assert "hidden" not in json.dumps(kept)
    assert kept["openai_base_url"] == "http://127.0.0.1:1/v1"
    assert kept["passages"] == 8


def test_a_key_among_the_options_of_an_embedding_is_in_no_run_and_no_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELEG_EMBEDDING", "tests.test_embedder.Letters")
    monkeypatch.setenv("BELEG_EMBEDDING_OPTIONS", '{"api_key": "hush-4711"}')
    assert main([*options(folder), "--out", str(folder / "run.json")]) == 0
    assert "Letters" in load_run(folder / "run.json").about["engine"]["index"]
    written = [folder / "run.json", *(folder / "data" / "evaluation").iterdir()]
    assert [path.name for path in written if "hush-4711" in path.read_text("utf-8")] == []


def test_a_row_without_answer_is_kept_as_such(tmp_path: Path) -> None:
    about = {"set": {"cases": 1, "sha256": "x"}, "engine": {"mode": "extractive"}}
    write_run(tmp_path / "run.json", Run(about, (Row(PERU, error={"type": "X", "message": "y"}),)))
    (kept,) = json.loads((tmp_path / "run.json").read_text("utf-8"))["cases"]
    assert kept["answer"] is None
    assert kept["error"] == {"type": "X", "message": "y"}
