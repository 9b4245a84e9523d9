"""Cuts a model's text into sentences while it grows, each with its markers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.text.languages import pattern
from rag.text.sentences import sentences
from rag.verification.markers import Marker, Piece

_PUNCTUATION = ".,;:!?"
_ENDS = re.compile(r"[.!?…:]")
_SPACES = re.compile(r"[^\S\n]+\Z")
_SOURCES = re.compile(rf"\W*{pattern('citations.heading')}\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a draft: `lead` is the white space before it, `text` has no citations.

    `markers` come with offsets in `text`; one behind the full stop has the offset of the end.
    """

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
        if not self._over:
            yield from self._closed([high for _, high in self._spans(self._text)])

    def _ends(self) -> list[int]:
        """Offsets of sentence ends that no further text can change.

        Only text up to the last space counts: „am 15.“ may go on with „August“.
        """
        line_end = self._text.rfind("\n")
        settled = self._text[: max(self._text.rfind(" "), line_end) + 1]
        if not _ENDS.search(settled) and line_end < 0:
            return []
        spans = self._spans(settled)
        return [high for _, high in spans[:-1]] + [high for _, high in spans[-1:] if high <= line_end]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        found, start = [], 0
        for line in text.split("\n"):
            if line.strip():
                found += [(start + low, start + high) for low, high in sentences(line)]
            start += len(line) + 1
        return found

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
                self._over = True
                break
            if text:
                yield Sentence(lead, text, tuple((min(max(at - begin, 0), len(text)), m) for at, m in own))
            start = end
        self._text = "" if self._over else self._text[start:]
        self._markers = [] if self._over else [(max(at - start, 0), marker) for at, marker in self._markers]


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
