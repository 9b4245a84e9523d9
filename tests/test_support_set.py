"""Protects the labelled pairs that the verifier is judged by: verbatim passages, clean halves, no doubles."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ingest.articles import article_from
from ingest.readers import read_file

ROOT = Path(__file__).resolve().parent.parent
PAIRS = [json.loads(line) for line in (ROOT / "eval/sets/support.jsonl").read_text("utf-8").splitlines()]


def test_every_passage_stands_in_its_article_once() -> None:
    texts = {}
    for path in sorted((ROOT / "seeds").glob("*-*.md")):
        (document,) = read_file(path, limit_bytes=1_000_000).documents
        texts[path.stem] = article_from(document, path.stem, path.name).text
    assert [pair["id"] for pair in PAIRS if texts[pair["article"]].count(pair["passage"]) != 1] == []


def test_labels_follow_from_how_a_sentence_was_made() -> None:
    wrong = [p["id"] for p in PAIRS if (p["label"] == "supported") != ("right" in p["kind"])]
    assert wrong == []
    assert {pair["label"] for pair in PAIRS} == {"supported", "unsupported"}


def test_halves_share_no_passage_and_no_pair_occurs_twice() -> None:
    halves = {split: {p["passage"] for p in PAIRS if p["split"] == split} for split in ("tune", "test")}
    assert not halves["tune"] & halves["test"]
    assert len({pair["id"] for pair in PAIRS}) == len(PAIRS)
    assert max(Counter((pair["sentence"], pair["passage"]) for pair in PAIRS).values()) == 1


def test_there_is_enough_of_each_kind() -> None:
    assert len(PAIRS) >= 150
    labels = Counter((pair["label"], pair["split"]) for pair in PAIRS)
    assert min(labels.values()) >= 40
    assert min(Counter(pair["kind"] for pair in PAIRS).values()) >= 2
