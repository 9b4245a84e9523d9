"""Protects the check of figures: which figure a question asks for, of what, and which sentences offer it."""

from __future__ import annotations

import pytest

from rag.question.figures import asked_noun, figure_of
from rag.question.query import understand

OFFERED = [
    ("Wie lang ist die Brücke?", "Die Brücke misst 312 Meter."),
    ("Wie viele Wiener haben gewählt?", "Gewählt haben 222.000 Wiener."),
    ("Wie viele Wildbienenarten gibt es hier?", "Hier leben 94 Arten."),
    ("Wie viele neue Wohnungen entstehen?", "Es entstehen 40 neue Wohnungen."),
    ("Wie viele Menschen konnten gerettet werden?", "Gerettet wurden 13 weitere Menschen."),
    ("How many refugees arrived?", "Im Jahr 2015 kamen 600.000 Flüchtlinge."),
    ("Combien de réfugiés sont arrivés ?", "Im Jahr 2015 kamen 600.000 Flüchtlinge."),
    ("Wie viel hat China für das Schiff bezahlt?", "China gab 20 Millionen Dollar."),
    ("Wie hoch ist der Schaden?", "Der Schaden beträgt 30.000 Euro."),
    ("Wie viele Menschen kamen?", "Es gab fünfundvierzig Verletzte."),
    ("Was verdient die Chefin?", "Sie bekommt 4.000 Euro im Monat."),
    ("How far is the coast?", "Die Küste ist zwölf Kilometer entfernt."),
]
IN_WORDS = [
    ("Wie lange dauert das?", "Es dauert siebenundzwanzig Tage.", "de"),
    ("How many people came?", "Forty-five protesters came.", "en"),
    ("How high is the fine?", "He must pay twenty pounds.", "en"),
    ("What does the head get paid?", "Her salary is £90,000.", "en"),
    ("Combien d'élèves sont venus ?", "Vingt-sept élèves sont venus.", "fr"),
    ("Combien de personnes sont venues ?", "Quarante habitants sont venus.", "fr"),
    ("Combien gagne la directrice ?", "Elle touche quatorze mille euros.", "fr"),
    ("Quantas casas arderam?", "Arderam quarenta casas.", "pt"),
    ("Quantas pessoas vieram?", "Vieram vinte e dois moradores.", "pt"),
    ("De quanto é a multa?", "Tem de pagar mil e duzentos euros.", "pt"),
    ("Скільки шкіл закрили?", "Закрили чотирнадцять шкіл.", "uk"),
    ("Скільки людей прийшло?", "Прийшло двадцять сім мешканців.", "uk"),
    ("Яка зарплата в директорки?", "Вона отримує сорок тисяч гривень.", "uk"),
    ("Яка відстань до моря?", "До моря сорок кілометрів.", "uk"),
]
OTHERS = [
    ("Wie lang ist die Brücke?", "Die Brücke ist lang und war teuer."),
    ("Wie viele Wiener haben gewählt?", "Gewählt haben die Wiener vier Parteien."),
    ("Wie viele neue Wohnungen entstehen?", "Für Wohnungen zahlt die Stadt 40 Millionen Euro."),
    ("Wie viele Männer in Österreich tragen Bart?", "In Österreich leben 9 Millionen."),
    ("How many refugees arrived?", "Im Jahr 2015 kamen Flüchtlinge."),
    ("Wie viel hat China für das Schiff bezahlt?", "China kaufte das Schiff vor drei Jahren."),
    ("Wie viele Nutzer hat die App?", "Die App hat einen Einwohner von Bern zum Gründer."),
    ("Wie viele Menschen kamen?", "Die Feier kostete 300 Euro und dauerte drei Tage."),
    ("Wie viele Soldaten starben?", "Er war 61, als die Soldaten kamen."),
    ("How far is the coast?", "Der Bau dauert mindestens drei Jahre."),
    ("How high is the fine?", "Das Haus ist 20 Meter hoch."),
]
NO_NUMBER = [
    ("Wie viele?", "Die Zweifel bleiben.", "de"),
    ("How many?", "The tenant did not come in November.", "en"),
    ("Combien ?", "Le centre est resté fermé.", "fr"),
    ("Quantos?", "Os militares chegaram em setembro.", "pt"),
    ("Скільки?", "Сім’я стоїть біля дверей.", "uk"),
]


@pytest.mark.parametrize(("question", "sentence"), OFFERED)
def test_a_figure_of_what_is_asked_for_is_on_offer(question: str, sentence: str) -> None:
    figure = figure_of(understand(question))
    assert figure is not None
    assert figure.offered_by(sentence, "de")


@pytest.mark.parametrize(("question", "sentence", "language"), IN_WORDS)
def test_numbers_in_words_are_figures_in_every_language(question: str, sentence: str, language: str) -> None:
    figure = figure_of(understand(question, languages=(language,)))
    assert figure is not None
    assert figure.offered_by(sentence, language)


@pytest.mark.parametrize(("question", "sentence", "language"), NO_NUMBER)
def test_a_word_that_begins_like_a_number_is_none(question: str, sentence: str, language: str) -> None:
    figure = figure_of(understand(question, languages=(language,)))
    assert figure is not None
    assert not figure.offered_by(sentence, language)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Was verdient sie?", "money"),
        ("Wie hoch ist das Bußgeld?", "money"),
        ("How high is the fine?", "money"),
        ("What does she earn?", "money"),
        ("How much money is left?", "money"),
        ("Combien gagne-t-elle ?", "money"),
        ("À combien s’élève l’amende ?", "money"),
        ("Combien d’argent reste-t-il ?", "money"),
        ("Quanto recebeu ela?", "money"),
        ("Who bought the mill and for how much?", "money"),
        ("Хто купив млин і за скільки?", "money"),
        ("Quanto dinheiro resta?", "money"),
        ("Який штраф за це?", "money"),
        ("Скільки грошей лишилося?", "money"),
        ("Скільки зрештою коштував млин?", "money"),
        ("Скільки тепер буде коштувати млин?", "money"),
        ("wie viel verlust hat die Mühle gemacht", "money"),
        ("How much profit did the mill make?", "money"),
        ("How many fines were there?", "count"),
        ("How far is it?", "measure"),
        ("How long did it last?", "duration"),
        ("How long is the bridge?", "size"),
        ("Quelle est la distance ?", "measure"),
        ("Скільки людей прийшло?", "people"),
        ("Скільки тривала зустріч?", "duration"),
        ("Скільки вони заплатили?", "number"),
        ("Скільки просив мельник?", "number"),
        ("Скільки млинів купили?", "count"),
    ],
)
def test_the_kind_of_figure_that_is_asked_for(question: str, kind: str) -> None:
    figure = figure_of(understand(question))
    assert figure is not None
    assert figure.kind == kind


@pytest.mark.parametrize(
    "question",
    [
        "Which company paid the fine?",
        "What did he say about the price?",
        "Quel ministre critique le prix du pain ?",
        "Qual empresa pagou a multa?",
    ],
)
def test_a_sum_beside_what_is_asked_for_is_not_asked_for(question: str) -> None:
    assert figure_of(understand(question)) is None


@pytest.mark.parametrize(("question", "sentence"), OTHERS)
def test_a_figure_of_something_else_is_not(question: str, sentence: str) -> None:
    figure = figure_of(understand(question))
    assert figure is not None
    assert not figure.offered_by(sentence, "de")


@pytest.mark.parametrize(
    "question", ["Wer kam?", "Warum ist das so?", "What did he say?", "Welche Pläne gibt es?"]
)
def test_who_why_and_what_ask_for_none(question: str) -> None:
    assert figure_of(understand(question)) is None


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Welche neue Kamera kommt?", "Kamera"),
        ("Wie viele der Betroffenen kamen?", None),
        ("Wie viel wiegt das Schiff?", None),
        ("Which company bought it?", "company"),
        ("Wer kam?", None),
    ],
)
def test_the_noun_that_is_asked_for(question: str, noun: str | None) -> None:
    assert asked_noun(understand(question)) == noun
