"""All pages with an address of their own, over a small engine and without Gradio, as an app for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.settings import Settings


def pages_of(engine: Any, data: Path) -> Any:
    """The app; its answers' records stay in memory."""
    from fastapi import FastAPI
    from starlette.staticfiles import StaticFiles

    from rag.records import Records
    from rag.serve.articles import add_articles_page
    from rag.serve.assets import STATIC
    from rag.serve.headers import SafeHeaders
    from rag.serve.reports import add_report_route
    from rag.serve.routes import add_answer_routes, add_article_routes, add_interface_routes

    settings = Settings(data=data)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SafeHeaders)
    add_article_routes(app, engine)
    add_answer_routes(app, engine, Records(None))
    add_report_route(app, settings)
    add_interface_routes(app)
    add_articles_page(app, engine, settings)
    app.mount("/beleg", StaticFiles(directory=STATIC))
    return app
