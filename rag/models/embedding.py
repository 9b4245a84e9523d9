"""The built-in embedding as LlamaIndex sees it; apart from `rag.models.hashing`, for its slow import."""

from __future__ import annotations

from typing import Any

from llama_index.core.embeddings import BaseEmbedding

from rag.models.hashing import vectors
from rag.schema import BUILTIN_DIMENSION


class HashedEmbedding(BaseEmbedding):
    """Hashed sub-words (see `rag.models.hashing`): stateless, local, the same on every machine."""

    dimension: int = BUILTIN_DIMENSION

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{"model_name": "builtin", "embed_batch_size": 256, **fields})

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex serialises."""
        return "HashedEmbedding"

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = vectors(texts, self.dimension).tolist()
        return rows

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)
