"""A LlamaIndex LLM for any server that speaks OpenAI's protocol; apart, for its slow import."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai.utils import openai_modelname_to_contextsize

UNKNOWN_WINDOW = 4096
"""Tokens that a model nobody knows is trusted to take in: what Ollama gives every model by default."""


class ServerLLM(OpenAI):
    """LlamaIndex's own class refuses the names of models that are not OpenAI's; this one does not."""

    window: int = UNKNOWN_WINDOW

    def __init__(self, *, model: str, window: int | None = None, **fields: Any) -> None:
        super().__init__(model=model, **{"window": window or known_window(model), **fields})

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex serialises."""
        return "ServerLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """A chat model with this window."""
        return LLMMetadata(context_window=self.window, is_chat_model=True, model_name=self.model)


def known_window(model: str) -> int:
    """Tokens that a model takes in, by LlamaIndex's table of OpenAI's models."""
    try:
        return openai_modelname_to_contextsize(model)
    except ValueError:
        return UNKNOWN_WINDOW
