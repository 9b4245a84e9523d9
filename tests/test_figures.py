"""Protects the check of figures: which figure a question asks for, of what, and which sentences offer it."""

from __future__ import annotations

import pytest

from rag.question.figures import asked_noun, figure_of
from rag.question.query import understand

OFFERED = [
    ("Wie lang ist die Brücke?", "Die Brücke misst 312 Meter."),
    ("Wie viele Wiener haben gewählt?", "Gewählt haben 222.000 Wiener."),
    ("Wie viele neue Wohnungen entstehen?", "Es entstehen 40 neue Wohnungen."),
    ("Wie viele Menschen konnten gerettet werden?", "Gerettet wurden 13 weitere Menschen."),
    ("How many refugees arrived?", "Im Jahr 2015 kamen 600.000 Flüchtlinge."),
    ("Combien de réfugiés sont arrivés ?", "Im Jahr 2015 kamen 600.000 Flüchtlinge."),
    ("Wie viel hat China für das Schiff bezahlt?", "China gab 20 Millionen Dollar."),
    ("Wie hoch ist der Schaden?", "Der Schaden beträgt 30.000 Euro."),
]
OTHERS = [
    ("Wie lang ist die Brücke?", "Die Brücke ist lang und war teuer."),
    ("Wie viele Wiener haben gewählt?", "Gewählt haben die Wiener vier Parteien."),
    ("Wie viele neue Wohnungen entstehen?", "Für Wohnungen zahlt die Stadt 40 Millionen Euro."),
    ("Wie viele Männer in Österreich tragen Bart?", "In Österreich leben 9 Millionen."),
    ("How many refugees arrived?", "Im Jahr 2015 kamen Flüchtlinge."),
    ("Wie viel hat China für das Schiff bezahlt?", "China kaufte das Schiff vor drei Jahren."),
    ("Wie viele Nutzer hat die App?", "Die App hat einen Einwohner von Bern zum Gründer."),
]


@pytest.mark.parametrize(("question", "sentence"), OFFERED)
def test_a_figure_of_what_is_asked_for_is_on_offer(question: str, sentence: str) -> None:
    figure = figure_of(understand(question))
    assert figure is not None
    assert figure.offered_by(sentence, "de")


@pytest.mark.parametrize(("question", "sentence"), OTHERS)
def test_a_figure_of_something_else_is_not(question: str, sentence: str) -> None:
    figure = figure_of(understand(question))
    assert figure is not None
    assert not figure.offered_by(sentence, "de")


@pytest.mark.parametrize(
    "question", ["Wer kam?", "Warum ist das so?", "What did he say?", "Welche Pläne gibt es?"]
)
def test_who_why_and_what_ask_for_none(question: str) -> None:
    assert figure_of(understand(question)) is None


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Welche neue Kamera kommt?", "Kamera"),
        ("Wie viele der Betroffenen kamen?", None),
        ("Wie viel wiegt das Schiff?", None),
        ("Which company bought it?", "company"),
        ("Wer kam?", None),
    ],
)
def test_the_noun_that_is_asked_for(question: str, noun: str | None) -> None:
    assert asked_noun(understand(question)) == noun
