"""What an engine offers to programs of every kind, made of its `stream` and `search` alone."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar, Unpack

from rag.schema import Answer, Asking, Done, Event, Filters, Message, Passage

if TYPE_CHECKING:
    from llama_index.core.tools import QueryEngineTool

    from rag.integrations.llama_index import BelegQueryEngine, BelegRetriever


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


class Adapters(ABC):
    """The methods of an engine that are made of `stream` and `search`, also to await, and for LlamaIndex."""

    @abstractmethod
    def stream(
        self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]
    ) -> Iterator[Event]:
        """The answer as it comes about."""

    @abstractmethod
    def search(
        self, question: str, k: int | None = None, *, filters: Filters | None = None
    ) -> tuple[Passage, ...]:
        """Passages for a question, best first."""

    def ask(self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]) -> Answer:
        """The answer to a question; `history` is the conversation so far, oldest first.

        With `extractive` the answer is verbatim sentences even where a language model is configured;
        `filters` say which articles may answer. Raises BadRequest for an empty or over-long question and
        for filters that nothing fits, ProviderError when the model fails.
        """
        for event in self.stream(question, history, **how):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    async def aask(self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]) -> Answer:
        """As `ask`, without holding up the event loop; cancelling it ends the request to the model too."""
        events = self.astream(question, history, **how)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise AssertionError("a stream ends with Done")

    def astream(
        self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]
    ) -> AsyncGenerator[Event]:
        """As `stream`, without holding up the event loop; stopping it early closes the stream."""
        return stepped(self.stream(question, history, **how))

    async def asearch(
        self, question: str, k: int | None = None, *, filters: Filters | None = None
    ) -> tuple[Passage, ...]:
        """As `search`, without holding up the event loop."""
        import asyncio

        return await asyncio.to_thread(self.search, question, k, filters=filters)

    def as_retriever(self, k: int | None = None) -> BelegRetriever:
        """The retrieval as a LlamaIndex `BaseRetriever`, for k passages a question."""
        from rag.integrations.llama_index import BelegRetriever

        return BelegRetriever(self, k)

    def as_query_engine(self, *, extractive: bool = False) -> BelegQueryEngine:
        """Question answering as a LlamaIndex `BaseQueryEngine`: `source_nodes[n - 1]` is what `[n]` cites."""
        from rag.integrations.llama_index import BelegQueryEngine

        return BelegQueryEngine(self, extractive=extractive)

    def as_tool(
        self, name: str = "beleg", description: str | None = None, *, extractive: bool = False
    ) -> QueryEngineTool:
        """Question answering as a tool of a LlamaIndex agent, which reads the answer with its sources.

        `description` is what the agent is told of it; say there what the articles are about.
        """
        from rag.integrations.llama_index import query_tool

        return query_tool(self, name, description, extractive=extractive)
