"""Protects the one reader of numbers and dates: by value, however they are written, in five languages."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.figures import FULL_DATE, days_of, written
from rag.text.languages import LANGUAGES
from rag.text.normalize import written_date
from rag.verification.facts import facts, missing

DAYS = st.dates(date(1800, 1, 1), date(2099, 12, 31))


def numbers(text: str, language: str = "de") -> set[float]:
    return {number for each in written(text, language) for number in each.numbers}


def days(text: str, language: str = "de") -> set[tuple[int | None, int, int | None]]:
    return {day for each in written(text, language) for day in each.days}


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("1’300’000 Franken", "de", {1_300_000}),
        ("1 200 000 Menschen", "de", {1_200_000}),
        ("1\u2009300\u2009000 Franken", "de", {1_300_000}),
        ("2025 300 Menschen", "de", {2025, 300}),
        ("0,750 Liter", "de", {0.75}),
        ("3½ Prozent, ¼ davon", "de", {3.5, 0.25}),
        ("49.90 Franken", "de", {49.9}),
        ("ein Tagesticket Fr. 12.–", "de", {12}),
        ("0,75 Mrd. und 750 Mio. Euro", "de", {750_000_000}),
        ("$5bn, 50 cents, 5 miles", "en", {5_000_000_000, 50, 5}),
        ("bei −5 Grad", "de", {-5}),
        ("bei minus fünf Grad", "de", {-5}),
        ("bei 5 Grad unter null", "de", {-5}),
        ("five degrees below zero", "en", {-5}),
        ("moins 2,5 millions", "fr", {-2_500_000}),
        ("2-3 Kilometer, COVID-19", "de", {2, 3, 19}),
        ("7.30–17 Uhr", "de", {7, 30, 17}),
        ("at 7:30 pm", "en", {19, 30}),
        ("à 19h30", "fr", {19, 30}),
        ("in der Saison 2024/25", "de", {2024, 2025}),
        ("zwei Drittel, ein Viertel, das Viertel", "de", {0.666667, 0.25}),
        ("fünfundzwanzigtausend Gäste", "de", {25_000}),
        ("two hundred and fifty thousand people and three dogs", "en", {250_000, 3}),
        ("half a million, three dozen, twenty-five", "en", {500_000, 36, 25}),
        ("quatre-vingt-dix-sept, soixante et onze, trois mille cinq cents", "fr", {97, 71, 3500}),
        ("vinte e um, dois mil e quinhentos, doze mil milhões", "pt", {21, 2500, 12_000_000_000}),
        ("двадцять п’ять, двісті п’ятдесят тисяч", "uk", {25, 250_000}),
        ("one thousand nine hundred, one million two hundred thousand", "en", {1900, 1_200_000}),
        ("mille neuf cent quatre-vingt, deux mille cent", "fr", {1980, 2100}),
        ("eine Million zweihunderttausend", "de", {1_200_000}),
        ("um milhão e duzentos mil", "pt", {1_200_000}),
        ("vingt pour cent de cent élèves", "fr", {20, 100}),
        ("сорока двом, 9,6 мільярда", "uk", {42, 9_600_000_000}),
        ("один мільйон двісті тисяч", "uk", {1_200_000}),
        ("in der Saison 1999/00, im Bericht 2024-05", "de", {1999, 2000, 2024, 5}),
        ("am 3.4. 20 Menschen", "de", {20}),
    ],
)
def test_numbers_by_value(text: str, language: str, expected: set[float]) -> None:
    assert numbers(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("am 15. Aug.", "de", {(None, 8, 15)}),
        ("on Aug. 15, 2025", "en", {(2025, 8, 15)}),
        ("3 sept. 2024", "fr", {(2024, 9, 3)}),
        ("15 set. 2025", "pt", {(2025, 9, 15)}),
        ("15 серп. 2025", "uk", {(2025, 8, 15)}),
        ("Aktualisiert am 24.12. 18:30 Uhr", "de", {(None, 12, 24)}),
        ("am 17. 9. 2025 und am 1.2.24", "de", {(2025, 9, 17), (2024, 2, 1)}),
        ("zwischen dem 1. und dem 15. Oktober", "de", {(None, 10, 1), (None, 10, 15)}),
        ("du 1er au 15 octobre", "fr", {(None, 10, 1), (None, 10, 15)}),
        ("15./16. August 2025", "de", {(2025, 8, 15), (2025, 8, 16)}),
        ("03/04/2019", "de", {(2019, 4, 3)}),
        ("03/04/2019", "en", {(2019, 4, 3), (2019, 3, 4)}),
        ("04/23/2019", "de", {(2019, 4, 23)}),
        ("31.6.2025, 32. Juli", "de", {(None, 7, None)}),
        ("15 out of 20; only 5 may enter; sept personnes", "en", set()),
    ],
)
def test_days(text: str, language: str, expected: set[object]) -> None:
    assert days(text, language) == expected


@given(st.integers(0, 10**9), st.sampled_from([".", ",", "'", "’", "\u00a0", "\u2009", "\u202f", ""]))
def test_any_separator_of_thousands_says_the_same_number(number: int, separator: str) -> None:
    assert numbers(f"Es waren {number:,} Stück.".replace(",", separator)) == {number}


@given(st.integers(1, 999_999), st.sampled_from(["−", "-", "minus "]))
def test_the_sign_counts(number: int, sign: str) -> None:
    assert numbers(f"Es waren {sign}{number} Punkte.") == {-number}
    assert missing(facts(f"Es waren {number} Punkte."), facts(f"Es waren {sign}{number} Punkte."), "", None)


@given(DAYS, st.sampled_from(LANGUAGES))
def test_a_day_is_the_same_however_it_is_written(day: date, language: str) -> None:
    expected = (day.year, day.month, day.day)
    for form in (
        written_date(day, language),
        day.isoformat(),
        f"{day:%d.%m.%Y}",
        f"{day.day}. {day.month}. {day.year}",
    ):
        assert days(f"({form})", language) == {expected}, form
        assert numbers(f"({form})", language) == set()
        match = FULL_DATE.search(form)
        assert match, form
        assert days_of(match) == (expected,)


@given(
    st.text(st.sampled_from("15. -−/:,½’0123 Aug Mio zwei und mille am pm\n"), max_size=40),
    st.sampled_from(LANGUAGES),
)
def test_a_text_never_lacks_what_it_says_itself(text: str, language: str) -> None:
    found = facts(text, language)
    assert not {"number", "date"} & set(missing(found, found, text, None))
    assert all(0 <= each.start < each.end <= len(text) for each in written(text, language))


def test_a_number_of_words_without_end_is_read_to_an_end() -> None:
    assert numbers("deux cent" + " cent" * 30 + " cinq", "fr")
