"""What articles say on the whole: which questions ask for it, and the sentences that are chosen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.engine import Engine
from rag.question.kind import kind_of, to_sum_up
from rag.question.known import Known
from tests.dossier import APPLES, BRIDGE, CONCERT, WOLF, article, engine_over

KNOWN = Known(
    ["Küstenkurier", "Moorhafener Bote"],
    ["Jette Lürsen"],
    [("bruecke", "Risse im Stahl"), ("konzert", "Neue Töne in der Speicherhalle")],
)
LONG = article(
    "deich",
    "Am Deich wird wieder gebaut. Der Deich bei Moorhafen bekommt eine neue Krone aus Klei. "
    "Er ist alt. Die Krone aus Klei soll den Deich bei Moorhafen vor Sturmfluten schützen. "
    "In der Kantine gab es am Dienstag Erbsensuppe mit Würstchen und Brot vom Vortag. "
    "Die Krone aus Klei soll den Deich bei Moorhafen vor hohen Sturmfluten schützen. "
    "Gegner halten die neue Krone für zu teuer und fordern stattdessen Flächen für die Flut.",
    title="Eine neue Krone für den Deich",
    language="de",
)


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        ("Worum geht es hier?", None),
        ("Worum geht es im Artikel von Jette Lürsen?", None),
        ("Was ist die Kernaussage von „Risse im Stahl“?", None),
        ("Fasse den Bericht des Küstenkuriers in drei Sätzen zusammen.", 3),
        ("Kannst du den Text der Zeitung Moorhafener Bote in einem Satz zusammenfassen?", 1),
        ("Summarise the dossier in 5 sentences.", 5),
        ("What is the article by Jette Lürsen about?", None),
        ("De quoi parle l'article de Jette Lürsen ?", None),
        ("Resuma o artigo de Jette Lürsen em duas frases.", 2),
        ("Worum geht es in den Artikeln?", None),
        ("Підсумуй статтю", None),
    ],
)
def test_a_summary_is_asked_for(question: str, sentences: int | None) -> None:
    asked = to_sum_up(kind_of(question, KNOWN))
    assert asked is not None
    assert asked.limit == sentences


@pytest.mark.parametrize(
    "question",
    [
        "Worum ging es bei der Sitzung im Rathaus?",
        "Fasse zusammen, was die Obstbauern fordern.",
        "Was ist die Botschaft der Bürgermeisterin?",
        "Was ist das Fazit des Autors zur Brücke?",
        "Welche Artikel gibt es über Brücken?",
    ],
)
def test_a_topic_of_its_own_is_no_summary_of_articles(question: str) -> None:
    assert to_sum_up(kind_of(question, KNOWN)) is None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_over(tmp_path, BRIDGE, CONCERT, APPLES, WOLF, LONG) as engine:
        yield engine


def _quotes(engine: Engine, question: str) -> list[str]:
    answer = engine.ask(question)
    assert not answer.abstained
    for citation in answer.citations:
        text = next(engine.library.articles([citation.article_id])).text
        assert text[citation.start : citation.end] == citation.quote
    return [citation.quote for citation in answer.citations]


def test_key_sentences_are_in_the_order_of_the_article_and_do_not_repeat_each_other(engine: Engine) -> None:
    quotes = _quotes(engine, "Worum geht es in „Eine neue Krone für den Deich“?")
    assert sorted(quotes, key=LONG.text.index) == quotes
    assert len([quote for quote in quotes if "Sturmfluten" in quote]) == 1
    assert not any("Erbsensuppe" in quote or quote == "Er ist alt." for quote in quotes)


def test_as_many_sentences_as_are_asked_for(engine: Engine) -> None:
    assert len(_quotes(engine, "Fasse „Eine neue Krone für den Deich“ in zwei Sätzen zusammen.")) == 2


def test_the_whole_dossier_is_the_opening_of_each_article_copies_once(tmp_path: Path) -> None:
    copy = article("kopie", WOLF.text, title="Wolf im Moor", language="de", copy_of="wolf")
    with engine_over(tmp_path, BRIDGE, WOLF, copy) as engine:
        assert set(_quotes(engine, "Worum geht es hier?")) == {
            "Die Klappbrücke über die Wiede bleibt bis zum Herbst gesperrt.",
            "Ein Wolf ist im Moor in eine Kamerafalle gelaufen.",
        }


def test_what_an_outlet_writes_is_summed_up(engine: Engine) -> None:
    answer = engine.ask("Was schreibt der Küstenkurier?")
    assert {citation.article_id for citation in answer.citations} == {"bruecke", "apfelernte"}


def test_an_unknown_source_is_said_to_be_unknown(engine: Engine) -> None:
    answer = engine.ask("Fasse den Artikel von der Ostseezeitung zusammen.")
    assert not answer.citations
    assert "Küstenkurier" in answer.text
