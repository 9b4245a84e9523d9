"""Protects the first questions that a reader sees: about people and topics of this dossier, and no others."""

from __future__ import annotations

import pytest

from rag.question.suggest import follow_ups, suggest
from tests.dossier import article, aside

RENOVATION = article(
    "sanierung",
    "Der Rat streitet über die Hafensanierung. Kapitän Eike Tammen sagte, das dauere zu lange. Dann "
    "erklärte Eike Tammen, er warte ab. Bürgermeisterin Frauke Onken warnte vor Staub. Die "
    "Bürgerversammlung war voll.",
)
COSTS = article(
    "kosten",
    "Wegen der Hafensanierung fehlt Geld. Minister Tamme Voss kritisierte den Zeitplan. Gesehen wurde auch "
    "Maler Jan Ubben. Eike Tammen forderte Eile. Alle reden von der Hafensanierung.",
)


def test_those_who_speak_most_come_first() -> None:
    speakers = [q for q in suggest([RENOVATION, COSTS]) if q.startswith("Was sagt ")]
    assert speakers[0] == "Was sagt Eike Tammen?"
    assert set(speakers) == {"Was sagt Eike Tammen?", "Was sagt Frauke Onken?", "Was sagt Tamme Voss?"}


def test_who_is_only_mentioned_is_not_asked_about() -> None:
    assert not any("Ubben" in question for question in suggest([RENOVATION, COSTS]))


def test_speakers_and_topics_take_turns() -> None:
    first = list(suggest([RENOVATION, COSTS]))[:2]
    assert first == ["Was sagt Eike Tammen?", "Was steht in den Artikeln über Hafensanierung?"]


def test_topic_of_one_article_among_several_is_left_out() -> None:
    assert not any("Bürgerversammlung" in question for question in suggest([RENOVATION, COSTS]))


def test_a_single_article_has_topics_too() -> None:
    assert "Was steht in den Artikeln über Bürgerversammlung?" in list(suggest([RENOVATION]))


def test_no_question_twice() -> None:
    found = list(suggest([RENOVATION, COSTS, RENOVATION]))
    assert len(set(found)) == len(found)


def test_names_in_captions_and_bylines_are_not_asked_about() -> None:
    caption = "▲ Gerd Janssen sagte ab. Foto: Archiv"
    text = f"{caption}\n\nAm Kai sagte Bürgermeisterin Frauke Onken, es sei still."
    shown = article("a", text, asides=[aside(text, caption, "caption")])
    assert list(suggest([shown])) == ["Was sagt Frauke Onken?"]


def test_a_genitive_is_not_another_person() -> None:
    text = (
        "Eike Tammen sagte zu. Eike Tammen sagte ab. Auch Eike Tammen erklärte sich. Eike Tammens Boot, "
        "sagte man im Hafen, sei leck."
    )
    assert list(suggest([article("a", text)])) == ["Was sagt Eike Tammen?"]


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "Es regnet.", "DER RAT TAGT. SAGTE ER.", "1234 5678.", "„“ – …"],
)
def test_text_without_speakers_and_topics_suggests_nothing(text: str) -> None:
    assert list(suggest([article("a", text)])) == []


def test_what_was_asked_is_not_offered_again_in_whatever_words() -> None:
    asked = ["Was sagt Eike Tammen?", "Und was ist mit der Hafensanierung?"]
    offered = list(follow_ups([RENOVATION, COSTS], asked))
    assert "Was sagt Frauke Onken?" in offered
    assert not any("Tammen" in question or "Hafensanierung" in question for question in offered)


def test_no_articles_suggest_nothing() -> None:
    assert list(suggest([])) == []


@pytest.mark.xfail(
    strict=True,
    reason="suggest._SAYS takes the possessive „meine“ for the verb „meint“",
)
def test_a_possessive_is_no_verb_of_saying() -> None:
    text = "Gestern traf ich am Kai meine Nachbarin Frauke Onken beim Angeln."
    assert list(suggest([article("a", text)])) == []


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What does Frauke Onken say?"),
        ("fr", "Que dit Frauke Onken ?"),
        ("pt", "O que diz Frauke Onken?"),
        ("uk", "Що каже Frauke Onken?"),
        ("xx", "What does Frauke Onken say?"),
    ],
)
def test_questions_are_in_the_readers_language(language: str, question: str) -> None:
    assert question in list(suggest([RENOVATION, COSTS], language))
    asked = ["Was sagt Frauke Onken?"]
    assert question not in list(follow_ups([RENOVATION, COSTS], asked, language))
