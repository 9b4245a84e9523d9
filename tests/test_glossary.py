"""Protects the way of a foreign word into German, by Beleg's own lists and a reader's Ding dictionary."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.question.glossary import (
    LONGEST_PHRASE,
    Glossary,
    Translations,
    compile_dictionary,
    compiled_dictionary,
    is_german,
    load_glossary,
    near_synonyms,
)
from rag.text.analysis import key

LANGUAGES = ("en", "fr", "pt", "uk")

DING = """\
# a comment :: a comment
Xylofrieden {m} (alt) [pol.] /XF/; Yttrofrieden {m} | Xylopakt {m} :: qpeace [Br.]; qcalm | qpeace treaty
xylohandeln; yttrohandeln {vi} <handelte> :: to qtrade
ein sehr langer deutscher Ausdruck hier :: qidiom
Xyloausdruck {m} :: one two three four five
Xylohaus {n} :: Qhouse
Waffenstillstand {m} :: ceasefire
ohne Trennzeichen
"""


@pytest.fixture
def ding(tmp_path: Path) -> Path:
    path = tmp_path / "de-en"
    path.write_text(DING, encoding="utf-8")
    return path


@pytest.fixture
def english(ding: Path, tmp_path: Path) -> Glossary:
    """The English glossary with the tiny Ding dictionary behind it."""
    return load_glossary("en", compile_dictionary(ding, tmp_path / "index"))


def words(translations: Translations) -> list[str]:
    return [german for german, _ in translations]


# --- Beleg's own lists -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "phrase", "german"),
    [
        ("en", "peace", "Frieden"),
        ("en", "security guarantees", "Sicherheitsgarantien"),
        ("en", "prime minister", "Premierminister"),
        ("fr", "guerre", "Krieg"),
        ("fr", "cessez le feu", "Waffenstillstand"),
        ("fr", "garanties de sécurité", "Sicherheitsgarantie"),
        ("pt", "guerra", "Krieg"),
        ("pt", "cessar fogo", "Waffenstillstand"),
        ("pt", "garantias de segurança", "Sicherheitsgarantie"),
        ("uk", "війна", "Krieg"),
        ("uk", "мирні переговори", "Friedensverhandlungen"),
    ],
)
def test_words_and_phrases_have_german_translations(language: str, phrase: str, german: str) -> None:
    assert german in words(load_glossary(language).lookup(phrase.split()))


@pytest.mark.parametrize(
    ("language", "form", "headword"),
    [
        ("en", "presidents", "president"),
        ("en", "negotiating", "negotiate"),
        ("fr", "présidents", "président"),
        ("pt", "presidentes", "presidente"),
        ("uk", "президента", "президент"),
        ("uk", "переговорів", "переговори"),
        ("uk", "війни", "війна"),
        pytest.param(
            "uk",
            "мирних переговорів",
            "мирні переговори",
            marks=pytest.mark.xfail(
                strict=True,
                reason="An inflected Ukrainian phrase is not found: the ending of its short word is too long",
            ),
        ),
    ],
)
def test_inflected_forms_find_their_headword(language: str, form: str, headword: str) -> None:
    glossary = load_glossary(language)
    assert words(glossary.lookup(headword.split()))[0] in words(glossary.lookup(form.split()))


@pytest.mark.parametrize(
    ("form", "german"),
    [("met", "treffen"), ("went", "gehen"), ("said", "sagen"), ("took", "nehmen"), ("children", "Kinder")],
)
def test_irregular_english_forms_are_known(form: str, german: str) -> None:
    assert german in words(load_glossary("en").lookup([form]))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phrase", ["qwertzuiop", "йцукенгшщ", "qwertz uiop"])
def test_unknown_words_have_no_translation(language: str, phrase: str) -> None:
    assert load_glossary(language).lookup(phrase.split()) == ()


@pytest.mark.parametrize(
    ("language", "typed", "german"),
    [
        ("en", "sanctons", "Sanktion"),
        ("en", "delgation", "Delegation"),
        ("en", "presidnet", "Präsident"),
        ("fr", "rencontrre", "Treffen"),
        ("pt", "presidnte", "Präsident"),
        ("uk", "перговори", "Verhandlungen"),
    ],
)
def test_a_typing_error_in_a_foreign_word_is_seen_through(language: str, typed: str, german: str) -> None:
    found = load_glossary(language).misspelt(typed)
    assert german in words(found)
    assert all(0 < weight < 1 for _, weight in found)


@pytest.mark.parametrize("typed", ["lavrov", "witkoff", "xenotia", "wrar", "sanctttons"])
def test_what_is_more_than_one_error_away_is_not_guessed(typed: str) -> None:
    assert load_glossary("en").misspelt(typed) == ()


@pytest.mark.parametrize("word", ["мир", "ми", "пре", "війнанана", "президентство дуже"])
def test_a_ukrainian_word_needs_more_than_a_common_beginning(word: str) -> None:
    translations = words(load_glossary("uk").lookup(word.split()))
    assert "Präsident" not in translations
    assert "Krieg" not in translations


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_come_best_first_with_weights_in_range(language: str) -> None:
    glossary = load_glossary(language)
    for head, translations in glossary.entries.items():
        weights = [weight for _, weight in translations]
        assert weights == sorted(weights, reverse=True), head
        assert all(0 < weight <= 1 for weight in weights), head
        assert len(set(words(translations))) == len(translations), head


@pytest.mark.parametrize(
    "language",
    [
        *("fr", "pt"),
        *(pytest.param(language) for language in ("en", "uk")),
    ],
)
def test_no_headword_is_longer_than_a_look_up_reaches(language: str) -> None:
    heads = load_glossary(language).entries
    assert [head for head in heads if head.count(" ") >= LONGEST_PHRASE] == []


# --- the Ding dictionary -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "german"),
    [
        ("qpeace", ["Xylofrieden", "Yttrofrieden"]),
        ("qcalm", ["Xylofrieden", "Yttrofrieden"]),
        ("qpeace treaty", ["Xylopakt"]),
        ("qpeace treaties", ["Xylopakt"]),
        ("qtrade", ["xylohandeln", "yttrohandeln"]),
        ("qtraded", ["xylohandeln", "yttrohandeln"]),
        ("qidiom", []),
        ("one two three four", []),
        ("a comment", []),
        pytest.param(
            "qhouse",
            ["Xylohaus"],
        ),
    ],
)
def test_ding_lines_are_read_without_their_notes(english: Glossary, phrase: str, german: list[str]) -> None:
    assert words(english.lookup(phrase.split())) == german


def test_a_translation_further_down_its_line_counts_less(english: Glossary) -> None:
    (_, first), (_, second) = english.lookup(["qpeace"])
    (_, of_the_second_headword), _ = english.lookup(["qcalm"])
    assert 1 > first > second > 0
    assert first > of_the_second_headword > 0


def test_own_translations_go_before_the_dictionary(english: Glossary) -> None:
    own = dict(load_glossary("en").lookup(["ceasefire"]))
    assert own["Waffenstillstand"] == 1
    assert dict(english.lookup(["ceasefire"])) == own


def test_the_dictionary_serves_english_only(ding: Path, tmp_path: Path) -> None:
    dictionary = compile_dictionary(ding, tmp_path / "index")
    assert load_glossary("fr", dictionary).lookup(["qpeace"]) == ()


def test_without_a_dictionary_nothing_is_compiled(tmp_path: Path) -> None:
    assert compile_dictionary(tmp_path / "absent", tmp_path / "index") is None
    assert compiled_dictionary(tmp_path / "absent", tmp_path / "index") is None
    assert compiled_dictionary(None, tmp_path) is None
    assert not (tmp_path / "index").exists()


def test_a_compiled_dictionary_is_found_again_and_not_made_anew(ding: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    assert compiled_dictionary(ding, folder) is None
    target = compile_dictionary(ding, folder)
    assert target is not None
    assert compiled_dictionary(ding, folder) == target
    target.write_bytes(b"kept")
    assert compile_dictionary(ding, folder) == target
    assert target.read_bytes() == b"kept"


def test_a_changed_dictionary_is_compiled_anew(ding: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    before = compile_dictionary(ding, folder)
    ding.write_text("Zinkfrieden {m} :: qpeace\n", encoding="utf-8")
    os.utime(ding, (1, 1))
    assert compiled_dictionary(ding, folder) is None
    after = compile_dictionary(ding, folder)
    assert after != before
    assert words(load_glossary("en", after).lookup(["qpeace"])) == ["Zinkfrieden"]


def test_what_an_aborted_run_left_does_not_disturb(ding: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    target = compile_dictionary(ding, folder)
    assert target is not None
    target.rename(target.with_suffix(".partial")).write_bytes(b"half")
    assert compile_dictionary(ding, folder) == target
    assert words(load_glossary("en", target).lookup(["qtrade"])) == ["xylohandeln", "yttrohandeln"]
    assert list(folder.iterdir()) == [target]


# --- near-synonyms -----------------------------------------------------------------------------

SOME_WORDS = "Waffenruhe Gespräch Präsident Verhandlung Treffen sagen reisen Frieden Soldat Angriff".split()


@pytest.mark.parametrize(
    ("word", "synonym"),
    [
        ("Waffenruhe", "Waffenstillstand"),
        ("Gespräch", "Unterredung"),
        ("Präsident", "Staatschef"),
        ("Treffen", "Begegnung"),
    ],
)
def test_words_with_the_same_translations_are_near_synonyms(word: str, synonym: str) -> None:
    assert key(synonym) in dict(near_synonyms(key(word)))


def test_a_word_that_shares_all_its_senses_is_liker_than_one_that_shares_a_few() -> None:
    likeness = dict(near_synonyms(key("Waffenruhe")))
    assert likeness[key("Waffenstillstand")] > likeness[key("Waffenstillstandsabkommen")]


@pytest.mark.parametrize("word", SOME_WORDS)
def test_likeness_is_symmetric_in_range_and_sorted(word: str) -> None:
    near = near_synonyms(key(word))
    assert near
    assert key(word) not in dict(near)
    assert [like for _, like in near] == sorted((like for _, like in near), reverse=True)
    for other, like in near:
        assert 0 < like <= 1 + 1e-9
        assert dict(near_synonyms(other))[key(word)] == pytest.approx(like)


def test_an_unknown_word_has_no_near_synonyms() -> None:
    assert near_synonyms(key("Selenskyj")) == ()


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("Frieden", True),
        ("Friedens", True),
        ("Verhandlungen", True),
        ("Qwertz", False),
        ("der", False),
        ("", False),
    ],
)
def test_german_words_are_known_by_their_key(word: str, known: bool) -> None:
    assert is_german(word) is known
