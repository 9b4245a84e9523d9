"""Word files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.readers.document import Block, Document, Reading, compose, given_title, person, squeeze
from rag.errors import ArticleError

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.table import Table
    from docx.text.paragraph import Paragraph


def read_docx(data: bytes) -> Reading:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > 200_000_000:
            raise ArticleError("docx_too_large", megabytes=round(unpacked / 1e6))
        word = docx.Document(io.BytesIO(data))
        _show_as_accepted(word.element)
        blocks = [_docx_block(item) for item in word.iter_inner_content()]
        blocks += [Block(note) for note in _notes(word)]
        info = word.core_properties
        title, author = given_title(info.title), person(info.author)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # zipfile, lxml and python-docx share no ancestor
        raise ArticleError("docx_unreadable", why=exc) from exc
    structured = any(block.kind for block in blocks)
    document = Document("", title=title, author=author, structured=structured)
    return Reading((compose(blocks, document),))


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
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn

    for kind in ("footnote", "endnote"):
        parts = [each.target_part for each in word.part.rels.values() if each.reltype.endswith(f"/{kind}s")]
        for note in (note for part in parts for note in parse_xml(part.blob).iter(qn(f"w:{kind}"))):
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
