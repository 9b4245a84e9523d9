"""Files to raw documents: text with the metadata that the file itself states.

Each format has one reader. What a reader does not find stays None for `ingest.structure.article` to look
for in the text; what is broken is an ArticleError that names the next step.
"""

import codecs
import contextlib
import logging
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.readers.document import Document, Reading, decode, refuse_long
from ingest.readers.epub import read_epub
from ingest.readers.html import read_html
from ingest.readers.jsonl import read_jsonl
from ingest.readers.mail import read_mail, read_mhtml
from ingest.readers.markdown import read_markdown
from ingest.readers.office import read_docx, read_odt, read_rtf
from ingest.readers.pdf import read_pdf
from ingest.readers.subtitles import has_cues, read_subtitles, subtitles
from rag.errors import ArticleError, ArticleTooLarge
from rag.i18n import Phrase
from rag.text.normalize import normalise

log = logging.getLogger(__name__)


def read_file(path: Path, *, limit_bytes: int) -> Reading:
    """The documents of a file: one, or for JSON Lines one a line.

    Raises ArticleError when nothing in it can be used: unreadable, empty, binary, broken, too
    large, or of another format than its ending says.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ArticleError("ending_not_read", ending=path.suffix, endings=", ".join(SUFFIXES))
    reader, unreadable = _READERS[suffix]
    data = _bytes_of(path, limit_bytes)
    _refuse_other_format(suffix, data)
    try:
        reading = reader(data)
    except (ArticleError, MemoryError):
        raise
    except RecursionError as exc:
        raise ArticleError("nested_too_deeply") from exc
    except Exception as exc:  # the libraries that parse these formats name no common ancestor
        if unreadable is None:
            raise
        log.debug("%s cannot be read", path, exc_info=True)
        raise ArticleError(unreadable, why=exc) from exc
    for document in reading.documents:
        if not re.search(r"\w", document.text):
            raise ArticleError("no_text")
        refuse_long(len(document.text.split()))
    return reading


def _bytes_of(path: Path, limit: int) -> bytes:
    try:
        # opening a pipe or device would wait for ever
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArticleError("no_regular_file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise ArticleError("file_unreadable", why=exc.strerror) from exc
    if len(data) > limit:
        raise too_large(limit)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise ArticleError("file_empty")
    return data


def too_large(limit: int) -> ArticleTooLarge:
    """The error for a file that has more than `limit` bytes."""
    return ArticleTooLarge("file_too_large", megabytes=float(f"{limit / 1e6:.3g}"))


_MAGIC = (
    (b"%PDF-", "format_pdf", ".pdf"),
    (b"\x89PNG", "format_png", ""),
    (b"\xff\xd8\xff", "format_jpeg", ""),
    (b"GIF8", "format_gif", ""),
    (b"RIFF", "format_riff", ""),
    (b"PK\x03\x04", "format_zip", ".docx .odt .epub"),
    (b"\x1f\x8b", "format_gzip", ""),
    (b"7z\xbc\xaf", "format_7z", ""),
    (b"Rar!", "format_rar", ""),
    (b"\xd0\xcf\x11\xe0", "format_doc", ""),
    (b"{\\rtf", "format_rtf", ".rtf"),
    (b"\x7fELF", "format_program", ""),
    (b"SQLite format 3", "format_database", ""),
)
_HTML_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))


def _refuse_other_format(suffix: str, data: bytes) -> None:
    """Raises ArticleError when the bytes are not what the file's ending says."""
    name, right = ("format_html", ".html .htm") if _HTML_START.match(data) else (None, "")
    for magic, code, suffixes in _MAGIC:
        if data.startswith(magic):
            name, right = code, suffixes
    # stray bytes may come before a PDF
    if suffix in right.split() or (suffix == ".pdf" and b"%PDF-" in data[:1024]):
        return
    advice = Phrase("rename_to", ending=right.split()[0]) if right else Phrase("save_as_text")
    if suffix in (".pdf", ".docx", ".odt", ".epub", ".rtf"):
        kind = Phrase(name or "format_other")
        raise ArticleError("other_format", ending=suffix[1:], kind=kind, advice=advice)
    if name:
        raise ArticleError("not_as_its_ending", kind=Phrase(name), advice=advice)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    sample, is_utf8 = data[:100_000], False
    with contextlib.suppress(UnicodeDecodeError):  # the sample may end within a character
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        is_utf8 = True
    most = 0.1 if is_utf8 else 0.02  # control characters, as a share: a few are cleaned away
    if 1 - len(sample.translate(None, _CONTROL)) / len(sample) > most:
        raise ArticleError("file_binary", advice=advice)


def _read_txt(data: bytes) -> Reading:
    text = normalise(decode(data))
    return subtitles(text) if has_cues(text) else Reading((Document(text),))


_READERS: Mapping[str, tuple[Callable[[bytes], Reading], str | None]] = {
    ".txt": (_read_txt, None),
    ".md": (read_markdown, None),
    ".html": (read_html, "html_unreadable"),
    ".htm": (read_html, "html_unreadable"),
    ".mhtml": (read_mhtml, "html_unreadable"),
    ".mht": (read_mhtml, "html_unreadable"),
    ".pdf": (read_pdf, "pdf_broken"),
    ".docx": (read_docx, "docx_unreadable"),
    ".odt": (read_odt, "odt_unreadable"),
    ".rtf": (read_rtf, "rtf_unreadable"),
    ".epub": (read_epub, "epub_unreadable"),
    ".eml": (read_mail, "mail_unreadable"),
    ".srt": (read_subtitles, None),
    ".vtt": (read_subtitles, None),
    ".jsonl": (read_jsonl, None),
}
"""The reader for each ending, and what is said when the library that it builds on cannot read a file."""

SUFFIXES = tuple(_READERS)
"""Endings of the files that are read, in lower case."""
