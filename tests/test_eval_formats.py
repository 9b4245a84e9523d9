"""Protects what question sets are read from: SQuAD files, XQuAD as lines, BEIR folders, labelled pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.cases import load_set, tagged, with_distractors
from eval.runs import load_run
from eval.verifier import Pair, by_group, check_with_index, load_pairs, quality
from rag.errors import BadRequest
from rag.schema import Status
from tests.dossier import BRIDGE, WOLF, write

CONTEXT = "Die Brücke wurde 1931 gebaut. Sie ist aus Stahl.\r\nIm Jahr 2024 fand man Risse."


def lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


def squad(path: Path, *qas: dict[str, Any]) -> Path:
    paragraph = {"context": CONTEXT, "qas": list(qas)}
    path.write_text(json.dumps({"data": [{"title": "Die_Brücke", "paragraphs": [paragraph]}]}), "utf-8")
    return path


# --- SQuAD


def test_a_squad_answer_becomes_a_fact_and_its_sentence_evidence(tmp_path: Path) -> None:
    answers = [
        {"text": "2024", "answer_start": CONTEXT.index("2024")},
        {"text": "Jahr 2024", "answer_start": 53},
    ]
    file = squad(tmp_path / "set.json", {"id": 7, "question": "Wann fand man Risse?", "answers": answers})
    found = load_set(file)
    (case,), (article,) = found.cases, found.articles
    assert (case.id, case.articles, case.facts) == ("7", ("p0-0",), (("2024", "Jahr 2024"),))
    assert case.evidence == ("Im Jahr 2024 fand man Risse.",)
    assert article == {"id": "p0-0", "title": "Die Brücke", "text": CONTEXT.replace("\r\n", "\n")}


def test_an_impossible_question_is_unanswerable(tmp_path: Path) -> None:
    impossible = {"id": "x", "question": "Wer malte sie?", "is_impossible": True, "answers": []}
    (case,) = load_set(squad(tmp_path / "set.json", impossible)).cases
    assert case.answerable is False


def test_a_squad_file_runs_with_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = {"text": "1931", "answer_start": CONTEXT.index("1931")}
    squad(
        tmp_path / "set.json", {"id": "a", "question": "Wann wurde die Brücke gebaut?", "answers": [answer]}
    )
    assert main(["set.json", "--out", "run.json"]) == 0
    (row,) = load_run(tmp_path / "run.json").rows
    assert row.measures["evidence_hit"] == row.measures["fact_recall"] == row.measures["article_hit@1"] == 1
    assert main(["set.json", "--articles", "elsewhere"]) == 1


def test_a_file_in_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text('{"questions": []}', "utf-8")
    with pytest.raises(BadRequest, match="no SQuAD file"):
        load_set(tmp_path / "set.json")
    with pytest.raises(BadRequest, match="no question set: a folder holds"):
        load_set(tmp_path)
    with pytest.raises(BadRequest, match="cannot read"):
        load_set(tmp_path / "gone.jsonl")


# --- XQuAD as lines


def test_paragraphs_and_questions_in_several_languages(tmp_path: Path) -> None:
    lines(
        tmp_path / "passages.jsonl", {"id": "x1", "title": "Brücke", "text": "Sie ist aus Stahl. Von 1931."}
    )
    question = {"question_de": "Woraus?", "question_en": "Of what?"}
    lines(
        tmp_path / "dev.jsonl",
        {"id": "q", **question, "passage": "x1", "answer": "Stahl", "answer_start": 12},
    )
    (case,) = load_set(tmp_path, "en").cases
    assert (case.question, case.lang, case.articles) == ("Of what?", "en", ("x1",))
    assert case.evidence == ("Sie ist aus Stahl.",)
    with pytest.raises(BadRequest, match="lacks 'question_fr'"):
        load_set(tmp_path, "fr")


def test_other_articles_can_be_put_among_them(tmp_path: Path) -> None:
    lines(tmp_path / "passages.jsonl", {"id": "x1", "title": "Brücke", "text": "Sie ist aus Stahl."})
    question = {"id": "q", "question_de": "Woraus?", "passage": "x1", "answer": "Stahl", "answer_start": 12}
    lines(tmp_path / "dev.jsonl", question)
    csv = tmp_path / "news.csv"
    csv.write_text("Sport;'Der HSV; er gewann ''klar''.'\nWirtschaft;Der DAX stieg.\n", "utf-8")
    found = with_distractors(load_set(tmp_path), csv)
    assert [row["text"] for row in found.articles] == [
        "Sie ist aus Stahl.",
        "Der HSV; er gewann 'klar'.",
        "Der DAX stieg.",
    ]
    assert found.name.endswith("among 2 of news")
    csv.write_text("Sport", "utf-8")
    with pytest.raises(BadRequest, match="a line without a text"):
        with_distractors(load_set(tmp_path), csv)
    lines(tmp_path / "own.jsonl", {"id": "q", "question": "Woraus?"})
    with pytest.raises(BadRequest, match="own brings no articles"):
        with_distractors(load_set(tmp_path / "own.jsonl"), csv)


# --- BEIR


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    corpus = [{"_id": f"d {a.id}", "title": a.title, "text": a.text} for a in (BRIDGE, WOLF)]
    lines(tmp_path / "beir" / "corpus.jsonl", *corpus)
    queries = [{"_id": "q1", "text": "Schafe und Wolf"}, {"_id": "q2", "text": "nichts"}]
    lines(tmp_path / "beir" / "queries.jsonl", *queries)
    return tmp_path / "beir"


def test_beir_is_measured_by_its_judgements(beir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (beir / "qrels").mkdir()
    judged = "query-id\tcorpus-id\tscore\nq1\td-wolf\t2\nq1\td-bruecke\t0\nq2\td-wolf\t0\nq9\td-wolf\t1\n"
    (beir / "qrels" / "test.tsv").write_text(judged, "utf-8")
    found = load_set(beir)
    assert [case.id for case in found.cases] == ["q1"]
    assert found.gains == {"q1": {"d-wolf": 2.0, "d-bruecke": 0.0}}
    monkeypatch.chdir(beir.parent)
    assert main(["beir", "--out", "run.json"]) == 0
    run = load_run(beir.parent / "run.json")
    assert (run.rows[0].answer, run.rows[0].measures["article_ndcg@10"]) == (None, 1)


@pytest.mark.parametrize(
    ("qrels", "reason"),
    [("query\tdoc\tscore\nq1\tx\n", "line 2: not a query, a document and a score"), ("", "holds no case")],
)
def test_judgements_that_are_none_are_refused(beir: Path, qrels: str, reason: str) -> None:
    with pytest.raises(BadRequest, match="has no judgements"):
        load_set(beir)
    (beir / "qrels.tsv").write_text(qrels or "q9 0 d 1", "utf-8")
    with pytest.raises(BadRequest, match=reason):
        load_set(beir)


# --- tags


def test_the_cases_of_one_tag(tmp_path: Path) -> None:
    one, two = ({"id": tag, "question": "Wer?", "tags": [tag]} for tag in ("tune", "test"))
    lines(tmp_path / "set.jsonl", one, two)
    found = load_set(tmp_path / "set.jsonl")
    assert [case.id for case in tagged(found, "test").cases] == ["test"]
    assert tagged(found, None) is found
    with pytest.raises(BadRequest, match="no case of set has the tag x; there are: test, tune"):
        tagged(found, "x")


# --- labelled pairs


def pair(label: Status, kind: str = "true") -> Pair:
    return Pair("p", "Satz.", "a", "Passage.", label, kind)


def test_verdicts_are_judged_by_the_labels() -> None:
    outcomes: list[tuple[Pair, Status]] = [
        (pair("supported"), "supported"),
        (pair("supported"), "weak"),
        (pair("unsupported", "number"), "supported"),
        (pair("unsupported", "number"), "unsupported"),
        (pair("unsupported", "number"), "unsupported"),
    ]
    found = quality(outcomes)
    assert (found["precision supported"], found["precision unsupported"]) == (1 / 2, 1)
    assert (found["recall supported"], found["recall unsupported"]) == (1 / 2, 2 / 3)
    kinds = by_group(outcomes)
    assert kinds["kind number"]["precision supported"] == 0
    assert "recall supported" not in kinds["kind number"]


def test_our_verifier_is_asked_about_each_pair(tmp_path: Path) -> None:
    write(tmp_path / "articles", BRIDGE, WOLF)
    passage = "Schäfer Arne Petersen verlor in drei Nächten elf Schafe."
    rows = [
        {"sentence": "Arne Petersen verlor elf Schafe.", "label": "supported", "article": "wolf"},
        {"sentence": "Arne Petersen verlor zwölf Schafe.", "label": "unsupported", "article": "unknown"},
    ]
    lines(
        tmp_path / "pairs.jsonl", *({"id": str(n), "passage": passage, **row} for n, row in enumerate(rows))
    )
    pairs = load_pairs(tmp_path / "pairs.jsonl")
    outcomes = check_with_index(pairs, tmp_path / "articles", tmp_path / "data")
    assert [(given, given == pair.label) for pair, given in outcomes] == [
        ("supported", True),
        ("unsupported", True),
    ]


def test_the_command_prints_quality_by_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "articles", WOLF)
    row = {"sentence": "Elf Schafe.", "passage": "Elf Schafe.", "label": "supported", "article": "wolf"}
    lines(tmp_path / "p.jsonl", {"id": "1", "split": "tune", **row}, {"id": "2", "split": "test", **row})
    options = ["--articles", str(tmp_path / "articles"), "--data", str(tmp_path / "data")]
    assert main(["support", str(tmp_path / "p.jsonl"), *options]) == 0
    assert "split test" in capsys.readouterr().out
    assert main(["support", str(tmp_path / "p.jsonl"), "--split", "no", *options]) == 1


@pytest.mark.parametrize(
    "row", ['{"id": "1"}', '{"id": "1", "sentence": "", "article": "", "passage": "", "label": "x"}']
)
def test_a_bad_pair_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "p.jsonl").write_text("\n" + row, "utf-8")
    with pytest.raises(BadRequest, match="line 2: no labelled pair"):
        load_pairs(tmp_path / "p.jsonl")
