"""REST for articles: list, read with marked places, upload, delete, sync."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request

from rag.errors import ArticleError
from rag.serve.api import schemas as models
from rag.serve.api.errors import Problem
from rag.serve.api.sub_app import faults
from rag.serve.pages.articles import received, without_folders
from rag.serve.pages.catalogue import PAGE, Catalogue, Wish
from rag.serve.queue import Service
from rag.uploads import Intake, Received, SyncState

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


def add_article_doors(api: FastAPI, service: Service, intake: Intake | None) -> None:
    """The routes; without an intake, changes are refused (409)."""
    catalogue = Catalogue(service.engine.library, service.settings.uploads_dir)
    _add_reading(api, catalogue)
    _add_changes(api, service, catalogue, intake)


def _add_reading(api: FastAPI, catalogue: Catalogue) -> None:
    @api.get("/articles", responses=faults(422))
    def articles(
        q: Annotated[str, Query(max_length=200, description="words that the article contains")] = "",
        sort: Sort = "-published",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> models.Articles:
        """The articles, a hundred a page."""
        column = sort.removeprefix("-")
        down = "-" if sort.startswith("-") else ""
        found = catalogue.found(Wish(" ".join(q.split()), down + _SORTS[column], page))
        rows = [models.ArticleRow.model_validate(row) for row in found[(page - 1) * PAGE : page * PAGE]]
        return models.Articles(articles=rows, total=len(found), page=page, pages=-(-len(found) // PAGE))

    @api.get("/articles/{ident:path}", responses=faults(400, 404, 422))
    def article(
        ident: str,
        highlight: Annotated[
            list[str], Query(max_length=_MOST_HIGHLIGHTS, description="places to mark, as start-end")
        ] = [],  # noqa: B006
    ) -> models.Article:
        """A whole article, with the words at the marked places."""
        found = catalogue.library.article(ident)
        if found is None:
            raise _no_article()
        read = models.Article.model_validate(found)
        return read.model_copy(update={"highlights": [_highlight(found.text, each) for each in highlight]})


def _add_changes(api: FastAPI, service: Service, catalogue: Catalogue, intake: Intake | None) -> None:
    limit = service.settings.article_limit
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}}}

    @api.post("/articles", status_code=201, responses=faults(409, 422, 507), openapi_extra=body)
    async def upload(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=255, description="file name")]
    ) -> Received:
        """Adds the file in the request's body; its articles are read at once."""
        writable = _writable(intake)
        _refuse_replica(service)
        try:
            taken = await received(request, writable, name, limit)
        except OSError as exc:
            raise Problem(507, "no_space", f"The file cannot be saved: {exc.strerror}") from exc
        writable.refresh()
        return taken

    @api.delete("/articles/{ident:path}", status_code=202, responses=faults(404, 409, 422))
    def remove(ident: str) -> SyncState:
        """Deletes the uploaded file of an article; the index follows at once."""
        writable = _writable(intake)
        _refuse_replica(service)
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
        return without_folders(writable.state, service.settings)

    @api.post("/sync", status_code=202, responses=faults(409))
    def sync() -> SyncState:
        """Requests a new sync of the articles."""
        writable = _writable(intake)
        writable.refresh()
        return without_folders(writable.state, service.settings)

    @api.get("/sync", responses=faults(409))
    def state() -> SyncState:
        """The progress of the sync."""
        return without_folders(_writable(intake).state, service.settings)


def _writable(intake: Intake | None) -> Intake:
    if intake is None:
        raise Problem(409, "read_only", "This Beleg takes in no articles.")
    return intake


def _refuse_replica(service: Service) -> None:
    if service.settings.chroma_replica:
        raise Problem(
            409,
            "read_only",
            "This Beleg takes its articles from a Chroma server; add and delete them at the Beleg that writes"
            " there.",
        )


def _no_article() -> Problem:
    return Problem(404, "not_found", "There is no such article.")


def _highlight(text: str, place: str) -> models.Highlight:
    """The words at `start-end`. Raises Problem when that is no range of the text."""
    match = _RANGE.fullmatch(place)
    start, end = (int(match[1]), int(match[2])) if match else (0, 0)
    if not start < end <= len(text):
        raise Problem(400, "bad_request", f"highlight is start-end, within the {len(text)} characters.")
    return models.Highlight(start=start, end=end, quote=text[start:end])
