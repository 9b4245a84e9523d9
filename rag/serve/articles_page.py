"""The articles page as HTML: pure functions of the list, the state of the intake, and the words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from rag.intake import SyncState
from rag.serve.article_strings import ArticleStrings, article_strings, short_date, size
from rag.serve.assets import articles_head
from rag.serve.catalogue import COLUMNS, PAGE, Row, Wish
from rag.serve.frame import page
from rag.serve.markup import html_text
from rag.serve.reasons import reason_text
from rag.serve.strings import Strings, article_count, counted, date_range, number
from rag.serve.timeline import timeline


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the page shows: all articles, those found for a wish (sorted), and files with problems.

    `state` is None where no articles are taken in; `folder` is the watched folder's name, looked at
    every `seconds` (0: on request); uploads end in `suffixes` and have at most `limit` bytes. A `replica`
    takes its articles from a Chroma server: there is nothing to add to or to delete.
    """

    rows: Sequence[Row]
    found: Sequence[Row]
    wish: Wish
    problems: Sequence[tuple[str, str]] = ()
    state: SyncState | None = None
    folder: str = ""
    seconds: float = 0.0
    suffixes: Sequence[str] = ()
    limit: int = 0
    replica: bool = False

    @property
    def writable(self) -> bool:
        """Whether articles are added and deleted here."""
        return self.state is not None and not self.replica


def articles_page(shelf: Shelf, words: Strings) -> str:
    """The whole page."""
    text = article_strings(words)
    body = (
        f'<div class="articles"{_for_script(shelf, words)}>'
        f"<h1>{html_text(text.title)}</h1>"
        f"{_intake(shelf, words)}{_search(shelf.wish, text)}"
        f'<div id="found">{found_fragment(shelf, words)}</div>'
        f"{_confirmation(text) if shelf.writable else ''}"
        f'<p class="unseen" role="status" id="said"></p></div>'
    )
    return page(text.title, body, words, "/artikel", articles_head())


def found_fragment(shelf: Shelf, words: Strings) -> str:
    """What changes with the wish and with the articles: summary, plot, table, files with problems."""
    text = article_strings(words)
    if not shelf.rows:
        return _empty(shelf, text) + _problems(shelf.problems, words)
    published = [row.published for row in shelf.rows]
    return (
        _summary(shelf, words)
        + timeline(published, [row.published for row in shelf.found], words)
        + '<div class="list">'
        + (_table(shelf, words) if shelf.found else _nothing(shelf.wish, text))
        + f"{_pager(shelf, words)}{_problems(shelf.problems, words)}</div>"
    )


def state_line(state: SyncState, words: Strings) -> str:
    """How far reading in is, in one sentence of plain text."""
    text = article_strings(words)
    if state.running:
        told = {"read": text.reading, "index": text.writing}.get(state.step)
        if told is None or not state.total:
            return text.refreshing
        return told.format(done=number(state.done, words), total=number(state.total, words))
    if state.error:
        return text.sync_failed.format(reason=reason_text(state.error, words))
    return text.current.format(time=f"{state.checked:%H:%M}") if state.checked else ""


def _summary(shelf: Shelf, words: Strings) -> str:
    text = article_strings(words)
    if shelf.wish.query:
        told = text.found.format(shown=number(len(shelf.found), words), all=number(len(shelf.rows), words))
        clear = f'<a class="clear" href="{html_text(replace(shelf.wish, query="", page=1).address)}">'
        return f'<p class="summary">{html_text(told)} {clear}{html_text(text.clear)}</a></p>'
    days = [row.published for row in shelf.rows if row.published]
    parts = [
        article_count(len(shelf.rows), words),
        date_range(min(days), max(days), words) if days else "",
        counted(text.passages, sum(row.chunks for row in shelf.rows), words),
    ]
    return f'<p class="summary">{html_text(" · ".join(filter(None, parts)))}</p>'


def _search(wish: Wish, text: ArticleStrings) -> str:
    sort = f'<input type="hidden" name="sort" value="{html_text(wish.sort)}">'
    return (
        f'<form class="search" role="search" action="/artikel" method="get">{sort}'
        f'<label class="unseen" for="suche">{html_text(text.filter)}</label>'
        f'<input id="suche" type="search" name="q" value="{html_text(wish.query)}" maxlength="200"'
        f' placeholder="{html_text(text.filter_hint)}" autocomplete="off" spellcheck="false">'
        f"<button>{html_text(text.search)}</button></form>"
    )


# --- the table


def _table(shelf: Shelf, words: Strings) -> str:
    text = article_strings(words)
    heads = "".join(_head(column, shelf.wish, text) for column in _columns(shelf))
    start = (_page_of(shelf) - 1) * PAGE
    rows = "".join(_row(row, shelf, words) for row in shelf.found[start : start + PAGE])
    # the roles keep it a table for screen readers where small screens show it as blocks
    return (
        f'<table role="table"><caption class="unseen">{html_text(text.title)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>'
    )


def _columns(shelf: Shelf) -> Sequence[str]:
    return COLUMNS if shelf.writable else COLUMNS[:-1]


def _head(column: str, wish: Wish, text: ArticleStrings) -> str:
    sorting = ""
    if column == wish.column:
        sorting = f' aria-sort="{"descending" if wish.descending else "ascending"}"'
    name = html_text(text.columns[column])
    address = html_text(wish.sorted_by(column).address)
    title = html_text(f"{text.sort_by}: {text.columns[column]}")
    return (
        f'<th role="columnheader" scope="col" class="{column}"{sorting}>'
        f'<a href="{address}" title="{title}" data-sort="{column}">{name}</a></th>'
    )


def _row(row: Row, shelf: Shelf, words: Strings) -> str:
    text = article_strings(words)
    unknown = f'<span class="none">{html_text(text.unknown)}</span>'
    undated = f'<span class="none">{html_text(text.undated_cell)}</span>'
    day = row.published
    cells = {
        "titel": _title(row, words),
        "medium": html_text(row.outlet) if row.outlet else unknown,
        "datum": f'<time datetime="{day}">{html_text(short_date(day, text))}</time>' if day else undated,
        "sprache": html_text(text.languages.get(row.language, row.language)) if row.language else unknown,
        "laenge": _counted(text.length, row.words, words),
        "stellen": _counted(text.passages, row.chunks, words),
        "herkunft": _origin(row, shelf, text),
    }
    return (
        '<tr role="row">'
        + "".join(f'<td role="cell" class="{name}">{cells[name]}</td>' for name in _columns(shelf))
        + "</tr>"
    )


def _title(row: Row, words: Strings) -> str:
    text = article_strings(words)
    lang = f' lang="{html_text(row.language)}"' if row.language else ""
    link = f'<a{lang} href="{_reader(row.id)}">{html_text(row.title or words.untitled)}</a>'
    genre = f' <span class="badge">{html_text(text.comment)}</span>' if row.genre == "comment" else ""
    if row.original is None:
        return link + genre
    copy = f'<a href="{_reader(row.original.id)}">{html_text(_original(row, row.original, words))}</a>'
    return f'{link}{genre}<span class="copy">{html_text(text.copy_of)} {copy}</span>'


def _original(copy: Row, original: Row, words: Strings) -> str:
    """What an article is a copy of: its title, or, as that is often the same, where and when it appeared."""
    day = short_date(original.published, article_strings(words)) if original.published else None
    origin = ", ".join(part for part in (original.outlet, day) if part)
    return origin if origin and original.title == copy.title else original.title or words.untitled


def _counted(forms: tuple[str, str], count: int, words: Strings) -> str:
    """A number whose unit is shown only where there is no column heading above it."""
    told = counted(forms, count, words)
    value, _, unit = told.partition(" ")
    return f'{html_text(value)}<span class="unit"> {html_text(unit)}</span>'


def _origin(row: Row, shelf: Shelf, text: ArticleStrings) -> str:
    if not row.uploaded:
        why = html_text(text.why_not_deleted.format(folder=shelf.folder))
        return f'<span class="folder" title="{why}">{html_text(text.from_folder)}</span>'
    name = html_text(text.delete.format(name=row.title or row.file))
    asks = (
        text.delete_text.format(title=row.title or row.file)
        if row.in_file == 1
        else text.delete_many.format(file=row.file, n=row.in_file)
    )
    return (
        f'<span class="upload">{html_text(text.from_upload)}</span>'
        f'<button type="button" class="delete" data-id="{html_text(row.id)}" data-asks="{html_text(asks)}"'
        f' data-name="{html_text(row.title or row.file)}" title="{name}">'
        f'<span class="unseen">{name}</span></button>'
    )


def _reader(article_id: str) -> str:
    return f"/quelle/{quote(article_id, safe='')}"


def _page_of(shelf: Shelf) -> int:
    return min(shelf.wish.page, _pages(shelf))


def _pages(shelf: Shelf) -> int:
    return max(1, -(-len(shelf.found) // PAGE))


def _pager(shelf: Shelf, words: Strings) -> str:
    text = article_strings(words)
    here, last = _page_of(shelf), _pages(shelf)
    if last == 1:
        return ""
    told = text.page_of.format(page=number(here, words), pages=number(last, words))
    links = {text.earlier: here - 1, text.later: here + 1}
    earlier, later = (
        f'<a href="{html_text(replace(shelf.wish, page=to).address)}">{html_text(name)}</a>'
        if 1 <= to <= last
        else f"<span>{html_text(name)}</span>"
        for name, to in links.items()
    )
    label = html_text(text.pages)
    return f'<nav class="pager" aria-label="{label}">{earlier}<b>{html_text(told)}</b>{later}</nav>'


def _nothing(wish: Wish, text: ArticleStrings) -> str:
    return f'<p class="nothing">{html_text(text.none_found.format(query=wish.query))}</p>'


def _empty(shelf: Shelf, text: ArticleStrings) -> str:
    told = text.replica if shelf.replica else text.empty_text.format(folder=shelf.folder)
    return f'<div class="empty"><h2>{html_text(text.empty_title)}</h2><p>{html_text(told)}</p></div>'


def _problems(problems: Sequence[tuple[str, str]], words: Strings) -> str:
    if not problems:
        return ""
    text = article_strings(words)
    files = len({name for name, _ in problems})
    items = "".join(
        f"<li><b>{html_text(name)}</b> {html_text(reason_text(why, words))}</li>" for name, why in problems
    )
    return (
        f'<details class="problems"><summary>{html_text(counted(text.problems, files, words))}</summary>'
        f"<ul>{items}</ul></details>"
    )


# --- taking articles in


def _intake(shelf: Shelf, words: Strings) -> str:
    if shelf.state is None:
        return ""
    text = article_strings(words)
    if shelf.replica:
        return (
            '<section class="intake" aria-labelledby="hinzu">'
            f'<h2 id="hinzu">{html_text(text.from_server)}</h2>'
            f'<p class="watched">{html_text(text.replica)}</p>{_sync(shelf.state, words)}</section>'
        )
    watched = (text.watched if shelf.seconds else text.not_watched).format(folder=shelf.folder)
    limits = text.limits.format(limit=size(shelf.limit, words))
    why_not = text.why_not_deleted.format(folder=shelf.folder)
    return (
        f'<section class="intake" aria-labelledby="hinzu"><h2 id="hinzu">{html_text(text.add)}</h2>'
        f'<label class="drop"><input type="file" id="dateien" multiple class="unseen"'
        f' accept="{",".join(shelf.suffixes)}">'
        f"<b>{html_text(text.drop)}</b> <span>{html_text(text.choose)}</span>"
        f'<span class="only">{html_text(text.choose_only)}</span>'
        f"<small>{', '.join(shelf.suffixes)}<br>{html_text(limits)}</small></label>"
        f'<p class="scriptless">{html_text(text.without_script.format(folder=shelf.folder))}</p>'
        f'<ul id="results" aria-label="{html_text(text.results)}" hidden></ul>'
        f'{_sync(shelf.state, words)}<p class="watched">{html_text(f"{watched} {why_not}")}</p>'
        "</section>"
    )


def _sync(state: SyncState, words: Strings) -> str:
    """How far reading in is, and the button that asks for it."""
    text = article_strings(words)
    return (
        f'<div class="sync"><button type="button" id="refresh">{html_text(text.refresh)}</button>'
        f'<p id="state"{_failed(state)}>{html_text(state_line(state, words))}</p>'
        f'<progress id="reading" max="1" aria-label="{html_text(text.refreshing)}" hidden></progress></div>'
    )


def _failed(state: SyncState) -> str:
    return ' class="failed"' if state.error and not state.running else ""


def _confirmation(text: ArticleStrings) -> str:
    return (
        '<dialog id="confirm" class="confirm" aria-labelledby="frage"><form method="dialog">'
        f'<h2 id="frage">{html_text(text.delete_title)}</h2><p></p><div>'
        f'<button value="no">{html_text(text.delete_no)}</button>'
        f'<button value="yes" class="yes">{html_text(text.delete_yes)}</button></div></form></dialog>'
    )


_SCRIPTED = (
    "waiting sending checking indexing taken known refused incomplete too_large no_connection deleted"
).split()


def _for_script(shelf: Shelf, words: Strings) -> str:
    """What articles.js needs to know, as attributes."""
    text = article_strings(words)
    said = {name: getattr(text, name) for name in _SCRIPTED} | {"limit": size(shelf.limit, words)}
    return f' data-limit="{shelf.limit}" data-words="{html_text(json.dumps(said, ensure_ascii=False))}"'
