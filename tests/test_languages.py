"""Protects that articles in any of our languages are asked in their own, and English ones in German."""

from __future__ import annotations

import pytest

from rag.answering.confidence import UNSURE, confidence
from rag.answering.extract import candidates
from rag.question.answer_type import cue_of
from rag.question.query import CARRIER_WEIGHT, detect_language, understand
from rag.schema import Article
from rag.store.terms import sentence_terms
from rag.text.analysis import key, keys
from tests.dossier import article, index_of, ranked

TEXTS = {
    "en": {
        "lighthouse": (
            "Keepers leave the Skerry lighthouse",
            "The last keepers left the Skerry lighthouse on Tuesday after the lamp was automated. The coast"
            " guard sold the cottages for £410,000 to a local trust. Its chairwoman, Moira Fenwick, wants to"
            " open a museum there in May 2026. Storms had damaged the landing stage because its beams were"
            " rotten. Nineteen divers brought the old bell ashore.",
        ),
        "orchard": (
            "Frost ruins the plum harvest",
            "Growers in the Teme valley lost two thirds of their plums to a late frost. The cooperative began"
            " picking on July 9. Farmers chose to sell the rest to a distillery near Tenbury. Insurers will"
            " not pay, since the policies exclude frost.",
        ),
        "tram": (
            "Tram drivers vote for a strike",
            "Drivers voted for a two-day strike over night shifts. The union's secretary, Carl Osgood, spoke"
            " of broken promises. The operator runs 64 trams on five lines.",
        ),
    },
    "fr": {
        "pont": (
            "Le pont de Kermeur rouvre",
            "Le pont de Kermeur a rouvert lundi après deux ans de travaux. La réparation a coûté 7,4 millions"
            " d’euros, dont la région a payé la moitié. La mairesse, Solenn Le Goff, a coupé le ruban. Les"
            " camions restent interdits parce que les piliers sont fragiles.",
        ),
        "école": (
            "L’école de Valserine ferme ses portes",
            "L’école de Valserine fermera en juin 2026, faute d’élèves. Vingt-trois enfants iront désormais"
            " en bus à Bellegarde. Les parents ont manifesté devant la préfecture.",
        ),
        "vin": (
            "Vendanges précoces",
            "Les vignerons ont commencé les vendanges le 12 août. La sécheresse a réduit la récolte"
            " d’un tiers.",
        ),
    },
    "pt": {
        "ponte": (
            "Ponte de Avelar reabre",
            "A ponte de Avelar reabriu na segunda-feira, depois de dois anos de obras. A reparação custou 3,2"
            " milhões de euros. A presidente da câmara, Teresa Falcão, cortou a fita. Os camiões continuam"
            " proibidos porque os pilares são frágeis.",
        ),
        "escola": (
            "Escola de Montemor encerra",
            "A escola de Montemor encerra em junho de 2026 por falta de alunos. Vinte e três crianças irão de"
            " autocarro para Évora. Os pais protestaram em frente ao ministério.",
        ),
        "vinho": (
            "Vindima antecipada",
            "Os viticultores começaram a vindima a 12 de agosto. A seca reduziu a colheita em um terço.",
        ),
    },
    "uk": {
        "міст": (
            "Міст у Вербівці відкрили знову",
            "Міст у Вербівці відкрили в понеділок після двох років ремонту. Ремонт коштував 48 мільйонів"
            " гривень. Міська голова Оксана Левченко перерізала стрічку. Вантажівкам їздити заборонено, бо"
            " опори слабкі.",
        ),
        "школа": (
            "Школу в Калинівці закривають",
            "Школу в Калинівці закриють у червні 2026 року через брак учнів. Двадцять троє дітей їздитимуть"
            " автобусом до Хмільника. Батьки протестували біля міністерства.",
        ),
        "вино": (
            "Ранній збір винограду",
            "Виноградарі почали збір 12 серпня. Посуха зменшила врожай на третину.",
        ),
    },
}
ASKED = [
    ("en", "How much did the trust pay for the cottages?", "£410,000"),
    ("en", "When did the cooperative begin to pick?", "July 9"),
    ("en", "Who wants to open a museum?", "Fenwick"),
    ("en", "Why will the insurers not pay?", "exclude frost"),
    ("en", "How many trams does the operator run?", "64"),
    ("en", "How many divers brought the bell ashore?", "Nineteen"),
    ("fr", "Combien a coûté la réparation du pont ?", "7,4 millions"),
    ("fr", "Qui a coupé le ruban ?", "Solenn Le Goff"),
    ("fr", "Pourquoi les camions sont-ils interdits ?", "fragiles"),
    ("fr", "Quand l’école va-t-elle fermer ?", "juin 2026"),
    ("fr", "Combien d’enfants iront à Bellegarde en bus ?", "Vingt-trois"),
    ("fr", "Quand les vignerons ont-ils commencé les vendanges ?", "12 août"),
    ("pt", "Quanto custou a reparação da ponte?", "3,2"),
    ("pt", "Quem cortou a fita?", "Falcão"),
    ("pt", "Por que os camiões estão proibidos?", "frágeis"),
    ("pt", "Quando encerra a escola?", "junho de 2026"),
    ("pt", "Quantas crianças irão de autocarro?", "Vinte e três"),
    ("pt", "Onde protestaram os pais?", "ministério"),
    ("uk", "Скільки коштував ремонт мосту?", "48 мільйонів"),
    ("uk", "Хто перерізав стрічку?", "Левченко"),
    ("uk", "Чому вантажівкам заборонено їздити?", "опори слабкі"),
    ("uk", "Коли закриють школу?", "червні 2026"),
    ("uk", "Де протестували батьки?", "міністерства"),
    ("uk", "Коли виноградарі почали збір?", "12 серпня"),
]
GERMAN_ON_ENGLISH = [
    ("Warum zahlen die Versicherer nicht?", "exclude frost"),
    ("Wer will ein Museum eröffnen?", "Fenwick"),
    ("Wie viele Straßenbahnen hat der Betreiber?", "64"),
]
ACROSS = [
    ("fr", "How much did the repair of the bridge cost?", "7,4 millions"),
    ("fr", "Чому вантажівки заборонені?", "fragiles"),
    ("pt", "Why did the parents protest?", "protestaram"),
    ("pt", "Combien a coûté la réparation du pont ?", "3,2"),
    ("uk", "How much did the repair of the bridge cost?", "48 мільйонів"),
    ("uk", "Porque é que a escola encerra?", "через брак учнів"),
]
NOT_THERE = [
    ("en", "Which painter designed the stained glass of the cathedral?"),
    ("fr", "Quel peintre a dessiné les vitraux de la cathédrale ?"),
    ("pt", "Que pintor desenhou os vitrais da catedral?"),
    ("uk", "Який художник намалював вітражі собору?"),
]


def dossier(language: str) -> list[Article]:
    return [
        article(id, text, title=title, language=language) for id, (title, text) in TEXTS[language].items()
    ]


@pytest.mark.parametrize(("language", "question", "answer"), ASKED)
def test_a_question_in_the_language_of_the_articles_is_answered(
    language: str, question: str, answer: str
) -> None:
    ranking = ranked(question, *dossier(language))
    found = candidates(ranking)
    assert ranking.query.language == language
    assert answer in found[0].text
    assert confidence(ranking, found) >= UNSURE


@pytest.mark.parametrize(("question", "answer"), GERMAN_ON_ENGLISH)
def test_a_german_question_finds_its_english_sentence(question: str, answer: str) -> None:
    assert answer in candidates(ranked(question, *dossier("en")))[0].text


@pytest.mark.parametrize(("language", "question", "answer"), ACROSS)
def test_a_question_in_a_third_language_finds_its_sentence(language: str, question: str, answer: str) -> None:
    ranking = ranked(question, *dossier(language))
    assert ranking.query.language != language
    assert answer in candidates(ranking)[0].text


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        ("Quel âge a la mairesse ?", "fr", {"mairesse": 1.0}),
        ("Combien de temps le pont a-t-il été fermé ?", "fr", {"pont": 1.0, "fermé": 1.0}),
        ("Comment s’appelle la mairesse ?", "fr", {"appelle": CARRIER_WEIGHT, "mairesse": 1.0}),
        ("Que idade tem a presidente?", "pt", {"presidente": 1.0}),
        (
            "Quantas pessoas pode levar o autocarro?",
            "pt",
            {"pessoas": CARRIER_WEIGHT, "levar": 1.0, "autocarro": 1.0},
        ),
        ("Скільки років голові?", "uk", {"голові": 1.0}),
        ("Скільки людей може прийти?", "uk", {"людей": CARRIER_WEIGHT, "прийти": 1.0}),
    ],
)
def test_words_that_only_ask_weigh_little_in_every_language(
    question: str, language: str, words: dict[str, float]
) -> None:
    found = understand(question, languages={language}).concepts
    assert {concept.word: concept.weight for concept in found} == words


@pytest.mark.parametrize(("language", "question"), NOT_THERE)
def test_what_no_article_says_is_declined_in_every_language(language: str, question: str) -> None:
    ranking = ranked(question, *dossier(language))
    assert ranking.query.language == language
    assert confidence(ranking, candidates(ranking)) < UNSURE


def test_articles_of_several_languages_are_found_by_one_question() -> None:
    german = article(
        "glocke",
        "Die Küstenwache verkaufte die Glocke des Leuchtturms. Sie wiegt zwei Tonnen.",
        language="de",
    )
    ranking = ranked("Who sold the lighthouse cottages and the bell?", german, *dossier("en"))
    assert {"glocke", "lighthouse"} <= {hit.passage.article.id for hit in ranking.hits[:2]}


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "began", "begin"),
        ("en", "women", "woman"),
        ("en", "cities", "city"),
        ("fr", "nationales", "national"),
        ("fr", "rencontrent", "rencontre"),
        ("fr", "présidents", "présidence"),
        ("pt", "proibidas", "proibido"),
        ("uk", "школу", "школами"),
        ("uk", "Левченко", "Levchenko"),
        ("uk", "міст", "мосту"),
        ("uk", "Київ", "Києва"),
        ("uk", "Львів", "Львова"),
        ("uk", "сказав", "сказала"),
        ("uk", "запропонував", "запропонувати"),
        ("uk", "депутат", "депутати"),
        ("uk", "Зеленського", "Selenskyj"),
    ],
)
def test_forms_of_a_word_share_a_key_in_their_language(language: str, one: str, other: str) -> None:
    assert key(one, language) == key(other, language)


@pytest.mark.parametrize(
    ("one", "other"), [("mayor", "major"), ("fire", "wire"), ("wood", "food"), ("chair", "hair")]
)
def test_ordinary_words_of_like_sound_do_not_share_a_key(one: str, other: str) -> None:
    assert key(one, "en") != key(other, "en")


def test_a_name_in_another_spelling_keeps_its_key_in_english() -> None:
    assert key("Selenskyj", "en") == key("Zelensky", "en")


def test_a_word_is_found_by_its_synonym_in_the_same_language() -> None:
    ranking = ranked("When did the cooperative start to pick?", *dossier("en"))
    assert "July 9" in candidates(ranking)[0].text
    [start] = [c for c in understand("When did it start?", languages={"en"}).concepts if c.word == "start"]
    assert (key("begin", "en"),) in {alternative.keys for alternative in start.alternatives[1:]}


def test_a_name_weighs_what_a_name_does_though_its_words_say_little() -> None:
    weights = {
        concept.word: concept.weight
        for concept in understand("What did the United States state?", languages={"en"}).concepts
    }
    assert weights == {"United": 1.0, "States": 1.0}


def test_function_words_are_those_of_the_language() -> None:
    assert keys("the war was over", "en") == [key("war", "en")]
    assert keys("Der Krieg war the End") == [key("Krieg"), key("the"), key("End")]


def test_an_unknown_language_is_analysed_as_german() -> None:
    assert keys("Die Brücken", None) == keys("Die Brücken", "nl") == keys("Die Brücken")


def test_a_particle_of_a_german_verb_is_none_in_english() -> None:
    assert sentence_terms("They gave the man an answer.", "en").keys == keys("gave man answer", "en")


def test_the_day_of_an_article_is_written_in_its_language() -> None:
    from datetime import date

    dated = article("x", "The bell is ashore.", language="en", published=date(2025, 12, 3))
    hit = index_of(dated).rank(understand("What happened in December?", languages={"en"}), 1).hits[0]
    assert hit.title.max() == 1.0


@pytest.mark.parametrize(
    ("question", "language", "offers", "lacks"),
    [
        ("When did it begin?", "en", "It began on Oct. 3.", "It began late."),
        ("How long did it last?", "en", "It took two weeks.", "It took too long."),
        ("Quand cela a-t-il commencé ?", "fr", "Cela a commencé en avril.", "Cela a commencé tard."),
        ("Por que encerrou?", "pt", "Encerrou devido à chuva.", "Encerrou ontem."),
        ("Скільки учнів там?", "uk", "Там двадцять учнів.", "Там учні."),
        ("Хто це сказав?", "uk", "Про це сказала Ганна Лис.", "Про це сказала вчителька."),
    ],
)
def test_the_kind_of_answer_is_seen_in_the_language_of_the_article(
    question: str, language: str, offers: str, lacks: str
) -> None:
    cue = cue_of(question)
    assert cue is not None
    assert cue.offered_by(offers, language)
    assert not cue.offered_by(lacks, language)


def test_a_name_alone_is_taken_for_the_language_of_the_articles() -> None:
    assert detect_language("Osgood", {"en"}) == "en"
    assert detect_language("Osgood", {"de", "en"}) == "de"
    assert detect_language("Wer ist Osgood?", {"en"}) == "de"
