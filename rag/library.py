"""The library: the read model in one SQLite file, from which every passage and citation is served.

It holds the articles, their chunks (as offsets: a chunk's text is a slice of its article's), the
manifest (which version of which article came from which file) and the state of the index. A sync
writes new vectors beside the old ones and then swaps the versions here in one transaction, so
that a reader sees the old state or the new one, and a crash leaves the old one answering.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

from rag.embedding_choice import chosen
from rag.errors import ConfigError, IndexBusy, IndexDamaged, IndexMismatch
from rag.schema import BUILTIN_DIMENSION, CHUNKER_VERSION, Article, Aside, Chunk, Genre

if TYPE_CHECKING:
    from rag.settings import Settings

SCHEMA_VERSION = 1
FILE_NAME = "library.sqlite3"
REBUILD = "python -m ingest --rebuild"

_APPLICATION_ID = 0x42_65_6C_67  # "Belg": tells our file from any other SQLite file
_BUSY_SECONDS = 5.0
_IN_A_STATEMENT = 900  # SQLite takes 999 parameters at the least
# a full disk is no damage: SQLite says "disk I/O error" of both
_CANNOT_WRITE = re.compile(
    "SQLITE_(FULL|READONLY|CANTOPEN|IOERR_(WRITE|SHM|FSYNC|DIR_FSYNC|TRUNCATE|DELETE))"
)
_DIMENSION = re.compile(r"/(\d+)(?=, chunks )")

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE articles (
    id TEXT PRIMARY KEY, text TEXT NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL,
    title TEXT, outlet TEXT, author TEXT, published TEXT, language TEXT, genre TEXT,
    asides TEXT NOT NULL, copy_of TEXT
);
CREATE TABLE chunks (
    id TEXT NOT NULL, article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, "start" INTEGER NOT NULL, "end" INTEGER NOT NULL,
    sentences TEXT NOT NULL,
    PRIMARY KEY (article_id, ordinal)
) WITHOUT ROWID;
CREATE UNIQUE INDEX chunk_ids ON chunks (id);
CREATE TABLE manifest (
    article_id TEXT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    name TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, problems TEXT NOT NULL,
    unread INTEGER NOT NULL
);
CREATE TABLE marks (
    mark INTEGER NOT NULL, article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    PRIMARY KEY (mark, article_id)
) WITHOUT ROWID;
CREATE INDEX marks_of ON marks (article_id);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta VALUES ('revision', '0'), ('fingerprint', '');
"""

_FIELDS = ("text", "title", "outlet", "author")
_LIKE_SIGNS, _ESCAPED = re.compile("[!%_]"), r"!\g<0>"
_ARTICLE = "id, text, source, sha256, title, outlet, author, published, language, genre, asides, copy_of"
# SQLite's substr counts code points as Python does, so that offsets need no conversion
_CHUNK = """
    SELECT c.id, c.article_id, c.ordinal, c."start", c."end",
           substr(a.text, c."start" + 1, c."end" - c."start"), c.sentences
    FROM chunks c JOIN articles a ON a.id = c.article_id
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """A source file as it was when it was last read: `size` in bytes, `mtime_ns` since 1970.

    `problems` say what could not be read, wholly or in part; `unread` that nothing could.
    """

    size: int
    mtime_ns: int
    problems: tuple[str, ...] = ()
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """Manifest line of an article: the id its file suggests, the file's path and name, the hash."""

    name: str
    path: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Size of the library; the dates are those of the oldest and newest dated article."""

    articles: int
    chunks: int
    first: date | None
    last: date | None


def fingerprint(settings: Settings, dimension: int | None = None) -> str:
    """What an index depends on besides the articles, in words.

    `dimension` is that of an embedding which only its model knows; without it the fingerprint is open
    in that. Raises ConfigError for a malformed BELEG_EMBEDDING.

    >>> fingerprint(load_settings())
    'schema 1, embedding builtin/512, chunks 1/120 words, analyser 1'
    """
    from rag.analysis import ANALYSER_VERSION

    choice = chosen(settings)
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
        raise IndexMismatch(f"the index was built with: {found}; the settings say: {wanted}; run: {REBUILD}")


class Library:
    """Articles and chunks by id; safe to read from many threads.

    Each thread has a connection of its own, so that a reader never sees the inside of a `flip`
    that another thread is at, and never waits for it (SQLite's write-ahead log).
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """See `open`, which also checks the file."""
        self.path = path
        self.read_only = read_only
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """The library in a data folder; created when there is none, unless `read_only`.

        Raises IndexDamaged when the file is no library or cannot be read, IndexMismatch when
        another version of Beleg wrote it, ConfigError when there is none (`read_only`).
        """
        path = folder / FILE_NAME
        if not path.exists():
            if read_only:
                raise ConfigError(f"there is no index in {folder} yet; run: python -m ingest")
            _create(path)
        library = cls(path, read_only=read_only)
        try:
            library._check()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Closes the connections of all threads; the library cannot be used afterwards."""
        for connection in list(self._connections):
            connection.close()
        self._local = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- reading

    @property
    def revision(self) -> int:
        """Grows with every change of the articles."""
        return int(self.meta("revision") or 0)

    @property
    def fingerprint(self) -> str:
        """What the index was built with; empty for a library that was never filled."""
        return self.meta("fingerprint") or ""

    def meta(self, key: str) -> str | None:
        """A note kept beside the articles, such as the state of the vector index."""
        row = self._row("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def articles(self, ids: Collection[str] | None = None) -> Iterator[Article]:
        """All articles, or those of `ids` that exist, by id."""
        if ids is None:
            return map(_article, self._rows(f"SELECT {_ARTICLE} FROM articles ORDER BY id"))
        sql = f"SELECT {_ARTICLE} FROM articles WHERE id IN (%s) ORDER BY id"
        return map(_article, self._rows_of(sql, sorted(ids)))

    def article(self, id: str) -> Article | None:
        """The article, or None if the library does not know it."""
        return next(self.articles([id]), None)

    def chunks(self, ids: Collection[str] | None = None) -> Iterator[Chunk]:
        """All chunks by article and position, or those of `ids` that exist, by id."""
        if ids is None:
            return map(_chunk, self._rows(f"{_CHUNK} ORDER BY c.article_id, c.ordinal"))
        return map(_chunk, self._rows_of(f"{_CHUNK} WHERE c.id IN (%s) ORDER BY c.id", sorted(ids)))

    def chunk(self, id: str) -> Chunk | None:
        """The chunk, or None if the library does not know it: such a passage is never served."""
        return next(self.chunks([id]), None)

    def chunks_of(self, article_id: str) -> list[Chunk]:
        """The chunks of an article in order; empty if the library does not know it."""
        return list(
            map(_chunk, self._rows(f"{_CHUNK} WHERE c.article_id = ? ORDER BY ordinal", (article_id,)))
        )

    def chunk_ids(self, article_ids: Collection[str] | None = None) -> list[str]:
        """Ids of all chunks, or of those of some articles."""
        if article_ids is None:
            return [row[0] for row in self._rows("SELECT id FROM chunks ORDER BY id")]
        sql = "SELECT id FROM chunks WHERE article_id IN (%s) ORDER BY id"
        return [row[0] for row in self._rows_of(sql, sorted(article_ids))]

    def chunk_counts(self) -> dict[str, int]:
        """Article id → number of its chunks."""
        return dict(self._rows("SELECT article_id, count(*) FROM chunks GROUP BY article_id"))

    def containing(self, words: Collection[str]) -> set[str]:
        """Ids of the articles in whose text, title, outlet or author each of the words stands.

        A word is any run of characters, also within a word; upper and lower case are the same.
        """
        sql, values = "SELECT id FROM articles WHERE 1", []
        for word in words:
            patterns = [f"%{_LIKE_SIGNS.sub(_ESCAPED, form)}%" for form in _cases(word)]
            places = " OR ".join(f"{field} LIKE ? ESCAPE '!'" for field in _FIELDS for _ in patterns)
            sql += f" AND ({places})"
            values += patterns * len(_FIELDS)
        return {row[0] for row in self._rows(sql, values)}

    def versions(self, ids: Collection[str] | None = None) -> dict[str, str]:
        """Article id → sha256 of the version that is served, of all articles or of those of `ids`."""
        if ids is None:
            return dict(self._rows("SELECT id, sha256 FROM articles"))
        return dict(self._rows_of("SELECT id, sha256 FROM articles WHERE id IN (%s)", list(ids)))

    def copies(self) -> dict[str, str]:
        """Article id → id of the article that it nearly repeats."""
        return dict(self._rows("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL ORDER BY id"))

    def manifest(self) -> dict[str, Entry]:
        """Where every article came from."""
        return {row[0]: Entry(*row[1:]) for row in self._rows("SELECT * FROM manifest")}

    def files(self) -> dict[str, FileState]:
        """Every source file as it was last read, unreadable ones included."""
        rows = self._rows("SELECT path, size, mtime_ns, problems, unread FROM files")
        return {
            path: FileState(size, mtime_ns, tuple(json.loads(problems)), bool(unread))
            for path, size, mtime_ns, problems, unread in rows
        }

    def marks(self, article_ids: Collection[str]) -> set[int]:
        """The marks of some articles (see `ingest.copies`)."""
        sql = "SELECT mark FROM marks WHERE article_id IN (%s)"
        return {row[0] for row in self._rows_of(sql, list(article_ids))}

    def marked(self, marks: Collection[int]) -> set[str]:
        """Ids of the articles that have one of the marks."""
        sql = "SELECT article_id FROM marks WHERE mark IN (%s)"
        return {row[0] for row in self._rows_of(sql, list(marks))}

    def counts(self) -> Counts:
        """How much the library holds, and from when to when."""
        row = self._row(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM chunks),"
            " (SELECT min(published) FROM articles), (SELECT max(published) FROM articles)"
        )
        assert row is not None  # an aggregate always has a row
        return Counts(row[0], row[1], _date(row[2]), _date(row[3]))

    # --- writing

    def flip(
        self,
        added: Iterable[tuple[Article, Sequence[Chunk]]] = (),
        removed: Iterable[str] = (),
        *,
        manifest: Mapping[str, Entry] | None = None,
        files: Mapping[str, FileState] | None = None,
        copies: Mapping[str, str] | None = None,
        marks: Mapping[str, Iterable[int]] | None = None,
        meta: Mapping[str, str] | None = None,
        last: Callable[[], None] | None = None,
    ) -> None:
        """Swaps versions in one transaction: all of it happens, or (on any error) nothing.

        `added` articles replace those of the same id and are taken one at a time, so that a
        generator may do the work while the transaction is open; `removed` are article ids.
        `manifest`, `files` and `copies` replace what the library holds of each, `meta` is laid
        over it; `marks` are those of added articles, by which `marked` finds others like them.
        The revision grows if an article is added, removed or becomes a copy. `last` is called
        before the end and sees the new state, which nobody else does yet.
        """
        with self._transaction() as connection:
            before = connection.total_changes
            for ids in _batches(list(removed)):
                connection.execute(f"DELETE FROM articles WHERE id IN ({_places(ids)})", ids)
            for article, chunks in added:
                connection.execute("DELETE FROM articles WHERE id = ?", (article.id,))
                connection.execute(
                    f"INSERT INTO articles ({_ARTICLE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                    _article_row(article),
                )
                connection.executemany("INSERT INTO chunks VALUES (?,?,?,?,?,?)", map(_chunk_row, chunks))
            if copies is not None:
                _set_copies(connection, copies)
            if connection.total_changes != before:
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            if manifest is not None:
                moved = _replace(connection, "manifest", "article_id", map(_entry_row, manifest.items()))
                sources = [(source, id) for id, _, _, source, _ in moved]
                connection.executemany("UPDATE articles SET source = ? WHERE id = ?", sources)
            if files is not None:
                _replace(connection, "files", "path", map(_file_row, files.items()))
            rows = ((mark, id) for id, held in (marks or {}).items() for mark in held)
            connection.executemany("INSERT INTO marks VALUES (?, ?)", rows)
            connection.executemany("REPLACE INTO meta VALUES (?, ?)", (meta or {}).items())
            if last is not None:
                last()

    def note(self, key: str, value: str | None) -> None:
        """Sets or (None) removes a note beside the articles; the revision stays."""
        with self._transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM meta WHERE key = ?", (key,))
            else:
                connection.execute("REPLACE INTO meta VALUES (?, ?)", (key, value))

    # --- inside

    def _check(self) -> None:
        with _translated(self.path):
            connection = self._connection()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION_ID:
            raise IndexDamaged(f"{self.path} is not an index of Beleg; run: {REBUILD}")
        if version != SCHEMA_VERSION:
            raise IndexMismatch(
                f"the index in {self.path.parent} has format {version}, this Beleg reads format"
                f" {SCHEMA_VERSION}; run: {REBUILD}"
            )
        self.counts()  # touches every table: a truncated file shows here

    def _connection(self) -> sqlite3.Connection:
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = _connect(self.path, read_only=self.read_only)
            self._local.connection = connection
            self._connections.add(connection)
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        with _translated(self.path):
            yield from self._connection().execute(sql, values)

    def _rows_of(self, sql: str, ids: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        for batch in _batches(ids):
            yield from self._rows(sql % _places(batch), batch)

    def _row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        return next(iter(list(self._rows(sql, values))), None)


def _create(path: Path) -> None:
    # made beside and moved into place, so that nobody ever opens half a schema
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(path), contextlib.closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        new.replace(path)
    except OSError as exc:
        raise ConfigError(
            f"cannot write the index folder {path.parent}: {exc.strerror}; check free space and permissions"
        ) from exc
    finally:
        with contextlib.suppress(OSError):  # it was moved, or could not be made
            new.unlink()


class _Connection(sqlite3.Connection):
    """A connection that can be weakly referenced: one whose thread has ended is closed with it."""


def _connect(path: Path, *, read_only: bool) -> _Connection:
    # a reader, too, opens for writing: only then does SQLite tidy up its log's files behind it;
    # where it cannot, there is no writer either
    mode = "ro&immutable=1" if read_only and not os.access(path.parent, os.W_OK) else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        factory=_Connection,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,  # only so that `close` may close those of other threads
    )
    connection.execute(f"PRAGMA query_only = {int(read_only)}")
    connection.execute("PRAGMA foreign_keys = ON")
    # a flip must be on disk before the old vectors are deleted
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
            raise IndexBusy(f"{path} is being written by another process; try again in a moment") from exc
        if _CANNOT_WRITE.match(getattr(exc, "sqlite_errorname", "")):
            raise ConfigError(f"cannot use {path}: {text}; check free space and permissions") from exc
        raise IndexDamaged(f"{path} is damaged ({text}); run: {REBUILD}") from exc
    except sqlite3.DatabaseError as exc:
        raise IndexDamaged(f"{path} is damaged ({exc}); run: {REBUILD}") from exc


def _set_copies(connection: sqlite3.Connection, copies: Mapping[str, str]) -> None:
    held = dict(connection.execute("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL"))
    changed = [(copies.get(id), id) for id in held.keys() | copies.keys() if held.get(id) != copies.get(id)]
    connection.executemany("UPDATE articles SET copy_of = ? WHERE id = ?", changed)


def _replace(
    connection: sqlite3.Connection, table: str, key: str, rows: Iterable[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Makes `rows`, whose first column is the key, the table's content; those that were not there."""
    held = {row[0]: row for row in connection.execute(f"SELECT * FROM {table}")}
    wanted = {row[0]: row for row in rows}
    gone = [(id,) for id in held.keys() - wanted.keys()]
    connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", gone)
    new = [row for row in wanted.values() if held.get(row[0]) != row]
    for row in new:
        connection.execute(f"REPLACE INTO {table} VALUES ({_places(row)})", row)
    return new


def _cases(word: str) -> set[str]:
    """A word as it may be written; SQLite itself sees through the case of ASCII only."""
    return {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}


def _batches(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), _IN_A_STATEMENT):
        yield ids[start : start + _IN_A_STATEMENT]


def _places(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _entry_row(item: tuple[str, Entry]) -> tuple[Any, ...]:
    id, entry = item
    return id, entry.name, entry.path, entry.source, entry.sha256


def _file_row(item: tuple[str, FileState]) -> tuple[Any, ...]:
    path, state = item
    problems = json.dumps(state.problems, ensure_ascii=False)
    return path, state.size, state.mtime_ns, problems, int(state.unread)


def _article_row(article: Article) -> tuple[Any, ...]:
    published = article.published and article.published.isoformat()
    asides = json.dumps([(aside.start, aside.end, aside.kind) for aside in article.asides])
    return (
        article.id,
        article.text,
        article.source,
        article.sha256,
        article.title,
        article.outlet,
        article.author,
        published,
        article.language,
        article.genre,
        asides,
        article.copy_of,
    )


def _article(row: tuple[Any, ...]) -> Article:
    id, text, source, sha256, title, outlet, author, published, language, genre, asides, copy_of = row
    return Article(
        id=id,
        text=text,
        source=source,
        sha256=sha256,
        title=title,
        outlet=outlet,
        author=author,
        published=_date(published),
        language=language,
        genre=genre if genre in get_args(Genre) else None,
        asides=tuple(Aside(*aside) for aside in json.loads(asides)),
        copy_of=copy_of,
    )


def _chunk_row(chunk: Chunk) -> tuple[Any, ...]:
    sentences = json.dumps(chunk.sentences, separators=(",", ":"))
    return chunk.id, chunk.article_id, chunk.ordinal, chunk.start, chunk.end, sentences


def _chunk(row: tuple[Any, ...]) -> Chunk:
    id, article_id, ordinal, start, end, text, sentences = row
    spans = tuple((low, high) for low, high in json.loads(sentences))
    return Chunk(id, article_id, ordinal, start, end, text, spans)


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
