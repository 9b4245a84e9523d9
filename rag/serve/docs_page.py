"""The documentation of REST as one plain page, made of its schema: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rag.serve.frame import page
from rag.serve.markup import html_text
from rag.serve.strings import Strings

Schema = dict[str, Any]
_TEXTS = {
    "de": {
        "title": "REST-Schnittstelle",
        "schema": "Schema als JSON",
        "types": "Typen",
        "answers": "Antworten",
    },
    "en": {"title": "REST interface", "schema": "Schema as JSON", "types": "Types", "answers": "Responses"},
}


def docs_page(schema: Schema, words: Strings) -> str:
    """The page; what the schema says stands there in English, as in the schema."""
    text, base = _TEXTS[words.lang], schema["servers"][0]["url"]
    routes = "".join(
        _route(f"{base}{path}", method, route, text["answers"])
        for path, methods in schema["paths"].items()
        for method, route in methods.items()
    )
    types = "".join(_type(name, each) for name, each in schema["components"]["schemas"].items())
    body = (
        f'<article class="reader"><h1>{html_text(text["title"])}</h1>'
        f'<p><a href="{base}/openapi.json">{html_text(text["schema"])}</a></p>'
        f'<div lang="en">{routes}<h2>{html_text(text["types"])}</h2>{types}</div></article>'
    )
    return page(text["title"], body, words)


def _route(path: str, method: str, route: Schema, answers: str) -> str:
    taken = "".join(_parameter(each) for each in route.get("parameters", ()))
    for kind, media in route.get("requestBody", {}).get("content", {}).items():
        taken += f"<li><code>{html_text(kind)}</code>: {_name(media.get('schema', {}))}</li>"
    given = "".join(
        f"<li><strong>{html_text(status)}</strong> {_content(answer)} {html_text(answer['description'])}</li>"
        for status, answer in route["responses"].items()
    )
    return (
        f"<section><h2><code>{html_text(method.upper())} {html_text(path)}</code></h2>"
        f"<p>{html_text(route.get('description', ''))}</p><ul>{taken}</ul>"
        f"<details><summary>{html_text(answers)}</summary><ul>{given}</ul></details></section>"
    )


def _parameter(parameter: Schema) -> str:
    needed = "" if parameter.get("required") else "?"
    about = html_text(parameter.get("description", ""))
    return (
        f"<li><code>{html_text(parameter['name'])}{needed}</code>: {_name(parameter['schema'])} {about}</li>"
    )


def _content(answer: Schema) -> str:
    return ", ".join(
        f"<code>{html_text(kind)}</code> {_name(media.get('schema', {}))}"
        for kind, media in answer.get("content", {}).items()
    )


def _type(name: str, schema: Schema) -> str:
    needed = set(schema.get("required", ()))
    fields = "".join(
        f"<li><code>{html_text(field)}{'' if field in needed else '?'}</code>: {_name(each)}"
        f" {html_text(each.get('description', ''))}</li>"
        for field, each in schema.get("properties", {}).items()
    )
    about = html_text(schema.get("description", ""))
    return (
        f'<section id="{html_text(name)}"><h3>{html_text(name)}</h3><p>{about}</p><ul>{fields}</ul></section>'
    )


def _name(schema: Schema) -> str:
    """A type in a few words, linked where it has a name."""
    return " | ".join(_names(schema)) or "any"


def _names(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        name = html_text(schema["$ref"].rpartition("/")[2])
        yield f'<a href="#{name}">{name}</a>'
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _names(each)
    elif "enum" in schema:
        yield from (f"<code>{html_text(json.dumps(each))}</code>" for each in schema["enum"])
    elif schema.get("type") == "array":
        yield f"[{_name(schema['items'])}]"
    elif "type" in schema:
        yield html_text(schema["type"])
