"""Protects the question sets over the seeds: every gold sentence is there, every fact can be found in one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from eval.cases import Case, load_cases
from eval.measures import folded
from ingest.readers import read_file
from ingest.structure.article import answerable, article_from
from rag.text.sentences import sentences
from tests.conftest import ROOT

Rows = list[dict[str, Any]]

SEEDS = ROOT / "eval" / "sets" / "seeds.jsonl"
DECLINING = ROOT / "eval" / "sets" / "declining.jsonl"
UNANSWERABLE = {"near_miss", "false_premise", "outside", "injection", "off_topic"}

each_set = pytest.mark.parametrize("path", [SEEDS, DECLINING], ids=lambda path: path.stem)


def rows_of(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@cache
def sentences_of(id: str) -> tuple[str, ...]:
    """The sentences of a seed that an answer may cite, as Beleg reads them."""
    path = ROOT / "seeds" / f"{id}.md"
    (document,) = read_file(path, limit_bytes=1_000_000).documents
    article = article_from(document, id, path.name)
    spans = (
        span
        for block in answerable(article.text, article.asides)
        for span in sentences(article.text, *block, article.language)
    )
    return tuple(article.text[start:end] for start, end in spans)


def holding(fragment: str, case: Case) -> list[tuple[str, str]]:
    """The sentences, with their article, that hold a fragment."""
    return [(id, words) for id in case.articles or () for words in sentences_of(id) if fragment in words]


def gold(case: Case) -> list[tuple[str, str]]:
    return [found for fragment in case.evidence for found in holding(fragment, case)]


def gold_text(case: Case) -> str:
    return folded(" ".join(words for _, words in gold(case)))


def halves(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(half for row in rows for half in row["tags"] if half in ("tune", "test"))


@each_set
def test_evidence_lies_in_one_sentence_that_answers_may_cite(path: Path) -> None:
    cases = load_cases(path)
    lost = [(case.id, part) for case in cases for part in case.evidence if len(holding(part, case)) != 1]
    assert lost == []


@each_set
def test_every_named_article_has_evidence(path: Path) -> None:
    without = [c.id for c in load_cases(path) if {id for id, _ in gold(c)} != set(c.articles or ())]
    assert without == []


def test_every_fact_stands_in_the_gold_sentences() -> None:
    missing = [
        (case.id, ways)
        for case in load_cases(SEEDS)
        for ways in case.facts
        if not any(folded(way) in gold_text(case) for way in ways)
    ]
    assert missing == []


def test_an_answer_from_the_gold_sentences_is_not_forbidden() -> None:
    for row, case in zip(rows_of(SEEDS), load_cases(SEEDS), strict=True):
        assert [words for words in row.get("forbidden", ()) if folded(words) in gold_text(case)] == []


@each_set
def test_only_unanswerable_types_have_no_articles(path: Path) -> None:
    cases = load_cases(path)
    assert {case.type for case in cases if case.articles == ()} == UNANSWERABLE
    assert [case.id for case in cases if case.type in UNANSWERABLE and case.articles != ()] == []


def test_answerable_questions_alone_have_facts() -> None:
    assert [case.id for case in load_cases(SEEDS) if bool(case.facts) is not case.answerable] == []
    assert not any(case.facts for case in load_cases(DECLINING))


def test_ids_and_questions_are_unique() -> None:
    cases = [*load_cases(SEEDS), *load_cases(DECLINING)]
    asked = {(case.question.casefold(), case.history) for case in cases}
    assert len({case.id for case in cases}) == len(asked) == len(cases)


@each_set
def test_enough_questions_and_enough_unanswerable(path: Path) -> None:
    cases = load_cases(path)
    assert len(cases) >= 80
    assert 4 * sum(case.articles == () for case in cases) >= len(cases)


@each_set
def test_german_comes_first_then_english(path: Path) -> None:
    count = Counter(row["lang"] for row in rows_of(path))
    share = {lang: number / count.total() for lang, number in count.items()}
    assert share["de"] == pytest.approx(0.65, abs=0.03)
    assert share["en"] == pytest.approx(0.2, abs=0.03)
    assert set(share) == {"de", "en", "uk", "fr", "pt"}


@pytest.mark.parametrize("field", ["type", "lang"])
def test_tune_and_test_halves_are_alike(field: str) -> None:
    rows = rows_of(SEEDS)
    for value in {row[field] for row in rows}:
        both = halves(row for row in rows if row[field] == value)
        assert abs(both["tune"] - both["test"]) <= 1, value


def test_every_question_is_in_one_half() -> None:
    rows = rows_of(SEEDS)
    assert [row["id"] for row in rows if halves([row]).total() != 1] == []
    assert halves(rows)["tune"] == halves(rows)["test"]


def test_the_set_for_declining_is_for_tuning_alone() -> None:
    assert all(row["tags"] == ["tune"] for row in rows_of(DECLINING))


@pytest.mark.parametrize("language", ["de", "fr", "pt", "uk"])
def test_the_translated_sets_ask_the_same_and_their_evidence_is_verbatim(language: str) -> None:
    folder = ROOT / "eval" / "sets" / "languages"
    cases = load_cases(folder / f"{language}.jsonl")
    texts = ROOT / "seeds" if language == "de" else folder / language
    found = {id: (texts / f"{id}.md").read_text("utf-8") for case in cases for id in case.articles or ()}
    lost = [
        case.id for case in cases for id in case.articles or () for e in case.evidence if e not in found[id]
    ]
    assert lost == []
    german = load_cases(folder / "de.jsonl")
    assert [(case.articles, case.type) for case in cases] == [(case.articles, case.type) for case in german]
