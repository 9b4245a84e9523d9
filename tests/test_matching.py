"""Protects the likeness of words, and with it what a sentence is taken to say of a question."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.question.query import Alternative, Concept
from rag.retrieval.matching import COMPOUND, coverage, soft_match
from rag.store.terms import SentenceTerms
from rag.text.analysis import key, keys

KEYS = st.text("abcdeiknorstuv", min_size=1, max_size=12)
FOLDED_LENGTH = "Krieg does not match Angriffskrieg: a part needs five letters, and folding leaves krig"
NUMBERS = st.from_regex(r"[0-9]{1,4}", fullmatch=True)


def concept(*alternatives: tuple[float, str]) -> Concept:
    """A concept of weighted German words or phrases."""
    return Concept("", tuple(Alternative(weight, tuple(keys(german))) for weight, german in alternatives))


def sentence(text: str) -> SentenceTerms:
    return SentenceTerms(f" {' '.join(keys(text))} ", "")


def says(text: str, *alternatives: tuple[float, str]) -> float:
    return float(coverage([concept(*alternatives)], [sentence(text)])[0, 0])


# --- two keys ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(KEYS | NUMBERS, KEYS | NUMBERS)
def test_likeness_is_symmetric_and_from_0_to_1(left: str, right: str) -> None:
    assert soft_match(left, right) == soft_match(right, left)
    assert 0 <= soft_match(left, right) <= 1
    assert (soft_match(left, right) == 1) >= (left == right)


@settings(deadline=None)
@given(NUMBERS, NUMBERS | KEYS)
def test_numbers_match_exactly_or_not_at_all(number: str, other: str) -> None:
    assert soft_match(number, other) == float(number == other)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Gipfel", "Gipfeltreffen"),
        ("Gespräch", "Friedensgespräch"),
        *(
            pytest.param(*pair, marks=pytest.mark.xfail(strict=True, reason=FOLDED_LENGTH))
            for pair in [("Krieg", "Angriffskrieg"), ("Frieden", "Friedensplan")]
        ),
    ],
)
def test_a_compound_is_like_its_parts(left: str, right: str) -> None:
    assert COMPOUND <= soft_match(key(left), key(right)) < 1


@pytest.mark.parametrize(
    ("left", "right"),
    [("Demonstrant", "Demonstration"), ("Selenskyj", "Selenskyjs"), ("Verhandlung", "verhandelt")],
)
def test_words_of_a_family_and_misspellings_are_alike(left: str, right: str) -> None:
    assert 0.5 <= soft_match(key(left), key(right)) <= 1


@pytest.mark.parametrize(
    ("left", "right"),
    [("Trump", "Putin"), ("Moskau", "Minsk"), ("Uhr", "Uhu"), ("Rom", "Romanze"), ("Ei", "Polizei")],
)
def test_short_beginnings_and_other_words_are_not_alike(left: str, right: str) -> None:
    assert soft_match(key(left), key(right)) == 0


@pytest.mark.xfail(
    strict=True,
    raises=IndexError,
    reason="A soft sign alone gets an empty search key, and matching an empty key raises IndexError",
)
def test_a_key_of_nothing_matches_nothing() -> None:
    assert soft_match(key("ь"), key("Genf")) == 0


# --- a sentence and a question -----------------------------------------------------------------


def test_coverage_has_a_row_for_each_sentence_and_a_column_for_each_concept() -> None:
    matrix = coverage(
        [concept((1, "Genf")), concept((1, "2021"))],
        [sentence("Genf im Juni"), sentence("2021 in Genf"), sentence("")],
    )
    assert matrix.tolist() == [[1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(("concepts", "sentences"), [(0, 0), (0, 2), (2, 0)])
def test_coverage_of_nothing_has_its_shape_too(concepts: int, sentences: int) -> None:
    matrix = coverage([concept((1, "Genf"))] * concepts, [sentence("Genf")] * sentences)
    assert matrix.shape == (sentences, concepts)


@pytest.mark.parametrize(
    ("text", "said"),
    [("Genf war ruhig.", 1), ("Dort gilt die Waffenruhe.", 0.6), ("Waffenruhe in Genf", 1), ("Moskau", 0)],
)
def test_a_sentence_says_a_concept_by_its_best_alternative(text: str, said: float) -> None:
    assert says(text, (0.6, "Waffenruhe"), (1, "Genf"), (0.3, "Waffenruhe")) == pytest.approx(said)


def test_a_phrase_is_said_in_part_by_some_of_its_words() -> None:
    assert says("Das Weiße Haus schwieg", (1, "Weißes Haus")) == 1
    assert says("Ein Haus brannte", (1, "Weißes Haus")) == pytest.approx(0.5)


def test_light_alternatives_must_be_said_exactly_and_wholly() -> None:
    assert says("Der Gipfel tagte", (0.4, "Gipfel")) == 0.4
    assert says("Das Gipfeltreffen begann", (0.4, "Gipfel")) == 0
    assert says("Ein Haus brannte", (0.4, "Weißes Haus")) == 0
    assert says("Das Gipfeltreffen begann", (0.6, "Gipfel")) > 0


def test_a_concept_without_alternatives_is_never_said() -> None:
    assert says("Genf war ruhig.") == 0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["Genf", "Gipfel", "Haus", "2021"])), max_size=4),
    st.lists(st.sampled_from(["Genf", "Gipfeltreffen", "Haus", "2021", "2022"]), max_size=4),
)
def test_coverage_stays_within_the_heaviest_alternative(
    alternatives: list[tuple[float, str]], words: list[str]
) -> None:
    assert 0 <= says(" ".join(words), *alternatives) <= max((weight for weight, _ in alternatives), default=0)


WORDS = "Gipfel Gipfeltreffen Präsident Präsidenten 15 150 Treffen traf Rat Verhandlung Verhandlungen".split()
ALTERNATIVES = st.tuples(
    st.sampled_from([1.0, 0.8, 0.5, 0.4, 0.3]), st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)
)


@settings(deadline=None)
@given(
    st.lists(st.lists(ALTERNATIVES, min_size=1, max_size=4), max_size=3),
    st.lists(st.lists(st.sampled_from([*WORDS, "Regen", "Treff"]), max_size=5), max_size=3),
)
def test_coverage_is_what_comparing_all_with_all_gives(
    said: list[list[tuple[float, list[str]]]], texts: list[list[str]]
) -> None:
    concepts = [concept(*((weight, " ".join(words)) for weight, words in each)) for each in said]
    sentences = [sentence(" ".join(words)) for words in texts]

    def share(alternative: Alternative, present: list[str]) -> float:
        if alternative.weight < 0.5:
            return alternative.weight * all(term in present for term in alternative.keys)
        likest = [max((soft_match(term, k) for k in present), default=0) for term in alternative.keys]
        return alternative.weight * (sum(likest) / len(likest))

    expected = [
        [max(share(a, each.keys) for a in concept.alternatives) for concept in concepts] for each in sentences
    ]
    found = coverage(concepts, sentences)
    assert found.tolist() == np.array(expected).reshape(found.shape).tolist()
