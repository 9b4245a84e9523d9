"""A proxy's information on a request: client, scheme and path. Only trusted proxies are believed.

`BELEG_TRUSTED_PROXIES` names their addresses or networks. `BELEG_ROOT_PATH` is the path below which the
proxy shows Beleg, if it does not send `X-Forwarded-Prefix`.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rag.serve.links import PREFIX, below, link
from rag.settings import ROOT_PATH, Settings

BY_PROXY = "beleg.by_proxy"
"""Key in a scope: whether a trusted proxy sent the request."""
_RAW = PREFIX.lower().encode()
_FORWARDED = (b"forwarded", b"x-real-ip")


def is_trusted(host: str, proxies: Sequence[str]) -> bool:
    """Whether this address is one of the proxies' addresses or networks."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(each, strict=False) for each in proxies)


class Proxied:
    """Applies `X-Forwarded-…` headers of trusted proxies and removes those of all others.

    Inside, paths are without the proxy's prefix; `link` adds it again.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app: ASGIApp = ProxyHeadersMiddleware(app, list(settings.proxies))  # type: ignore[assignment, arg-type]
        self.proxies, self.root = settings.proxies, settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        trusted = is_trusted((scope.get("client") or ("",))[0], self.proxies)
        said = Headers(scope=scope).get(PREFIX, "").rstrip("/") if trusted else ""
        prefix = said if said and ROOT_PATH.fullmatch(said) else self.root
        headers = scope["headers"]
        if not trusted:
            headers = [
                (k, v) for k, v in headers if not k.startswith(b"x-forwarded-") and k not in _FORWARDED
            ]
        # proxies send the path with the prefix, or without
        path = scope["path"].removeprefix(prefix) if scope["path"].startswith(f"{prefix}/") else scope["path"]
        inner = beneath({**scope, "headers": headers}, prefix, path)
        if prefix and scope["path"] == prefix:  # relative links of the chat need the slash
            await led_to(scope, "/")(scope, receive, send)
            return
        await self.app({**inner, BY_PROXY: trusted}, receive, send)


def led_to(scope: Scope, path: str) -> RedirectResponse:
    """Leads a request to a decoded path of ours, with its query."""
    address, query = link(quote(path)), scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{address}?{query}" if query else address)


def beneath(scope: Scope, prefix: str, path: str, dossiers: Sequence[str] = ()) -> Scope:
    """The request as it is for an app below the prefix; `dossiers` as `below` takes them."""
    below(prefix, dossiers)
    # Gradio hands its events to other tasks, with the headers alone
    headers = [(k, v) for k, v in scope["headers"] if k != _RAW]
    return {**scope, "headers": [*headers, (_RAW, prefix.encode())], "path": path}
