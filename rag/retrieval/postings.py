"""Postings in numpy: which documents have a term, and how often.

A term is known by a hash of 56 bits, so that no vocabulary of strings is built, kept or loaded; two terms
of ten million share one with a chance of 1 in 1,500.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.text.analysis import GRAM

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int32]
Places = NDArray[np.int64]

_ARRAYS = ("terms", "indptr", "docs", "tf", "lengths")
_BLOCK = 256  # documents whose terms are sorted at once: they take the lowest 8 bits of a hash
_ROW_MASK = np.uint64(_BLOCK - 1)
_SLICES = 64  # of the hashes: as much of a corpus is in memory at once while it is written
_EDGES = np.array([n << 58 for n in range(_SLICES)], dtype=np.uint64)
_COUNT = np.uint32  # documents of a part that have a term
_WHOLE = (1 << 64) - 1
_FACTOR = 0x9E3779B97F4A7C15
_MIX = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_POWERS = tuple(pow(_FACTOR, place, 1 << 64) for place in range(GRAM))
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Postings:
    """Documents by term, in columns sorted by the term's hash; it never changes.

    `docs[indptr[t]:indptr[t + 1]]` are the documents of `terms[t]`, ascending, `tf` beside them how often
    they have it; `lengths` is the number of terms of each document.
    """

    terms: Hashes
    indptr: NDArray[np.int64]
    docs: Rows
    tf: NDArray[np.uint16]
    lengths: Rows

    def save(self, folder: Path) -> None:
        """Writes the postings into a new folder."""
        folder.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path, size: int) -> Self:
        """What `save` wrote, for `size` documents, mapped into memory; ValueError if parts do not fit."""
        # as plain arrays: slicing a `memmap` takes ten times as long
        mapped = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS)
        found = cls(*(array.view(np.ndarray) for array in mapped))
        ends = int(found.indptr[-1])
        fit = len(found.indptr) == len(found.terms) + 1 and ends == len(found.docs) == len(found.tf)
        if not fit or len(found.lengths) != size:
            raise ValueError("its parts do not fit together")
        return found

    def columns(self, hashes: Hashes) -> tuple[Places, Places]:
        """Where the postings of each term begin and end; both 0 for an unknown one."""
        if not len(self.terms):
            nowhere = np.zeros(len(hashes), dtype=np.int64)
            return nowhere, nowhere
        at = np.minimum(np.searchsorted(self.terms, hashes), len(self.terms) - 1)
        known = self.terms[at] == hashes
        return np.where(known, self.indptr[at], 0), np.where(known, self.indptr[at + 1], 0)


def of_terms(documents: Iterable[Sequence[str]]) -> Postings:
    """The postings of documents that are given as their terms."""
    return combined(blocks_of_terms(documents))


def of_grams(lines: Iterable[str]) -> Postings:
    """The postings of documents given as folded text, whose terms are its 5-grams."""
    return combined(blocks_of_grams(lines))


@functools.lru_cache(maxsize=100_000)
def term_hash(term: str) -> int:
    """The hash of a term: a polynomial of its letters, mixed as in MurmurHash3, the last 8 bits 0."""
    value, power = 0, 1
    for letter in term:
        value += ord(letter) * power
        power = power * _FACTOR & _WHOLE
    value &= _WHOLE
    for factor in _MIX:
        value = (value ^ value >> 33) * factor & _WHOLE
    return (value ^ value >> 33) & ~int(_ROW_MASK)


def term_hashes(terms: Sequence[str]) -> Hashes:
    """`term_hash` of each of some terms, of which nobody has asked before: a question's 5-grams."""
    sizes = np.fromiter(map(len, terms), dtype=np.int64, count=len(terms))
    letters = np.frombuffer("".join(terms).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    powers = np.cumprod(np.array([1, *[_FACTOR] * max(sizes, default=0)], dtype=np.uint64))
    starts = np.cumsum(sizes) - sizes
    letters *= powers[np.arange(len(letters)) - np.repeat(starts, sizes)]
    return _mixed(np.add.reduceat(letters, starts) if len(letters) else letters)


def _mixed(hashes: Hashes) -> Hashes:
    for factor in _MIX:
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return (hashes ^ (hashes >> np.uint64(33))) & ~_ROW_MASK


def _counts(sizes: Sequence[int]) -> Rows:
    return np.array(sizes, dtype=np.int32)


# --- building


@dataclass(frozen=True, slots=True)
class Block:
    """The postings of some documents, sorted by term: `df` is how many of them have each of `terms`.

    It is what a corpus is built from, and small: a posting takes three bytes.
    """

    terms: Hashes
    df: NDArray[np.unsignedinteger]
    docs: NDArray[np.unsignedinteger]
    tf: NDArray[np.uint16]
    lengths: Rows


def blocks_of_terms(documents: Iterable[Sequence[str]]) -> Iterator[Block]:
    """The blocks of documents that are given as their terms."""
    for block in _blocks(documents):
        flat = [term_hash(term) for document in block for term in document]
        yield _block(np.array(flat, dtype=np.uint64), _counts([len(document) for document in block]))


def blocks_of_grams(lines: Iterable[str]) -> Iterator[Block]:
    """The blocks of documents given as folded text, whose terms are its 5-grams."""
    for block in _blocks(lines):
        codes = np.frombuffer("".join(block).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        sizes = np.array([len(line) for line in block], dtype=np.int64)
        starts = np.flatnonzero(np.arange(len(codes)) + GRAM <= np.repeat(np.cumsum(sizes), sizes))
        found = np.zeros(len(starts), dtype=np.uint64)
        for place, power in enumerate(_POWERS):
            found += codes[starts + place] * np.uint64(power)
        yield _block(_mixed(found), np.maximum(sizes - GRAM + 1, 0).astype(np.int32))


def _blocks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while block := list(islice(rest, _BLOCK)):
        yield block


def _block(hashes: Hashes, lengths: Rows) -> Block:
    # the document in the lowest bits, so that one sort brings together what is to be counted
    marked = np.sort(hashes | np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths))
    at = _first_of_each(marked)
    tf = np.minimum(np.diff(at, append=len(marked)), np.iinfo(np.uint16).max).astype(np.uint16)
    marked = marked[at]
    docs = (marked & _ROW_MASK).astype(np.uint8)
    marked &= ~_ROW_MASK
    starts = _first_of_each(marked)
    df = np.diff(starts, append=len(marked)).astype(np.uint16)
    return Block(marked[starts], df, docs, tf, lengths)


def _first_of_each(values: Hashes) -> NDArray[np.int64]:
    """Where each distinct value of a sorted array begins; numpy's `unique` sorts (or hashes) once more."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))


def combined(blocks: Iterable[Block]) -> Postings:
    """The postings of blocks one after the other, in memory."""
    held = list(blocks)
    lengths = np.concatenate([_counts([]), *(block.lengths for block in held)])
    firsts = np.cumsum([0, *(len(block.lengths) for block in held)])[:-1].tolist()
    terms, sizes, docs, tf = _dealt(held, firsts)
    return Postings(terms, np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), docs, tf, lengths)


def _dealt(
    blocks: Sequence[Block], firsts: Sequence[int]
) -> tuple[Hashes, NDArray[np.int64], Rows, NDArray[np.uint16]]:
    """Terms, documents a term, documents and frequencies: each block is dealt out to the columns of all."""
    terms = np.sort(np.concatenate([np.zeros(0, np.uint64), *(block.terms for block in blocks)]))
    terms = terms[_first_of_each(terms)]
    columns = [np.searchsorted(terms, block.terms) for block in blocks]
    sizes = np.zeros(len(terms), dtype=np.int64)
    for block, column in zip(blocks, columns, strict=True):
        sizes[column] += block.df
    free = np.cumsum(sizes) - sizes
    docs = np.zeros(int(sizes.sum()), dtype=np.int32)
    tf = np.zeros(len(docs), dtype=np.uint16)
    for block, column, first in zip(blocks, columns, firsts, strict=True):
        df = block.df.astype(np.int64)
        places = np.repeat(free[column] - (np.cumsum(df) - df), df) + np.arange(len(block.docs))
        docs[places] = block.docs.astype(np.int32) + np.int32(first)
        tf[places] = block.tf
        free[column] += df
    return terms, sizes, docs, tf


def write_part(path: Path, blocks: Iterable[Block]) -> None:
    """Puts the postings of some documents aside on disk, until `merge_parts` takes them together."""
    found = combined(blocks)
    cuts = np.append(np.searchsorted(found.terms, _EDGES), len(found.terms))
    arrays = (
        np.array([len(found.lengths)]),
        cuts,
        found.indptr[cuts],
        found.lengths,
        found.terms,
        np.diff(found.indptr).astype(_COUNT),
        found.docs.astype(_row_kind(len(found.lengths))),
        found.tf,
    )
    with path.open("wb") as file:
        for array in arrays:
            file.write(array.data)


def merge_parts(paths: Sequence[Path], folder: Path) -> None:
    """Writes the postings of parts, one after the other, into a new folder as `Postings.save` does.

    Each part is cut at the same hashes, and one slice of these is in memory at a time, so that memory does
    not grow with the corpus.
    """
    folder.mkdir(parents=True)
    parts = [_Part(path) for path in paths]
    lengths = np.concatenate([_counts([]), *(part.lengths for part in parts)])
    firsts = np.cumsum([0, *(len(part.lengths) for part in parts)])[:-1].tolist()
    postings = sum(part.postings for part in parts)
    terms, sizes = [np.zeros(0, np.uint64)], [np.zeros(1, np.int64)]
    with (folder / "docs.npy").open("wb") as docs, (folder / "tf.npy").open("wb") as tf:
        _begin_array(docs, np.dtype(np.int32), postings)
        _begin_array(tf, np.dtype(np.uint16), postings)
        for number in range(_SLICES):
            found = _dealt([part.read(number) for part in parts], firsts)
            terms.append(found[0])
            sizes.append(found[1])
            docs.write(found[2].data)
            tf.write(found[3].data)
    np.save(folder / "terms.npy", np.concatenate(terms))
    np.save(folder / "indptr.npy", np.cumsum(np.concatenate(sizes)))
    np.save(folder / "lengths.npy", lengths)


class _Part:
    """What `write_part` wrote, to be read a slice of the hashes at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        head = 1 + 2 * (_SLICES + 1)
        self._cuts = np.fromfile(path, np.int64, head)
        documents = int(self._cuts[0])
        self.lengths = np.fromfile(path, np.int32, documents, offset=self._cuts.nbytes)
        self._row = np.dtype(_row_kind(documents))
        self._start = self._cuts.nbytes + self.lengths.nbytes
        self._terms, self.postings = int(self._cuts[_SLICES + 1]), int(self._cuts[-1])

    def read(self, number: int) -> Block:
        """A slice."""
        low, high = self._cuts[number + 1 : number + 3].tolist()
        first, last = self._cuts[number + _SLICES + 2 : number + _SLICES + 4].tolist()
        arrays = []
        with self._path.open("rb") as file:
            base = self._start
            for kind, size, begin, end in (
                (np.dtype(np.uint64), self._terms, low, high),
                (np.dtype(_COUNT), self._terms, low, high),
                (self._row, self.postings, first, last),
                (np.dtype(np.uint16), self.postings, first, last),
            ):
                file.seek(base + begin * kind.itemsize)
                arrays.append(np.fromfile(file, kind, end - begin))
                base += size * kind.itemsize
        return Block(arrays[0], arrays[1], arrays[2], arrays[3], _counts([]))


def _row_kind(documents: int) -> type[np.uint16 | np.uint32]:
    return np.uint16 if documents <= 1 << 16 else np.uint32


def _begin_array(file: BinaryIO, kind: np.dtype[Any], length: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)
