"""The built-in encoder as LlamaIndex sees it; apart from `rag.models.encoder`, for its slow import."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from rag.models.encoder import Encoder, shared_encoder


class E5Embedding(BaseEmbedding):
    """multilingual-e5-small, by the process that all of this process share."""

    _encoder: Encoder = PrivateAttr()

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{"model_name": "multilingual-e5-small", "embed_batch_size": 32, **fields})
        self._encoder = shared_encoder()

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex serialises."""
        return "E5Embedding"

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self._encoder.texts(texts).tolist()
        return rows

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        row: list[float] = self._encoder.question(query).tolist()
        return row

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)
