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
from rag.serve.api.errors import FRESH
from rag.store.library import Library

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DOORS = (("/api/", "rest"), ("/v1/", "openai"), ("/mcp", "mcp"), ("/gradio_api/", "chat"))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one app, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        timed: Any = {"labelnames": ("door",), "buckets": _SECONDS, **own}
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


def counted(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Counts responses by door, method and status; as ASGI middleware."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start":
                doors = (door for prefix, door in _DOORS if scope["path"].startswith(prefix))
                method = scope["method"] if scope["method"] in _METHODS else "other"
                metrics.requests.labels(next(doors, "pages"), method, str(message["status"])).inc()
            await send(message)

        await app(scope, receive, passed)

    return counting


def add_health_routes(app: FastAPI, libraries: Sequence[Library], metrics: Metrics | None = None) -> None:
    """The routes that are open to all and answer only yes or no, and that for Prometheus."""

    @app.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n", headers=FRESH)

    @app.get("/readyz")
    def ready() -> Response:
        try:
            for library in libraries:
                library.counts()
        except BelegError:
            return PlainTextResponse("not ready\n", 503, headers=FRESH)
        return PlainTextResponse("ready\n", headers=FRESH)

    if metrics is not None:

        @app.get("/metrics")
        def figures() -> Response:
            metrics.articles.set(libraries[0].counts().articles)
            return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=FRESH)
