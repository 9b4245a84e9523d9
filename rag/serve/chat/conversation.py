"""What the chat shows while a question is answered: a stream of views, free of any web framework."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from rag.errors import BelegError, Overloaded, ProviderError
from rag.i18n import Words
from rag.schema import Answer, Asking, Delta, Done, Filters, Retrieved
from rag.serve.chat import messages, render
from rag.serve.chat.messages import ChatMessage, Shown
from rag.serve.logs import request_id
from rag.serve.queue import Coming, Service, Waiting
from rag.serve.security.guard import LOGOUT, access_of
from rag.serve.views import fragment, markdown_text
from rag.store.answers import Rating
from rag.store.library_rows import Counts
from rag.wire import answer_from_dict

# a browser can show 10 to 20 updates a second; with many readers each gets fewer, so that nobody waits long
_SECONDS_BETWEEN_DRAFTS, _MORE_FOR_EACH = 0.05, 0.02

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """An update of the page: conversation and composer, which None leaves unchanged, and the notice."""

    shown: Shown | None = None
    question: str | None = None
    notice: str = ""
    answering: bool | None = None


class Chat:
    """The updates for each event of the page; the conversation itself is kept by the browser."""

    def __init__(self, service: Service) -> None:
        self.service, self.engine, self.records = service, service.engine, service.records
        access = access_of(service.settings.auth)
        self.logout = LOGOUT if access and access.passwords else None
        self._suggested: dict[str, tuple[int, tuple[str, ...]]] = {}
        # it takes as long as an answer: once for each state of the library
        self._counted = lru_cache(maxsize=1)(lambda _: service.engine.library.counts())

    @property
    def held(self) -> Counts:
        """What the library holds."""
        return self._counted(self.engine.library.revision)

    def masthead(self, words: Words) -> str:
        """The header: name, pages, what the dossier holds, tools; a link to end a login."""
        held = self.held
        days = words.dates(held.first, held.last) if held.first and held.last else None
        told = " · ".join(filter(None, (words("articles.count", n=held.articles), days)))
        return fragment("masthead", words, held=told, logout=self.logout)

    def footnote(self, words: Words) -> str:
        """Who answers, where text is sent, and a reminder to check sources."""
        return fragment("footnote", words, mode=render.mode_line(self.engine, words))

    def suggested(self, words: Words) -> tuple[str, ...]:
        """Questions to begin with, as far as they are known by now."""
        return self._suggested.get(words.lang, (-1, ()))[1]

    def suggestions(self, words: Words) -> tuple[str, ...]:
        """Questions to begin with, tried once for each state of the library: that takes a while."""
        revision = self.engine.library.revision
        if self._suggested.get(words.lang, (-1,))[0] != revision:
            self._suggested[words.lang] = (revision, tuple(self.engine.suggestions(language=words.lang)))
        return self.suggested(words)

    def ask(
        self,
        question: str,
        shown: Shown,
        words: Words,
        filters: Filters | None = None,
        *,
        extractive: bool = False,
    ) -> Iterator[View]:
        """The views while a question is answered after the conversation so far.

        A question that cannot be answered stays in the composer, under a notice that says why; when the
        language model fails, the conversation says so and offers an answer without it. `filters` say which
        articles may answer.
        """
        length, limit = len(question), self.service.settings.question_limit
        if not question.strip() or length > limit:
            key = "errors.long_question" if question.strip() else "errors.empty_question"
            yield View(notice=words(key, n=length, limit=limit), answering=False)
            return
        asked = [*shown, messages.user_message(question)]
        yield View(asked, "", answering=True)
        latest = asked
        try:
            for view in self._answered(question, shown, words, filters, extractive):
                latest = view.shown or latest
                yield view
        except ProviderError as exc:
            log.warning("the language model failed: %s", exc)
            steps = [message for message in latest[len(asked) :] if messages.is_step(message)]
            failure = messages.failure_message(_named(words.said(exc.phrase), words), exc.partial, words)
            yield View([*asked, *steps, failure], answering=False)
        except Exception as exc:
            if isinstance(exc, Overloaded):
                said = words("errors.overloaded")
            elif isinstance(exc, BelegError):
                said = words("errors.failed", reason=markdown_text(words.said(exc.phrase)))
            else:
                log.exception("a question failed unexpectedly")
                said = words("errors.internal")
            yield View(shown, question, _named(said, words), answering=False)

    def ask_again(
        self, question: str, shown: Shown, index: int, words: Words, filters: Filters | None = None
    ) -> Iterator[View]:
        """As `ask`, for the question at this place of the conversation, or for what it was changed to."""
        typed = question or (messages.said(shown[index]) if index < len(shown) else "")
        yield from self.ask(typed, shown[:index], words, filters)

    def choose(
        self, option: str, shown: Shown, words: Words, filters: Filters | None = None
    ) -> Iterator[View]:
        """As `ask`, for an option below an answer: a further question, or the last one without the model."""
        if option != messages.WITHOUT_MODEL:
            yield from self.ask(option, shown, words, filters)
            return
        index = max((i for i, message in enumerate(shown) if message["role"] == "user"), default=0)
        question = messages.said(shown[index]) if shown else ""
        yield from self.ask(question, shown[:index], words, filters, extractive=True)

    def stop(self, shown: Shown, words: Words) -> View:
        """The conversation as it stands, its last answer marked as stopped."""
        return View(messages.stopped(shown, words), answering=False)

    def look_up(self, ident: str, words: Words) -> View:
        """The conversation up to the answer with this id, as it is recorded."""
        turns = [{"question": each["question"], "record": each} for each in self.records.conversation(ident)]
        return self.reopen(turns or None, words)

    def reopen(self, kept: Any, words: Words) -> View:
        """A conversation that the browser has kept, with the same evidence."""
        try:
            shown = messages.restored(kept, self.engine.library, self.held.articles, words)
            if shown and (record := kept[-1].get("record")):
                questions = self._follow_ups(answer_from_dict(record), shown)
                shown[-1] = messages.with_options(shown[-1], questions)
        except BelegError:
            return View([], notice=words("errors.not_restored"), answering=False)
        return View(shown, answering=False)

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

    def _answered(
        self, question: str, shown: Shown, words: Words, filters: Filters | None, extractive: bool
    ) -> Iterator[View]:
        """The place in the queue, what was searched, the draft, the verified answer, and what to ask next.

        An answer that is ready at once is shown in one view, because each view costs the same.
        """
        asked = [*shown, messages.user_message(question)]
        search, steps, draft = list[ChatMessage](), list[ChatMessage](), ""
        found, at_once = Retrieved(question, (), 0.0), False
        history, previous = messages.history(shown), messages.last_record(shown)
        how: Asking = {"extractive": extractive, "filters": filters}
        events = self.service.events("chat", question.strip(), history, previous, **how)

        def searched(answer: Answer | None = None) -> Shown:
            among = self.engine.fitting(filters) if filters else None
            n = self.held.articles if among is None else len(among)
            step = messages.search_message(found.passages, n, found.seconds, words, answer)
            return [step] if found.passages else []

        with closing(events):  # type: ignore[type-var]  # a failure that is being shown keeps no seat
            for event in paced(
                events, lambda: _SECONDS_BETWEEN_DRAFTS + _MORE_FOR_EACH * self.service.queue.taken
            ):
                match event:
                    case Waiting(ahead):
                        yield View(notice=words("chat.waiting", n=ahead) if ahead else "")
                    case Retrieved(asked_for, passages, step=str(step)):
                        steps, draft = [*steps, messages.step_message(passages, step, asked_for, words)], ""
                        yield View([*asked, *search, *steps])
                    case Retrieved(answered=at_once) as found:
                        search = searched()
                        if not at_once:
                            yield View([*asked, *search])
                    case Delta(text) if not at_once:
                        draft += text
                        plain, shown_as = render.without_markers(draft), render.draft_markdown(draft)
                        told = messages.assistant_message(shown_as, id=messages.DRAFT, log=plain)
                        yield View([*asked, *search, *steps, told])
                    case Done(answer):
                        left_out, library = (
                            extractive and self.engine.mode != "extractive",
                            self.engine.library,
                        )
                        done = messages.answer_message(answer, words, library, model_left_out=left_out)
                        before = [*asked, *searched(answer), *steps]
                        yield View([*before, done])
                        further = messages.with_options(done, self._follow_ups(answer, asked))
                        yield View([*before, further], answering=False)

    def _follow_ups(self, answer: Answer, shown: Shown) -> list[str]:
        """Questions to ask next; none if that fails, because they are not part of the answer."""
        try:
            return self.engine.follow_ups(answer, [turn.question for turn in messages.turns(shown)])
        except Exception:
            log.exception("no follow-up questions")
            return []


def paced(events: Iterator[Coming], pause: Callable[[], float]) -> Iterator[Coming]:
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


def _named(said: str, words: Words) -> str:
    """Adds the request's id in the log, for readers to pass on."""
    ident = request_id()
    return f"{said} ({words('errors.request', ident=ident)})" if ident else said
