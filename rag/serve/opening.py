"""Answers while the chat is still loading: Gradio takes seconds, the port is open at once. And the script for
other pages that opens the chat, which is there at once, too.
"""

import json
from collections.abc import Sequence

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.i18n import LANGUAGES
from rag.serve.api.errors import FRESH, Problem, told
from rag.serve.links import STATIC

WIDGET = "/widget.js"
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every response."""
_PROGRAMS = ("/api/", "/v1/", "/mcp")
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
    headers = {**FRESH, "Retry-After": "1", **COMMON, "Content-Security-Policy": policy}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        read, path = scope["method"] in ("GET", "HEAD"), scope["path"]
        name, slash, rest = path[1:].partition("/")
        if name in dossiers:
            path = f"{slash}{rest}"
        found: Response = HTMLResponse(_PAGE, 200 if read and path in ("", "/") else 503, headers)
        if read and path == WIDGET:
            found = widget()
        elif path.startswith(_PROGRAMS):
            found = told(Problem(503, "opening", "Beleg is being opened; please ask again."), path, headers)
        found.headers["Connection"] = "close"  # the next request may already go to the chat
        await found(scope, receive, send)

    return app


def widget() -> Response:
    """The script, with its words in every language, because only the page knows which one it needs.

    It is public: browsers enforce which pages may show the chat (`frame-ancestors` in headers.py).
    """
    words = json.dumps({lang: words.at("widget") for lang, words in LANGUAGES.items()})
    script = (STATIC / "widget.js").read_text(encoding="utf-8")
    headers = {
        # it changes with Beleg, while the pages that load it do not
        "Cache-Control": "public, max-age=300",
        # for pages that are cross-origin isolated or check the script's hash
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    script = script.replace('JSON.parse("of all languages")', words)
    return Response(script, media_type="text/javascript", headers=headers)
