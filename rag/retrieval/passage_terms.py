"""What matching needs of a passage's sentences: stored with the index, read when it is asked for."""

from __future__ import annotations

import functools
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain, pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.question.separable import separated_verbs
from rag.schema import Span
from rag.text.analysis import folded, folded_of, keys, keys_of, language_of, words

TERMS_VERSION = 2
"""To be raised when a sentence's terms change by anything but the data files."""

_DATA = ("glossary.en.tsv", "verbs.de.tsv", "forms.en.tsv")


@dataclass(frozen=True, slots=True)
class SentenceTerms:
    """A sentence as its distinct search keys, and as its folded text, a tenth as large as its 5-grams.

    Both are lines with single spaces at and between the words.
    """

    line: str
    folded: str

    @property
    def keys(self) -> list[str]:
        """The distinct search keys, in the order of the sentence."""
        return self.line.split()


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """A passage's sentences, and the heading of its article."""

    heading: SentenceTerms
    sentences: tuple[SentenceTerms, ...]

    def pack(self) -> bytes:
        """The terms as bytes: UTF-8, a line each, keys and folded text parted by a tab."""
        parts = (self.heading, *self.sentences)
        return "\n".join(f"{part.line[1:-1]}\t{part.folded}" for part in parts).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The inverse of `pack`."""
        lines = (line.partition("\t") for line in packed.decode().split("\n"))
        heading, *sentences = [SentenceTerms(f" {held} ", text) for held, _, text in lines]
        return cls(heading, tuple(sentences))


def sentence_terms(sentence: str, language: str | None = "de") -> SentenceTerms:
    """A sentence, in the language of its article, as the matching sees it."""
    return _terms(sentence, keys(sentence, language), folded(sentence), language)


def passage_terms(
    heading: str, text: str, sentences: Iterable[Span], language: str | None = "de"
) -> PassageTerms:
    """The terms of a passage whose sentences are spans of `text`."""
    own = tuple(sentence_terms(text[a:b], language) for a, b in sentences)
    return PassageTerms(sentence_terms(heading, language), own)


def analysed_passage(
    heading: str, text: str, span: Span, sentences: Sequence[Span], language: str | None = "de"
) -> tuple[PassageTerms, list[str], list[str], str]:
    """A passage's terms, the search keys of its heading and its own, and its folded text, all from one
    look at its words.

    Its own keys are those of all of `span`, also of what is no sentence; so is the text, with the heading.
    """
    edges = [span[0], *chain.from_iterable(sentences), span[1]]
    parts = [heading, *(text[a:b] for a, b in pairwise(edges))]
    tokens = [(part, words(part)) for part in parts]
    found = [(part, keys_of(held, language), folded_of(held)) for part, held in tokens]
    lines = (line[1:-1] for _, _, line in found)
    terms = PassageTerms(_terms(*found[0], language), tuple(_terms(*each, language) for each in found[2::2]))
    line = f" {' '.join(filter(None, lines))} "
    return terms, found[0][1], [term for _, held, _ in found[1:] for term in held], line


def _terms(sentence: str, held: Sequence[str], line: str, language: str | None) -> SentenceTerms:
    joined = [verb.key for verb in separated_verbs(sentence)] if language_of(language) == "de" else []
    return SentenceTerms(f" {' '.join(dict.fromkeys([*held, *joined]))} ", line)


class StoredTerms:
    """The packed terms of many passages by row, mapped into memory."""

    def __init__(self, packed: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._packed, self._ends = packed, ends

    def __getitem__(self, row: int) -> PassageTerms:
        start = int(self._ends[row - 1]) if row else 0
        return PassageTerms.unpack(self._packed[start : int(self._ends[row])].tobytes())

    @classmethod
    def load(cls, folder: Path, size: int) -> Self | None:
        """Those of `size` passages; None if this version wrote none, ValueError if parts do not fit."""
        path, ends = _files(folder)
        if not path.exists():
            return None
        places = np.load(ends)
        packed = (
            np.memmap(path, np.uint8, "r").view(np.ndarray) if path.stat().st_size else np.zeros(0, np.uint8)
        )
        if len(places) != size or (places[-1] if size else 0) != len(packed):
            raise ValueError("its terms do not fit its passages")
        return cls(packed, places)


def write_terms(folder: Path, packed: Iterable[bytes]) -> None:
    """Writes the packed terms of passages for `StoredTerms.load`."""
    path, ends = _files(folder)
    sizes = []
    with path.open("wb") as file:
        for each in packed:
            file.write(each)
            sizes.append(len(each))
    np.save(ends, np.cumsum(sizes, dtype=np.int64))


def merge_terms(parts: Sequence[Path], folder: Path) -> None:
    """Writes what was written to several folders, one after the other, into another."""
    path, ends = _files(folder)
    sizes = [np.zeros(0, np.int64)]
    with path.open("wb") as file:
        for held, places in map(_files, parts):
            with held.open("rb") as part:
                shutil.copyfileobj(part, file)
            sizes.append(np.diff(np.load(places), prepend=0))
    np.save(ends, np.cumsum(np.concatenate(sizes)))


def _files(folder: Path) -> tuple[Path, Path]:
    name = f"terms-{_version()}"
    return folder / f"{name}.txt", folder / f"{name}.npy"


@functools.cache
def _version() -> str:
    """Terms are made with our data files: others make others."""
    held = b"".join((files("rag") / "data" / name).read_bytes() for name in _DATA)
    return f"{TERMS_VERSION}-{zlib.crc32(held):08x}"
