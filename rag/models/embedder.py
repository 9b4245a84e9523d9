"""Embeds in batches, with retries and checks, and never pays twice for a text.

LlamaIndex's own `embeddings_cache` would write questions to disk, too, and confuse a question and a passage
with the same words, although models want different prefixes; so Beleg has its own cache.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import ProviderProtocol
from rag.models.embedding_cache import EmbeddingCache
from rag.models.embedding_choice import Choice
from rag.models.faults import Server, translated, waited
from rag.models.hashing import Floats, vectors
from rag.schema import BUILTIN_DIMENSION

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

    from rag.models.embedding import ServerEmbedding

PROBE = "Beleg"
"""A text to find out a model's dimension, and whether it is still the same model."""
RETRIES, LONGEST_WAIT = 6, 90.0
"""Further tries for a batch, and the longest wait in seconds; servers' limits are by the minute."""

_FIRST_RETRIES = 2
_SAME_MODEL = 0.99  # cosine: servers round, and batch in different ways
_REMOTE = {"api_base", "api_key", "azure_endpoint", "base_url", "endpoint_url"}


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


class ModelEmbedder(Embedder):
    """A model of somebody else behind one retry layer and a cache. Safe to use from several threads.

    It is built when it is first needed, for its import takes seconds. A class that somebody else wrote is
    called by one thread at a time.
    """

    is_builtin = False

    def __init__(self, choice: Choice, server: Server, key: str, cache: Path) -> None:
        super().__init__()
        self.server = server
        self._choice, self._key, self._cache_path = choice, key, cache
        self._is_class = choice.kind == "class"
        self._dimension: int | None = None
        self._model: ServerEmbedding | BaseEmbedding | None = None
        self._cache: EmbeddingCache | None = None
        self._guard = threading.Lock()
        self._turn = threading.Lock() if self._is_class else contextlib.nullcontext()

    @property
    def host(self) -> str | None:  # type: ignore[override]
        """As above; for a class that takes a key or an address, its name."""
        if self._is_class and not _REMOTE & type(self.model).model_fields.keys():
            return None
        return self.server.host

    @property
    def model(self) -> ServerEmbedding | BaseEmbedding:
        """What embeds. Raises ConfigError if it cannot be built."""
        from rag.models.embedding import class_embedding, server_embedding

        with self._guard:
            if self._model is None:
                if self._is_class:
                    self._model = class_embedding(self._choice)
                else:
                    self._model = server_embedding(self._choice, self.server, self._key)
            return self._model

    @property
    def cache(self) -> EmbeddingCache:
        """Vectors that were paid for."""
        with self._guard:
            if self._cache is None:  # an empty one is false
                self._cache = EmbeddingCache(self._cache_path)
            return self._cache

    def load(self) -> None:
        _ = self.model

    def expect(self, dimension: int | None) -> None:
        self._dimension = dimension

    def dimension(self) -> int:
        """Length of the vectors, found by asking once. Raises ProviderError.

        If it differs from the cache, a different model has this name now, and cached vectors are dropped.
        """
        if self._dimension is None:
            row = self._asked([PROBE], _FIRST_RETRIES)[0]
            held = self.cache.get(self._choice.identity, [PROBE]).get(PROBE)
            if held is None or held.shape != row.shape or _cosine(held, row) <= _SAME_MODEL:
                self.cache.forget(self._choice.identity)
                self.cache.put(self._choice.identity, [PROBE], row[None, :])
            self._dimension = len(row)
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text; asks for what the cache does not hold, and keeps it batch by batch.

        Raises ProviderError: what came before is kept.
        """
        length = self.dimension()
        held = self.cache.get(self._choice.identity, texts)
        found = {text: row for text, row in held.items() if len(row) == length}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        size = self.model.embed_batch_size if missing else 1
        for start in range(0, len(missing), size):
            batch = missing[start : start + size]
            rows = self._asked(batch, RETRIES)
            self.cache.put(self._choice.identity, batch, rows)
            found |= zip(batch, rows, strict=True)
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(-1, length)

    def prune(self, texts: Iterable[str], limit: int) -> None:
        self.cache.prune(self._choice.identity, itertools.chain([PROBE], texts), limit)

    def close(self) -> None:
        with self._guard:
            if self._cache is not None:
                self._cache.close()
                self._cache = None
            if self._model is not None and not self._is_class:
                self._model.close()  # type: ignore[union-attr]  # a ServerEmbedding
                self._model = None

    def _query(self, question: str) -> Floats:
        # asked for once: a reader does not wait for a second try
        model = self.model
        try:
            with self._turn:
                found = model.get_query_embedding(question)
        except Exception as exc:
            patience = getattr(model, "query_patience", self.server.patience)
            slow = {"model_silent": "class_silent" if self._is_class else "question_silent"}
            server = replace(self.server, patience=patience, codes={**self.server.codes, **slow})
            raise translated(exc, server) from exc
        row: Floats = self._checked([found], 1)[0]
        return row

    def _asked(self, texts: list[str], retries: int) -> Floats:
        model = self.model
        for attempt in itertools.count():
            try:
                with self._turn:
                    return self._checked(model.get_text_embedding_batch(texts), len(texts))
            except Exception as exc:  # a class of somebody else may raise anything
                error = translated(exc, self.server)
                if not waited(error, attempt, retries=retries, longest=LONGEST_WAIT):
                    raise error from exc
        raise AssertionError("a try succeeds, or raises")

    def _checked(self, found: Any, wanted: int) -> Floats:
        """The vectors as an array. Raises ProviderProtocol unless all are usable for search."""
        who = self.server.model if self._is_class else f"{self.server.model} at {self.server.host}"
        try:
            rows = np.asarray(found, dtype=np.float32)
        except (TypeError, ValueError) as exc:
            raise ProviderProtocol("embedding_ragged", model=who) from exc
        if rows.ndim != 2 or len(rows) != wanted:
            sent = len(rows) if rows.ndim else 0
            raise ProviderProtocol("embedding_count", model=who, sent=sent, wanted=wanted)
        if self._dimension not in (None, rows.shape[1]):
            raise ProviderProtocol("embedding_length", model=who, sent=rows.shape[1], wanted=self._dimension)
        if not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise ProviderProtocol("embedding_zero", model=who)
        return rows


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
