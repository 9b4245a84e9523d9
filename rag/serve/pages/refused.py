"""Pages in words for a reader's browser: for an address that is none, a refusal, a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse

from rag.serve.pages.routes import words_of
from rag.serve.views import page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOR_PROGRAMS = ("/api/", "/v1", "/mcp", "/gradio_api/", "/beleg/")


class InWords:
    """A reader who opens an address gets a page where others get an error as JSON; as ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _opens_a_page(scope):
            await self.app(scope, receive, send)
            return
        refused: Message | None = None
        told = b""

        async def heard(message: Message) -> None:
            nonlocal refused, told
            if message["type"] == "http.response.start" and _is_refusal(message):
                refused = message
            elif refused is None:
                await send(message)
            else:
                told += message.get("body", b"")

        await self.app(scope, receive, heard)
        if refused is not None:
            await refusal(Request(scope), refused, told)(scope, receive, send)


def refusal(request: Request, start: Message, told: bytes) -> HTMLResponse:
    """The page for a response of JSON, with its status and what else its head says."""
    words, status = words_of(request), start["status"]
    code = _code_of(told)
    key = code if code in words.at("refused") else "not_found" if status == 404 else "failed"
    kept = {k: v for k, v in Headers(scope=start).items() if not k.startswith("content-")}
    title, text = words.at(f"refused.{key}")
    return HTMLResponse(page("missing.html", words, title=title, text=text, command=None), status, kept)


async def framed(scope: Scope, receive: Receive, send: Send) -> None:
    """The page that another site's page shows in its frame, where that is not allowed."""
    words = words_of(Request(scope))
    await HTMLResponse(page("framed.html", words), headers={"Cache-Control": "no-store"})(
        scope, receive, send
    )


def _opens_a_page(scope: Scope) -> bool:
    accepts = "text/html" in Headers(scope=scope).get("accept", "")
    return accepts and scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(_FOR_PROGRAMS)


def _is_refusal(start: Message) -> bool:
    kind = Headers(scope=start).get("content-type", "")
    return start["status"] >= 400 and not kind.startswith("text/html")


def _code_of(told: bytes) -> str:
    """The code of an error in our doors' form, nothing where it has none."""
    try:
        said: Any = json.loads(told)
        return str(said["error"]["code"])
    except (ValueError, TypeError, KeyError):
        return ""
