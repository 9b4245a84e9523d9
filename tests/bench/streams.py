"""Two servers that send the same words: `python -m tests.bench.streams ours|bare PORT`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from rag.schema import Asking, Delta, Done, Event, Message, Retrieved
from rag.settings import Settings
from tests.fake_engine import FakeEngine, canned

WORDS = 3_000


class Talker(FakeEngine):
    """Says many words, as fast as a fast model."""

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),  # noqa: ARG002
        **how: Unpack[Asking],  # noqa: ARG002
    ) -> Iterator[Event]:
        answer = canned("mond")
        yield Retrieved(question, answer.passages, 0.02)
        for number in range(WORDS):
            yield Delta(f"Wort{number} ")
        yield Done(replace(answer, question=question, further=()))


async def bare(_: Request) -> StreamingResponse:
    """What a server of a few lines does."""

    async def events() -> AsyncIterator[str]:
        for number in range(WORDS):
            yield f"event: delta\ndata: {json.dumps({'text': f'Wort{number} '})}\n\n"
            await asyncio.sleep(0)

    return StreamingResponse(events(), media_type="text/event-stream")


def main() -> None:
    """Serves until it is ended."""
    kind, port = sys.argv[1], int(sys.argv[2])
    bound = socket.create_server(("127.0.0.1", port))
    if kind == "bare":
        ready = Route("/readyz", lambda _: JSONResponse({}))
        app = Starlette(routes=[ready, Route("/api/v1/stream", bare, methods=["POST"])])
        config = uvicorn.Config(app, log_level="warning")
    else:
        from rag.serve.chat.ui import create_app

        settings = Settings(data=Path(tempfile.mkdtemp()), port=port, llm="none")
        config = uvicorn.Config(create_app(Talker(), settings), log_level="warning")  # type: ignore[arg-type]
    uvicorn.Server(config).run([bound])


if __name__ == "__main__":
    main()
