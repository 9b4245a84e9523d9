"""Answers while the chat is still loading: Gradio takes seconds, the port is open at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

from rag.serve.api.errors import Problem, told
from rag.serve.pages import widget
from rag.serve.security.headers import COMMON

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PROGRAMS = ("/api/", "/v1/", "/mcp")
_PAGE = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Beleg</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="1"></head>
<body><h1>Beleg</h1><p>Beleg wird geöffnet …</p><p lang="en">Beleg is being opened …</p></body></html>"""


def opening(embedders: Sequence[str] = (), dossiers: Sequence[str] = ()) -> ASGIApp:
    """An app for the first seconds, in place of the chat.

    Visitors see a page that reloads by itself, also in a frame on a page of the `embedders`. It shows no
    content, so it needs no login. The widget's script is there; every other address is not available yet
    (503), which programs get in the form of their door. The same holds below the name of each dossier.
    """
    framing = " ".join(("'self'", *embedders))
    policy = f"default-src 'none'; frame-ancestors {framing}"
    headers = {"Cache-Control": "no-store", "Retry-After": "1", **COMMON, "Content-Security-Policy": policy}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        read, path = scope["method"] in ("GET", "HEAD"), scope["path"]
        name, slash, rest = path[1:].partition("/")
        if name in dossiers:
            path = f"{slash}{rest}"
        found: Response = HTMLResponse(_PAGE, 200 if read and path in ("", "/") else 503, headers)
        if read and path == widget.PATH:
            found = widget.widget()
        elif path.startswith(PROGRAMS):
            found = told(Problem(503, "opening", "Beleg is being opened; please ask again."), path, headers)
        found.headers["Connection"] = "close"  # the next request may already go to the chat
        await found(scope, receive, send)

    return app
