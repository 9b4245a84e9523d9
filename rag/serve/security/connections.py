"""Connections: what a trusted proxy says of them, and limits, so that many open ones keep nobody else out.

`BELEG_TRUSTED_PROXIES` names addresses or networks of proxies, and no other is believed. `BELEG_ROOT_PATH`
is the path below which the proxy shows Beleg, if it does not send `X-Forwarded-Prefix`.
"""

import asyncio
import ipaddress
import resource
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from rag.serve.links import PREFIX, below, link
from rag.settings import ROOT_PATH, Settings

BY_PROXY = "beleg.by_proxy"  # key in a scope: whether a trusted proxy sent the request
_RAW = PREFIX.lower().encode()
_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip")


def is_trusted(host: str, proxies: Sequence[str]) -> bool:
    """Whether this address is one of the proxies' addresses or networks."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(each, strict=False) for each in proxies)


def proxied(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Middleware that applies `X-Forwarded-…` headers of trusted proxies and removes those of all others.

    Inside, paths are without the proxy's prefix; `link` adds it again.
    """

    inner: Any = ProxyHeadersMiddleware(app, list(settings.proxies))  # type: ignore[arg-type]

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await inner(scope, receive, send)
            return
        trusted = is_trusted((scope.get("client") or ("",))[0], settings.proxies)
        said = Headers(scope=scope).get(PREFIX, "").rstrip("/") if trusted else ""
        prefix = said if said and ROOT_PATH.fullmatch(said) else settings.root_path
        headers = scope["headers"]
        if not trusted:
            headers = [(k, v) for k, v in headers if not k.startswith(_FORWARDED)]
        # proxies send the path with the prefix, or without
        path = scope["path"].removeprefix(prefix) if scope["path"].startswith(f"{prefix}/") else scope["path"]
        below_it = beneath({**scope, "headers": headers, BY_PROXY: trusted}, prefix, path)
        if prefix and scope["path"] == prefix:  # relative links of the chat need the slash
            await led_to(scope, "/")(scope, receive, send)
        else:
            await inner(below_it, receive, send)

    return told


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


HEAD_SECONDS = 20.0
"""Seconds for the head of a request, from the start of the connection or the end of the answer before."""
LARGEST_HEAD = 64 * 1024  # bytes
OF_ONE_ADDRESS = 256

Peer = tuple[str, int]


class Connections:
    """The open connections of a server: their number per address, and those that wait for a request's head.

    Trusted proxies carry everybody's connections, and are limited only in total.
    """

    def __init__(self, proxies: Sequence[str] = (), head_seconds: float = HEAD_SECONDS) -> None:
        self.proxies = proxies
        self.head_seconds = head_seconds
        # half the files that this process may open; the index, the log and the models need the others
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = 4096 if soft == resource.RLIM_INFINITY else max(32, min(soft // 2, 4096))
        self.most_of_one = min(OF_ONE_ADDRESS, self.most // 2)
        self._transports: dict[Peer, asyncio.Transport] = {}
        self._answered: Counter[Peer] = Counter()
        self._waiting: dict[Peer, asyncio.TimerHandle] = {}

    def watching(self, app: ASGIApp) -> ASGIApp:
        """Wraps the app; a connection that is being answered does not wait for a head."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            peer = tuple(scope.get("client") or ("", 0))
            self._heard(peer)
            self._answered[peer] += 1
            try:
                await app(scope, receive, send)
            finally:
                self._answered[peer] -= 1
                if not self._answered[peer]:
                    del self._answered[peer]
                    self._wait(peer)

        return watched

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's protocol, reporting each connection."""
        connections = self

        class Watched(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                self.peer = tuple((transport.get_extra_info("peername") or ("", 0))[:2])
                connections._opened(self.peer, transport)

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                connections._transports.pop(self.peer, None)
                connections._heard(self.peer)

        return Watched

    def _opened(self, peer: Peer, transport: asyncio.Transport) -> None:
        """Ends the connection unless a request comes in time; if there are too many, the longest waiting one.

        If all others are being answered, that is this one.
        """
        address, others = peer[0], list(self._waiting)
        self._transports[peer] = transport
        self._wait(peer)
        most = self.most if is_trusted(address, self.proxies) else self.most_of_one
        if sum(each[0] == address for each in self._transports) > most:
            others = [each for each in others if each[0] == address]
        elif len(self._transports) <= self.most:
            return
        ended = others[0] if others else peer
        self._heard(ended)
        self._transports[ended].abort()

    def _wait(self, peer: Peer) -> None:
        if transport := self._transports.get(peer):
            loop = asyncio.get_running_loop()
            self._waiting[peer] = loop.call_later(self.head_seconds, transport.abort)

    def _heard(self, peer: Peer) -> None:
        if timer := self._waiting.pop(peer, None):
            timer.cancel()
