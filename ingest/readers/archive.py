"""Files that are ZIP archives of XML: Word, OpenDocument, e-books."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from rag.errors import ArticleError

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
