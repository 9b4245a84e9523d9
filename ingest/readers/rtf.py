"""Rich Text Format, as WordPad and old word processors write it."""

from __future__ import annotations

import re

from ingest.readers.document import Block, Document, Reading, compose, given_title, person

_BOX = re.compile(r"\{(?:\\\*)?\\shp(?:inst|(txt))?(?![a-z])")


def read_rtf(data: bytes) -> Reading:
    """The text, also that of text boxes; styles, pictures, notes, comments and deletions are left out."""
    rtf = data.decode("latin-1").replace("{\\deleted", "{\\*\\deleted")
    text = _plain(_BOX.sub(lambda box: "{\\par " if box[1] else "{", rtf))
    stated = (re.findall(rf"\{{\\{name} ([^{{}}]*)\}}", rtf) for name in ("title", "author"))
    title, author = (_plain("".join(found[:1])) for found in stated)
    # a table comes with a bar behind each cell
    lines = [line.strip("|").replace("|", " | ") for line in text.replace("\n|", "|").split("\n")]
    known = Document("", title=given_title(title), author=person(author))
    left_out = {"pictures": data.count(b"\\pict"), "notes": data.count(b"\\footnote")}
    return Reading((compose(map(Block, lines), known),), left_out=left_out)


def _plain(rtf: str) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(rtf, errors="replace"))  # type: ignore[no-untyped-call]
