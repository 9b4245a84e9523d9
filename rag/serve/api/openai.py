"""The OpenAI-compatible endpoint at /v1: models, chat completions, embeddings, for any client of OpenAI's."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi import Depends, FastAPI, Request
from fastapi.sse import EventSourceResponse
from openai.types import CompletionUsage, Model
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.create_embedding_response import Usage
from starlette.concurrency import run_in_threadpool

from rag.models.providers import build_embedder
from rag.schema import Answer, Delta, Done, Message
from rag.serve.api import openai_models as models
from rag.serve.api.errors import Problem, openai_body, problem_in_stream
from rag.serve.api.openai_text import conversation, correction, references, url_citations, usage
from rag.serve.api.sub_app import ASKING, GUARD, faults, sub_app
from rag.serve.queue import Coming, Service, answer_of, begun, unless_gone
from rag.text.normalize import count_tokens
from rag.wire import answer_to_dict, json_line, sent_answer

if TYPE_CHECKING:
    from rag.models.embedder import Embedder

PATH = "/v1"
MODEL, VERBATIM = "beleg", "beleg-extractive"
"""The engine as it is configured, and its verbatim sentences even where a language model is configured."""

_STREAM = {"text/event-stream": {"schema": {"type": "object"}}}
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def add_openai(app: FastAPI, service: Service) -> None:
    """Mounts the endpoint."""
    api = sub_app(PATH, "Beleg, OpenAI-compatible", "Clients of OpenAI's API can ask Beleg.", malformed=400)
    _add_models(api, [MODEL, VERBATIM, service.settings.embedding])
    _add_chat(api, service)
    _add_embeddings(api, service)
    app.mount(PATH, api)


def _add_models(api: FastAPI, names: list[str]) -> None:
    started = int(time.time())
    known = {name: Model(id=name, object="model", created=started, owned_by="beleg") for name in names}

    @api.get("/models", responses=faults(*GUARD, model=models.OpenAIFailure))
    async def listed() -> models.Models:
        """What can be asked for: answers, verbatim answers, and the configured embedding."""
        return models.Models(data=list(known.values()))

    @api.get("/models/{name:path}", responses=faults(400, 404, *GUARD, model=models.OpenAIFailure))
    async def model(name: str) -> Model:
        """One of them."""
        if name not in known:
            raise _no_model(name)
        return known[name]


def _add_chat(api: FastAPI, service: Service) -> None:
    failing = faults(404, *(each for each in ASKING if each != 422), model=models.OpenAIFailure)
    either: dict[int | str, dict[str, Any]] = {
        200: {"content": _STREAM, "description": "With `stream`, chunks as OpenAI's clients read them."}
    }

    async def coming(request: Request, sent: models.ChatRequest) -> AsyncIterator[AsyncGenerator[Coming]]:
        """What comes of the question; what fails before the first word has a status of its own."""
        _check(sent)
        question, history = conversation(sent.messages)
        events = service.stream(
            "openai", question, history, extractive=sent.model == VERBATIM, filters=sent.filters
        )
        async with aclosing(events):
            yield await begun(request, events, (Delta, Done))

    @api.post(
        "/chat/completions",
        response_model=models.Completion,
        response_model_exclude_unset=True,
        responses={**failing, **either},
    )
    async def completions(
        request: Request,
        sent: models.ChatRequest,
        events: AsyncGenerator[Coming] = Depends(coming),  # noqa: B008
    ) -> Any:
        """An answer to the last message; the messages before it are the conversation."""
        site: str = request.state.site
        if sent.stream:
            return EventSourceResponse(_chunks(events, sent, site), headers=_UNBUFFERED)
        answer = await unless_gone(request, answer_of(events))
        return await run_in_threadpool(completion, answer, sent, site)


def completion(answer: Answer, sent: models.ChatRequest, site: str) -> models.Completion:
    """The whole answer as one object."""
    content = answer.text + references(answer, site)
    message = ChatCompletionMessage(
        role="assistant", content=content, refusal=None, annotations=url_citations(content, answer, site)
    )
    return models.Completion(
        id=f"chatcmpl-{answer.id}",
        object="chat.completion",
        created=int(time.time()),
        model=sent.model,
        choices=[Choice(index=0, message=message, finish_reason="stop", logprobs=None)],
        usage=_usage(answer, sent),
        beleg=sent_answer(answer),
    )


async def _chunks(events: AsyncGenerator[Coming], sent: models.ChatRequest, site: str) -> AsyncGenerator[str]:
    """The answer in chunks: its words, then one with links, annotations and the whole answer.

    What the check of a draft has changed follows it. A failure is an error event, without `[DONE]`.
    """
    frame = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": sent.model}
    said = ""

    def chunk(finish: str | None = None, beleg: Answer | None = None, **delta: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        more = {} if beleg is None else {"beleg": answer_to_dict(beleg)}
        return _data({**frame, "choices": [choice], **more})

    try:
        yield chunk(role="assistant", content="")
        async for event in events:
            if isinstance(event, Delta):
                said += event.text
                yield chunk(content=event.text)
            elif isinstance(event, Done):
                answer = event.answer
                last = correction(said, answer) + references(answer, site)
                marks = url_citations(said + last, answer, site)
                yield chunk("stop", answer, content=last, annotations=marks)
                if sent.stream_options and sent.stream_options.include_usage:
                    tokens = await run_in_threadpool(_usage, answer, sent)
                    yield _data({**frame, "choices": [], "usage": tokens})
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield f"data: {json_line(openai_body(problem_in_stream(error)))}\n\n"


def _data(chunk: dict[str, Any]) -> str:
    """An event with one chunk."""
    told = ChatCompletionChunk.model_validate({**chunk, "object": "chat.completion.chunk"})
    return f"data: {json_line(told.model_dump(mode='json', exclude_unset=True))}\n\n"


def _usage(answer: Answer, sent: models.ChatRequest) -> CompletionUsage:
    question, history = conversation(sent.messages)
    return usage(answer, [*history, Message("user", question)])


def _add_embeddings(api: FastAPI, service: Service) -> None:
    embedder = _embedder_of(service)
    failing = faults(404, *(each for each in ASKING if each != 422), model=models.OpenAIFailure)

    @api.post("/embeddings", responses=failing)
    async def embeddings(request: Request, sent: models.EmbeddingRequest) -> models.Embeddings:
        """Vectors of the configured embedding, as the index has them of passages."""
        if sent.model != service.settings.embedding:
            raise _no_model(sent.model)
        texts = [sent.input] if isinstance(sent.input, str) else sent.input
        vectors = await unless_gone(request, service.run(lambda: embedder().embed(texts)))
        if sent.dimensions not in (None, vectors.shape[1]):
            raise Problem(400, "bad_request", f"The vectors have {vectors.shape[1]} dimensions.")
        rows = [
            models.Embedding(object="embedding", index=i, embedding=_encoded(row, sent.encoding_format))
            for i, row in enumerate(vectors)
        ]
        tokens = await run_in_threadpool(lambda: sum(map(count_tokens, texts)))
        counted = Usage(prompt_tokens=tokens, total_tokens=tokens)
        return models.Embeddings(object="list", data=rows, model=sent.model, usage=counted)


def _embedder_of(service: Service) -> Callable[[], Embedder]:
    """The engine's embedding; where it ranks by words alone, one made when it is first asked for."""
    made: list[Embedder] = []

    def embedder() -> Embedder:
        if dense := getattr(service.engine, "dense", None):
            own: Embedder = dense.embedder
            return own
        if not made:
            made.append(build_embedder(service.settings))
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


def _no_model(name: str) -> Problem:
    return Problem(
        404, "model_not_found", f"There is no model {name[:100]!r}; /v1/models lists those there are."
    )
