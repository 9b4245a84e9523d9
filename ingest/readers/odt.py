"""OpenDocument texts, as LibreOffice writes them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from ingest.readers.archive import open_archive, parse_xml, pictures_in
from ingest.readers.document import (
    Block,
    Document,
    Reading,
    compose,
    given_title,
    parse_date,
    person,
    squeeze,
)
from rag.errors import ArticleError

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_LEFT_OUT = {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}table-of-content", f"{_TEXT}note"}


def read_odt(data: bytes) -> Reading:
    """The text with its footnotes behind it; deletions and comments are left out."""
    from lxml import etree

    try:
        with open_archive(data) as archive:
            body = parse_xml(archive.read("content.xml")).find(f".//{_OFFICE}text")
            meta = parse_xml(archive.read("meta.xml")) if "meta.xml" in archive.namelist() else None
            pictures = pictures_in(archive)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError) as exc:
        raise ArticleError("odt_unreadable", why=exc) from exc
    if body is None:
        raise ArticleError("odt_without_text")
    notes = list(body.iter(f"{_TEXT}note-body"))
    blocks = [*_blocks(body), *(Block(_words(note)) for note in notes)]
    known = Document("", structured=any(block.kind for block in blocks), **_stated(meta))
    return Reading(
        (compose(blocks, known),),
        counts={"notes": len(notes)},
        left_out={"pictures": pictures, "comments": len(list(body.iter(f"{_OFFICE}annotation")))},
    )


def _stated(meta: Any) -> dict[str, Any]:
    if meta is None:
        return {}
    title, author, day = (
        meta.findtext(f".//{name}") for name in (f"{_DC}title", f"{_META}initial-creator", f"{_META}date")
    )
    author = author or meta.findtext(f".//{_DC}creator")
    return {"title": given_title(title), "author": person(author), "published": parse_date(day or "")}


def _blocks(node: Any) -> Iterator[Block]:
    for child in node:
        if child.tag in _LEFT_OUT:
            continue
        if child.tag == f"{_TEXT}h":
            top = child.get(f"{_TEXT}outline-level") == "1"
            yield Block(_words(child), "title" if top else "heading")
        elif child.tag == f"{_TEXT}p":
            yield Block(_words(child))
            for box in child.iter("{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}text-box"):
                yield from _blocks(box)
        elif child.tag == f"{_TABLE}table-row":
            cells = child.iterfind(f"{_TABLE}table-cell")
            yield Block(" | ".join(squeeze(_words(cell)) for cell in cells))
        else:
            yield from _blocks(child)


def _words(node: Any) -> str:
    """The text of a paragraph or cell: tabs and breaks are spaces; notes and boxes stand elsewhere."""
    said = [node.text or ""]
    for child in node:
        if child.tag in (f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"):
            said.append(" ")
        elif child.tag not in _LEFT_OUT and not str(child.tag).endswith("}frame"):
            said.append(_words(child))
        said.append(child.tail or "")
    return (" " if node.tag == f"{_TEXT}p" else "") + "".join(said)
