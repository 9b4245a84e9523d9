"""The lexical index: BM25 on stems and on 5-grams, on disk by revision, in two segments.

The main segment holds most chunks and is only ever read; the small one is built anew with every change,
for what is new since; chunks of either that are no longer there are noted beside them. When the small one
or the note has grown, all is built anew. Scores are those of a whole index, whichever the segments:
document frequencies and lengths count over what is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rag.errors import IndexDamaged
from rag.retrieval.bm25 import Field
from rag.retrieval.passage_terms import PassageTerms, StoredTerms, analysed_passage, merge_terms, write_terms
from rag.retrieval.postings import (
    Block,
    Postings,
    Rows,
    blocks_of_grams,
    blocks_of_terms,
    combined,
    merge_parts,
    write_part,
)
from rag.schema import ANALYSER_VERSION, Article, Chunk
from rag.text.normalize import written_date

if TYPE_CHECKING:
    from rag.store.library import Library

KEPT_REVISIONS = 2
WORDS_B, GRAMS_B = 0.75, 0.9
LEAST_MERGED = 1_000
"""Chunks outside the main segment, new or gone, up to which it is never built anew."""
MOST_APART = 0.125
"""The same as a share of the main segment's chunks."""

_MAIN, _NEW = "main", "new"
_WORDS, _GRAMS, _IDS, _PART = "words", "grams", "ids.txt", "part-"
_MADE_WITH = "made-with.txt"
_PARTIAL = ".partial"
_AT_ONCE = 1024  # chunks in memory while a segment is written; full blocks take the least room
_UNREADABLE = (OSError, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Segment:
    """Some chunks and their postings: `ids[row]` is the chunk of document `row`."""

    ids: tuple[str, ...]
    words: Postings
    grams: Postings
    terms: StoredTerms | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The segment that `save` wrote, mapped into memory."""
        ids = _read_ids(folder)
        words, grams = (Postings.load(folder / name, len(ids)) for name in (_WORDS, _GRAMS))
        return cls(ids, words, grams, StoredTerms.load(folder, len(ids)))


class LexicalIndex:
    """The two fields over all segments: `ids[row]` is the chunk of document `row`.

    A row whose chunk is no longer there scores 0 in both.
    """

    def __init__(self, segments: Sequence[Segment], gone: Sequence[Rows] | None = None) -> None:
        self.segments = tuple(segments)
        self.gone = tuple(gone or (np.zeros(0, dtype=np.int32) for _ in segments))
        self.ids = tuple(id for segment in segments for id in segment.ids)
        self.words = Field([segment.words for segment in segments], WORDS_B, self.gone)
        self.grams = Field([segment.grams for segment in segments], GRAMS_B, self.gone)

    def terms(self, row: int) -> PassageTerms | None:
        """What was stored of a chunk's sentences; None where this version of Beleg stored nothing."""
        for segment in self.segments:
            if row < len(segment.ids):
                return None if segment.terms is None else segment.terms[row]
            row -= len(segment.ids)
        raise IndexError(row)

    def held(self) -> set[str]:
        """Ids of the chunks that are there."""
        return {id for id, there in zip(self.ids, self.words.live, strict=True) if there}


@dataclass(frozen=True, slots=True)
class Analysed:
    """Some chunks as the index takes them up: their ids, the blocks of both fields, their packed terms."""

    ids: tuple[str, ...]
    words: tuple[Block, ...]
    grams: tuple[Block, ...]
    terms: tuple[bytes, ...]


def analysed(pairs: Iterable[tuple[Article, Chunk]]) -> Analysed:
    """Analyses chunks, each given with its article."""
    ids, words, lines, packed = [], [], [], []
    for article, chunk in pairs:
        span = (chunk.start, chunk.end)
        terms, head, found, line = analysed_passage(
            heading(article), article.text, span, chunk.sentences, article.language
        )
        ids.append(chunk.id)
        words.append([*head, *found])
        lines.append(line)
        packed.append(terms.pack())
    blocks = tuple(blocks_of_terms(words)), tuple(blocks_of_grams(lines))
    return Analysed(tuple(ids), *blocks, tuple(packed))


def put_aside(folder: Path, number: int, found: Analysed) -> None:
    """Writes chunks as a part, numbered from 0, of a segment that `merge` makes."""
    part = _part(folder, number)
    part.mkdir(exist_ok=True)
    write_part(part / _WORDS, found.words)
    write_part(part / _GRAMS, found.grams)
    write_terms(part, found.terms)
    (part / _IDS).write_text("\n".join(found.ids), encoding="utf-8")


def merge(folder: Path, count: int) -> None:
    """Makes so many parts in a folder a segment for `Segment.load`."""
    parts = [_part(folder, number) for number in range(count)]
    for name in (_WORDS, _GRAMS):
        shutil.rmtree(folder / name, ignore_errors=True)
        merge_parts([part / name for part in parts], folder / name)
    merge_terms(parts, folder)
    ids = [(part / _IDS).read_text(encoding="utf-8") for part in parts]
    (folder / _IDS).write_text("\n".join(filter(None, ids)), encoding="utf-8")


def _remove_parts(folder: Path) -> None:
    for part in folder.glob(f"{_PART}*"):
        shutil.rmtree(part)


def _part(folder: Path, number: int) -> Path:
    return folder / f"{_PART}{number}"


def index_chunks(pairs: Iterable[tuple[Article, Chunk]]) -> LexicalIndex:
    """The index of chunks, each given with its article, in memory."""
    found = analysed(pairs)
    return LexicalIndex([Segment(found.ids, combined(found.words), combined(found.grams))])


def heading(article: Article) -> str:
    """What holds for every sentence of an article: title, outlet, author, dateline and day."""
    datelines = [article.text[a.start : a.end] for a in article.asides if a.kind == "dateline"]
    stated = [
        article.title,
        article.outlet,
        article.author,
        *datelines,
        written_date(article.published, article.language),
    ]
    return " · ".join(part for part in stated if part)


def build_index(folder: Path, library: Library, whole: bool = False) -> None:
    """Writes the index of the library's current revision below `folder`, and removes older ones.

    It goes on from the latest one there, unless all is to be built anew (`whole`). The one before
    stays: it answers until the library has changed over, and after a crash.
    """
    target = _folder(folder, library.revision)
    partial = target.with_suffix(_PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    before = None if whole else _latest(target.parent, library.fingerprint)
    if before is None or not _continue(partial, before, library):
        _write_segment(partial / _MAIN, _pairs(library))
    (partial / _MADE_WITH).write_text(library.fingerprint, encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    for stale in _by_revision(target.parent)[:-KEPT_REVISIONS]:
        shutil.rmtree(stale, ignore_errors=True)


def _write_segment(folder: Path, pairs: Iterable[tuple[Article, Chunk]]) -> None:
    folder.mkdir(parents=True)
    rest, number = iter(pairs), 0
    while some := list(islice(rest, _AT_ONCE)):
        put_aside(folder, number, analysed(some))
        number += 1
    merge(folder, number)
    _remove_parts(folder)


def _read_ids(folder: Path) -> tuple[str, ...]:
    text = (folder / _IDS).read_text(encoding="utf-8")
    return tuple(text.split("\n")) if text else ()


def load_index(folder: Path, revision: int) -> LexicalIndex:
    """The index of a revision; raises IndexDamaged when it is not there or cannot be read."""
    source = _folder(folder, revision)
    try:
        return _load(source)
    except _UNREADABLE as exc:
        raise IndexDamaged(
            f"the lexical index in {source} is missing or unreadable; run: python -m ingest"
        ) from exc


def _load(source: Path) -> LexicalIndex:
    folders = [source / name for name in (_MAIN, _NEW) if name == _MAIN or (source / name).exists()]
    segments = [Segment.load(folder) for folder in folders]
    gone = [np.zeros(0, dtype=np.int32) for _ in segments]
    if (source / "gone.npy").exists():
        gone[0] = np.load(source / "gone.npy")
    return LexicalIndex(segments, gone)


def _latest(folder: Path, fingerprint: str) -> Path | None:
    """The latest index that was made with the same settings and can be read."""
    for path in reversed(_by_revision(folder)):
        try:
            if (path / _MADE_WITH).read_text(encoding="utf-8") == fingerprint:
                _load(path)
                return path
        except _UNREADABLE:
            continue
    return None


def _continue(partial: Path, before: Path, library: Library) -> bool:
    """Writes an index that shares the main segment of the one before; False where that is not worth it."""
    main = Segment.load(before / _MAIN).ids
    wanted = set(library.chunk_ids())
    new = wanted.difference(main)
    gone = np.array([row for row, id in enumerate(main) if id not in wanted], dtype=np.int32)
    if len(new) + len(gone) > max(LEAST_MERGED, MOST_APART * len(main)):
        return False
    # the same files under a second name: each revision is whole, and goes when its folder does
    shutil.copytree(before / _MAIN, partial / _MAIN, copy_function=_linked)
    if len(gone):
        np.save(partial / "gone.npy", gone)
    if new:
        _write_segment(partial / _NEW, _pairs(library, new))
    return True


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _pairs(library: Library, ids: set[str] | None = None) -> Iterable[tuple[Article, Chunk]]:
    """All chunks with their articles, one article at a time, or those of `ids`."""
    article: Article | None = None
    chunks = library.chunks() if ids is None else library.chunks(ids)
    for chunk in chunks:
        if article is None or article.id != chunk.article_id:
            article = library.article(chunk.article_id)
        assert article is not None  # the database refuses chunks without one
        yield article, chunk


def _by_revision(folder: Path) -> list[Path]:
    found = (path for path in folder.iterdir() if path.suffix != _PARTIAL)
    return sorted(found, key=lambda path: int(path.name.partition("-")[0]))


def _folder(folder: Path, revision: int) -> Path:
    return folder / "lexical" / f"{revision}-{ANALYSER_VERSION}"
