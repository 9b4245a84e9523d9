"""Files to raw documents: text with the metadata that the file itself states.

Each format has one reader. What a reader does not find stays None for `ingest.structure.article` to look
for in the text; what is broken is an ArticleError that names the file and the next step.
"""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.readers.document import Document, Reading
from ingest.readers.docx import read_docx
from ingest.readers.encoding import decode
from ingest.readers.epub import read_epub
from ingest.readers.files import SUFFIXES
from ingest.readers.html import read_html
from ingest.readers.jsonl import read_jsonl
from ingest.readers.mail import read_mail, read_mhtml
from ingest.readers.markdown import read_markdown
from ingest.readers.odt import read_odt
from ingest.readers.pdf import read_pdf
from ingest.readers.rtf import read_rtf
from ingest.readers.subtitles import has_cues, read_subtitles, subtitles
from rag.errors import ArticleError, ArticleTooLarge
from rag.text.normalize import normalise

MOST_WORDS = 500_000
"""Of one article, a thick novel; also single marks count, of which 19 MB would be 80,000 passages."""


def read_file(path: Path, *, limit_bytes: int) -> Reading:
    """The documents of a file: one, or for JSON Lines one a line.

    Raises ArticleError when nothing in it can be used: unreadable, empty, binary, broken, too
    large, or of another format than its ending says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ArticleError(f"{path}: files ending in '{path.suffix}' are not read; use {', '.join(SUFFIXES)}")
    data = _bytes_of(path, limit_bytes)
    _refuse_other_format(path, data)
    try:
        reading = reader(path, data)
    except RecursionError as exc:
        raise ArticleError(f"{path} is nested too deeply; save its text as .txt") from exc
    for document in reading.documents:
        if not re.search(r"\w", document.text):
            raise ArticleError(f"{path} has no text in it; remove it or fill it")
        if (words := len(document.text.split())) > MOST_WORDS:
            raise ArticleTooLarge(f"{path} has an article of {words} words, more than {MOST_WORDS}; split it")
    return reading


def _bytes_of(path: Path, limit: int) -> bytes:
    try:
        # opening a pipe or device would wait for ever
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArticleError(f"{path} cannot be read: it is not a regular file; remove it or allow access")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise ArticleError(f"{path} cannot be read: {exc.strerror}; check that it is there") from exc
    if len(data) > limit:
        raise too_large(path, limit)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise ArticleError(f"{path} is empty; remove it or fill it")
    return data


def too_large(path: Path, limit: int) -> ArticleTooLarge:
    """The error for a file that has more than `limit` bytes."""
    return ArticleTooLarge(
        f"{path} is larger than {limit / 1e6:.3g} MB; split it, or raise BELEG_ARTICLE_LIMIT"
    )


_MAGIC = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"\x89PNG", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
    (b"GIF8", "a GIF image", None),
    (b"RIFF", "an image or a recording", None),
    (b"PK\x03\x04", "a Word file or ZIP archive", ".docx .odt .epub"),
    (b"\x1f\x8b", "a gzip archive", None),
    (b"7z\xbc\xaf", "a 7z archive", None),
    (b"Rar!", "a RAR archive", None),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.doc)", None),
    (b"{\\rtf", "an RTF file", ".rtf"),
    (b"\x7fELF", "a program", None),
    (b"SQLite format 3", "a database", None),
)
_HTML_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def _refuse_other_format(path: Path, data: bytes) -> None:
    """Raise ArticleError when the bytes are not what the file's ending says."""
    suffix = ".html" if path.suffix.lower() == ".htm" else path.suffix.lower()
    name, right = _format_of(data)
    # stray bytes may come before a PDF
    if suffix in (right or "").split() or (suffix == ".pdf" and b"%PDF-" in data[:1024]):
        return
    advice = f"rename it to end in {right.split()[0]}" if right else "save it as text, or remove it"
    if suffix in (".pdf", ".docx", ".odt", ".epub", ".rtf"):
        raise ArticleError(f"{path} is not a {suffix[1:]} file but {name or 'something else'}; {advice}")
    if name:
        raise ArticleError(f"{path} is {name}, not what its ending says; {advice}")
    if not data.startswith(_UTF16) and _is_binary(data):
        raise ArticleError(f"{path} is binary, not text; {advice}")


def _format_of(data: bytes) -> tuple[str | None, str | None]:
    """What the first bytes say: a name for people, and the ending under which it would be read."""
    for magic, name, suffix in _MAGIC:
        if data.startswith(magic):
            return name, suffix
    return ("a web page", ".html") if _HTML_START.match(data) else (None, None)


def _is_binary(data: bytes) -> bool:
    """Whether control characters are too many for a text, of which a few are cleaned away."""
    sample = data[:100_000]
    share = 1 - len(sample.translate(None, _CONTROL)) / len(sample)
    return share > (0.1 if _is_utf8(sample) else 0.02)


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # the sample may end within a character
    except UnicodeDecodeError:
        return False
    return True


def _read_txt(path: Path, data: bytes) -> Reading:
    text = normalise(decode(data))
    return subtitles(path, text) if has_cues(text) else Reading((Document(text),))


_READERS: Mapping[str, Callable[[Path, bytes], Reading]] = {
    ".txt": _read_txt,
    ".md": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".odt": read_odt,
    ".rtf": read_rtf,
    ".epub": read_epub,
    ".eml": read_mail,
    ".mhtml": read_mhtml,
    ".mht": read_mhtml,
    ".srt": read_subtitles,
    ".vtt": read_subtitles,
    ".jsonl": read_jsonl,
}
