"""Response headers for every door: what a page may load, who may frame it, what is kept; and error pages."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.serve.api.errors import FRESH
from rag.serve.opening import COMMON, WIDGET
from rag.serve.pages.routes import words_of
from rag.serve.views import page

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_NEVER_CHANGING = re.compile(r"/assets/.|/static/fonts/.|/beleg/.+\?v=")
# these pages have no inline scripts of ours
_WITHOUT_SCRIPTS = tuple(
    "/quelle/ /artikel /antwort/ /auswahl /fragen /auswertung /anmelden /abmelden /api/".split()
)
_WITH_FORMS = ("/artikel", "/auswahl", "/quelle/", "/fragen", "/anmelden", "/abmelden")
_FOR_PROGRAMS = ("/api/", "/v1", "/mcp", "/gradio_api/", "/beleg/")
_FRAMES = ("iframe", "frame", "embed", "object")
_TO_THE_FORM = Markup('<noscript><meta http-equiv="refresh" content="0; url=./fragen{}"></noscript></head>')
_FOREVER = "public, max-age=31536000, immutable"


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


def safe_headers(app: ASGIApp, embedders: Sequence[str] = ()) -> ASGIApp:
    """Middleware that adds the headers, and shows browsers a page where programs get an error as JSON.

    An HTML page is held back until complete, to hash its inline scripts. The chat's page is empty without
    scripts: there it leads to the form that asks without them. In a frame that is not allowed a page of
    ours says so, in place of the browser's error.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        # who may frame a page: the chat, its login and sources; not where files are uploaded and deleted
        framable = path in ("/", "/anmelden", "/fragen") or path.startswith("/quelle/")
        inner, framing, asked = app, embedders if framable else (), Headers(scope=scope)
        if is_framed_by_others(asked, framing):
            inner, framing = _framed, ("*",)
        browses = "text/html" in asked.get("accept", "")
        if browses:  # a compressed page cannot be hashed
            kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        in_words = browses and scope["method"] in ("GET", "HEAD") and not path.startswith(_FOR_PROGRAMS)
        held: Message | None = None
        html = b""

        async def safe(message: Message) -> None:
            nonlocal held, html
            if message["type"] == "http.response.start":
                if _is_page(message) or (in_words and message["status"] >= 400):
                    held = message
                    return
                _set(message, f"{path}?{query}", content_security_policy())
            elif held is not None:
                html += message.get("body", b"")
                if message.get("more_body"):
                    return
                start, held = held, None
                if not _is_page(start):
                    told = _refusal(Request(scope), start, html)
                    start, html = {**start, "headers": told.raw_headers}, bytes(told.body)
                if path == "/" and start["status"] == 200 and html:
                    html = html.replace(b"</head>", _TO_THE_FORM.format(query and f"?{query}").encode(), 1)
                    MutableHeaders(scope=start)["Content-Length"] = str(len(html))
                # search fields, login and logout, which work without scripts too
                forms = "'self'" if path.startswith(_WITH_FORMS) else "'none'"
                scripts = b"" if path.startswith(_WITHOUT_SCRIPTS) else html
                _set(start, f"{path}?{query}", content_security_policy(scripts, forms, framing))
                await send(start)
                message = {"type": "http.response.body", "body": html}
            await send(message)

        await inner(scope, receive, safe)

    return answered


def _is_page(start: Message) -> bool:
    told = Headers(scope=start)
    return told.get("content-type", "").startswith("text/html") and "content-encoding" not in told


def _set(start: Message, address: str, policy: str) -> None:
    """Puts the headers into the head of a response."""
    headers = MutableHeaders(scope=start)
    headers.update(COMMON)
    if not address.startswith(WIDGET):
        # Gradio lets pages of any localhost port read what a reader's cookie opens
        for name in ("access-control-allow-origin", "access-control-allow-credentials"):
            del headers[name]
    headers["Content-Security-Policy"] = policy
    if start["status"] == 200 and _NEVER_CHANGING.match(address):
        headers["Cache-Control"] = _FOREVER


def _refusal(request: Request, start: Message, told: bytes) -> HTMLResponse:
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


async def _framed(scope: Scope, receive: Receive, send: Send) -> None:
    """The page that another site's page shows in its frame, where that is not allowed."""
    await HTMLResponse(page("framed.html", words_of(Request(scope))), headers=FRESH)(scope, receive, send)


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
    """Host and port of an address, or None; 80 and 443 are equal: the policy accepts https for http."""
    try:
        parts = urlsplit(address)
        port = "" if parts.port in (None, 80, 443) else parts.port
    except ValueError:  # a broken address, as http://[
        return None
    return f"{parts.hostname}:{port}" if parts.hostname else None
