"""Protects the kinds of question: the dossier itself is asked about only where nothing else is."""

from __future__ import annotations

import pytest

from rag.question.days import Days
from rag.question.kind import Request, Talk, kind_of
from rag.question.known import Known

KNOWN = Known(
    ["Küstenkurier", "Moorhafener Bote", "Neue Wiedezeitung (nach dpa)"],
    ["Jette Lürsen", "Okko Harms"],
    [
        ("bruecke", "Risse im Stahl: Warum die Klappbrücke gesperrt bleibt"),
        ("konzert", "Neue Töne in der Speicherhalle"),
        ("wolf", "Wolf vor der Kamera"),
        ("hafen", "Der Hafen und die Flut: Eine Stadt baut um"),
    ],
)


def request(question: str) -> Request:
    found = kind_of(question, KNOWN)
    assert isinstance(found, Request), question
    return found


@pytest.mark.parametrize(
    "question",
    [
        "Wie viele Artikel sind im Dossier?",
        "Anzahl der Artikel",
        "How many articles do you have?",
        "Combien y a-t-il d’articles dans ce dossier ?",
        "Quantos artigos existem no dossiê?",
        "Скільки статей у досьє?",
        "wie viele texte gibt es hier eigentlich",
        "Hallo, wie viele Artikel gibt es?",
    ],
)
def test_articles_are_counted(question: str) -> None:
    found = request(question)
    assert (found.subject, found.asks, found.selects) == ("articles", "count", False)


@pytest.mark.parametrize(
    "question",
    [
        "Welche Artikel gibt es?",
        "Zeig mir bitte alle Artikel!",
        "Was enthält das Dossier?",
        "List all articles.",
        "Which articles are available?",
        "Quels articles sont disponibles ?",
        "Montre-moi tous les articles",
        "Que artigos há?",
        "Mostre todos os artigos",
        "Які статті тут є?",
        "Покажи всі статті",
        "Alle Artikel nach Datum sortiert",
        "Wie lauten die Titel der Artikel?",
        "Aus welchen Artikeln besteht das Dossier?",
        "Gib mir eine Liste der Artikel",
        "Kannst du alle Artikel auflisten?",
    ],
)
def test_articles_are_listed(question: str) -> None:
    found = request(question)
    assert (found.subject, found.asks, found.selects) == ("articles", "which", False)


@pytest.mark.parametrize(
    ("question", "order", "limit"),
    [
        ("Was ist der jüngste Artikel?", "newest", None),
        ("Welche drei Artikel sind die neuesten?", "newest", None),
        ("Nenne die zwei ältesten Artikel.", "oldest", 2),
        ("What are the 5 latest articles?", "newest", 5),
        ("Quel est le dernier article paru ?", "newest", None),
        ("Qual é o artigo mais antigo?", "oldest", None),
        ("Яка стаття остання?", "newest", None),
    ],
)
def test_newest_and_oldest(question: str, order: str, limit: int | None) -> None:
    found = request(question)
    assert found.order == order
    if limit:
        assert found.limit == limit


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("Welche Zeitungen sind im Dossier vertreten?", "outlets"),
        ("Aus welchen Medien stammen die Artikel?", "outlets"),
        ("What sources are there?", "outlets"),
        ("Quelles sont les sources ?", "outlets"),
        ("Quais são as fontes?", "outlets"),
        ("Які джерела тут є?", "outlets"),
        ("Wer hat die Artikel geschrieben?", "authors"),
        ("Who are the authors?", "authors"),
        ("Welcher Autor hat die meisten Artikel geschrieben?", "authors"),
        ("Wie aktuell sind die Artikel?", "period"),
        ("Qui sont les auteurs des articles ?", "authors"),
        ("Quem são os autores?", "authors"),
        ("Які автори є в досьє?", "authors"),
        ("Welchen Zeitraum umfassen die Artikel?", "period"),
        ("Von wann bis wann reichen die Artikel?", "period"),
        ("Quelle période couvrent les articles ?", "period"),
        ("In which languages are the articles written?", "languages"),
    ],
)
def test_what_else_a_dossier_has(question: str, subject: str | None) -> None:
    found = kind_of(question, KNOWN)
    assert (found.subject if isinstance(found, Request) else None) == subject


@pytest.mark.parametrize(
    ("question", "outlets", "authors"),
    [
        ("Welche Artikel sind aus dem Küstenkurier?", {"Küstenkurier"}, set()),
        ("Welche Artikel stammen von dpa?", {"Neue Wiedezeitung (nach dpa)"}, set()),
        ("Which articles are by Lürsen?", set(), {"Jette Lürsen"}),
        ("Quels articles a écrits Okko Harms ?", set(), {"Okko Harms"}),
        ("Wie viele Artikel hat Jette Lürsen geschrieben?", set(), {"Jette Lürsen"}),
        ("Artikel vom Moorhafener Boten", {"Moorhafener Bote"}, set()),
    ],
)
def test_outlets_and_authors_are_filters(question: str, outlets: set[str], authors: set[str]) -> None:
    found = request(question)
    assert [(name.outlets, name.authors) for name in found.named] == [(outlets, authors)]


@pytest.mark.parametrize(
    ("question", "outlet"),
    [
        ("Welche Artikel sind aus der Südfriesischen Allgemeinen?", "Südfriesische Allgemeine"),
        ("Wie viele Artikel sind aus dem Neuen Tageblatt?", "Neues Tageblatt"),
        ("Скільки статей у «Острівній газеті»?", "Острівна газета"),
        ("Скільки статей Острівної газети?", "Острівна газета"),
        ("Які статті є з «Північних вістей»?", "Північні вісті"),
    ],
)
def test_an_outlet_is_known_in_each_case(question: str, outlet: str) -> None:
    outlets = ["Südfriesische Allgemeine", "Neues Tageblatt", "Острівна газета", "Північні вісті"]
    found = kind_of(question, Known(outlets, [], []))
    assert isinstance(found, Request)
    assert [name.outlets for name in found.named] == [{outlet}]


def test_an_article_by_two_is_by_each_of_them() -> None:
    known = Known([], ["Jette Lürsen", "Okko Harms, Jette Lürsen"], [])
    for question in ("Welche Artikel sind von Jette Lürsen?", "Which articles are by Lürsen?"):
        found = kind_of(question, known)
        assert isinstance(found, Request)
        assert [name.authors for name in found.named] == [{"Jette Lürsen", "Okko Harms, Jette Lürsen"}]


@pytest.mark.parametrize(
    ("question", "asks", "titles"),
    [
        ("Wer schrieb „Neue Töne in der Speicherhalle“?", "who", {"konzert"}),
        ("Von wem ist der Artikel „Wolf vor der Kamera“?", "who", {"wolf"}),
        ("Von wem stammt „Wolf vor der Kamera“?", "who", {"wolf"}),
        ("Wer hat Der Hafen und die Flut geschrieben?", "who", {"hafen"}),
        ("Who wrote the article “Risse im Stahl”?", "who", {"bruecke"}),
        ("Qui a écrit « Wolf vor der Kamera » ?", "who", {"wolf"}),
        ("Хто автор статті «Risse im Stahl»?", "who", {"bruecke"}),
        ("Wann erschien „Risse im Stahl“?", "when", {"bruecke"}),
        ("When was “Wolf vor der Kamera” published?", "when", {"wolf"}),
        ("An welchem Tag ist der Artikel „Risse im Stahl“ erschienen?", "when", {"bruecke"}),
        ("In welcher Zeitung erschien „Wolf vor der Kamera“?", "where", {"wolf"}),
    ],
)
def test_facts_of_a_named_article(question: str, asks: str, titles: set[str]) -> None:
    found = request(question)
    assert (found.asks, found.titles) == (asks, titles)


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("Welche Artikel sind vom 4. März 2024?", Days("2024-03-04", "2024-03-04")),
        ("Welche Artikel erschienen im Mai?", Days("05-01", "05-31", True)),
        ("Gibt es Artikel aus dem Juli?", Days("07-01", "07-31", True)),
        ("How many articles appeared in May 2024?", Days("2024-05-01", "2024-05-31")),
        ("Articles published after 21 September 2024", Days("2024-09-22", None)),
        ("Quels articles datent du 4 mars 2024 ?", Days("2024-03-04", "2024-03-04")),
        ("Artigos publicados antes de 2024", Days(None, "2023-12-31")),
        ("Які статті опубліковано 4 березня 2024 року?", Days("2024-03-04", "2024-03-04")),
        ("Wie viele Artikel erschienen vom 4. bis 17. März 2024?", Days("2024-03-04", "2024-03-17")),
    ],
)
def test_dates_are_filters(question: str, days: Days) -> None:
    assert request(question).days == days


def test_genre_language_and_weekday_are_filters() -> None:
    assert request("Welche Artikel sind Kommentare?").genre == "comment"
    assert request("How many reports are there?").genre == "report"
    assert request("Gibt es englische Artikel?").written_in == "en"
    assert request("Welche Artikel erschienen an einem Montag?").weekday == 1


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("Welche Artikel erwähnen Brandstätter?", "Brandstätter"),
        ("In welchen Artikeln kommt die Fähre vor?", "Fähre"),
        ("Gibt es Artikel über Schafe?", "Schafe"),
        ("Are there any articles about the ferry?", "ferry"),
        ("In which articles is Petersen mentioned?", "Petersen"),
        ("Quels articles parlent du loup ?", "loup"),
        ("Que artigos mencionam a ponte?", "ponte"),
        ("Які статті згадують міст?", "міст"),
    ],
)
def test_what_articles_mention(question: str, about: str) -> None:
    found = kind_of(question, KNOWN)
    assert found is not None, question
    assert request(question).about == about


def test_names_and_titles_that_the_library_does_not_have_are_told() -> None:
    assert request("Welche Artikel gibt es von der Elbpost?").unknown == "Elbpost"
    assert request("Wer schrieb den Artikel „Nebel im Watt“?").unknown_title == "Nebel im Watt"


@pytest.mark.parametrize(
    "question",
    [
        "Was steht in Artikel 5 des Nato-Vertrags?",
        "Wie viele Artikel hat das Grundgesetz?",
        "Welche Artikel des Vertrags wurden geändert?",
        "Welche Artikel der Verfassung erwähnen die Menschenwürde?",
        "Which articles of the treaty deal with arms?",
        "Welche Quellen nennt Lürsen?",
        "Welche Quellen hat die Wiede?",
        "Wie viele Quellen speisen den Fluss?",
        "Wer hat den Brief geschrieben?",
        "Wer schrieb das Buch „Krieg und Frieden“?",
        "Wann wurde der Bericht veröffentlicht?",
        "Wer hat den Bericht geschrieben?",
        "Wann wurde die Studie veröffentlicht?",
        "Wann war die Flut?",
        "Was sagt der Autor über die Brücke?",
        "Was meint der Autor?",
        "Welcher Autor wurde ausgezeichnet?",
        "Welche Zeitung berichtete zuerst über den Wolf?",
        "Welche Zeitungen gibt es in Polen?",
        "Wie viele Journalisten waren im Saal?",
        "Was steht in den Artikeln über die Fähre?",
        "Was schreibt der Küstenkurier über die Brücke?",
        "Wie viele Texte der Sinfonie sind erhalten?",
        "Was ist die neueste Entwicklung?",
        "Wer war der erste Autor?",
        "Who wrote the letter?",
        "How many sources does the river have?",
        "What does the article say about the wolf?",
        "When did the newspaper appear for the first time in Hamburg?",
        "Which newspaper sued the mayor?",
        "Qui a écrit la lettre ?",
        "Combien d’articles compte la Constitution ?",
        "Que dit l’auteur ?",
        "Quem escreveu a carta?",
        "Quantos artigos tem o tratado?",
        "Хто написав листа?",
        "Скільки статей має договір?",
        "Що каже автор?",
        "Сколько здесь статей?",
        "Wer ist Jette Lürsen?",
        "Küstenkurier",
        "Wolf vor der Kamera",
        "Artikel 12",
        "Welche Quellen hat der Autor?",
        "Wie viele Autoren hat das Buch?",
        "What sources does Lürsen name?",
        "Welche Quellen hat Lürsen?",
        "Which media were there?",
        "In welcher Sprache sprachen sie?",
        "Gibt es Berichte über Verletzte?",
        "Welche Titel trägt Okko Harms?",
        "Wann erschien Okko Harms?",
        "Wo erschien Harms?",
        "Kommentar",
        "Quelle?",
        "Wer ist der „Wolf vor der Kamera“?",
        "Which sources did the mayor use?",
        "Von wem stammt die Idee?",
        "Wie lange dauerte die Sperrung?",
        "Welche Artikel wurden im Laden verkauft?",
        "Wie viele Artikel wurden gestohlen?",
        "",
        "?!",
    ],
)
def test_questions_for_the_articles_are_left_to_them(question: str) -> None:
    assert kind_of(question, KNOWN) is None


@pytest.mark.parametrize(
    ("said", "language", "about"),
    [
        ("Guten Tag!", "de", "greeting"),
        ("Vielen Dank", "de", "thanks"),
        ("Hallo, wer bist du?", "de", "self"),
        ("Hello", "en", "greeting"),
        ("What can you do?", "en", "self"),
        ("Merci beaucoup !", "fr", "thanks"),
        ("Olá", "pt", "greeting"),
        ("Привіт!", "uk", "greeting"),
    ],
)
def test_talk_is_no_question(said: str, language: str, about: str) -> None:
    assert kind_of(said, KNOWN) == Talk(language, about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said", ["Danke, und wer leitet die Bücherei?", "Hallo Brandstätter", "Was kann der Wolf?"]
)
def test_politeness_around_a_question_is_no_talk(said: str) -> None:
    assert kind_of(said, KNOWN) is None
