"""`/auswertung`: the latest evaluation of this index, as `python -m eval` left it in the data folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from rag.i18n import Words
from rag.serve.pages.routes import words_of
from rag.serve.views import page

if TYPE_CHECKING:
    from rag.settings import Settings

ADDRESS = "/auswertung"
_FILES = {"de": "latest.html", "en": "latest.en.html"}
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_MAIN = re.compile(r'<main class="report">(.*)</main>', re.DOTALL)


def add_report_route(app: FastAPI, settings: Settings) -> None:
    """The report in the reader's language, or how to make one."""
    folder = settings.data_dir / "evaluation"

    @app.get(ADDRESS, response_class=HTMLResponse)
    def report(request: Request) -> HTMLResponse:
        words = words_of(request)
        headers = {"Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache"}
        return HTMLResponse(report_page(folder, words, _command(settings)), headers=headers)


def report_page(folder: Path, words: Words, command: str) -> str:
    """The latest report, framed; `command` makes one where there is none."""
    try:
        found = (folder / _FILES[words.lang]).read_text(encoding="utf-8")
    except OSError:
        found = ""
    style, main = _STYLE.search(found), _MAIN.search(found)
    if style and main:
        return page("report.html", words, here=ADDRESS, style=Markup(style[0]), report=Markup(main[1]))
    title, how = words("report.none"), words("report.how")
    return page("missing.html", words, here=ADDRESS, title=title, text=how, command=command)


def _command(settings: Settings) -> str:
    """What evaluates these articles; the project's own questions are about its seeds."""
    seeds = type(settings).articles  # the default
    return "make eval" if settings.articles == seeds else f"python -m eval SET --articles {settings.articles}"
