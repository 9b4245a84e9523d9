"""The whole site: chat, pages and doors for programs behind one guard, and several dossiers in one place.

Where there are several, the first part of a path names the one that answers (`/klima/artikel`). Operators ask
`/healthz`, `/readyz` and, with Prometheus, `/metrics`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.engine import Engine
from rag.errors import BelegError
from rag.serve.api.errors import FRESH
from rag.serve.api.mcp import add_mcp
from rag.serve.api.openai import add_openai
from rag.serve.api.rest import add_rest
from rag.serve.links import STATIC, link
from rag.serve.opening import WIDGET, widget
from rag.serve.pages import routes
from rag.serve.pages.articles import add_articles_page
from rag.serve.queue import Intake, Metrics, Queue, Service
from rag.serve.security.connections import beneath, led_to, proxied
from rag.serve.security.guard import Guard, Limits
from rag.serve.security.headers import safe_headers
from rag.serve.security.login import add_login
from rag.settings import Settings
from rag.store.answers import Records
from rag.store.library import Library

_DOORS = (("/api/", "rest"), ("/v1/", "openai"), ("/mcp", "mcp"), ("/gradio_api/", "chat"))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def site_of(
    dossiers: Sequence[Settings], engines: Sequence[Engine], intakes: Sequence[Intake | None]
) -> ASGIApp:
    """The app of one dossier, or that of all. How many may ask at a time, and how often, is for all together.

    Raises ConfigError when `BELEG_AUTH` is malformed.
    """
    settings = dossiers[0]
    limits, queue = Limits(settings), Queue(settings.readers, settings.waiting)
    apps = {
        each.dossier: create_app(engine, each, intake, limits, queue)
        for each, engine, intake in zip(dossiers, engines, intakes, strict=True)
    }
    if not settings.dossier:
        return apps[""]

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as all_of_them:
            for app in apps.values():
                await all_of_them.enter_async_context(app.router.lifespan_context(app))
            yield

    # what lies above all dossiers: health, login, and the way to the first of them
    home = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=living)
    _add_guard(home, settings, limits)
    add_login(home, settings, limits.guesses)
    _add_health_routes(home, [engine.library for engine in engines])

    @home.api_route("/{path:path}", methods=sorted(_METHODS))
    async def first(request: Request) -> RedirectResponse:
        return led_to(request.scope, f"/{dossiers[0].dossier}{request.scope['path'].removeprefix(link(''))}")

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

    return proxied(led, settings)


def create_app(
    engine: Engine,
    settings: Settings,
    intake: Intake | None = None,
    limits: Limits | None = None,
    queue: Queue | None = None,
) -> FastAPI:
    """The app of one dossier; several, an app each, share `limits` and `queue`."""
    from rag.serve.chat.ui import mount_chat  # with Gradio, which takes seconds

    app = FastAPI(title="Beleg", docs_url=None, redoc_url=None, openapi_url=None)
    service = Service(engine, settings, Records(settings.data_dir), queue, intake)
    add_doors(app, service, limits)
    routes.add_article_routes(app, service)
    routes.add_plain_form(app, service)
    routes.add_answer_routes(app, service)
    routes.add_interface_routes(app, settings)
    add_articles_page(app, service)
    app.mount("/beleg", StaticFiles(directory=STATIC), name="beleg")
    mount_chat(app, service)
    return app


def add_doors(app: FastAPI, service: Service, limits: Limits | None = None) -> None:
    """Adds guard, headers, health, metrics and the doors for programs; all else is behind the guard, too."""
    settings = service.settings
    limits = limits or Limits(settings)
    _add_guard(app, settings, limits, service.metrics)
    if not settings.dossier:  # else it stands before all dossiers
        app.add_middleware(proxied, settings=settings)
    add_login(app, settings, limits.guesses)
    _add_health_routes(app, [service.engine.library], service.metrics)
    add_rest(app, service)
    add_openai(app, service)
    add_mcp(app, service)
    app.get(WIDGET)(widget)


def _add_guard(app: FastAPI, settings: Settings, limits: Limits, metrics: Metrics | None = None) -> None:
    """What is before everything in an app: guard, headers, pages for errors."""
    # each is before the ones added earlier
    app.add_middleware(Guard, settings=settings, limits=limits)
    if metrics is not None:
        app.add_middleware(_counted, metrics=metrics)
    app.add_middleware(safe_headers, embedders=settings.embedders)
    app.add_middleware(GZipMiddleware)


# --- for operators


def _counted(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Counts responses by door, method and status; as ASGI middleware."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start":
                doors = (door for prefix, door in _DOORS if scope["path"].startswith(prefix))
                method = scope["method"] if scope["method"] in _METHODS else "other"
                metrics.requests.labels(next(doors, "pages"), method, str(message["status"])).inc()
            await send(message)

        await app(scope, receive, passed)

    return counting


def _add_health_routes(app: FastAPI, libraries: Sequence[Library], metrics: Metrics | None = None) -> None:
    """The routes that are open to all and answer only yes or no, and that for Prometheus."""

    @app.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n", headers=FRESH)

    @app.get("/readyz")
    def ready() -> Response:
        try:
            for library in libraries:
                library.counts()
        except BelegError:
            return PlainTextResponse("not ready\n", 503, headers=FRESH)
        return PlainTextResponse("ready\n", headers=FRESH)

    if metrics is not None:

        @app.get("/metrics")
        def figures() -> Response:
            metrics.articles.set(libraries[0].counts().articles)
            return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=FRESH)
