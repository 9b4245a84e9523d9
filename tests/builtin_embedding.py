"""The built-in vectors as an embedding of LlamaIndex, for tests that read an index by its own means."""

from __future__ import annotations

from llama_index.core.embeddings import BaseEmbedding

from rag.models.embedder import vectors


class BuiltinEmbedding(BaseEmbedding):
    """What `rag.models.embedder` makes of a text, and of a question alike."""

    model_name: str = "builtin"
    embed_batch_size: int = 256

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = vectors(texts).tolist()
        return rows

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)
