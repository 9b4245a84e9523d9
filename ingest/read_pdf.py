"""PDF files, whose printed lines become paragraphs again."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ingest.documents import Block, Document, Reading, compose, given_title, person
from rag.errors import ArticleError


def read_pdf(path: Path, data: bytes) -> Reading:
    import pypdf

    try:
        pdf = pypdf.PdfReader(io.BytesIO(data))
        if pdf.is_encrypted and not pdf.decrypt(""):
            raise ArticleError(f"{path} is locked by a password; save a copy without one")
        pages = [page.extract_text().split("\n") for page in pdf.pages]
        info = pdf.metadata
        title, author = (given_title(info.title), person(info.author)) if info else (None, None)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # damaged PDFs raise nearly anything
        raise ArticleError(f"{path} is a broken PDF ({exc}); export it again") from exc
    document = compose(map(Block, reflow(pages)), Document("", title=title, author=author))
    if not document.text:
        raise ArticleError(f"{path} has no text in it, only pictures; run OCR over it (ocrmypdf)")
    return Reading((document,))


_LIGATURES = {ord("ﬀ"): "ff", ord("ﬁ"): "fi", ord("ﬂ"): "fl", ord("ﬃ"): "ffi", ord("ﬄ"): "ffl"}
_PAGE_NUMBER = re.compile(r"(?:Seite|Page)?\s*[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|von|of)\s*\d{1,4})?", re.I)
_SENTENCE_END = re.compile(r"[.!?…:][“”\"»«’')\]]*$")


def reflow(pages: Sequence[Sequence[str]]) -> list[str]:
    """Paragraphs of printed pages: lines joined, hyphens at line ends and page numbers gone."""
    lines = [line for page in _without_running_lines(pages) for line in page]
    lengths = sorted(len(line) for line in lines if line) or [0]
    width = lengths[len(lengths) * 9 // 10]
    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        if previous and line and _goes_on(previous, line, width):
            paragraphs[-1] = _join_lines(paragraphs[-1], line)
        elif line:
            paragraphs.append(line)
        previous = line
    return paragraphs


def _without_running_lines(pages: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The pages without page numbers and the header or footer that most pages share."""
    stripped = [[line.translate(_LIGATURES).strip() for line in page] for page in pages]
    trimmed = [
        _trim(lines, lambda line: not line or bool(_PAGE_NUMBER.fullmatch(line))) for lines in stripped
    ]
    shared = Counter(key for lines in trimmed for key in {_running(line) for line in lines[:1] + lines[-1:]})
    running = {key for key, count in shared.items() if count >= max(3, len(pages) / 2)}
    for lines in trimmed:
        yield _trim(lines, lambda line: not line or _running(line) in running)


def _trim(lines: list[str], unwanted: Callable[[str], bool]) -> list[str]:
    low, high = 0, len(lines)
    while low < high and unwanted(lines[low]):
        low += 1
    while low < high and unwanted(lines[high - 1]):
        high -= 1
    return lines[low:high]


def _running(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether a paragraph goes on from one printed line to the next."""
    if _SENTENCE_END.search(line):
        return len(line) >= 0.8 * width  # a full line may end with a sentence by chance
    return following[0].islower() or line[-1] in "-\u00ad," or len(line) >= 0.6 * width


def _join_lines(text: str, line: str) -> str:
    if text.endswith("\u00ad"):
        return text[:-1] + line
    if not re.search(r"\w-$", text):
        return f"{text} {line}"
    if re.match(r"(?:und|oder|sowie|bis|bzw)\b", line):
        return f"{text} {line}"  # "Kriegs- und Abrüstungsthemen"
    return (text[:-1] if line[0].islower() else text) + line
