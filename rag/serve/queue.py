"""The queue for questions of all doors: first come, first served, counted, with a deadline and a record."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, Unpack

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.requests import ClientDisconnect, Request

from rag.engine import Engine
from rag.errors import DeadlineExceeded, Overloaded
from rag.schema import Answer, Asking, Delta, Done, Event, Message, Received, SyncState
from rag.serve.pages.catalogue import Catalogue
from rag.settings import Settings
from rag.stepped import stepped
from rag.store.answers import Records
from rag.wire import answer_to_dict

Found = TypeVar("Found")
_SECONDS_BETWEEN_LOOKS = 0.5
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)  # seconds


class Queue:
    """A limited number of questions at a time (`taken`), and a bounded queue before them. Thread-safe."""

    def __init__(self, seats: int, waiting: int) -> None:
        self.seats, self.waiting, self.taken = seats, waiting, 0
        self._queue: list[object] = []
        self._changed = threading.Condition()

    def enter(self) -> Iterator[int]:
        """Waits for a seat; until then yields now and then how many questions are before this one.

        After the iteration ends the caller has a seat and must `leave`; stopping it earlier gives up the
        place in the queue. Raises Overloaded at once if too many are waiting.
        """
        ticket = object()
        with self._changed:
            if self.taken + len(self._queue) >= self.seats + self.waiting:
                raise Overloaded("too_many_questions")
            self._queue.append(ticket)
        try:
            while True:
                with self._changed:
                    if self._changed.wait_for(
                        lambda: self.taken < self.seats and self._queue[0] is ticket, _SECONDS_BETWEEN_LOOKS
                    ):
                        self._queue.pop(0)
                        self.taken += 1
                        return
                    ahead = self._queue.index(ticket) + 1
                yield ahead
        finally:
            with self._changed:
                if ticket in self._queue:
                    self._queue.remove(ticket)
                self._changed.notify_all()

    def leave(self) -> None:
        """Frees a seat for the next question."""
        with self._changed:
            self.taken -= 1
            self._changed.notify_all()


class Waiting(NamedTuple):
    """The number of questions before this one; 0 where it has waited and its turn has come."""

    ahead: int


Coming = Waiting | Event
Events = AsyncGenerator[Coming]
Turns = Sequence[Message]


class Metrics:
    """What Prometheus is told of an app: requests, outcomes, times; never the words of a question."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        timed: Any = {"labelnames": ("door",), "buckets": _BUCKETS, **own}
        self.requests = Counter("beleg_requests", "Requests", ("door", "method", "status"), **own)
        self.answers = Counter("beleg_answers", "Questions by outcome", ("door", "outcome"), **own)
        self.first_word = Histogram("beleg_first_word_seconds", "Seconds to the first word", **timed)
        self.whole = Histogram("beleg_answer_seconds", "Seconds to the whole answer", **timed)
        self.articles = Gauge("beleg_articles", "Articles in the index", **own)
        self.answering = Gauge("beleg_answering", "Questions that are being answered", **own)

    def watch(self, events: Iterator[Event], door: str) -> Iterator[Event]:
        """Passes events on and counts the outcome: answered, abstained, failed or stopped."""
        started, outcome, spoke = time.perf_counter(), "stopped", False
        try:
            with self.answering.track_inprogress(), closing(events):  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Delta) and not spoke:
                        spoke = True
                        self.first_word.labels(door).observe(time.perf_counter() - started)
                    if isinstance(event, Done):
                        self.whole.labels(door).observe(time.perf_counter() - started)
                        outcome = ""  # counted here: who has the answer finds it counted
                        said = "abstained" if event.answer.abstained else "answered"
                        self.answers.labels(door, said).inc()
                    yield event
        except Exception:
            outcome = "failed"
            raise
        finally:
            if outcome:
                self.answers.labels(door, outcome).inc()


class Intake(Protocol):
    """Uploads, and the sync that reads them and the articles folder; `ingest` implements it."""

    state: SyncState
    suffixes: tuple[str, ...]
    """Endings of the files that are read, in lower case."""

    def refresh(self) -> None:
        """Requests a sync in another thread; `state` is running from now on."""

    async def add(self, name: str, parts: AsyncIterator[bytes]) -> Received:
        """Saves a file of that name, as it comes in, among the uploads.

        Raises ArticleError for an ending that is not read, before anything is taken, and for what cannot be
        read as articles; ArticleTooLarge as soon as that is clear.
        """

    def remove(self, path: Path) -> None:
        """Deletes an uploaded file. Raises ArticleError for any other."""

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        """Notes `title`, `outlet`, `author` and `published` (YYYY-MM-DD) of an uploaded file, beside it.

        Empty fields are taken from the file. Raises ArticleError for other files and for an invalid day.
        """

    def edited(self, path: Path) -> Mapping[str, str] | None:
        """Of the facts that people changed of a file, what it says itself: "" where it does not.

        Empty where that is not known; None where nothing was changed.
        """


class Service:
    """What all doors of an app share: an engine behind the queue, metrics, records, articles, the intake."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        records: Records,
        queue: Queue | None = None,
        intake: Intake | None = None,
    ) -> None:
        self.engine, self.settings, self.records, self.intake = engine, settings, records, intake
        self.metrics, self.catalogue = Metrics(), Catalogue(engine.library, settings.uploads_dir)
        self.queue = queue or Queue(settings.readers, settings.waiting)

    def events(
        self,
        door: str,
        question: str,
        history: Turns = (),
        previous: str | None = None,
        **how: Unpack[Asking],
    ) -> Iterator[Coming]:
        """The events of a question in its turn, counted, its answer recorded; closing them ends the work.

        `previous` is the id of the conversation's answer before. Raises as the engine does, and Overloaded.
        """

        def answering() -> Iterator[Event]:
            for event in self.metrics.watch(self.engine.stream(question, history, **how), door):
                if isinstance(event, Done):
                    self.records.put(answer_to_dict(event.answer), event.history, previous)
                yield event

        return self._in_turn(answering())

    def stream(self, door: str, question: str, history: Turns = (), **how: Unpack[Asking]) -> Events:
        """As `events`, awaited. Raises DeadlineExceeded, too."""
        return self._timely(self.events(door, question, history, **how))

    async def ask(self, door: str, question: str, history: Turns = (), **how: Unpack[Asking]) -> Answer:
        """The answer. Raises as `stream`; cancelling it ends the engine's work."""
        async with aclosing(self.stream(door, question, history, **how)) as events:
            return await answer_of(events)

    async def run(self, work: Callable[[], Found]) -> Found:
        """Other work of the engine, queued like a question.

        Raises as the work does, Overloaded, and DeadlineExceeded.
        """
        async with aclosing(self._timely(self._in_turn(work() for _ in range(1)))) as steps:
            async for step in steps:
                if not isinstance(step, Waiting):
                    return step
        raise AssertionError("the work gives something")

    def _in_turn(self, items: Iterator[Found]) -> Iterator[Waiting | Found]:
        ahead = 0
        for ahead in self.queue.enter():
            yield Waiting(ahead)
        try:
            if ahead:
                yield Waiting(0)  # it is being answered
            yield from items
        finally:
            self.queue.leave()

    async def _timely(self, items: Iterator[Found]) -> AsyncGenerator[Found]:
        """The items, one by one, all before the deadline."""
        seconds = self.settings.deadline
        if self.settings.has_model:  # which has a limit of its own, behind which the answer comes
            seconds = max(seconds, self.settings.llm_deadline + 30)
        ends = asyncio.get_running_loop().time() + seconds
        async with aclosing(stepped(items)) as steps:
            while True:
                try:
                    async with asyncio.timeout_at(ends):
                        step = await anext(steps)
                except StopAsyncIteration:
                    return
                except TimeoutError as exc:
                    raise DeadlineExceeded("answer_late", seconds=float(seconds)) from exc
                yield step


async def answer_of(events: Events) -> Answer:
    """The answer that a stream ends with."""
    async for event in events:
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("a stream ends with Done")


async def unless_gone(request: Request, work: Awaitable[Found]) -> Found:
    """The result of the work. If the client disconnects, cancels it and raises ClientDisconnect."""

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(left())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def begun(request: Request, events: Events, enough: tuple[type[Coming], ...]) -> Events:
    """The events from the first with which a response can begin; failures before it are raised."""
    first = await unless_gone(request, anext(event async for event in events if isinstance(event, enough)))

    async def from_first() -> Events:
        yield first
        async for event in events:
            yield event

    return from_first()
