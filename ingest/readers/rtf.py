"""Rich Text Format, as WordPad and old word processors write it."""

from __future__ import annotations

import re

from ingest.readers.document import Block, Document, Reading, compose, given_title, person
from rag.errors import ArticleError
from rag.i18n import Phrase

_BOX = re.compile(r"\{(?:\\\*)?\\shp(?:inst|(txt))?(?![a-z])")


def read_rtf(data: bytes) -> Reading:
    """The text, also that of text boxes; styles, pictures, notes, comments and deletions are left out."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ArticleError(
            "other_format", ending="rtf", kind=Phrase("format_other"), advice=Phrase("save_as_text")
        )
    rtf = data.decode("latin-1").replace("{\\deleted", "{\\*\\deleted")
    try:
        text = _plain(_BOX.sub(lambda box: "{\\par " if box[1] else "{", rtf))
        title, author = (
            _plain("".join(re.findall(rf"\{{\\{name} ([^{{}}]*)\}}", rtf)[:1])) for name in _INFO
        )
    except (ValueError, LookupError, IndexError) as exc:
        raise ArticleError("rtf_unreadable", why=exc) from exc
    # a table comes with a bar behind each cell
    lines = [line.strip("|").replace("|", " | ") for line in text.replace("\n|", "|").split("\n")]
    known = Document("", title=given_title(title), author=person(author))
    left_out = {"pictures": data.count(b"\\pict"), "notes": data.count(b"\\footnote")}
    return Reading((compose(map(Block, lines), known),), left_out=left_out)


_INFO = ("title", "author")


def _plain(rtf: str) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(rtf, errors="replace"))  # type: ignore[no-untyped-call]
