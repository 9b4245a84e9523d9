"""Protects the contract of answers as data: `--json`, REST and MCP all send exactly this."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rag.errors import BadRequest
from rag.schema import Answer, Passage
from rag.wire import answer_from_dict, answer_to_dict
from tests.fake_engine import canned


def test_scores_of_other_number_types_become_floats() -> None:
    answer = canned("wärmeplan")
    passages = tuple(Passage(p.chunk, p.article, 1) for p in answer.passages)
    sent = answer_to_dict(dataclasses.replace(answer, passages=passages, confidence=1))
    assert type(sent["passages"][0]["score"]) is float
    assert type(sent["confidence"]) is float


@pytest.mark.parametrize("keyword", ["wärmeplan", "gift", "mondlandung", "prosa"])
def test_what_was_sent_comes_back(keyword: str) -> None:
    sent = json.loads(json.dumps(answer_to_dict(canned(keyword))))
    assert answer_to_dict(answer_from_dict(sent)) == sent


def test_a_record_of_an_earlier_version_withholds_nothing() -> None:
    sent = answer_to_dict(canned("wärmeplan"))
    del sent["withheld"], sent["by_words"], sent["contradictions"]
    read = answer_from_dict(sent)
    assert (read.withheld, read.by_words, read.contradictions) == ((), False, ())


@pytest.mark.parametrize(("question", "certainty"), [("wärmeplan", "sure"), ("mondlandung", "none")])
def test_a_record_of_an_earlier_version_is_sure_unless_it_is_declined(question: str, certainty: str) -> None:
    sent = answer_to_dict(canned(question))
    del sent["certainty"]
    assert answer_from_dict(sent).certainty == certainty


@pytest.mark.parametrize(
    "missing",
    sorted(
        {field.name for field in dataclasses.fields(Answer)}
        - {"withheld", "by_words", "contradictions", "certainty", "filters"}
    ),
)
def test_what_lacks_anything_is_refused(missing: str) -> None:
    sent = answer_to_dict(canned("wärmeplan"))
    del sent[missing]
    with pytest.raises(BadRequest):
        answer_from_dict(sent)
