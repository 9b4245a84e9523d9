"""The printed lines of a PDF's page, in the order in which people read them: column after column."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from math import pi
from statistics import median
from typing import NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

from ingest.readers.document import BEFORE_MARK
from ingest.readers.pdf import SENTENCE_END

_WORD_GAP = 1.0  # in heights of a line: a wider one parts pieces
_APART = 1.35  # in usual distances of lines: a wider one is between paragraphs
_LARGER = 1.12  # letters of a heading, as many times those of the text
_WORDS_OF_A_COLUMN = 2.5  # a line, on average; the cells of tables have fewer
_LOW = 0.25  # of the lines of a narrow column, those that go on with a small letter; no cell of a table does
_INDENT = 3.0  # points
_FREE = 0.9  # in heights of a line: across the whole page, it sets apart the head and foot
_MOST_GUTTERS = 6  # places that are tried
_BOLD = re.compile(r"bold|black|heavy|demi|-medi|cmbx", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a printed line and where it stands: in points, from the left and from below."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    bold: bool = False
    room: float = 0.0
    """The free space after it, up to the edge of its column."""
    starts: tuple[float, ...] = ()
    """Of the pieces that it is made of, from the left."""

    @property
    def height(self) -> float:
        """Of its letters, by their font."""
        return self.top - self.bottom

    def beside(self, other: Line) -> bool:
        """Whether both are on one level, by at least half of the lower one."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)


def page_lines(page: PdfPage) -> list[str]:
    """The lines of a page as they are read, with an empty one between paragraphs.

    A line that ends with a space goes on in the next. A page whose letters lie on their side is turned; what
    runs in another direction than most, as the name along a photo's edge, comes last.
    """
    text = page.get_textpage()
    try:
        angles = _angles(text)
        directions = [angle for angle, _ in Counter(angles).most_common()]
        upright = -45 * directions[0] % 360 if directions else 0
        if page.get_rotation() != upright and upright % 90 == 0:  # PDFium takes lines to be level as shown
            text.close()
            page.set_rotation(upright)
            text = page.get_textpage()
            angles = _angles(text)
        runs = [_lines(list(_pieces(text, angles, angle))) for angle in directions]
        return [line for run in runs if run for line in ("", *run)][1:]
    finally:
        text.close()


def _angles(page: PdfTextPage) -> list[int]:
    """By how many eighths of a circle, clockwise, each letter is turned."""
    angles = (pdfium.FPDFText_GetCharAngle(page, place) for place in range(page.count_chars()))
    return [round(angle * 4 / pi) % 8 for angle in angles]


def _lines(pieces: list[Line]) -> list[str]:
    """The text of pieces in order, as `page_lines` gives it."""
    pieces.sort(key=lambda line: (-line.top, line.left))
    head, body, foot = _edges(pieces)
    lines = [*_rows(head), *_in_columns(body), *_rows(foot)]
    steps = [(a.bottom - b.bottom) / max(a.height, b.height, 0.1) for a, b in pairwise(lines)]
    usual = median([step for step in steps if step > 0] or [0.0])
    said: list[str] = []
    for (above, line), step in zip(pairwise(lines), steps, strict=True):
        said += [f"{above.text} "] if _goes_on(above, line, step, usual) else [above.text, ""]
    return said + [line.text for line in lines[-1:]]


def _goes_on(above: Line, line: Line, step: float, usual: float) -> bool:
    """Whether a paragraph does, from one line to the next: another begins where a word had place left."""
    larger = max(above.height, line.height) > _LARGER * min(above.height, line.height)
    next_column = step < 0 and SENTENCE_END.search(above.text)
    if larger or step > _APART * usual or above.bold != line.bold or next_column:
        return False
    pairs = list(zip(above.starts, line.starts, strict=False))
    if len(above.starts) == len(line.starts) > 1 and all(abs(a - b) < _INDENT for a, b in pairs):
        return False  # rows of a table
    word = (line.right - line.left) * (len(line.text.split()[0]) + 1) / len(line.text)
    return above.room < word or not (SENTENCE_END.search(above.text) or line.text[0].isupper())


def _edges(lines: list[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    """Lines from top to bottom as head, text and foot: at most two rows apart from all that follows.

    More space than is usual must be free across the whole page; a heading beside a column is no head.
    """
    strips: list[list[Line]] = []
    lowest, gaps = 0.0, []
    for line in lines:
        if strips and line.top > lowest:
            strips[-1].append(line)
            lowest = min(lowest, line.bottom)
        else:
            gaps.append(lowest - line.top)
            strips.append([line])
            lowest = line.bottom
    del gaps[:1]
    if len(strips) < 3:
        return [], lines, []
    # where columns are not level with each other hardly any space is free across
    wide = max(_FREE * median(line.height for line in lines), 1.5 * median(gaps) if len(gaps) > 6 else 0)
    first = next((place for place in (1, 2) if gaps[place - 1] > wide), 0)
    last = next((place for place in (1, 2) if gaps[-place] > wide), 0)
    cut = max(first, len(strips) - last)
    head, body, foot = (list(chain(*part)) for part in (strips[:first], strips[first:cut], strips[cut:]))
    return head, body, foot


def _pieces(page: PdfTextPage, angles: Sequence[int], angle: int) -> Iterator[Line]:
    """Runs of letters on one level without a wide gap, in the order of the file."""
    run: list[_Letter] = []
    for letter in _letters(page, angles, angle):
        if run:
            last = run[-1]
            height = last.top - last.bottom
            shared = min(letter.top, last.top) - max(letter.bottom, last.bottom)
            level = shared > 0.5 * min(height, letter.top - letter.bottom)
            follows = letter.left > last.left - 0.5 * height and letter.left - last.right < _WORD_GAP * height
            if not (level and follows):
                yield from _piece(page, run)
                run = []
        run.append(letter)
    yield from _piece(page, run)


class _Letter(NamedTuple):
    char: str
    place: int
    left: float
    bottom: float
    right: float
    top: float


def _letters(page: PdfTextPage, angles: Sequence[int], angle: int) -> Iterator[_Letter]:
    """Each letter that runs in a direction, with its box as if it were level.

    A space has the box of the letter before, for its own is not always true.
    """
    held = pdfium.FS_RECTF()
    box: tuple[float, float, float, float] | None = None
    for place, turned in enumerate(angles):
        char = chr(pdfium.FPDFText_GetUnicode(page, place))
        if not char.isspace():
            there = turned == angle and pdfium.FPDFText_GetLooseCharBox(page, place, held)
            left, bottom, right, top = held.left, held.bottom, held.right, held.top
            for _ in range(angle // 2):  # turned back by quarters of a circle
                left, bottom, right, top = -top, left, -bottom, right
            box = (left, bottom, right, top) if there else None
        if box and char not in "\r\n\0\ufffe":
            yield _Letter(char, place, *box)


def _piece(page: PdfTextPage, run: Sequence[_Letter]) -> Iterator[Line]:
    shown = [letter for letter in run if not letter.char.isspace()]
    if not shown:
        return
    bottom, top = median(each.bottom for each in shown), median(each.top for each in shown)
    raised = bottom + 0.1 * (top - bottom)
    text = ""
    for is_mark, letters in groupby(run, lambda each: each.char.isdecimal() and each.bottom > raised):
        said = "".join(letter.char for letter in letters)
        if is_mark and BEFORE_MARK.search(text):
            said = f"[{said}]" if text else f"[{said}] "
        text += said
    bold = _is_bold(page, shown[0].place) and _is_bold(page, shown[-1].place)
    left, right = min(letter.left for letter in run), max(letter.right for letter in run)
    yield Line(text.strip(), left, right, bottom, top, bold)


def _is_bold(page: PdfTextPage, place: int) -> bool:
    """Whether a letter is, by the name of its font."""
    name = ctypes.create_string_buffer(80)
    pdfium.FPDFText_GetFontInfo(page, place, name, len(name), None)
    return bool(_BOLD.search(name.value.decode("latin-1")))


def _in_columns(lines: list[Line]) -> list[Line]:
    """Lines, which come from top to bottom, column after column, between what spans these."""
    for gutter in _gutters(lines):
        bands = list(_bands(lines, gutter))
        if any(right for _, right in bands):
            parts = chain.from_iterable(bands)
            return [line for part in parts if part for line in _in_columns(part)]
    return list(_rows(lines))


def _bands(lines: list[Line], gutter: float) -> Iterator[tuple[list[Line], list[Line]]]:
    """The lines left and right of a gutter, for each stretch between lines that span it."""

    def spans(level: list[Line]) -> bool:
        return any(line.left < gutter < line.right for line in level)

    for is_across, levels in groupby(_levels(lines), key=spans):
        held = list(chain(*levels))
        left = [line for line in held if line.right <= gutter]
        right = [line for line in held if line.left >= gutter]
        begin = sum(row.left < gutter + _INDENT for row in _rows(right))
        is_edge = 2 * begin >= len({round(line.bottom) for line in right})
        if not is_across and is_edge and _is_running_text(left) and _is_running_text(right):
            yield left, right
        else:
            yield held, []


def _levels(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines, which come from top to bottom, with those beside each other together."""
    levels: list[list[Line]] = []
    for line in lines:
        if levels and levels[-1][0].beside(line):
            levels[-1].append(line)
        else:
            levels.append([line])
    return levels


def _gutters(lines: Sequence[Line]) -> list[float]:
    """Where columns may begin: left of where many pieces do, the best first, and few reach across."""
    edges = Counter(round(line.left) for line in lines)
    first = min(edges, default=0)
    often = [edge for edge, times in edges.most_common(_MOST_GUTTERS + 1) if edge > first + 1 and times > 1]
    crossed = {edge: sum(line.left < edge - 1 < line.right for line in lines) for edge in often}
    return [edge - 1.0 for edge in sorted(often, key=lambda edge: crossed[edge] - edges[edge])]


def _is_running_text(lines: Sequence[Line]) -> bool:
    """Whether lines are a column of sentences, and not of a table: which is read across."""
    rows = [row.text for row in _rows(lines)]
    words = sum(len(re.findall(r"[^\W\d_]{2,}", row)) for row in rows)
    low = sum(row[0].islower() for row in rows)
    # in fewer rows wide gaps between words are above each other by chance
    return (len(rows) >= 3 and words >= _WORDS_OF_A_COLUMN * len(rows)) or (
        len(rows) >= 4 and low >= _LOW * len(rows)
    )


def _rows(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines of a column with the pieces of each joined, from left to right."""
    rows = [sorted(level, key=lambda piece: piece.left) for level in _levels(lines)]
    ends = [max(piece.right for piece in row) for row in rows]
    edge = sorted(ends)[len(ends) * 9 // 10] if ends else 0.0
    for row, end in zip(rows, ends, strict=True):
        is_initial = len(row[0].text) == 1 and len(row) > 1 and row[0].height > 1.5 * row[1].height
        text = row[0].text * is_initial + " ".join(piece.text for piece in row[is_initial:])
        bold = all(piece.bold for piece in row)
        starts = tuple(piece.left for piece in row)
        yield replace(row[0], text=text, right=end, bold=bold, room=max(0.0, edge - end), starts=starts)
