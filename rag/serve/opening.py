"""What answers while the chat is still being loaded: Gradio alone takes seconds, the port none."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from rag.serve import widget
from rag.serve.headers import COMMON

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

_PAGE = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Beleg</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="1"></head>
<body><h1>Beleg</h1><p>Beleg wird geöffnet …</p><p lang="en">Beleg is being opened …</p></body></html>"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Retry-After": "1",
    **COMMON,
}


class Opening:
    """An app that answers at once, and is the one that `build` makes as soon as that is there.

    Until then a visitor of the chat sees a page that asks again by itself, also in a frame on a page of the
    `embedders`; it tells nothing, so that there is no login before it. The widget's script is there, every
    other address is not available yet (503). `failed` is called when building fails, and `error` is why.
    """

    def __init__(
        self,
        build: Callable[[], FastAPI],
        failed: Callable[[], None] | None = None,
        embedders: Sequence[str] = (),
    ) -> None:
        self._build = build
        self._app: FastAPI | None = None
        self._ended = asyncio.Event()
        self.failed = failed
        self._framing = " ".join(("'self'", *embedders))
        self.error: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        else:
            await self._early(scope)(scope, receive, send)

    def _early(self, scope: Scope) -> Response:
        """What there is already."""
        read = scope["method"] in ("GET", "HEAD")
        if read and scope["path"] == widget.PATH:
            return widget.widget()
        policy = f"default-src 'none'; frame-ancestors {self._framing}"
        headers = {**_HEADERS, "Content-Security-Policy": policy}
        return HTMLResponse(_PAGE, 200 if read and scope["path"] == "/" else 503, headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        serving = asyncio.create_task(self._serve())
        await receive()
        self._ended.set()
        await serving
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self) -> None:
        """The app's own life, from when it is built to the end."""
        ended = asyncio.create_task(self._ended.wait())
        built = self._started()
        try:
            first: set[asyncio.Future[Any]] = {ended, built}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not built.done():
                return
            app = built.result()
            async with app.router.lifespan_context(app):
                self._app = app
                await ended
        except Exception as error:
            self.error = error
            if self.failed is not None:
                self.failed()

    def _started(self) -> asyncio.Future[FastAPI]:
        """Begins to build; in a thread that nobody waits for who stops the server meanwhile."""
        loop = asyncio.get_running_loop()
        built: asyncio.Future[FastAPI] = loop.create_future()

        def tell(act: Callable[..., None], value: object) -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(act, value)

        def work() -> None:
            try:
                app = self._build()
            except Exception as error:
                tell(built.set_exception, error)
            else:
                tell(built.set_result, app)

        threading.Thread(target=work, daemon=True).start()
        return built
