"""Protects that a verb and the particle at the end of its clause are read as one word."""

from __future__ import annotations

import pytest

from rag.question.separable import joined_verb, separated_verbs
from rag.text.analysis import key


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("Wann hob der Rat die Zölle wieder auf?", "aufheben"),
        ("Warum schloss sich die Stadt dem Verbund an?", "anschließen"),
        ("Sie lehnte das ab; er nicht.", "ablehnen"),
        ("Der Sender sagte das Gespräch ab", "absagen"),
        ("Das Treffen findet am Freitag in Bonn statt.", "stattfinden"),
        ("Er rief seine Kollegin an und sprach lange.", "anrufen"),
    ],
)
def test_a_separated_verb_is_put_together(text: str, verb: str) -> None:
    (found,) = separated_verbs(text)
    assert found.key == key(verb)
    assert text[found.particle :].startswith(verb[:2])


@pytest.mark.parametrize(
    "text",
    [
        "Er steht auf dem Dach.",  # a preposition
        "Sie kam mit.Das",  # too short a clause for a verb that is known
        "Der Zug nach Bonn, der Bus aus Köln",
        "Ab heute gilt der Plan.",
        "Das Haus ab!",  # a noun is no verb
    ],
)
def test_other_words_stay_apart(text: str) -> None:
    assert [verb for verb in separated_verbs(text) if verb.key != key("mitkommen")] == []


@pytest.mark.parametrize(
    ("clause", "verb", "finite"),
    [
        ("wann sie das Amt antrat", "antreten", "trat"),
        ("wer den Verein anführte?", "anführen", "führte"),
        ("was das Gesetz vorschreibt.", "vorschreiben", "schreibt"),
        ("wem das Geld ausgeht", "ausgehen", "geht"),
    ],
)
def test_a_verb_at_the_end_of_its_clause_is_taken_apart(clause: str, verb: str, finite: str) -> None:
    start = clause.rindex(" ") + 1
    assert joined_verb(clause) == (start, key(verb), finite)


@pytest.mark.parametrize(
    "clause", ["", "wer sie unterstützte", "was man ihm angeboten", "wo er war", "wie hoch das Auto"]
)
def test_other_last_words_are_whole(clause: str) -> None:
    assert joined_verb(clause) is None
