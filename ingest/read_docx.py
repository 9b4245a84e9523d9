"""Word files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.documents import Block, Document, Reading, compose, given_title, person, squeeze
from rag.errors import ArticleError

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph


def read_docx(path: Path, data: bytes) -> Reading:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > 200_000_000:
            raise ArticleError(f"{path} unpacks to {unpacked / 1e6:.0f} MB; save its text as .txt")
        word = docx.Document(io.BytesIO(data))
        blocks = [_docx_block(item) for item in word.iter_inner_content()]
        info = word.core_properties
        title, author = given_title(info.title), person(info.author)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # zipfile, lxml and python-docx share no ancestor
        raise ArticleError(f"{path} is not a readable Word file ({exc}); save it again as .docx") from exc
    structured = any(block.kind for block in blocks)
    document = Document("", title=title, author=author, structured=structured)
    return Reading((compose(blocks, document),))


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
