"""The articles page and what it does: `/artikel` lists, uploads, deletes and re-reads articles.

An upload is one request for each file, its body the file itself, so that its size is known while it
comes in and each has a result of its own: 201 taken, 413 too large, 422 not readable (with the
reason), 507 no space.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag.errors import ArticleError, ArticleTooLarge
from rag.i18n import Phrase, Words
from rag.schema import Filters, Received, SyncState
from rag.serve.api.errors import CLIENT_LEFT, FRESH, Problem, problem_of
from rag.serve.pages.catalogue import COLUMNS, PAGE, Wish, address_of, day_of, wish_of
from rag.serve.pages.overview import plot_of
from rag.serve.pages.reader import excerpt
from rag.serve.pages.routes import words_of
from rag.serve.queue import Intake, Service
from rag.serve.views import page
from rag.settings import Settings
from rag.store.library_file import LEFT_TO_WORDS, PASSED_OVER

_LONGEST_FORM, _LONGEST_FIELD = 20_000, 500
_MOST_FILES = 200  # asked about at once
_MOST_ASKED = 50  # articles in the address of a chat
_NAMES = {
    "title": "articles.columns.titel",
    "outlet": "articles.columns.medium",
    "author": "facts.author",
    "published": "articles.columns.datum",
}
"""What facts are called."""

log = logging.getLogger(__name__)


def articles_page(service: Service, wish: Wish, words: Words, *, part: bool = False) -> str:
    """The page, or the part of it that changes with the wish: summary, plot, table, files with problems.

    It is for reading only without an intake, and where articles come from a Chroma server.
    """
    catalogue, settings, intake = service.catalogue, service.settings, service.intake
    rows, found, library = catalogue.rows(), catalogue.found(wish), catalogue.library
    pages = max(1, -(-len(found) // PAGE))
    at = min(wish.page, pages)
    shown = found[(at - 1) * PAGE : at * PAGE]
    searched = library.articles([row.id for row in shown]) if wish.query else ()
    asked_about = None  # the chat about what was found, unless that is nothing, all, or too much
    if wish.query and 0 < len(found) <= _MOST_ASKED:
        asked_about = Filters(articles=tuple(row.id for row in found))
    elif wish.narrows and found and not wish.query:
        asked_about = Filters(first=wish.first, last=wish.last)
    edited: dict[str, str] = {}
    for row in shown:
        if intake and row.uploaded and (facts := intake.edited(Path(row.path))) is not None:
            edited[row.id] = _edited(facts, words)
    state = without_folders(intake.state, settings) if intake else None
    writable = intake is not None and not settings.chroma_replica
    return page(
        "found.html" if part else "articles.html",
        words,
        rows=rows,
        found=found,
        wish=wish,
        pages=pages,
        at=at,
        shown=shown,
        excerpts={article.id: excerpt(wish.query, article.text) for article in searched},
        asks=address_of(asked_about) if asked_about else None,
        edited=edited,
        writable=writable,
        # where an article is from matters where it can be deleted
        columns=COLUMNS if writable else COLUMNS[:-1],
        state=state,
        told=state_line(state, words) if state else "",
        folder=settings.articles.resolve().name,
        seconds=settings.sync_seconds,
        suffixes=intake.suffixes if intake else (),
        limit=settings.article_limit,
        script_words={**words.at("intake.file"), "limit": words.size(settings.article_limit)},
        replica=settings.chroma_replica,
        problems=catalogue.problems(),
        accounts=catalogue.accounts(),
        passed_over=library.phrase(PASSED_OVER),
        left_to_words=library.phrase(LEFT_TO_WORDS),
        days=lambda first, last: wish.but(first=first, last=last).address,
        plot=plot_of([row.published for row in rows], [row.published for row in found], words),
    )


def _edited(in_file: Mapping[str, str], words: Words) -> str:
    """That facts of an article were changed, and what its file says of them."""
    day = day_of(in_file.get("published", ""))
    facts = {**in_file, **({"published": words.short_date(day)} if day else {})}
    named = [(words(key), facts[name]) for name, key in _NAMES.items() if name in facts]
    told = "; ".join(f"{name}: {fact or words('facts.not_stated')}" for name, fact in named)
    return words("facts.edited") + (f" – {words('facts.in_file', what=told)}" if told else "")


def state_line(state: SyncState, words: Words) -> str:
    """How far reading in is, in one sentence of plain text."""
    if state.running:
        if state.total and state.step in words.at("intake.step"):
            return words(f"intake.step.{state.step}", done=state.done, total=state.total)
        return words("intake.refreshing")
    if state.error:
        return words("intake.sync_failed", reason=words.said(state.error))
    if state.checked is None:
        return ""
    return words("intake.current", time=f"{state.checked:%H:%M}", zone=f"{state.checked:%Z}")


def add_articles_page(app: FastAPI, service: Service) -> None:
    """`/artikel`; read-only without an intake."""

    @app.get("/artikel", response_class=HTMLResponse)
    def articles(request: Request, teil: str = "") -> HTMLResponse:
        html = articles_page(service, wish_of(request.url.query), words_of(request), part=bool(teil))
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    if service.intake is not None:
        _add_intake(app, service, service.intake)


def _add_intake(app: FastAPI, service: Service, intake: Intake) -> None:
    catalogue, settings = service.catalogue, service.settings

    def told(told: Any, status: int = 200) -> JSONResponse:
        return JSONResponse({"detail": told} if isinstance(told, str) else told, status, FRESH)

    @app.get("/artikel/stand")
    def state(
        request: Request, datei: Annotated[tuple[str, ...], Query(max_length=_MOST_FILES)] = ()
    ) -> JSONResponse:
        now, words, files = without_folders(intake.state, settings), words_of(request), {}
        for name in datei:
            rows, problems = catalogue.from_upload(name)
            read = [{"id": row.id, "title": row.title or words("reader.untitled")} for row in rows]
            files[name] = {"articles": read, "problems": [words.said(problem) for problem in problems]}
        progress = {"running": now.running, "done": now.done, "total": now.total, "files": files}
        failed = bool(now.error) and not now.running
        revision, text = catalogue.library.revision, state_line(now, words)
        return told({"revision": revision, "failed": failed, "text": text, **progress})

    @app.post("/artikel/einlesen")
    def refresh() -> JSONResponse:
        intake.refresh()
        return told({}, 202)

    @app.post("/artikel/loeschen")
    def remove(request: Request, id: str) -> JSONResponse:
        path = removed(service, intake, id)
        return told(words_of(request)("delete.done", name=path.name), 202)

    @app.post("/artikel/angaben")
    async def describe(request: Request, id: str) -> JSONResponse:
        path = await run_in_threadpool(_uploaded, service, id)
        sent = parse_qs((await request.body())[:_LONGEST_FORM].decode("utf-8", "replace"))
        said = {name: values[-1][:_LONGEST_FIELD] for name, values in sent.items()}
        with _saving():
            await run_in_threadpool(intake.describe, path, said)
        intake.refresh()
        return told(words_of(request)("facts.done", name=path.name), 202)

    @app.post("/artikel/datei")
    async def upload(request: Request, name: str) -> JSONResponse:
        taken = await received(request, service, intake, name)
        return told({"name": taken.name, "known": taken.known}, 201)

    def refused(request: Request, error: Exception) -> JSONResponse:
        problem, words = problem_of(error), words_of(request)
        if problem.status >= 500:
            log.warning("%s: %s", problem.code, error)
        if isinstance(error, ArticleTooLarge):  # in the words of the page's script
            return told(words("intake.file.too_large", limit=words.size(settings.article_limit)), 413)
        return told(words.said(problem.message), problem.status)

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(ArticleError, refused)
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=CLIENT_LEFT))


async def received(request: Request, service: Service, intake: Intake, name: str) -> Received:
    """Takes in the file in a request's body. Raises ArticleError and Problem, as soon as that is clear."""
    _refuse_of_replica(service)
    stated, limit = request.headers.get("content-length", ""), service.settings.article_limit
    if stated.isdecimal() and int(stated) > limit:
        raise ArticleTooLarge("file_too_large", megabytes=limit / 1e6)
    with _saving():
        taken = await intake.add(name, request.stream())
    intake.refresh()
    return taken


def removed(service: Service, intake: Intake, ident: str) -> Path:
    """Deletes the uploaded file of an article, which the index follows. Raises ArticleError and Problem."""
    path = _uploaded(service, ident)
    try:
        intake.remove(path)
    except (ArticleError, OSError) as exc:
        reason = exc.phrase if isinstance(exc, ArticleError) else exc.strerror or exc
        raise Problem(409, "not_deleted", Phrase("file_not_deleted", reason=reason)) from exc
    intake.refresh()
    return path


def _uploaded(service: Service, ident: str) -> Path:
    """The uploaded file that an article is from. Raises Problem where there is none to change."""
    _refuse_of_replica(service)
    if service.engine.library.article(ident) is None:
        raise Problem(404, "not_found", Phrase("no_such_article"))
    path = service.catalogue.upload_of(ident)
    if path is None:
        folder = service.settings.articles.resolve().name
        raise Problem(409, "not_uploaded", Phrase("not_uploaded", folder=folder))
    return path


def _refuse_of_replica(service: Service) -> None:
    """Raises Problem where the articles are those of a Chroma server."""
    if service.settings.chroma_replica:
        raise Problem(409, "read_only", Phrase("articles_of_server"))


@contextmanager
def _saving() -> Iterator[None]:
    """Raises Problem where a file cannot be saved."""
    try:
        yield
    except OSError as exc:
        raise Problem(507, "no_space", Phrase("no_space", reason=exc.strerror or exc)) from exc


def without_folders(state: SyncState, settings: Settings) -> SyncState:
    """The state with names in place of paths, which the page must not show."""
    folders = [path.resolve() for path in (settings.articles, settings.uploads_dir, settings.data_dir)]

    def named(told: Any) -> Any:
        if isinstance(told, Phrase):  # one without a code stands for itself
            return Phrase(named(told.code), **{name: named(value) for name, value in told.params.items()})
        for folder in folders if isinstance(told, str) else ():
            told = told.replace(str(folder), folder.name)
        return told

    return replace(state, error=named(state.error))
