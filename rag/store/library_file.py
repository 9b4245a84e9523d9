"""The library's file: schema, what it was built with, connections, transactions, SQLite's errors as ours."""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from rag.errors import ConfigError, IndexBusy, IndexDamaged, IndexMismatch, IndexOutdated
from rag.schema import ANALYSER_VERSION, BUILTIN_DIMENSION, CHUNKER_VERSION
from rag.settings import Settings, embedding_choice

_T = TypeVar("_T")

SCHEMA_VERSION = 5
FILE_NAME = "library.sqlite3"

PASSED_OVER = "beside the articles"
"""A note in the library: one line on files that are not read."""

LEFT_TO_WORDS = "left to words"
"""A note in the library: one line on what embedding all passages would take."""

_APPLICATION_ID = 0x42_65_6C_67  # "Belg": tells our file from any other SQLite file
_BUSY_SECONDS = 5.0
_IN_A_STATEMENT = 900  # SQLite takes 999 parameters at the least
# a full disk is not damage, but SQLite says "disk I/O error" for both
_CANNOT_WRITE = re.compile(
    "SQLITE_(FULL|READONLY|CANTOPEN|IOERR_(WRITE|SHM|FSYNC|DIR_FSYNC|TRUNCATE|DELETE))"
)

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE articles (
    id TEXT PRIMARY KEY, text TEXT NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL,
    title TEXT, outlet TEXT, author TEXT, published TEXT, language TEXT, genre TEXT,
    asides TEXT NOT NULL, copy_of TEXT, pages TEXT NOT NULL
);
CREATE TABLE chunks (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, "start" INTEGER NOT NULL, "end" INTEGER NOT NULL,
    sentences TEXT NOT NULL, terms TEXT NOT NULL, length INTEGER NOT NULL,
    UNIQUE (article_id, ordinal)
);
-- search keys, which our own analysis has made: the tokenizer only cuts at spaces
CREATE VIRTUAL TABLE words USING fts5 (keys, tokenize = "unicode61 remove_diacritics 0 tokenchars '.,'");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
CREATE TRIGGER forget_words AFTER DELETE ON chunks BEGIN DELETE FROM words WHERE rowid = old.row; END;
CREATE TABLE vectors (
    row INTEGER PRIMARY KEY REFERENCES chunks (row) ON DELETE CASCADE,
    passage BLOB NOT NULL, sentences BLOB, pairs BLOB
);
CREATE TABLE manifest (
    article_id TEXT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    name TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, problems TEXT NOT NULL,
    unread INTEGER NOT NULL, account TEXT NOT NULL
);
CREATE TABLE marks (
    mark INTEGER NOT NULL, article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    PRIMARY KEY (mark, article_id)
) WITHOUT ROWID;
CREATE INDEX marks_of ON marks (article_id);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta VALUES ('revision', '0'), ('fingerprint', '');
-- what is asked often of all articles, without reading their texts
CREATE INDEX articles_by_day ON articles (published);
CREATE INDEX listed ON articles (published, id, title, outlet, author, language, genre);
CREATE INDEX copies ON articles (id, copy_of) WHERE copy_of IS NOT NULL;
"""


class LibraryFile:
    """An open file, with as many connections as are used at the same time. Close it after use."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Opens nothing yet."""
        self.path, self.read_only = path, read_only
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    def close(self) -> None:
        """Closes the connections, those in use as soon as they are not."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_file(self) -> None:
        """Raises IndexDamaged when the file is none of ours, or cut short, IndexMismatch for another format.

        For an earlier format that is IndexOutdated, and a sync builds the library anew.
        """
        names = ("application_id", "user_version", "page_size", "page_count")
        application, version, size, pages = (value for n in names for (value,) in self._rows(f"PRAGMA {n}"))
        if application != _APPLICATION_ID:
            raise IndexDamaged("library_strange", path=self.path)
        folder = self.path.parent
        if version < SCHEMA_VERSION:
            raise IndexOutdated("library_outdated", path=folder, found=version, wanted=SCHEMA_VERSION)
        if version > SCHEMA_VERSION:
            raise IndexMismatch("library_format", path=folder, found=version, wanted=SCHEMA_VERSION)
        log = self.path.with_name(f"{self.path.name}-wal")
        may_hold_pages = log.exists() and log.stat().st_size
        if not may_hold_pages and self.path.stat().st_size < size * pages:
            raise IndexDamaged("library_cut", path=self.path)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with _translated(self.path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = _connect(self.path, read_only=self.read_only)
            try:
                yield connection
            finally:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            finally:
                connection.rollback()  # nothing, once it is committed

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        with self._connection() as connection:
            yield from connection.execute(sql, values)

    def _rows_of(self, sql: str, ids: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        for batch in batches(ids):
            yield from self._rows(sql % places(batch), batch)


def create(path: Path) -> None:
    """Makes an empty library. Raises ConfigError when the folder cannot be written."""
    # made in a temporary file and moved, so that nobody opens half a schema
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(path), contextlib.closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        new.replace(path)
    except OSError as exc:
        raise ConfigError("cannot_use", path=path.parent, why=exc.strerror) from exc
    finally:
        with contextlib.suppress(OSError):  # it was moved, or could not be made
            new.unlink()


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # a reader, too, opens for writing: only then does SQLite tidy up its log's files behind it;
    # where it cannot, there is no writer either
    mode = "ro&immutable=1" if read_only and not os.access(path.parent, os.W_OK) else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,  # it serves one thread at a time, but not always the same
    )
    connection.execute(f"PRAGMA query_only = {int(read_only)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        text = str(exc)
        if "locked" in text or "busy" in text:
            raise IndexBusy("index_written", path=path) from exc
        if _CANNOT_WRITE.match(getattr(exc, "sqlite_errorname", "")):
            raise ConfigError("cannot_use", path=path, why=text) from exc
        raise IndexDamaged("library_damaged", path=path, why=text) from exc
    except sqlite3.DatabaseError as exc:
        raise IndexDamaged("library_damaged", path=path, why=exc) from exc


def batches(items: Sequence[_T], size: int = _IN_A_STATEMENT) -> Iterator[Sequence[_T]]:
    """The items in order, `size` at a time: as many as SQLite takes in one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def places(values: Sequence[object]) -> str:
    """Question marks for so many values."""
    return ",".join("?" * len(values))


_DIMENSION = re.compile(r"/(\d+)(?=, chunks )")


def fingerprint(settings: Settings, dimension: int | None = None) -> str:
    """What an index depends on besides the articles, in words.

    `dimension` is that of an embedding which only its model knows; without it the fingerprint is open
    in that. Raises ConfigError for a malformed BELEG_EMBEDDING.

    >>> fingerprint(load_settings())
    'schema 2, embedding builtin/512, chunks 1/120 words, analyser 1'
    """
    choice = embedding_choice(settings)
    length = BUILTIN_DIMENSION if choice.kind == "builtin" else dimension
    embedding = choice.identity if length is None else f"{choice.identity}/{length}"
    return (
        f"schema {SCHEMA_VERSION}, embedding {embedding},"
        f" chunks {CHUNKER_VERSION}/{settings.chunk_words} words, analyser {ANALYSER_VERSION}"
    )


def serves(found: str, wanted: str) -> bool:
    """Whether an index built with `found` serves settings that say `wanted`, which may be open."""
    return wanted in (found, _DIMENSION.sub("", found))


def dimension_of(fingerprint: str) -> int | None:
    """Length of the vectors in an index; None where the fingerprint does not say it."""
    found = _DIMENSION.search(fingerprint)
    return int(found[1]) if found else None


def check_fingerprint(found: str, wanted: str) -> None:
    """Raises IndexMismatch if an index built with `found` cannot serve settings that say `wanted`."""
    if not serves(found, wanted):
        raise IndexMismatch("index_of_other_settings", found=found, wanted=wanted)
