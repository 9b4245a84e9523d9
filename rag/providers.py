"""Models by LlamaIndex: whatever embeds or generates comes from here, built from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.chat_model import ChatModel
from rag.errors import ConfigError
from rag.faults import Server
from rag.settings import OPENAI_MODEL

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

    from rag.llm import ServerLLM
    from rag.settings import Settings

BUILTIN = "builtin"
_NO_KEY = "none"

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors, one row a text."""


def build_model(settings: Settings) -> ChatModel | None:
    """The language model that the settings name; None without one. Nothing is loaded or sent yet."""
    if not settings.has_model:
        return None
    key = settings.openai_api_key
    server = Server(settings.llm or OPENAI_MODEL, settings.base_url, key is not None, settings.llm_patience)

    def build() -> ServerLLM:
        from rag.llm import ServerLLM

        try:
            return ServerLLM(
                model=server.model,
                window=settings.llm_window,
                temperature=settings.llm_temperature,
                api_base=server.base_url,
                api_key=key.get_secret_value() if key else _NO_KEY,
                max_retries=0,  # the retry layer is ours: nested ones ask twelve times
                timeout=settings.llm_patience,
            )
        except ValueError as exc:
            raise ConfigError(f"BELEG_LLM: {server.model} cannot be used for chat: {exc}") from exc

    return ChatModel(server, build, settings.llm_retries)


def build_embedding(settings: Settings) -> BaseEmbedding:
    """The embedding that the settings name; raises ConfigError for an unknown name."""
    _check_name(settings.embedding)
    from rag.embedding import HashedEmbedding

    return HashedEmbedding()


def build_embed(settings: Settings) -> Embed:
    """The same vectors as `build_embedding`, as a plain function for indexing.

    The built-in embedding comes without LlamaIndex's import (1.5 s) and its lists of floats.
    """
    _check_name(settings.embedding)
    from rag.hashing import vectors

    return vectors


def _check_name(name: str) -> None:
    if name != BUILTIN:
        raise ConfigError(f"BELEG_EMBEDDING: {name!r} is unknown; allowed: {BUILTIN}")
