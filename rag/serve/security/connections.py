"""Limits connections, so that many open or half-finished requests keep nobody else out."""

import asyncio
import resource
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rag.serve.security.proxies import is_trusted

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
        self._of: Counter[str] = Counter()
        self._answered: Counter[Peer] = Counter()
        self._waiting: dict[Peer, asyncio.TimerHandle] = {}
        self._transports: dict[Peer, asyncio.Transport] = {}

    def opened(self, peer: Peer, transport: asyncio.Transport) -> None:
        """Ends the connection unless a request comes in time; if there are too many, the longest waiting one.

        If all others are being answered, that is this one.
        """
        address, others = peer[0], list(self._waiting)
        self._transports[peer] = transport
        self._of[address] += 1
        self._wait(peer)
        most = self.most if is_trusted(address, self.proxies) else self.most_of_one
        if self._of[address] > most:
            self._end(next((each for each in others if each[0] == address), peer))
        elif len(self._transports) > self.most:
            self._end(next(iter(others), peer))

    def closed(self, peer: Peer) -> None:
        """Forgets the connection."""
        if self._transports.pop(peer, None) is not None:
            self._heard(peer)
            self._of[peer[0]] -= 1
            self._of += Counter()  # without those that have none

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
                connections.opened(self.peer, transport)

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                connections.closed(self.peer)

        return Watched

    def _wait(self, peer: Peer) -> None:
        if transport := self._transports.get(peer):
            loop = asyncio.get_running_loop()
            self._waiting[peer] = loop.call_later(self.head_seconds, transport.abort)

    def _end(self, peer: Peer) -> None:
        self._heard(peer)
        self._transports[peer].abort()

    def _heard(self, peer: Peer) -> None:
        if timer := self._waiting.pop(peer, None):
            timer.cancel()
