"""Ranking by meaning: the chunks whose vectors are nearest to the question's."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from rag.errors import (
    BelegError,
    ConfigError,
    IndexBusy,
    ProviderAuth,
    ProviderError,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)
from rag.models.embedder import Embedder
from rag.models.embedding_choice import chosen
from rag.models.hashing import Floats
from rag.models.providers import build_embedder
from rag.retrieval.retriever import Nearness
from rag.settings import Settings
from rag.store.chroma import Chroma
from rag.store.fingerprint import dimension_of

NEAREST = 100
"""Chunks to ask for; all others count as not near."""

E5_WEIGHT = 0.5
"""Weight of the built-in encoder, that of the words being 1."""

DEFAULT_WEIGHT = 0.3
"""Measured with multilingual-e5-small in 4 bits, on XQuAD among news (R@1 / R@10 in percent, 306 German
questions, 432 chunks): words 93.1 / 98.7, meaning 83.0 / 97.7, together 95.1 / 99.0 at .1, 95.1 / 99.3
at .3, 94.8 / 98.7 at .5, 92.2 / 98.7 at 1. English gains most: of 153 questions on 256 chunks words put
89.5 first, 93.5 with .3. The built-in vectors gain nothing beyond noise and lose at larger weights."""

PAUSE = 60.0
"""Seconds for which a provider that failed is neither asked again nor logged."""

_LASTING = (ProviderAuth, ProviderRateLimited, ProviderTimeout, ProviderUnavailable)

log = logging.getLogger(__name__)


class Dense:
    """The vector index and its embedding. Safe to use from several threads.

    Without `chroma`, which another process may own, passages are not ranked by it.
    """

    def __init__(
        self,
        chroma: Chroma | None,
        embedder: Embedder,
        weight: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.embedder = embedder
        self.weight = weight
        self._chroma = chroma
        self._clock = clock
        self._guard = threading.Lock()
        self._resume = self._speak = float("-inf")
        self._error: BelegError | None = None

    def near(self, question: str) -> Nearness | None:
        """The chunks near to a question; None if that is impossible now and words alone must do."""
        if self._chroma is None:
            return None
        with contextlib.suppress(BelegError):
            vector = self.embed(question)
            with self._patient():
                return nearness(self._chroma.query(vector, NEAREST), self.weight)
        return None

    def embed(self, question: str) -> Floats:
        """The vector of a question. Raises ProviderError, at once where the last one is to be waited out."""
        with self._patient():
            return self.embedder.query(question)

    def alike(self, one: str, other: str) -> float:
        """The cosine of two texts; 0 where none is to be had that says anything across languages."""
        with contextlib.suppress(ProviderError), self._patient():
            return self.embedder.alike(one, other)
        return 0.0

    @contextlib.contextmanager
    def _patient(self) -> Iterator[None]:
        """Raises the last error again, where that is to be waited out; notes a new one."""
        if self._error is not None and self._clock() < self._resume:
            raise self._error
        try:
            yield
        except BelegError as error:
            with self._guard:
                now = self._clock()
                if isinstance(error, _LASTING):
                    self._resume, self._error = now + PAUSE, error
                if now >= self._speak:
                    self._speak = now + PAUSE
                    log.warning("questions are answered by their words alone, not by meaning: %s", error)
            raise

    def close(self) -> None:
        """Releases the vector index."""
        if self._chroma is not None:
            self._chroma.close()
        self.embedder.close()


def nearness(found: Sequence[tuple[str, float]], weight: float) -> Nearness:
    """Cosines scaled from 1, the nearest, to 0, the farthest chunk found.

    The range of cosines differs between models (E5: .7 to .9, others: .2 to .6) and between questions.
    """
    if not found:
        return Nearness(weight, {})
    most, least = found[0][1], found[-1][1]
    span = max(most - least, 1e-6)
    return Nearness(weight, {id: (cosine - least) / span for id, cosine in found})


def open_dense(settings: Settings, fingerprint: str) -> Dense | None:
    """Ranking by meaning over the settings' data folder; None if it has no weight.

    It owns the folder until it is closed. Raises IndexBusy if another process owns it, except with the
    built-in encoder, which can do without, and ConfigError if the embedding cannot be built.
    """
    kind, weight = chosen(settings).kind, settings.dense_weight
    if weight is None:
        weight = {"builtin": 0.0, "e5": E5_WEIGHT}.get(kind, DEFAULT_WEIGHT)
    if not weight:
        return None
    embedder = build_embedder(settings)
    embedder.expect(dimension_of(fingerprint))
    embedder.load()
    try:
        chroma = Chroma.open(settings.data_dir)
    except (IndexBusy, ConfigError) as error:
        if kind != "e5":
            raise
        # owned by another process, or read-only; vectors of sentences are in the library, anyway
        log.info("passages are ranked by their words alone: %s", error)
        chroma = None
    if chroma is not None and not chroma.count() and kind != "e5":
        log.warning("no passage has a vector: questions are answered by their words until python -m ingest")
    return Dense(chroma, embedder, weight)
