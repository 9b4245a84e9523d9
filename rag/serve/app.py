"""Puts guard, headers, metrics, health checks and the doors for programs around the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from rag.serve.api.mcp import add_mcp
from rag.serve.api.openai import add_openai
from rag.serve.api.rest import add_rest
from rag.serve.ops import CountRequests, Metrics, add_figures, add_health_routes
from rag.serve.pages import widget
from rag.serve.pages.catalogue import Catalogue
from rag.serve.pages.refused import InWords, framed
from rag.serve.queue import Service
from rag.serve.security.connections import Proxied
from rag.serve.security.guard import Guard, Limits
from rag.serve.security.headers import SafeHeaders
from rag.serve.security.login import add_login

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.uploads import Intake


def add_doors(
    app: FastAPI,
    service: Service,
    catalogue: Catalogue,
    intake: Intake | None = None,
    limits: Limits | None = None,
) -> None:
    """Adds them to an app; everything else in the app is behind the same guard.

    Raises ConfigError when `BELEG_AUTH` is malformed.
    """
    settings, library = service.settings, service.engine.library
    limits = limits or Limits(settings)
    add_guard(app, settings, limits, service.metrics)
    if not settings.dossier:  # else it stands before all dossiers
        app.add_middleware(Proxied, settings=settings)
    add_login(app, settings, limits.guesses)
    add_health_routes(app, [library])
    add_figures(app, library, service.metrics)
    add_rest(app, service, catalogue, intake)
    add_openai(app, service)
    add_mcp(app, service)
    app.get(widget.PATH)(widget.widget)


def add_guard(app: FastAPI, settings: Settings, limits: Limits, metrics: Metrics | None = None) -> None:
    """What is before everything in an app: guard, headers, pages for errors."""
    # each is before the ones added earlier
    app.add_middleware(Guard, settings=settings, limits=limits)
    if metrics is not None:
        app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(InWords)
    app.add_middleware(SafeHeaders, embedders=settings.embedders, framed=framed)
    app.add_middleware(GZipMiddleware)
