"""What the chat shows while a question is answered: a stream of views, free of any web framework."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from rag.engine import Engine
from rag.errors import BelegError, Overloaded, ProviderError
from rag.i18n import Words
from rag.schema import Answer, Delta, Done, Event, Filters, Retrieved
from rag.serve.chat import messages
from rag.serve.chat.messages import ChatMessage, Shown
from rag.serve.logs import request_id
from rag.serve.pages import frame
from rag.serve.queue import Queue
from rag.serve.security.access import access_of
from rag.serve.views import markdown_text
from rag.settings import Settings
from rag.store.answers import Rating, Records
from rag.store.library_rows import Counts
from rag.wire import answer_from_dict, answer_to_dict

# a browser can show 10 to 20 updates a second; with many readers each gets fewer, so that nobody waits long
_SECONDS_BETWEEN_DRAFTS = 0.07
_MORE_FOR_EACH_READER = 0.02

Watch = Callable[[Iterator[Event], str], Iterator[Event]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """An update of the page: conversation, composer, notice; None leaves that part unchanged."""

    shown: Shown | None = None
    question: str | None = None
    notice: str | None = None
    answering: bool | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """The texts of the page before a question is asked."""

    masthead: str
    start: str
    suggested: tuple[str, ...]
    placeholder: str
    label: str
    footnote: str


class Chat:
    """The updates for each event of the page; the conversation itself is kept by the browser."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        records: Records,
        queue: Queue | None = None,
        watch: Watch = lambda events, _: events,
    ) -> None:
        """`queue` bounds the answers at a time, with those of other doors; `watch` counts them."""
        self.engine = engine
        self.records = records
        access = access_of(settings.auth)
        self.logout = access is not None and bool(access.passwords)
        self.question_limit = settings.question_limit
        self.queue = queue or Queue(settings.readers, settings.waiting)
        self.watch = watch
        self._suggested: dict[str, tuple[int, tuple[str, ...]]] = {}
        # it takes as long as an answer: once for each state of the library
        self._counted = lru_cache(maxsize=1)(lambda _: engine.library.counts())

    def greeting(self, words: Words) -> Greeting:
        """The greeting, with what the dossier holds by now; suggestions as far as they are known."""
        held = self._held()
        return Greeting(
            frame.masthead(held.articles, held.first, held.last, words, logout=self.logout),
            frame.start(words),
            self._suggested.get(words.lang, (-1, ()))[1],
            words("chat.placeholder"),
            words("chat.question"),
            frame.footnote(self.engine.mode, words, getattr(self.engine, "sends_to", None)),
        )

    def suggestions(self, words: Words) -> tuple[str, ...]:
        """Questions to begin with, tried once for each state of the library: that takes a while."""
        revision = self.engine.library.revision
        if self._suggested.get(words.lang, (-1,))[0] != revision:
            self._suggested[words.lang] = (revision, tuple(self.engine.suggestions(language=words.lang)))
        return self._suggested[words.lang][1]

    def ask(
        self,
        question: str,
        shown: Shown,
        words: Words,
        *,
        extractive: bool = False,
        filters: Filters | None = None,
    ) -> Iterator[View]:
        """The views while a question is answered after the conversation so far.

        A question that cannot be answered stays in the composer, under a notice that says why; when the
        language model fails, the conversation says so and offers an answer without it. `filters` say which
        articles may answer.
        """
        length = len(question)
        if not question.strip() or length > self.question_limit:
            key = "errors.long_question" if question.strip() else "errors.empty_question"
            said = words(key, n=length, limit=self.question_limit)
            yield View(notice=said, answering=False)
            return
        asked = [*shown, messages.user_message(question)]
        yield View(asked, "", "", answering=True)
        latest = asked
        try:
            for view in self._in_turn(question, shown, words, extractive, filters):
                latest = view.shown or latest
                yield view
        except ProviderError as exc:
            log.warning("the language model failed: %s", exc)
            steps = [message for message in latest[len(asked) :] if messages.is_step(message)]
            failure = messages.failure_message(_named(words.said(exc.phrase), words), exc.partial, words)
            yield View([*asked, *steps, failure], answering=False)
        except Exception as exc:
            yield View(shown, question, _failure(exc, words), answering=False)

    def ask_again(
        self, shown: Shown, index: int, words: Words, question: str = "", filters: Filters | None = None
    ) -> Iterator[View]:
        """As `ask`, for the question at this place of the conversation, or for what it was changed to."""
        before = shown[:index]
        typed = question or next((turn.question for turn in messages.turns(shown[index:])), "")
        yield from self.ask(typed, before, words, filters=filters)

    def choose(
        self, shown: Shown, option: str, words: Words, filters: Filters | None = None
    ) -> Iterator[View]:
        """As `ask`, for an option below an answer: a further question, or the last one without the model."""
        if option != messages.WITHOUT_MODEL:
            yield from self.ask(option, shown, words, filters=filters)
            return
        index = max((i for i, message in enumerate(shown) if message["role"] == "user"), default=0)
        turn = next(messages.turns(shown[index:]), messages.Turn(""))
        yield from self.ask(turn.question, shown[:index], words, extractive=True, filters=filters)

    def stop(self, shown: Shown, words: Words) -> View:
        """The conversation as it stands, its last answer marked as stopped."""
        return View(messages.stopped(shown, words), answering=False)

    def look_up(self, ident: str, words: Words) -> View:
        """The conversation up to the answer with this id, as it is recorded."""
        records = self.records.conversation(ident)
        turns = [{"question": record["question"], "record": record} for record in records]
        return self.reopen(turns or None, words)

    def reopen(self, kept: Any, words: Words) -> View:
        """A conversation that the browser has kept, with the same evidence."""
        library = self.engine.library
        try:
            shown = messages.restored(kept, library, self._held().articles, words)
            if shown and (record := kept[-1].get("record")):
                questions = self._follow_ups(answer_from_dict(record), shown)
                shown[-1] = messages.with_options(shown[-1], questions)
        except BelegError:
            return View([], notice=words("errors.not_restored"), answering=False)
        return View(shown, notice="", answering=False)

    def rate(self, shown: Shown, index: int, rating: Rating | None) -> bool:
        """Notes what a reader thinks of the answer at this place; whether it is known."""
        found = (ident for message in shown[index : index + 2] if (ident := messages.record_id(message)))
        return any(self.records.rate(ident, rating) for ident in found)

    def ratings(self, shown: Shown) -> list[Literal["Like", "Dislike"] | None]:
        """What was thought of each answer, in the component's words."""
        names: dict[str | None, Literal["Like", "Dislike"]] = {"up": "Like", "down": "Dislike"}
        answers = [turn.answer for turn in messages.turns(shown) if turn.replies]
        idents = [messages.record_id(answer) if answer else None for answer in answers]
        return [names.get(self.records.rating(ident)) if ident else None for ident in idents]

    def _held(self) -> Counts:
        """What the library holds."""
        return self._counted(self.engine.library.revision)

    def _in_turn(
        self, question: str, shown: Shown, words: Words, extractive: bool, filters: Filters | None
    ) -> Iterator[View]:
        """The views of an answer once it is this question's turn; until then, how many are before it."""
        waited = False
        for ahead in self.queue.enter():
            yield View(notice=words("chat.waiting", n=ahead))
            waited = True
        try:
            if waited:
                yield View(notice="")
            yield from self._answered(question, shown, words, extractive, filters)
        finally:
            self.queue.leave()

    def _answered(
        self, question: str, shown: Shown, words: Words, extractive: bool, filters: Filters | None
    ) -> Iterator[View]:
        """What was searched, the draft, the verified answer, and what to ask next.

        An answer that is ready at once is shown in one view, because each view costs the same.
        """
        asked = [*shown, messages.user_message(question)]
        search: Shown = []
        searched: list[Retrieved] = []
        draft, at_once = "", False
        history = messages.history(shown)
        steps: Shown = []
        events = self.watch(
            self.engine.stream(question.strip(), history, extractive=extractive, filters=filters), "chat"
        )

        def pause() -> float:
            return _SECONDS_BETWEEN_DRAFTS + _MORE_FOR_EACH_READER * (self.queue.taken - 1)

        for event in paced(events, pause):
            match event:
                case Retrieved(asked_for, passages, step=str(step)):
                    steps, draft = [*steps, messages.step_message(passages, step, asked_for, words)], ""
                    yield View([*asked, *search, *steps])
                case Retrieved(answered=at_once):
                    searched = [event] if event.passages else []
                    search = [self._search(found, words, filters) for found in searched]
                    if not at_once:
                        yield View([*asked, *search])
                case Delta(text) if not at_once:
                    draft += text
                    yield View([*asked, *search, *steps, messages.draft_message(draft)])
                case Done(answer, used):
                    self.records.put(answer_to_dict(answer), used, messages.last_record(shown))
                    left_out = extractive and self.engine.mode != "extractive"
                    done = messages.answer_message(
                        answer, words, articles=self.engine.library, model_left_out=left_out
                    )
                    search = [self._search(found, words, filters, answer) for found in searched]
                    yield View([*asked, *search, *steps, done])
                    further = messages.with_options(done, self._follow_ups(answer, asked))
                    yield View([*asked, *search, *steps, further], answering=False)

    def _search(
        self, found: Retrieved, words: Words, filters: Filters | None, answer: Answer | None = None
    ) -> ChatMessage:
        among = self.engine.fitting(filters) if filters else None
        searched = self._held().articles if among is None else len(among)
        return messages.search_message(found.passages, searched, found.seconds, words, answer)

    def _follow_ups(self, answer: Answer, shown: Shown) -> list[str]:
        """Questions to ask next; none if that fails, because they are not part of the answer."""
        try:
            return self.engine.follow_ups(answer, [turn.question for turn in messages.turns(shown)])
        except Exception:
            log.exception("no follow-up questions")
            return []


def paced(events: Iterator[Event], pause: Callable[[], float]) -> Iterator[Event]:
    """The events, with deltas gathered to one each `pause` seconds; the first comes at once."""
    gathered, due = "", 0.0
    for event in events:
        if isinstance(event, Delta) and time.monotonic() < due:
            gathered += event.text
        elif isinstance(event, Delta):
            yield Delta(gathered + event.text)
            gathered, due = "", time.monotonic() + pause()
        else:
            yield event


def _failure(error: Exception, words: Words) -> str:
    """The notice for a question that failed; unexpected errors are logged."""
    if isinstance(error, Overloaded):
        return _named(words("errors.overloaded"), words)
    if isinstance(error, BelegError):
        return _named(words("errors.failed", reason=markdown_text(words.said(error.phrase))), words)
    log.error("a question failed unexpectedly", exc_info=error)
    return _named(words("errors.internal"), words)


def _named(said: str, words: Words) -> str:
    """Adds the request's id in the log, for readers to pass on."""
    ident = request_id()
    return f"{said} ({words('errors.request', ident=ident)})" if ident else said
