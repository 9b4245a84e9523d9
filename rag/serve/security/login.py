"""`/anmelden` and `/abmelden`: the login page for people, which works without scripts and by keyboard."""

from __future__ import annotations

import logging
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from rag.i18n import Words
from rag.serve.links import link
from rag.serve.pages.routes import words_of
from rag.serve.security.access import LOGIN, LOGOUT, SESSION_COOKIE, SESSION_SECONDS, access_of
from rag.serve.security.guard import Rates, client_of, throttled
from rag.serve.views import page
from rag.settings import Settings

_LONGEST_PASSWORD = 1000
_FRESH = {"Cache-Control": "no-store"}

log = logging.getLogger(__name__)


def add_login(app: FastAPI, settings: Settings, guesses: Rates) -> None:
    """The routes; `guesses` bounds how often a client may be wrong."""
    access = access_of(settings.auth)

    @app.get(LOGIN, response_class=HTMLResponse)
    def form(request: Request, next: str = "/") -> Response:
        if access is None:
            return RedirectResponse(link("/"), status_code=303)
        return HTMLResponse(login_page(words_of(request), inside(next)), headers=_FRESH)

    @app.post(LOGIN, response_class=HTMLResponse)
    def login(
        request: Request,
        password: Annotated[str, Form(max_length=_LONGEST_PASSWORD)] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        words, back, client = words_of(request), inside(next), client_of(request)
        if access is None:
            return RedirectResponse(link(back), status_code=303)
        if waiting := guesses.wait(client):
            said = words("login.wait", seconds=waiting)
            headers = {**_FRESH, **throttled(waiting).headers}
            return HTMLResponse(login_page(words, back, said), status_code=429, headers=headers)
        if not access.admits(password):
            guesses.take(client)
            log.warning("a failed login from %s", client)
            again = login_page(words, back, words("login.wrong"))
            return HTMLResponse(again, status_code=401, headers=_FRESH)
        welcome = RedirectResponse(link(back), status_code=303, headers=_FRESH)
        welcome.set_cookie(
            SESSION_COOKIE,
            access.session(),
            max_age=SESSION_SECONDS,
            path=link("") or "/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return welcome

    @app.get(LOGOUT, response_class=HTMLResponse)
    def leaving(request: Request) -> Response:
        return HTMLResponse(logout_page(words_of(request)), headers=_FRESH)

    @app.post(LOGOUT)
    def logout() -> Response:
        gone = RedirectResponse(link(LOGIN), status_code=303, headers=_FRESH)
        gone.delete_cookie(SESSION_COOKIE, path=link("") or "/")
        return gone


def login_page(words: Words, back: str, said: str = "") -> str:
    """The page; `back` is where a login leads, `said` what was wrong."""
    return page("login.html", words, action=link(LOGIN), back=back, said=said, longest=_LONGEST_PASSWORD)


def logout_page(words: Words) -> str:
    """The page behind the link."""
    return page("logout.html", words, action=link(LOGOUT))


def inside(address: str) -> str:
    """The address where it is one of this site, else the chat's.

    >>> inside("/artikel?q=x"), inside("//evil.example/"), inside("https://evil.example/")
    ('/artikel?q=x', '/', '/')
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if own and not parts.netloc and not parts.scheme else "/"
