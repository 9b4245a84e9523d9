"""For operators: `/healthz`, `/readyz`, and metrics for Prometheus at `/metrics`.

The metrics are requests, answers by outcome, times, articles; never the words of a question.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import BelegError
from rag.schema import Delta, Done, Event
from rag.store.library import Library

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
