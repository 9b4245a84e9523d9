"""Protects who does what to whom, where an article says it of two both ways."""

from __future__ import annotations

import pytest

from rag.answering.roles import agreement, misplaced, of_another, right_way_round
from rag.question.query import understand
from tests.dossier import article, candidates_for

SAME = [
    ("Was verlangt Lüssum von der Reederei?", "Lüssum verlangt von der Reederei eine Pacht."),
    ("Was wirft der Rat der Reederei vor?", "Der Rat wirft der Reederei vor, zu schweigen."),
    ("Was wirft die Reederei dem Rat vor?", "Dem Rat wirft die Reederei vor, zu schweigen."),
    ("Weswegen wird der Rat von der Reederei verklagt?", "Die Reederei verklagt den Rat wegen des Lärms."),
    ("Weswegen verklagt die Reederei den Rat?", "Von der Reederei wird der Rat wegen des Lärms verklagt."),
    ("Was liefert Varna Tolmin?", "Varna liefert Tolmin Strom."),
    ("Wann erteilte der Rat die Erlaubnis?", "Die Erlaubnis erteilte der Rat am 29. Januar."),
    ("What did Smith give to Jones?", "Smith gave Jones a map."),
]
SWAPPED = [
    ("Was verlangt Lüssum von der Reederei?", "Die Reederei verlangt von Lüssum eine Rinne."),
    ("Was wirft der Rat der Reederei vor?", "Dem Rat wirft die Reederei vor, zu schweigen."),
    ("Weswegen wird der Rat von der Reederei verklagt?", "Der Rat verklagt die Reederei wegen des Lärms."),
    ("Was liefert Varna Tolmin?", "Tolmin liefert Varna Kies."),
    ("What did Smith give to Jones?", "Jones gave Smith a map."),
]
UNTOLD = [
    ("Wo trafen sich Trump und Putin?", "Putin und Trump trafen sich in Alaska."),
    ("Was sind Putins Forderungen?", "Als Forderungen Putins gelten die Krim und der Donbass."),
    ("Was verlangt Lüssum?", "Die Reederei verlangt von Lüssum eine Rinne."),
]


@pytest.mark.parametrize(
    ("question", "sentence", "other"),
    [
        ("Wer leitete die ukrainische Delegation?", "Medinski leitete die russische Delegation.", True),
        ("Wer leitete die ukrainische Delegation?", "Umerow leitete die ukrainische Delegation.", False),
        ("Wer leitete die ukrainische Delegation?", "Die russische Delegation traf die ukrainische.", False),
        ("Wer leitete die ukrainische Delegation?", "Umerow leitete die Delegation.", False),
        ("Wer leitete die Delegation?", "Medinski leitete die russische Delegation.", False),
        (
            "Wer leitete die russische Delegation?",
            "Moskaus Delegation leitete Lawrow, die amerikanische Delegation leitete Rubio.",
            False,
        ),
        (
            "Wann traf der russische Präsident den amerikanischen Präsidenten?",
            "Putin traf den amerikanischen Präsidenten am 15. August.",
            False,
        ),
        ("Who led the Ukrainian delegation?", "Medinski leitete die russische Delegation.", True),
    ],
)
def test_another_of_the_kind_is_not_the_one_that_is_asked_for(
    question: str, sentence: str, other: bool
) -> None:
    assert of_another(understand(question), sentence, "de") is other


@pytest.mark.parametrize(
    ("question", "sentence", "way"),
    [(*pair, way) for pairs, way in ((SAME, 1), (SWAPPED, -1), (UNTOLD, 0)) for pair in pairs],
)
def test_the_parts_of_two_who_are_named(question: str, sentence: str, way: int) -> None:
    language = "en" if question.startswith("What") else "de"
    assert agreement(understand(question, language), sentence, language) == way


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was verlangt Lüssum von der Reederei?", "höhere Pacht"),
        ("Was verlangt die Reederei von Lüssum?", "tiefere Rinne"),
    ],
)
def test_the_right_side_comes_first(question: str, answer: str) -> None:
    one = "Lüssum verlangt von der Reederei eine höhere Pacht."
    other = "Die Reederei verlangt von Lüssum eine tiefere Rinne."
    for said in (f"{one} {other}", f"{other} {one}"):
        found = candidates_for(question, article("hafen", said, language="de"))
        assert answer in right_way_round(found, understand(question))[0].text


@pytest.mark.parametrize(
    ("question", "sentence", "wrong"),
    [
        ("Was verlangt die Ukraine?", "Russland verlangt von der Ukraine den Verzicht.", True),
        ("Was verlangt die Ukraine?", "Die Ukraine verlangt Garantien.", False),
        ("Was verlangt Russland von der Ukraine?", "Russland verlangt von der Ukraine den Verzicht.", False),
        ("Wie alt ist Putin?", "Der 79-jährige Trump sprach mit Putin.", True),
        ("Wie viele Soldaten hat die Ukraine?", "In der Ukraine gibt es 900.000 Soldaten.", False),
    ],
)
def test_who_acts_in_the_question_is_not_acted_on_in_its_answer(
    question: str, sentence: str, wrong: bool
) -> None:
    assert misplaced(understand(question), sentence, "de") is wrong
