"""`/auswertung`: the latest evaluation of this index, as `python -m eval` left it in the data folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from rag.serve.frame import Page, page
from rag.serve.markup import html_text
from rag.serve.routes import words_of
from rag.serve.strings import Strings

if TYPE_CHECKING:
    from rag.settings import Settings

ADDRESS: Page = "/auswertung"
_FILES = {"de": "latest.html", "en": "latest.en.html"}
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_MAIN = re.compile(r'<main class="report">(.*)</main>', re.DOTALL)
_NONE = {
    "de": ("Noch keine Auswertung", "Eine Auswertung dieser Artikel entsteht mit"),
    "en": ("No evaluation yet", "An evaluation of these articles is made with"),
}


def add_report_route(app: FastAPI, settings: Settings) -> None:
    """The report in the reader's language, or how to make one."""
    folder = settings.data_dir / "evaluation"

    @app.get(ADDRESS, response_class=HTMLResponse)
    def report(request: Request) -> HTMLResponse:
        words = words_of(request)
        headers = {"Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache"}
        return HTMLResponse(report_page(folder, words, _command(settings)), headers=headers)


def report_page(folder: Path, words: Strings, command: str) -> str:
    """The latest report, framed; `command` makes one where there is none."""
    try:
        found = (folder / _FILES[words.lang]).read_text(encoding="utf-8")
    except OSError:
        found = ""
    style, main = _STYLE.search(found), _MAIN.search(found)
    if style and main:
        return page(words.page_report, f'{style[0]}<div class="report">{main[1]}</div>', words, ADDRESS)
    title, how = _NONE[words.lang]
    body = f"<h1>{html_text(title)}</h1><p>{html_text(how)}: <code>{html_text(command)}</code></p>"
    return page(title, f'<div class="missing">{body}</div>', words, ADDRESS)


def _command(settings: Settings) -> str:
    """What evaluates these articles; the project's own questions are about its seeds."""
    seeds = type(settings).articles  # the default
    return "make eval" if settings.articles == seeds else f"python -m eval SET --articles {settings.articles}"
