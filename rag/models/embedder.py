"""Embedding as Beleg does it: in batches, tried again, checked, and never paid for twice."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ProviderError, ProviderProtocol
from rag.models.embedding_cache import EmbeddingCache
from rag.models.faults import Server, translated, translated_from_class
from rag.models.hashing import vectors
from rag.models.retry import wait_to_retry
from rag.schema import BUILTIN_DIMENSION

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

Floats = NDArray[np.float32]

PROBE = "Beleg"
"""The text by which a model's dimension is found, and whether it is the model that it was."""

RETRIES, LONGEST_WAIT = 6, 90.0
"""Further tries for a batch, and the seconds that a server may ask to wait: its limits go by the minute."""

_FIRST_RETRIES = 2
_SAME_MODEL = 0.99  # cosine: servers round, and batch in different ways
_QUESTIONS = 1024
_REMOTE = {"api_base", "api_key", "azure_endpoint", "base_url", "endpoint_url"}


class Embedder(Protocol):
    """Texts and questions to vectors."""

    @property
    def is_builtin(self) -> bool:
        """Whether vectors are free, so that nothing is gained by keeping them."""

    @property
    def host(self) -> str | None:
        """Whom texts are sent to; None when they stay here."""

    def dimension(self) -> int:
        """Length of the vectors. Raises ProviderError."""

    def expect(self, dimension: int | None) -> None:
        """Says how long vectors were when the index was built; others are refused from now on."""

    def load(self) -> None:
        """Imports and builds what embedding needs. Raises ConfigError."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text. Raises ProviderError."""

    def query(self, question: str) -> Floats:
        """The vector of a question. Raises ProviderError."""

    def prune(self, texts: Iterable[str], limit: int) -> None:
        """Forgets vectors of other texts than these, once more than `limit` are held."""

    def close(self) -> None:
        """Closes what is open."""


class HashedEmbedder:
    """The built-in embedding, without LlamaIndex's import (1.5 s) and its lists of floats."""

    is_builtin = True
    host = None

    def dimension(self) -> int:
        """See Embedder."""
        return BUILTIN_DIMENSION

    def expect(self, dimension: int | None) -> None:
        """See Embedder; the fingerprint says it already."""

    def load(self) -> None:
        """See Embedder."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """See Embedder."""
        return vectors(texts)

    def query(self, question: str) -> Floats:
        """See Embedder."""
        row: Floats = vectors([question])[0]
        return row

    def prune(self, texts: Iterable[str], limit: int) -> None:
        """See Embedder."""

    def close(self) -> None:
        """See Embedder."""


class ModelEmbedder:
    """A LlamaIndex embedding behind one retry layer and a cache. Safe to use from several threads.

    `build` makes it when it is first needed, for its import takes seconds; `is_class` says that it is
    a class that somebody else wrote, which is called by one thread at a time.
    """

    is_builtin = False

    def __init__(
        self,
        identity: str,
        server: Server,
        build: Callable[[], BaseEmbedding],
        cache: Path,
        *,
        is_class: bool = False,
        retries: int = RETRIES,
    ) -> None:
        self.identity = identity
        self.server = server
        self._build = build
        self._cache_path = cache
        self._is_class = is_class
        self._retries = retries
        self._dimension: int | None = None
        self._model: BaseEmbedding | None = None
        self._cache: EmbeddingCache | None = None
        self._guard = threading.RLock()
        self._cached_query = functools.lru_cache(maxsize=_QUESTIONS)(self._query)

    @property
    def host(self) -> str | None:
        """Whom texts are sent to; for a class that wants a key or an address, its name stands for them."""
        if self._is_class and not _REMOTE & type(self.model).model_fields.keys():
            return None
        return self.server.host

    @property
    def model(self) -> BaseEmbedding:
        """The LlamaIndex embedding; raises ConfigError when it cannot be built."""
        with self._guard:
            if self._model is None:
                self._model = self._build()
            return self._model

    @property
    def cache(self) -> EmbeddingCache:
        """Vectors that were paid for."""
        with self._guard:
            if self._cache is None:
                self._cache = EmbeddingCache(self._cache_path)
            return self._cache

    def load(self) -> None:
        """Imports and builds the model. Raises ConfigError."""
        _ = self.model

    def expect(self, dimension: int | None) -> None:
        """See Embedder."""
        self._dimension = dimension

    def dimension(self) -> int:
        """Length of the vectors, found by asking once. Raises ProviderError.

        Where the answer is not what the cache remembers, another model goes by the name now, and
        what the old one gave is forgotten.
        """
        if self._dimension is None:
            row = self._asked([PROBE], min(_FIRST_RETRIES, self._retries))[0]
            held = self.cache.get(self.identity, [PROBE]).get(0)
            if held is None or not _is_near(held, row):
                self.cache.forget(self.identity)
                self.cache.put(self.identity, [PROBE], row[None, :])
            self._dimension = len(row)
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text; asks for what the cache does not hold, and keeps it batch by batch.

        Raises ProviderError: what came before is kept.
        """
        length = self.dimension()
        held = self.cache.get(self.identity, texts)
        found = {place: row for place, row in held.items() if len(row) == length}
        missing = list(dict.fromkeys(text for place, text in enumerate(texts) if place not in found))
        new: dict[str, Floats] = {}
        for batch in _batches(missing, self.model.embed_batch_size if missing else 1):
            rows = self._asked(batch, self._retries)
            self.cache.put(self.identity, batch, rows)
            new |= zip(batch, rows, strict=True)
        ordered = [found[place] if place in found else new[text] for place, text in enumerate(texts)]
        return np.stack(ordered) if ordered else np.zeros((0, length), dtype=np.float32)

    def query(self, question: str) -> Floats:
        """The vector of a question, asked for once: a reader does not wait for a second try.

        Raises ProviderError. Questions are remembered while the process lives, never on disk.
        """
        return self._cached_query(question)

    def prune(self, texts: Iterable[str], limit: int) -> None:
        """See Embedder."""
        self.cache.prune(self.identity, itertools.chain([PROBE], texts), limit)

    def close(self) -> None:
        """Closes the cache."""
        with self._guard:
            if self._cache is not None:
                self._cache.close()
                self._cache = None

    def _query(self, question: str) -> Floats:
        self.load()
        try:
            found = self._alone(lambda model: [model.get_query_embedding(question)])
        except Exception as exc:
            raise self._translated(exc, self._for_questions) from exc
        row: Floats = self._checked(found, 1)[0]
        return row

    def _asked(self, texts: Sequence[str], retries: int) -> Floats:
        self.load()
        for attempt in itertools.count():
            try:
                found = self._alone(lambda model: model.get_text_embedding_batch(list(texts)))
                break
            # a class of somebody else may raise anything
            except Exception as exc:
                error = self._translated(exc, self.server)
                if not wait_to_retry(error, exc, attempt, retries=retries, longest=LONGEST_WAIT):
                    raise error from exc
        return self._checked(found, len(texts))

    def _alone(self, ask: Callable[[BaseEmbedding], Any]) -> Any:
        """What the model says; a foreign class is asked by one thread at a time, as few are made for more."""
        model = self.model
        if not self._is_class:
            return ask(model)
        with self._guard:
            return ask(model)

    def _translated(self, error: Exception, server: Server) -> ProviderError:
        translate = translated_from_class if self._is_class else translated
        return translate(error, server)

    @property
    def _for_questions(self) -> Server:
        """The server as messages about a question name it: nobody waits for those as long."""
        patience = getattr(self.model, "query_patience", self.server.patience)
        slow = 'raise "query_patience" in BELEG_EMBEDDING_OPTIONS'
        return replace(self.server, patience=patience, terms=replace(self.server.terms, slow=slow))

    def _checked(self, found: Any, count: int) -> Floats:
        """The vectors as an array; raises ProviderProtocol unless every one can be searched with."""
        who = self.server.model if self._is_class else f"{self.server.model} at {self.server.host}"
        try:
            rows = np.asarray(found, dtype=np.float32)
        except (TypeError, ValueError) as exc:
            raise ProviderProtocol(f"{who} sent embeddings that are no vectors of one length") from exc
        if rows.ndim != 2 or len(rows) != count:
            sent = len(rows) if rows.ndim else 0
            raise ProviderProtocol(f"{who} sent {sent} embeddings for {count} texts; try another model")
        if self._dimension is not None and rows.shape[1] != self._dimension:
            raise ProviderProtocol(
                f"{who} sent vectors of {rows.shape[1]} numbers, where the index has {self._dimension};"
                " if another model goes by this name now, run: python -m ingest --rebuild"
            )
        if not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise ProviderProtocol(
                f"{who} sent an embedding that is no direction (zero, or not a number); try another model"
            )
        return rows


def _is_near(one: Floats, other: Floats) -> bool:
    if one.shape != other.shape:
        return False
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other))) > _SAME_MODEL


def _batches(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(texts), size):
        yield list(texts[start : start + size])
