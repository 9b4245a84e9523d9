"""Protects that a question typed without capitals is read as if it had them, where we know them."""

from __future__ import annotations

import pytest

from rag.question.query import understand, with_capitals


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("wie hoch war die beteiligung", "wie hoch war die Beteiligung"),
        ("was will putin", "was will Putin"),
        ("wo trafen sich die präsidenten", "wo trafen sich die Präsidenten"),
        ("wie alt ist petersen?", "wie alt ist Petersen?"),
        ("warum flogen sie nach genf", "warum flogen sie nach Genf"),
    ],
)
def test_nouns_and_names_get_their_capitals(typed: str, read: str) -> None:
    assert with_capitals(typed) == read


@pytest.mark.parametrize("text", ["", "Was will putin", "und warum nicht?", "2014?"])
def test_what_has_some_or_needs_none_stays(text: str) -> None:
    assert with_capitals(text) == text


def test_only_a_german_question_is_read_so() -> None:
    assert understand("who pays the bridge").text == "who pays the bridge"
    assert understand("wer zahlt die brücke").text == "wer zahlt die Brücke"
