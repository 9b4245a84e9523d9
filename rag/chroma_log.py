"""Chroma's write-ahead log, written without opening Chroma: what a small change needs, in milliseconds.

Chroma first puts every record into a table of its SQLite file, from which its index of metadata and its
graph of vectors take it; a client that opens the folder takes what is waiting there before it answers
anything. Through its client even a single record loads chromadb and the whole graph. The log alone is
written here, in one transaction, as chromadb 1.5 writes it (`SqliteLog::push_logs`), and only where the
file has the schema that is known to be so.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rag.chroma import ARTICLES, CHUNKS, translated
from rag.schema import Article, Chunk
from rag.seal import DATABASE
from rag.vector_records import article_records, chunk_records

if TYPE_CHECKING:
    from rag.shelf import Floats
    from rag.vector_records import Records

MOST = 1_000
"""Records that may wait for Chroma to take them: a second's work when it is next opened."""

_SCHEMA = {"sysdb": 10, "metadb": 6, "embeddings_queue": 2}
_UPSERT, _DELETE = 2, 3
_BUSY_SECONDS = 5.0
_IN_A_STATEMENT = 900  # SQLite takes 999 parameters at the least

Row = tuple[str, str, int, bytes | None, str | None, str]
"""Topic, id, operation, vector, its encoding, metadata."""


@dataclass(frozen=True, slots=True)
class _Collection:
    """A collection that has records: `taken` is the last place in the log that its metadata have."""

    id: str
    dimension: int
    segment: str
    taken: int

    @property
    def topic(self) -> str:
        return f"persistent://default/default/{self.id}"


class ChromaLog:
    """The log of a Chroma folder with our two collections, for whoever holds the folder's lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """See `open`."""
        self.path = path
        self._connection = connection
        self._chunks, self._articles = _collection(connection, CHUNKS), _collection(connection, ARTICLES)

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The log of the Chroma folder at a path; None where only Chroma itself can say how it is written:
        its version is another, or a collection has no records yet."""
        with translated(path), contextlib.ExitStack() as on_error:
            connection = sqlite3.connect(
                f"{(path / DATABASE).absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
                check_same_thread=False,  # one at a time, but not always the same
            )
            on_error.callback(connection.close)
            versions = connection.execute("SELECT dir, max(version) FROM migrations GROUP BY dir")
            if dict(versions) != _SCHEMA:
                return None
            try:
                log = cls(path, connection)
            except LookupError:
                return None
            on_error.pop_all()
            return log

    @property
    def identity(self) -> str:
        """Chroma's id of the chunk collection."""
        return self._chunks.id

    def waiting(self) -> int:
        """Number of records that Chroma has not taken from the log yet."""
        with translated(self.path):
            return sum(len(self._rows_after(held)) for held in (self._chunks, self._articles))

    def count(self) -> int:
        """Number of chunks, those in the log included."""
        chunks = self._chunks
        with translated(self.path):
            last = dict(self._rows_after(chunks))
            held = self._held(chunks, list(last))
            (taken,) = self._one("SELECT count(*) FROM embeddings WHERE segment_id = ?", chunks.segment)
        return int(taken) - held + sum(operation != _DELETE for operation in last.values())

    def write(
        self,
        entries: Sequence[tuple[Article, Sequence[Chunk]]],
        vectors: Floats,
        note: str,
        records: Records | None = None,
    ) -> None:
        """See `Vectors.write`."""
        pairs = [(article, chunk) for article, chunks in entries for chunk in chunks]
        stored = chunk_records(pairs, note, is_server=False, metadatas=records)
        chunk_rows = _upserts(self._chunks, stored["ids"], vectors, stored["metadatas"])
        told = article_records([article for article, _ in entries], note, is_server=False)
        article_rows = _upserts(self._articles, told["ids"], told["embeddings"], told["metadatas"])
        self._append(chain(chunk_rows, article_rows))

    def delete(self, chunk_ids: Iterable[str], version_ids: Iterable[str]) -> None:
        """See `Vectors.delete`."""
        pairs = ((self._chunks, chunk_ids), (self._articles, version_ids))
        self._append((held.topic, id, _DELETE, None, None, "{}") for held, ids in pairs for id in ids)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _append(self, rows: Iterable[Row]) -> None:
        with translated(self.path), self._connection:
            self._connection.executemany(
                "INSERT INTO embeddings_queue (topic, id, operation, vector, encoding, metadata)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def _rows_after(self, held: _Collection) -> list[tuple[str, int]]:
        """Ids and operations that are waiting, oldest first."""
        sql = "SELECT id, operation FROM embeddings_queue WHERE seq_id > ? AND topic = ? ORDER BY seq_id"
        return self._connection.execute(sql, (held.taken, held.topic)).fetchall()

    def _held(self, held: _Collection, ids: Sequence[str]) -> int:
        """How many of the ids Chroma itself has."""
        found = 0
        for start in range(0, len(ids), _IN_A_STATEMENT):
            some = ids[start : start + _IN_A_STATEMENT]
            places = ",".join("?" * len(some))
            sql = f"SELECT count(*) FROM embeddings WHERE segment_id = ? AND embedding_id IN ({places})"
            found += self._one(sql, held.segment, *some)[0]
        return found

    def _one(self, sql: str, *values: object) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(sql, values).fetchone()
        return row


def _collection(connection: sqlite3.Connection, name: str) -> _Collection:
    """Raises LookupError where there is none of that name, or it is still without records."""
    row = connection.execute(
        "SELECT c.id, c.dimension, s.id, m.seq_id FROM collections c"
        " JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA'"
        " JOIN max_seq_id m ON m.segment_id = s.id"
        " JOIN databases d ON d.id = c.database_id"
        " WHERE c.name = ? AND c.dimension IS NOT NULL"
        " AND (d.tenant_id, d.name) = ('default_tenant', 'default_database')",
        (name,),
    ).fetchone()
    if row is None:
        raise LookupError(name)
    return _Collection(*row)


def _upserts(
    held: _Collection,
    ids: Sequence[str],
    vectors: Floats | Sequence[Sequence[float]],
    metadatas: Sequence[dict[str, Any]],
) -> Iterator[Row]:
    import numpy as np

    rows = np.asarray(vectors, "<f4").reshape(len(ids), -1)
    if len(ids) and rows.shape[1] != held.dimension:
        raise ValueError(f"expecting embedding with dimension of {held.dimension}, got {rows.shape[1]}")
    for id, row, metadata in zip(ids, rows, metadatas, strict=True):
        text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
        yield held.topic, id, _UPSERT, row.tobytes(), "FLOAT32", text
