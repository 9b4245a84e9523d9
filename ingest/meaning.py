"""The vectors by which questions are answered by meaning, made behind the words: newest articles first.

First those of passages, then those of sentences. What is there is kept as it comes, so that whatever breaks
off is gone on with; an article that changes loses its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest.report import Progress, silent
from rag.models.encoder import Encoder
from rag.schema import Article, Chunk
from rag.store.library import Library
from rag.store.passage_vectors import pack

PASSAGES_AT_ONCE = 8


def embed_library(
    library: Library,
    encoder: Encoder,
    progress: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Makes all vectors that the library lacks, until `stop` says so. Raises ProviderUnavailable."""
    missing = {column: library.without_vectors(column) for column in ("passage", "pairs")}
    total = sum(map(len, missing.values()))
    done = 0
    for column, rows in missing.items():
        for start in range(0, len(rows), PASSAGES_AT_ONCE):
            if stop():
                return
            progress("embed", done, total)
            batch = rows[start : start + PASSAGES_AT_ONCE]
            (_embed_passages if column == "passage" else _embed_sentences)(library, encoder, batch)
            done += len(batch)
    if total:
        progress("embed", total, total)


def _embed_passages(library: Library, encoder: Encoder, rows: Sequence[int]) -> None:
    held = library.passages_at(rows)
    vectors = encoder.texts([embedded(article, chunk) for article, chunk in held.values()])
    library.put_vectors((row, pack(vector), None, None) for row, vector in zip(held, vectors, strict=True))


def _embed_sentences(library: Library, encoder: Encoder, rows: Sequence[int]) -> None:
    packed = library.packed_passages(rows)
    for row, (article, chunk) in library.passages_at(rows).items():
        sentences = [article.text[start:end] for start, end in chunk.sentences]
        before = sentence_before(article, chunk)
        pairs = [f"{a} {b}" if a else b for a, b in zip([before, *sentences], sentences, strict=False)]
        vectors = encoder.texts([*sentences, *pairs])
        if row in packed:
            halves = vectors[: len(sentences)], vectors[len(sentences) :]
            library.put_vectors([(row, packed[row], pack(halves[0]), pack(halves[1]))])


def embedded(article: Article, chunk: Chunk) -> str:
    """The text of a passage as it is embedded."""
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text


def sentence_before(article: Article, chunk: Chunk) -> str:
    """What stands right before a passage, at most a paragraph; empty at the beginning."""
    return article.text[: chunk.start].rstrip().rpartition("\n")[2][-LONGEST_BEFORE:]


LONGEST_BEFORE = 300
"""Characters."""
