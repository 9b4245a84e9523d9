"""`/healthz`, `/readyz` and `/metrics`: for those who run Beleg."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rag.errors import BelegError
from rag.serve.queue import Service

_FRESH = {"Cache-Control": "no-store"}


def add_health_routes(app: FastAPI, service: Service) -> None:
    """The routes; the first two are open to all, and say nothing but yes or no."""

    @app.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n", headers=_FRESH)

    @app.get("/readyz")
    def ready() -> Response:
        try:
            service.engine.library.counts()
        except BelegError:
            return PlainTextResponse("not ready\n", 503, headers=_FRESH)
        return PlainTextResponse("ready\n", headers=_FRESH)

    @app.get("/metrics")
    def metrics() -> Response:
        service.metrics.articles.set(service.engine.library.counts().articles)
        service.metrics.answering.set(service.queue.taken)
        return Response(
            generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=_FRESH
        )
