"""Protects the questions that a reader is offered: about people and articles of this dossier alone."""

from __future__ import annotations

from dataclasses import replace

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
    found = list(suggest([RENOVATION]))
    assert found[0] == "Was sagt Eike Tammen?"
    assert "Was sagt Frauke Onken?" in found


def test_who_is_only_mentioned_is_not_asked_about() -> None:
    assert not any("Ubben" in question for question in suggest([RENOVATION, COSTS]))


def test_each_article_is_asked_about_before_any_is_again() -> None:
    titled = [replace(RENOVATION, title="Staub am Kai"), replace(COSTS, title="Leere Kasse")]
    assert list(suggest(titled))[:2] == [
        "Was sagt Eike Tammen?",
        "Worum geht es im Artikel „Leere Kasse“?",
    ]
    assert "Worum geht es im Artikel „Staub am Kai“?" in list(suggest(titled))


def test_they_are_in_the_language_of_the_interface() -> None:
    shown = article("a", "On Monday, Jane Roe said it was closed.", title="The quay", language="en")
    assert list(suggest([shown], "en")) == [
        "What does Jane Roe say?",
        "What is the article “The quay” about?",
    ]
    assert list(suggest([shown], "de")) == ["Was sagt Jane Roe?", "Worum geht es im Artikel „The quay“?"]


def test_who_is_named_in_the_answer_comes_first() -> None:
    assert next(follow_ups([RENOVATION], [], quoted="Bürgermeisterin Onken kam.")) == "Was sagt Frauke Onken?"


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
