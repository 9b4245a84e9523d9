"""Protects the engine: one answer however it is asked for, from the newest articles, or an honest refusal."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.readers import read_file
from ingest.structure.article import article_from
from rag.answering.confidence import UNSURE
from rag.answering.texts import say
from rag.engine import Engine, open_engine
from rag.errors import BadRequest, ConfigError, IndexMismatch
from rag.schema import Answer, Article, Chunk, Citation, Delta, Done, Message, Retrieved
from rag.settings import Settings
from rag.store.library import Library
from rag.text.languages import LANGUAGES
from tests.dossier import CONCERT, DOSSIER, WOLF, article, engine_over, fill, settings_for

QUESTIONS = {
    "Wer dirigiert die Konzerte in der Speicherhalle?": "konzert",
    "Wie viele Schafe verlor der Schäfer?": "wolf",
    "Warum fordert der Verband Hilfen vom Land?": "apfelernte",
    "Was sagte die Bürgermeisterin über die Sicherheit?": "bruecke",
    "Wer leitet die Bücherei?": "buecherei",
    "Where was Chumachenko born?": "konzert",
    "Combien coûte la réparation du pont ?": "bruecke",
    "Скільки коштує ремонт мосту?": "bruecke",
}
OFF_TOPIC = {
    "de": "Wie heißt die Hauptstadt von Peru?",
    "en": "Who won the football world cup?",
    "fr": "Qui a peint la Joconde ?",
    "pt": "Quem descobriu o Brasil?",
    "uk": "Хто виграв чемпіонат світу?",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over the dossier, which stays as it is."""
    with engine_over(tmp_path_factory.mktemp("engine"), *DOSSIER) as engine:
        yield engine


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An index of the dossier in a folder of its own, which a test may change."""
    settings = settings_for(tmp_path)
    fill(settings, *DOSSIER)
    return settings


@pytest.fixture
def changing(settings: Settings) -> Iterator[Engine]:
    """An engine over that index."""
    with closing(open_engine(settings)) as engine:
        yield engine


def timeless(answer: Answer) -> Answer:
    return dataclasses.replace(answer, timings={})


def cited(answer: Answer) -> set[str]:
    return {citation.article_id for citation in answer.citations}


def conversation(*turns: str) -> list[Message]:
    return [Message("assistant" if i % 2 else "user", turn) for i, turn in enumerate(turns)]


# --- answering -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.items())
def test_answer_rests_on_the_article_that_answers(engine: Engine, question: str, expected: str) -> None:
    answer = engine.ask(question)
    assert not answer.abstained
    assert answer.reason is None
    assert answer.citations[0].article_id == expected
    assert answer.passages[0].article.id == expected
    assert answer.question == answer.standalone_question == question
    assert answer.confidence >= UNSURE


@pytest.mark.parametrize("question", [*QUESTIONS, *OFF_TOPIC.values()])
def test_events_come_in_order_and_make_the_answer_that_asking_gives(engine: Engine, question: str) -> None:
    first, *middle, last = engine.stream(question)
    assert isinstance(first, Retrieved)
    assert isinstance(last, Done)
    assert all(isinstance(event, Delta) for event in middle)
    assert "".join(event.text for event in middle if isinstance(event, Delta)) == last.answer.text
    assert first.passages == last.answer.passages
    assert first.standalone_question == last.answer.standalone_question
    assert timeless(engine.ask(question)) == timeless(last.answer)


def test_answer_names_what_it_was_made_with(engine: Engine) -> None:
    answer = engine.ask("Wer leitet die Bücherei?")
    assert answer.model is None
    assert answer.index_fingerprint == engine.library.fingerprint != ""
    assert set(answer.timings) == {"retrieval", "answer"}
    assert all(seconds >= 0 for seconds in answer.timings.values())


def test_white_space_around_a_question_does_not_matter(engine: Engine) -> None:
    bare, padded = (engine.ask(q) for q in ("Wer leitet die Bücherei?", "\n Wer leitet die Bücherei? \t"))
    assert timeless(bare) == timeless(padded)


def test_no_more_passages_than_the_settings_say(settings: Settings) -> None:
    with closing(open_engine(replace(settings, passages=2))) as engine:
        question = "Was ist mit Karten, Schafen, Äpfeln und der Brücke?"
        assert len(engine.ask(question).passages) == len(engine.search(question)) == 2
        assert len(engine.search(question, 3)) == 3


def test_search_gives_passages_best_first(engine: Engine) -> None:
    found = engine.search("Wer leitet die Bücherei am Markt?")
    assert found[0].article.id == "buecherei"
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


# --- declining -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "question"), OFF_TOPIC.items())
def test_declines_in_the_language_of_the_question(engine: Engine, language: str, question: str) -> None:
    answer = engine.ask(question)
    assert answer.abstained
    assert answer.reason
    assert (answer.language, answer.text) == (language, say("declined", language))
    assert answer.citations == answer.statements == ()
    assert answer.confidence < UNSURE


@pytest.mark.parametrize("question", ["Was kostet die Reparatur?", "How much does the repair cost?"])
def test_what_only_comes_nearest_is_called_that(
    engine: Engine, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = engine.ask(question)
    monkeypatch.setattr("rag.answering.confidence.SURE", 1.1)
    monkeypatch.setattr("rag.answering.confidence.AGREED", 1.1)
    answer = engine.ask(question)
    notice, _, said = answer.text.partition("\n\n")
    assert (sure.certainty, answer.certainty, answer.abstained) == ("sure", "unsure", False)
    assert notice == say("nearest", answer.language)
    assert said == sure.text
    assert len(answer.statements) <= 2
    for statement in answer.statements:
        assert " ".join(statement.text.split()) in answer.text[statement.start : statement.end]


@pytest.mark.parametrize("remark", ["(ref. 7c1f)", "[Leser-1a2b]", "(Xylqua)"])
def test_a_remark_in_brackets_that_no_article_says_changes_nothing(engine: Engine, remark: str) -> None:
    question = "Wer leitet die Bücherei"
    answer = engine.ask(f"{question} {remark}?")
    assert not answer.abstained
    assert answer.citations == engine.ask(f"{question}?").citations
    assert answer.standalone_question == f"{question}?"


def test_a_remark_in_brackets_that_an_article_says_counts(engine: Engine) -> None:
    assert engine.ask("Was ist mit der Brücke (Fähre)?").standalone_question.endswith("(Fähre)?")
    assert engine.ask("(Xylqua)").abstained


def test_other_languages_are_declined_in_english() -> None:
    assert say("declined", "it") == say("declined", "en")
    assert len({say("declined", language) for language in LANGUAGES}) == len(LANGUAGES)


def test_declining_offers_the_nearest_places(engine: Engine) -> None:
    answer = engine.ask("Wo wurde Tschumatschenko verhaftet und verurteilt?")
    assert answer.abstained
    assert answer.further[0].article_id == "konzert"
    assert [c.number for c in answer.further] == [1, 2, 3][: len(answer.further)]
    assert all(f"[{c.number}]" not in answer.text for c in answer.further)


@pytest.mark.parametrize("question", ["?", "???!", "42", "Was?", "Xylqua Brzwnk"])
def test_question_without_a_topic_is_declined(engine: Engine, question: str) -> None:
    assert engine.ask(question).abstained


def test_without_articles_everything_is_declined(tmp_path: Path) -> None:
    with engine_over(tmp_path) as engine:
        answer = engine.ask("Wer leitet die Bücherei?")
        assert answer.abstained
        assert answer.passages == answer.further == ()
        assert engine.search("Wer leitet die Bücherei?") == ()
        assert engine.suggestions() == []


# --- follow-ups ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        ("Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert die Konzerte. [1]", "Poltawa"),
        ("Wer leitet die Bücherei?", "Mareike Deters leitet die Bücherei seit acht Jahren. [1]", "Emden"),
    ],
)
@pytest.mark.parametrize("question", ["Wo wurde sie geboren?", "Und wo wurde sie geboren?"])
def test_follow_up_is_understood_from_the_history(
    engine: Engine, asked: str, said: str, expected: str, question: str
) -> None:
    answer = engine.ask(question, conversation(asked, said))
    assert not answer.abstained
    assert expected in answer.citations[0].quote
    assert answer.question == question
    assert answer.standalone_question.startswith(question)
    assert set(answer.standalone_question.split()) & {"(Oksana,", "(Mareike,"}
    assert "[1]" not in answer.standalone_question


def test_question_that_stands_alone_leaves_the_history(engine: Engine) -> None:
    history = conversation(
        "Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert die Konzerte. [1]"
    )
    question = "Wie viele Schafe verlor der Schäfer Petersen?"
    assert timeless(engine.ask(question, history)) == timeless(engine.ask(question))


def test_history_beyond_the_limit_is_forgotten(settings: Settings) -> None:
    old = conversation("Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert die Konzerte.")
    new = conversation("Wer leitet die Bücherei?", "Mareike Deters leitet die Bücherei.")
    with closing(open_engine(replace(settings, history_turns=2))) as engine:
        both, only = (engine.ask("Wo wurde sie geboren?", history) for history in (old + new, new))
    assert timeless(both) == timeless(only)
    assert "Emden" in both.citations[0].quote


def test_a_huge_earlier_message_counts_by_its_beginning_alone(settings: Settings) -> None:
    huge = "Oksana Tschumatschenko dirigiert. " + " ".join(f"wort{n}" for n in range(60_000))
    with closing(open_engine(settings)) as engine:
        *_, done = engine.stream("Wo wurde sie geboren?", [Message("user", huge)])
        near = engine.ask("Wo wurde sie geboren?", [Message("user", huge[:2000])])
    assert isinstance(done, Done)
    assert timeless(done.answer) == timeless(near)
    assert "Poltawa" in done.answer.citations[0].quote
    assert done.history == (Message("user", huge[:2000]),)


def test_no_history_turns_means_no_history(settings: Settings) -> None:
    history = conversation("Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert die Konzerte.")
    with closing(open_engine(replace(settings, history_turns=0))) as engine:
        assert engine.ask("Wo wurde sie geboren?", history).standalone_question == "Wo wurde sie geboren?"


# --- courtesy ------------------------------------------------------------------------------------


def test_courtesy_is_answered_as_the_plain_question_and_kept_as_typed(engine: Engine) -> None:
    plain, message = (
        "Wer leitet die Bücherei?",
        "Guten Tag, eine Frage: Wer leitet die Bücherei? Vielen Dank!",
    )
    answer = engine.ask(message)
    assert (answer.question, answer.standalone_question) == (message, plain)
    assert answer.citations == engine.ask(plain).citations != ()
    assert engine.ask(plain).question == plain
    assert engine.search(message) == engine.search(plain)


def test_address_after_another_question_is_no_follow_up(engine: Engine) -> None:
    history = conversation("Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert die Konzerte.")
    plain = "wie viele Schafe der Schäfer verlor?"
    answer = engine.ask(f"Können Sie mir sagen, {plain}", history)
    assert answer.standalone_question == plain
    assert answer.citations == engine.ask("Wie viele Schafe verlor der Schäfer?").citations


def test_courtesy_of_an_earlier_question_is_not_carried_over(engine: Engine) -> None:
    history = conversation("Hallo liebes Team, wer dirigiert die Konzerte? Danke!", "Oksana Tschumatschenko.")
    assert "Team" not in engine.ask("Und wann?", history).standalone_question


# --- copies ---------------------------------------------------------------------------------------


def test_copies_of_an_article_are_one_source(tmp_path: Path) -> None:
    copy = article(
        "agentur", CONCERT.text.replace("vier Stunden", "fünf Stunden"), language="de", copy_of="konzert"
    )
    with engine_over(tmp_path, CONCERT, copy, WOLF) as engine:
        answer = engine.ask("Wer dirigiert die Konzerte?")
        changed = engine.ask("Nach wie vielen Stunden waren die Karten ausverkauft?")
        assert {passage.article.id for passage in engine.search("Konzerte")} >= {"konzert", "agentur"}
    for each in (answer, changed):
        [source] = {c.article_id for c in (*each.citations, *each.further)} & {"konzert", "agentur"}
        assert {passage.article.id for passage in each.passages} & {"konzert", "agentur"} == {source}
    [first, *_] = answer.citations
    assert {first.article_id, *first.also_in} == {"konzert", "agentur"}
    assert not any(c.also_in for c in changed.citations if "Stunden ausverkauft" in c.quote)


# --- refusing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["", " ", "\n\t \n", "\u00a0\u2003"])
def test_empty_question_is_refused(engine: Engine, question: str) -> None:
    for attempt in (engine.ask, engine.search, lambda question: next(engine.stream(question))):
        with pytest.raises(BadRequest, match="empty"):
            attempt(question)


def test_over_long_question_is_refused_with_both_lengths(settings: Settings) -> None:
    with closing(open_engine(replace(settings, question_limit=30))) as engine:
        assert engine.ask("x" * 30).abstained
        for attempt in (engine.ask, engine.search, lambda question: next(engine.stream(question))):
            with pytest.raises(BadRequest, match="has 31 characters; at most 30"):
                attempt("x" * 31)


def test_missing_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no index in .*nowhere.*run: python -m ingest"):
        open_engine(settings_for(tmp_path, data=tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("change", [{"chunk_words": 60}, {"embedding": "openai-like:another-model"}])
def test_index_of_other_settings_names_the_command_that_rebuilds(
    settings: Settings, change: dict[str, object]
) -> None:
    with pytest.raises(IndexMismatch, match=r"python -m ingest --rebuild"):
        open_engine(replace(settings, **change))
    with closing(open_engine(settings)) as engine:  # and the index is as it was
        assert cited(engine.ask("Wer leitet die Bücherei?")) == {"buecherei"}


# --- a library that changes ----------------------------------------------------------------------


def test_changed_article_is_picked_up_without_reopening(changing: Engine, settings: Settings) -> None:
    question = "Wo wurde Tschumatschenko geboren?"
    before = changing.ask(question)
    changed = article("konzert", CONCERT.text.replace("Poltawa", "Riga"), title=CONCERT.title)
    fill(settings, changed)
    after = changing.ask(question)
    assert "Poltawa" in before.text
    assert "Riga" in after.text
    assert "Poltawa" not in after.text
    assert {c.sha256 for c in before.citations} != {c.sha256 for c in after.citations} == {changed.sha256}


def test_new_and_removed_articles_are_picked_up_without_reopening(
    changing: Engine, settings: Settings
) -> None:
    question = "Wann läuft der Eisbrecher Stettin aus?"
    assert changing.ask(question).abstained
    fill(settings, article("eis", "Der Eisbrecher Stettin läuft am 3. Februar aus. Er ist neu."))
    assert cited(changing.ask(question)) == {"eis"}
    fill(settings, removed=["eis"])
    assert changing.ask(question).abstained
    assert "eis" not in {passage.article.id for passage in changing.search(question)}


def test_unchanged_library_keeps_its_index(engine: Engine) -> None:
    first = engine.index
    engine.ask("Wer leitet die Bücherei?")
    assert engine.index is first


def test_the_old_state_answers_until_a_change_is_complete(settings: Settings) -> None:
    def look_in() -> Iterator[tuple[Article, list[Chunk]]]:
        with closing(open_engine(settings)) as reader:
            answers.append(reader.ask("Wie viele Schafe verlor der Schäfer?"))
        yield from ()

    answers: list[Answer] = []
    with Library.open(settings.data_dir) as library:
        library.replace(look_in(), removed=["konzert"])
    assert cited(answers[0]) == {"wolf"}


def test_a_change_between_two_looks_is_no_error(
    settings: Settings, changing: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision, changes = Library.revision, iter([article("neu", "Am Kai steht ein neuer Kran.")])

    def then_a_change(library: Library) -> int:
        found = revision.fget(library)  # type: ignore[attr-defined]
        if library is changing.library:
            for changed in changes:
                fill(settings, changed)
        return int(found)

    monkeypatch.setattr(Library, "revision", property(then_a_change))
    assert cited(changing.ask("Wie viele Schafe verlor der Schäfer?")) == {"wolf"}


def test_an_answer_begun_is_finished_from_the_old_state(changing: Engine, settings: Settings) -> None:
    events = changing.stream("Wie viele Schafe verlor der Schäfer?")
    next(events)
    fill(settings, removed=[article.id for article in DOSSIER])
    *_, done = events
    assert isinstance(done, Done)
    assert [c.quote for c in done.answer.citations] == [
        WOLF.text[c.start : c.end] for c in done.answer.citations
    ]
    assert changing.ask("Wie viele Schafe verlor der Schäfer?").abstained


# --- several at once -----------------------------------------------------------------------------


def test_several_threads_get_each_its_own_answer(engine: Engine) -> None:
    questions = [*QUESTIONS, *OFF_TOPIC.values()]
    alone = [timeless(engine.ask(question)) for question in questions]
    together = threading.Barrier(len(questions))

    def ask(question: str) -> Answer:
        together.wait(timeout=120)
        return timeless(engine.ask(question))

    with ThreadPoolExecutor(len(questions)) as pool:
        assert list(pool.map(ask, questions)) == alone


def test_threads_that_find_a_new_revision_all_answer_from_it(changing: Engine, settings: Settings) -> None:
    changing.ask("Wo wurde Tschumatschenko geboren?")
    fill(settings, article("konzert", CONCERT.text.replace("Poltawa", "Riga"), title=CONCERT.title))
    together = threading.Barrier(6)

    def ask(question: str) -> str:
        together.wait(timeout=120)
        return changing.ask(question).text

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(ask, ["Wo wurde Tschumatschenko geboren?"] * 6))
    assert len(set(texts)) == 1
    assert "Riga" in texts[0]


def test_streams_that_take_turns_are_not_mixed(engine: Engine) -> None:
    streams = [engine.stream(question) for question in QUESTIONS]
    rounds = list(zip(*streams, strict=True))
    answers = [event.answer for event in rounds[-1] if isinstance(event, Done)]
    assert [answer.question for answer in answers] == list(QUESTIONS)
    assert [answer.citations[0].article_id for answer in answers] == list(QUESTIONS.values())


# --- suggestions ---------------------------------------------------------------------------------


def test_a_suggested_question_is_tried_once_while_the_articles_stay(
    changing: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    attempt = changing._try
    monkeypatch.setattr(changing, "_try", lambda question: tried.append(question) or attempt(question))
    first = changing.suggestions()
    once = len(tried)
    assert (changing.suggestions(), len(tried)) == (first, once)
    fill(settings, *DOSSIER[1:])
    changing.suggestions()
    assert len(tried) > once


def test_suggestions_are_answered_with_confidence(changing: Engine, settings: Settings) -> None:
    fill(settings, article("rat", "Kapitän Eike Tammen sagte, der Kai sei morsch. Eike Tammen erklärte das."))
    found = changing.suggestions(9)
    assert {"Was sagt Ines Brandstätter?", "Was sagt Eike Tammen?"} <= set(found)
    for question in found:
        answer = changing.ask(question)
        assert not answer.abstained
        assert answer.certainty == "sure"
    assert len(changing.suggestions(1)) == 1
    assert changing.suggestions(0) == []


# --- the originals -------------------------------------------------------------------------------

ABOUT_ALASKA = [
    "Wie oft ist Steve Witkoff nach Russland gereist?",
    "Wie lange dauerten die Gespräche hinter verschlossenen Türen?",
    "Wo fand das Treffen zwischen Trump und Putin statt?",
    "Was sagt Portnikov über Sicherheitsgarantien?",
    "Welche Rolle spielt China?",
    "Was zeigt das Foto?",
    "Wann erschien der Kommentar?",
    "Who met whom in Anchorage, and when?",
    "Що сказав Путін про Україну?",
]
MARKS_OF_ASIDES = (
    "▲",
    "Kommentar verfassen",
    "observador",
    " date 20",
    "Foto:",
    "Washington taz |",
)


@pytest.fixture(scope="module")
def originals(shared: Path) -> dict[str, Article]:
    """The five original articles, read as an ingest reads them."""
    found = {}
    for path in sorted((shared / "articles").glob("*.txt")):
        (document,) = read_file(path, limit_bytes=1_000_000).documents
        found[path.stem] = article_from(document, path.stem, path.name)
    assert len(found) == 5
    return found


@pytest.fixture(scope="module")
def alaska(originals: dict[str, Article], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine_over(tmp_path_factory.mktemp("alaska"), *originals.values()) as engine:
        yield engine


def places(answer: Answer) -> Sequence[Citation]:
    return (*answer.citations, *answer.further)


@pytest.mark.parametrize("question", ABOUT_ALASKA)
def test_every_citation_of_the_originals_is_exact(
    alaska: Engine, originals: dict[str, Article], question: str
) -> None:
    answer = alaska.ask(question)
    assert places(answer)
    for citation in places(answer):
        assert originals[citation.article_id].text[citation.start : citation.end] == citation.quote != ""
    for passage in answer.passages:
        chunk = passage.chunk
        assert originals[chunk.article_id].text[chunk.start : chunk.end] == chunk.text


@pytest.mark.parametrize("question", ABOUT_ALASKA)
def test_captions_datelines_and_footers_are_never_quoted(
    alaska: Engine, originals: dict[str, Article], question: str
) -> None:
    for citation in places(alaska.ask(question)):
        article = originals[citation.article_id]
        assert not any(a.start < citation.end and citation.start < a.end for a in article.asides)
        assert not any(mark in citation.quote for mark in MARKS_OF_ASIDES)


def test_the_originals_have_asides_to_leave_out(originals: dict[str, Article]) -> None:
    kinds = {aside.kind for article in originals.values() for aside in article.asides}
    assert {"caption", "dateline", "footer"} <= kinds


def test_most_questions_about_the_originals_are_answered(alaska: Engine) -> None:
    answered = [question for question in ABOUT_ALASKA[:4] if not alaska.ask(question).abstained]
    assert len(answered) >= 3
