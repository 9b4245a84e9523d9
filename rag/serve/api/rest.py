"""REST, at /api/v1: questions, articles, answers and what is thought of them, the latest evaluation.

Every error is `{"error": {"code", "message"}}`.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from rag.i18n import Phrase
from rag.schema import Asking, Delta, Done, Filters, Genre, Received, Retrieved, SyncState
from rag.serve.api import schemas as models
from rag.serve.api.errors import FRESH, Problem, plain_body, problem_in_stream
from rag.serve.api.schemas import ASKING, GUARD, SubApp, faults
from rag.serve.chat.render import outdated_citation
from rag.serve.links import link
from rag.serve.pages import export
from rag.serve.pages.articles import received, removed, without_folders
from rag.serve.pages.catalogue import PAGE, Catalogue, Wish
from rag.serve.pages.routes import words_of
from rag.serve.queue import Coming, Events, Intake, Service, Waiting, begun, unless_gone
from rag.serve.views import page
from rag.store.answers import feedback_jsonl
from rag.wire import Answer, answer_to_dict, json_line, passage_to_dict, sent_answer, sent_passage

PATH = "/api/v1"
_EVENTS = (
    "Server-sent events: `waiting` {ahead} while others are before you (0: it is your turn), `retrieved`"
    " {standalone_question, passages, seconds}, any number of `delta` {text}, which are provisional, and of"
    " `step` {step, standalone_question, passages, seconds}, by which a model searches on and its text begins"
    " anew, then `done` with the whole verified answer; or `error` {error: {code, message}}."
)

# errors before the stream are ordinary responses
_FAILURE = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}}

_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["waiting", "retrieved", "step", "delta", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}

_MOST_HIGHLIGHTS = 100
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)
_SORTS = {"title": "titel", "outlet": "medium", "published": "datum"}
_SORTS |= {"language": "sprache", "words": "laenge"}
_Sort = Literal["title", "-title", "outlet", "-outlet", "published", "-published"]
Sort = Literal[_Sort, "language", "-language", "words", "-words"]


def add_rest(app: FastAPI, service: Service) -> None:
    """Mounts REST; without an intake, what would change articles is refused (409)."""
    api = SubApp(PATH, "Beleg", "Questions about a dossier of articles; every statement with its citation.")
    _add_questions(api, service)
    _add_answers(api, service)
    _add_reading(api, service.catalogue)
    _add_changes(api, service)

    @api.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return HTMLResponse(page("docs.html", words_of(request), schema=api.openapi(), base=link(PATH)))

    app.mount(PATH, api)


def _add_questions(api: FastAPI, service: Service) -> None:
    @api.post("/ask", responses=faults(*ASKING))
    async def ask(request: Request, sent: models.Ask) -> Answer:
        """The answer to a question, or an answer that says the articles hold none (`abstained`)."""
        how: Asking = {"extractive": sent.extractive, "filters": sent.filters}
        asking = service.ask("rest", sent.question, sent.history, **how)
        return sent_answer(await unless_gone(request, asking))

    streaming: dict[int | str, dict[str, Any]] = {
        status: {"description": each["description"], **_FAILURE}
        for status, each in faults(*GUARD, *ASKING).items()
    }
    streaming[200] = {"content": {"text/event-stream": {"itemSchema": _EVENT}}, "description": _EVENTS}

    async def coming(request: Request, sent: models.Ask) -> AsyncIterator[Events]:
        """The events; a failure before the first one has its own status."""
        how: Asking = {"extractive": sent.extractive, "filters": sent.filters}
        async with aclosing(service.stream("rest", sent.question, sent.history, **how)) as events:
            yield await begun(request, events, (Waiting, Retrieved, Delta, Done))

    @api.post("/stream", response_class=EventSourceResponse, responses=streaming)
    async def stream(
        events: Events = Depends(coming),  # noqa: B008
    ) -> AsyncGenerator[ServerSentEvent]:
        """The answer as it is made, as server-sent events."""
        try:
            async for event in events:
                yield _event(event)
        except Exception as error:
            yield _sent("error", plain_body(problem_in_stream(error)))

    @api.get("/search", responses=faults(*ASKING))
    async def search(
        request: Request,
        q: Annotated[str, Query(min_length=1, description="the question")],
        k: Annotated[int | None, Query(ge=1, le=50, description="how many passages")] = None,
        outlet: Annotated[list[str], Query(description="a part of an outlet's name is enough")] = [],  # noqa: B006
        author: Annotated[list[str], Query(description="a part of an author's name is enough")] = [],  # noqa: B006
        first: Annotated[
            date | None, Query(alias="from", description="published on that day or later")
        ] = None,
        last: Annotated[date | None, Query(alias="to", description="published on that day or before")] = None,
        article: Annotated[list[str], Query(description="ids of articles")] = [],  # noqa: B006
        genre: Genre | None = None,
    ) -> models.Found:
        """Passages for a question, best first; no language model is asked."""
        filters = Filters(tuple(outlet), tuple(author), first, last, tuple(article), genre)
        found = await unless_gone(request, service.run(lambda: service.engine.search(q, k, filters=filters)))
        return models.Found(passages=[sent_passage(passage) for passage in found])


def _add_answers(api: FastAPI, service: Service) -> None:
    def record(ident: str) -> dict[str, Any]:
        found = service.records.get(ident)
        if found is None:
            raise Problem(404, "not_found", "There is no such answer, or it is no longer kept.")
        return found

    asking = faults(404, 422)

    @api.get("/answers/{ident}", response_model=Answer, responses=asking)
    def answer(ident: str) -> Response:
        """An earlier answer, with the same evidence."""
        return JSONResponse(record(ident), headers=FRESH)

    @api.get(
        "/answers/{ident}/markdown",
        response_class=Response,
        responses=_text("text/markdown", "Markdown") | asking,
    )
    def markdown(request: Request, ident: str) -> Response:
        """The answer as Markdown to keep: quotes, places, article hashes, model, index."""
        kept, changed = record(ident), partial(outdated_citation, articles=service.engine.library)
        turns = [{"question": kept["question"], "record": kept}]
        text = export.conversation("md", kept["question"], turns, words_of(request), changed)
        return Response(text, media_type="text/markdown", headers=FRESH)

    refused = faults(400, 404, 422)

    @api.put("/answers/{ident}/feedback", status_code=204, response_class=Response, responses=refused)
    def rate(ident: str, sent: models.Feedback) -> Response:
        """Records a rating of an answer."""
        service.records.rate(record(ident)["id"], sent.rating, sent.note, sent.reason)
        return Response(status_code=204)

    @api.get("/feedback", response_class=Response, responses=_text("application/x-ndjson", "JSONL"))
    def feedback() -> Response:
        """The rated answers as a question set for `python -m eval`, a case a line."""
        return Response(feedback_jsonl(service.records), media_type="application/x-ndjson", headers=FRESH)

    @api.get("/evaluation", response_model=dict[str, Any], responses=faults(404))
    def evaluation() -> Response:
        """The latest evaluation of this index by `python -m eval`."""
        try:
            found = (service.settings.data_dir / "evaluation" / "latest.json").read_bytes()
            json.loads(found)
        except (OSError, ValueError) as exc:
            raise Problem(404, "not_found", "There is no evaluation yet; python -m eval makes one.") from exc
        return Response(found, media_type="application/json", headers=FRESH)


def _text(kind: str, told: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string"}}}, "description": told}}


def _event(event: Coming) -> ServerSentEvent:
    match event:
        case Waiting(ahead):
            return _sent("waiting", {"ahead": ahead})
        case Retrieved(question, passages, seconds, step=step):
            found = [passage_to_dict(passage) for passage in passages]
            told = {"standalone_question": question, "passages": found, "seconds": seconds}
            return _sent("retrieved", told) if step is None else _sent("step", {"step": step, **told})
        case Delta(text):
            return _sent("delta", {"text": text})
        case Done(answer):
            return _sent("done", answer_to_dict(answer))


def _sent(name: str, data: dict[str, Any]) -> ServerSentEvent:
    """An event with umlauts unescaped, readable on a terminal."""
    return ServerSentEvent(event=name, raw_data=json_line(data))


def _add_reading(api: FastAPI, catalogue: Catalogue) -> None:
    @api.get("/articles", responses=faults(422))
    def articles(
        q: Annotated[str, Query(max_length=200, description="words that the article contains")] = "",
        sort: Sort = "-published",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> models.Articles:
        """The articles, a hundred a page."""
        column = sort.removeprefix("-")
        found = catalogue.found(Wish(" ".join(q.split()), sort.replace(column, _SORTS[column]), page))
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
            raise Problem(404, "not_found", Phrase("no_such_article"))
        marked = []
        for place in highlight:
            match = _RANGE.fullmatch(place)
            start, end = (int(match[1]), int(match[2])) if match else (0, 0)
            if not start < end <= len(found.text):
                message = f"highlight is start-end, within the {len(found.text)} characters."
                raise Problem(400, "bad_request", message)
            marked.append(models.Highlight(start=start, end=end, quote=found.text[start:end]))
        return models.Article.model_validate(found).model_copy(update={"highlights": marked})


def _add_changes(api: FastAPI, service: Service) -> None:
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}}}

    def writable() -> Intake:
        if service.intake is None:
            raise Problem(409, "read_only", "This Beleg takes in no articles.")
        return service.intake

    @api.post("/articles", status_code=201, responses=faults(409, 422, 507), openapi_extra=body)
    async def upload(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=255, description="file name")]
    ) -> Received:
        """Adds the file in the request's body; its articles are read at once."""
        return await received(request, service, writable(), name)

    @api.delete("/articles/{ident:path}", status_code=202, responses=faults(404, 409, 422))
    def remove(ident: str) -> SyncState:
        """Deletes the uploaded file of an article; the index follows at once."""
        removed(service, writable(), ident)
        return state()

    @api.post("/sync", status_code=202, responses=faults(409))
    def sync() -> SyncState:
        """Requests a new sync of the articles."""
        writable().refresh()
        return state()

    @api.get("/sync", responses=faults(409))
    def state() -> SyncState:
        """The progress of the sync."""
        return without_folders(writable().state, service.settings)
