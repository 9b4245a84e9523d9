"""The log of the server: a line for people or an object for programs, with the request's id.

No line at `info` or above holds a question, an answer's text, a key, or the query of an address.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.settings import Settings

HEADER = "X-Request-ID"
_RAW_HEADER = HEADER.lower().encode()

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request: ContextVar[str | None] = ContextVar("beleg_request", default=None)
_END = object()

Item = TypeVar("Item")

log = logging.getLogger(__name__)


def request_id() -> str | None:
    """The id of the request being answered, for error messages; None without one."""
    return _request.get()


def within(ident: str | None, items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made under this request id, in whichever thread."""
    context = copy_context()
    context.run(_request.set, ident)
    try:
        while (item := context.run(next, items, _END)) is not _END:
            yield item  # type: ignore[misc]
    finally:
        if close := getattr(items, "close", None):
            context.run(close)


def with_ids(app: ASGIApp) -> ASGIApp:
    """Middleware that gives each request an id, its sender's or a new one, in the response and in the log.

    It is set as a header of the request, too, because Gradio passes only headers on to its tasks.
    """

    async def identified(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        # an id must fit on a line of the log
        ident = given if _ID.fullmatch(given) else uuid4().hex
        status, started = 500, time.perf_counter()

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = ident
            await send(message)

        token = _request.set(ident)
        others = [(name, value) for name, value in scope["headers"] if name != _RAW_HEADER]
        try:
            await app({**scope, "headers": [*others, (_RAW_HEADER, ident.encode())]}, receive, named)
        finally:
            took = time.perf_counter() - started
            # only the path, because the query may hold a question
            log.info("%s %r: %d in %.3f s", scope["method"], scope["path"], status, took)
            _request.reset(token)

    return identified


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, `request`, `error`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": getattr(record, "request", None),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        known = {name: value for name, value in line.items() if value is not None}
        return json.dumps(known, ensure_ascii=False)


class TextLines(logging.Formatter):
    """One line for people; line breaks in it are escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        request = getattr(record, "request", None)
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return f"{line} [{request}]" if request else line


def configure(settings: Settings) -> logging.Handler:
    """Sends the log to stderr in the form and from the level of the settings; returns the handler."""

    def with_request(record: logging.LogRecord) -> bool:
        record.request = _request.get()
        return True

    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    handler.addFilter(with_request)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    return handler
