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


def opening(embedders: Sequence[str] = ()) -> ASGIApp:
    """An app for the first seconds, in place of the chat.

    Visitors see a page that reloads by itself, also in a frame on a page of the `embedders`. It shows no
    content, so it needs no login. The widget's script is there; every other address is not available yet
    (503), which programs get in the form of their door.
    """
    framing = " ".join(("'self'", *embedders))
    policy = f"default-src 'none'; frame-ancestors {framing}"
    headers = {"Cache-Control": "no-store", "Retry-After": "1", **COMMON, "Content-Security-Policy": policy}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        read = scope["method"] in ("GET", "HEAD")
        found: Response = HTMLResponse(_PAGE, 200 if read and scope["path"] == "/" else 503, headers)
        if read and scope["path"] == widget.PATH:
            found = widget.widget()
        elif scope["path"].startswith(PROGRAMS):
            found = told(
                Problem(503, "opening", "Beleg is being opened; please ask again."), scope["path"], headers
            )
        found.headers["Connection"] = "close"  # the next request may already go to the chat
        await found(scope, receive, send)

    return app
