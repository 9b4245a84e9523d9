"""Word files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.readers.archive import open_archive, pictures_in
from ingest.readers.document import Block, Document, Reading, compose, given_title, person, squeeze
from rag.errors import ArticleError

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.table import Table
    from docx.text.paragraph import Paragraph


def read_docx(data: bytes) -> Reading:
    import docx

    try:
        with open_archive(data) as archive:
            left_out = {"pictures": pictures_in(archive)}
        word = docx.Document(io.BytesIO(data))
        _show_as_accepted(word.element)
        blocks = [_docx_block(item) for item in word.iter_inner_content()]
        notes = list(_notes(word))
        blocks += map(Block, notes)
        left_out |= _left_out(word)
        info = word.core_properties
        title, author = given_title(info.title), person(info.author)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # zipfile, lxml and python-docx share no ancestor
        raise ArticleError("docx_unreadable", why=exc) from exc
    structured = any(block.kind for block in blocks)
    document = Document("", title=title, author=author, structured=structured)
    return Reading((compose(blocks, document),), counts={"notes": len(notes)}, left_out=left_out)


def _left_out(word: Word) -> dict[str, int]:
    """How many running heads and feet, and comments, there are."""
    from docx.oxml.ns import qn

    # as `w:hdr` of a part; a section that has none of its own would make one when asked
    kinds = {"headers": ("header", "footer"), "comments": ("comments",)}
    parts = [(rel.reltype.rpartition("/")[2], rel.target_part) for rel in _inner(word)]
    found = {name: [part for kind, part in parts if kind in ours] for name, ours in kinds.items()}
    texts = ["".join(_root(part).itertext()).strip() for part in found["headers"]]
    comments = sum(len(list(_root(part).iter(qn("w:comment")))) for part in found["comments"])
    return {"headers": sum(map(bool, texts)), "comments": comments}


def _inner(word: Word) -> list[Any]:
    """The relations of the document to other parts of its file."""
    return [rel for rel in word.part.rels.values() if not rel.is_external]


def _root(part: Any) -> Any:
    from docx.oxml import parse_xml

    return parse_xml(part.blob)


_GONE = (
    "//w:tr[w:trPr/w:del] | //w:del | //w:moveFrom | //*[local-name()='Fallback']"
    " | //w:sdt[w:sdtPr/w:docPartObj/w:docPartGallery[@w:val='Table of Contents']]"
)
_AROUND_TEXT = (
    "//w:ins | //w:moveTo | //w:smartTag | //w:fldSimple | //w:customXml | //w:sdt/w:sdtContent | //w:sdt"
)
_MERGED = "//w:tcPr/w:gridSpan | //w:tcPr/w:vMerge"


def _show_as_accepted(document: Any) -> None:
    """Makes text plain that python-docx passes over: as Word shows it once all changes are accepted.

    Insertions and content controls are unwrapped, deletions removed, text boxes follow the paragraph that
    they hang on (without the copy for old programs), and a merged cell is one cell.
    """
    from docx.oxml.ns import qn

    for element in (
        document.xpath(_GONE) + document.xpath(_MERGED) + document.xpath("//w:sdtPr | //w:sdtEndPr")
    ):
        element.getparent().remove(element)
    for element in document.xpath(_AROUND_TEXT):
        for child in list(element):
            element.addprevious(child)
        element.getparent().remove(element)
    for box in document.xpath("//w:txbxContent"):
        *_, anchor = box.iterancestors(qn("w:p"))  # the outermost
        for child in reversed(list(box)):
            anchor.addnext(child)


def _notes(word: Word) -> Iterator[str]:
    """Texts of the footnotes and endnotes, in their order; deleted text is no `w:t`."""
    from docx.oxml.ns import qn

    for kind in ("footnote", "endnote"):
        parts = [each.target_part for each in _inner(word) if each.reltype.endswith(f"/{kind}s")]
        for note in (note for part in parts for note in _root(part).iter(qn(f"w:{kind}"))):
            if note.get(qn("w:type")) is None:  # else the line above the notes
                paragraphs = note.iter(qn("w:p"))
                yield " ".join("".join(text.text or "" for text in p.iter(qn("w:t"))) for p in paragraphs)


def _docx_block(item: Paragraph | Table) -> Block:
    from docx.text.paragraph import Paragraph

    if not isinstance(item, Paragraph):
        rows = (" | ".join(squeeze(cell.text) for cell in row.cells) for row in item.rows)
        return Block("; ".join(rows))
    style = (item.style.name if item.style else None) or ""
    if style == "Caption":
        return Block(item.text, "caption")
    if style.startswith("Heading"):
        return Block(item.text, "title" if style == "Heading 1" else "heading")
    return Block(item.text, "title" if style == "Title" else None)
