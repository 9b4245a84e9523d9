"""Turns HTML and XML, from whatever format, into blocks: what a page shows, paragraph by paragraph."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from ingest.readers.document import BEFORE_MARK, Block, squeeze
from rag.errors import ArticleError
from rag.schema import AsideKind
from rag.text.normalize import CAPITAL

_SILENT = frozenset(
    "script style noscript template nav footer form button select textarea svg iframe object video audio"
    " canvas head title del s strike rp rt".split()
)
_APART = frozenset(
    "p h1 h2 h3 h4 h5 h6 ol ul li dl dt dd tr blockquote figcaption caption div section article aside main"
    " header table thead tbody tfoot figure pre hr body address details summary center time".split()
)
_AS_HTML = {"row": "tr", "item": "li", "lb": "br", "quote": "blockquote"}
"""Names that trafilatura's tree has for the same."""
_KINDS: dict[str, AsideKind] = {
    "h1": "title",
    "figcaption": "caption",
    "caption": "caption",
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "heading"),
}
_IS_APART = re.compile(rf"[«„“\"(]?[{CAPITAL}\d][^\n]{{0,98}}[^\s.,;:!?…-]")
_BACK = re.compile(r"[↩↑^⏎↵\ufe0e\ufe0f\s]+")
_NUMBER = re.compile(r"(?:\d{1,3}\.|\[\d{1,3}\])")


def page_tree(html: str) -> Any:
    """The page as a tree of elements."""
    from lxml import html as pages

    # as bytes, for lxml refuses text that declares an encoding
    return pages.document_fromstring(html.encode(), parser=pages.HTMLParser(encoding="utf-8"))


def blocks_of(node: Any) -> Iterator[Block]:
    """All that an element shows, block by block; two line breaks part blocks, too.

    Rows of tables are blocks, items of numbered lists have their number, notes theirs in brackets; what is
    struck out says nothing.
    """
    held, kind = "", None
    for words, now in _pieces(node, None):
        if words is not None:
            held, kind = held + words, now
        elif not _NUMBER.fullmatch(held.strip()):  # else it is that of the next block
            yield from _parted(held, kind)
            held = ""
    yield from _parted(held, kind)


def _parted(text: str, kind: AsideKind | None) -> Iterator[Block]:
    """A block for each part between empty lines, or for each of a few short lines: author, outlet, day."""
    lines = [line.strip() for line in text.split("\n")]
    apart = kind is None and 1 < len(lines) < 5 and all(map(_IS_APART.fullmatch, lines))
    for part in lines if apart else re.split(r"\n[^\S\n]*\n", text):
        if part.strip():
            yield Block(re.sub(r"^\s*(\[\d+\])(?=\w)", r"\1 ", part), kind)


_Piece = tuple[str | None, AsideKind | None]  # words, or None between blocks


def _pieces(node: Any, kind: AsideKind | None) -> Iterator[_Piece]:
    tag = _tag(node)
    if tag in _SILENT or node.get("hidden") is not None:
        return
    if tag == "br":
        yield "\n", kind
        return
    kind = _KINDS.get(tag, kind)
    apart = tag in _APART
    if apart:
        yield None, kind
    if tag == "tr":
        cells = (" ".join(squeeze(block.text) for block in blocks_of(cell)) for cell in node)
        yield " | ".join(cells).strip("| "), kind
    elif (mark := _mark(node, tag)) is not None:
        yield mark, kind
    else:
        yield _flat(node.text), kind
        number = _number(node.get("start"), 1)
        for child in node:
            if tag == "ol" and _tag(child) == "li":
                number = _number(child.get("value"), number)
                is_note = re.search("note|fn", child.get("id", ""))
                yield (f"[{number}] " if is_note else f"{number}. "), kind
                number += 1
            yield from _pieces(child, kind)
            yield _flat(child.tail), kind
    if apart:
        yield None, kind


def _number(stated: str | None, usual: int) -> int:
    return int(stated) if stated and stated.isdecimal() and len(stated) < 10 and int(stated) else usual


def _tag(node: Any) -> str:
    """An element's name in HTML; comments are as silent as scripts."""
    if not isinstance(node.tag, str):
        return "script"
    level = node.get("rend")
    if node.tag == "head" and level:
        return str(level)
    if node.tag == "list":
        return "ol" if level == "ol" else "ul"
    return _AS_HTML.get(node.tag, node.tag)


def _flat(text: str | None) -> str:
    return (text or "").replace("\n", " ")


def _mark(node: Any, tag: str) -> str | None:
    """The mark of a note for a raised number, or one that leads to it; nothing for the way back from it."""
    if tag not in ("a", "sup", "span"):
        return None
    text = "".join(node.itertext()).strip()
    leads = tag == "a" and "#" in node.get("href", "")
    if leads and _BACK.fullmatch(text):
        return ""
    if not (text.isdecimal() and len(text) <= 3):
        return None
    if leads or "noteref" in " ".join(map(str, node.attrib.values())):
        return f"[{text}]"
    before = node.getprevious().tail if node.getprevious() is not None else node.getparent().text
    return f"[{text}]" if tag == "sup" and BEFORE_MARK.search(before or "") else None


# --- archives of such files: Word, OpenDocument, e-books

_LARGEST, _LARGEST_TEXT = 200_000_000, 30_000_000  # bytes, unpacked: with pictures, and of markup alone
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".emf", ".wmf", ".tif", ".tiff", ".bmp")


def open_archive(data: bytes, text: int = _LARGEST_TEXT) -> zipfile.ZipFile:
    """The archive, with at most so many bytes of markup; no more is unpacked than it states.

    Raises ArticleError and zipfile.BadZipFile.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    sizes = [(entry.filename.lower(), entry.file_size) for entry in archive.infolist()]
    unpacked = sum(size for _, size in sizes)
    markup = sum(size for name, size in sizes if name.endswith(("xml", "html", "htm", "rels")))
    if unpacked > _LARGEST or markup > text:
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
