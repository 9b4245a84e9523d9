"""Meaning: the chunks whose vectors are nearest to the question's, and how near each of their sentences is.

`focus` decides among sentences of one article. An article names its topic at the beginning and takes it for
granted afterwards, so the question is embedded once more without those words ("Wie teuer kommt Canons neue
Kamera im Paket?" becomes "Wie teuer kommt im Paket?"), and each sentence is compared with the mean of its
article.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.errors import BelegError, ConfigError, ContextOverflow, IndexBusy, ProviderError, ProviderProtocol
from rag.models.embedder import Embedder, Floats
from rag.models.embedding import build_embedder
from rag.question.query import Concept
from rag.retrieval.matching import Vector, coverage
from rag.retrieval.retriever import Nearness, Ranking
from rag.settings import Settings, embedding_choice
from rag.store.chroma import Chroma
from rag.store.library import Library
from rag.store.library_file import dimension_of
from rag.store.terms import PassageTerms, PassageVectors
from rag.text.analysis import TOKEN

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

_OF_ONE_TEXT = (ContextOverflow, ProviderProtocol)
Clock = Callable[[], float]

log = logging.getLogger(__name__)


class Dense:
    """The vector index and its embedding. Safe to use from several threads. Without `chroma`, which another
    process may own, passages are not ranked by it."""

    def __init__(
        self, chroma: Chroma | None, embedder: Embedder, weight: float, clock: Clock = time.monotonic
    ) -> None:
        self.embedder, self.weight = embedder, weight
        self._chroma, self._clock = chroma, clock
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
                if isinstance(error, ProviderError) and not isinstance(error, _OF_ONE_TEXT):
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
    """Cosines scaled from 1, the nearest, to 0, the farthest chunk found. The range of cosines differs
    between models (E5: .7 to .9, others: .2 to .6) and between questions."""
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
    kind, weight = embedding_choice(settings).kind, settings.dense_weight
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


Embed = Callable[[str], Floats]

FOCUSED = 3
"""Best articles whose sentences are compared without the topic, each for one more embedding of the question;
all if there are at most `FEW`."""
FEW = 5
NAMED = 0.6
"""How far the beginning of an article must cover a concept for it to belong to the topic."""
_BEGINNING = 3  # sentences


@dataclass(frozen=True, slots=True)
class SentenceMeaning:
    """Cosines of a question with each sentence of a ranking, in order: with the sentence, with its passage,
    and with the sentence plus the one before; and its focus, 0 outside the best articles."""

    sentence: Vector
    passage: Vector
    pair: Vector
    focus: Vector


def sentence_meaning(
    library: Library, ranking: Ranking, question: str, embed: Embed
) -> SentenceMeaning | None:
    """The nearness of all sentences of a ranking; None while some passages have no vectors of sentences.
    `embed` returns the vector of a question."""
    held = vectors_held(library, ranking)
    if not held:
        return None
    asked = embed(question)
    sizes = [len(each.sentences) for each in held]
    sentences = np.concatenate([each.sentences for each in held])
    focus = np.zeros(len(sentences))
    owners = np.repeat([hit.passage.article.id for hit in ranking.hits], sizes)
    best = list(dict.fromkeys(owners.tolist()))
    for id in best if library.counts().articles <= FEW else best[:FOCUSED]:
        rows = library.rows_of_article(id)
        opening = next(iter(library.terms_of(rows[:1]).values()), "")
        focused = embed(without_topic(question, ranking.query.concepts, opening))
        mean = np.concatenate([each.sentences for each in library.vectors_of(rows).values()]).mean(axis=0)
        own = owners == id
        focus[own] = (sentences[own] - mean) @ focused
    passage = np.repeat(_cosines(np.stack([each.passage for each in held]), asked), sizes)
    pair = _cosines(np.concatenate([each.pairs for each in held]), asked)
    return SentenceMeaning(_cosines(sentences, asked), passage, pair, focus)


def _cosines(vectors: Floats, asked: Floats) -> Vector:
    return (vectors @ asked).astype(np.float64)


def vectors_held(library: Library, ranking: Ranking) -> list[PassageVectors]:
    """The vectors of each passage of a ranking; none if some are missing, or of other sentence boundaries."""
    rows = library.rows_of([hit.passage.chunk.id for hit in ranking.hits])
    vectors = library.vectors_of(rows.values())
    held = []
    for hit in ranking.hits:
        each = vectors.get(rows.get(hit.passage.chunk.id, -1))
        if each is None or len(each.sentences) != len(hit.sentences):
            return []
        held.append(each)
    return held


def without_topic(question: str, concepts: Sequence[Concept], opening: str) -> str:
    """The question without words for what the article names in its heading or first three sentences.
    `opening` is the article's first passage as packed by `PassageTerms.pack`."""
    if not concepts or not opening:
        return question
    terms = PassageTerms.unpack(opening)
    covered = coverage(concepts, [terms.heading, *terms.sentences[:_BEGINNING]]).max(axis=0)
    named = {
        word.lower()
        for concept, share in zip(concepts, covered, strict=True)
        if share >= NAMED
        for word in concept.word.split()
    }
    kept = TOKEN.sub(lambda word: "" if word[0].lower() in named else word[0], question)
    return " ".join(kept.split())
