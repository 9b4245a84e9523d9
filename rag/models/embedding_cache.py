"""A cache of paid vectors, by model and text: one SQLite file beside the index, which survives a rebuild.

Vectors are committed as they arrive, so that an interrupted sync has not paid for nothing. An unreadable file
is thrown away.
"""

import contextlib
import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.errors import ConfigError
from rag.models.embedder import Floats

FILE_NAME = "embeddings.sqlite3"

_BUSY_SECONDS = 10.0
_STORED = "<f4"  # little-endian, whatever the machine
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS vectors (
    text BLOB NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (text, model)
) WITHOUT ROWID;
SELECT vector FROM vectors LIMIT 1;
"""

log = logging.getLogger(__name__)


class EmbeddingCache:
    """Vectors by model and SHA-256 of the text. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Opens the cache; an empty one if there is none, or if it cannot be read."""
        self._path = path
        self._guard = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
            try:
                self._connection.executescript(_SCHEMA)
            except sqlite3.DatabaseError as exc:
                self._connection.close()
                if isinstance(exc, sqlite3.OperationalError):
                    raise
                log.warning("the cache of embeddings cannot be read and starts anew (%s)", exc)
                for suffix in ("-wal", "-shm", ""):
                    path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
                self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
                self._connection.executescript(_SCHEMA)

    def get(self, model: str, texts: Sequence[str]) -> dict[str, Floats]:
        """The vectors that are held, by text."""
        sql = "SELECT vector FROM vectors WHERE model = ? AND text = ?"
        with self._translated():
            rows = {t: self._connection.execute(sql, (model, _digest(t))).fetchone() for t in texts}
        return {t: np.frombuffer(row[0], _STORED).astype(np.float32) for t, row in rows.items() if row}

    def put(self, model: str, texts: Sequence[str], vectors: Floats) -> None:
        """Stores one vector per text, committed at once."""
        pairs = zip(texts, vectors, strict=True)
        rows = [(model, _digest(text), row.astype(_STORED).tobytes()) for text, row in pairs]
        self._change("INSERT OR REPLACE INTO vectors (model, text, vector) VALUES (?, ?, ?)", rows)

    def forget(self, model: str) -> None:
        """Drops all vectors of a model."""
        self._change("DELETE FROM vectors WHERE model = ?", [(model,)])

    def prune(self, model: str, texts: Iterable[str], limit: int) -> int:
        """Drops vectors when there are more than `limit`; returns how many.

        Those of other texts than `texts` go first, of whatever model; if still too many are left,
        those of other models.
        """
        if (before := len(self)) <= limit:
            return 0
        kept = {(_digest(text),) for text in texts}
        with self._translated():
            held = set(self._connection.execute("SELECT DISTINCT text FROM vectors"))
        self._change("DELETE FROM vectors WHERE text = ?", list(held - kept))
        if len(self) > limit:
            self._change("DELETE FROM vectors WHERE model <> ?", [(model,)])
        return before - len(self)

    def __len__(self) -> int:
        """Number of vectors, of all models."""
        with self._translated():
            return int(self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        with self._guard:
            self._connection.close()

    def _change(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._translated(), self._connection:
            self._connection.executemany(sql, rows)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """The connection for one thread at a time. Raises ConfigError for what SQLite reports."""
        with self._guard:
            try:
                yield
            except (sqlite3.Error, OSError) as exc:
                raise ConfigError("cache_unusable", path=self._path, why=exc) from exc


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
