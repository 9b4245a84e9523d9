"""Response headers for every door: what a page may load, who may frame it, what may be cached."""

import base64
import hashlib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_NEVER_CHANGING = re.compile(r"/assets/.|/static/fonts/.|/beleg/.+\?v=")
# these pages have no inline scripts of ours
_WITHOUT_SCRIPTS = tuple(
    "/quelle/ /artikel /antwort/ /auswahl /fragen /auswertung /anmelden /abmelden /api/".split()
)
_WITH_FORMS = ("/artikel", "/auswahl", "/quelle/", "/fragen", "/anmelden", "/abmelden")
_FRAMES = ("iframe", "frame", "embed", "object")
_TO_THE_FORM = Markup('<noscript><meta http-equiv="refresh" content="0; url=./fragen{}"></noscript></head>')
_FOREVER = "public, max-age=31536000, immutable"
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def content_security_policy(page: bytes = b"", forms: str = "'none'", embedders: Sequence[str] = ()) -> str:
    """The strictest policy that works: own files only, and exactly the inline scripts of this page.

    `forms` is where a form may lead, `embedders` are the origins whose pages may frame this one.
    Gradio sets styles inline, embeds icons as data addresses and needs no `unsafe-eval`.
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    framing = " ".join(("'self'", *embedders))
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; "
        f"manifest-src 'self'; worker-src 'self' blob:; base-uri 'self'; form-action {forms}; "
        f"frame-ancestors {framing}"
    )


class SafeHeaders:
    """Adds the headers; an HTML page is held back until complete, to hash its inline scripts.

    The chat's page is empty without scripts: there it leads to the form that asks without them.
    """

    def __init__(self, app: ASGIApp, embedders: Sequence[str] = (), framed: ASGIApp | None = None) -> None:
        """`framed` is shown in a frame that is not allowed, in place of the browser's error."""
        self.app = app
        self.embedders = embedders
        self.framed = framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        # who may frame a page: the chat, its login and sources; not where files are uploaded and deleted
        framable = path in ("/", "/anmelden", "/fragen") or path.startswith("/quelle/")
        app, embedders = self.app, self.embedders if framable else ()
        asked = Headers(scope=scope)
        if self.framed is not None and is_framed_by_others(asked, embedders):
            app, embedders = self.framed, ("*",)
        if "text/html" in asked.get("accept", ""):  # a compressed page cannot be hashed
            kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        query = scope["query_string"].decode("latin-1")
        held: Message | None = None
        page = b""

        async def safe(message: Message) -> None:
            nonlocal held, page
            if message["type"] == "http.response.start":
                told = Headers(scope=message)
                if told.get("content-type", "").startswith("text/html") and "content-encoding" not in told:
                    held = message
                    return
                _set(message, f"{path}?{query}", content_security_policy())
            elif held is not None:
                page += message.get("body", b"")
                if message.get("more_body"):
                    return
                start, held = held, None
                if path == "/" and start["status"] == 200 and page:
                    page = page.replace(b"</head>", _TO_THE_FORM.format(query and f"?{query}").encode(), 1)
                    MutableHeaders(scope=start)["Content-Length"] = str(len(page))
                # search fields, login and logout, which work without scripts too
                forms = "'self'" if path.startswith(_WITH_FORMS) else "'none'"
                scripts = b"" if path.startswith(_WITHOUT_SCRIPTS) else page
                policy = content_security_policy(scripts, forms, embedders)
                _set(start, f"{path}?{query}", policy)
                await send(start)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await app(scope, receive, safe)


def _set(start: Message, address: str, policy: str) -> None:
    """Puts the headers into the head of a response."""
    headers = MutableHeaders(scope=start)
    headers.update(COMMON)
    if not address.startswith("/widget.js"):
        # Gradio lets pages of any localhost port read what a reader's cookie opens
        for name in ("access-control-allow-origin", "access-control-allow-credentials"):
            del headers[name]
    headers["Content-Security-Policy"] = policy
    if start["status"] == 200 and _NEVER_CHANGING.match(address):
        headers["Cache-Control"] = _FOREVER


def is_framed_by_others(headers: Headers, embedders: Sequence[str]) -> bool:
    """Whether a browser surely asks for a frame on a page of another site that may not show ours.

    Where it does not say whose page that is, our policy tells it whether to show what it gets.
    """
    if headers.get("sec-fetch-dest") not in _FRAMES or headers.get("sec-fetch-site") == "same-origin":
        return False
    asks = _host_and_port(headers.get("referer", ""))
    known = [each for origin in embedders if (each := _host_and_port(origin))]
    return not known or (asks is not None and not any(fnmatchcase(asks, each) for each in known))


def _host_and_port(address: str) -> str | None:
    """Host and port of an address, or None; default ports are equal, because the policy accepts https for
    http."""
    try:
        parts = urlsplit(address)
        port = "" if parts.port in (None, 80, 443) else parts.port
    except ValueError:  # a broken address, as http://[
        return None
    return f"{parts.hostname}:{port}" if parts.hostname else None
