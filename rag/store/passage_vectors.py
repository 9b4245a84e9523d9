"""The vectors of a passage: of itself, its sentences, and each sentence with the one before it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rag.models.embedder import Floats


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """`passage` has the shape (dimension,); `sentences` and `pairs` (sentences, dimension)."""

    passage: Floats
    sentences: Floats
    pairs: Floats

    @classmethod
    def unpack(cls, passage: bytes, sentences: bytes, pairs: bytes) -> Self:
        """From what `pack` made of each."""
        one = unpack(passage)
        return cls(one, unpack(sentences).reshape(-1, len(one)), unpack(pairs).reshape(-1, len(one)))


def pack(vectors: Floats) -> bytes:
    """Vectors as half-precision bytes, which cost no more than .001 of a cosine."""
    return vectors.astype(np.float16).tobytes()


def unpack(packed: bytes) -> Floats:
    """The inverse of `pack`, flat."""
    return np.frombuffer(packed, np.float16).astype(np.float32)
