"""Iterators that block, carried into asyncio: a step for each item awaited, or as fast as they come."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Generic, TypeVar

from rag.errors import DeadlineExceeded

Found = TypeVar("Found")


async def stepped(items: Iterator[Found]) -> AsyncGenerator[Found]:
    """The items of an iterator that blocks, each awaited; stopped early, a generator is closed.

    None is asked for before it is awaited: who stops after the passages pays for no answer of a model.
    One thread of its own takes every step and closes it, one after the other: a generator that is in
    the middle of a step cannot be closed, and a step of a model takes as long as the model.
    """
    worker = ThreadPoolExecutor(1, thread_name_prefix="beleg-stream")
    context = contextvars.copy_context()

    def step() -> tuple[Found, ...]:
        return tuple(itertools.islice(items, 1))

    try:
        while item := await asyncio.wrap_future(worker.submit(context.run, step)):
            yield item[0]
    finally:
        if close := getattr(items, "close", None):
            worker.submit(context.run, close)
        worker.shutdown(wait=False)


async def pumped(
    items: Iterator[Found], threads: ThreadPoolExecutor, seconds: float
) -> AsyncGenerator[list[Found]]:
    """The items of an iterator that blocks, as many at a time as have come; closed early, it is closed too.

    One thread takes all steps, awaited or not, so that a fast stream does not change threads for every word.
    Raises what the iterator raises, and DeadlineExceeded after so many seconds.
    """
    loop, ready, stopped = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    mailbox = _Mailbox[Found](lambda: loop.call_soon_threadsafe(ready.set))
    context = contextvars.copy_context()
    loop.run_in_executor(threads, context.run, mailbox.fill, items, stopped)
    ends = loop.time() + seconds
    try:
        while True:
            try:
                async with asyncio.timeout_at(ends):
                    await ready.wait()
            except TimeoutError as exc:
                raise too_late(seconds) from exc
            ready.clear()
            batch, ended, failure = mailbox.empty()
            if batch:
                yield batch
            if failure is not None:
                raise failure
            if ended:
                return
    finally:
        stopped.set()


def too_late(seconds: float) -> DeadlineExceeded:
    """What is raised when an answer takes longer."""
    return DeadlineExceeded(f"The answer was not complete after {seconds:g} s; please ask again later.")


class _Mailbox(Generic[Found]):
    """What one thread has found and another has not yet fetched; `notify` is called when there is some."""

    def __init__(self, notify: Callable[[], object]) -> None:
        self._notify = notify
        self._found: list[Found] = []
        self._ended = False
        self._failure: BaseException | None = None
        self._changing = threading.Lock()

    def fill(self, items: Iterator[Found], stopped: threading.Event) -> None:
        """Puts all items in, until stopped; then, in the thread that took its steps, closes the iterator."""
        try:
            if stopped.is_set():
                return
            with closing(items):  # type: ignore[type-var]
                for item in items:
                    if stopped.is_set():
                        return
                    self._put(item)
        except BaseException as exc:
            self._failure = exc
        finally:
            self._ended = True
            self._tell()

    def empty(self) -> tuple[list[Found], bool, BaseException | None]:
        """What is there, whether nothing more will come, and why, if that is an error."""
        with self._changing:
            ended = self._ended  # first: what was put before the end is then in here
            batch, self._found = self._found, []
        return batch, ended, self._failure if ended else None

    def _put(self, item: Found) -> None:
        with self._changing:
            was_empty = not self._found
            self._found.append(item)
        if was_empty:
            self._tell()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody fetches any more
            self._notify()
