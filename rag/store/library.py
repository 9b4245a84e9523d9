"""The library: the read model in one SQLite file, from which every passage and citation is served.

It holds the articles, their chunks (as offsets: a chunk's text is a slice of its article's), the manifest
(which version of which article came from which file) and the state of the index. A sync is one transaction
(`replace`), so that readers see the old state or the new one, and a crash leaves one of them, with nothing to
repair. Chroma's vectors follow later.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from rag.errors import ConfigError
from rag.i18n import Phrase
from rag.schema import Article, Chunk
from rag.store import library_rows as records
from rag.store.library_file import FILE_NAME, LibraryFile, batches, create, places
from rag.store.library_rows import Counts, Entry, FileState, Listed, Selection
from rag.store.terms import PassageVectors, passage_terms

_FIELDS = ("text", "title", "outlet", "author")
_LIKE_SIGNS, _ESCAPED = re.compile("[!%_]"), r"!\g<0>"


class Library(LibraryFile):
    """Articles and chunks by id; safe to read from many threads.

    Each call has its own connection, so that readers neither see an unfinished `replace` nor wait for it
    (SQLite's write-ahead log).
    """

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """The library in a data folder; created when there is none, unless `read_only`.

        Raises IndexDamaged when the file is no library or cannot be read, IndexMismatch when
        another version of Beleg wrote it, ConfigError when there is none (`read_only`).
        """
        path = folder / FILE_NAME
        if not path.exists():
            if read_only:
                raise ConfigError("no_index", folder=folder)
            create(path)
        library = cls(path, read_only=read_only)
        with contextlib.ExitStack() as stack:
            stack.enter_context(library)
            library.check_file()
            library.counts()  # reads the tables that everything else needs
            stack.pop_all()
        return library

    # --- reading

    @property
    def revision(self) -> int:
        """Grows with every change of the articles."""
        return int(self.meta("revision") or 0)

    @property
    def fingerprint(self) -> str:
        """What the index was built with; empty for a library that was never filled."""
        return self.meta("fingerprint") or ""

    @property
    def state(self) -> str:
        """Revision and fingerprint: what others note to see whether they follow."""
        return f"{self.revision} {self.fingerprint}"

    def meta(self, key: str) -> str | None:
        """A note kept beside the articles, such as the state of the vector index."""
        return dict(self._rows("SELECT key, value FROM meta WHERE key = ?", (key,))).get(key)

    def phrase(self, key: str) -> Phrase | None:
        """A note that is told to readers."""
        noted = self.meta(key)
        return Phrase.load(json.loads(noted)) if noted else None

    def articles(self, ids: Collection[str] | None = None) -> Iterator[Article]:
        """All articles, or those of `ids` that exist, by id."""
        if ids is None:
            return map(records.article_of, self._rows(f"SELECT {records.ARTICLE} FROM articles ORDER BY id"))
        sql = f"SELECT {records.ARTICLE} FROM articles WHERE id IN (%s) ORDER BY id"
        return map(records.article_of, self._rows_of(sql, sorted(ids)))

    def article(self, id: str) -> Article | None:
        """The article, or None if the library does not know it."""
        return next(self.articles([id]), None)

    def chunks_of(self, article_id: str) -> list[Chunk]:
        """The chunks of an article in order; empty if the library does not know it."""
        rows = self._rows(f"{records.CHUNK} WHERE c.article_id = ? ORDER BY ordinal", (article_id,))
        return list(map(records.chunk_of, rows))

    def chunk_rows(self) -> dict[str, int]:
        """The rows of all chunks by their ids, those of the newest articles first."""
        newest = "ORDER BY a.published DESC, a.id, c.ordinal"
        sql = f"SELECT c.id, c.row FROM chunks c JOIN articles a ON a.id = c.article_id {newest}"
        return dict(self._rows(sql))

    def languages(self) -> set[str | None]:
        """The languages of the articles, None where one is not known."""
        return {language for (language,) in self._rows("SELECT DISTINCT language FROM articles")}

    def chunk_counts(self) -> dict[str, int]:
        """Article id → number of its chunks."""
        return dict(self._rows("SELECT article_id, count(*) FROM chunks GROUP BY article_id"))

    def containing(self, words: Collection[str]) -> set[str]:
        """Ids of the articles in whose text, title, outlet or author each of the words stands.

        A word is any run of characters, also within a word; upper and lower case are the same.
        """
        sql, values = "SELECT id FROM articles WHERE 1", []
        for word in words:
            # SQLite itself sees through the case of ASCII only
            forms = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
            patterns = [f"%{_LIKE_SIGNS.sub(_ESCAPED, form)}%" for form in forms]
            matches = " OR ".join(f"{field} LIKE ? ESCAPE '!'" for field in _FIELDS for _ in patterns)
            sql += f" AND ({matches})"
            values += patterns * len(_FIELDS)
        return {id for (id,) in self._rows(sql, values)}

    def listed(self, selection: Selection | None = None) -> list[Listed]:
        """The articles that are selected, or all, newest first, without a date last; no text is read."""
        selection = selection or Selection()
        where, values = selection.sql()
        sql = "SELECT id, title, outlet, author, published, language, genre FROM articles"
        rows = self._rows(f"{sql} WHERE {where} ORDER BY published DESC, title, id", values)
        listed = (row for row in rows if selection.ids is None or row[0] in selection.ids)
        return [Listed._make((*row[:4], records.date_of(row[4]), *row[5:])) for row in listed]

    def versions(self) -> dict[str, str]:
        """Article id → sha256 of the version that is served."""
        return dict(self._rows("SELECT id, sha256 FROM articles"))

    def copies(self) -> dict[str, str]:
        """Article id → id of the article that it nearly repeats."""
        return dict(self._rows("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL ORDER BY id"))

    def manifest(self) -> dict[str, Entry]:
        """Where every article came from."""
        return {row[0]: Entry(*row[1:]) for row in self._rows("SELECT * FROM manifest")}

    def files(self) -> dict[str, FileState]:
        """Every source file as it was last read, unreadable ones included."""
        return dict(map(records.file_of, self._rows("SELECT * FROM files")))

    def marks(self, article_ids: Collection[str]) -> set[int]:
        """The marks of some articles (see `ingest.copies`)."""
        sql = "SELECT mark FROM marks WHERE article_id IN (%s)"
        return {row[0] for row in self._rows_of(sql, list(article_ids))}

    def sharing(self, marks: Collection[int]) -> dict[str, tuple[int, int]]:
        """Article id → number of these marks that it has, if any, and number of all its marks."""
        sql = "SELECT article_id, count(*) FROM marks WHERE mark IN (%s) GROUP BY article_id"
        shared: Counter[str] = Counter()
        for id, number in self._rows_of(sql, list(marks)):
            shared[id] += number
        sql = "SELECT article_id, count(*) FROM marks WHERE article_id IN (%s) GROUP BY article_id"
        return {id: (shared[id], held) for id, held in self._rows_of(sql, list(shared))}

    def counts(self) -> Counts:
        """The size of the library, and its range of dates."""
        ((articles, chunks, first, last),) = self._rows(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM chunks),"
            " (SELECT min(published) FROM articles), (SELECT max(published) FROM articles)"
        )
        return Counts(articles, chunks, records.date_of(first), records.date_of(last))

    # --- searching

    def candidates(self, keys: Sequence[str], most: int, only: Collection[str] | None = None) -> list[int]:
        """Rows of the passages that have any of the search keys, best first by SQLite's own BM25.

        Where there are no more than `most`, all of them. `only` are the ids of the articles that count.
        """
        among, values = "chunks", []
        if only is not None:
            among = "(SELECT row FROM chunks, json_each(?) WHERE article_id = value)"
            values = [json.dumps(list(only))]
        rows = [row for (row,) in self._rows(f"SELECT row FROM {among} LIMIT {most + 1}", values)]
        if len(rows) <= most or not keys:
            return rows[:most]
        sql = "SELECT rowid FROM words WHERE words MATCH ?"
        if only is not None:
            sql += f" AND rowid IN (SELECT row FROM {among})"
        query = " OR ".join(map(_quoted, keys))
        return [row for (row,) in self._rows(f"{sql} ORDER BY rank LIMIT {most}", [query, *values])]

    def terms_of(self, rows: Sequence[int]) -> dict[int, str]:
        """What matching needs of passages (`PassageTerms.pack`), by row in the order given."""
        found = dict(self._rows_of("SELECT row, terms FROM chunks WHERE row IN (%s)", rows))
        return {row: found[row] for row in rows if row in found}

    def passages_at(self, rows: Sequence[int]) -> dict[int, tuple[Article, Chunk]]:
        """The passages of rows that exist, each with its article, in the same version."""
        found = self._rows_of(f"{records.PASSAGE} WHERE c.row IN (%s)", rows)
        return {values[0]: records.passage_of(values[1:]) for values in found}

    def rows_of(self, ids: Collection[str], only: Collection[str] | None = None) -> dict[str, int]:
        """The rows of chunks that exist, by id; with `only`, of those articles alone."""
        found = self._rows_of("SELECT id, row, article_id FROM chunks WHERE id IN (%s)", list(ids))
        kept = None if only is None else frozenset(only)
        return {id: row for id, row, article in found if kept is None or article in kept}

    def frequency(self, ways: Sequence[Sequence[str]]) -> int:
        """The number of passages with all search keys of at least one of these alternatives."""
        query = " OR ".join(f"({_all_of(keys)})" for keys in ways if keys)
        if not query:
            return 0
        ((number,),) = self._rows("SELECT count(*) FROM words WHERE words MATCH ?", (query,))
        return int(number)

    def words_like(self, key: str, prefix: int) -> list[str]:
        """Search keys that begin with the same letters, or end with the whole key."""
        start = key[:prefix]
        sql = "SELECT term FROM vocabulary WHERE (term >= ? AND term < ?) OR term LIKE ?"
        return [term for (term,) in self._rows(sql, (start, f"{start}\U0010ffff", f"%{key}"))]

    def saying(self, keys: Sequence[str]) -> set[str]:
        """Ids of the articles of which some passage has all the search keys."""
        rows = "SELECT rowid FROM words WHERE words MATCH ?"
        sql = f"SELECT DISTINCT article_id FROM chunks WHERE row IN ({rows})"
        return {id for (id,) in self._rows(sql, (_all_of(keys),))} if keys else set()

    @property
    def mean_length(self) -> float:
        """Search keys of a passage on average, at least 1."""
        ((mean,),) = self._rows("SELECT avg(length) FROM chunks")
        return max(mean or 0.0, 1.0)

    def vectors_of(self, rows: Collection[int]) -> dict[int, PassageVectors]:
        """The stored vectors of passages that have them all, by row."""
        sql = "SELECT row, passage, sentences, pairs FROM vectors WHERE pairs IS NOT NULL AND row IN (%s)"
        return {row: PassageVectors.unpack(*packed) for row, *packed in self._rows_of(sql, list(rows))}

    def packed_passages(self, rows: Sequence[int]) -> dict[int, bytes]:
        """The stored vectors of passages themselves, packed, by row."""
        return dict(self._rows_of("SELECT row, passage FROM vectors WHERE row IN (%s)", rows))

    def rows_of_article(self, article_id: str) -> list[int]:
        """The rows of the passages of an article, in order."""
        sql = "SELECT row FROM chunks WHERE article_id = ? ORDER BY ordinal"
        return [row for (row,) in self._rows(sql, (article_id,))]

    def without_vectors(self) -> tuple[int, int]:
        """Numbers of articles and passages without a vector of the built-in encoder."""
        counted = "SELECT count(DISTINCT article_id), count(*) FROM chunks"
        ((articles, passages),) = self._rows(f"{counted} WHERE row NOT IN (SELECT row FROM vectors)")
        return articles, passages

    def without_sentences(self) -> list[int]:
        """Rows of passages that have a vector, and their sentences none; newest articles first."""
        sql = """
            SELECT row FROM vectors JOIN chunks c USING (row) JOIN articles a ON a.id = c.article_id
            WHERE pairs IS NULL ORDER BY a.published IS NULL, a.published DESC, row
        """
        return [row for (row,) in self._rows(sql)]

    # --- writing

    def replace(
        self,
        added: Iterable[tuple[Article, Sequence[Chunk]]] = (),
        removed: Iterable[str] = (),
        *,
        manifest: Mapping[str, Entry] | None = None,
        files: Mapping[str, FileState] | None = None,
        copies: Mapping[str, str] | None = None,
        marks: Mapping[str, Iterable[int]] | None = None,
        meta: Mapping[str, str] | None = None,
    ) -> None:
        """Replaces articles in one transaction: either everything happens or, on any error, nothing.

        `added` articles replace those of the same id and are taken one at a time, so that a
        generator may do the work while the transaction is open; `removed` are article ids.
        `manifest`, `files` and `copies` replace what the library holds of each, `meta` is laid
        over it; `marks` are those of added articles, by which `sharing` finds others like them.
        The revision grows if an article is added, removed or becomes a copy.
        """
        with self._transaction() as connection:
            before = connection.total_changes
            for ids in batches(list(removed)):
                connection.execute(f"DELETE FROM articles WHERE id IN ({places(ids)})", ids)
            for article, chunks in added:
                connection.execute("DELETE FROM articles WHERE id = ?", (article.id,))
                values = records.article_row(article)
                connection.execute(f"INSERT INTO articles VALUES ({places(values)})", values)
                for chunk in chunks:
                    terms, keys = passage_terms(article, chunk)  # what a search needs of it
                    values = (chunk.id, chunk.article_id, chunk.ordinal, chunk.start, chunk.end)
                    values += (json.dumps(chunk.sentences), terms.pack(), len(keys))
                    row = connection.execute(f"INSERT INTO chunks VALUES (NULL, {places(values)})", values)
                    words = (row.lastrowid, " ".join(keys))
                    connection.execute("INSERT INTO words (rowid, keys) VALUES (?, ?)", words)
            if copies is not None:
                held = dict(connection.execute("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL"))
                changed = ((copies.get(id), id) for id, _ in held.items() ^ copies.items())
                connection.executemany("UPDATE articles SET copy_of = ? WHERE id = ?", changed)
            if connection.total_changes != before:
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            if manifest is not None:
                entries = ((id, *entry) for id, entry in manifest.items())
                moved = records.replace_rows(connection, "manifest", entries)
                sources = [(source, id) for id, _, _, source, _ in moved]
                connection.executemany("UPDATE articles SET source = ? WHERE id = ?", sources)
            if files is not None:
                rows = itertools.starmap(records.file_row, files.items())
                records.replace_rows(connection, "files", rows)
            marked = ((mark, id) for id, own in (marks or {}).items() for mark in map(int, own))
            connection.executemany("INSERT INTO marks VALUES (?, ?)", marked)
            connection.executemany("REPLACE INTO meta VALUES (?, ?)", (meta or {}).items())

    def put_vectors(self, rows: Iterable[tuple[int, bytes, bytes | None, bytes | None]]) -> None:
        """Stores vectors of passages (see `PassageVectors`), except of passages that are gone by now."""
        sql = """
            INSERT OR REPLACE INTO vectors
            SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM chunks WHERE row = ?1)
        """
        with self._transaction() as connection:
            connection.executemany(sql, rows)

    def note(self, key: str, value: str | None) -> None:
        """Sets or (None) removes a note beside the articles, for `meta` or `phrase`; the revision stays."""
        kept = json.dumps(value.dump()) if isinstance(value, Phrase) else value
        sql = "DELETE FROM meta WHERE key = ?1" if kept is None else "REPLACE INTO meta VALUES (?1, ?2)"
        with self._transaction() as connection:
            connection.execute(sql, (key,) if kept is None else (key, kept))


def _all_of(keys: Iterable[str]) -> str:
    """A full-text query that all of the search keys meet."""
    return " AND ".join(map(_quoted, keys))


def _quoted(key: str) -> str:
    return f'"{key}"'
