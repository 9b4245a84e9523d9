"""The printed lines of a PDF's page, in the order in which people read them: column after column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

HYPHEN = "\x02"
"""What PDFium gives for a hyphen at the end of a line, of whatever kind it was."""
_GUTTER = 1.0  # in heights of a line: a wider gap may be one between columns
_APART = 1.5  # in usual distances of lines: a wider one is between paragraphs
_LARGER = 1.12  # letters of a heading, as many times those of the text
_WORDS_OF_A_COLUMN = 2.5  # a line, on average; the cells of tables have fewer


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a printed line and where it stands: in points, from the left and from below."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        """Of its letters, by their font."""
        return self.top - self.bottom

    def beside(self, other: Line) -> bool:
        """Whether both are on one level, by at least half of the lower one."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)


def page_lines(page: PdfTextPage) -> list[str]:
    """The lines of a page as they are read, with an empty one where more space sets paragraphs apart."""
    pieces = list(_pieces(page))
    if pieces and median(len(piece.text) for piece in pieces) <= 2:  # written from top to bottom, or turned
        return str(page.get_text_range()).splitlines()
    pieces.sort(key=lambda line: (-line.top, line.left))
    head, body, foot = _edges(pieces)
    lines = [*_rows(head), *_in_columns(body), *_rows(foot)]
    steps = [(a.bottom - b.bottom) / max(a.height, b.height, 0.1) for a, b in pairwise(lines)]
    usual = median([step for step in steps if step > 0] or [0.0])
    said = [lines[0].text] if lines else []
    for (above, line), step in zip(pairwise(lines), steps, strict=True):
        larger = max(above.height, line.height) > _LARGER * min(above.height, line.height)
        said += ["", line.text] if larger or step > _APART * usual else [line.text]
    return said


def _edges(lines: list[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    """Lines from top to bottom as head, text and foot: at most two rows that more space sets apart."""
    levels = _levels(lines)
    steps = [a[0].bottom - b[0].bottom for a, b in pairwise(levels)]
    if len(levels) < 5:
        return [], lines, []
    wide = _APART * median(steps)
    first = max((place for place in (1, 2) if steps[place - 1] > wide), default=0)
    last = max((place for place in (1, 2) if steps[-place] > wide), default=0)
    cut = len(levels) - last
    head, body, foot = (list(chain(*part)) for part in (levels[:first], levels[first:cut], levels[cut:]))
    return head, body, foot


def _pieces(page: PdfTextPage) -> Iterator[Line]:
    """Runs of letters on one level without a wide gap, in the order of the file."""
    run: list[tuple[str, float, float, float, float]] = []
    for char, box in _letters(page):
        left, bottom, right, top = box
        if run:
            _, last_left, last_right, last_bottom, last_top = run[-1]
            height = last_top - last_bottom
            level = min(top, last_top) - max(bottom, last_bottom) > 0.5 * min(height, top - bottom)
            follows = left > last_left - 0.5 * height and left - last_right < _GUTTER * height
            if not (level and follows):
                yield from _piece(run)
                run = []
        run.append((char, left, right, bottom, top))
    yield from _piece(run)


def _letters(page: PdfTextPage) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Each letter with its box; a space has that of the letter before, for its own is not always true."""
    import pypdfium2.raw as pdfium

    box: tuple[float, float, float, float] | None = None
    for place in range(page.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(page, place))
        if not char.isspace():
            box = page.get_charbox(place, loose=True)
        if box and char not in "\r\n\0\ufffe":
            yield char, box


def _piece(run: Sequence[tuple[str, float, float, float, float]]) -> Iterator[Line]:
    text = "".join(char for char, *_ in run).strip()
    if text:
        _, lefts, rights, bottoms, tops = zip(*run, strict=True)
        yield Line(text, min(lefts), max(rights), median(bottoms), median(tops))


def _in_columns(lines: list[Line]) -> list[Line]:
    """Lines, which come from top to bottom, column after column, between what spans these."""
    gutter = _gutter(lines)
    if gutter is None:
        return list(_rows(lines))
    ordered: list[Line] = []

    def spans(level: list[Line]) -> bool:
        return any(line.left < gutter < line.right for line in level)

    for is_across, levels in groupby(_levels(lines), key=spans):
        held = list(chain(*levels))
        left = [line for line in held if line.right <= gutter]
        right = [line for line in held if line.left >= gutter]
        if not is_across and _is_running_text(left) and _is_running_text(right):
            ordered += _in_columns(left) + _in_columns(right)
        else:
            ordered += _rows(held)
    return ordered


def _levels(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines, which come from top to bottom, with those beside each other together."""
    levels: list[list[Line]] = []
    for line in lines:
        if levels and levels[-1][0].beside(line):
            levels[-1].append(line)
        else:
            levels.append([line])
    return levels


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where most pieces that stand beside each other leave a gap, at least two; None without one."""
    gaps: list[tuple[float, int]] = []
    for place, line in enumerate(lines):
        beside = [other for other in lines[place + 1 : place + 12] if line.beside(other)]
        for other in beside:
            first, second = sorted((line, other), key=lambda piece: piece.left)
            if first.right < second.left:
                gaps += [(first.right, 1), (second.left, -1)]
    best: float | None = None
    most, open_ = 1, 0
    gaps.sort()
    for (edge, step), (following, _) in pairwise(gaps):
        open_ += step
        if open_ > most:
            best, most = (edge + following) / 2, open_
    return best


def _is_running_text(lines: Sequence[Line]) -> bool:
    """Whether lines are a column of sentences, and not of a table: which is read across."""
    words = sum(len(re.findall(r"[^\W\d_]{2,}", line.text)) for line in lines)
    return len({round(line.bottom) for line in lines}) >= 2 and words >= _WORDS_OF_A_COLUMN * len(lines)


def _rows(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines with the pieces of each joined, from left to right."""
    for level in _levels(lines):
        row = sorted(level, key=lambda piece: piece.left)
        text = " ".join(piece.text for piece in row)
        yield replace(row[0], text=text, right=max(piece.right for piece in row))
