"""Who or what something is: the sentence that says so is the answer, and sure; another one never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answering.defined import Defined, defined_of, defining
from rag.engine import Engine
from tests.dossier import article, candidates_for, engine_over_files

TEXT = """Jana Voß lobte den Hafen von Hallfurt. Kämmerin Jana Voß legte am Montag die Zahlen vor.
Peter Kranich, der Vorsitzende des Vereins, war dagegen. Der Verein für Wattschutz, kurz VFW, klagt.
Die Deutsche Seewarte (DSW) misst den Pegel. Ein Kai, also eine befestigte Anlegestelle, fehlt noch.
Der Vorsitz fiel an Kranich. Der Leuchtturm steht seit langem auf der Insel, und der Leuchtturm ist hoch."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine_over_files(tmp_path_factory.mktemp("defined"), hafen=f"# Der Hafen\n\n{TEXT}\n") as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "language", "asked"),
    [
        ("Wer ist Jana Voß?", "de", Defined(("Jana", "Voß"), person=True)),
        ("wer Jana Voß ist", "de", Defined(("Jana", "Voß"), person=True)),
        ("who is jana voß", "en", Defined(("jana", "voß"), person=True)),
        ("Was ist ein Kai?", "de", Defined(("Kai",), person=False)),
        ("Who was Jana Voß?", "en", Defined(("Jana", "Voß"), person=True)),
        ("Who's Jana Voß?", "en", Defined(("Jana", "Voß"), person=True)),
        ("c’est qui Jana Voß", "fr", Defined(("Jana", "Voß"), person=True)),
        ("Qui est Jana Voß ?", "fr", Defined(("Jana", "Voß"), person=True)),
        ("Quem é Jana Voß?", "pt", Defined(("Jana", "Voß"), person=True)),
        ("Хто такий Петро Кравець?", "uk", Defined(("Петро", "Кравець"), person=True)),
        ("Wer ist der Präsident?", "de", None),
        ("Was ist anders als 1938?", "de", None),
        ("Wer war dabei?", "de", None),
    ],
)
def test_what_is_to_be_defined(question: str, language: str, asked: Defined | None) -> None:
    assert defined_of(question, language) == asked


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Wer ist Jana Voß?", "Kämmerin Jana Voß"),
        ("Wer ist Voß?", "Kämmerin Jana Voß"),
        ("Wer ist Peter Kranich?", "der Vorsitzende des Vereins"),
        ("Was ist VFW?", "Der Verein für Wattschutz, kurz VFW"),
        ("Was ist die DSW?", "Die Deutsche Seewarte (DSW)"),
        ("Was ist ein Kai?", "also eine befestigte Anlegestelle"),
    ],
)
def test_the_sentence_that_says_it_is_the_answer(engine: Engine, question: str, said: str) -> None:
    answer = engine.ask(question)
    assert said in answer.citations[0].quote
    assert answer.certainty == "sure"


def test_a_sentence_that_only_names_it_is_not_sure(engine: Engine) -> None:
    assert engine.ask("Was ist der Leuchtturm?").certainty != "sure"


REPORTS = {
    "de": (
        "Wer ist Timo Harms?",
        "Am Freitag kam Timo Harms.",
        "Ihr neuer Inhaber, Timo Harms, will klagen.",
    ),
    "en": (
        "Who is Una Corley?",
        "Una Corley left early.",
        "The reason, said the zoo's director, Una Corley, is rain.",
    ),
    "fr": (
        "Qui est Luc Sarani ?",
        "Luc Sarani part.",
        "La fête plaît au patron. Le gérant du cirque, Luc Sarani, part.",
    ),
    "pt": ("Quem é Rui Falé?", "Rui Falé saiu.", "O treinador do clube, Rui Falé, saiu."),
    "uk": ("Хто така Інна Кміть?", "Інна Кміть мовчить.", "Режисерка вистави, Інна Кміть, шукає заміну."),
}
JUDGED = {
    "de": "Timo Harms ist ein Meister der Ausrede.",
    "en": "Una Corley is a wonderful host.",
    "fr": "Luc Sarani est un génie.",
    "pt": "Rui Falé é um homem simpático.",
    "uk": "Інна Кміть — чудова людина.",
}


@pytest.mark.parametrize("language", REPORTS)
def test_a_role_beside_a_name_says_who_it_is_and_a_comment_s_judgement_does_not(language: str) -> None:
    question, named, role = REPORTS[language]
    judged = article("b", JUDGED[language], language=language, genre="comment")
    asked = defined_of(question, language)
    assert asked is not None
    found = candidates_for(question, article("a", f"{named} {role}", language=language), judged)
    assert [each.text for each in defining(found, asked)] == [role.rpartition(". ")[2]]


@pytest.mark.parametrize(
    ("language", "name", "sentence"),
    [
        ("en", "Una Corley", "At the old zoo, Una Corley, aged 40, fell."),
        ("fr", "Luc Sarani", "Dans la ville, Luc Sarani, fatigué, dort."),
        ("uk", "Інна Кміть", "Після вистави, Інна Кміть, втомлена, пішла."),
    ],
)
def test_a_place_before_a_name_is_no_role(language: str, name: str, sentence: str) -> None:
    asked = Defined(tuple(name.split()), person=True)
    found = candidates_for(name, article("a", sentence, language=language))
    assert found
    assert not defining(found, asked)


@pytest.mark.parametrize(
    ("language", "question", "says", "says_nothing"),
    [
        (
            "en",
            "Who is Ivor Blake?",
            "The harbour master Ivor Blake said no.",
            "All winter Ivor Blake slept.",
        ),
        (
            "en",
            "Who is Ivor Blake?",
            "Ivor Blake, 67, a shepherd, said no.",
            "Ivor Blake, said the mayor, lied.",
        ),
        ("fr", "Qui est Anne Roy ?", "La directrice Anne Roy a dit non.", "Un soir d’hiver Anne Roy partit."),
        ("fr", "Qui est Anne Roy ?", "Anne Roy, 31 ans, l’adjointe, décide.", "Anne Roy, 31 ans, dort."),
        ("pt", "Quem é Rui Melo?", "O pedreiro Rui Melo disse que não.", "Ontem o Rui Melo disse que não."),
        (
            "pt",
            "Quem é Rui Melo?",
            "Rui Melo, pastor, de 67 anos, foi-se.",
            "Rui Melo, disse o autarca, mentiu.",
        ),
        ("de", "Wer ist Jan Roth?", "Jan Roth ist Chef des Hafens.", "Jan Roth ist im Dezember zurück."),
        ("en", "Who is Ann Roy?", "Ann Roy was mayor of Hallford.", "Ann Roy was asleep at noon."),
        ("fr", "Qui est Anne Roy ?", "Anne Roy est maire de Valmores.", "Anne Roy est partie hier soir."),
        ("pt", "Quem é Rui Melo?", "Rui Melo é presidente do clube.", "Rui Melo é contra a mina."),
        (
            "fr",
            "Qui est Anne Roy ?",
            "Anne Roy est directrice du port.",
            "Anne Roy est heureuse et optimiste.",
        ),
        ("fr", "Qui est Anne Roy ?", "Anne Roy est journaliste.", "Anne Roy est triste, dit-on."),
        ("pt", "Quem é Rui Melo?", "Rui Melo é engenheiro naval.", "Rui Melo é otimista e encantador."),
        (
            "uk",
            "Хто такий Іван Ткач?",
            "— Ні, — каже директор «Зорі» Іван Ткач.",
            "Учора сказав Іван Ткач правду.",
        ),
    ],
)
def test_a_role_beside_a_name_says_who_it_is_in_each_language(
    language: str, question: str, says: str, says_nothing: str
) -> None:
    asked = defined_of(question, language)
    assert asked is not None
    found = candidates_for(question, article("a", f"{says_nothing}\n\n{says}", language=language))
    assert [each.text for each in defining(found, asked)] == [says]


def test_the_last_name_alone_says_who_it_is_where_the_article_has_the_whole_name() -> None:
    asked = Defined(("Jan", "Roth"), person=True)
    said = "Roth ist Chef des Hafens."
    found = candidates_for("Wer ist Jan Roth?", article("a", f"Jan Roth reiste mit. {said}"))
    assert [each.text for each in defining(found, asked)] == [said]


@pytest.mark.parametrize("before", ["Es regnete.", "Jan Roth kam.\nAnna", "Eva Roth kam."])
def test_the_last_name_of_somebody_else_does_not(before: str) -> None:
    text = f"{before} Roth ist Chef des Hafens."
    found = candidates_for("Wer ist Jan Roth?", article("a", text))
    assert not defining(found, Defined(("Jan", "Roth"), person=True))
