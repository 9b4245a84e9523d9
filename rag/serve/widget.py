"""The chat on other pages: their script, and who may show the chat in a frame.

Which pages may is said by the browser's own means, `frame-ancestors` in headers.py; the script is public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from rag.serve.assets import STATIC

if TYPE_CHECKING:
    from fastapi import FastAPI

PATH = "/widget.js"
_HEADERS = {
    # it changes with Beleg while the pages that name it do not
    "Cache-Control": "public, max-age=300",
    # for pages that are isolated from other origins, or check the script's hash
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def add_widget(app: FastAPI) -> None:
    """`/widget.js`: a button on any page that opens the chat."""
    app.get(PATH)(widget)


def widget() -> Response:
    """The script."""
    script = (STATIC / "widget.js").read_bytes()
    return Response(script, media_type="text/javascript", headers=_HEADERS)
