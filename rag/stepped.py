"""An iterator that blocks, awaited."""

import itertools
from collections.abc import AsyncGenerator, Iterator
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")


async def stepped(items: Iterator[Item]) -> AsyncGenerator[Item]:
    """The items of an iterator that blocks, each awaited; stopped early, a generator is closed.

    None is asked for before it is awaited: who stops after the passages pays for no answer of a model.
    One thread of its own takes every step and closes it, one after the other: a generator that is in
    the middle of a step cannot be closed, and a step of a model takes as long as the model. Starlette's
    `iterate_in_threadpool` cannot be cancelled during a step.
    """
    # asyncio takes a tenth of a second, and most commands await nothing
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    worker = ThreadPoolExecutor(1, thread_name_prefix="beleg-stream")
    context = copy_context()

    def step() -> tuple[Item, ...]:
        return tuple(itertools.islice(items, 1))

    try:
        while item := await asyncio.wrap_future(worker.submit(context.run, step)):
            yield item[0]
    finally:
        if close := getattr(items, "close", None):
            worker.submit(context.run, close)
        worker.shutdown(wait=False)
