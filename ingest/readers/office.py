"""Texts of word processors: Word, OpenDocument as LibreOffice writes it, and the older Rich Text Format."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from ingest.readers.document import Block, Document, Reading, compose, given_title, person, refuse_long
from ingest.readers.html import blocks_of, page_tree
from rag.errors import ArticleError

# --- archives: Word, OpenDocument, e-books

_LARGEST_ARCHIVE, _LARGEST_TEXT = 200_000_000, 30_000_000  # bytes, unpacked: of all, and of markup alone
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".emf", ".wmf", ".tif", ".tiff", ".bmp")


def open_archive(data: bytes, text: int = _LARGEST_TEXT) -> zipfile.ZipFile:
    """The archive, with at most so many bytes of markup; no more is unpacked than it states.

    Raises ArticleError and zipfile.BadZipFile.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    sizes = [(entry.filename.lower(), entry.file_size) for entry in archive.infolist()]
    unpacked = sum(size for _, size in sizes)
    markup = sum(size for name, size in sizes if name.endswith(("xml", "html", "htm", "rels")))
    if unpacked > _LARGEST_ARCHIVE or markup > text:
        raise ArticleError("unpacks_too_large", megabytes=round(unpacked / 1e6))
    return archive


def pictures_in(archive: zipfile.ZipFile) -> int:
    """How many pictures there are, without the small one that shows the first page."""
    names = map(str.lower, archive.namelist())
    return sum(name.endswith(_PICTURES) and "thumbnail" not in name for name in names)


def parse_xml(data: bytes) -> Any:
    """The root element; what a document type would fetch or repeat is left alone. Raises XMLSyntaxError."""
    from lxml import etree

    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


# --- Word

_LARGEST_WORD = 15_000_000  # bytes of markup, of which mammoth takes a gigabyte of memory
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

    with open_archive(data, text=_LARGEST_WORD) as archive:
        texts = re.findall(rb"<w:t[^>]*>([^<]*)", archive.read("word/document.xml"))
        refuse_long(sum(len(text.split()) for text in texts))  # before mammoth takes its minutes
        pictures = pictures_in(archive)
        names = archive.namelist()
        parts = ([name for name in names if re.fullmatch(pattern, name)] for pattern in _PARTS)
        frames, comments, facts = ([parse_xml(archive.read(name)) for name in part] for part in parts)
    no_image = mammoth.images.img_element(lambda _: {"src": ""})
    html = mammoth.convert_to_html(io.BytesIO(data), style_map=_STYLES, convert_image=no_image).value
    blocks = list(blocks_of(page_tree(f"<body>{html}</body>")))
    title, author = (facts[0].findtext(f"{{*}}{name}") if facts else None for name in ("title", "creator"))
    known = _known(title, author, blocks)
    notes = html.count('<li id="footnote-') + html.count('<li id="endnote-')
    headers = sum(bool("".join(frame.itertext()).strip()) for frame in frames)
    noted = sum(len(part.findall("{*}comment")) for part in comments)
    left_out = {"pictures": pictures, "headers": headers, "comments": noted}
    return Reading((compose(blocks, known),), counts={"notes": notes}, left_out=left_out)


def _known(title: str | None, author: str | None, blocks: Sequence[Block]) -> Document:
    is_structured = any(block.kind for block in blocks)
    return Document("", title=given_title(title), author=person(author), structured=is_structured)


# --- OpenDocument

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
    notes = list(body.iter(f"{_TEXT}note"))
    for number, note in enumerate(notes, 1):  # its text comes last, its mark stands in its place
        held = note.find(f"{_TEXT}note-body")
        mark = held.text = f"[{number}]"
        body.append(held)
        for child in list(note):
            note.remove(child)
        note.text = mark
    _name_as_html(body)
    blocks = list(blocks_of(body))
    document = compose(blocks, _known(title, author or maker, blocks))
    left_out = {"pictures": pictures, "comments": comments}
    return Reading((document,), counts={"notes": len(notes)}, left_out=left_out)


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


# --- Rich Text

_BOX = re.compile(r"\{(?:\\\*)?\\shp(?:inst|(txt))?(?![a-z])")


def read_rtf(data: bytes) -> Reading:
    """The text, also that of text boxes; styles, pictures, notes, comments and deletions are left out."""
    rtf = data.decode("latin-1").replace("{\\deleted", "{\\*\\deleted")
    text = _plain(_BOX.sub(lambda box: "{\\par " if box[1] else "{", rtf))
    stated = (re.findall(rf"\{{\\{name} ([^{{}}]*)\}}", rtf) for name in ("title", "author"))
    title, author = (_plain("".join(found[:1])) for found in stated)
    # a table comes with a bar behind each cell
    lines = [line.strip("|").replace("|", " | ") for line in text.replace("\n|", "|").split("\n")]
    blocks = list(map(Block, lines))
    left_out = {"pictures": data.count(b"\\pict"), "notes": data.count(b"\\footnote")}
    return Reading((compose(blocks, _known(title, author, blocks)),), left_out=left_out)


def _plain(rtf: str) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(rtf, errors="replace"))  # type: ignore[no-untyped-call]
