"""A LlamaIndex embedding for any server that speaks OpenAI's protocol; apart, for its slow import."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from llama_index.core.embeddings import BaseEmbedding
from openai import OpenAI
from pydantic import Field

QUERY_PATIENCE = 5.0
"""Seconds that a reader waits for a question's vector, before it is answered by the words alone."""


class ServerEmbedding(BaseEmbedding):
    """LlamaIndex's own class for OpenAI takes vectors in the order they come, and tries again by itself.

    `query_prefix` and `text_prefix` go before what is embedded, for models that were trained so
    (E5: "query: " and "passage: ").
    """

    api_base: str
    api_key: str = Field(repr=False, exclude=True)
    timeout: float = 60.0
    default_headers: dict[str, str] | None = None
    dimensions: int | None = None
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    query_prefix: str = ""
    text_prefix: str = ""
    query_patience: float = QUERY_PATIENCE

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex serialises."""
        return "ServerEmbedding"

    @functools.cached_property
    def client(self) -> OpenAI:
        """The client of the server; the retry layer is ours."""
        return OpenAI(
            api_key=self.api_key,
            base_url=self.api_base,
            max_retries=0,
            timeout=self.timeout,
            default_headers=self.default_headers,
        )

    def _vectors(self, texts: list[str], patience: float) -> list[list[float]]:
        length: dict[str, Any] = {} if self.dimensions is None else {"dimensions": self.dimensions}
        reply = self.client.embeddings.create(
            input=texts, model=self.model_name, timeout=patience, **length, **self.additional_kwargs
        )
        # some servers number every vector 0: the sort is stable
        return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._vectors([self.text_prefix + text for text in texts], self.timeout)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors([self.query_prefix + query], self.query_patience)[0]

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)


ARGUMENTS = {
    "additional_kwargs",
    "default_headers",
    "dimensions",
    "embed_batch_size",
    "query_patience",
    "query_prefix",
    "text_prefix",
    "timeout",
}
"""What BELEG_EMBEDDING_OPTIONS may hold for a server: anything else would be passed over in silence."""


def server_embedding(options: dict[str, Any], **fields: Any) -> ServerEmbedding:
    """A ServerEmbedding with the reader's `options` on top of ours; raises ValueError for unknown ones."""
    if unknown := sorted(options.keys() - ARGUMENTS):
        raise ValueError(f"{', '.join(unknown)}: unknown; allowed: {', '.join(sorted(ARGUMENTS))}")
    extra = fields.get("additional_kwargs", {}) | options.get("additional_kwargs", {})
    return ServerEmbedding(**(fields | options | {"additional_kwargs": extra}))
