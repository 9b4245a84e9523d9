"""Protects the reading of a question: its language, its topic, its source, and the German words for them."""

from __future__ import annotations

import pytest

from rag.question.query import (
    CARRIER_WEIGHT,
    DOSSIER_WEIGHT,
    KEPT_ORIGINAL,
    Alternative,
    Concept,
    detect_language,
    understand,
)
from rag.text.analysis import grams, key


def concepts(question: str, language: str | None = None) -> dict[str, Concept]:
    """The question's concepts by their word as written."""
    return {concept.word: concept for concept in understand(question, language).concepts}


def weights(concept: Concept) -> dict[tuple[str, ...], float]:
    """Each alternative's best weight, by its keys."""
    found: dict[tuple[str, ...], float] = {}
    for alternative in concept.alternatives:
        found[alternative.keys] = max(alternative.weight, found.get(alternative.keys, 0.0))
    return found


# --- language ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("de", "Wann traf Trump Putin?"),
        ("de", "Was sagte Selenskyj über die Gespräche in Genf?"),
        ("de", "Durfte die Presse nachhaken?"),
        ("de", "Wer war in Alaska?"),
        ("de", "Nenne die Bedingungen für eine Waffenruhe!"),
        ("en", "When did Trump meet Putin?"),
        ("en", "Who is Vladimir Medinsky?"),
        ("en", "What did Zelensky say about the talks in Geneva?"),
        ("en", "Why Alaska?"),
        ("en", "Did Ukraine agree to the plan?"),
        ("fr", "Quand Trump a-t-il rencontré Poutine ?"),
        ("fr", "Pourquoi l'Alaska ?"),
        ("fr", "Qui est Vladimir Medinski ?"),
        ("fr", "Quelles sont les conditions pour un cessez-le-feu ?"),
        ("pt", "Quando Trump se encontrou com Putin?"),
        ("pt", "Onde foi a reunião?"),
        ("pt", "O que disse Zelensky sobre as negociações?"),
        ("pt", "Quem é Vladimir Medinsky?"),
        ("uk", "Коли Трамп зустрівся з Путіним?"),
        ("uk", "Чому Аляска?"),
        ("uk", "Хто такий Мединський?"),
        ("uk", "Що сказав Trump?"),
    ],
)
def test_the_language_of_a_question_is_told_by_its_small_words(language: str, question: str) -> None:
    assert detect_language(question) == language


@pytest.mark.parametrize(
    "text", ["", "?!", "2025", "Trump Putin Alaska", "Sicherheitsgarantien", "In Alaska", "Was?"]
)
def test_in_doubt_a_question_is_german(text: str) -> None:
    assert detect_language(text) == "de"


def test_a_language_that_is_stated_is_not_guessed() -> None:
    assert understand("war Trump", "en").language == "en"
    assert key("Krieg") in {k for (k, *_) in weights(concepts("war Trump", "en")["war"])}
    assert set(concepts("war Trump", "de")) == {"Trump"}


# --- German questions --------------------------------------------------------------------------


def test_stop_words_leave_and_content_words_stay_in_order() -> None:
    assert list(concepts("Wann traf der Präsident 2025 seinen Gegner in Genf?")) == [
        "traf",
        "Präsident",
        "2025",
        "Gegner",
        "Genf",
    ]


@pytest.mark.parametrize("question", ["", "???", "Und was war das?"])
def test_a_question_without_content_has_no_concepts(question: str) -> None:
    assert understand(question).concepts == ()


def test_a_word_said_twice_is_one_concept() -> None:
    assert list(concepts("Trifft der Präsident den Präsidenten?")) == ["Trifft", "Präsident"]


def test_every_concept_can_be_said_as_written() -> None:
    for concept in understand("Wo verhandelten Russland und die Ukraine 2022 über Frieden?").concepts:
        assert concept.alternatives[0] == Alternative(1.0, (key(concept.word),))


def test_near_synonyms_are_lighter_alternatives() -> None:
    truce = weights(concepts("Gilt die Waffenruhe?")["Waffenruhe"])
    assert 0.3 < truce[(key("Waffenstillstand"),)] < 1


@pytest.mark.parametrize("number", ["2025", "3,5", "15.08.2025"])
def test_a_number_has_no_alternatives(number: str) -> None:
    assert concepts(f"Wer kam {number} nach Genf?")[number].alternatives == (Alternative(1.0, (number,)),)


def test_german_questions_keep_their_grams_once_and_others_have_none() -> None:
    question = "Wer war in Genf, in Genf?"
    assert understand(question).grams == tuple(dict.fromkeys(grams(question)))
    assert understand("Who was in Geneva?").grams == ()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Wie alt ist der Präsident?", ["Präsident"]),
        ("Wie lange dauerte der Gipfel?", ["dauerte", "Gipfel"]),
        ("Wie viele Soldaten starben?", ["Soldaten", "starben"]),
        ("Wie hoch ist der Turm?", ["Turm"]),
        ("How old is Trump?", ["Trump"]),
        ("How many soldiers died?", ["soldiers", "died"]),
        ("Ist der alte Turm hoch?", ["alte", "Turm", "hoch"]),
    ],
)
def test_words_of_degree_are_left_to_the_cue(question: str, words: list[str]) -> None:
    assert list(concepts(question)) == words


# --- weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Was sagen beide in Genf?", "sagen"),
        ("Welche Namen nennt Genf?", "Namen"),
        ("Nenne den Ort", "Nenne"),
        ("Was nannte Trump?", "nannte"),
        ("Welche Rolle spielt Genf?", "Rolle"),
        ("What did Trump say?", "say"),
        ("What has Trump said?", "said"),
        ("Which people did Trump meet?", "people"),
        ("Was sagt Trump?", "sagt"),
        ("Was sagte Trump?", "sagte"),
        ("Was meint Trump?", "meint"),
        ("Wie erklärte Trump das?", "erklärte"),
        ("How did Trump explain it and who explained more?", "explained"),
    ],
)
def test_words_that_only_ask_weigh_little(question: str, word: str) -> None:
    assert concepts(question)[word].weight == CARRIER_WEIGHT


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Was steht im Artikel?", "Artikel"),
        ("Which article mentions Geneva?", "article"),
        ("Quel article parle de Genève ?", "article"),
        ("Яка стаття про Женеву?", "стаття"),
    ],
)
def test_words_for_the_dossier_itself_weigh_least(question: str, word: str) -> None:
    assert concepts(question)[word].weight == DOSSIER_WEIGHT < CARRIER_WEIGHT


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Was sagte Trump über Sicherheitsgarantien?", "Sicherheitsgarantien"),
        ("What about the ceasefire?", "ceasefire"),
        ("Qui veut la paix ?", "paix"),
        ("Що таке мир?", "мир"),
        ("What are the tariffs on steel?", "steel"),
        ("Where is the missile shield?", "shield"),
        ("Who won the match?", "match"),
        ("Хто отримав віз?", "віз"),
    ],
)
def test_topic_words_weigh_fully(question: str, word: str) -> None:
    assert concepts(question)[word].weight == 1


# --- questions in other languages --------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "phrase", "german"),
    [
        ("What about peace talks?", "peace talks", "Friedensgespräche"),
        ("What are security guarantees?", "security guarantees", "Sicherheitsgarantie"),
        ("Où sont les négociations de paix ?", "négociations de paix", "Friedensverhandlungen"),
        ("Quais são as garantias de segurança?", "garantias de segurança", "Sicherheitsgarantie"),
        ("Де мирні переговори?", "мирні переговори", "Friedensverhandlungen"),
    ],
)
def test_the_longest_known_phrase_is_one_concept(question: str, phrase: str, german: str) -> None:
    found = concepts(question)
    assert list(found) == [phrase]
    assert (key(german),) in weights(found[phrase])


def test_words_that_could_make_a_phrase_stand_alone_when_apart() -> None:
    assert list(concepts("Is there peace without talks?")) == ["peace", "talks"]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Who is Zelensky?", "Zelensky"),
        ("Qui est Zelensky ?", "Zelensky"),
        ("Quem é Zelensky?", "Zelensky"),
        ("Хто такий Зеленський?", "Зеленський"),
    ],
)
def test_names_are_kept_and_meet_their_german_spelling(question: str, name: str) -> None:
    assert weights(concepts(question)[name]) == {(key("Selenskyj"),): 1.0}


def test_a_capitalised_word_may_be_a_name_beside_its_translation() -> None:
    found = weights(concepts("Did Trump meet Rice there?")["Rice"])
    assert found[(key("Reis"),)] > found[(key("Rice"),)] == KEPT_ORIGINAL


def test_the_first_word_is_no_name_for_its_capital() -> None:
    assert (key("Rice"),) not in weights(concepts("Rice is what they eat?", "en")["Rice"])


def test_alternatives_of_a_translation_have_keys_and_grams() -> None:
    for concept in understand("Did the prime minister reject the ceasefire?").concepts:
        assert concept.alternatives
        assert all(0 < a.weight <= 1 and a.keys for a in concept.alternatives)
        assert any(a.grams for a in concept.alternatives)


# --- sources -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "marker"),
    [
        ("Was will Trump laut Portnikow?", "laut"),
        ("Que veut Trump selon Portnikov ?", "selon"),
        ("What happened according to Portnikov?", "according to"),
        ("O que quer Trump segundo Portnikov?", "segundo"),
        ("Що хоче Трамп за словами Портникова?", "за словами"),
    ],
)
def test_the_marker_of_a_source_is_no_topic(question: str, marker: str) -> None:
    found = concepts(question)
    assert marker not in found or found[marker].weight <= CARRIER_WEIGHT


def test_a_second_time_is_no_marker_in_portuguese() -> None:
    meeting = concepts("Onde é o segundo encontro de Trump?")
    assert "segundo" in meeting


# --- contexts ----------------------------------------------------------------------------------


def test_words_of_the_context_follow_with_its_weight() -> None:
    query = understand("Wie reagierte Trump?", contexts=[("Wer traf Trump in Genf?", 0.5), ("In Wien?", 0.2)])
    assert {concept.word: concept.weight for concept in query.concepts} == {
        "reagierte": 1,
        "Trump": 1,
        "traf": 0.5,
        "Genf": 0.5,
        "Wien": 0.2,
    }
    assert query.text == "Wie reagierte Trump?"
    assert query.grams == tuple(grams(query.text))


def test_the_nearest_context_that_says_a_word_decides_its_weight() -> None:
    query = understand("Warum?", contexts=[("In Genf?", 0.5), ("Nach Genf!", 0.2)])
    assert [(concept.word, concept.weight) for concept in query.concepts] == [("Genf", 0.5)]


def test_a_context_has_a_language_of_its_own() -> None:
    query = understand("Warum?", contexts=[("Where are the security guarantees?", 0.5)])
    assert (key("Sicherheitsgarantie"),) in weights(query.concepts[0])


def test_a_carrier_weighs_no_more_in_a_context_than_in_a_question() -> None:
    (role,) = understand("Warum?", contexts=[("Welche Rolle?", 0.5)]).concepts
    assert role.weight <= CARRIER_WEIGHT


def test_a_separated_verb_is_one_concept() -> None:
    query = understand("Wann hob der Rat die Zölle wieder auf?")
    concepts = {concept.word: concept for concept in query.concepts}
    assert concepts["hob"].alternatives[0].keys == (key("aufheben"),)
    assert "auf" not in concepts


def test_a_typing_error_keeps_the_word_as_it_was_typed_beside_what_was_meant() -> None:
    [concept] = understand("sanctons", "en").concepts
    assert {key("Sanktionen"), key("sanctons")} <= {a.keys[0] for a in concept.alternatives}


def test_a_capitalised_word_is_a_name_and_no_typing_error() -> None:
    [concept] = understand("who is Sanctons", "en").concepts
    assert [a.keys for a in concept.alternatives] == [(key("Sanctons"),)]
