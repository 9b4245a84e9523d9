"""PDF files: joins printed lines to paragraphs."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import takewhile

from ingest.readers.document import (
    Block,
    Document,
    Reading,
    compose,
    given_title,
    person,
    refuse_long,
    squeeze,
)
from rag.errors import ArticleError
from rag.i18n import Phrase
from rag.text.normalize import normalise

HYPHEN = "\x02"
"""What PDFium gives for a hyphen at the end of a line, of whatever kind it was."""
SENTENCE_END = re.compile(r"[.!?…:][“”\"»«’')\]]*$")

_ONE_AT_A_TIME = threading.Lock()  # PDFium is not safe for threads
_MOST_PAGES = 3_000
_IMAGE = 3  # FPDF_PAGEOBJ_IMAGE


def read_pdf(data: bytes) -> Reading:
    """The text of a PDF in the order in which it is read, with where its pages begin."""
    import pypdfium2

    from ingest.readers.pdf_layout import page_lines

    with _ONE_AT_A_TIME:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as exc:
            raise ArticleError("pdf_locked" if "password" in str(exc).lower() else "pdf_broken") from exc
        info, count = pdf.get_metadata_dict(), len(pdf)
        pages: list[list[str]] = []
        pictures = words = 0
        for number in range(min(count, _MOST_PAGES)):
            with closing(pdf[number]) as page:
                pages.append(page_lines(page))
                pictures += sum(1 for _ in page.get_objects([_IMAGE], max_depth=2))
            words += sum(len(line.split()) for line in pages[-1])
            refuse_long(words)
    paragraphs, starts = reflow(pages)
    if not paragraphs:
        raise ArticleError("pdf_without_text")
    known = Document("", title=given_title(info.get("Title")), author=person(info.get("Author")))
    document = replace(compose(map(Block, paragraphs), known), pages=tuple(starts))
    empty, read = sum(not any(map(str.strip, page)) for page in pages), len(pages)
    problems = [Phrase("pdf_empty_pages", empty=empty, pages=count)] if empty else []
    problems += [Phrase("pdf_many_pages", read=read, pages=count)] if count > read else []
    left_out = {"pages": count - read + empty, "pictures": pictures}
    return Reading((document,), tuple(problems), counts={"pages": read - empty}, left_out=left_out)


_LIGATURES = {ord("ﬀ"): "ff", ord("ﬁ"): "fi", ord("ﬂ"): "fl", ord("ﬃ"): "ffi", ord("ﬄ"): "ffl"}
_PAGE_NUMBER = re.compile(r"(?:Seite|Page)?\s*[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|von|of)\s*\d{1,4})?", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_COUNTED = "{}\0{}\0{}"  # the line as on the first page, with its number replaced by the page's
_COUNT = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?!\d))\d{1,4}(?!\d)")  # not a year, which may be a heading


def reflow(pages: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
    """Paragraphs of printed pages: lines joined, hyphens at line ends, running heads and page numbers gone.

    And where each page begins, in the paragraphs with a blank line between two. A line that ends with a
    space goes on in the next, as in e-mail (RFC 3676).
    """
    cleaned = list(_without_running_lines(pages))
    lengths = sorted(len(line) for page in cleaned for line in page if line) or [0]
    width = lengths[len(lengths) * 9 // 10]
    written = Counter(re.findall(r"\w+-\w+|\w+", " ".join(line for page in cleaned for line in page)))
    paragraphs: list[list[str]] = []  # in pieces, for one may be as long as the file
    starts: list[int] = []
    end, previous = 0, ""
    for number, page in enumerate(cleaned):
        for flowed in page:
            line = flowed.rstrip(" ")
            if line and previous and (previous.endswith(" ") or _goes_on(previous, line, width)):
                held = paragraphs[-1][-1]
                joined = _join_lines(held, line, written)
                paragraphs[-1][-1:] = [joined[: len(joined) - len(line)], line]
                end += len(joined) - len(held)
            elif line:
                end += len(line) + (2 if paragraphs else 0)
                paragraphs.append([line])
            if line and len(starts) <= number:  # pages without text begin where the next one does
                starts += [end - len(line)] * (number + 1 - len(starts))
            previous = flowed
    starts += [end] * (len(cleaned) - len(starts))
    # hyphens left at line ends become plain ones of the same length, so that offsets of pages hold
    whole = ["".join(pieces).replace(HYPHEN, "-").replace("\u00ad", "-") for pieces in paragraphs]
    return whole, starts


def _without_running_lines(pages: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The pages without page numbers and the header or footer that most pages share."""
    stripped = [[_clean(line) for line in page] for page in pages]
    filled = [[place for place, line in enumerate(lines) if line] for lines in stripped]
    texts = [[line.rstrip() for line in lines if line] for lines in stripped]
    heads, feet = _running_lines(texts), _running_lines([lines[::-1] for lines in texts])
    for lines, places, head, foot in zip(stripped, filled, heads, feet, strict=True):
        kept = places[head : len(places) - foot]
        yield lines[kept[0] : kept[-1] + 1] if kept else []


def _clean(line: str) -> str:
    """A line as `compose` leaves it, but for the marks of hyphens, and of going on, at its end."""
    bare = line.translate(_LIGATURES).strip()
    mark = bare[-1:] if bare[-1:] in ("\u00ad", HYPHEN) else ""
    text = squeeze(normalise(bare)) + mark
    return f"{text} " if text and line.endswith(" ") else text


def _running_lines(pages: Sequence[Sequence[str]]) -> list[int]:
    """The number of lines at the top of each page that are its number or a running head, two at most.

    A running head has the same words and figures on half of the pages, but for one number that counts
    the pages. Lines of figures that merely look alike are text.
    """
    forms = [[set(_forms(line, page)) for line in lines[:2]] for page, lines in enumerate(pages)]
    shared = Counter(form for lines in forms for form in set().union(*lines))

    def is_running(page: int, place: int) -> bool:
        own, line, inner = forms[page][place], pages[page][place], "".join(pages[page][place + 1 : place + 2])
        times = max((shared[form] for form in own), default=0)
        counts = times > 1 or len(pages) == 1 or own == {_COUNTED.format("", 1, "")}
        # beside a page's number there is text; else it is one of a column
        is_number = counts and _PAGE_NUMBER.fullmatch(line) and _LETTER.search(inner)
        return bool(is_number) or times >= max(2, len(pages) // 2)

    running = (takewhile(partial(is_running, n), range(len(lines))) for n, lines in enumerate(forms))
    return [len(list(places)) for places in running]


def _forms(line: str, page: int) -> Iterator[str]:
    """The forms of a line to compare with other pages: its words and figures, or all but one figure."""
    has_words = _LETTER.search(line)
    if has_words:
        yield line
    if _PAGE_NUMBER.fullmatch(line) or (has_words and not SENTENCE_END.search(line)):
        for number in _COUNT.finditer(line):
            yield _COUNTED.format(line[: number.start()], int(number[0]) - page, line[number.end() :])


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether a paragraph continues on the next printed line, if the page does not show it."""
    is_long = following[0].islower() or line[-1] in f"{_HYPHENS}," or len(line) >= 0.6 * width
    return is_long and not SENTENCE_END.search(line)


_HYPHENS = f"-\u2010\u00ad¬{HYPHEN}"
_BROKEN = re.compile(rf"(\w+)[{_HYPHENS}]$")
_SHORT_FORM = re.compile(r"[A-ZÄÖÜ]{2,}|\w*\d\w*|[A-Za-z]")  # EU-weit, CO2-frei, E-Mail
_OWN_HYPHEN = re.compile(
    r"(?:vice|будь)-\w+|\w+-(?:vous|mêmes?|elles?|небудь)|\w+[áêôí]-l[oa]s?|peut-être|(?:compte-rendu|porte-parole)s?",
    re.IGNORECASE,
)
"""French, Portuguese and Ukrainian words that always have a hyphen."""


def _join_lines(text: str, line: str, written: Mapping[str, int]) -> str:
    """Joins a paragraph and its next line, without the hyphen between them unless it belongs to the word.

    It does if the word is written with a hyphen elsewhere, and never without; `written` counts such words.
    """
    broken = _BROKEN.search(text)
    if not broken:
        return f"{text} {line}"
    bare, first = text[:-1], broken[1]
    if text.endswith("\u00ad") and line[0].islower():
        return bare + line
    if re.match(r"(?:und|oder|sowie|bis|bzw|and|or)\b", line):
        return f"{bare}- {line}"  # "Kriegs- und Abrüstungsthemen"
    rest = re.match(r"\w*", line)[0]  # type: ignore[index]
    own = _OWN_HYPHEN.fullmatch(f"{first}-{rest}") or written[f"{first}-{rest}"] > written[first + rest]
    if not line[0].islower() or own or _SHORT_FORM.fullmatch(first):
        return f"{bare}-{line}"
    return bare + line
