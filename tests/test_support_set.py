"""Protects the labelled pairs that the verifier is judged by: verbatim passages, clean halves, no doubles."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from ingest.readers import read_file
from ingest.structure.article import answerable, article_from
from rag.schema import Article
from rag.text.sentences import sentences
from tests.conftest import ROOT

Rows = list[dict[str, Any]]

SAID_IN = "said in: "


def rows_of(name: str) -> Rows:
    path = ROOT / "eval" / "sets" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


PAIRS = rows_of("support")
BLIND = rows_of("support-blind")

each_set = pytest.mark.parametrize("pairs", [PAIRS, BLIND], ids=["support", "support-blind"])


@cache
def seed(id: str) -> Article:
    path = ROOT / "seeds" / f"{id}.md"
    (document,) = read_file(path, limit_bytes=1_000_000).documents
    return article_from(document, id, path.name)


@cache
def spans_of(id: str) -> tuple[tuple[int, int], ...]:
    """The sentences of a seed that an answer may cite, as Beleg reads them."""
    article = seed(id)
    blocks = answerable(article.text, article.asides)
    return tuple(span for block in blocks for span in sentences(article.text, *block, article.language))


def cited(id: str, passage: str) -> list[tuple[int, int]]:
    """The sentences that a passage touches."""
    start = seed(id).text.index(passage)
    return [span for span in spans_of(id) if span[0] < start + len(passage) and span[1] > start]


def sources(pair: dict[str, Any]) -> list[tuple[str, int]]:
    """The sentences that a pair was made from: those cited and, for a wrong passage, the one that says it."""
    texts = [pair["passage"], *([pair["note"].removeprefix(SAID_IN)] if "note" in pair else [])]
    return [(pair["article"], start) for text in texts for start, _ in cited(pair["article"], text)]


@each_set
def test_every_passage_stands_in_its_article_once(pairs: Rows) -> None:
    lost = [pair["id"] for pair in pairs if seed(pair["article"]).text.count(pair["passage"]) != 1]
    assert lost == []


@each_set
def test_labels_follow_from_how_a_sentence_was_made(pairs: Rows) -> None:
    wrong = [p["id"] for p in pairs if (p["label"] == "supported") != ("right" in p["kind"])]
    assert wrong == []
    assert {pair["label"] for pair in pairs} == {"supported", "unsupported"}


@each_set
def test_halves_share_no_passage_and_no_pair_occurs_twice(pairs: Rows) -> None:
    halves = {split: {p["passage"] for p in pairs if p["split"] == split} for split in ("tune", "test")}
    assert not halves["tune"] & halves["test"]
    assert len({pair["id"] for pair in pairs}) == len(pairs)
    assert max(Counter((pair["sentence"], pair["passage"]) for pair in pairs).values()) == 1


def test_there_is_enough_of_each_kind() -> None:
    assert len(PAIRS) >= 150
    labels = Counter((pair["label"], pair["split"]) for pair in PAIRS)
    assert min(labels.values()) >= 40
    assert min(Counter(pair["kind"] for pair in PAIRS).values()) >= 2


def test_blind_passages_are_whole_sentences() -> None:
    for pair in BLIND:
        spans = cited(pair["article"], pair["passage"])
        assert seed(pair["article"]).text[spans[0][0] : spans[-1][1]] == pair["passage"], pair["id"]
        assert 1 <= len(spans) <= 3


def test_blind_halves_share_no_sentence() -> None:
    halves = defaultdict(set)
    for pair in BLIND:
        for source in sources(pair):
            halves[source].add(pair["split"])
    assert [source for source, splits in halves.items() if len(splits) > 1] == []


def test_blind_kinds_are_what_they_are_called() -> None:
    for pair in BLIND:
        kind = pair["kind"]
        assert (pair["lang"] != "de") == kind.startswith("other_language"), pair["id"]
        assert (kind == "wrong_passage") == pair.get("note", "").startswith(SAID_IN), pair["id"]
        assert kind != "right_verbatim" or pair["sentence"] in pair["passage"], pair["id"]
        assert kind != "right_two_sentences" or len(cited(pair["article"], pair["passage"])) > 1, pair["id"]
        assert "[" not in pair["sentence"], pair["id"]


def test_blind_halves_are_alike_in_every_kind() -> None:
    counts = Counter((pair["kind"], pair["split"]) for pair in BLIND)
    for kind in {pair["kind"] for pair in BLIND}:
        assert abs(counts[kind, "tune"] - counts[kind, "test"]) <= 1, kind


def test_the_two_sets_can_be_joined() -> None:
    assert not {pair["id"] for pair in PAIRS} & {pair["id"] for pair in BLIND}
    made = {(pair["sentence"], pair["passage"]) for pair in PAIRS}
    assert [pair["id"] for pair in BLIND if (pair["sentence"], pair["passage"]) in made] == []
    halves = defaultdict(set)
    for pair in PAIRS:
        for source in sources(pair):
            halves[source].add(pair["split"])
    assert [p["id"] for p in BLIND if any(halves[s] - {p["split"]} for s in sources(p))] == []
