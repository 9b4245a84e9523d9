"""Protects the files of the languages, each of which is all that Beleg must be told to know one more."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from rag.text.languages import LANGUAGES, pattern

WORD_LISTS = {"stop", "carriers", "dossier", "courtesy", "words", "classes", "calendar", "numbers"}
SAID = {"name", "says", "catalogue"}


def held(language: str) -> dict[str, Any]:
    return tomllib.loads((files("rag") / "data" / "languages" / f"{language}.toml").read_text("utf-8"))


def blanks(value: Any) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", str(value)))


def patterns(tables: dict[str, Any]) -> Iterator[str]:
    for name in tables.keys() - WORD_LISTS - SAID - {"sentences"}:
        yield from (held for held in tables[name].values() if isinstance(held, str))


@pytest.mark.parametrize("language", LANGUAGES)
def test_beleg_can_say_in_each_language_what_it_says_in_german(language: str) -> None:
    ours, german = held(language), held("de")
    for table in ("says", "catalogue"):
        assert ours[table].keys() == german[table].keys()
        for name, phrase in german[table].items():
            if name != "names":
                assert blanks(ours[table][name]) == blanks(phrase), name
    assert ours["catalogue"]["names"].keys() == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_words_for_all_that_articles_state_of_themselves(language: str) -> None:
    assert held("fr")["news"].keys() <= held(language)["news"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_alternative_is_a_pattern_by_itself(language: str) -> None:
    for lines in patterns(held(language)):
        for line in lines.splitlines():
            re.compile(line)


@pytest.mark.parametrize("text", ["", "word"])
def test_a_pattern_that_no_language_has_matches_nothing(text: str) -> None:
    assert re.search(pattern("no.such_entry"), text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_twelve_months_and_seven_days(language: str) -> None:
    calendar = held(language)["calendar"]
    assert [len(calendar[name].split()) for name in ("written", "months", "weekdays")] == [12, 12, 7]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_of_answer_can_be_asked_for(language: str) -> None:
    assert held(language)["asks"].keys() == held("de")["asks"].keys()
