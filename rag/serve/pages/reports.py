"""`/auswertung`: the latest evaluation of this index, which `python -m eval` leaves in the data folder."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from rag.i18n import Words
from rag.serve.pages.routes import words_of
from rag.serve.views import page
from rag.settings import Settings

ADDRESS = "/auswertung"


def add_report_route(app: FastAPI, settings: Settings) -> None:
    """The report in the reader's language, or how to make one."""
    folder = settings.data_dir / "evaluation"

    @app.get(ADDRESS, response_class=HTMLResponse)
    def report(request: Request) -> HTMLResponse:
        words = words_of(request)
        headers = {"Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache"}
        # the project's own questions are about its seeds, the default
        seeds = settings.articles == type(settings).articles
        command = "make eval" if seeds else f"python -m eval SET --articles {settings.articles}"
        return HTMLResponse(report_page(folder, words, command), headers=headers)


def report_page(folder: Path, words: Words, command: str) -> str:
    """The latest report as a page; without one, the `command` that makes it."""
    try:
        part = (folder / f"part.{words.lang}.html").read_text(encoding="utf-8")
    except OSError:
        part = ""
    if part:
        return page("report.html", words, here=ADDRESS, report=Markup(part))
    title, how = words("report.none"), words("report.how")
    return page("missing.html", words, here=ADDRESS, title=title, text=how, command=command)
