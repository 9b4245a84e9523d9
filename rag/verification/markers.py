"""The citations in a model's text: found while it streams, in every form that models write them.

A model only points, at a passage (`[2]`) or at a sentence of one (`[2.3]`). Accepted are also
`[1, 2]`, `[1;2]`, `[1 und 2]`, `[1][2]`, `[1-3]`, `【1†…】`, `［1］`, `[^1]`, `[Quelle 1]`, `[Source 1]`;
`[1](url)` loses its address. What looks otherwise (`[…]`, `[sic]`, `(1)`) is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_MARKER = 24
"""Characters after an opening bracket within which a marker closes; beyond it, it is text."""
WIDEST_RANGE = 5

_OPEN = re.compile(r"[\[【［]")
_CLOSE = {"[": "]", "【": "】", "［": "］"}
_WORD = r"(?:quellen?|sources?|belege?|passagen?|passages?|fundstellen?|fontes?|джерел[оа]|nr\.?|no\.?|#)"
_POINTER = r"\d{1,3}(?:\.\d{1,3})?"
_BODY = re.compile(
    rf"\s*\^?\s*(?:{_WORD}\s*:?\s*)?(?P<list>{_POINTER}"
    rf"(?:\s*(?:[,;/&]|und|and|et|e|і|та|[-–—])\s*(?:{_WORD}\s*)?\^?{_POINTER})*)\s*(?:†.*)?",
    re.IGNORECASE | re.DOTALL,
)
_SEPARATED = re.compile(rf"({_POINTER})(\s*[-–—]\s*)?")
_LONGEST_ADDRESS = 300
_ADDRESS = re.compile(rf"\([^()\s]{{0,{_LONGEST_ADDRESS - 2}}}\)")
_OPEN_ADDRESS = re.compile(r"\([^()\s]*")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a marker points at: a passage by its number in the prompt, perhaps one of its sentences."""

    passage: int
    sentence: int | None = None

    def __str__(self) -> str:
        return f"[{self.passage}]" if self.sentence is None else f"[{self.passage}.{self.sentence}]"


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation as the model wrote it; without pointers when its range is too wide or runs backwards."""

    written: str
    pointers: tuple[Pointer, ...]


Piece = str | Marker
"""A stretch of text, or a marker."""


def parse(deltas: Iterable[str]) -> Iterator[Piece]:
    """Text and markers, in order, as soon as each is certain.

    However the text is cut into deltas, the concatenated pieces are the same. An opening bracket
    holds back at most LONGEST_MARKER characters; one that never closes is resolved at the end.
    """
    held = ""
    for delta in deltas:
        held += delta
        while held:
            piece, rest = _next(held, complete=False)
            if piece is None:
                break
            held = rest
            if piece:
                yield piece
    while held:
        piece, held = _next(held, complete=True)
        if piece:
            yield piece


def _next(held: str, *, complete: bool) -> tuple[Piece | None, str]:
    """The first piece of the held text and the rest; None when more text must come to tell."""
    opening = _OPEN.search(held)
    if opening is None:
        return held, ""
    if opening.start():
        return held[: opening.start()], held[opening.start() :]
    close = held.find(_CLOSE[held[0]], 1)
    if not 0 < close <= LONGEST_MARKER:
        if close < 0 and len(held) <= LONGEST_MARKER and not complete:
            return None, held
        return _unclosed(held) if close < 0 and complete else (held[0], held[1:])
    pointers = _pointers(held[1:close])
    if pointers is None:
        return held[0], held[1:]
    return _without_address(Marker(held[: close + 1], pointers), held, complete=complete)


def _without_address(marker: Marker, held: str, *, complete: bool) -> tuple[Piece | None, str]:
    """The marker, and what follows it without `(url)`."""
    rest = held[len(marker.written) :]
    if match := _ADDRESS.match(rest):
        return marker, rest[match.end() :]
    undecided = not rest or (_OPEN_ADDRESS.fullmatch(rest) and len(rest) < _LONGEST_ADDRESS)
    return (None, held) if undecided and not complete else (marker, rest)


def _unclosed(held: str) -> tuple[Piece, str]:
    """A marker that the end of the text cut off: `[1` at the very end still points."""
    pointers = _pointers(held[1:])
    return (held[0], held[1:]) if pointers is None else (Marker(held, pointers), "")


def _pointers(body: str) -> tuple[Pointer, ...] | None:
    """The pointers between the brackets, without repetition; None when this is no marker."""
    match = _BODY.fullmatch(body)
    if match is None:
        return None
    found: dict[Pointer, None] = {}
    parts = _SEPARATED.findall(match["list"])
    for i, (written, _) in enumerate(parts):
        opens_range = bool(i and parts[i - 1][1])
        between = _range(_pointer(parts[i - 1][0]), _pointer(written)) if opens_range else [_pointer(written)]
        if not between:
            return ()
        found |= dict.fromkeys(between)
    return tuple(found)


def _pointer(written: str) -> Pointer:
    passage, _, sentence = written.partition(".")
    return Pointer(int(passage), int(sentence) if sentence else None)


def _range(first: Pointer, last: Pointer) -> list[Pointer]:
    """All from the first to the last; none when the range is too wide or runs backwards."""
    if first.sentence is None and last.sentence is None:
        numbers = range(first.passage, last.passage + 1)
        return [Pointer(n) for n in numbers] if 1 < len(numbers) <= WIDEST_RANGE else []
    if first.sentence is None or (last.sentence is not None and first.passage != last.passage):
        return []
    numbers = range(first.sentence, (last.sentence or last.passage) + 1)  # [2.1-2.3] or [2.1-3]
    return [Pointer(first.passage, n) for n in numbers] if 1 < len(numbers) <= WIDEST_RANGE else []
