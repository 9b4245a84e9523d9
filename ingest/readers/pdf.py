"""PDF files, whose printed lines become paragraphs again."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile

from ingest.readers.document import Block, Document, Reading, compose, given_title, person
from rag.errors import ArticleError


def read_pdf(data: bytes) -> Reading:
    import pypdf

    try:
        pdf = pypdf.PdfReader(io.BytesIO(data))
        if pdf.is_encrypted and not pdf.decrypt(""):
            raise ArticleError("pdf_locked")
        pages = [page.extract_text().split("\n") for page in pdf.pages]
        info = pdf.metadata
        title, author = (given_title(info.title), person(info.author)) if info else (None, None)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # damaged PDFs raise nearly anything
        raise ArticleError("pdf_broken", why=exc) from exc
    document = compose(map(Block, reflow(pages)), Document("", title=title, author=author))
    if not document.text:
        raise ArticleError("pdf_without_text")
    return Reading((document,))


_LIGATURES = {ord("ﬀ"): "ff", ord("ﬁ"): "fi", ord("ﬂ"): "fl", ord("ﬃ"): "ffi", ord("ﬄ"): "ffl"}
_PAGE_NUMBER = re.compile(r"(?:Seite|Page)?\s*[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|von|of)\s*\d{1,4})?", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_COUNT = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?!\d))\d{1,4}(?!\d)")  # no year, which heads what happened then
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
    filled = [[place for place, line in enumerate(lines) if line] for lines in stripped]
    texts = [[lines[place] for place in places] for lines, places in zip(stripped, filled, strict=True)]
    heads, feet = _running_lines(texts), _running_lines([lines[::-1] for lines in texts])
    for lines, places, head, foot in zip(stripped, filled, heads, feet, strict=True):
        kept = places[head : len(places) - foot]
        yield lines[kept[0] : kept[-1] + 1] if kept else []


def _running_lines(pages: Sequence[Sequence[str]]) -> list[int]:
    """How many lines each page begins with that are its number or a running head, two at most.

    A running head has the same words and figures on half of the pages, but for one number that counts
    the pages. Lines of figures that merely look alike are text.
    """
    forms = [[set(_forms(line, page)) for line in lines[:2]] for page, lines in enumerate(pages)]
    shared = Counter(form for lines in forms for form in set().union(*lines))

    def is_running(page: int, place: int) -> bool:
        times = max((shared[form] for form in forms[page][place]), default=0)
        return times >= max(2, len(pages) // 2) or (
            _is_lone_number(*pages[page][place : place + 2])
            and (times > 1 or len(pages) == 1 or forms[page][place] == {_counted("", 1, "")})
        )

    return [
        sum(1 for _ in takewhile(partial(is_running, page), (0, 1)[: len(lines)]))
        for page, lines in enumerate(forms)
    ]


def _forms(line: str, page: int) -> Iterator[str]:
    """What a line may share with those of other pages: its words and figures, or all but one that counts."""
    has_words = _LETTER.search(line)
    if has_words:
        yield line
    if _PAGE_NUMBER.fullmatch(line) or (has_words and not _SENTENCE_END.search(line)):
        for number in _COUNT.finditer(line):
            yield _counted(line[: number.start()], int(number[0]) - page, line[number.end() :])


def _counted(before: str, first: int, behind: str) -> str:
    """A line as it would be on the first page, where its number is that of the page."""
    return f"{before}\0{first}\0{behind}"


def _is_lone_number(line: str, inner: str = "") -> bool:
    """Whether a line looks like a page's number and, beside it, there is text; else it is one of a column."""
    return bool(_PAGE_NUMBER.fullmatch(line) and _LETTER.search(inner))


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
