"""E-books: the chapters in the order in which they are read."""

from __future__ import annotations

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from ingest.readers.archive import open_archive, parse_xml, pictures_in
from ingest.readers.document import Document, Reading, clean_field, compose, metadata
from ingest.readers.encoding import decode
from ingest.readers.markup import blocks_of, page_tree
from rag.errors import ArticleError

_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_epub(data: bytes) -> Reading:
    """One document of all chapters; title, author, publisher and date are those of the book."""
    from lxml import etree

    try:
        with open_archive(data) as archive:
            container = parse_xml(archive.read("META-INF/container.xml"))
            place = container.find(".//{*}rootfile").get("full-path")
            book = parse_xml(archive.read(place))
            held = set(archive.namelist())
            chapters = [archive.read(name) for name in dict.fromkeys(_chapters(book, place)) if name in held]
            pictures = pictures_in(archive)
    except (zipfile.BadZipFile, KeyError, AttributeError, TypeError, etree.XMLSyntaxError) as exc:
        raise ArticleError("epub_unreadable", why=exc) from exc
    pages = [page_tree(decode(chapter)) for chapter in chapters if chapter.strip()]
    blocks = [block for page in pages for block in blocks_of(page)]
    return Reading(
        (compose(blocks, Document("", structured=True, **_stated(book))),),
        counts={"chapters": len(pages)},
        left_out={"pictures": pictures},
    )


def _chapters(book: Any, place: str) -> list[str]:
    """Names of the chapters' files, without the table of contents."""
    files = {item.get("id"): item for item in book.iter(f"{_OPF}item")}
    spine = [files[ref.get("idref")] for ref in book.iter(f"{_OPF}itemref") if ref.get("idref") in files]
    shown = [item for item in spine if "nav" not in (item.get("properties") or "").split()]
    names = [unquote(item.get("href")) for item in shown]
    return [posixpath.normpath(posixpath.join(posixpath.dirname(place), name)) for name in names]


def _stated(book: Any) -> dict[str, Any]:
    tags = {"title": "title", "outlet": "publisher", "published": "date", "language": "language"}
    fields = {name: book.findtext(f".//{_DC}{tag}") for name, tag in tags.items()}
    known, _ = metadata(fields)
    known["author"] = clean_field([creator.text or "" for creator in book.iter(f"{_DC}creator")])
    return known | {"id": None}
