"""Web pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ingest.readers.document import (
    Block,
    Document,
    Reading,
    clean_field,
    compose,
    metadata,
    parse_genre,
    squeeze,
)
from ingest.readers.encoding import decode
from rag.errors import ArticleError
from rag.schema import AsideKind, Genre
from rag.text.normalize import normalise

_DECLARED = re.compile(rb"(?:charset|<\?xml\b[^>]{0,80}\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read_html(data: bytes) -> Reading:
    from trafilatura import bare_extraction

    declared = _DECLARED.search(data[:4096])
    html = normalise(decode(data, declared[1].decode("ascii", "replace") if declared else None))
    try:
        # only dates that the page marks up as its own: the text is full of others
        found = bare_extraction(
            html,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except RecursionError:
        raise
    except Exception as exc:  # trafilatura and lxml name no common ancestor
        raise ArticleError("html_unreadable", why=exc) from exc
    if found is None or isinstance(found, dict) or not (found.text or "").strip():
        raise ArticleError("html_without_article")
    fields = {"title": found.title, "outlet": found.sitename, "published": found.date}
    known, _ = metadata({**fields, "language": _html_language(html)})
    known["author"] = clean_field((found.author or "").replace("; ", ", "))
    known["genre"] = _html_genre(html, found.categories or [])
    document = Document("", structured=True, **known)
    return Reading((compose(_html_blocks(found.body), document),))


def _html_language(html: str) -> str | None:
    match = re.search(r"<html\b[^<>]*?\slang\s*=\s*[\"']?([\w-]+)", html, re.IGNORECASE)
    return match[1] if match else None


def _html_genre(html: str, categories: Iterable[str]) -> Genre | None:
    kind = re.search(r'"@type"\s*:\s*(?:\[\s*)?"(Opinion|Reportage)NewsArticle"', html)
    if kind:
        return "comment" if kind[1] == "Opinion" else "report"
    return next(filter(None, map(parse_genre, categories)), None)


_HTML_BLOCKS = frozenset({"p", "head", "item", "quote", "list", "table", "row", "code"})


def _html_blocks(node: Any, kind: AsideKind | None = None) -> Iterator[Block]:
    """Blocks of trafilatura's tree: text between nested blocks is a block of its own."""
    words = [node.text or ""]
    for child in node:
        if child.tag == "row":
            yield Block(" | ".join(squeeze(" ".join(cell.itertext())) for cell in child))
        elif child.tag in _HTML_BLOCKS:
            yield Block("".join(words), kind)
            words = []
            heading: AsideKind = "title" if child.get("rend") == "h1" else "heading"
            yield from _html_blocks(child, heading if child.tag == "head" else kind)
        else:
            words.append(" " if child.tag == "lb" else "".join(child.itertext()))
        words.append(child.tail or "")
    yield Block("".join(words), kind)
