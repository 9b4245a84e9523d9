"""The library's records, converted to rows of SQLite and back."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, NamedTuple

from rag.i18n import Phrase
from rag.schema import Article, Aside, Chunk
from rag.store.library_file import places

_COLUMNS = tuple(field.name for field in fields(Article))
ARTICLE = ", ".join(_COLUMNS)
# SQLite's substr counts code points as Python does, so that offsets need no conversion
_CHUNK = """
    c.id, c.article_id, c.ordinal, c."start", c."end",
    substr(a.text, c."start" + 1, c."end" - c."start"), c.sentences
    FROM chunks c JOIN articles a ON a.id = c.article_id
"""
CHUNK = f"SELECT {_CHUNK}"
PASSAGE = f"SELECT c.row, {', '.join(f'a.{column}' for column in _COLUMNS)}, {_CHUNK}"


# tuples, because a sync makes one of each for every article


class Account(NamedTuple):
    """How much of a file was read and left out: a number for each kind ("characters", "pictures")."""

    read: Mapping[str, int] = {}
    left_out: Mapping[str, int] = {}


class FileState(NamedTuple):
    """A source file as it was when it was last read: `size` in bytes, `mtime_ns` since 1970.

    `problems` say what could not be read, wholly or in part; `unread` that nothing could.
    """

    size: int
    mtime_ns: int
    problems: tuple[str, ...] = ()
    unread: bool = False
    account: Account = Account()


class Entry(NamedTuple):
    """Manifest line of an article: the id its file suggests, the file's path and name, the hash."""

    name: str
    path: str
    source: str
    sha256: str


class Listed(NamedTuple):
    """An article in a list, without its text."""

    id: str
    title: str | None
    outlet: str | None
    author: str | None
    published: date | None
    language: str | None
    genre: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of articles: those that fit everything given.

    `by` are pairs of outlets and authors: an article is of one of either. Days are ISO dates, both included,
    or `MM-DD` of any year; `weekday` counts from Sunday, 0.
    """

    ids: frozenset[str] | None = None
    by: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    first: str | None = None
    last: str | None = None
    weekday: int | None = None
    genre: str | None = None
    language: str | None = None

    def sql(self) -> tuple[str, list[str]]:
        """The condition, and its values."""
        where, values = ["1"], []
        for outlets, authors in self.by:
            where.append(f"(outlet IN ({places([*outlets])}) OR author IN ({places([*authors])}))")
            values += [*outlets, *authors]
        tests = {
            "strftime('%w', published) =": self.weekday,
            "genre =": self.genre,
            "language =": self.language,
        }
        for bound, sign in ((self.first, ">="), (self.last, "<=")):
            day = "published" if len(bound or "") > len("MM-DD") else "substr(published, 6)"
            tests[f"{day} {sign}"] = bound
        given = {test: str(value) for test, value in tests.items() if value is not None}
        return " AND ".join([*where, *(f"{test} ?" for test in given)]), [*values, *given.values()]


@dataclass(frozen=True, slots=True)
class Counts:
    """Size of the library; the dates are those of the oldest and newest dated article."""

    articles: int
    chunks: int
    first: date | None
    last: date | None


def replace_rows(
    connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Replaces a table's content with `rows`, whose first column is the key; returns the new rows."""
    held, wanted = set(connection.execute(f"SELECT * FROM {table}")), dict.fromkeys(rows)
    key = "path" if table == "files" else "article_id"
    connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", [row[:1] for row in held - wanted.keys()])
    new = [row for row in wanted if row not in held]
    for row in new:
        connection.execute(f"INSERT INTO {table} VALUES ({places(row)})", row)
    return new


def file_row(path: str, state: FileState) -> tuple[Any, ...]:
    """Of the table `files`."""
    problems = json.dumps([p.dump() if isinstance(p, Phrase) else p for p in state.problems])
    return path, state.size, state.mtime_ns, problems, int(state.unread), json.dumps(state.account)


def file_of(row: tuple[Any, ...]) -> tuple[str, FileState]:
    """The inverse of `file_row`."""
    path, size, mtime_ns, problems, unread, account = row
    told = tuple(map(Phrase.load, json.loads(problems)))
    return path, FileState(size, mtime_ns, told, bool(unread), Account(*map(dict, json.loads(account))))


def article_row(article: Article) -> tuple[Any, ...]:
    """In the order of `ARTICLE`."""
    written = {name: getattr(article, name) for name in _COLUMNS}
    written["published"] = article.published and article.published.isoformat()
    written["asides"] = json.dumps([(aside.start, aside.end, aside.kind) for aside in article.asides])
    written["pages"] = json.dumps(article.pages)
    return tuple(written.values())


def article_of(row: tuple[Any, ...]) -> Article:
    """The inverse of `article_row`."""
    read = dict(zip(_COLUMNS, row, strict=True))
    read["published"] = date_of(read["published"])
    read["asides"] = tuple(Aside(*aside) for aside in json.loads(read["asides"]))
    read["pages"] = tuple(json.loads(read["pages"]))
    return Article(**read)


def chunk_of(row: tuple[Any, ...]) -> Chunk:
    """From a row that `CHUNK` selects."""
    id, article_id, ordinal, start, end, text, sentences = row
    spans = tuple((low, high) for low, high in json.loads(sentences))
    return Chunk(id, article_id, ordinal, start, end, text, spans)


def passage_of(row: tuple[Any, ...]) -> tuple[Article, Chunk]:
    """From a row that `PASSAGE` selects."""
    return article_of(row[: len(_COLUMNS)]), chunk_of(row[len(_COLUMNS) :])


def date_of(value: str | None) -> date | None:
    """From a column of ISO dates."""
    return None if value is None else date.fromisoformat(value)
