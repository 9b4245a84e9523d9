"""`/anmelden` and `/abmelden`: the login page for people, which works without scripts and by keyboard."""

import logging
from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from rag.i18n import Words
from rag.serve.api.errors import FRESH
from rag.serve.links import link, of_all
from rag.serve.pages.routes import words_of
from rag.serve.security.guard import (
    LOGIN,
    LOGOUT,
    SESSION_COOKIE,
    SESSION_SECONDS,
    Rates,
    access_of,
    client_of,
    throttled,
)
from rag.serve.views import page
from rag.settings import Settings

_LONGEST_PASSWORD = 1000

log = logging.getLogger(__name__)


def add_login(app: FastAPI, settings: Settings, guesses: Rates) -> None:
    """The routes; `guesses` bounds how often a client may be wrong."""
    access = access_of(settings.auth)

    def shown(words: Words, back: str, said: str = "", status: int = 200) -> HTMLResponse:
        """The page; `back` is where a login leads, `said` what was wrong."""
        known = {"action": link(LOGIN), "back": back, "said": said, "longest": _LONGEST_PASSWORD}
        return HTMLResponse(page("login.html", words, **known), status, FRESH)

    @app.get(LOGIN, response_class=HTMLResponse)
    def form(request: Request, next: str = "/") -> Response:
        if access is None:
            return RedirectResponse(link("/"), status_code=303)
        return shown(words_of(request), inside(next))

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
            again = shown(words, back, words("login.wait", seconds=waiting), 429)
            again.headers.update(throttled(waiting).headers)
            return again
        if not access.admits(password):
            guesses.take(client)
            log.warning("a failed login from %s", client)
            return shown(words, back, words("login.wrong"), 401)
        welcome = RedirectResponse(link(back), status_code=303, headers=FRESH)
        welcome.set_cookie(
            SESSION_COOKIE,
            access.session(),
            max_age=SESSION_SECONDS,
            path=of_all() or "/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return welcome

    @app.get(LOGOUT, response_class=HTMLResponse)
    def leaving(request: Request) -> Response:
        return HTMLResponse(page("logout.html", words_of(request), action=link(LOGOUT)), headers=FRESH)

    @app.post(LOGOUT)
    def logout() -> Response:
        gone = RedirectResponse(link(LOGIN), status_code=303, headers=FRESH)
        gone.delete_cookie(SESSION_COOKIE, path=of_all() or "/")
        return gone


def inside(address: str) -> str:
    """The address if it is on this site, else that of the chat.

    >>> inside("/artikel?q=x"), inside("//evil.example/"), inside("https://evil.example/")
    ('/artikel?q=x', '/', '/')
    """
    own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if own else "/"
