"""What frames every page: the header with its navigation, the start screen, the footnote, plain pages."""

from __future__ import annotations

from datetime import date
from typing import Literal

from rag.serve.access import LOGOUT
from rag.serve.assets import page_head
from rag.serve.markup import html_text, spans
from rag.serve.strings import Strings, article_count, date_range, mode_line

Page = Literal["/", "/artikel", "/auswertung"]


def masthead(
    articles: int, first: date | None, last: date | None, words: Strings, *, logout: bool = False
) -> str:
    """The chat's header: name, pages, what the dossier holds, and tools.

    With `logout`, a link to end the login is among the tools. Gradio's sanitiser takes `aria-*` away;
    chat.js names the tools and says which page is open.
    """
    days = date_range(first, last, words) if first and last else None
    held = " · ".join(part for part in (article_count(articles, words), days) if part)
    chat_tools = _tool("new", words.new_conversation) + _tool("conversations", words.conversations)
    left = f'<a class="language" href="{LOGOUT}">{html_text(words.log_out)}</a>' if logout else ""
    return (
        f'<div class="masthead" lang="{words.lang}"><h1 class="brand">Beleg</h1>'
        f'<span class="tagline">{html_text(words.tagline)}</span>{_navigation("/", words)}'
        f'<span class="held">{html_text(held)}</span>'
        f'<span class="tools">{chat_tools}{_settings(words)}{left}</span></div>'
    )


def start(words: Strings) -> str:
    """The start screen's title and line."""
    lang = f'lang="{words.lang}"'
    return f"<h2 {lang}>{html_text(words.start_title)}</h2><p {lang}>{html_text(words.start_line)}</p>"


def footnote(mode: str, words: Strings, sends_to: str | None = None) -> str:
    """Who answers, where text is sent, and a word of caution."""
    return f'<p lang="{words.lang}">{spans(mode_line(mode, words, sends_to) + ".", words.check)}</p>'


def page(title: str, body: str, words: Strings, here: Page | None = None, head: str = "") -> str:
    """A whole page that needs no script; `title` is text, `body` HTML, `here` its place in the navigation.

    `head` are further styles and scripts.
    """
    return (
        f'<!doctype html>\n<html lang="{words.lang}" class="reader-page"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html_text(title)} – Beleg</title>"
        f'<link rel="icon" href="/beleg/favicon.svg">{page_head()}{head}</head><body>'
        f'<header class="masthead"><a class="brand" href="/">Beleg</a>'
        f'<span class="tagline">{html_text(words.tagline)}</span>{_navigation(here, words)}'
        f'<span class="tools">{_settings(words)}</span></header><main>{body}</main></body></html>\n'
    )


def missing_page(words: Strings) -> str:
    """The page for an article that is not there."""
    body = f"<h1>{html_text(words.missing_title)}</h1><p>{html_text(words.missing_text)}</p>"
    return page(words.missing_title, f'<div class="missing">{body}</div>', words)


def _navigation(here: Page | None, words: Strings) -> str:
    pages = {"/": words.page_chat, "/artikel": words.page_articles, "/auswertung": words.page_report}
    marks: dict[str | None, str] = {here: ' class="here" aria-current="page"'}
    links = "".join(
        f'<a href="{address}"{marks.get(address, "")}>{html_text(name)}</a>'
        for address, name in pages.items()
    )
    return f'<nav class="pages" aria-label="{html_text(words.pages)}">{links}</nav>'


def _settings(words: Strings) -> str:
    other = "en" if words.lang == "de" else "de"
    title = html_text(words.switch_language)
    link = f'<a class="language" lang="{other}" href="/sprache/{other}" title="{title}">{other.upper()}</a>'
    return _tool("theme", words.switch_theme) + link


def _tool(name: str, label: str) -> str:
    return (
        f'<button type="button" class="tool {name}" title="{html_text(label)}">'
        f'<span class="unseen">{html_text(label)}</span></button>'
    )
