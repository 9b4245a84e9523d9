"""The documentation of REST as one plain page, made of its schema: no script, nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from rag.i18n import Words
from rag.serve.views import page

Schema = dict[str, Any]


def docs_page(schema: Schema, words: Words) -> str:
    """The page; what the schema says stands there in English, as in the schema."""
    return page("docs.html", words, schema=schema, base=schema["servers"][0]["url"])
