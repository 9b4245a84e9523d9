"""What articles say differently: found where it can be checked, and never where it has another reason."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from rag.answering.claims import claims
from rag.answering.disagreement import Compared, Difference, differences
from rag.engine import Engine, open_engine
from rag.errors import IndexBusy
from rag.i18n import ENGLISH
from rag.schema import Article, Filters, Span
from rag.serve.pages.catalogue import Catalogue
from rag.serve.pages.overview import Overview
from rag.settings import Settings
from rag.text.sentences import sentences
from tests.dossier import engine_over_files
from tests.openai_server import Reply, openai_server

DAY, LATER = date(2025, 8, 16), date(2025, 8, 18)


def places(article: Article) -> list[Span]:
    return sentences(article.text, language=article.language)


def found(
    one: str, other: str, language: str = "de", later: date | None = DAY, copy: bool = False
) -> list[Difference]:
    """The differences between two articles of one sentence or more."""
    first = Article("one", one, "one.txt", "", published=DAY, language=language)
    second = Article(
        "other", other, "other.txt", "", published=later, language=language, copy_of="one" if copy else None
    )
    stated = [claim for article in (first, second) for claim in claims(article, places(article))]
    return differences(stated, places)


FIRE = "Bei dem Brand in der Lagerhalle in Hamburg starben drei Menschen."
MORE = "Bei dem Brand in einer Lagerhalle in Hamburg starben fünf Menschen."
TALKS = "Die Gespräche hinter verschlossenen Türen dauerten etwa drei Stunden."
SCHOOL = "Der Neubau der Schule in Hallfurt kostet 12,4 Millionen Euro."
BRIDGE = "The bridge in Hallford was opened on 3 May 1998."


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        (FIRE, MORE, "de"),
        (TALKS, "Fünf Stunden dauerten die Gespräche hinter verschlossenen Türen.", "de"),
        (SCHOOL, "Der Neubau der Schule in Hallfurt kostet 14,1 Millionen Euro.", "de"),
        (
            "Trump und Putin trafen sich vor Alaska zuletzt 2019, beim Gipfel in Osaka.",
            "In Alaska trafen sich Trump und Putin. Ihr letztes Treffen war sieben Jahre zuvor in Osaka"
            " gewesen.",
            "de",
        ),
        (
            "John Herbst, einst US-Botschafter in der Ukraine, sprach von ukrainischen Erwartungen.",
            "Der ehemalige US-Botschafter in Russland, John Herbst, sprach von russischen Angriffen.",
            "de",
        ),
        (BRIDGE, "The bridge in Hallford was opened on 5 May 1998, the council said.", "en"),
        (
            "L’incendie de l’entrepôt de Lyon a fait trois morts.",
            "L’incendie d’un entrepôt de Lyon a fait cinq morts.",
            "fr",
        ),
        (
            "O incêndio no armazém de Lisboa fez três mortos.",
            "O incêndio no armazém de Lisboa fez cinco mortos.",
            "pt",
        ),
        (
            "Пожежа на складі у Львові тривала три години.",
            "Пожежа на складі у Львові тривала дев’ять годин.",
            "uk",
        ),
    ],
)
def test_two_values_for_one_thing_differ(one: str, other: str, language: str) -> None:
    assert len(found(one, other, language)) == 1


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        (FIRE, "Bei dem Brand in der Lagerhalle in Bremen starben fünf Menschen.", "de"),
        (FIRE, f"{FIRE} {MORE}", "de"),  # which says both
        (TALKS, "Die Gespräche hinter verschlossenen Türen dauerten zweieinhalb bis drei Stunden.", "de"),
        (TALKS, "Die Gespräche hinter verschlossenen Türen dauerten mehr als fünf Stunden.", "de"),
        (SCHOOL, "Der Neubau der Schule in Hallfurt sollte 10,1 Millionen Euro kosten.", "de"),
        (SCHOOL, "Der Neubau der Schule in Hallfurt kostet nicht 10,1 Millionen Euro.", "de"),
        (SCHOOL, "Der Neubau der Schule in Hallfurt kostet keine 10,1 Millionen Euro.", "de"),
        (SCHOOL, "Der Neubau der Turnhalle in Hallfurt kostet 10,1 Millionen Euro.", "de"),
        (SCHOOL, "Der Neubau der Schule in Hallfurt kostet 12 Millionen Euro.", "de"),  # rounded
        (
            "Die Arbeitslosenquote in Tirol lag im Juli bei 4,2 Prozent.",
            "Im August lag die Arbeitslosenquote in Tirol bei 5,1 Prozent.",
            "de",
        ),
        (
            "Viele verglichen den Gipfel mit München 1938 und Reykjavik 1986.",
            "Der Gipfel wurde mit München 1938 und Reykjavik 1986 verglichen.",
            "de",
        ),
        (
            "Trump versprach, den Krieg in der Ukraine binnen 24 Stunden zu beenden.",
            "Trump versprach, den Krieg in der Ukraine binnen 24 oder 48 Stunden zu beenden.",
            "de",
        ),
        (
            "Im ersten Halbjahr kamen 340 Flüchtlinge nach Hallfurt.",
            "Im zweiten Halbjahr kamen 410 Flüchtlinge nach Hallfurt.",
            "de",
        ),
        (
            "Ein Plus wurde erwartet, nachdem es im Juli ein Minus von 2,2 Prozent gegeben hatte.",
            "Im August gab es ein Minus von 0,6 Prozent, das damit schwächer ausfiel als 2,3 Prozent.",
            "de",
        ),
        (
            "John Herbst, einst US-Botschafter in Moskau, sprach von russischen Angriffen.",
            "Der ehemalige US-Botschafter in Russland, John Herbst, sprach von russischen Angriffen.",
            "de",
        ),
        (BRIDGE, "The bridge in Hallford was opened in May 1998.", "en"),
    ],
)
def test_what_has_another_reason_is_no_difference(one: str, other: str, language: str) -> None:
    assert found(one, other, language) == []
    assert found(other, one, language) == []


def test_a_figure_may_change_from_day_to_day_but_not_what_is_past() -> None:
    assert found(FIRE, MORE, later=LATER) == []
    assert len(found(FIRE, MORE, later=None)) == 1
    assert (
        len(found(TALKS, "Die Gespräche hinter verschlossenen Türen dauerten fünf Stunden.", later=LATER))
        == 1
    )
    ahead = "Die Brücke in Hallfurt wird am 3. Mai 2026 eröffnet."
    assert found(ahead, ahead.replace("3.", "9."), later=LATER) == []
    assert len(found(ahead, ahead.replace("3.", "9."))) == 1


def test_a_copy_differs_from_nothing() -> None:
    assert found(FIRE, MORE, copy=True) == []


# --- in answers


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    texts = {
        "anzeiger": f"{FIRE} Die Feuerwehr war mit 80 Kräften im Einsatz.",
        "kurier": f"{MORE} Die Ursache ist nicht bekannt.",
        "hafen": "Im Hafen von Bremen wurde ein neuer Kran aufgestellt. Der Kran ist 60 Meter hoch.",
    }
    head = "---\ntitle: Nachricht aus dem {}\npublished: 2025-08-16\n---\n\n"
    files = {name: head.format(name.title()) + text for name, text in texts.items()}
    with engine_over_files(tmp_path_factory.mktemp("differing"), **files) as opened:
        yield opened


def test_an_answer_has_both_sides(engine: Engine) -> None:
    answer = engine.ask("Wie viele Menschen starben bei dem Brand in der Lagerhalle in Hamburg?")
    assert "Die Artikel sagen Verschiedenes:" in answer.text
    assert [citation.quote for citation in answer.citations] == [FIRE, MORE]
    (pair,) = answer.contradictions
    assert (pair.citations, pair.said) == ((1, 2), ("drei Menschen", "fünf Menschen"))
    for statement in answer.statements:
        assert answer.text[statement.start : statement.end].startswith(statement.text)


def test_another_question_has_none(engine: Engine) -> None:
    assert engine.ask("Wo starben drei Menschen bei dem Brand in der Lagerhalle?").contradictions == ()
    assert engine.ask("Wie hoch ist der Kran im Hafen von Bremen?").contradictions == ()


def test_the_articles_are_asked_whether_they_contradict_each_other(engine: Engine) -> None:
    answer = engine.ask("Widersprechen sich die Artikel?")
    assert answer.text.startswith("3 Artikel verglichen, nach Zahlen, Daten und Ämtern: An einer Stelle")
    assert "drei Menschen ≠ fünf Menschen" in answer.text
    assert [citation.quote for citation in answer.citations] == [FIRE, MORE]
    assert answer.certainty == "sure"
    assert "differ in one place" in engine.ask("Do the articles contradict each other about the fire?").text
    about = engine.ask("Gibt es Widersprüche in den Artikeln über den Kran?")
    assert about.citations == ()
    assert "zu „Kran“" in about.text
    assert "Ich finde keinen Widerspruch, der sich prüfen lässt." in about.text


def test_only_the_chosen_articles_are_compared(engine: Engine) -> None:
    answer = engine.ask("Widersprechen sich die Artikel?", filters=Filters(articles=("anzeiger", "hafen")))
    assert answer.contradictions == ()
    assert answer.text.startswith("2 Artikel verglichen")


def test_of_articles_that_are_too_old_to_be_compared_this_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.answering.disagreement.MOST_COMPARED", 1)
    older = engine.library.listed()[-1].id
    answer = engine.ask("Widersprechen sich die Artikel?", filters=Filters(articles=(older,)))
    assert answer.text.startswith("Verglichen werden nur die 500 neuesten Artikel")


def test_where_no_article_says_a_word_of_the_topic_none_is_said_to_be_compared(engine: Engine) -> None:
    answer = engine.ask("Gibt es Widersprüche in den Artikeln über Gletscherspalten?")
    assert answer.text.startswith("Kein Artikel passt dazu (erwähnt „Gletscherspalten“)")
    assert answer.citations == ()


def test_a_comparison_that_fails_is_begun_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Semaphore(0)

    def fails() -> None:
        tried.release()
        raise IndexBusy("index_written", path="library")

    compared = Compared(engine.library)
    monkeypatch.setattr(compared, "found", fails)
    for _ in range(2):
        assert compared.so_far() == []
        assert tried.acquire(timeout=30)


def test_an_answer_of_which_nothing_can_be_compared_compares_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.answering.disagreement._differ", lambda *_: pytest.fail("compared"))
    assert engine.ask("Wo steht der Kran?").contradictions == ()


def test_the_start_page_tells_what_differs_when_it_is_known(engine: Engine, tmp_path: Path) -> None:
    engine.ask("Widersprechen sich die Artikel?")
    page = Overview(Catalogue(engine.library, tmp_path), engine.differing).html(ENGLISH)
    assert "The articles say different things" in page
    for article, sentence in (("anzeiger", FIRE), ("kurier", MORE)):
        said = re.search(rf'<a href="/quelle/{article}\?von=\d+&amp;bis=\d+[^"]*#beleg">([^<]+)</a>', page)
        assert said is not None
        assert said[1] == sentence


@pytest.mark.parametrize(
    ("reply", "below"),
    [
        ("In Hamburg starben bei dem Brand drei Menschen [{}].", True),
        (
            "In Hamburg starben bei dem Brand drei Menschen [{}]. Fünf Menschen starben in Hamburg [{}].",
            False,
        ),
    ],
)
def test_below_a_models_answer_stand_both_sides_unless_it_cites_both(
    engine: Engine, reply: str, below: bool
) -> None:
    with openai_server() as server:
        settings = Settings(
            **{
                **vars(engine.settings),
                "openai_api_key": "sk-test",
                "openai_base_url": server.base_url,
                "llm": "scripted",
                "steps": 1,
            }
        )
        question = "Wie viele Menschen starben bei dem Brand in der Lagerhalle in Hamburg?"
        order = [passage.article.id for passage in engine.search(question)]
        numbers = [order.index(article) + 1 for article in ("anzeiger", "kurier")]
        server.queue.append(Reply(reply.format(*numbers)))
        with closing(open_engine(settings)) as with_model:
            answer = with_model.ask(question)
    assert answer.model == "scripted"
    assert ("Die Artikel sagen Verschiedenes:" in answer.text) is below
    (pair,) = answer.contradictions
    quoted = {citation.number: citation.quote for citation in answer.citations}
    for number, sentence in zip(pair.citations, (FIRE, MORE), strict=True):
        assert sentence in quoted[number]
    for statement in answer.statements:
        assert answer.text[statement.start : statement.end].startswith(statement.text[:20])
