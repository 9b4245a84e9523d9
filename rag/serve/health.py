"""`/healthz`, `/readyz` and `/metrics`: for those who run Beleg."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rag.errors import BelegError
from rag.serve.desk import Desk

_FRESH = {"Cache-Control": "no-store"}


def add_health_routes(app: FastAPI, desk: Desk) -> None:
    """The routes; the first two are open to all, and say nothing but yes or no."""

    @app.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n", headers=_FRESH)

    @app.get("/readyz")
    def ready() -> Response:
        try:
            desk.engine.library.counts()
        except BelegError:
            return PlainTextResponse("not ready\n", 503, headers=_FRESH)
        return PlainTextResponse("ready\n", headers=_FRESH)

    @app.get("/metrics")
    def metrics() -> Response:
        desk.metrics.articles.set(desk.engine.library.counts().articles)
        desk.metrics.answering.set(desk.gate.taken)
        return Response(
            generate_latest(desk.metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=_FRESH
        )
