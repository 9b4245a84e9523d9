"""Questions for what somebody wants are answered by sentences that say so, of nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.sync import sync
from rag.engine import Engine, open_engine
from rag.question.aims import Aim, aim_of
from rag.settings import load_settings

ARTICLES = {
    "hafen": """Die Reederei Nordwind will den Hafen von Hallfurt ausbauen. Über den Preis wollte die Gemeinde
nicht sprechen. Die Gemeinde fordert von Nordwind eine neue Straße.""",
    "rat": """Im Mai verlangte Nordwind einen zweiten Kai. Der Umweltverband dagegen besteht darauf, dass das
Watt geschützt bleibt. Nach dem Willen der Gemeinde soll die Straße bis zum Herbst fertig sein.""",
    "reise": """Die Ministerin besuchte Nordwind und die Gemeinde. Sie sagte, das Ziel des Landes sei ein
ruhiger Hafen. Den Ausbau lehnte nur der Umweltverband ab. „Der Kai ist zu klein“, sagte Heiner Boll, der
Sprecher der Gemeinde. Boll kritisierte die Reederei. Die türkische Regierung will Kapitäne schicken. Der
Vorstand besteht aus drei Leuten des Umweltverbands.""",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("aims")
    (folder / "articles").mkdir()
    for name, text in ARTICLES.items():
        (folder / "articles" / f"{name}.md").write_text(f"# Nachricht\n\n{text}\n", encoding="utf-8")
    settings = load_settings(articles=Path(folder / "articles"), data=folder / "index")
    sync(settings)
    with closing(open_engine(settings)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "language", "aim"),
    [
        ("was nordwind will", "de", Aim(("Nordwind",))),
        ("was die Forderungen der Gemeinde sind.", "de", Aim(("Gemeinde",))),
        ("Was will Putin?", "de", Aim(("Putin",))),
        ("Was verlangt Russland von der Ukraine?", "de", Aim(("Russland",), ("Ukraine",))),
        ("Was sind die Ziele der türkischen Regierung?", "de", Aim(("türkischen", "Regierung"))),
        ("Was will Trump in Alaska erreichen?", "de", Aim(("Trump",), ("Alaska", "erreichen"))),
        ("What does Putin want?", "en", Aim(("Putin",))),
        ("Que veut la Russie ?", "fr", Aim(("Russie",))),
        ("O que quer Putin?", "pt", Aim(("Putin",))),
        ("Чого хоче Путін?", "uk", Aim(("Путін",))),
        ("Was will man damit erreichen?", "de", None),
        ("Wie steht die EU dazu?", "de", Aim(("EU",), is_stance=True)),
        ("Was sagt der Kreml über das Treffen?", "de", Aim(("Kreml",), ("Treffen",), is_stance=True)),
        ("How did Democrats react to the deal?", "en", Aim(("Democrats",), ("deal",), is_stance=True)),
        ("Que dit Macron du sommet ?", "fr", Aim(("Macron",), ("sommet",), is_stance=True)),
        ("Como reagiu Lula?", "pt", Aim(("Lula",), is_stance=True)),
        ("Що каже Путін?", "uk", Aim(("Путін",), is_stance=True)),
        ("Wie sieht die Zukunft aus?", "de", None),
        ("Wie beurteilen die Artikel das Treffen?", "de", None),
        ("Was hält der Rat der Reederei vor?", "de", None),
        ("Warum will Putin das?", "de", None),
    ],
)
def test_whose_aims_are_asked_for(question: str, language: str, aim: Aim | None) -> None:
    assert aim_of(question, language) == aim


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Was will Nordwind?", ["den Hafen von Hallfurt ausbauen", "einen zweiten Kai"]),
        ("Was fordert die Gemeinde?", ["eine neue Straße", "Nach dem Willen der Gemeinde"]),
        ("Was will der Umweltverband?", ["dass das Watt"]),
        ("Was sind Nordwinds Ziele?", ["den Hafen von Hallfurt ausbauen", "einen zweiten Kai"]),
        ("What does Nordwind want?", ["den Hafen von Hallfurt ausbauen", "einen zweiten Kai"]),
    ],
)
def test_who_is_named_is_who_wants(engine: Engine, question: str, said: list[str]) -> None:
    answer = engine.ask(question)
    quotes = [citation.quote for citation in answer.citations]
    assert len(quotes) == len(said)
    assert all(any(words in quote for quote in quotes) for words in said)
    assert answer.certainty == "sure"


@pytest.mark.parametrize(
    ("question", "said", "certainty"),
    [
        ("Wie steht der Umweltverband zum Ausbau?", "Den Ausbau lehnte", "sure"),
        ("Was sagte Boll zum Kai?", "Der Kai ist zu klein", "sure"),
        ("What did Boll say?", "kritisierte die Reederei", "unsure"),
    ],
)
def test_who_is_named_is_who_says_so(engine: Engine, question: str, said: str, certainty: str) -> None:
    answer = engine.ask(question)
    assert said in answer.citations[0].quote
    assert answer.certainty == certainty


@pytest.mark.parametrize("question", ["Wie steht die Gemeinde zu Kapitänen?", "Was sagte Boll zum Watt?"])
def test_what_nobody_says_of_it_is_not_sure(engine: Engine, question: str) -> None:
    assert engine.ask(question).certainty != "sure"


@pytest.mark.parametrize("question", ["Was will die Ministerin?", "Was will die deutsche Regierung?"])
def test_where_nobody_says_so_nothing_is_sure(engine: Engine, question: str) -> None:
    assert engine.ask(question).certainty != "sure"
