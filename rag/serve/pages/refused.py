"""Readable error pages for browsers: unknown addresses, refusals, frames that are not allowed."""

import json

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.serve.pages.routes import words_of
from rag.serve.views import page

_FOR_PROGRAMS = ("/api/", "/v1", "/mcp", "/gradio_api/", "/beleg/")


class InWords:
    """Shows browsers a page where programs get an error as JSON; ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] not in ("GET", "HEAD")
            or "text/html" not in Headers(scope=scope).get("accept", "")
            or scope["path"].startswith(_FOR_PROGRAMS)
        ):
            await self.app(scope, receive, send)
            return
        refused: Message | None = None
        told = b""

        async def heard(message: Message) -> None:
            nonlocal refused, told
            if message["type"] == "http.response.start" and message["status"] >= 400:
                kind = Headers(scope=message).get("content-type", "")
                refused = None if kind.startswith("text/html") else message
            if refused is None:
                await send(message)
            else:
                told += message.get("body", b"")

        await self.app(scope, receive, heard)
        if refused is not None:
            await refusal(Request(scope), refused, told)(scope, receive, send)


def refusal(request: Request, start: Message, told: bytes) -> HTMLResponse:
    """The page in place of a JSON response, with its status and headers."""
    words, status = words_of(request), start["status"]
    try:
        code = str(json.loads(told)["error"]["code"])
    except (ValueError, TypeError, KeyError):  # none of our doors' errors
        code = ""
    key = code if code in words.at("refused") else "not_found" if status == 404 else "failed"
    kept = {k: v for k, v in Headers(scope=start).items() if not k.startswith("content-")}
    title, text = words.at(f"refused.{key}")
    return HTMLResponse(page("missing.html", words, title=title, text=text, command=None), status, kept)


async def framed(scope: Scope, receive: Receive, send: Send) -> None:
    """The page that another site's page shows in its frame, where that is not allowed."""
    shown = HTMLResponse(page("framed.html", words_of(Request(scope))), headers={"Cache-Control": "no-store"})
    await shown(scope, receive, send)
