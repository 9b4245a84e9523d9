"""REST for articles: list, read with marked places, upload, delete, sync."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from rag.errors import ArticleError
from rag.schema import Article
from rag.serve import models
from rag.serve.articles import received, without_folders
from rag.serve.catalogue import PAGE, Catalogue, Row, Wish
from rag.serve.problems import Problem
from rag.serve.sub_app import GUARD, faults
from rag.serve.wire import article_facts

if TYPE_CHECKING:
    from rag.intake import Intake
    from rag.serve.desk import Desk

_FRESH = {"Cache-Control": "no-store"}
_MOST_HIGHLIGHTS = 100
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)
_SORTS = {
    **{"title": "titel", "outlet": "medium", "published": "datum", "language": "sprache"},
    "words": "laenge",
}
Sort = Literal[
    "title",
    "-title",
    "outlet",
    "-outlet",
    "published",
    "-published",
    "language",
    "-language",
    "words",
    "-words",
]


def add_article_doors(api: FastAPI, desk: Desk, intake: Intake | None) -> None:
    """The routes; without an intake what would change something is refused (409)."""
    catalogue = Catalogue(desk.engine.library, desk.settings.uploads_dir)
    _add_reading(api, catalogue)
    _add_changes(api, desk, catalogue, intake)


def _add_reading(api: FastAPI, catalogue: Catalogue) -> None:
    @api.get("/articles", response_model=models.Articles, responses=faults(422, *GUARD, model=models.Failure))
    def articles(
        q: Annotated[str, Query(max_length=200, description="words that the article contains")] = "",
        sort: Sort = "-published",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> Response:
        """The articles, a hundred a page."""
        column = sort.removeprefix("-")
        down = "-" if sort.startswith("-") else ""
        found = catalogue.found(Wish(" ".join(q.split()), down + _SORTS[column], page))
        rows = [_row(row) for row in found[(page - 1) * PAGE : page * PAGE]]
        pages = -(-len(found) // PAGE)
        return JSONResponse({"articles": rows, "total": len(found), "page": page, "pages": pages})

    @api.get(
        "/articles/{ident:path}",
        response_model=models.Article,
        responses=faults(400, 404, 422, *GUARD, model=models.Failure),
    )
    def article(
        ident: str,
        highlight: Annotated[
            list[str], Query(max_length=_MOST_HIGHLIGHTS, description="places to mark, as start-end")
        ] = [],  # noqa: B006
    ) -> Response:
        """A whole article, with the words that stand at the marked places."""
        found = catalogue.library.article(ident)
        if found is None:
            raise _no_article()
        return JSONResponse(_article(found, highlight))


def _add_changes(api: FastAPI, desk: Desk, catalogue: Catalogue, intake: Intake | None) -> None:
    limit = desk.settings.article_limit
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}}}
    changing = faults(409, 422, *GUARD, 507, model=models.Failure)

    @api.post(
        "/articles", response_model=models.Uploaded, status_code=201, responses=changing, openapi_extra=body
    )
    async def upload(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=255, description="file name")]
    ) -> Response:
        """Takes in a file, which is the request's body; its articles are read in at once."""
        writable = _writable(intake)
        _refuse_replica(desk)
        try:
            taken = await received(request, writable, name, limit)
        except OSError as exc:
            raise Problem(507, "no_space", f"The file cannot be saved: {exc.strerror}") from exc
        writable.refresh()
        told = {"name": taken.name, "known": taken.known, "problems": list(taken.problems)}
        return JSONResponse(told, 201, _FRESH)

    @api.delete(
        "/articles/{ident:path}",
        response_model=models.Sync,
        status_code=202,
        responses=faults(404, 409, 422, *GUARD, model=models.Failure),
    )
    def remove(ident: str) -> Response:
        """Deletes the uploaded file that an article is from; the index follows at once."""
        writable = _writable(intake)
        _refuse_replica(desk)
        if catalogue.library.article(ident) is None:
            raise _no_article()
        path = catalogue.upload_of(ident)
        if path is None:
            raise Problem(409, "not_uploaded", "The article is from the articles folder; delete it there.")
        try:
            writable.remove(path)
        except (ArticleError, OSError) as exc:
            raise Problem(409, "not_deleted", "The file cannot be deleted.") from exc
        writable.refresh()
        return JSONResponse(_sync(writable, desk), 202, _FRESH)

    syncing = faults(409, *GUARD, model=models.Failure)

    @api.post("/sync", response_model=models.Sync, status_code=202, responses=syncing)
    def sync() -> Response:
        """Asks for the articles to be read in anew."""
        writable = _writable(intake)
        writable.refresh()
        return JSONResponse(_sync(writable, desk), 202, _FRESH)

    @api.get("/sync", response_model=models.Sync, responses=syncing)
    def state() -> Response:
        """How far reading in is."""
        return JSONResponse(_sync(_writable(intake), desk), headers=_FRESH)


def _writable(intake: Intake | None) -> Intake:
    if intake is None:
        raise Problem(409, "read_only", "This Beleg takes in no articles.")
    return intake


def _refuse_replica(desk: Desk) -> None:
    if desk.settings.chroma_replica:
        raise Problem(
            409,
            "read_only",
            "This Beleg takes its articles from a Chroma server; add and delete them at the Beleg that writes"
            " there.",
        )


def _no_article() -> Problem:
    return Problem(404, "not_found", "There is no such article.")


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "outlet": row.outlet,
        "published": row.published.isoformat() if row.published else None,
        "language": row.language,
        "genre": row.genre,
        "words": row.words,
        "passages": row.chunks,
        "file": row.file,
        "uploaded": row.uploaded,
        "copy_of": row.original.id if row.original else None,
    }


def _article(article: Article, highlight: list[str]) -> dict[str, Any]:
    return {
        "id": article.id,
        **article_facts(article),
        "text": article.text,
        "copy_of": article.copy_of,
        "highlights": [_highlight(article.text, place) for place in highlight],
    }


def _highlight(text: str, place: str) -> dict[str, Any]:
    """The words at `start-end`. Raises Problem when that is no range of the text."""
    match = _RANGE.fullmatch(place)
    start, end = (int(match[1]), int(match[2])) if match else (0, 0)
    if not start < end <= len(text):
        raise Problem(400, "bad_request", f"highlight is start-end, within the {len(text)} characters.")
    return {"start": start, "end": end, "quote": text[start:end]}


def _sync(intake: Intake, desk: Desk) -> dict[str, Any]:
    now = without_folders(intake.state, desk.settings)
    return {
        "running": now.running,
        "step": now.step,
        "done": now.done,
        "total": now.total,
        "error": str(now.error) if now.error else None,
        "checked": now.checked.isoformat() if now.checked else None,
    }
