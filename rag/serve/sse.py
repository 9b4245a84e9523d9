"""Server-sent events: one response class and one way to write an event."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A stream of events; when the client leaves, its source is closed at once."""

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self.events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.events):
            await super().__call__(scope, receive, send)


def event(data: Any, name: str = "") -> bytes:
    """One event.

    >>> event({"text": "für"}, "delta")
    b'event: delta\\ndata: {"text":"f\\xc3\\xbcr"}\\n\\n'
    """
    first = f"event: {name}\n" if name else ""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{first}data: {written}\n\n".encode("utf-8", "replace")
