"""The guard before every door: who may come in, how often, with how much, and from which page.

It stands before the chat and Gradio's own routes, our pages, REST, the OpenAI-compatible endpoint and MCP
alike. Without `BELEG_AUTH` it lets in whoever calls this machine by one of its own names; a page of another
site cannot, by whatever name it makes lead here (DNS rebinding).

`BELEG_AUTH="password:SECRET token:NAME=SECRET …"`: any number of passwords for people and of tokens for
programs, with spaces between them; a secret alone is both. They are kept as digests. A token's name appears
in logs and metrics, its secret nowhere.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import math
import re
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from itsdangerous import TimestampSigner
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import ConfigError
from rag.serve.api.errors import Problem, told
from rag.serve.links import link
from rag.serve.security.connections import BY_PROXY
from rag.settings import Settings

LOGIN, LOGOUT = "/anmelden", "/abmelden"
SESSION_COOKIE = "beleg_session"
SESSION_SECONDS = 30 * 86_400
_SHORTEST = {"password": 8, "token": 16}
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_FORM = "its form is: password:SECRET token:NAME=SECRET, with spaces between entries, or one secret for all"
_FOR_ALL = "all"

OPEN = frozenset({"/healthz", "/readyz", "/widget.js", LOGIN, LOGOUT})
"""Addresses that reveal nothing about the articles, and are open to all."""

_OPEN_FILES = ("/beleg/", "/static/fonts/", "/sprache/")
_UPLOADS = ("/artikel/datei", "/api/v1/articles")
_CLOSED = "/gradio_api/upload"  # Gradio's own upload addresses, which our pages do not use
_EVENTS, _MOST_VALUES = "/gradio_api/", 25_000
"""Most values in an event of the chat; for each invalid one Gradio would make two errors of a kilobyte. The
longest conversation that fits into a request has half as many."""
_WORK = ("/api/", "/v1/", "/mcp", "/gradio_api/queue/join", "/gradio_api/call", "/gradio_api/run")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_GUESSES, _GUESSING_SECONDS = 10, 60
_TOO_LARGE = "The request has more than {} bytes."
IDLE_SECONDS, BODY_SECONDS = 30.0, 600.0  # seconds between two parts of a request's body, and for all of it

log = logging.getLogger(__name__)


class Access(NamedTuple):
    """Digests of the passwords, those of the tokens with their names, and what signs cookies."""

    passwords: tuple[bytes, ...]
    tokens: tuple[tuple[str, bytes], ...]
    signer: TimestampSigner

    def admits(self, password: str) -> bool:
        """Whether this is one of the passwords, in constant time."""
        return sum(hmac.compare_digest(_digest(password), known) for known in self.passwords) > 0

    def owner(self, token: str) -> str | None:
        """The name of the token, in constant time."""
        sent = _digest(token)
        found = [name for name, known in self.tokens if hmac.compare_digest(sent, known)]
        return found[0] if found else None

    def session(self) -> str:
        """The value of a login cookie, a signed time; valid for a month, or until `BELEG_AUTH` changes."""
        return self.signer.sign("reader").decode()

    def knows(self, session: str) -> bool:
        """Whether the cookie is one of ours, and still good."""
        return self.signer.validate(session, max_age=SESSION_SECONDS)


def access_of(auth: SecretStr | None) -> Access | None:
    """The setting, None if it is not set. Raises ConfigError, which never quotes a secret."""
    if auth is None:
        return None
    passwords, tokens, whole = list[str](), list[tuple[str, str]](), auth.get_secret_value()
    for entry in whole.split():
        kind, has_kind, rest = entry.partition(":")
        name, has_name, token = rest.partition("=")
        if not has_kind:
            kind, rest = "password", entry
            tokens.append((_FOR_ALL, entry))
        elif kind == "token" and has_name and _NAME.fullmatch(name):
            rest = token
            tokens.append((name, token))
        elif kind != "password":
            raise ConfigError(f"an entry of BELEG_AUTH is neither password:… nor token:NAME=…; {_FORM}")
        if len(rest) < _SHORTEST[kind]:
            message = f"a {kind} in BELEG_AUTH is too short; it has at least {_SHORTEST[kind]} characters"
            raise ConfigError(message)
        if kind == "password":
            passwords.append(rest)
    if not passwords and not tokens:
        raise ConfigError(f"BELEG_AUTH is empty; {_FORM}")
    key = hashlib.sha256(b"session " + whole.encode()).digest()
    return Access(
        tuple(map(_digest, passwords)),
        tuple((name, _digest(secret)) for name, secret in tokens),
        TimestampSigner(key, salt="session", key_derivation="hmac", digest_method=hashlib.sha256),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Rates:
    """A limit for each client: `most` times in so many seconds."""

    def __init__(self, most: int, seconds: int) -> None:
        self.most = most
        self._limit = RateLimitItemPerSecond(most, seconds)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, client: str) -> int:
        """Whole seconds until the client may go on, 0 for now; does not count."""
        if self._window.test(self._limit, client):
            return 0
        again = self._window.get_window_stats(self._limit, client).reset_time
        return max(1, math.ceil(again - time.time()))

    def take(self, client: str) -> int:
        """Like `wait`, and counts one if allowed."""
        return 0 if self._window.hit(self._limit, client) else max(1, self.wait(client))


class Limits:
    """How often a client may ask, and be wrong about passwords and tokens: for all dossiers together."""

    def __init__(self, settings: Settings) -> None:
        self.rates = Rates(settings.rate, 60) if settings.rate else None
        self.guesses = Rates(_GUESSES, _GUESSING_SECONDS)


class Guard:
    """The guard as ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings, limits: Limits) -> None:
        self.app = app
        self.access = access_of(settings.auth)
        self.names = _OWN_NAMES | {settings.host, *settings.hosts.replace(",", " ").split()}
        self.rates, self.guesses = limits.rates, limits.guesses
        self.most, self.most_of_upload = settings.request_limit, settings.article_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        most = max(self.most, self.most_of_upload) if path.startswith(_UPLOADS) else self.most
        try:
            refusal = self._refusal(HTTPConnection(scope), scope["method"], path, most)
        except Problem as problem:
            log.info("refused %s %r: %s", scope["method"], path, problem.code)
            refusal = told(problem, path)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        bounded = _bounded(receive, most, _MOST_VALUES if path.startswith(_EVENTS) else math.inf)
        # from here on the path is complete, as ASGI and Gradio expect it
        await self.app({**scope, "root_path": link(""), "path": link(path)}, bounded, send)

    def _refusal(self, request: HTTPConnection, method: str, path: str, most: int) -> Response | None:
        """The response if the request is not let in. Raises Problem."""
        named = host_name(request.headers.get("host", "")) in self.names
        if self.access is None and not named:
            # without a login, only those come in who mean this machine
            message = "This machine is not known by that name; BELEG_HOSTS can add it."
            raise Problem(403, "unknown_host", message)
        client = client_of(request)
        program = self._program(request, client)
        if program is None and method not in _SAFE and is_foreign(request.headers):
            raise Problem(403, "foreign_origin", "This request comes from a page of another site.")
        session = request.cookies.get(SESSION_COOKIE, "")
        if program is None and self.access and not is_open(path) and not self.access.knows(session):
            if method in _SAFE and "text/html" in request.headers.get("accept", ""):
                here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"{link(LOGIN)}?next={quote(here)}", status_code=303)
            message = f"Please log in at {LOGIN}, or send a token as Authorization: Bearer …"
            raise Problem(401, "unauthorized", message)
        # our own address, for links in answers; never a name made up in a Host header
        host = request.headers.get("host", "")
        if not request.scope.get(BY_PROXY) and not named:
            name, port = request.scope.get("server") or ("127.0.0.1", None)
            host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        who = f"token {program}" if program else client
        request.scope.setdefault("state", {}).update(client=who, site=f"{request.url.scheme}://{host}")
        if path.startswith(_CLOSED):
            raise Problem(404, "not_found", "Articles are uploaded at /artikel.")
        if self.rates and (path.startswith(_WORK) or method not in _SAFE) and (wait := self.rates.take(who)):
            message = f"More than {self.rates.most} requests a minute; please try again in {wait} s."
            raise Problem(429, "rate_limited", message, wait)
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > most:
            raise Problem(413, "too_large", _TOO_LARGE.format(most))
        return None

    def _program(self, request: HTTPConnection, client: str) -> str | None:
        """The name of a program's token. Raises Problem for an unknown token."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if self.access is None or kind.lower() != "bearer":
            return None
        # checked first, so that others behind the same proxy cannot keep out a valid token
        if owner := self.access.owner(token.strip()):
            return owner
        if waiting := self.guesses.take(client):
            raise throttled(waiting)
        raise Problem(401, "unauthorized", "This token is not known here; BELEG_AUTH lists the valid ones.")


def _bounded(receive: Receive, most: int, values: float) -> Receive:
    """The body, unless it is too long or too slow; a stated size is not relied on."""
    came, coming, ends = 0, True, time.monotonic() + BODY_SECONDS

    async def bounded() -> Message:
        nonlocal came, coming, values
        try:
            async with asyncio.timeout(min(IDLE_SECONDS, ends - time.monotonic()) if coming else None):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request did not come in time.") from None
        came += len(message.get("body", b""))
        coming = coming and bool(message.get("more_body"))
        if came > most:
            raise HTTPException(413, _TOO_LARGE.format(most))
        values -= message.get("body", b"").count(b",")
        if values < 0:
            raise HTTPException(413, f"The request has more than {_MOST_VALUES} values.")
        return message

    return bounded


def throttled(waiting: int) -> Problem:
    """The problem for a client with too many wrong guesses."""
    message = f"Too many failed logins; please try again in {waiting} s."
    return Problem(429, "too_many_guesses", message, waiting)


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a request comes from a page of another site.

    Browsers state it in `Sec-Fetch-Site` (older ones in `Origin`), which no page can forge; a client that
    states neither is not a browser.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def is_open(path: str) -> bool:
    """Whether a path is open to all; never one with `..`."""
    return path in OPEN or (path.startswith(_OPEN_FILES) and ".." not in path)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name of a Host header, without its port.

    >>> host_name("[::1]:7860"), host_name("Localhost:7860")
    ('::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def client_of(request: HTTPConnection) -> str:
    """The client that limits count for: an address; for IPv6, the network of one household."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
