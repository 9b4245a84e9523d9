"""Our own files for the browser, and the addresses under which it may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
PAGE_STYLES = ("base.css", "reader.css")
CHAT_STYLES = (*PAGE_STYLES, "chat.css", "answer.css", "conversations.css")


@cache
def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser never keeps an old one."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/beleg/{name}?v={digest}"


def page_head() -> str:
    """Styles and the one small script of a plain page, for its `<head>`."""
    return _styles(PAGE_STYLES) + _early()


def chat_head() -> str:
    """Styles and scripts of the chat; the scripts import each other."""
    return f'{_styles(CHAT_STYLES)}{_early()}<script type="module" src="{asset("chat.js")}"></script>'


def articles_head() -> str:
    """Styles and script of the articles page, beside those of every page."""
    return f'{_styles(("articles.css",))}<script type="module" src="{asset("articles.js")}"></script>'


def login_head() -> str:
    """Styles of the login page, beside those of every page."""
    return _styles(("login.css",))


def _styles(names: tuple[str, ...]) -> str:
    return "".join(f'<link rel="stylesheet" href="{asset(name)}">' for name in names)


def _early() -> str:
    # neither deferred nor a module: the page must not be seen in the wrong colours first
    return f'<script src="{asset("early.js")}"></script>'
