"""Protects answers about the dossier itself: they come from the library, and cite each article they name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from eval.cases import Case
from eval.measures import answer_measures, shelf_of
from rag.answering.catalogue import MOST_LISTED
from rag.engine import Engine, open_engine
from rag.i18n import GERMAN
from rag.schema import Answer, Delta, Done, Message, Retrieved
from rag.serve.chat.messages import restored
from rag.store.library import Library
from rag.store.library_rows import Selection
from rag.wire import answer_from_dict, answer_text, answer_to_dict
from tests.doors import client, doors
from tests.dossier import BRIDGE, DOSSIER, article, aside, engine_over, fill, settings_for
from tests.test_mcp import call

TITLED = article(
    "meinung",
    "Der Hafen braucht die Fähre\n\nOhne die Fähre stirbt der Markt. Das sagen alle, die dort verkaufen.",
    title="Der Hafen braucht die Fähre",
    outlet="Küstenkurier",
    author="Okko Harms",
    published=date(2024, 9, 21),
    language="de",
    genre="comment",
    asides=[aside("Der Hafen braucht die Fähre", "Der Hafen braucht die Fähre", "title")],
)
ENGLISH = article(
    "harbour",
    "The harbour master wants a second ferry. He has asked the county for money.",
    title="A second ferry",
    outlet="Coast Weekly",
    published=date(2023, 12, 31),
    language="en",
    genre="report",
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine_over(tmp_path_factory.mktemp("catalogue"), *DOSSIER, TITLED, ENGLISH) as engine:
        yield engine


def listed(answer: Answer) -> list[str]:
    return [citation.article_id for citation in answer.citations]


def test_articles_are_counted_and_each_is_cited(engine: Engine) -> None:
    answer = engine.ask("Wie viele Artikel gibt es?")
    assert answer.text.startswith("Das Dossier enthält 7 Artikel.")
    assert sorted(listed(answer)) == sorted([each.id for each in (*DOSSIER, TITLED, ENGLISH)])
    assert not answer.abstained
    assert answer.confidence == 1.0
    assert {statement.status for statement in answer.statements} == {"no claim"}


@pytest.mark.parametrize(
    "question",
    [
        "Welche Artikel gibt es?",
        "Welcher Artikel ist der neueste?",
        "Welche Quellen gibt es?",
        "Wer sind die Autoren?",
        "Welchen Zeitraum decken die Artikel ab?",
        "Which articles mention the ferry?",
        "Хто написав статтю «Risse im Stahl»?",
    ],
)
def test_citations_quote_their_articles_and_statements_stand_in_the_text(
    engine: Engine, question: str
) -> None:
    answer = engine.ask(question)
    assert answer.citations
    for citation in answer.citations:
        found = engine.library.article(citation.article_id)
        assert found is not None
        assert found.text[citation.start : citation.end] == citation.quote != ""
    for statement in answer.statements:
        assert answer.text[statement.start : statement.end].startswith(statement.text)


def test_a_title_in_the_text_is_what_opens_an_article(engine: Engine) -> None:
    quotes = [c.quote for c in engine.ask("Welche Artikel gibt es von Okko Harms?").citations]
    assert quotes == ["Der Hafen braucht die Fähre"]


def test_newest_first_and_an_unknown_date_is_said(engine: Engine) -> None:
    answer = engine.ask("Liste alle Artikel auf.")
    assert set(listed(answer)[:2]) == {"apfelernte", "meinung"}
    assert listed(answer)[-1] == "wolf"
    assert "Moorhafener Bote, ohne Datum" in answer.text


def test_the_newest_are_all_of_that_day_and_the_oldest_is_one(engine: Engine) -> None:
    assert set(listed(engine.ask("Welche Artikel sind die neuesten?"))) == {"apfelernte", "meinung"}
    assert listed(engine.ask("What is the oldest article?")) == ["harbour"]
    assert listed(engine.ask("Zeige die zwei ältesten Artikel.")) == ["harbour", "buecherei"]


@pytest.mark.parametrize(
    ("question", "articles"),
    [
        ("Welche Artikel sind aus dem Küstenkurier?", {"bruecke", "apfelernte", "meinung"}),
        ("Which articles are by Jette Lürsen?", {"bruecke"}),
        ("Quels articles datent du 4 mars 2024 ?", {"bruecke"}),
        ("Welche Artikel erschienen im September?", {"apfelernte", "meinung"}),
        ("Artigos publicados antes de 2024", {"harbour"}),
        ("Welche Artikel sind Kommentare?", {"meinung"}),
        ("Gibt es englische Artikel?", {"harbour"}),
        ("Welche Artikel erschienen an einem Montag?", {"bruecke"}),
        ("Welche Kommentare erschienen nach dem 1. Januar 2024 im Küstenkurier?", {"meinung"}),
        ("Welche Artikel erwähnen Brandstätter?", {"bruecke"}),
        ("Welche Artikel erwähnen die Brücke?", {"bruecke"}),
        ("Welche Artikel erwähnen Fähre und Markt?", {"meinung"}),
        ("Welche Artikel erwähnen Peru?", set()),
        ("Які статті згадують Петерсена?", {"wolf"}),
    ],
)
def test_filters_are_those_of_the_question(engine: Engine, question: str, articles: set[str]) -> None:
    assert set(listed(engine.ask(question))) == articles


def test_who_when_and_where(engine: Engine) -> None:
    assert "Jette Lürsen" in engine.ask("Wer schrieb „Risse im Stahl“?").text
    assert "Autor nicht erkannt" in engine.ask("Wer hat „Wolf vor der Kamera“ geschrieben?").text
    assert "04.03.2024" in engine.ask("Wann erschien „Risse im Stahl“?").text
    assert "ohne Datum" in engine.ask("Wann erschien „Wolf vor der Kamera“?").text
    assert "Moorhafener Bote" in engine.ask("In welcher Zeitung erschien „Wolf vor der Kamera“?").text


def test_sources_authors_and_period(engine: Engine) -> None:
    assert "Küstenkurier: 3 Artikel" in engine.ask("Welche Quellen gibt es?").text
    assert "Küstenkurier: 3 Artikel" in engine.ask("Wie viele Artikel pro Quelle gibt es?").text
    authors = engine.ask("Who are the authors?").text
    assert "Okko Harms: 1 article" in authors
    assert "author not recognised: 5 articles" in authors
    period = engine.ask("Welchen Zeitraum decken die Artikel ab?").text
    assert "vom 31.12.2023 bis zum 21.09.2024" in period
    assert "1 Artikel ohne Datum" in period


def test_two_authors_of_one_article_are_counted_each(tmp_path: Path) -> None:
    with engine_over(tmp_path, dataclasses.replace(TITLED, author="Okko Harms, Jette Lürsen")) as engine:
        text = engine.ask("Wer sind die Autoren?").text
    assert "Okko Harms: 1 Artikel" in text
    assert "Jette Lürsen: 1 Artikel" in text


def test_a_newspaper_in_capitals_is_the_same_newspaper(tmp_path: Path) -> None:
    shouted = dataclasses.replace(TITLED, outlet="COAST WEEKLY")
    with engine_over(tmp_path, shouted, ENGLISH) as engine:
        assert "Coast Weekly: 2 Artikel" in engine.ask("Welche Quellen gibt es?").text


@pytest.mark.parametrize(
    "question",
    [
        "Wer hat den Artikel über den Verkauf der Werft geschrieben?",
        "When was the article about the sale of the shipyard published?",
        "Qui a écrit l'article sur la vente du chantier ?",
    ],
)
def test_who_wrote_of_what_no_article_mentions_in_these_words_is_searched_for(
    engine: Engine, question: str
) -> None:
    assert engine.ask(question).certainty != "sure"
    assert engine.ask("Welche Artikel erwähnen Dinosaurier?").text.startswith("Kein Artikel passt dazu")


def test_what_does_not_exist_is_said_with_what_does(engine: Engine) -> None:
    answer = engine.ask("Welche Artikel gibt es von der Elbpost?")
    assert answer.text.startswith("Kein Artikel von Elbpost; es gibt Artikel von: Coast Weekly")
    assert answer.text.endswith("geschrieben von: Jette Lürsen, Okko Harms.")
    assert not answer.abstained
    assert answer.citations == ()
    nothing = engine.ask("Which articles are from 1 May 1999?")
    assert nothing.text.startswith("No article fits (1999-05-01); the dossier holds 7 articles")


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("How many articles are there?", "en", "The dossier holds 7 articles."),
        ("Combien d’articles y a-t-il ?", "fr", "Le dossier contient 7 articles."),
        ("Quantos artigos há?", "pt", "O dossiê contém 7 artigos."),
        ("Скільки статей у досьє?", "uk", "Досьє містить 7 статей."),
        ("Hello!", "en", "Hello! I answer questions about the articles of this dossier (7 articles)"),
        ("Danke", "de", "Gern geschehen!"),
    ],
)
def test_the_answer_is_in_the_language_of_the_question(
    engine: Engine, question: str, language: str, said: str
) -> None:
    answer = engine.ask(question)
    assert answer.language == language
    assert answer.text.startswith(said)
    assert not answer.abstained


def test_a_long_list_is_cut_and_says_how_many_more(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    many = [dataclasses.replace(BRIDGE, id=f"b{i:02}", title=f"Nummer {i}") for i in range(MOST_LISTED + 3)]
    fill(settings, *many)
    with closing(open_engine(settings)) as engine:
        answer = engine.ask("Welche Artikel gibt es?")
    assert len(answer.citations) == MOST_LISTED
    assert answer.text.endswith("… und 3 weitere; alle stehen auf der Seite „Artikel“.")


def test_new_articles_count_at_once(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    fill(settings, BRIDGE)
    with closing(open_engine(settings)) as engine:
        assert "1 Artikel" in engine.ask("Wie viele Artikel gibt es?").text
        assert listed(engine.ask("Welche Artikel gibt es von Okko Harms?")) == []
        fill(settings, TITLED)
        assert "2 Artikel" in engine.ask("Wie viele Artikel gibt es?").text
        assert listed(engine.ask("Welche Artikel gibt es von Okko Harms?")) == ["meinung"]


def test_an_empty_dossier_has_no_articles(tmp_path: Path) -> None:
    with engine_over(tmp_path) as engine:
        assert engine.ask("Wie viele Artikel gibt es?").text == "Das Dossier enthält 0 Artikel."
        assert engine.ask("Which sources are there?").text == "The dossier holds 0 articles."


# --- doors

COUNT = "Wie viele Artikel gibt es?"


@pytest.fixture(scope="module")
def api(engine: Engine) -> TestClient:
    return client(doors(engine, engine.settings))


def test_it_streams_as_any_answer(engine: Engine) -> None:
    retrieved, delta, done = engine.stream(COUNT, [Message("user", "Wer leitet die Bücherei?")])
    assert isinstance(retrieved, Retrieved)
    assert (retrieved.passages, retrieved.answered) == ((), True)
    assert isinstance(delta, Delta)
    assert isinstance(done, Done)
    assert delta.text == done.answer.text


def test_rest_answers_streams_and_keeps_it(api: TestClient) -> None:
    answer = api.post("/api/v1/ask", json={"question": COUNT}).json()
    assert (answer["passages"], answer["confidence"], len(answer["citations"])) == ([], 1.0, 7)
    assert answer["citations"][0]["quote"] in api.get(f"/api/v1/answers/{answer['id']}/markdown").text
    stream = api.post("/api/v1/stream", json={"question": COUNT}).text
    assert [line for line in stream.splitlines() if line.startswith("event:")] == [
        "event: retrieved",
        "event: delta",
        "event: done",
    ]


def test_openai_clients_have_it(api: TestClient) -> None:
    sent = {"model": "beleg", "messages": [{"role": "user", "content": COUNT}]}
    message = api.post("/v1/chat/completions", json=sent).json()["choices"][0]["message"]
    assert "Das Dossier enthält 7 Artikel." in message["content"]
    streamed = api.post("/v1/chat/completions", json={**sent, "stream": True}).text
    assert streamed.rstrip().endswith("data: [DONE]")


def test_agents_have_it(engine: Engine) -> None:
    result = call(engine, "ask", question=COUNT)
    assert len(result.structured_content["citations"]) == 7
    response = engine.as_query_engine().query(COUNT)
    assert [node.node.metadata["article_id"] for node in response.source_nodes[:2]] == listed(
        engine.ask(COUNT)
    )[:2]


def test_the_evaluation_does_not_hold_it_for_a_search(engine: Engine) -> None:
    case = Case(id="n", question=COUNT, articles=("bruecke",), facts=(("7 Artikel",),))
    measures = answer_measures(case, engine.ask(COUNT), shelf_of(engine.library), lambda *_: False, None)
    assert measures["fact_recall"] == 1.0
    assert not {"citation_recall", "article_recall@5"} & set(measures)


def test_a_language_model_is_not_asked(engine: Engine) -> None:
    class Model:
        name = "never"

        def warm_up(self) -> None:
            raise AssertionError("the library knows")

    with_model = Engine(engine.library, engine.settings, model=Model())  # type: ignore[arg-type]
    assert with_model.ask(COUNT).model is None


def test_records_terminals_and_the_chat_show_it(engine: Engine) -> None:
    answer = engine.ask("Welche Artikel erwähnen Brandstätter?")
    assert answer_from_dict(answer_to_dict(answer)) == answer
    assert "(bruecke:0-62)" in answer_text(answer)
    kept = [{"question": answer.question, "record": answer_to_dict(answer)}]
    asked, shown = restored(kept, engine.library, 7, GERMAN)  # no step that says what was searched
    assert asked["role"] == "user"
    assert "/quelle/bruecke?von=0&" in shown["content"][0]


def test_listed_reads_no_texts(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    fill(settings, *DOSSIER)
    with Library.open(settings.data_dir) as library:
        plan = " ".join(
            row[3]
            for row in library._rows("EXPLAIN QUERY PLAN SELECT id, title FROM articles ORDER BY published")
        )
        rows = library.listed(Selection(genre="report", first="2024-03-01", last="2024-05-31"))
    assert "COVERING INDEX listed" in plan
    assert [row.id for row in rows] == ["konzert", "bruecke"]


def test_a_follow_up_asks_for_some_of_what_was_listed(engine: Engine) -> None:
    first = "Welche Artikel sind vom Küstenkurier?"
    history = [Message("user", first), Message("assistant", engine.ask(first).text)]
    assert listed(engine.ask("Welche davon sind Kommentare?", history)) == ["meinung"]
    assert engine.ask("Wie viele davon sind Berichte?", history).text.startswith("2 von 7")
