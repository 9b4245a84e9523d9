"""What turns texts into vectors, and the one that needs no model: sub-words hashed into a short vector.

Words are reduced to their search keys (stem, one spelling for all transliterations, no stop
words), so that Selenskyj and Zelensky share their vector. Measured on XQuAD-de among 10kGNAD
(R@1 / R@10, percent) at 512 dimensions: plain lower-cased words 61 / 80, search keys 71 / 86. Of
the latter 1,024 dimensions give 77 / 90 and 2,048 give 79 / 93, for two and four times the disk,
memory and writing time; 512 it is, because the lexical search finds more than any of them and
this vector has no weight beside it by default.
"""

import functools
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.schema import BUILTIN_DIMENSION
from rag.text.analysis import keys

Floats = NDArray[np.float32]

_GRAMS = (3, 4, 5)  # letters
_NONE = np.zeros(0, dtype=np.uint32)
_WORD_COPIES = 2  # a whole word in common says more than any of its parts


class Embedder:
    """Turns texts and questions into vectors; this one by the built-in embedding, on this machine."""

    is_builtin = True
    host: str | None = None
    """The host that texts are sent to; None if they stay here."""

    def __init__(self) -> None:
        self._remembered = functools.lru_cache(maxsize=1024)(self._query)

    def load(self) -> None:
        """Imports and builds what embedding needs. Raises ConfigError."""

    def expect(self, dimension: int | None) -> None:
        """Sets the length of vectors in the index; others are refused from now on."""

    def dimension(self) -> int:
        """Length of the vectors. Raises ProviderError."""
        return BUILTIN_DIMENSION

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text. Raises ProviderError."""
        return vectors(texts)

    def query(self, question: str) -> Floats:
        """The vector of a question, cached in memory, never on disk. Raises ProviderError."""
        return self._remembered(question)

    def alike(self, _one: str, _other: str, /) -> float:
        """The cosine of two texts in any languages; 0 for models whose cosines are not calibrated."""
        return 0.0

    def prune(self, texts: Iterable[str], limit: int) -> None:
        """Forgets vectors of other texts than these, once more than `limit` are held."""

    def close(self) -> None:
        """Closes what is open."""

    def _query(self, question: str) -> Floats:
        row: Floats = self.embed([question])[0]
        return row


def vectors(texts: Sequence[str]) -> Floats:
    """One row of length 1 for each text; all texts without content words share one.

    Feature hashing with signs (Weinberger et al., Feature Hashing for Large Scale Multitask
    Learning, ICML 2009), weight 1 + log(tf). Stable across processes and machines.
    """
    table = np.zeros((len(texts), BUILTIN_DIMENSION))
    for row, text in zip(table, texts, strict=True):
        features = [_features(word) for word in keys(text)] or [_NONE]
        hashes, tf = np.unique(np.concatenate(features), return_counts=True)
        signed = np.where(hashes >> 31, 1.0, -1.0) * (1 + np.log(tf))
        row[:] = np.bincount(hashes % BUILTIN_DIMENSION, weights=signed, minlength=BUILTIN_DIMENSION)
    table[~table.any(axis=1), 0] = 1  # no words: cosine needs some direction
    unit: Floats = (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)
    return unit


@functools.lru_cache(maxsize=1 << 16)
def _features(word: str) -> NDArray[np.uint32]:
    """Hashes of a word and of its n-grams, its two ends among them."""
    marked = f"<{word}>"
    grams = [f"{copy}{marked}" for copy in range(_WORD_COPIES)]
    grams += [marked[i : i + n] for n in _GRAMS for i in range(len(marked) - n + 1)]
    return np.array([zlib.crc32(gram.encode()) for gram in grams], dtype=np.uint32)
