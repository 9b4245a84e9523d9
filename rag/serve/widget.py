"""The chat on other pages: their script, and who may show the chat in a frame.

Which pages may is said by the browser's own means, `frame-ancestors` in headers.py; the script is public.
"""

from __future__ import annotations

from fastapi import FastAPI, Response

from rag.serve.assets import STATIC

_HEADERS = {
    # it changes with Beleg while the pages that name it do not
    "Cache-Control": "public, max-age=300",
    # for pages that are isolated from other origins, or check the script's hash
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def add_widget(app: FastAPI) -> None:
    """`/widget.js`: a button on any page that opens the chat."""
    script = (STATIC / "widget.js").read_bytes()

    @app.get("/widget.js")
    def widget() -> Response:
        return Response(script, media_type="text/javascript", headers=_HEADERS)
