"""The articles as the articles page lists them, and the choice of those that may answer.

A choice is the query of an address, `medium=<outlet>&von=<day>&bis=<day>&artikel=<id>`, possibly with several
outlets and articles. Invalid parts are ignored.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlencode

from rag.engine import Engine
from rag.errors import BelegError
from rag.i18n import Words
from rag.schema import Filters, Genre
from rag.serve.links import link
from rag.serve.views import fragment
from rag.store.library import Library
from rag.store.library_rows import Account
from rag.text.analysis import fold

PAGE = 100  # articles on one page of the list

NEWEST_FIRST = "-datum"
_LONGEST_FILTER = 200
_LISTED = 200  # most articles in the list of the form; others can be chosen on their own pages
_MOST = 200  # most outlets, or articles, in an address
_NAMED = 3  # most articles with a chip each
_STATED = ("id", "title", "outlet", "published", "language", "genre", "author")


@dataclass(frozen=True, slots=True)
class Row:
    """One article in the list: `words` counts its text, `file` is its file's name, `path` where it is.

    `in_file` is the number of articles in the file; `original` is the article that this one nearly repeats.
    """

    id: str
    title: str | None
    outlet: str | None
    published: date | None
    language: str | None
    genre: Genre | None
    words: int
    chunks: int
    author: str | None = None
    file: str = ""
    in_file: int = 1
    uploaded: bool = False
    path: str = ""
    original: "Row | None" = None

    @property
    def copy_of(self) -> str | None:
        return self.original.id if self.original else None

    @property
    def address(self) -> str:
        return link(f"/quelle/{quote(self.id, safe='')}")


@dataclass(frozen=True, slots=True)
class Wish:
    """The part of the list that a reader wants: `sort` is a column (with `-`: descending), `page` is from 1.

    `first` and `last` are days of publication, both included.
    """

    query: str = ""
    sort: str = NEWEST_FIRST
    page: int = 1
    first: date | None = None
    last: date | None = None

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def narrows(self) -> bool:
        """Whether some articles are left out."""
        return bool(self.query or self.first or self.last)

    @property
    def query_string(self) -> str:
        """The query of the page's address; what is usual is left out."""
        sort = self.sort if self.sort != NEWEST_FIRST else None
        page = self.page if self.page != 1 else None
        parts = {"q": self.query, "sort": sort, "seite": page, "von": self.first, "bis": self.last}
        return urlencode({name: value for name, value in parts.items() if value})

    @property
    def address(self) -> str:
        query = self.query_string
        return link(f"/artikel?{query}" if query else "/artikel")

    def reading(self, row: Row) -> str:
        """An article's address with the way back to this list and the words to mark."""
        parts = {"liste": self.query_string, "suche": self.query}
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"{row.address}?{query}".rstrip("?") + ("#treffer" if self.query else "")

    def but(self, **changed: Any) -> Self:
        """From its first page on."""
        return replace(self, **{"page": 1, **changed})

    def sorted_by(self, column: str) -> Self:
        """The wish sorted by a column; by the same column, in reverse."""
        turned = column == self.column and not self.descending
        return self.but(sort=f"-{column}" if turned else column)


def wish_of(query: str) -> Wish:
    """The wish in the query of an address; invalid parts get their defaults."""
    said = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    sort = said.get("sort", "")
    return Wish(
        " ".join(said.get("q", "")[:_LONGEST_FILTER].split()),
        sort if sort.removeprefix("-") in _KEYS else NEWEST_FIRST,
        number_of(said.get("seite", "")),
        day_of(said.get("von", "")),
        day_of(said.get("bis", "")),
    )


def number_of(said: str) -> int:
    """The number in an address, from 1; 1 without one."""
    return max(1, int(said)) if said.isascii() and said.isdecimal() and len(said) < 8 else 1


def day_of(said: str) -> date | None:
    """The day in an address; None without one."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


class Catalogue:
    """The list of a library's articles, made once per revision."""

    def __init__(self, library: Library, uploads: Path) -> None:
        """`uploads` is the folder whose files can be deleted again."""
        self.library = library
        self.uploads = f"{uploads.resolve()}{os.sep}"
        self._rows_at = lru_cache(maxsize=1)(self._made)

    def rows(self) -> tuple[Row, ...]:
        """All articles, by title."""
        return self._rows_at(self.library.revision)

    def row(self, article_id: str) -> Row | None:
        """An article of the list."""
        return next((row for row in self.rows() if row.id == article_id), None)

    def found(self, asked: Wish) -> list[Row]:
        """The articles of those days that contain every word of the query, sorted."""
        rows = self.rows()
        if asked.first or asked.last:  # without a date, an article is of no days
            low, high = asked.first or date.min, asked.last or date.max
            rows = tuple(row for row in rows if row.published and low <= row.published <= high)
        if asked.query:
            ids = self.library.containing(unicodedata.normalize("NFC", asked.query).split())
            rows = tuple(row for row in rows if row.id in ids)
        return ordered(rows, asked.column, descending=asked.descending)

    def problems(self) -> list[tuple[str, str]]:
        """Names of the files that cannot be read, wholly or in part, each with a reason."""
        files = self.library.files().items()
        return sorted((Path(path).name, why) for path, state in files for why in state.problems)

    def accounts(self) -> list[tuple[str, Account]]:
        """Names of the files that were read, with how much of each was, and was not."""
        files = self.library.files().items()
        read = ((Path(path).name, state.account) for path, state in files if not state.unread)
        return sorted(read, key=itemgetter(0))

    def from_upload(self, name: str) -> tuple[list[Row], tuple[str, ...]]:
        """The articles of an uploaded file, and the problems with it."""
        state = self.library.files().get(f"{self.uploads}{name}")
        rows = [row for row in self.rows() if row.uploaded and row.file == name]
        return rows, state.problems if state else ()

    def upload_of(self, article_id: str) -> Path | None:
        """The uploaded file that an article is from; None for one of the articles folder."""
        entry = self.library.manifest().get(article_id)
        return Path(entry.path) if entry and entry.path.startswith(self.uploads) else None

    def _made(self, _: int) -> tuple[Row, ...]:
        chunks, manifest = self.library.chunk_counts(), self.library.manifest()
        in_file = Counter(entry.path for entry in manifest.values())
        rows: dict[str, Row] = {}
        copies: dict[str, str | None] = {}
        for article in self.library.articles():
            path = manifest[article.id].path if article.id in manifest else article.source
            rows[article.id] = Row(
                **{name: getattr(article, name) for name in _STATED},
                words=len(article.text.split()),
                chunks=chunks.get(article.id, 0),
                file=Path(path).name,
                in_file=in_file[path],
                uploaded=path.startswith(self.uploads),
                path=path,
            )
            copies[article.id] = article.copy_of
        whole = [replace(row, original=rows.get(copies[id] or "")) for id, row in rows.items()]
        return tuple(ordered(whole, "titel", descending=False))


def ordered(rows: Sequence[Row], column: str, *, descending: bool) -> list[Row]:
    """The rows by a column, stable; unknown values come last in both directions."""
    key = _KEYS[column]
    keyed = [(value, row) for row in rows if (value := key(row)) is not None]
    keyed.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in keyed] + [row for row in rows if key(row) is None]


def _folded(text: str) -> str:
    """A word's form for sorting: ä as a, Ö as o."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if char.isalnum() or char == " ").casefold()


_Key = Callable[[Row], Any]  # a string or a number, the same for all rows; None where it is unknown
_KEYS: dict[str, _Key] = {
    "titel": lambda row: _folded(row.title) if row.title else None,
    "medium": lambda row: _folded(row.outlet) if row.outlet else None,
    "datum": lambda row: row.published.toordinal() if row.published else None,
    "sprache": lambda row: row.language,
    "laenge": lambda row: row.words,
    "stellen": lambda row: row.chunks,
    "herkunft": lambda row: f"{int(not row.uploaded)} {_folded(row.file)}",
}
COLUMNS = tuple(_KEYS)  # the columns of the list, in order; it can be sorted by each


def choice_of(query: str) -> Filters:
    """The filters of an address.

    >>> choice_of("?medium=taz&bis=nie")
    Filters(outlets=('taz',), authors=(), first=None, last=None, articles=(), genre=None)
    """
    said = parse_qs(query.removeprefix("?"))
    outlets, articles = (tuple(dict.fromkeys(said.get(name, ())))[:_MOST] for name in ("medium", "artikel"))
    first, last = (day_of(said.get(name, [""])[-1]) for name in ("von", "bis"))
    return Filters(outlets=outlets, articles=articles, first=first, last=last)


def address_of(chosen: Filters, answer: str = "") -> str:
    """The address of the chat with this choice, and of the conversation up to an answer."""
    query = urlencode([*choice_query(chosen), *([("gespraech", answer)] if answer else [])])
    return link(f"/?{query}" if query else "/")


def choice_query(chosen: Filters) -> list[tuple[str, str]]:
    """The choice as names and values of a query."""
    days = [(name, day.isoformat()) for name, day in (("von", chosen.first), ("bis", chosen.last)) if day]
    outlets = [("medium", each) for each in chosen.outlets]
    return [*outlets, *days, *(("artikel", each) for each in chosen.articles)]


def parts(chosen: Filters, titles: Mapping[str, str], words: Words) -> Iterator[tuple[str, Filters]]:
    """The names of what is chosen, each with what is chosen without it; `titles` are those of articles."""

    def without(name: str, kind: str) -> Filters:
        left: Any = {kind: tuple(each for each in getattr(chosen, kind) if each != name)}
        return replace(chosen, **left)

    yield from ((name, without(name, "outlets")) for name in chosen.outlets)
    yield from ((name, without(name, "authors")) for name in chosen.authors)
    if chosen.first or chosen.last:
        yield words.period(chosen.first, chosen.last), replace(chosen, first=None, last=None)
    if chosen.genre:
        yield words(f"choice.{chosen.genre}"), replace(chosen, genre=None)
    if len(chosen.articles) > _NAMED:
        yield words("choice.articles", n=len(chosen.articles)), replace(chosen, articles=())
    else:
        yield from ((titles.get(id, id), without(id, "articles")) for id in chosen.articles)


def chosen_html(engine: Engine, catalogue: Catalogue, query: str, words: Words) -> str:
    """The chips above the composer, the number of articles that answer, and the button for the dialog."""
    chosen = choice_of(query)
    if chosen == Filters():
        return fragment("choice", words, chips=(), told="", wrong=False)
    rows, wrong = catalogue.rows(), False
    titles = {row.id: row.title or words("reader.untitled") for row in rows} if chosen.articles else {}
    chips = [(name, address_of(without)) for name, without in parts(chosen, titles, words)]
    try:
        told = words("articles.found", shown=len(engine.fitting(chosen) or ()), all=len(rows))
    except BelegError as error:
        told, wrong = words.said(error.phrase), True
    return fragment("choice", words, chips=chips, told=told, wrong=wrong)


def choice_form(catalogue: Catalogue, query: str) -> dict[str, object]:
    """The content of the form: outlets with their articles, the range of days, and the newest articles."""
    chosen, rows = choice_of(query), catalogue.rows()
    days = [row.published for row in rows if row.published]
    outlets = Counter(row.outlet for row in rows if row.outlet)
    # as filters have it: in part and in any case, too
    named = [fold(name.strip()) for name in chosen.outlets if name.strip()]
    newest = ordered(rows, "datum", descending=True)
    listed = [row for row in newest if row.id in chosen.articles]
    listed += [row for row in newest if row.id not in chosen.articles][: _LISTED - len(listed)]
    return {
        "chosen": chosen,
        "outlets": [
            (name, n, any(each in fold(name) for each in named)) for name, n in sorted(outlets.items())
        ],
        "first": min(days, default=None),
        "last": max(days, default=None),
        "listed": listed,
        "more": len(rows) - len(listed),
    }
