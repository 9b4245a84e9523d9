"""Several dossiers in one place: the first part of a path names the one that answers (`/klima/artikel`)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.engine import Engine
from rag.serve.app import add_guard
from rag.serve.chat.ui import create_app
from rag.serve.links import link
from rag.serve.ops import add_health_routes
from rag.serve.queue import Queue
from rag.serve.security.connections import Proxied, beneath, led_to
from rag.serve.security.guard import Limits
from rag.serve.security.login import add_login
from rag.settings import Settings
from rag.store.library import Library
from rag.uploads import Intake


def site_of(
    dossiers: Sequence[Settings], engines: Sequence[Engine], intakes: Sequence[Intake | None]
) -> ASGIApp:
    """The app of one dossier, or that of all. How many may ask at a time, and how often, is for all together.

    Raises ConfigError when `BELEG_AUTH` is malformed.
    """
    settings = dossiers[0]
    limits, queue = Limits(settings), Queue(settings.readers, settings.waiting)
    apps = {
        each.dossier: create_app(engine, each, intake=intake, limits=limits, queue=queue)
        for each, engine, intake in zip(dossiers, engines, intakes, strict=True)
    }
    if not settings.dossier:
        return apps[""]
    home = _home(apps, settings, limits, [engine.library for engine in engines])

    async def led(scope: Scope, receive: Receive, send: Send) -> None:
        """Leads a request to the app of its dossier, one that names none to the home of all."""
        name, slash, rest = scope.get("path", "").removeprefix("/").partition("/")
        app = apps.get(name)
        if scope["type"] != "http" or app is None:
            await home(scope, receive, send)
        elif not slash:  # relative links of the chat need it
            await led_to(scope, f"/{name}/")(scope, receive, send)
        else:
            await app(beneath(scope, link(f"/{name}"), f"/{rest}", tuple(apps)), receive, send)

    return Proxied(led, settings)


def _home(
    apps: Mapping[str, FastAPI], settings: Settings, limits: Limits, libraries: Sequence[Library]
) -> FastAPI:
    """What lies above all dossiers: health, login, and the way to the first of them."""

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as all_of_them:
            for app in apps.values():
                await all_of_them.enter_async_context(app.router.lifespan_context(app))
            yield

    home = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=living)
    add_guard(home, settings, limits)
    add_login(home, settings, limits.guesses)
    add_health_routes(home, libraries)

    @home.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def first(request: Request) -> RedirectResponse:
        return led_to(request.scope, f"/{next(iter(apps))}{request.scope['path'].removeprefix(link(''))}")

    return home
