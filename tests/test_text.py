"""Protects the offsets that every citation rests on: text is normalised once, then only cut into slices."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.schema import Span
from rag.text.normalize import count_tokens, normalise, paragraphs, written_date

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates included
PIECES = [
    *"„ “ » « ’ ( ) . , ! ? … : – 3. 15. Mai 2025 z. B. Dr. Mio. % und dann Genf 75".split(),
    *["\n", "\n\n", "\t", "\u00a0", " ", '"', "Er sagte", " Der Präsident kam nach Genf. ", "Wir gehen"],
]
NEWS_LIKE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def blocks(text: str) -> list[str]:
    return [text[low:high] for low, high in paragraphs(text)]


def visible(text: str) -> str:
    return "".join(text.split())


def assert_sound(text: str, spans: list[Span]) -> None:
    """Spans are in order, apart, trimmed, and leave out nothing but white space."""
    assert all(0 <= low < high <= len(text) for low, high in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    assert [text[low:high] for low, high in spans] == [text[low:high].strip() for low, high in spans]
    assert visible("".join(text[low:high] for low, high in spans)) == visible(text)


# --- normalise ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ma\u0308rz", "März"),
        ("Зеленськии\u0306", "Зеленський"),
        ("eins\r\nzwei\rdrei\n", "eins\nzwei\ndrei\n"),
        ("\ufeffGenf", "Genf"),
        ("Ge\ufeffnf", "Genf"),
        ("Ge\x00n\x1bf\x7f", "Genf"),
        ("Ge\ud800nf\udfff", "Genf"),
        ("a\x00\u0308", "ä"),
        ("eins\tzwei\nd\u00a0rei", "eins\tzwei\nd\u00a0rei"),
        ("„Ja“ – sagte er … ½ ﬁ 🙂", "„Ja“ – sagte er … ½ ﬁ 🙂"),
        ("", ""),
    ],
)
def test_normalise_keeps_what_is_readable_in_one_form(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@settings(deadline=None)
@given(ANY_TEXT)
def test_normalised_text_is_stable_and_can_be_written(raw: str) -> None:
    text = normalise(raw)
    assert normalise(text) == text
    assert text.encode("utf-8").decode("utf-8") == text


# --- paragraphs --------------------------------------------------------------------------------


def test_each_line_is_a_paragraph_of_its_own() -> None:
    assert blocks("Der erste endet.\nDer zweite endet.\n\n  Der dritte auch. \n") == [
        "Der erste endet.",
        "Der zweite endet.",
        "Der dritte auch.",
    ]


def test_hard_wrapped_text_breaks_at_blank_lines_only() -> None:
    first = (
        "Der Präsident reiste am Freitag nach Alaska, um dort\nmit den anderen zu sprechen,\nwie man hört."
    )
    second = "In Kiew wartete man derweil auf eine Nachricht von\nden beiden, und niemand rief\nan."
    assert blocks(f"{first}\n\n{second}\n") == [first, second]


def test_one_long_line_shows_that_a_text_is_not_wrapped() -> None:
    lines = ["Der Gipfel in Genf und die", "Folgen für", "Europa " + "und die Welt " * 10]
    assert blocks("\n".join(lines)) == [line.strip() for line in lines]


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n "])
def test_blank_text_has_no_paragraphs(text: str) -> None:
    assert paragraphs(text) == []


@settings(deadline=None)
@given(ANY_TEXT | NEWS_LIKE)
def test_paragraphs_are_slices_that_leave_out_white_space_only(raw: str) -> None:
    text = normalise(raw)
    assert_sound(text, paragraphs(text))


# --- dates and tokens --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2025, 8, 15), "15. August 2025"),
        (date(2024, 3, 1), "1. März 2024"),
        (date(2023, 12, 31), "31. Dezember 2023"),
        (None, ""),
    ],
)
def test_days_are_written_as_in_german_newspapers(day: date | None, written: str) -> None:
    assert written_date(day) == written


@pytest.mark.parametrize(
    ("text", "model", "tokens"),
    [
        ("Hallo Welt", "gpt-4o", 2),
        ("Bundeskanzleramt", "gpt-4o", 6),
        ("Bundeskanzleramt", "gpt-4", 7),
        ("", "gpt-4o", 0),
    ],
)
def test_tokens_are_counted_offline_by_the_vocabulary_of_the_model(
    text: str, model: str, tokens: int
) -> None:
    assert count_tokens(text, model) == tokens


def test_an_unknown_model_counts_like_the_newest() -> None:
    assert count_tokens("Bundeskanzleramt", "a-model-of-tomorrow") == count_tokens(
        "Bundeskanzleramt", "gpt-4o"
    )


def test_control_tokens_in_an_article_count_as_plain_text() -> None:
    assert count_tokens("<|endoftext|>") > 1
