"""Vectors that were paid for, by model and text: one SQLite file beside the index, which outlives it.

Vectors are committed as they come, so that a sync that is broken off has paid for nothing in vain. A
file that cannot be read is thrown away: it holds nothing that cannot be had again.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError

Floats = NDArray[np.float32]

FILE_NAME = "embeddings.sqlite3"

_VERSION = 1
_BUSY_SECONDS = 10.0
_AT_ONCE = 500  # SQLite takes 999 parameters at the least
_STORED = "<f4"  # little-endian, whatever the machine
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = {_VERSION};
CREATE TABLE vectors (
    text BLOB NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (text, model)
) WITHOUT ROWID;
"""

log = logging.getLogger(__name__)


class EmbeddingCache:
    """Vectors by model and SHA-256 of the text. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Opens the cache, an empty one if there is none or none that can be read."""
        self._path = path
        self._guard = threading.Lock()
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(path)

    def get(self, model: str, texts: Sequence[str]) -> dict[int, Floats]:
        """The vectors that are held, by the text's place in `texts`."""
        places: dict[bytes, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(_digest(text), []).append(place)
        found: dict[int, Floats] = {}
        for digests in _parts(places):
            marks = ", ".join("?" * len(digests))
            sql = f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})"
            with self._guard, _translated(self._path):
                rows = self._connection.execute(sql, (model, *digests)).fetchall()
            for digest, blob in rows:
                vector = np.frombuffer(blob, dtype=_STORED).astype(np.float32)
                found |= dict.fromkeys(places[digest], vector)
        return found

    def put(self, model: str, texts: Sequence[str], vectors: Floats) -> None:
        """Keeps one vector a text, at once and for good."""
        rows = [
            (model, _digest(text), row.astype(_STORED).tobytes())
            for text, row in zip(texts, vectors, strict=True)
        ]
        self._change("INSERT OR REPLACE INTO vectors (model, text, vector) VALUES (?, ?, ?)", rows)

    def forget(self, model: str) -> None:
        """Drops all vectors of a model."""
        self._change("DELETE FROM vectors WHERE model = ?", [(model,)])

    def prune(self, model: str, texts: Iterable[str], limit: int) -> int:
        """Drops vectors when there are more than `limit`; returns how many.

        Those of other texts than `texts` go first, of whatever model; if still too many are left,
        those of other models.
        """
        if len(self) <= limit:
            return 0
        before, kept = len(self), {_digest(text) for text in texts}
        with self._guard, _translated(self._path):
            held = [row[0] for row in self._connection.execute("SELECT DISTINCT text FROM vectors")]
        self._change("DELETE FROM vectors WHERE text = ?", [(text,) for text in held if text not in kept])
        if len(self) > limit:
            self._change("DELETE FROM vectors WHERE model <> ?", [(model,)])
        return before - len(self)

    def __len__(self) -> int:
        """Number of vectors, of all models."""
        with self._guard, _translated(self._path):
            return int(self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        with self._guard:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _change(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._guard, _translated(self._path), self._connection:
            self._connection.executemany(sql, rows)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connected(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as exc:
        log.warning("the cache of embeddings cannot be read and starts anew (%s)", exc)
    for suffix in ("-wal", "-shm", ""):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"it has version {version}")
        if version == 0:
            connection.executescript(_SCHEMA)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("SELECT count(*) FROM (SELECT 1 FROM vectors LIMIT 1)")
    except BaseException:
        connection.close()
        raise
    return connection


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _parts(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(items)
    while part := list(itertools.islice(rest, _AT_ONCE)):
        yield part


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        raise ConfigError(
            f"cannot use {path} ({exc}); check free space and permissions, or delete it"
        ) from exc
