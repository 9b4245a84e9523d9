"""Protects what a reader sees while a question is answered, stopped, repeated or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from markdown_it import MarkdownIt

from rag.errors import BelegError, DeadlineExceeded, IndexBusy, ProviderUnavailable
from rag.i18n import ENGLISH, GERMAN
from rag.schema import Delta, Done, Event, Retrieved
from rag.serve.chat import messages
from rag.serve.chat.conversation import Chat, View, paced
from rag.serve.queue import Service
from rag.settings import Settings, load_settings
from rag.store.answers import Records
from rag.wire import answer_to_dict
from tests.fake_engine import DECLINED, FakeEngine, canned

QUESTION = "Was ist mit dem Wärmeplan?"


@pytest.fixture
def chat() -> Chat:
    return chat_of(Settings(readers=1, waiting=0))


def chat_of(settings: Settings) -> Chat:
    return Chat(Service(FakeEngine(), settings, Records(None)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("auth", "shown"), [(None, False), ("password:apfel-birne", True), ("token:x=0123456789abcdef", False)]
)
def test_who_logs_in_by_a_password_can_log_out(auth: str | None, shown: bool) -> None:
    assert ('href="/abmelden"' in chat_of(load_settings(auth=auth)).masthead(GERMAN)) == shown


def last(views: Any) -> View:
    *_, view = views
    assert isinstance(view, View)
    return view


def asked(chat: Chat, *questions: str) -> messages.Shown:
    shown: messages.Shown = []
    for question in questions:
        shown = last(chat.ask(question, shown, GERMAN)).shown or []
    return shown


def test_an_answer_grows_from_question_over_search_and_draft_to_evidence(chat: Chat) -> None:
    views = list(chat.ask(QUESTION, [], GERMAN))
    sizes = [len(view.shown) for view in views if view.shown]
    assert sizes == sorted(sizes)
    assert sizes[:2] == [1, 2]
    assert sizes[-1] == 3
    assert (views[0].question, views[0].answering) == ("", True)
    assert [view.answering for view in views[1:]].count(False) == 1
    assert views[-1].answering is False
    assert [option["value"] for option in views[-1].shown[-1]["options"]]  # type: ignore[index]


def test_an_answer_that_is_there_at_once_is_shown_at_once(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = canned(QUESTION)
    events = [Retrieved(QUESTION, answer.passages, 0.02, answered=True), Delta(answer.text), Done(answer)]
    monkeypatch.setattr(chat.engine, "stream", lambda *_, **__: (event for event in events))
    shown = [view.shown or [] for view in chat.ask(QUESTION, [], GERMAN)]
    assert [len(each) for each in shown] == [1, 3, 3]
    assert messages.is_step(shown[1][1])
    assert messages.record_id(shown[1][2]) == answer.id


def test_the_articles_are_counted_once_while_they_stay_as_they_are(chat: Chat) -> None:
    counted: list[int] = []
    library = chat.engine.library
    counts = library.counts
    library.counts = lambda: counted.append(library.revision) or counts()  # type: ignore[method-assign,func-returns-value]
    asked(chat, QUESTION, QUESTION)
    library.revision = 2  # type: ignore[misc]
    asked(chat, QUESTION)
    assert counted == [1, 2]


def test_suggestions_are_made_once_in_each_language_of_the_interface(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[str] = []
    monkeypatch.setattr(chat.engine, "suggestions", lambda language: asked_for.append(language) or [language])
    assert chat.suggested(ENGLISH) == ()  # a greeting waits for nothing
    assert [chat.suggestions(words) for words in (GERMAN, ENGLISH, GERMAN, ENGLISH)] == [("de",), ("en",)] * 2
    assert chat.suggested(ENGLISH) == ("en",)
    assert asked_for == ["de", "en"]


def test_the_record_is_stored_with_the_conversation_before_it(chat: Chat) -> None:
    shown = asked(chat, "Was kostet Fernwärme?", QUESTION)
    ident = messages.record_id(shown[-1])
    assert ident
    assert chat.records.get(ident)["question"] == QUESTION  # type: ignore[index]
    assert chat.rate(shown, 4, "down")
    (case,) = chat.records.cases()
    assert [message["content"][:9] for message in case["history"]] == ["Was koste", "Die Stadt"]


def test_a_thumb_at_a_question_or_a_failure_is_nobodys(chat: Chat) -> None:
    shown = asked(chat, "kaputt")
    assert not chat.rate(shown, 0, "up")
    assert not chat.rate(shown, 1, "up")


def test_thumbs_are_shown_in_the_order_of_the_answers(chat: Chat) -> None:
    shown = asked(chat, QUESTION, "kaputt", QUESTION)
    chat.rate(shown, len(shown) - 2, "up")
    assert chat.ratings(shown) == [None, None, "Like"]


@pytest.mark.parametrize(("question", "words"), [("  ", "geben Sie eine Frage"), ("ß" * 2001, "zu lang")])
def test_what_cannot_be_asked_is_a_notice(chat: Chat, question: str, words: str) -> None:
    (view,) = chat.ask(question, [], GERMAN)
    assert words in str(view.notice)
    assert view.shown is None


def test_a_failing_model_leaves_what_came_and_a_way_on(chat: Chat) -> None:
    shown = asked(chat, "abbruch Wärmeplan")
    parts = messages.parts(shown[-1])
    assert parts[0].startswith("Die Vorlage wurde")
    assert "Unvollständig" in parts[-1]
    assert messages.is_step(shown[1])
    assert shown[-1]["options"][0]["label"] == GERMAN("chat.without_model")
    assert messages.history(shown) == []


@pytest.mark.parametrize(
    ("error", "german"),
    [
        (
            ProviderUnavailable("model_failed", host="h:1", status=500),
            "h:1 hat gerade selbst eine Störung (Fehler 500)",
        ),
        (DeadlineExceeded("answer_late", seconds=2.5), "Die Antwort war nach 2,5 s nicht vollständig"),
        (IndexBusy("index_written", path="x"), "wird gerade von einem anderen Prozess geschrieben"),
    ],
)
def test_what_fails_is_told_in_the_readers_language(
    chat: Chat, error: BelegError, german: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> Iterator[Event]:
        raise error
        yield

    monkeypatch.setattr(chat.engine, "stream", failing)
    view = last(chat.ask(QUESTION, [], GERMAN))
    told = str(view.notice) if view.notice else "".join(messages.parts(view.shown[-1]))  # type: ignore[index]
    assert german in told
    assert "try again" not in told


def test_an_answer_without_the_model_takes_the_place_of_the_failure(chat: Chat) -> None:
    shown = asked(chat, QUESTION, "kaputt Wärmeplan")
    again = last(chat.choose(messages.WITHOUT_MODEL, shown, GERMAN)).shown or []
    assert [turn.question for turn in messages.turns(again)] == [QUESTION, "kaputt Wärmeplan"]
    assert messages.record_id(again[-1])


def test_our_own_mistake_is_a_notice_and_the_question_stays(chat: Chat) -> None:
    view = last(chat.ask("absturz", [], ENGLISH))
    assert (view.shown, view.question, view.answering) == ([], "absturz", False)
    assert "secret" not in str(view.notice)


def test_a_full_house_says_so_in_the_readers_language(chat: Chat) -> None:
    running = chat.ask(QUESTION, [], GERMAN)
    for view in running:
        if view.shown and len(view.shown) > 1:
            break
    refused = last(chat.ask(QUESTION, [], ENGLISH))
    assert refused.notice == ENGLISH("errors.overloaded")
    assert refused.question == QUESTION
    running.close()
    assert last(chat.ask(QUESTION, [], ENGLISH)).shown


def test_a_changed_question_forgets_what_came_after(chat: Chat) -> None:
    shown = asked(chat, QUESTION, "Was kostet Fernwärme?")
    again = last(chat.ask_again("Was kostet *Fernwärme*?", shown, 0, GERMAN)).shown or []
    assert [turn.question for turn in messages.turns(again)] == ["Was kostet *Fernwärme*?"]


def test_the_same_question_is_asked_in_its_own_words(chat: Chat) -> None:
    shown = asked(chat, "Was *kostet* das?\n- Fernwärme")
    again = last(chat.ask_again("", shown, 0, GERMAN)).shown or []
    assert messages.turns(again)[0].question == "Was *kostet* das?\n- Fernwärme"


@pytest.mark.parametrize("upto", range(1, 14))
def test_stopping_marks_what_is_unfinished_and_only_that(chat: Chat, upto: int) -> None:
    views = list(chat.ask(QUESTION, [], GERMAN))
    shown = next(view.shown for view in reversed(views[:upto]) if view.shown)
    stopped = chat.stop(shown, GERMAN).shown or []
    finished = any(messages.record_id(message) for message in shown if message["role"] == "assistant")
    marked = any("stopped" in part for message in stopped for part in messages.parts(message))
    assert marked != finished
    assert chat.stop(stopped, GERMAN).shown == stopped


def test_what_a_message_is_stands_in_its_metadata_and_not_in_its_text(chat: Chat) -> None:
    looks_like = (
        '<a class="record" href="/antwort/x.md">x</a> <div class="failure"> <p class="stopped"> (/quelle/x)'
    )
    shown = asked(chat, looks_like)
    assert messages.turns(shown)[0].question == looks_like
    assert [message.content for message in messages.history(shown)] == [looks_like, DECLINED]
    assert messages.record_id(shown[0]) is None
    assert messages.record_id(shown[-1]) != "x"


def test_a_question_stopped_before_a_word_was_said_is_no_part_of_the_history(chat: Chat) -> None:
    first, *_ = chat.ask(QUESTION, [], GERMAN)
    stopped = chat.stop(first.shown or [], GERMAN).shown or []
    assert messages.parts(stopped[-1]) == ['<p class="stopped">Angehalten</p>']
    assert messages.history(stopped) == []


def test_stopping_an_empty_conversation_does_nothing(chat: Chat) -> None:
    assert chat.stop([], GERMAN).shown == []


def kept(*questions: str) -> list[dict[str, Any]]:
    """As a browser keeps a conversation."""
    answers = [canned(question) for question in questions]
    records: list[dict[str, Any]] = json.loads(json.dumps([answer_to_dict(answer) for answer in answers]))
    return [{"question": record["question"], "record": record} for record in records]


def test_a_kept_conversation_is_shown_with_the_same_evidence(chat: Chat) -> None:
    shown = asked(chat, QUESTION)
    record = chat.records.get(str(messages.record_id(shown[-1])))
    again = chat.reopen([{"question": QUESTION, "record": record}], GERMAN).shown
    assert again == shown


def test_a_conversation_is_looked_up_by_its_last_answer(chat: Chat) -> None:
    shown = asked(chat, QUESTION, "kaputt", "Was kostet Fernwärme?")
    again = chat.look_up(str(messages.last_record(shown)), GERMAN).shown or []
    assert [turn.question for turn in messages.turns(again)] == [QUESTION, "Was kostet Fernwärme?"]
    first = chat.look_up(str(messages.record_id(shown[2])), GERMAN).shown or []
    assert [turn.question for turn in messages.turns(first)] == [QUESTION]
    assert chat.look_up("nobody", GERMAN).notice == GERMAN("errors.not_restored")


def test_an_answer_that_was_cut_by_a_reload_is_told_as_such(chat: Chat) -> None:
    cut = chat.reopen([{"question": "Wer?", "text": "Es war", "cut": True}], GERMAN).shown or []
    assert messages.parts(cut[-1])[0] == "Es war"
    assert GERMAN("answer.cut") in messages.parts(cut[-1])[1]
    stopped = chat.reopen([{"question": "Wer?", "text": ""}], GERMAN).shown or []
    assert messages.parts(stopped[-1]) == ['<p class="stopped">Angehalten</p>']


def test_a_kept_conversation_goes_on(chat: Chat) -> None:
    shown = chat.reopen(
        [*kept("prosa", QUESTION), {"question": "Und?", "text": "Es [1] *war*"}], GERMAN
    ).shown
    assert shown
    said = messages.history(shown)
    assert [message.role for message in said] == ["user", "assistant"] * 3
    assert said[-1].content == "Es *war*"
    assert said[0].content == "prosa"


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        "text",
        {"turns": []},
        [1],
        [{}],
        [{"question": 1}],
        [{"question": "x", "record": {"id": "<b>"}}],
        [{"question": "x", "record": 7}],
        [{**kept("prosa")[0], "record": {**kept("prosa")[0]["record"], "citations": [{"quote": 1}]}}],
    ],
)
def test_a_damaged_conversation_is_a_notice(chat: Chat, damaged: Any) -> None:
    view = chat.reopen(damaged, GERMAN)
    assert (view.shown, view.notice) == ([], GERMAN("errors.not_restored"))


def test_what_a_browser_hands_back_is_shown_as_text(chat: Chat) -> None:
    (turn,) = kept(QUESTION)
    poison = '<img src=x> [x](https://evil.example) "'
    turn["record"]["id"] = '"><img src=x>'
    turn["record"]["text"] = turn["question"] = poison
    turn["record"]["citations"][0] |= {
        "article_id": poison,
        "title": poison,
        "quote": poison,
        "outlet": poison,
    }
    shown = chat.reopen([turn], GERMAN).shown
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    markup = "".join(page.render(part) for message in shown or [] for part in messages.parts(message))
    assert "<img" not in markup
    assert all(re.match("/(quelle|antwort)/", href) for href in re.findall(r'href="([^"]*)"', markup))


def test_deltas_are_gathered_to_what_a_browser_follows() -> None:
    events = list(paced(iter([Delta("a"), Delta("b"), Delta("c")]), lambda: 60))
    assert events == [Delta("a")]
    events = list(paced(iter([Delta("a"), Delta("b"), Delta("c")]), lambda: 0))
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "abc"


def test_what_a_step_was_asked_for_is_shown_as_its_words_alone() -> None:
    shown = messages.step_message([], "search", "[anmelden](https://fremd.example)", GERMAN)
    assert "](https://" not in str(shown)
