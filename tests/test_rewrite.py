"""Protects follow-up questions: those that lean on the history get it, fading, and no others do."""

from __future__ import annotations

import pytest

from rag.question.followup import (
    ANSWERED_WEIGHT,
    ASKED_WEIGHT,
    EXCHANGES,
    Context,
    context_for,
    named_again,
    one_part_changed,
    recent,
    standalone,
    stands_alone,
)
from rag.question.query import understand
from rag.schema import Message

EXPLETIVE = "there, it or ce opens the sentence and points to nothing"
PURPOSE = "damit is taken for a pronoun where it is a conjunction"
ASKED_NOUN = "the noun that is asked for counts as the one that the pronoun refers to"

HISTORY = (
    Message("user", "Wo trafen sich Trump und Putin?"),
    Message("assistant", "Sie trafen sich in Anchorage [1]. Dort war es kühl [2, 3]."),
    Message("user", "Wie lange sprachen beide?"),
    Message("assistant", "Rund drei Stunden [1–2]."),
)


# --- which questions stand alone ---------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "Warum reiste Putin nach Alaska?",
        "Wo trafen sich Trump und Putin?",
        "Wie lange sprachen Biden und Putin in Genf?",
        "Wie oft ist Steve Witkoff nach Russland gereist?",
        "Hat Selenskyj dem Plan zugestimmt?",
        "Soll die Ukraine der NATO beitreten?",
        "Welche Rolle spielte Europa?",
        "Wann begann der Krieg?",
        "Gibt es Pläne für Frieden?",
        "Why did Trump meet Putin in Alaska?",
        "What is the role of Europe?",
        "Should Ukraine join NATO?",
        "How long did Biden and Putin talk in Geneva?",
        "Чому Трамп зустрівся з Путіним на Алясці?",
        "Яка роль Європи?",
        "Коли почалася війна в Україні?",
        "Quand Trump a-t-il rencontré Poutine ?",
        "O que disse Lula sobre a guerra?",
        "Is there a ceasefire in Ukraine?",
        "Have there been talks in Geneva?",
        "How long did it take to reach Geneva?",
        "Are there plans for peace in Ukraine?",
        "Is it true that Trump met Putin in Alaska?",
        "Est-ce que Trump a rencontré Poutine ?",
        "Qu'est-ce que Trump a dit à Poutine ?",
        "Was muss geschehen, damit der Krieg endet?",
        "Wer ist Dmitrijew?",
        "Was ist die OSZE?",
        "Who is Dmitriev?",
        "Хто такий Дмитрієв?",
        "Wissen Sie etwas über die Drohnen von Pokrowsk?",
        "Wo finde ich bei Ihnen die Rede von Selenskyj?",
    ],
)
def test_a_question_that_names_its_topic_stands_alone(question: str) -> None:
    assert stands_alone(question)
    assert context_for(question, HISTORY) == ()


@pytest.mark.parametrize(
    "question",
    [
        "Wie hat Trump sein Treffen genannt?",
        "Was sagte Putin über seine Forderungen?",
        "Will Trump, dass sie sich treffen?",
        "Welche Waffenruhe wurde vereinbart und warum half sie nicht?",
        "Warum flog Putin nach Alaska, und was tat er dort?",
        "What did the senators say about their visit?",
        "Qu'ont dit les sénateurs de leur visite ?",
        "Wie begründet der Präsident seine Entscheidung?",
        "Was fordert Putin von der Ukraine, damit es Frieden gibt?",
        "What did Putin say about his demands?",
        "Did Trump say that Ukraine must give up its land?",
        "Що Путін сказав про свої вимоги?",
        "Що Путін сказав про його вимоги?",
        "Que veut Poutine, et que fait-il ?",
    ],
)
def test_a_pronoun_for_a_name_inside_the_question_is_no_follow_up(question: str) -> None:
    assert stands_alone(question)


@pytest.mark.parametrize(
    "question",
    [
        "Und warum?",
        "Und Selenskyj?",
        "Aber Putin war doch in Genf?",
        "Warum?",
        "Wie lange?",
        "Stimmt das?",
        "Wann war das?",
        "Was sagte er zu Putin?",
        "Wie reagierte er darauf?",
        "Was fand dort statt?",
        "Was bedeutet dies für Europa?",
        "Putin?",
        "And Zelensky?",
        "What did he say to Putin?",
        "When was that?",
        "What happened there?",
        "Why?",
        "А чому?",
        "А Зеленський?",
        "Що він сказав Путіну?",
        "Коли це було?",
        "Яку роль вона зіграла в Європі?",
        "Et Macron ?",
        "Que disse ele a Putin?",
        "Welche Bedingungen stellte er?",
        "Welche Rolle spielt er in der Ukraine?",
        "Wie viele Soldaten verlor sie?",
        "Sie trafen sich wann?",
        "Was sagte Trump dazu?",
        "Wie lange blieb Putin dort?",
        "What did Trump say about it?",
        "Was ist mit Selenskyj?",
        "What about Zelensky?",
        "Wer ist der Autor?",
    ],
)
def test_a_question_that_leans_on_the_history_gets_it(question: str) -> None:
    assert not stands_alone(question)
    assert context_for(question, HISTORY) != ()


# --- what is carried over ----------------------------------------------------------------------


def test_without_a_history_there_is_no_context() -> None:
    assert context_for("Und warum?", ()) == ()


def test_contexts_come_nearest_first_without_their_markers() -> None:
    assert [context.text.split() for context in context_for("Und warum?", HISTORY)] == [
        ["Stunden"],
        ["Rund", "drei", "Stunden", "."],
        ["Wie", "lange", "sprachen", "beide?"],
        ["Anchorage"],
        ["Sie", "trafen", "sich", "in", "Anchorage", ".", "Dort", "war", "es", "kühl", "."],
        ["Wo", "trafen", "sich", "Trump", "und", "Putin?"],
    ]


def test_the_names_of_an_answer_count_more_than_its_other_words_and_its_later_places_not_at_all() -> None:
    answer = "Keine eindeutige Antwort. Am nächsten kommt:\n\nGary Loach wanted proof. [1]\n\nIt rained. [2]"
    history = (Message("user", "Who leads the union?"), Message("assistant", answer))
    names, said, asked = context_for("What did he say?", history)
    assert (names.text, said.text, asked.text) == (
        "Gary Loach",
        "Gary Loach wanted proof.",
        "Who leads the union?",
    )
    assert asked.weight > names.weight > 2 * said.weight


def test_weights_fade_from_exchange_to_exchange_and_questions_weigh_more_than_answers() -> None:
    weights = (context.weight for context in context_for("Und warum?", HISTORY))
    answered, _, asked, answered_before, _, asked_before = weights
    assert (answered, asked) == (ANSWERED_WEIGHT, ASKED_WEIGHT)
    assert 1 > asked > answered > 0
    assert answered_before < answered
    assert asked_before < asked


@pytest.mark.parametrize("exchanges", [1, 2, 3, 5])
def test_only_the_last_exchanges_count(exchanges: int) -> None:
    history = [
        message
        for n in range(exchanges)
        for message in (Message("user", f"Frage {n}"), Message("assistant", f"Antwort {n}"))
    ]
    texts = [context.text for context in context_for("Und warum?", history)]
    assert len(texts) == 3 * min(exchanges, EXCHANGES)
    assert texts[1] == f"Antwort {exchanges - 1}"


def test_an_earlier_message_adds_a_bounded_number_of_words_to_a_question() -> None:
    huge = [Message("user", " ".join(f"Wort{n}" for n in range(60_000)))]
    contexts = context_for("Und wer noch?", recent(huge, 6))
    query = understand("Und wer noch?", "de", [(each.text, each.weight) for each in contexts])
    assert 0 < len(query.concepts) < 400


def test_a_question_still_without_an_answer_is_context_too() -> None:
    (context,) = context_for("Und warum?", HISTORY[:1])
    assert context == Context("Wo trafen sich Trump und Putin?", ASKED_WEIGHT)


def test_the_carried_words_reach_the_query_below_its_own() -> None:
    contexts = context_for("Und warum in Alaska?", HISTORY)
    query = understand("Und warum in Alaska?", contexts=[(c.text, c.weight) for c in contexts])
    weights = {concept.word: concept.weight for concept in query.concepts}
    assert weights["Alaska"] == 1 > weights["sprachen"] > weights["Anchorage"] > 0
    assert weights["sprachen"] > weights["Putin"] > weights["Anchorage"]


# --- for people to read ------------------------------------------------------------------------


def test_a_question_without_context_is_shown_as_it_is() -> None:
    assert standalone("Warum Alaska?", ()) == "Warum Alaska?"


def test_the_words_it_leans_on_follow_the_question_in_brackets() -> None:
    assert (
        standalone("Und warum?", [Context("Wo traf Trump Putin?", 0.5)]) == "Und warum? (traf, Trump, Putin)"
    )


@pytest.mark.parametrize(
    "contexts",
    [
        [Context("Und was war das?", 0.5)],
        [Context("In Genf!", 0.5)],
        [Context("", 0.5)],
    ],
)
def test_what_is_said_already_or_says_nothing_is_not_repeated(contexts: list[Context]) -> None:
    assert standalone("Warum Genf?", contexts) == "Warum Genf?"


def test_words_are_named_once_nearest_first_and_not_too_many() -> None:
    contexts = [
        Context("Trump, Trump in Genf", 0.5),
        Context("Putin war in Genf, in Wien, Rom, Oslo, Kiew, Bonn, Prag und Riga", 0.2),
    ]
    assert standalone("Warum?", contexts) == "Warum? (Trump, Genf, Putin, Wien, Rom, Oslo, Kiew, Bonn)"


def test_each_context_loses_the_small_words_of_its_own_language() -> None:
    contexts = [Context("What did Trump say about the war?", 0.5), Context("Що сказав Путін?", 0.2)]
    assert standalone("Warum?", contexts) == "Warum? (Trump, say, war, сказав, Путін)"


@pytest.mark.parametrize(
    ("asked", "question", "meant"),
    [
        ("Wer führt die dänische Abordnung?", "Und die schwedische?", "Wer führt die schwedische Abordnung?"),
        ("Was sagte Harms über die Brücke?", "Und Lürsen?", "Was sagte Lürsen über die Brücke?"),
        ("Wann tagte der Rat in Moorhafen?", "Und in Bremen?", "Wann tagte der Rat in Bremen?"),
        ("What did Harms say about it?", "What about Petersen?", "What did Petersen say about it?"),
        ("Wer leitet die Delegation?", "Und wann?", None),
        ("Wer leitet die Delegation?", "Und die schwedische?", None),
    ],
)
def test_a_follow_up_may_change_one_part_of_the_last_question(
    asked: str, question: str, meant: str | None
) -> None:
    history = [Message("user", asked), Message("assistant", "Das sagte niemand. [1]")]
    assert one_part_changed(question, history) == meant


def test_what_was_said_before_the_topic_began_is_left() -> None:
    history = [
        Message("user", "Was fand der Schäfer im Moor?"),
        Message("assistant", "Elf Schafe."),
        Message("user", "Wer dirigiert die Konzerte?"),
        Message("assistant", "Oksana Tschumatschenko."),
    ]
    assert [each.text for each in context_for("Und seit wann?", history)] == [
        "Oksana Tschumatschenko",
        "Oksana Tschumatschenko.",
        "Wer dirigiert die Konzerte?",
    ]


@pytest.mark.parametrize("question", ["Wer war zuerst da?", "wer kam danach", "Wie endete es?"])
def test_a_german_question_without_a_noun_leans_on_what_was_said(question: str) -> None:
    assert not stands_alone(question)


# --- whom a pronoun stands for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "question", "meant"),
    [
        ("Wer ist Sabine Rohde?", "Und wie alt ist sie?", "Und wie alt ist Sabine Rohde?"),
        ("Who is Simon Achterberg?", "How old is he?", "How old is Simon Achterberg?"),
        ("Quem é Lurdes Camilo?", "O que é que ela quer?", "O que é que Lurdes Camilo quer?"),
        ("Хто така Лариса Андрущенко?", "А що вона пропонує?", "А що Лариса Андрущенко пропонує?"),
        ("Was sagt Olaf Scholz zum Kalten Krieg?", "Wann war er?", None),
        ("Was war der Kalte Krieg?", "Wann war er?", None),
        ("Wer ist der Bürgermeister?", "Was will er?", None),
        ("Wer ist Sabine Rohde?", "Warum will sie, dass er geht?", None),  # two pronouns: which is she?
        ("Wer ist Sabine Rohde?", "Wann beginnt der Streik in Neustadt?", None),
    ],
)
def test_a_pronoun_stands_for_the_person_whom_the_last_question_was_about(
    asked: str, question: str, meant: str | None
) -> None:
    history = (Message("user", asked), Message("assistant", "Das steht in den Artikeln [1]."))
    assert named_again(question, history) == meant


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Es regnete. [1] (Neustädter Bote (nach taz), 29.05.2025)", "Es regnete."),
        ("Keine eindeutige Antwort. Am nächsten kommt:\n\nEs regnete. [1]", "Es regnete."),
        ("No clear answer. What comes nearest:\n\nIt rained. [1] (Herald, 2025-05-29)", "It rained."),
        ("In den vorliegenden Artikeln finde ich dazu keine belegte Antwort.", ""),
    ],
)
def test_what_beleg_says_itself_and_the_sources_are_no_context(answer: str, said: str) -> None:
    history = (Message("user", "Wie war das Wetter?"), Message("assistant", answer))
    answered = [each.text for each in context_for("Und dann?", history)[1:-1]]
    assert answered == ([said] if said else [])
