"""Protects what is checked to the letter: numbers however they are written, dates, quotations, negation."""

from __future__ import annotations

from datetime import date

import pytest

from rag.verification.facts import facts, missing

PUBLISHED = date(2025, 8, 16)  # a Saturday


@pytest.mark.parametrize(
    ("text", "language", "numbers"),
    [
        ("Er reiste fünfmal hin.", "de", {5}),
        ("He went there five times.", "en", {5}),
        ("Il y est allé cinq fois.", "fr", {5}),
        ("Foi lá cinco vezes.", "pt", {5}),
        ("Він їздив туди п’ять разів.", "uk", {5}),
        ("Das Gespräch war dreistündig.", "de", {3}),
        ("Es dauerte zweieinhalb Stunden.", "de", {2.5}),
        ("Es ist kurz nach halb zwei.", "de", {0.5, 2.0}),
        ("It took two and a half hours.", "en", {2.5}),
        ("Es kostete 1.300 Euro.", "de", {1300}),
        ("It cost 1,300 euros.", "en", {1300}),
        ("Es stieg um 2,5 Prozent.", "de", {2.5}),
        ("Es stieg um 2.5 Prozent.", "de", {2.5}),
        ("Es kostet 1.250,50 Euro.", "de", {1250.5}),
        ("Es leben dort 2,5 Millionen Menschen.", "de", {2_500_000}),
        ("Über zwei Milliarden flossen.", "de", {2_000_000_000}),
        ("Sie zahlten drei Billionen.", "de", {3_000_000_000_000}),
        ("They paid three billion.", "en", {3_000_000_000}),
        ("zweihundertfünfzig Gäste", "de", {250}),
        ("einundzwanzig Gäste", "de", {21}),
        ("Um 10.30 Uhr begann es.", "de", {10, 30}),
        ("Um 10:30 Uhr begann es.", "de", {10, 30}),
        ("der 47. Präsident", "de", {47}),
        ("die zweite Amtszeit", "de", {2}),
        ("ein Treffen mit einer Frau", "de", set()),
        ("Achtung, wir achten darauf!", "de", set()),
        ("Elfen und Dreistigkeit", "de", set()),
    ],
)
def test_numbers_are_read_by_value(text: str, language: str, numbers: set[float]) -> None:
    assert facts(text, language).numbers == numbers


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("am 15. August 2025", "de", (2025, 8, 15)),
        ("am 15.08.2025", "de", (2025, 8, 15)),
        ("am 15.8. in Anchorage", "de", (None, 8, 15)),
        ("on August 15, 2025", "en", (2025, 8, 15)),
        ("on 15 August", "en", (None, 8, 15)),
        ("le 15 août 2025", "fr", (2025, 8, 15)),
        ("em 15 de agosto de 2025", "pt", (2025, 8, 15)),
        ("15 серпня 2025", "uk", (2025, 8, 15)),
        ("im Mai 2024", "de", (2024, 5, None)),
        ("2025-08-15", "de", (2025, 8, 15)),
    ],
)
def test_dates_are_read_in_each_form_and_are_no_numbers(text: str, language: str, day: object) -> None:
    found = facts(text, language)
    assert found.days == {day}
    assert found.numbers == set()


def test_words_that_are_months_elsewhere_are_no_dates() -> None:
    assert facts("They may march on.", "en").days == set()


def lacks(claim: str, source: str, language: str = "de", published: date | None = PUBLISHED) -> list[str]:
    return missing(facts(claim, language), facts(source, "de", published), source, published)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Am 15. August trafen sie sich.", "Am Freitag trafen sie sich."),
        ("Am 15. August 2025 trafen sie sich.", "Am 15. August trafen sie sich."),
        ("Am Freitag trafen sie sich.", "Am 15. August trafen sie sich."),
        ("Am 16. August trafen sie sich.", "Heute trafen sie sich."),
        ("Sie trafen sich im August.", "Am Freitag trafen sie sich."),
        ("Sie trafen sich 2025.", "Am Freitag trafen sie sich."),
        ("Er nannte es „ein Fiasko“.", "„Das ist ein Fiasko“, sagte er."),
        ("Er nannte es “ein … Fiasko”.", "Es sei „ein großes Fiasko“."),
    ],
)
def test_what_the_source_says_otherwise_is_there(claim: str, source: str) -> None:
    assert lacks(claim, source) == []


@pytest.mark.parametrize(
    ("claim", "source", "lack"),
    [
        ("Er reiste viermal hin.", "Er reiste fünfmal hin.", ["number"]),
        ("Es kostete 1.300 Euro.", "Es kostete 1.800 Euro.", ["number"]),
        ("Sie zahlten 2 Milliarden.", "Sie zahlten 2 Millionen.", ["number"]),
        ("Am 16. August trafen sie sich.", "Am 15. August trafen sie sich.", ["date"]),
        ("Am 15. August 2024 trafen sie sich.", "Am 15. August trafen sie sich.", ["date"]),
        ("Am Montag trafen sie sich.", "Am Freitag trafen sie sich.", ["date"]),
        ("Er nannte es „ein Desaster“.", "„Das ist ein Fiasko“, sagte er.", ["quote"]),
        ("Am 3. Mai kamen „zwei“, nicht 7.", "Es kamen zwei.", ["number", "date"]),
    ],
)
def test_what_the_source_lacks_is_named(claim: str, source: str, lack: list[str]) -> None:
    assert lacks(claim, source) == lack


def test_undated_source_resolves_no_weekday() -> None:
    assert lacks("Am 15. August trafen sie sich.", "Am Freitag trafen sie sich.", published=None) == ["date"]


def test_negations_are_counted() -> None:
    assert facts("Es gab keine Einigung und nicht einmal ein Protokoll.").negations == 2
    assert facts("There wasn't any deal.", "en").negations == 1
    assert facts("Es gab eine Einigung.").negations == 0
    assert facts("Der ungelöste Streit blieb ungeklärt.").negations == 2
    assert facts("Ungeachtet dessen kamen ungefähr ungewöhnlich viele.").negations == 0
