"""What a sync makes of articles before they are written: pure, so that another process can do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.chunking import chunk_article
from rag.schema import Article, Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.embedder import Floats
    from rag.lexical import Analysed


@dataclass(frozen=True, slots=True)
class Prepared:
    """The chunks and the marks (see `ingest.copies`) of each of some articles.

    `vectors` has a row for each chunk, unless they come from elsewhere; `analysed` is the chunks for the
    lexical index, where it is wanted.
    """

    chunks: tuple[list[Chunk], ...]
    marks: tuple[NDArray[np.uint64], ...]
    vectors: Floats | None
    analysed: Analysed | None


def prepare(articles: Sequence[Article], words: int, *, embed: bool, analyse: bool) -> Prepared:
    """Cuts, embeds (with the built-in embedding) and analyses articles."""
    from ingest.copies import marks
    from rag.hashing import vectors
    from rag.lexical import analysed

    chunks = tuple(chunk_article(article, words) for article in articles)
    pairs = [(article, chunk) for article, held in zip(articles, chunks, strict=True) for chunk in held]
    return Prepared(
        chunks,
        tuple(marks(article.text) for article in articles),
        vectors([embedded(*pair) for pair in pairs]) if embed else None,
        analysed(pairs) if analyse else None,
    )


def embedded(article: Article, chunk: Chunk) -> str:
    """The text of a chunk as it is embedded."""
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text
