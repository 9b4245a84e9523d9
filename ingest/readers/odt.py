"""OpenDocument texts, as LibreOffice writes them."""

from __future__ import annotations

from typing import Any

from ingest.readers.document import Document, Reading, compose, given_title, person
from ingest.readers.markup import blocks_of, open_archive, parse_xml, pictures_in
from rag.errors import ArticleError

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_LEFT_OUT = (
    "tracked-changes annotation table-of-content covered-table-cell desc title sequence-decls ruby-text"
).split()
_AS_HTML = {
    "list-item": "li", "list-header": "li", "table-row": "tr", "table-cell": "td", "line-break": "br",
    "text-box": "div",
}  # fmt: skip


def read_odt(data: bytes) -> Reading:
    """The text with its footnotes behind it; deletions and comments are left out."""
    with open_archive(data) as archive:
        content = parse_xml(archive.read("content.xml"))
        meta = archive.read("meta.xml") if "meta.xml" in archive.namelist() else b"<meta/>"
        pictures = pictures_in(archive)
    names = ("title", "initial-creator", "creator")
    title, author, maker = (parse_xml(meta).findtext(f".//{{*}}{name}") for name in names)
    body = content.find(f".//{_OFFICE}text")
    if body is None:
        raise ArticleError("odt_without_text")
    comments = len(list(body.iter(f"{_OFFICE}annotation")))
    notes = _notes_behind(body)
    _name_as_html(body)
    blocks = list(blocks_of(body))
    is_structured = any(block.kind for block in blocks)
    known = Document("", title=given_title(title), author=person(author or maker), structured=is_structured)
    left_out = {"pictures": pictures, "comments": comments}
    return Reading((compose(blocks, known),), counts={"notes": notes}, left_out=left_out)


def _notes_behind(body: Any) -> int:
    """Puts each note's text behind all other and its mark where it stood; how many there were."""
    notes = list(body.iter(f"{_TEXT}note"))
    for number, note in enumerate(notes, 1):
        held = note.find(f"{_TEXT}note-body")
        mark = held.text = f"[{number}]"
        body.append(held)
        for child in list(note):
            note.remove(child)
        note.text = mark
    return len(notes)


def _name_as_html(body: Any) -> None:
    """Gives the elements their names in HTML; text boxes follow the paragraph that they hang on."""
    for box in list(body.iter("{*}text-box")):
        *_, anchor = (each for each in (box, *box.iterancestors(f"{_TEXT}p", f"{_TEXT}h")))
        if anchor is not box:
            anchor.addnext(box)
    for element in body.iter("{*}*"):
        name = element.tag.rpartition("}")[2]
        if name in _LEFT_OUT:
            element.tag = "script"
        elif name in ("s", "tab"):
            element.text, element.tag = " ", "span"
        elif name == "h":
            element.tag = f"h{min(int(element.get(f'{_TEXT}outline-level', '1')), 6)}"
        elif name == "list":
            element.tag = "ul"  # where its numbers begin is told elsewhere
        else:
            element.tag = _AS_HTML.get(name, name)
