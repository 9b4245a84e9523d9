"""The articles page and what it does: `/artikel` lists, uploads, deletes and re-reads articles.

An upload is one request for each file, its body the file itself, so that its size is known while it
comes in and each has a result of its own: 201 taken, 413 too large, 422 not readable (with the
reason), 507 no space. Whatever changes something is refused (403) to pages of other sites.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag.errors import ArticleError, ArticleTooLarge
from rag.i18n import Phrase, Words
from rag.schema import Filters
from rag.serve.pages.catalogue import COLUMNS, PAGE, Catalogue, Row, Wish, day_of, wish
from rag.serve.pages.choice import address_of
from rag.serve.pages.reader import Excerpt, excerpt
from rag.serve.pages.routes import words_of
from rag.serve.pages.timeline import plot_of
from rag.serve.security.guard import is_foreign
from rag.serve.views import page
from rag.settings import Settings
from rag.store.library_file import LEFT_TO_WORDS, PASSED_OVER
from rag.store.library_rows import Account
from rag.uploads import Intake, Received, SyncState

_FRESH = {"Cache-Control": "no-store"}
_LONGEST_FORM, _LONGEST_FIELD = 20_000, 500
_MOST_FILES = 200  # asked about at once

log = logging.getLogger(__name__)


_NAMES = {
    "title": "articles.columns.titel",
    "outlet": "articles.columns.medium",
    "author": "facts.author",
    "published": "articles.columns.datum",
}
"""What facts are called."""
_MOST_ASKED = 50  # articles in the address of a chat
_MOST_ACCOUNTS = 500  # files; the command line names all


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the page shows: all articles, those found for a wish (sorted), and files with problems.

    `state` is None where no articles are taken in; `folder` is the watched folder's name, looked at
    every `seconds` (0: on request); uploads end in `suffixes` and have at most `limit` bytes. A `replica`
    takes its articles from a Chroma server: there is nothing to add to or to delete. `accounts` say what
    was read of each file, `passed_over` what lies beside them, `left_to_words` what it takes to read
    what they mean. `excerpts` are what was found, by article; `edited` is what files say whose facts people
    have changed.
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
    accounts: Sequence[tuple[str, Account]] = ()
    passed_over: str | None = None
    left_to_words: str | None = None
    excerpts: Mapping[str, Excerpt] = field(default_factory=dict)
    edited: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def asks(self) -> str | None:
        """The address of the chat about what was found, None where that is nothing, all, or too much."""
        if not self.wish.narrows or not self.found:
            return None
        if not self.wish.query:
            return address_of(Filters(first=self.wish.first, last=self.wish.last))
        if len(self.found) > _MOST_ASKED:
            return None
        return address_of(Filters(articles=tuple(row.id for row in self.found)))

    @property
    def writable(self) -> bool:
        """Whether articles are added and deleted here."""
        return self.state is not None and not self.replica

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the list; where an article is from matters where it can be deleted."""
        return COLUMNS if self.writable else COLUMNS[:-1]

    @property
    def pages(self) -> int:
        """How many pages the list has."""
        return max(1, -(-len(self.found) // PAGE))

    @property
    def page(self) -> int:
        """The page that is shown, counted from 1."""
        return min(self.wish.page, self.pages)

    @property
    def page_rows(self) -> Sequence[Row]:
        """The articles of the page that is shown."""
        return self.found[(self.page - 1) * PAGE : self.page * PAGE]


def articles_page(shelf: Shelf, words: Words) -> str:
    """The whole page."""
    script_words = {**words.at("intake.file"), "limit": words.size(shelf.limit)}
    state = state_line(shelf.state, words) if shelf.state else ""
    return page("articles.html", words, script_words=script_words, state=state, **_found(shelf, words))


def found_fragment(shelf: Shelf, words: Words) -> str:
    """What changes with the wish and with the articles: summary, plot, table, files with problems."""
    return page("found.html", words, **_found(shelf, words))


def _found(shelf: Shelf, words: Words) -> dict[str, object]:
    return {
        "shelf": shelf,
        "days": lambda first, last: shelf.wish.but(first=first, last=last).address,
        "plot": plot_of([row.published for row in shelf.rows], [row.published for row in shelf.found], words),
        "most_accounts": _MOST_ACCOUNTS,
        "edited": {id: _edited(facts, words) for id, facts in shelf.edited.items()},
    }


def _edited(in_file: Mapping[str, str], words: Words) -> str:
    """That facts of an article were changed, and what its file says of them."""
    day = day_of(in_file.get("published", ""))
    facts = {**in_file, **({"published": words.short_date(day)} if day else {})}
    told = [
        f"{words(key)}: {facts[name] or words('facts.not_stated')}"
        for name, key in _NAMES.items()
        if name in facts
    ]
    return " – ".join(
        [words("facts.edited"), *([words("facts.in_file", what="; ".join(told))] if told else [])]
    )


def state_line(state: SyncState, words: Words) -> str:
    """How far reading in is, in one sentence of plain text."""
    if state.running:
        steps = {"read": "reading", "index": "writing", "embed": "embedding", "sentences": "sentences"}
        key = f"intake.{steps[state.step]}" if state.step in steps else None
        if key is None or not state.total:
            return words("intake.refreshing")
        return words(key, done=state.done, total=state.total)
    if state.error:
        return words("intake.sync_failed", reason=words.said(state.error))
    if state.checked is None:
        return ""
    return words("intake.current", time=f"{state.checked:%H:%M}", zone=f"{state.checked:%Z}")


def add_articles_page(
    app: FastAPI, catalogue: Catalogue, settings: Settings, intake: Intake | None = None
) -> None:
    """`/artikel`; read-only without an intake."""

    def shelf(asked: Wish) -> Shelf:
        found = Shelf(
            catalogue.rows(),
            catalogue.found(asked),
            asked,
            catalogue.problems(),
            without_folders(intake.state, settings) if intake else None,
            settings.articles.resolve().name,
            settings.sync_seconds,
            intake.suffixes if intake else (),
            settings.article_limit,
            settings.chroma_replica,
            catalogue.accounts(),
            catalogue.library.phrase(PASSED_OVER),
            catalogue.library.phrase(LEFT_TO_WORDS),
        )
        if intake is not None:
            told = {row.id: intake.edited(Path(row.path)) for row in found.page_rows if row.uploaded}
            found = replace(found, edited={id: facts for id, facts in told.items() if facts is not None})
        if not asked.query:
            return found
        texts = catalogue.library.articles([row.id for row in found.page_rows])
        return replace(found, excerpts={a.id: hit for a in texts if (hit := excerpt(asked.query, a.text))})

    @app.get("/artikel", response_class=HTMLResponse)
    def articles(
        request: Request,
        q: str = "",
        sort: str = "",
        seite: str = "",
        von: str = "",
        bis: str = "",
        teil: str = "",
    ) -> HTMLResponse:
        render = found_fragment if teil else articles_page
        html = render(shelf(wish(q, sort, seite, von, bis)), words_of(request))
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    if intake is not None:
        _add_intake(app, catalogue, settings, intake)


def _add_intake(app: FastAPI, catalogue: Catalogue, settings: Settings, intake: Intake) -> None:
    @app.get("/artikel/stand")
    def state(
        request: Request, datei: Annotated[tuple[str, ...], Query(max_length=_MOST_FILES)] = ()
    ) -> JSONResponse:
        now, words, files = without_folders(intake.state, settings), words_of(request), {}
        for name in datei:
            rows, problems = catalogue.from_upload(name)
            read = [{"id": row.id, "title": row.title or words("reader.untitled")} for row in rows]
            files[name] = {"articles": read, "problems": [words.said(problem) for problem in problems]}
        told = {
            "revision": catalogue.library.revision,
            "running": now.running,
            "done": now.done,
            "total": now.total,
            "failed": bool(now.error) and not now.running,
            "text": state_line(now, words),
            "files": files,
        }
        return JSONResponse(told, headers=_FRESH)

    @app.post("/artikel/einlesen")
    def refresh(request: Request) -> JSONResponse:
        _refuse_foreign(request)
        intake.refresh()
        return JSONResponse({}, status_code=202, headers=_FRESH)

    @app.post("/artikel/loeschen")
    def remove(request: Request, id: str) -> JSONResponse:
        words = _refuse_foreign(request)
        if settings.chroma_replica:
            return _told(409, words("intake.replica"))
        if catalogue.library.article(id) is None:
            return _told(404, words("errors.no_article"))
        path = catalogue.upload_of(id)
        if path is None:
            return _told(409, words("articles.why_not_deleted", folder=settings.articles.resolve().name))
        try:
            intake.remove(path)
        except ArticleError as exc:
            return _told(409, words.said(exc.phrase))
        except OSError as exc:
            return _told(409, str(exc.strerror or exc))
        intake.refresh()
        return _told(202, words("delete.done", name=path.name))

    @app.post("/artikel/angaben")
    async def describe(request: Request, id: str) -> JSONResponse:
        words = _refuse_foreign(request)
        if settings.chroma_replica:
            return _told(409, words("intake.replica"))
        path = catalogue.upload_of(id)
        if path is None:
            return _told(409, words("articles.why_not_deleted", folder=settings.articles.resolve().name))
        sent = parse_qs((await request.body())[:_LONGEST_FORM].decode("utf-8", "replace"))
        said = {name: values[-1][:_LONGEST_FIELD] for name, values in sent.items()}
        try:
            await run_in_threadpool(intake.describe, path, said)
        except ArticleError as exc:
            return _told(422, words.said(exc.phrase))
        except OSError as exc:
            return _told(507, words("errors.no_space", reason=exc.strerror or exc))
        intake.refresh()
        return _told(202, words("facts.done", name=path.name))

    @app.post("/artikel/datei")
    async def upload(request: Request, name: str) -> JSONResponse:
        words = _refuse_foreign(request)
        if settings.chroma_replica:
            return _told(409, words("intake.replica"))
        try:
            taken = await received(request, intake, name, settings.article_limit)
        except ArticleTooLarge:
            return _told(413, words("intake.file.too_large", limit=words.size(settings.article_limit)))
        except ArticleError as exc:
            return _told(422, words.said(exc.phrase))
        except OSError as exc:
            log.warning("an upload could not be saved: %s", exc)
            return _told(507, words("errors.no_space", reason=exc.strerror or exc))
        except ClientDisconnect:
            return _told(400, words("intake.file.no_connection"))
        intake.refresh()
        told = {"name": taken.name, "known": taken.known}
        return JSONResponse(told, status_code=201, headers=_FRESH)


async def received(request: Request, intake: Intake, name: str, limit: int) -> Received:
    """The upload in a request's body. Raises ArticleError as soon as that is clear, and OSError."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit:
        raise ArticleTooLarge("file_too_large", megabytes=limit / 1e6)
    return await intake.add(name, request.stream())


def without_folders(state: SyncState, settings: Settings) -> SyncState:
    """The state with names in place of paths, which the page must not show."""
    folders = [path.resolve() for path in (settings.articles, settings.uploads_dir, settings.data_dir)]
    return replace(state, error=_without(state.error, folders))


def _without(told: Any, folders: Sequence[Path]) -> Any:
    if isinstance(told, Phrase):
        code = _without(told.code, folders)  # a text without a code stands for itself
        return Phrase(code, **{name: _without(value, folders) for name, value in told.params.items()})
    if isinstance(told, str | Path):
        for folder in folders:
            told = str(told).replace(str(folder), folder.name)
    return told


def _refuse_foreign(request: Request) -> Words:
    """The reader's words. Raises HTTPException for a request that another site's page makes."""
    words = words_of(request)
    if is_foreign(request.headers):
        raise HTTPException(403, words("errors.foreign_page"))
    return words


def _told(status: int, message: str) -> JSONResponse:
    return JSONResponse({"detail": message}, status_code=status, headers=_FRESH)
