"""Protects the contract of answers as data: `--json`, REST and MCP all send exactly this."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest

from rag.errors import BadRequest
from rag.schema import Answer, Citation, Passage, Statement
from rag.wire import answer_from_dict, answer_to_dict
from tests.fake_engine import canned


def test_every_field_of_an_answer_is_on_the_wire() -> None:
    sent = answer_to_dict(canned("wärmeplan"))
    assert set(sent) == {field.name for field in dataclasses.fields(Answer)}
    assert set(sent["citations"][0]) == {field.name for field in dataclasses.fields(Citation)}
    assert set(sent["further"][0]) == set(sent["citations"][0])
    assert set(sent["statements"][0]) == {field.name for field in dataclasses.fields(Statement)}


def test_passages_are_flat() -> None:
    passage = answer_to_dict(canned("wärmeplan"))["passages"][0]
    assert set(passage) == {
        *("chunk_id", "article_id", "start", "end", "text", "score", "title", "outlet", "published")
    }
    assert passage["article_id"] == "waermeplan"
    assert passage["published"] == "2025-03-12"


def test_dict_survives_json_unchanged() -> None:
    sent = answer_to_dict(canned("wärmeplan"))
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def test_unknown_outlet_and_date_are_null() -> None:
    citation = answer_to_dict(canned("gift"))["citations"][0]
    assert citation["outlet"] is None
    assert citation["published"] is None


def test_offsets_and_quote_are_sent_as_they_are() -> None:
    answer = canned("wärmeplan")
    sent = answer_to_dict(answer)["citations"][1]
    cited = answer.citations[1]
    assert (sent["start"], sent["end"], sent["quote"]) == (cited.start, cited.end, cited.quote)
    assert sent["published"] == date(2025, 3, 12).isoformat()
    assert sent["sha256"] == cited.sha256


def test_an_abstention_is_an_answer_with_its_reason() -> None:
    sent = answer_to_dict(canned("mondlandung"))
    assert sent["abstained"] is True
    assert sent["reason"]
    assert sent["citations"] == []
    assert sent["further"]


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
