"""Sources that questions name, and filters: only the articles that are meant answer."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rag.answering.chosen import chosen
from rag.engine import Engine
from rag.errors import BadRequest
from rag.question.known import Known
from rag.question.source import source_of
from rag.schema import Filters
from tests.dossier import APPLES, BRIDGE, CONCERT, WOLF, engine_over

KNOWN = Known(
    ["Küstenkurier", "Moorhafener Bote", "Washington Post"],
    ["Jette Lürsen"],
    [("bruecke", "Risse im Stahl"), ("konzert", "Neue Töne in der Speicherhalle")],
)


@pytest.mark.parametrize(
    ("question", "asks", "names"),
    [
        ("Was berichtet der Küstenkurier über Äpfel?", "Was über Äpfel?", ["Küstenkurier"]),
        ("Was steht im Boten über den Wolf?", "Was steht über den Wolf?", ["Boten"]),
        ("Laut Küstenkurier: wie viele Tonnen sind es?", "wie viele Tonnen sind es?", ["Küstenkurier"]),
        ("Was fanden Gutachter laut Jette Lürsen?", "Was fanden Gutachter?", ["Jette Lürsen"]),
        ("Lürsen zufolge, was ist gesperrt?", "was ist gesperrt?", ["Lürsen"]),
        ("What does Lürsen say about the bridge?", "What does say about the bridge?", ["Lürsen"]),
        (
            "Was hat der Küstenkurier über Äpfel geschrieben?",
            "Was hat über Äpfel geschrieben?",
            ["Küstenkurier"],
        ),
        ("Que dit Lürsen sur le pont ?", "Que sur le pont?", ["Lürsen"]),
        ("Was sagt die Post über die Fähre?", "Was über die Fähre?", ["Post"]),
    ],
)
def test_an_outlet_or_author_is_taken_out_of_the_question(question: str, asks: str, names: list[str]) -> None:
    source = source_of(question, KNOWN)
    assert source is not None
    assert source.asks == asks
    assert [name.said for name in source.named] == names


def test_a_title_or_a_day_beside_the_word_article_is_a_source() -> None:
    titled = source_of("Was steht im Artikel „Risse im Stahl“ über die Fähre?", KNOWN)
    dated = source_of("Was steht im Bericht vom 4. März über die Fähre?", KNOWN)
    assert titled is not None
    assert titled.titles == frozenset({"bruecke"})
    assert dated is not None
    assert dated.days is not None
    assert (dated.days.first, dated.asks) == ("03-04", "Was steht über die Fähre?")


@pytest.mark.parametrize(
    "question",
    [
        "Wer ist Jette Lürsen?",
        "Was sagte Washington zum Wolf?",
        "Was geschah am 4. März?",
        "Wen traf Lürsen in der Speicherhalle?",
    ],
)
def test_who_is_only_asked_about_is_no_source(question: str) -> None:
    assert source_of(question, KNOWN) is None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_over(tmp_path, BRIDGE, CONCERT, APPLES, WOLF) as engine:
        yield engine


def _ids(engine: Engine, question: str, filters: Filters | None = None) -> set[str]:
    answer = engine.ask(question, filters=filters)
    assert answer.filters == filters
    return {passage.article.id for passage in answer.passages}


def test_only_the_source_that_is_named_answers(engine: Engine) -> None:
    assert _ids(engine, "Was steht im Küstenkurier über Schafe, Wölfe und Äpfel?") <= {
        "apfelernte",
        "bruecke",
    }
    assert "wolf" in _ids(engine, "Was ist mit Schafen, Wölfen und Äpfeln?")


def test_a_source_without_an_article_that_fits_declines(engine: Engine) -> None:
    answer = engine.ask("Was steht im Artikel vom 5. März 2024 über die Brücke?")
    assert answer.abstained
    assert not answer.passages


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(outlets=("küsten",)), {"bruecke", "apfelernte"}),
        (Filters(outlets=("küsten", "bote")), {"bruecke", "apfelernte", "konzert", "wolf"}),
        (Filters(authors=("lürsen",)), {"bruecke"}),
        (Filters(first=date(2024, 5, 17)), {"konzert", "apfelernte"}),
        (Filters(last=date(2024, 5, 17)), {"bruecke", "konzert"}),
        (Filters(articles=("wolf", "konzert")), {"wolf", "konzert"}),
        (Filters(outlets=("bote",), articles=("wolf", "bruecke")), {"wolf"}),
    ],
)
def test_filters_choose_articles(engine: Engine, filters: Filters, ids: set[str]) -> None:
    assert chosen(filters, engine.library, engine._catalogue.known) == ids
    found = engine.search("Was ist mit Brücke, Leitung, Apfelernte und Wolf?", 50, filters=filters)
    assert {passage.article.id for passage in found} <= ids


def test_the_dossier_is_counted_within_the_filters(engine: Engine) -> None:
    assert "2 Artikel" in engine.ask("Wie viele Artikel gibt es?", filters=Filters(outlets=("Bote",))).text


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        (Filters(outlets=("Spiegel",)), "Küstenkurier"),
        (Filters(authors=("Meier",)), "Jette Lürsen"),
        (Filters(articles=("brücke",)), "bruecke"),
        (Filters(first=date(2030, 1, 1)), "4 articles, published from 2024-03-04 to 2024-09-21"),
        (Filters(first=date(2024, 5, 2), last=date(2024, 5, 1)), "2024-05-02 is after 2024-05-01"),
    ],
)
def test_filters_that_nothing_fits_name_what_there_is(engine: Engine, filters: Filters, named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        engine.ask("Was kostet die Reparatur?", filters=filters)
