"""Finds citations in a model's text while it streams, in every form that models write.

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
    """A sentence without the `(1)` or `(1.4)` at its end, and that as a marker; None without one.

    It may also be a figure (an age, a number in a list); the words that it would point at must decide.
    """
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
