"""Models by LlamaIndex: whatever embeds or generates comes from here, built from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

    from rag.settings import Settings

BUILTIN = "builtin"

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors, one row a text."""


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
