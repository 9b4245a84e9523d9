"""Word files."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from ingest.readers.archive import open_archive, parse_xml, pictures_in
from ingest.readers.document import Document, Reading, compose, given_title, person, refuse_long
from ingest.readers.markup import blocks_of, page_tree
from rag.errors import ArticleError

_LARGEST = 15_000_000  # bytes of markup, of which mammoth takes a gigabyte of memory
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='caption'] => figcaption:fresh
p[style-name='Image Caption'] => figcaption:fresh
p[style-name='Table Caption'] => figcaption:fresh
p[style-name='Illustration'] => figcaption:fresh
p[style-name^='toc '] => !
p:ordered-list(1) => ul > li:fresh
p:ordered-list(2) => ul > li:fresh
p:ordered-list(3) => ul > li:fresh
p:ordered-list(4) => ul > li:fresh
p:ordered-list(5) => ul > li:fresh
"""
"""Beside those that mammoth knows: https://github.com/mwilliamson/python-mammoth#writing-style-maps

Where a list's numbers begin it does not know, and a wrong one may make a date: items have none.
"""


def read_docx(data: bytes) -> Reading:
    """The text as Word shows it once all changes are accepted, its notes behind it."""
    import mammoth  # type: ignore[import-untyped]

    try:
        with open_archive(data, text=_LARGEST) as archive:
            left_out = {"pictures": pictures_in(archive), **_left_out(archive)}
            known = _stated(archive)
            texts = re.findall(rb"<w:t[^>]*>([^<]*)", archive.read("word/document.xml"))
            refuse_long(sum(len(text.split()) for text in texts))  # before mammoth takes its minutes
        html = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda _: {"src": ""}),
        ).value
        blocks = list(blocks_of(page_tree(f"<body>{html}</body>")))
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # zipfile, expat, lxml and mammoth share no ancestor
        raise ArticleError("docx_unreadable", why=exc) from exc
    document = Document("", structured=any(block.kind for block in blocks), **known)
    notes = html.count('<li id="footnote-') + html.count('<li id="endnote-')
    return Reading((compose(blocks, document),), counts={"notes": notes}, left_out=left_out)


def _left_out(archive: zipfile.ZipFile) -> dict[str, int]:
    """How many running heads and feet, and comments, there are."""
    parts = [parse_xml(archive.read(name)) for name in _named(r"word/(?:header|footer)\d*\.xml", archive)]
    notes = [parse_xml(archive.read(name)) for name in _named(r"word/comments\.xml", archive)]
    return {
        "headers": sum(bool("".join(part.itertext()).strip()) for part in parts),
        "comments": sum(len(part.findall("{*}comment")) for part in notes),
    }


def _named(pattern: str, archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if re.fullmatch(pattern, name)]


def _stated(archive: zipfile.ZipFile) -> dict[str, Any]:
    for name in _named(r"docProps/core\.xml", archive):
        facts = parse_xml(archive.read(name))
        return {
            "title": given_title(facts.findtext("{*}title")),
            "author": person(facts.findtext("{*}creator")),
        }
    return {}
