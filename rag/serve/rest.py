"""REST, at /api/v1: ask, stream, search, answers and what is thought of them, the latest evaluation.

The articles are in `rest_articles.py`. Every error is `{"error": {"code", "message"}}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse

from rag.records import feedback_jsonl
from rag.schema import Delta, Done, Retrieved
from rag.serve import export, models
from rag.serve.desk import Coming, Desk, Waiting, begun, unless_gone
from rag.serve.docs_page import docs_page
from rag.serve.messages import outdated_citation
from rag.serve.problems import Problem, plain_body, problem_of
from rag.serve.rest_articles import add_article_doors
from rag.serve.routes import words_of
from rag.serve.sse import EventStream, event
from rag.serve.sub_app import ASKING, GUARD, faults, sub_app
from rag.serve.wire import Answer, answer_to_dict, passage_to_dict, sent_answer, sent_passage

if TYPE_CHECKING:
    from rag.intake import Intake

PATH = "/api/v1"
_FRESH = {"Cache-Control": "no-store"}
_EVENTS = (
    "Server-sent events: `waiting` {ahead} while others are before you, `retrieved` {standalone_question,"
    " passages, seconds}, any number of `delta` {text}, which are provisional, then `done` with the whole"
    " verified answer; or `error` {error: {code, message}}."
)

_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["waiting", "retrieved", "delta", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}

log = logging.getLogger(__name__)


def add_rest(app: FastAPI, desk: Desk, intake: Intake | None = None) -> None:
    """Mounts REST; without an intake, articles are for reading only."""
    api = sub_app(PATH, "Beleg", "Questions about a dossier of articles; every statement with its citation.")
    _add_questions(api, desk)
    _add_answers(api, desk)
    add_article_doors(api, desk, intake)

    @api.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return HTMLResponse(docs_page(api.openapi(), words_of(request)))

    app.mount(PATH, api)


def _add_questions(api: FastAPI, desk: Desk) -> None:
    failing = faults(*ASKING, model=models.Failure)

    @api.post("/ask", responses=failing)
    async def ask(request: Request, sent: models.Ask) -> Answer:
        """The answer to a question, or an answer that says the articles hold none (`abstained`)."""
        return sent_answer(
            await desk.ask(request, "rest", sent.question, sent.history, extractive=sent.extractive)
        )

    streaming: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/event-stream": {"schema": _EVENT}}, "description": _EVENTS},
        **failing,
    }

    @api.post("/stream", response_class=StreamingResponse, responses=streaming)
    async def stream(request: Request, sent: models.Ask) -> Response:
        """The answer as it comes about, as server-sent events."""
        batches = desk.stream("rest", sent.question, sent.history, extractive=sent.extractive)
        return EventStream(_told(await begun(request, batches, enough=bool)))

    @api.get("/search", responses=failing)
    async def search(
        request: Request,
        q: Annotated[str, Query(min_length=1, description="the question")],
        k: Annotated[int | None, Query(ge=1, le=50, description="how many passages")] = None,
    ) -> models.Found:
        """Passages for a question, best first; no model is asked for an answer."""
        found = await unless_gone(request, desk.run(lambda: desk.engine.search(q, k)))
        return models.Found(passages=[sent_passage(passage) for passage in found])


def _add_answers(api: FastAPI, desk: Desk) -> None:
    def record(ident: str) -> dict[str, Any]:
        found = desk.records.get(ident)
        if found is None:
            raise Problem(404, "not_found", "There is no such answer, or it is no longer kept.")
        return found

    asking = faults(404, 422, *GUARD, model=models.Failure)

    @api.get("/answers/{ident}", response_model=Answer, responses=asking)
    def answer(ident: str) -> Response:
        """An answer that was given before, with the same evidence."""
        return JSONResponse(record(ident), headers=_FRESH)

    readable: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "description": "Markdown"},
        **asking,
    }

    @api.get("/answers/{ident}/markdown", response_class=Response, responses=readable)
    def markdown(request: Request, ident: str) -> Response:
        """The answer as Markdown to keep: quotes, places, article hashes, model, index."""
        kept = record(ident)
        text = export.conversation_markdown(
            kept["question"],
            [{"question": kept["question"], "record": kept}],
            words_of(request),
            lambda citation: outdated_citation(citation, desk.engine.library),
        )
        return Response(text, media_type="text/markdown", headers=_FRESH)

    @api.put("/answers/{ident}/feedback", status_code=204, response_class=Response, responses=asking)
    def rate(ident: str, sent: models.Feedback) -> Response:
        """Notes what somebody thinks of an answer."""
        if not desk.records.rate(ident, sent.rating, sent.note):
            raise Problem(404, "not_found", "There is no such answer, or it is no longer kept.")
        return Response(status_code=204)

    lines: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}, "description": "JSONL"},
        **faults(*GUARD, model=models.Failure),
    }

    @api.get("/feedback", response_class=Response, responses=lines)
    def feedback() -> Response:
        """The rated answers as a question set for `python -m eval`, a case a line."""
        return Response(feedback_jsonl(desk.records), media_type="application/x-ndjson", headers=_FRESH)

    @api.get(
        "/evaluation", response_model=dict[str, Any], responses=faults(404, *GUARD, model=models.Failure)
    )
    def evaluation() -> Response:
        """The latest evaluation of this index, as `python -m eval` has left it."""
        try:
            found = (desk.settings.data_dir / "evaluation" / "latest.json").read_bytes()
            json.loads(found)
        except (OSError, ValueError) as exc:
            raise Problem(404, "not_found", "There is no evaluation yet; python -m eval makes one.") from exc
        return Response(found, media_type="application/json", headers=_FRESH)


async def _told(batches: AsyncGenerator[list[Coming]]) -> AsyncGenerator[bytes]:
    """The events as they are sent; a failure is the last one."""
    try:
        async for batch in batches:
            yield b"".join(_events(batch))
    except Exception as error:
        problem = problem_of(error)
        log.warning("a stream failed: %s", error, exc_info=problem.code == "internal")
        yield event(plain_body(problem), "error")
    finally:
        await batches.aclose()


def _events(batch: list[Coming]) -> Iterator[bytes]:
    for each in batch:
        match each:
            case Waiting(ahead):
                yield event({"ahead": ahead}, "waiting")
            case Retrieved(question, passages, seconds):
                found = [passage_to_dict(passage) for passage in passages]
                told = {"standalone_question": question, "passages": found, "seconds": seconds}
                yield event(told, "retrieved")
            case Delta(text):
                yield event({"text": text}, "delta")
            case Done(answer):
                yield event(answer_to_dict(answer), "done")
