"""All pages with an address of their own, over the small dossier and without Gradio, as an app for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.engine import Engine
from rag.settings import Settings
from tests.doors import over_dossier


@contextmanager
def pages(folder: Path) -> Iterator[Any]:
    """The app, its index in the folder; its answers' records stay in memory."""
    with over_dossier(folder) as engine:
        yield _app(engine, engine.settings)


def _app(engine: Engine, settings: Settings) -> Any:
    from fastapi import FastAPI
    from starlette.staticfiles import StaticFiles

    from rag.serve.links import STATIC
    from rag.serve.pages.articles import add_articles_page
    from rag.serve.pages.routes import (
        add_answer_routes,
        add_article_routes,
        add_interface_routes,
    )
    from rag.serve.queue import Service
    from rag.serve.security.headers import safe_headers
    from rag.store.answers import Records

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(safe_headers)
    service = Service(engine, settings, Records(None))
    add_article_routes(app, service)
    add_answer_routes(app, service)
    add_interface_routes(app, settings)
    add_articles_page(app, service)
    app.mount("/beleg", StaticFiles(directory=STATIC))
    return app
