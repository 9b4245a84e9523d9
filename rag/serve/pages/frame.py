"""Header, start page and footnote around a conversation, and the page for missing things."""

from __future__ import annotations

from datetime import date
from typing import Literal

from rag.i18n import Words
from rag.serve.security.access import LOGOUT
from rag.serve.views import fragment, page


def masthead(
    articles: int, first: date | None, last: date | None, words: Words, *, logout: bool = False
) -> str:
    """The chat's header: name, pages, what the dossier holds, tools; a link to end a login."""
    days = words.dates(first, last) if first and last else None
    held = " · ".join(part for part in (words("articles.count", n=articles), days) if part)
    return fragment("masthead", words, held=held, logout=LOGOUT if logout else None)


def start(words: Words) -> str:
    """The start screen's title and line."""
    return fragment("start", words)


def footnote(mode: str, words: Words, sends_to: str | None = None) -> str:
    """Who answers, where text is sent, and a reminder to check sources."""
    return fragment("footnote", words, mode=mode_line(mode, words, sends_to))


def mode_line(mode: str, words: Words, sends_to: str | None = None) -> str:
    """Who answers: no model, or the model by its name and where text is sent."""
    if mode == "extractive":
        return words("answer.extractive")
    told = f" – {words('answer.sends_to', host=sends_to)}" if sends_to else ""
    return words("answer.by_model", model=mode) + told


def missing_page(words: Words, what: Literal["reader", "answer"] = "reader") -> str:
    """The page for an article or answer that does not exist."""
    title, text = words(f"{what}.missing_title"), words(f"{what}.missing_text")
    return page("missing.html", words, title=title, text=text, command=None)
