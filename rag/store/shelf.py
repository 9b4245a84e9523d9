"""One Chroma folder with our two collections: what is read from it and written to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.schema import Article, Chunk
from rag.store.chroma import ARTICLE_INDEX, ARTICLES, CHUNK_INDEX, CHUNKS, client_of, collection, translated
from rag.store.vector_records import article_records, chunk_records

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_PERSISTED_AT = 500
"""Vectors after which Chroma writes its graph. Until then it keeps them in a queue as well, which it reads
anew with each batch, and whenever it is opened: fewer than a large sync writes at once."""


class Shelf:
    """One Chroma folder with our two collections."""

    def __init__(self, path: Path) -> None:
        with translated(path), contextlib.ExitStack() as on_error:
            self._client = client_of(path)
            on_error.callback(self._client.close)
            persisted = {"sync_threshold": _PERSISTED_AT}
            self.chunks = collection(self._client, CHUNKS, {**CHUNK_INDEX, **persisted})
            self.articles = collection(self._client, ARTICLES, {**ARTICLE_INDEX, **persisted})
            self._batch = self._client.get_max_batch_size()
            on_error.pop_all()
        self.path = path

    @property
    def identity(self) -> str:
        """Chroma's id of the chunk collection."""
        return str(self.chunks.id)

    def query(self, vector: Floats, k: int, ids: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """See `Vectors.query`."""
        if k < 1 or (ids is not None and not ids):
            return []
        with translated(self.path):
            found = self.chunks.query(
                query_embeddings=vector[None, :],
                n_results=k,
                ids=None if ids is None else list(ids),
                include=["distances"],
            )
        distances = found["distances"] or [[]]
        return [(id, 1 - distance) for id, distance in zip(found["ids"][0], distances[0], strict=True)]

    def count(self) -> int:
        """Number of chunks."""
        with translated(self.path):
            return self.chunks.count()

    def ids(self) -> set[str]:
        """Ids of all chunks."""
        with translated(self.path):
            return set(self.chunks.get(include=[])["ids"])

    def versions(self) -> set[str]:
        """Ids of all article records."""
        with translated(self.path):
            return set(self.articles.get(include=[])["ids"])

    def write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str) -> None:
        """See `Vectors.write`."""
        pairs = [(article, chunk) for article, chunks in entries for chunk in chunks]
        articles = [article for article, _ in entries]
        with translated(self.path):
            for start in range(0, len(pairs), self._batch):
                end = start + self._batch
                stored = chunk_records(pairs[start:end], note, is_server=False)
                self.chunks.upsert(embeddings=vectors[start:end], **stored)
            for start in range(0, len(articles), self._batch):
                part = articles[start : start + self._batch]
                self.articles.upsert(**article_records(part, note, is_server=False))

    def vectors(self, ids: Sequence[str]) -> Floats:
        """See `Vectors.vectors`."""
        import numpy as np

        with translated(self.path):
            rows = self.chunks.get(ids=list(ids), include=["embeddings"])
        held = rows["embeddings"] if rows["embeddings"] is not None else []
        found = dict(zip(rows["ids"], held, strict=True))
        return np.array([found[id] for id in ids], dtype=np.float32)

    def delete(self, chunk_ids: Iterable[str], version_ids: Iterable[str]) -> None:
        """See `Vectors.delete`."""
        with translated(self.path):
            for collection, wanted in ((self.chunks, chunk_ids), (self.articles, version_ids)):
                ids = list(wanted)
                for start in range(0, len(ids), self._batch):
                    collection.delete(ids=ids[start : start + self._batch])

    def close(self) -> None:
        """Ends Chroma's threads and closes its files."""
        self._client.close()
