"""For operators: the log, `/healthz`, `/readyz`, and metrics for Prometheus at `/metrics`.

A line of the log is for people, or an object for programs, with the request's id; none at `info` or above
holds a question, an answer's text, a key, or the query of an address. The metrics are requests, answers by
outcome, times, articles; never the words of a question.
"""

import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import BelegError
from rag.schema import Delta, Done, Event
from rag.settings import Settings
from rag.store.library import Library

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


class RequestIds:
    """Gives each request an id, its sender's or a new one, in the response and in the log.

    It is set as a header of the request, too, because Gradio passes only headers on to its tasks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
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
            await self.app({**scope, "headers": [*others, (_RAW_HEADER, ident.encode())]}, receive, named)
        finally:
            took = time.perf_counter() - started
            # only the path, because the query may hold a question
            log.info("%s %r: %d in %.3f s", scope["method"], scope["path"], status, took)
            _request.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, `request`, `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
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
        """The line, without a trace."""
        request = getattr(record, "request", None)
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return f"{line} [{request}]" if request else line


def configure(settings: Settings) -> logging.Handler:
    """Sends the log to stderr in the form and from the level of the settings; returns the handler."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    handler.addFilter(_with_request)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    return handler


def _with_request(record: logging.LogRecord) -> bool:
    record.request = _request.get()
    return True


_FRESH = {"Cache-Control": "no-store"}
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DOORS = (("/api/", "rest"), ("/v1/", "openai"), ("/mcp", "mcp"), ("/gradio_api/", "chat"))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one app, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        self.requests = Counter("beleg_requests", "Requests", ("door", "method", "status"), **own)
        self.answers = Counter("beleg_answers", "Questions by outcome", ("door", "outcome"), **own)
        self.first_word = Histogram(
            "beleg_first_word_seconds", "Seconds to the first word", ("door",), buckets=_SECONDS, **own
        )
        self.whole = Histogram(
            "beleg_answer_seconds", "Seconds to the whole answer", ("door",), buckets=_SECONDS, **own
        )
        self.articles = Gauge("beleg_articles", "Articles in the index", **own)
        self.answering = Gauge("beleg_answering", "Questions that are being answered", **own)

    def watch(self, events: Iterator[Event], door: str) -> Iterator[Event]:
        """Passes events on and counts the outcome: answered, abstained, failed or stopped."""
        started, outcome, spoke = time.perf_counter(), "stopped", False
        count = self.answers.labels
        try:
            with self.answering.track_inprogress(), closing(events):  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Delta) and not spoke:
                        spoke = True
                        self.first_word.labels(door).observe(time.perf_counter() - started)
                    if isinstance(event, Done):
                        self.whole.labels(door).observe(time.perf_counter() - started)
                        outcome = ""  # counted here: who has the answer finds it counted
                        count(door, "abstained" if event.answer.abstained else "answered").inc()
                    yield event
        except Exception:
            outcome = "failed"
            raise
        finally:
            if outcome:
                count(door, outcome).inc()


class CountRequests:
    """Counts responses by door, method and status; as ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                doors = (door for prefix, door in _DOORS if scope["path"].startswith(prefix))
                self.metrics.requests.labels(next(doors, "pages"), method, str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, counted)


def add_health_routes(app: FastAPI, libraries: Sequence[Library]) -> None:
    """The routes that are open to all and answer only yes or no."""

    @app.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n", headers=_FRESH)

    @app.get("/readyz")
    def ready() -> Response:
        try:
            for library in libraries:
                library.counts()
        except BelegError:
            return PlainTextResponse("not ready\n", 503, headers=_FRESH)
        return PlainTextResponse("ready\n", headers=_FRESH)


def add_figures(app: FastAPI, library: Library, metrics: Metrics) -> None:
    """The route for Prometheus."""

    @app.get("/metrics")
    def figures() -> Response:
        metrics.articles.set(library.counts().articles)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=_FRESH)
