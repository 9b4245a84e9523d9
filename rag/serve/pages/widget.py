"""The script for other pages that opens the chat.

Browsers enforce which pages may show the chat (`frame-ancestors` in headers.py); the script is public.
"""

import json

from starlette.responses import Response

from rag.i18n import LANGUAGES
from rag.serve.links import STATIC

PATH = "/widget.js"
_WORDS = 'JSON.parse("of all languages")'
_HEADERS = {
    # it changes with Beleg, while the pages that load it do not
    "Cache-Control": "public, max-age=300",
    # for pages that are cross-origin isolated or check the script's hash
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def widget() -> Response:
    """`/widget.js`, with its words in every language, because only the page knows which one it needs."""
    words = {lang: words.at("widget") for lang, words in LANGUAGES.items()}
    script = (STATIC / "widget.js").read_text(encoding="utf-8").replace(_WORDS, json.dumps(words))
    return Response(script, media_type="text/javascript", headers=_HEADERS)
