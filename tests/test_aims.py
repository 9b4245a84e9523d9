"""Questions for what somebody wants are answered by sentences that say so, of nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answering.aims import stating
from rag.engine import Engine
from rag.question.aims import Aim, aim_of
from rag.question.query import understand
from tests.dossier import article, candidates_for, engine_over_files

ARTICLES = {
    "hafen": """Die Reederei Nordwind will den Hafen von Hallfurt ausbauen. Über den Preis wollte die Gemeinde
nicht sprechen. Die Gemeinde fordert von Nordwind eine neue Straße.""",
    "rat": """Im Mai verlangte Nordwind einen zweiten Kai. Der Umweltverband dagegen besteht darauf, dass das
Watt geschützt bleibt. Nach dem Willen der Gemeinde soll die Straße bis zum Herbst fertig sein.""",
    "reise": """Die Ministerin besuchte Nordwind und die Gemeinde. Sie sagte, das Ziel des Landes sei
ein ruhiger Hafen. Den Ausbau lehnte nur der Umweltverband ab. „Der Kai ist zu klein“, sagte Heiner
Boll, der Sprecher der Gemeinde. Boll kritisierte die Reederei. Kapitän Ole Krohn sagte, der Hafen sei
voll. Laut dem Lotsen Jan Harms kommt der Ausbau zu spät. Die türkische Regierung will Kapitäne
schicken. Der Vorstand besteht aus drei Leuten des Umweltverbands.""",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    files = {name: f"# Nachricht\n\n{text}\n" for name, text in ARTICLES.items()}
    with engine_over_files(tmp_path_factory.mktemp("aims"), **files) as opened:
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
        ("Was sagt seine Anwältin dazu?", "de", Aim(("Anwältin",), is_stance=True)),
        ("What did her lawyer say?", "en", Aim(("lawyer",), is_stance=True)),
        ("Wie sieht die Zukunft aus?", "de", None),
        ("Wie stehen Russland, die Ukraine und die EU zu einem Beitritt?", "de", None),
        ("Was sagt Putin zu Trump und Macron?", "de", Aim(("Putin",), ("Trump", "Macron"), is_stance=True)),
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
    ("question", "said"),
    [
        ("Wie steht der Umweltverband zum Ausbau?", "Den Ausbau lehnte"),
        ("Was sagte Boll zum Kai?", "Der Kai ist zu klein"),
        ("What did Boll say?", "kritisierte die Reederei"),
        ("Was sagt Harms zum Ausbau?", "Laut dem Lotsen Jan Harms"),
        ("Was sagt Krohn zum Hafen?", "Kapitän Ole Krohn sagte"),
    ],
)
def test_who_is_named_is_who_says_so(engine: Engine, question: str, said: str) -> None:
    assert said in engine.ask(question).citations[0].quote


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("Der Lotse (Hafen Hallfurt) hält gewisse Zugeständnisse Bolls für möglich.", "de"),
        ("Die Reederei wandte sich Boll zu und kritisierte das Watt.", "de"),
        ("So habe Boll schon früher den Ausbau des Kais verschoben.", "de"),
        ("Laut den Lotsen sehe Boll nun ein, dass der Kai zu klein ist.", "de"),
        ("Boll warf in der Nacht dreißig Steine auf das Watt.", "de"),
        ("Bolls Kai sah Proteste.", "de"),
        ("Le sommet est bon pour les objectifs de Boll.", "fr"),
    ],
)
def test_words_of_others_are_not_taken_for_those_of_who_is_named(sentence: str, language: str) -> None:
    said = article("a", sentence, language=language)
    query = understand("Was sagte Boll?", languages={language})
    found = candidates_for("Boll", said)
    assert stating(found, Aim(("Boll",), is_stance=True), query) == []


def test_a_stance_that_leads_is_no_surer_than_the_best_sentence_was(engine: Engine) -> None:
    assert engine.ask("Was sagte Boll zum Watt?").certainty != "sure"


@pytest.mark.parametrize("question", ["Was will die Ministerin?", "Was will die deutsche Regierung?"])
def test_where_nobody_says_so_nothing_is_sure(engine: Engine, question: str) -> None:
    assert engine.ask(question).certainty != "sure"


@pytest.mark.parametrize(
    ("sentence", "language", "question", "who"),
    [
        ("Le maire souhaite que l’État reste.", "fr", "Que veut le maire ?", "maire"),
        ("The group wants the plan dropped.", "en", "What does the group want?", "group"),
        ("Os agricultores reclamam 23 milhões.", "pt", "O que querem os agricultores?", "agricultores"),
        ("Профспілка вимагає більшої зарплати.", "uk", "Чого хоче профспілка?", "профспілка"),
    ],
)
def test_who_wants_needs_no_capital_but_in_german(
    sentence: str, language: str, question: str, who: str
) -> None:
    query = understand(question, language, languages={language})
    found = candidates_for(question, article("a", sentence, language=language))
    assert [each.text for each in stating(found, Aim((who,)), query)] == [sentence]


COMMENTS = {
    "de": ("Falk Ritter", "Die Brücke ist alt. Der Freistaat muss die Pfeiler selbst prüfen. Lenz lacht."),
    "en": ("Nuala Hession", "Wolves are shy. The county should take over the fences. Nobody came."),
    "fr": ("Lucie Delmas", "Le pain est cher. Il faut contrôler chaque moulin. Les meuniers rient."),
    "pt": ("Filipa Trigo", "Os clubes deveriam plantar árvores. Ninguém veio."),
    "uk": ("Лариса Демчук", "Діти читають у підвалі. Держава мусить платити за книги. Суд мовчить."),
}


@pytest.mark.parametrize(
    ("language", "question", "demand"),
    [
        ("de", "Was schlägt Falk Ritter vor?", "Der Freistaat muss die Pfeiler selbst prüfen."),
        ("de", "Was fordert der Kommentator?", "Der Freistaat muss die Pfeiler selbst prüfen."),
        ("en", "What does Nuala Hession propose?", "The county should take over the fences."),
        ("fr", "Que propose Lucie Delmas ?", "Il faut contrôler chaque moulin."),
        ("pt", "O que propõe Filipa Trigo?", "Os clubes deveriam plantar árvores."),
        ("uk", "Що пропонує Лариса Демчук?", "Держава мусить платити за книги."),
    ],
)
def test_what_must_be_in_a_comment_is_what_its_author_wants(
    language: str, question: str, demand: str
) -> None:
    author, text = COMMENTS[language]
    comment = article("a", text, language=language, genre="comment", author=author)
    aim = aim_of(question, language)
    assert aim is not None
    assert not aim.is_stance
    found = candidates_for(question, comment)
    told = stating(found, aim, understand(question, languages={language}), own={"a"})
    assert [each.text for each in told] == [demand]


def test_the_author_s_demand_leads_and_is_not_sure(tmp_path: Path) -> None:
    head = "Kommentar: Wer nicht prüft\n\nVon Falk Ritter\nNeißeblatt, 21. Juni 2024\n\n"
    lenz = "# Lenz\n\nLenz muss zahlen. Er fordert Geld."
    with engine_over_files(tmp_path, a=head + COMMENTS["de"][1], b=lenz) as opened:
        for question in ("Was fordert Falk Ritter?", "Was will der Kommentator?"):
            answer = opened.ask(question)
            assert answer.citations[0].quote.startswith("Der Freistaat muss")
            assert answer.certainty == "unsure"


def test_a_role_and_the_name_behind_it_speak_as_one() -> None:
    said = "Seine Anwältin Ruth Elsner erklärte, er habe die Säcke verwechselt."
    told = article("gericht", f"Staatsanwältin Meike Dorn sprach von Leichtsinn. {said}")
    question = "Was sagt seine Anwältin?"
    aim = aim_of(question, "de")
    assert aim is not None
    assert [c.text for c in stating(candidates_for(question, told), aim, understand(question))] == [said]
