"""Cuts a model's text into sentences while it grows, each with its citations, in all forms that models write.

A model only points at a passage (`[2]`) or at one of its sentences (`[2.3]`). Accepted are also `[1, 2]`,
`[1;2]`, `[1 und 2]`, `[1][2]`, `[1-3]`, `[[1]]`, `\\[1\\]`, `【1†…】`, `［1］`, `[^1]`, and with a
word before the number (`[Quelle 1]`, `[ID:1]`, `[siehe 1.2]`); in `[1](url)` the address is
dropped. Other brackets (`[…]`, `[sic]`) are text; `(1)` counts only at the end of a sentence that has no
other marker.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from rag.text.languages import pattern
from rag.text.sentences import sentences

LONGEST_MARKER = 32
"""Characters; an opening bracket that is not closed within so many is text."""
WIDEST_RANGE = 5

_OPENS, _CLOSES = r"\\*[\[【［]\s*", r"\s*\\*[\]】］]"
_OPEN, _CLOSE = re.compile(rf"{_OPENS}|\\+$"), re.compile(_CLOSES)
_WORD = rf"(?:{pattern('citations.before')}|#)"
_WORDS = rf"(?:{_WORD}[\s:.#_=-]*){{1,3}}"
_POINTER = r"\d{1,3}(?:\.\d{1,3})?"
_BODY = (
    rf"\^?\s*(?:{_WORDS})?\^?(?P<list>{_POINTER}"
    rf"(?:\s*(?:[,;/&]|{pattern('citations.joins')}|[-–—])\s*(?:{_WORDS})?\^?{_POINTER})*)\s*(?:†[^\]】］]*)?"
)
_MARKER = re.compile(rf"(?P<two>{_OPENS})?{_OPENS}{_BODY}{_CLOSES}(?(two)(?:{_CLOSES})?)", re.IGNORECASE)
_UNCLOSED = re.compile(rf"(?:{_OPENS}){{1,2}}{_BODY}", re.IGNORECASE)
_SEPARATED = re.compile(rf"({_POINTER})(\s*[-–—]\s*)?")
_LONGEST_ADDRESS = 300
_AT_THE_END = re.compile(rf"\s*\(\s*(?P<list>{_POINTER}(?:\s*[,;]\s*{_POINTER})*)\s*\)(?=\W*$)")
_ADDRESS = re.compile(rf"\([^()\s]{{0,{_LONGEST_ADDRESS - 2}}}\)")
_OPEN_ADDRESS = re.compile(r"\([^()\s]*")


@dataclass(frozen=True, slots=True)
class Pointer:
    """The target of a marker: a passage by its number in the prompt, and optionally one of its sentences."""

    passage: int
    sentence: int | None = None

    def __str__(self) -> str:
        return f"[{self.passage}]" if self.sentence is None else f"[{self.passage}.{self.sentence}]"


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation as the model wrote it; without pointers if its range is too wide or runs backwards."""

    written: str
    pointers: tuple[Pointer, ...]


Piece = str | Marker
"""A stretch of text, or a marker."""


def parse(deltas: Iterable[str]) -> Iterator[Piece]:
    """Text and markers, in order, each as soon as it is certain.

    The result does not depend on how the text was cut into deltas. An opening bracket holds back at most
    LONGEST_MARKER characters; one that is never closed is resolved at the end.
    """
    held = ""
    for delta, complete in chain(((delta, False) for delta in deltas), [("", True)]):
        held += delta
        while held:
            piece, rest = _next(held, complete=complete)
            if piece is None:
                break
            held = rest
            if piece:
                yield piece


def _next(held: str, *, complete: bool) -> tuple[Piece | None, str]:
    """The first piece of the held text, and the rest without the `(url)` of a marker; None if more text is
    needed to decide."""
    found = _OPEN.search(held)
    if found is None:
        return held, ""
    if found.start():
        return held[: found.start()], held[found.start() :]
    if (marker := _MARKER.match(held)) and marker.end() <= LONGEST_MARKER:
        cited, rest = Marker(marker[0], _pointers(marker["list"])), held[marker.end() :]
        if address := _ADDRESS.match(rest):
            return cited, rest[address.end() :]
        undecided = not rest or (_OPEN_ADDRESS.fullmatch(rest) and len(rest) < _LONGEST_ADDRESS)
        return (None, held) if undecided and not complete else (cited, rest)
    if len(held) <= LONGEST_MARKER and not _CLOSE.search(held):
        if not complete:
            return None, held
        if cut := _UNCLOSED.fullmatch(held):  # an unclosed `[1` at the very end still counts
            return Marker(held, _pointers(cut["list"])), ""
    return held[: found.end()], held[found.end() :]


def at_the_end(sentence: str) -> tuple[str, Marker] | None:
    """A sentence without the `(1)` or `(1.4)` at its end, and that as a marker; None without one. It may also
    be a figure (an age, a number in a list); the words that it would point at must decide."""
    found = _AT_THE_END.search(sentence)
    if found is None:
        return None
    rest = sentence[: found.start()] + sentence[found.end() :]
    return rest, Marker(found[0].strip(), _pointers(found["list"]))


def _pointers(listed: str) -> tuple[Pointer, ...]:
    """The pointers of a list, without repetition."""
    found: list[Pointer] = []
    opens_range = False
    for written, dash in _SEPARATED.findall(listed):
        passage, _, sentence = written.partition(".")
        pointer = Pointer(int(passage), int(sentence) if sentence else None)
        between = _range(found[-1], pointer) if opens_range else [pointer]
        if not between:
            return ()
        found, opens_range = [*found, *between], bool(dash)
    return tuple(dict.fromkeys(found))


def _range(first: Pointer, last: Pointer) -> list[Pointer]:
    """The pointers from first to last; none if the range is too wide or runs backwards."""
    if first.sentence is None and last.sentence is None:
        found = [Pointer(n) for n in range(first.passage, last.passage + 1)]
    elif first.sentence is None or (last.sentence is not None and first.passage != last.passage):
        return []
    else:  # [2.1-2.3] or [2.1-3]
        numbers = range(first.sentence, (last.sentence or last.passage) + 1)
        found = [Pointer(first.passage, n) for n in numbers]
    return found if 1 < len(found) <= WIDEST_RANGE else []


_PUNCTUATION = ".,;:!?"
_ENDS = re.compile(r"[.!?…:]")
_SPACES = re.compile(r"[^\S\n]+\Z")
_SOURCES = re.compile(rf"\W*{pattern('citations.heading')}\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a draft: `lead` is the white space before it, `text` has no citations. `markers` come
    with offsets in `text`; one behind the full stop has the offset of the end."""

    lead: str
    text: str
    markers: tuple[tuple[int, Marker], ...]


class Draft:
    """Collects pieces into sentences; a list of sources, which models like to add, is left out."""

    def __init__(self) -> None:
        self._text = ""
        self._markers: list[tuple[int, Marker]] = []
        self._over = False

    @property
    def showable(self) -> str:
        """The certain part of the sentence being written: its text up to the first marker."""
        certain = self._text[: self._markers[0][0]] if self._markers else self._text
        return certain.rstrip()

    def add(self, piece: Piece) -> Iterator[Sentence]:
        """Takes a piece and yields the sentences that it completes."""
        if self._over:
            return
        if isinstance(piece, Marker):
            self._markers.append((len(self._text), piece))
            return
        # no double space where a marker was taken out
        if self._markers and self._text.endswith(" "):
            if piece[0] in _PUNCTUATION:
                self._text = self._text.rstrip(" ")
                self._markers = [(min(at, len(self._text)), marker) for at, marker in self._markers]
            else:
                piece = piece.lstrip(" ")
        self._text += piece
        yield from self._closed(self._ends())

    def finish(self) -> Iterator[Sentence]:
        """The rest, as the last sentence or sentences."""
        yield from self._closed(_sentence_ends(self._text))

    def _ends(self) -> list[int]:
        """Offsets of sentence ends that no further text can change. Only text up to the last space counts:
        „am 15.“ may go on with „August“."""
        line_end = self._text.rfind("\n")
        settled = self._text[: max(self._text.rfind(" "), line_end) + 1]
        if not _ENDS.search(settled) and line_end < 0:
            return []
        ends = _sentence_ends(settled)
        return ends[:-1] + [end for end in ends[-1:] if end <= line_end]

    def _closed(self, ends: list[int]) -> Iterator[Sentence]:
        start = 0
        for end in ends:
            raw = self._text[start:end]
            text = raw.lstrip()
            begin = end - len(text)
            lead = raw[: len(raw) - len(text)]
            lead = lead.rstrip(" ") if "\n" in lead else lead  # what a marker left that stood there
            # a marker after the full stop belongs to the sentence before it, unless a line ends in between
            own = [pair for pair in self._markers if len(_SPACES.sub("", self._text[: pair[0]])) <= end]
            self._markers = self._markers[len(own) :]
            if _SOURCES.fullmatch(text):
                self._over, self._text, self._markers = True, "", []
                return
            if text:
                yield Sentence(lead, text, tuple((min(max(at - begin, 0), len(text)), m) for at, m in own))
            start = end
        self._text = self._text[start:]
        self._markers = [(max(at - start, 0), marker) for at, marker in self._markers]


def _sentence_ends(text: str) -> list[int]:
    lines = (line.span() for line in re.finditer(r"[^\n]+", text))
    return [high for line in lines for _, high in sentences(text, *line)]


def plain(texts: Iterable[str]) -> Iterator[str]:
    """The texts without leading white space and without `**`, which is never rendered."""
    held, begun = "", False
    for text in texts:
        held = (held + text).replace("**", "")
        if not begun:
            held = held.lstrip()
        ready, held = (held[:-1], "*") if held.endswith("*") else (held, "")
        if ready:
            begun = True
            yield ready
    if held:
        yield held
