"""Rich Text Format, as WordPad and old word processors write it."""

from __future__ import annotations

from ingest.readers.document import Block, Document, Reading, compose
from rag.errors import ArticleError
from rag.i18n import Phrase


def read_rtf(data: bytes) -> Reading:
    """The text; styles, pictures and comments are left out."""
    from striprtf.striprtf import rtf_to_text

    if not data.lstrip().startswith(b"{\\rtf"):
        raise ArticleError(
            "other_format", ending="rtf", kind=Phrase("format_other"), advice=Phrase("save_as_text")
        )
    try:
        text = str(rtf_to_text(data.decode("latin-1"), errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, IndexError) as exc:
        raise ArticleError("rtf_unreadable", why=exc) from exc
    # a table comes with a bar behind each cell
    lines = [line.strip("|").replace("|", " | ") for line in text.replace("\n|", "|").split("\n")]
    left_out = {"pictures": data.count(b"\\pict"), "notes": data.count(b"\\footnote")}
    return Reading((compose(map(Block, lines), Document("")),), left_out=left_out)
