"""Where programs hand in their questions: turn, deadline, record, and the end when nobody waits any more.

The engine blocks, and the doors are asynchronous; `rag.pump` is between them.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import ClientDisconnect, Request

from rag.pump import pumped, too_late
from rag.schema import Answer, Done, Event, Message
from rag.serve.gate import Gate
from rag.serve.metrics import Metrics
from rag.serve.wire import answer_to_dict

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.records import Records
    from rag.settings import Settings

Found = TypeVar("Found")
_MORE_THREADS = 8  # for questions that are refused at once, and for what is no question


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many questions are before this one."""

    ahead: int


Coming = Waiting | Event


class Desk:
    """Takes questions for an engine; one for all doors of an app."""

    def __init__(self, engine: Engine, settings: Settings, records: Records) -> None:
        self.engine = engine
        self.settings = settings
        self.records = records
        self.metrics = Metrics()
        self.gate = Gate(settings.readers, settings.waiting)
        self._threads = ThreadPoolExecutor(
            settings.readers + settings.waiting + _MORE_THREADS, thread_name_prefix="beleg-desk"
        )

    async def stream(
        self, door: str, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> AsyncGenerator[list[Coming]]:
        """What has come since the last look, each time; closing it closes the engine's stream.

        Raises as the engine does, Overloaded, and DeadlineExceeded.
        """
        events = self._events(door, question, history, extractive=extractive)
        async with aclosing(pumped(events, self._threads, self.settings.deadline)) as batches:
            async for batch in batches:
                yield batch

    async def ask(
        self,
        request: Request,
        door: str,
        question: str,
        history: Sequence[Message] = (),
        *,
        extractive: bool = False,
    ) -> Answer:
        """The answer; given up when the client has left. Raises as `stream`, and ClientDisconnect."""

        async def asked() -> Answer:
            async with aclosing(self.stream(door, question, history, extractive=extractive)) as batches:
                async for batch in batches:
                    for event in batch:
                        if isinstance(event, Done):
                            return event.answer
            raise AssertionError("a stream ends with Done")

        return await unless_gone(request, asked())

    async def run(self, work: Callable[[], Found]) -> Found:
        """Other work of the engine, in turn as a question is.

        Raises as the work does, Overloaded, and DeadlineExceeded.
        """
        left = threading.Event()

        def in_turn() -> Found:
            for _ in self.gate.enter():
                if left.is_set():
                    raise too_late(self.settings.deadline)
            try:
                return work()
            finally:
                self.gate.leave()

        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.settings.deadline):
                return await loop.run_in_executor(self._threads, context.run, in_turn)
        except TimeoutError as exc:
            raise too_late(self.settings.deadline) from exc
        finally:
            left.set()

    def _events(
        self, door: str, question: str, history: Sequence[Message], *, extractive: bool
    ) -> Iterator[Coming]:
        for ahead in self.gate.enter():
            yield Waiting(ahead)
        try:
            told = self.engine.stream(question, history, extractive=extractive)
            for event in self.metrics.watch(told, door):
                if isinstance(event, Done):
                    self.records.put(answer_to_dict(event.answer), event.history)
                yield event
        finally:
            self.gate.leave()


async def unless_gone(request: Request, work: Awaitable[Found]) -> Found:
    """The outcome of the work. Raises ClientDisconnect, and cancels it, when the client leaves before."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def begun(
    request: Request, batches: AsyncGenerator[list[Found]], enough: Callable[[list[Found]], bool]
) -> AsyncGenerator[list[Found]]:
    """The same batches, once there is enough to begin a response with; what fails before is raised."""
    first: list[list[Found]] = []

    async def filled() -> None:
        async for batch in batches:
            first.append(batch)
            if enough(batch):
                return

    async def all_of_them() -> AsyncGenerator[list[Found]]:
        async with aclosing(batches):
            for batch in first:
                yield batch
            async for batch in batches:
                yield batch

    try:
        await unless_gone(request, filled())
    except BaseException:
        await batches.aclose()
        raise
    return all_of_them()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
