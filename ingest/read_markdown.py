"""Markdown, with front matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.decoding import decode
from ingest.documents import Block, Document, Reading, compose, metadata
from rag.errors import ArticleError
from rag.schema import AsideKind
from rag.text import normalise

if TYPE_CHECKING:
    from markdown_it.token import Token


def read_markdown(path: Path, data: bytes) -> Reading:
    from markdown_it import MarkdownIt

    fields, body = _front_matter(path, normalise(decode(data)))
    known, problems = metadata(fields, str(path))
    known["id"] = None  # an id in front matter is not promised; the file's name gives it
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    document = compose(_markdown_blocks(tokens), Document("", structured=True, **known))
    return Reading((document,), tuple(problems))


_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^[\w-]+[ \t]*:", re.MULTILINE)


def _front_matter(path: Path, text: str) -> tuple[dict[str, object], str]:
    """Front matter and body. Every value stays a string, so that `title: No` is not False."""
    import yaml  # type: ignore[import-untyped,unused-ignore]

    match = _FRONT_MATTER.match(text)
    if match is None:
        if re.match(r"---[ \t]*\n[\w-]+[ \t]*:", text):
            raise ArticleError(f"{path}, line 1: the front matter is not closed; add a line '---' below it")
        return {}, text
    head = match[1] or ""
    if head.strip() and not _FIELD.search(head):
        return {}, text  # a rule across the page, and text
    try:
        fields = yaml.load(head, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        what = getattr(exc, "problem", None) or "not YAML"
        raise ArticleError(
            f"{path}, line {mark.line + 2 if mark else 1}: broken front matter ({what});"
            " put values with a colon in quotation marks"
        ) from exc
    if isinstance(fields, dict):
        return fields, text[match.end() :]
    if fields is None:
        return {}, text[match.end() :]
    raise ArticleError(f"{path}, line 2: the front matter has no fields; write lines such as 'title: …'")


def _markdown_blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    kind: AsideKind | None = None
    numbers: list[str] = []
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            kind = "title" if token.tag == "h1" else "heading"
        elif token.type == "list_item_open" and token.info:
            numbers.append(f"{token.info}{token.markup} ")
        elif token.type == "list_item_close":
            numbers.clear()
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield Block(" | ".join(row or ()))
            row = None
        elif token.type == "inline":
            text = _markdown_text(token.children or ())
            if row is not None:
                row.append(text)
            else:
                yield Block((numbers.pop() if numbers else "") + text, kind)
            kind = None
        elif token.type in ("fence", "code_block"):
            yield Block(token.content)
        elif token.type == "html_block":
            yield Block(_without_tags(token.content))


def _markdown_text(children: Iterable[Token]) -> str:
    """Words of inline markup; pictures and raw HTML tags say nothing."""
    words = {"text": None, "code_inline": None, "softbreak": " ", "hardbreak": " "}
    return "".join(words[c.type] or c.content for c in children if c.type in words)


def _without_tags(html: str) -> str:
    bare = re.sub(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", " ", html, flags=re.DOTALL | re.I)
    return unescape(re.sub(r"<[^<>]*>", " ", bare))
