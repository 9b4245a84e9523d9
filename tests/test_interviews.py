"""A question in the text is no answer: in interviews the answer behind it is quoted, together with it."""

from __future__ import annotations

import pytest

from rag.answering.compose import compose
from rag.answering.extract import asks
from tests.dossier import article, candidates_for
from tests.test_confidence import certain

INTERVIEW = article(
    "gespraech",
    "Die Hafenmeisterin Beate Lühr über die neue Schleuse.\n\n"
    "Frau Lühr, wann öffnet die neue Schleuse?\n\n"
    "Am 4. Mai. Wir haben lange darauf gewartet.\n\n"
    "Viele Fischer klagen über die Gebühr. Was kostet die Durchfahrt?\n\n"
    "Siebzig für Kutter, alle anderen zahlen das Doppelte.\n\n"
    "Und wer bezahlt den Bau?\n\n"
    "Das Land. Die Stadt gibt nichts dazu.",
)


def first_quote(question: str) -> str:
    return compose(candidates_for(question, INTERVIEW), question).citations[0].quote


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Wann öffnet die neue Schleuse?", "wann öffnet die neue Schleuse?\n\nAm 4. Mai."),
        ("Wer bezahlt den Bau der Schleuse?", "Und wer bezahlt den Bau?\n\nDas Land."),
    ],
)
def test_the_answer_is_quoted_with_the_question_that_it_answers(question: str, quote: str) -> None:
    assert quote in first_quote(question)


def test_what_is_asked_in_the_text_counts_as_said_in_its_answer() -> None:
    assert certain("Was kostet die Durchfahrt?", INTERVIEW) != "none"  # „Siebzig“ has no currency


def test_a_statement_of_the_interviewer_belongs_to_the_question() -> None:
    text = INTERVIEW.text
    start = text.index("Viele Fischer")
    assert asks(INTERVIEW, (start, text.index(" Was kostet")))


def test_outside_an_interview_a_statement_before_a_question_is_one() -> None:
    text = "Viele Fischer klagen über die Gebühr. Was soll das?\n\nDie Schleuse öffnet am 4. Mai."
    assert not asks(article("hafen", text), (0, text.index(" Was")))


def test_a_comment_may_end_a_paragraph_with_a_question_that_the_next_does_not_answer() -> None:
    text = "Der Rat baut 30 Wohnungen. Wo sollen die übrigen wohnen?\n\nMich ärgert der Rat. {}"
    told = article("kommentar", text.format("Die übrigen wohnen am Hafen."))
    best = candidates_for("Wo sollen die übrigen wohnen?", told)[0]
    assert best.text == "Die übrigen wohnen am Hafen."


@pytest.mark.parametrize("end", ["?", "?“", "? »", "?)"])
def test_a_sentence_asks_whatever_closes_it(end: str) -> None:
    text = f"Wann kommt die Schleuse{end}"
    assert asks(article("hafen", text), (0, len(text)))
