"""Word files."""

from __future__ import annotations

import io
import re

from ingest.readers.document import Document, Reading, compose, given_title, person, refuse_long
from ingest.readers.markup import blocks_of, open_archive, page_tree, parse_xml, pictures_in

_LARGEST = 15_000_000  # bytes of markup, of which mammoth takes a gigabyte of memory
_PARTS = (r"word/(?:header|footer)\d*\.xml", r"word/comments\.xml", r"docProps/core\.xml")
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

    with open_archive(data, text=_LARGEST) as archive:
        texts = re.findall(rb"<w:t[^>]*>([^<]*)", archive.read("word/document.xml"))
        refuse_long(sum(len(text.split()) for text in texts))  # before mammoth takes its minutes
        pictures = pictures_in(archive)
        frames, comments, facts = (
            [parse_xml(archive.read(name)) for name in archive.namelist() if re.fullmatch(pattern, name)]
            for pattern in _PARTS
        )
    html = mammoth.convert_to_html(
        io.BytesIO(data), style_map=_STYLES, convert_image=mammoth.images.img_element(lambda _: {"src": ""})
    ).value
    blocks = list(blocks_of(page_tree(f"<body>{html}</body>")))
    document = Document(
        "",
        title=given_title(facts[0].findtext("{*}title")) if facts else None,
        author=person(facts[0].findtext("{*}creator")) if facts else None,
        structured=any(block.kind for block in blocks),
    )
    notes = html.count('<li id="footnote-') + html.count('<li id="endnote-')
    left_out = {
        "pictures": pictures,
        "headers": sum(bool("".join(frame.itertext()).strip()) for frame in frames),
        "comments": sum(len(part.findall("{*}comment")) for part in comments),
    }
    return Reading((compose(blocks, document),), counts={"notes": notes}, left_out=left_out)
