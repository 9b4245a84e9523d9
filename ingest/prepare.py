"""What a sync makes of articles before they are written: pure, so that another process can do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.chunking import chunk_article
from rag.schema import Article, Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.embedder import Floats
    from rag.lexical import Analysed
    from rag.vector_records import Records


@dataclass(frozen=True, slots=True)
class Prepared:
    """The chunks and the marks (see `ingest.copies`) of each of some articles.

    `vectors` has a row for each chunk, unless they come from elsewhere; `records` is what is stored with it.
    """

    chunks: tuple[list[Chunk], ...]
    marks: tuple[NDArray[np.uint64], ...]
    vectors: Floats | None
    records: list[dict[str, str | int]]


def prepare(
    batch: tuple[int, Sequence[Article]], *, words: int, note: str, embed: bool, segment: Path | None
) -> Prepared:
    """Cuts and embeds (with the built-in embedding) a numbered batch of articles.

    Where it is a part of all that an index will hold, they are analysed as well, and put aside for its
    `segment`.
    """
    from ingest.copies import marks
    from rag.hashing import vectors_of
    from rag.lexical import analysed, put_aside
    from rag.vector_records import chunk_metadata

    number, articles = batch
    chunks = tuple(chunk_article(article, words) for article in articles)
    pairs = [(article, chunk) for article, held in zip(articles, chunks, strict=True) for chunk in held]
    found = analysed(pairs) if segment is not None else None
    if segment is not None and found is not None:
        put_aside(segment, number, found)
    return Prepared(
        chunks,
        tuple(marks(article.text) for article in articles),
        vectors_of(_keys(pairs, found)) if embed else None,
        [chunk_metadata(*pair, note) for pair in pairs],
    )


def _keys(pairs: Sequence[tuple[Article, Chunk]], found: Analysed | None) -> list[list[str]]:
    """The search keys of what is embedded; the chunks' own are not looked for twice."""
    from rag.analysis import keys

    if found is None:
        return [keys(embedded(*pair), pair[0].language) for pair in pairs]
    return [
        [*keys(article.title or "", article.language), *held]
        for (article, _), held in zip(pairs, found.keys, strict=True)
    ]


def joined(prepared: Sequence[Prepared]) -> tuple[Floats | None, Records | None]:
    """Vectors and records of several batches, as far as they were made."""
    import numpy as np

    made = [found.vectors for found in prepared if found.vectors is not None]
    records = [record for found in prepared for record in found.records]
    return np.concatenate(made) if made else None, records or None


def embedded(article: Article, chunk: Chunk) -> str:
    """The text of a chunk as it is embedded."""
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text
