"""The OpenAI-compatible endpoint at /v1: models, chat completions, embeddings, for any client of OpenAI's."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from rag.providers import build_embedder
from rag.schema import Answer, Delta, Done, Message
from rag.serve import openai_models as models
from rag.serve.desk import Coming, Desk, begun, unless_gone
from rag.serve.openai_text import conversation, correction, references, url_citations, usage
from rag.serve.problems import Problem, openai_body, problem_of
from rag.serve.sse import EventStream, event
from rag.serve.sub_app import ASKING, GUARD, faults, sub_app
from rag.serve.wire import answer_to_dict
from rag.text import count_tokens

if TYPE_CHECKING:
    from rag.embedder import Embedder

PATH = "/v1"
MODEL, VERBATIM = "beleg", "beleg-extractive"
"""The engine as it is configured, and its verbatim sentences even where a language model is configured."""

_DONE = b"data: [DONE]\n\n"
_STREAM = {"text/event-stream": {"schema": {"type": "object"}}}

log = logging.getLogger(__name__)
Json = dict[str, Any]


def add_openai(app: FastAPI, desk: Desk) -> None:
    """Mounts the endpoint."""
    api = sub_app(PATH, "Beleg, OpenAI-compatible", "Clients of OpenAI's API can ask Beleg.", malformed=400)
    _add_models(api, [MODEL, VERBATIM, desk.settings.embedding])
    _add_chat(api, desk)
    _add_embeddings(api, desk)
    app.mount(PATH, api)


def _add_models(api: FastAPI, names: list[str]) -> None:
    started = int(time.time())
    known = {name: {"id": name, "object": "model", "created": started, "owned_by": "beleg"} for name in names}
    guarded = faults(*GUARD, model=models.OpenAIFailure)

    @api.get("/models", response_model=models.Models, responses=guarded)
    async def listed() -> Response:
        """What can be asked for: answers, verbatim answers, and the configured embedding."""
        return JSONResponse({"object": "list", "data": list(known.values())})

    finding = faults(400, 404, *GUARD, model=models.OpenAIFailure)

    @api.get("/models/{name:path}", response_model=models.Model, responses=finding)
    async def model(name: str) -> Response:
        """One of them."""
        if name not in known:
            raise _no_model(name)
        return JSONResponse(known[name])


def _add_chat(api: FastAPI, desk: Desk) -> None:
    failing = faults(404, *(each for each in ASKING if each != 422), model=models.OpenAIFailure)
    either: dict[int | str, Json] = {
        200: {"content": _STREAM, "description": "With `stream`, chunks as OpenAI's clients read them."}
    }

    @api.post(
        "/chat/completions",
        response_model=models.ChatCompletion,
        responses={**failing, **either},
    )
    async def completions(request: Request, sent: models.ChatRequest) -> Response:
        """An answer to the last message; the messages before it are the conversation."""
        _check(sent)
        question, history = conversation(sent.messages)
        extractive = sent.model == VERBATIM
        site = f"{request.url.scheme}://{request.url.netloc}"
        asked = [*history, Message("user", question)]
        if not sent.stream:
            answer = await desk.ask(request, "openai", question, history, extractive=extractive)
            tokens = await asyncio.to_thread(usage, answer, asked)
            return JSONResponse(completion(answer, sent.model, site, tokens))
        batches = desk.stream("openai", question, history, extractive=extractive)
        ready = await begun(request, batches, enough=_has_words)
        with_usage = bool(sent.stream_options and sent.stream_options.include_usage)
        return EventStream(_chunks(ready, sent.model, site, asked, with_usage=with_usage))


def completion(answer: Answer, model: str, site: str, tokens: dict[str, int]) -> Json:
    """The whole answer as one object."""
    content = answer.text + references(answer, site)
    message = {
        "role": "assistant",
        "content": content,
        "refusal": None,
        "annotations": url_citations(content, answer, site),
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    frame = _frame(f"chatcmpl-{answer.id}", "chat.completion", model)
    return {**frame, "choices": [choice], "usage": tokens, "beleg": answer_to_dict(answer)}


async def _chunks(
    batches: AsyncGenerator[list[Coming]], model: str, site: str, asked: list[Message], *, with_usage: bool
) -> AsyncGenerator[bytes]:
    """The answer in chunks: its words, then one with links, annotations and the whole answer.

    What the check of a draft has changed follows it. A failure is an error event, without `[DONE]`.
    """
    frame = _frame(f"chatcmpl-{uuid4().hex}", "chat.completion.chunk", model)
    said = ""

    def chunk(delta: Json, finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event({**frame, "choices": [choice], **more})

    try:
        yield chunk({"role": "assistant", "content": ""})
        async for batch in batches:
            words = [each.text for each in batch if isinstance(each, Delta)]
            said += "".join(words)
            yield b"".join(chunk({"content": text}) for text in words)
            for done in (each for each in batch if isinstance(each, Done)):
                answer = done.answer
                last = correction(said, answer) + references(answer, site)
                marks = url_citations(said + last, answer, site)
                yield chunk({"content": last, "annotations": marks}, "stop", beleg=answer_to_dict(answer))
                if with_usage:
                    tokens = await asyncio.to_thread(usage, answer, asked)
                    yield event({**frame, "choices": [], "usage": tokens})
        yield _DONE
    except Exception as error:
        problem = problem_of(error)
        log.warning("a stream failed: %s", error, exc_info=problem.code == "internal")
        yield event(openai_body(problem))
    finally:
        await batches.aclose()


def _add_embeddings(api: FastAPI, desk: Desk) -> None:
    embedder = _embedder_of(desk)
    failing = faults(404, *(each for each in ASKING if each != 422), model=models.OpenAIFailure)

    @api.post("/embeddings", response_model=models.Embeddings, responses=failing)
    async def embeddings(request: Request, sent: models.EmbeddingRequest) -> Response:
        """Vectors of the configured embedding, as the index has them of passages."""
        if sent.model != desk.settings.embedding:
            raise _no_model(sent.model)
        texts = [sent.input] if isinstance(sent.input, str) else sent.input
        vectors = await unless_gone(request, desk.run(lambda: embedder().embed(texts)))
        if sent.dimensions not in (None, vectors.shape[1]):
            raise Problem(400, "bad_request", f"The vectors have {vectors.shape[1]} dimensions.")
        rows = [
            {"object": "embedding", "index": i, "embedding": _encoded(row, sent.encoding_format)}
            for i, row in enumerate(vectors)
        ]
        tokens = await asyncio.to_thread(lambda: sum(map(count_tokens, texts)))
        counted = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": rows, "model": sent.model, "usage": counted})


def _embedder_of(desk: Desk) -> Callable[[], Embedder]:
    """The engine's embedding; where it ranks by words alone, one made when it is first asked for."""
    made: list[Embedder] = []

    def embedder() -> Embedder:
        if dense := getattr(desk.engine, "dense", None):
            own: Embedder = dense.embedder
            return own
        if not made:
            made.append(build_embedder(desk.settings))
        return made[0]

    return embedder


def _encoded(row: Any, form: str | None) -> list[float] | str:
    if form == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    return [float(number) for number in row]


def _check(sent: models.ChatRequest) -> None:
    """Raises Problem for what Beleg cannot do, and would be wrong to ignore."""
    if sent.model not in (MODEL, VERBATIM):
        raise _no_model(sent.model)
    if sent.n not in (None, 1):
        raise Problem(400, "unsupported", "There is one answer only; please leave n at 1.")
    if sent.tool_choice not in (None, "none", "auto"):
        raise Problem(400, "unsupported", "Beleg calls no tools; please leave tool_choice out.")
    if (sent.response_format or {}).get("type", "text") != "text":
        raise Problem(400, "unsupported", "Answers are text; `beleg` holds them as JSON.")


def _has_words(batch: list[Coming]) -> bool:
    """What fails before the first word has a status of its own."""
    return any(isinstance(each, (Delta, Done)) for each in batch)


def _no_model(name: str) -> Problem:
    return Problem(
        404, "model_not_found", f"There is no model {name[:100]!r}; /v1/models lists those there are."
    )


def _frame(ident: str, kind: str, model: str) -> Json:
    return {"id": ident, "object": kind, "created": int(time.time()), "model": model}
