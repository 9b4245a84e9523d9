"""Protects the form of the word lists that the glossary and the text tools read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

DATA = ROOT / "rag" / "data"
LEAST = {"en": 5000, "fr": 1000, "pt": 1000, "uk": 1000}
MOST_TRANSLATIONS = 4

each_language = pytest.mark.parametrize("language", LEAST)


def rows(path: Path) -> list[list[str]]:
    """The fields of each line; every line ends with a line feed."""
    text = path.read_bytes().decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def glossary(language: str) -> list[list[str]]:
    return rows(DATA / f"glossary.{language}.tsv")


def fault(row: list[str]) -> str | None:
    """What is wrong with a line, if anything: `annonce<TAB>Ankündigung|Anzeige:0.4` is right."""
    if len(row) != 2:
        return "a headword, one tab, translations"
    headword, field = row
    if not headword or headword != " ".join(headword.lower().split()):
        return "headword empty, with capitals or with stray blanks"
    translations = [part.partition(":") for part in field.split("|")]
    if len(translations) > MOST_TRANSLATIONS:
        return "too many translations"
    words = [word for word, _, _ in translations]
    if not all(word and word == " ".join(word.split()) for word in words):
        return "translation empty or with stray blanks"
    if len(set(words)) < len(words):
        return "a translation twice"
    if not all(_is_weight(weight) for _, colon, weight in translations if colon):
        return "weight not in (0, 1]"
    return None


def _is_weight(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


@each_language
def test_every_line_is_a_headword_with_weighted_translations(language: str) -> None:
    faults = [(row, wrong) for row in glossary(language) if (wrong := fault(row))]
    assert faults == []


@each_language
def test_headwords_are_unique_and_enough(language: str) -> None:
    counts = Counter(row[0] for row in glossary(language))
    assert [headword for headword, count in counts.items() if count > 1] == []
    assert len(counts) >= LEAST[language]


def test_verbs_have_three_forms_and_stand_once() -> None:
    verbs = rows(DATA / "verbs.de.tsv")
    assert [
        verb for verb in verbs if len(verb) != 3 or not all(form.strip() == form != "" for form in verb)
    ] == []
    assert [verb for verb, count in Counter(verb[0] for verb in verbs).items() if count > 1] == []


@pytest.mark.parametrize(
    "line",
    [
        "annonce Anzeige",
        "\tAnzeige",
        "Annonce\tAnzeige",
        "annonce \tAnzeige",
        "annonce\t",
        "annonce\tAnzeige||Inserat",
        "annonce\tAnzeige:",
        "annonce\tAnzeige:0",
        "annonce\tAnzeige:1.2",
        "annonce\tAnzeige:nan",
        "annonce\tAnzeige|Anzeige:0.5",
        "annonce\ta|b|c|d|e",
        "annonce\tAnzeige\tInserat",
    ],
)
def test_faults_are_found(line: str) -> None:
    assert fault(line.split("\t"))
