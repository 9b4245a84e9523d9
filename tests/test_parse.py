"""Protects what a message is reduced to: courtesy comes off in five languages, and content never does."""

from __future__ import annotations

import pytest

from rag.question.parse import reduced


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("Hallo, wann kam der Zug?", "wann kam der Zug?"),
        ("hallo wann kam der zug", "wann kam der zug"),
        ("Guten Tag Frau Dr. Weber, wann kam der Zug?", "wann kam der Zug?"),
        ("Liebe Redaktion,\nwann kam der Zug?\nMit freundlichen Grüßen\nJ. Kern", "wann kam der Zug?"),
        ("Können Sie mir bitte sagen, wann der Zug kam?", "wann der Zug kam?"),
        ("können sie mir sagen wann der zug kam", "wann der zug kam"),
        ("Sagen Sie mir in welchem Jahr der Zug kam.", "in welchem Jahr der Zug kam."),
        ("Haben Sie Angaben dazu, wie lang der Zug war?", "wie lang der Zug war?"),
        ("Es wäre nett, wenn Sie mir sagen könnten, wer kam.", "wer kam."),
        ("Ich habe eine Frage: Wann kam der Zug? Danke im Voraus!", "Wann kam der Zug?"),
        ("Sorry, aber wann kam der Zug? Können Sie mir das sagen?", "wann kam der Zug?"),
        ("Wann kam der Zug bitte?", "Wann kam der Zug?"),
        ("wann kam der zug vielen dank", "wann kam der zug"),
        ("Wann kam der Zug? Bitte kurz antworten. LG Jo 🙂", "Wann kam der Zug?"),
        ("Hi! How are you? When did the train come??", "When did the train come?"),
        ("I'd like to know when the train came, please.", "when the train came."),
        ("Do you know whether the train came?", "whether the train came?"),
        ("Bonjour, pourriez-vous me dire quand le train est arrivé ? Merci", "quand le train est arrivé ?"),
        ("Est-ce que vous savez qui est arrivé ?", "qui est arrivé ?"),
        ("Olá! Você sabe quem chegou? Obrigado", "quem chegou?"),
        ("Добрий день! Чи можете сказати, хто приїхав? Дякую", "хто приїхав?"),
        ("Wann  kam der Zug ???", "Wann kam der Zug ?"),
        ("Wann kam der Zug? https://example.org/a?b=c", "Wann kam der Zug?"),
        ("WANN KAM DER ZUG", "wann kam der zug"),
        ("Danke! Und wann?", "Und wann?"),
    ],
)
def test_courtesy_comes_off(message: str, question: str) -> None:
    assert reduced(message) == question


@pytest.mark.parametrize(
    "message",
    [
        "Wer sagt danke?",
        "Wer sagte zum Abschied danke?",
        "Wer sagt bitte?",
        "Wer sagte, ich helfe?",
        "Wer von beiden sagte, dass sie nicht helfen würden?",
        "EU und Recht stehen hier, wer schrieb das?",
        "Was heißt hier „Danke!“?",
        "„Hallo Welt“ ist von wem?",
        "„Danke“, wer sagte das?",
        "Worum geht es in „Guten Morgen, Moorhafen“?",
        "Sagte er, wann der Zug kommt?",
        "Was bedeutet die Frage, wer kommt?",
        "Was antwortete Petersen auf die Frage, ob er helfen könne?",
        "Wer bat um Hilfe?",
        "Danke Petersen: Wer schrieb das?",
        "What did she tell the mayor?",
        "Who wrote “Thank you, Moorhafen”?",
        "Who asked for help?",
        "Qui a dit merci ?",
        "NATO",
        "Warum?",
    ],
)
def test_content_stays(message: str) -> None:
    assert reduced(message) == message


@pytest.mark.parametrize(
    "message", ["Hallo", "Danke!", "Hallo, vielen Dank!", "Thank you so much", "🙂", "?!"]
)
def test_a_message_that_asks_nothing_stays_as_it_is(message: str) -> None:
    assert reduced(message) == message


@pytest.mark.parametrize(
    "message",
    ["Ich lese gerade von Petersen. Wann kam er?", "Mir geht es um die Bücherei: wann öffnet sie?"],
)
def test_a_topic_that_people_name_of_themselves_stays(message: str) -> None:
    assert reduced(message) == message


def test_what_was_put_before_a_question_stays() -> None:
    assert reduced("Hallo! Petersen ist Schäfer. Wann kam er?") == "Petersen ist Schäfer. Wann kam er?"
