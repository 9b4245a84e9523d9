"""The OpenAI-compatible endpoint at /v1: models, chat completions, embeddings, for any client of OpenAI's."""

import base64
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import cache, partial
from typing import Any

import numpy as np
from fastapi import Depends, FastAPI, Request
from fastapi.sse import EventSourceResponse
from openai.types import Model
from openai.types.create_embedding_response import Usage
from starlette.concurrency import run_in_threadpool

from rag.models.embedder import Embedder
from rag.models.embedding import build_embedder
from rag.schema import Asking, Delta, Done
from rag.serve.api import openai_forms as forms
from rag.serve.api import openai_models as models
from rag.serve.api.errors import FRESH, Problem
from rag.serve.api.openai_forms import Wish, conversation, reply_of
from rag.serve.api.sub_app import ASKING, SubApp, faults
from rag.serve.queue import Events, Service, answer_of, begun, unless_gone
from rag.text.normalize import count_tokens, text_of_tokens

PATH = "/v1"
MODEL, VERBATIM = "beleg", "beleg-extractive"
"""The engine as it is configured, and its verbatim sentences even where a language model is configured."""

_LONGEST_EMBEDDED = 500_000  # characters
_EMBEDDED_AT_ONCE = 64  # texts
_STREAM = {"text/event-stream": {"schema": {"type": "object"}}}
_EITHER: dict[int | str, dict[str, Any]] = {
    200: {"content": _STREAM, "description": "With `stream`, events as OpenAI's clients read them."}
}
_FAILING = faults(404, *(each for each in ASKING if each != 422), model=models.OpenAIFailure)
_UNBUFFERED = {**FRESH, "X-Accel-Buffering": "no"}


def add_openai(app: FastAPI, service: Service) -> None:
    """Mounts the endpoint."""
    about = "Clients of OpenAI's API can ask Beleg."
    api = SubApp(PATH, "Beleg, OpenAI-compatible", about, 400, models.OpenAIFailure)
    names, started = (MODEL, VERBATIM, service.settings.embedding), int(time.time())
    known = {name: Model(id=name, object="model", created=started, owned_by="beleg") for name in names}

    @api.get("/models")
    async def listed() -> models.Models:
        """The models: answers, verbatim answers, and the configured embedding."""
        return models.Models(data=list(known.values()))

    @api.get("/models/{name:path}", responses=faults(400, 404, model=models.OpenAIFailure))
    async def model(name: str) -> Model:
        """One of them."""
        if name not in known:
            raise _no_model(name)
        return known[name]

    said = "An answer to the last message; the messages before it are the conversation."
    kinds: Any = (forms.completion, forms.chunks, models.Completion)
    _add_endpoint(api, service, "completions", "/chat/completions", chat_wish, kinds, said)
    said = "The same for clients of the older endpoint; the prompt is the question."
    kinds = (partial(forms.completion, chat=False), partial(forms.chunks, chat=False), models.TextCompletion)
    _add_endpoint(api, service, "texts", "/completions", completion_wish, kinds, said)
    said = "The same for clients of the newer endpoint: text in, text out."
    kinds = (forms.response, forms.response_events, None)  # its schema would be longer than all the others
    _add_endpoint(api, service, "responses", "/responses", response_wish, kinds, said)
    _add_embeddings(api, service)
    app.mount(PATH, api)


def _add_endpoint(
    api: FastAPI, service: Service, name: str, path: str, wished: Callable[..., Wish], kinds: Any, about: str
) -> None:
    """An endpoint for questions: `kinds` are object and events of an answer, and the object's schema."""
    whole, streamed, schema = kinds

    async def opened(
        request: Request,
        wish: Wish = Depends(partial(wished, service.settings.history_turns)),  # noqa: B008
    ) -> AsyncIterator[tuple[Wish, Events]]:
        """The response to a question; a failure before the first word has its own status."""
        how: Asking = {"extractive": wish.sent.model == VERBATIM, "filters": wish.sent.filters}
        async with aclosing(service.stream("openai", wish.question, wish.history, **how)) as events:
            yield wish, await begun(request, events, (Delta, Done))

    @api.post(
        path,
        name=name,
        description=about,
        response_model=schema,
        response_model_exclude_unset=True,
        responses={**_FAILING, **_EITHER},
    )
    async def answered(request: Request, coming: Any = Depends(opened)) -> Any:  # noqa: B008
        wish, events = coming
        if wish.sent.stream:
            return EventSourceResponse(streamed(events, wish, request.state.site), headers=_UNBUFFERED)
        answer = await unless_gone(request, answer_of(events))
        return await run_in_threadpool(whole, reply_of(answer, wish, request.state.site), wish)


def chat_wish(turns: int, sent: models.ChatRequest) -> Wish:
    """The client's limits. Raises Problem for options that Beleg cannot serve and must not ignore."""
    if sent.tool_choice not in (None, "", "none", "auto"):
        raise _unsupported("Beleg calls no tools; please leave tool_choice out.")
    return _wish(
        sent, sent.messages, turns, sent.max_completion_tokens or sent.max_tokens, sent.response_format
    )


def completion_wish(_: int, sent: models.CompletionRequest) -> Wish:
    """As `chat_wish`."""
    if sent.best_of not in (None, 1) or sent.echo or sent.suffix:
        raise _unsupported("Please leave best_of, echo and suffix out.")
    prompt = sent.prompt if isinstance(sent.prompt, str) else sent.prompt[0]
    return _wish(sent, [models.ChatMessage(role="user", content=prompt)], 0, sent.max_tokens)


def response_wish(turns: int, sent: models.ResponseRequest) -> Wish:
    """As `chat_wish`."""
    if sent.tools and sent.tool_choice != "none":
        raise _unsupported("Beleg calls no tools; please leave tools out.")
    if sent.previous_response_id or sent.conversation:
        raise _unsupported("No conversation is kept here; please send it whole, as input.")
    if sent.background:
        raise _unsupported("Answers come at once; please leave background out.")
    said = [models.InputItem(role="user", content=sent.input)] if isinstance(sent.input, str) else sent.input
    messages = [item for item in said if item.type == "message" and item.role]
    return _wish(sent, messages, turns, sent.max_output_tokens, (sent.text or {}).get("format"))


def _wish(
    sent: models.Asking,
    messages: Sequence[models.ChatMessage | models.InputItem],
    turns: int,
    most: int | None,
    form: dict[str, Any] | None = None,
) -> Wish:
    if sent.model not in (MODEL, VERBATIM):
        raise _no_model(sent.model)
    if sent.n not in (None, 1):
        raise _unsupported("There is one answer only; please leave n at 1.")
    if ((form or {}).get("type") or "text") != "text":
        raise _unsupported("Answers are text; `beleg` holds them as JSON.")
    return Wish(sent, *conversation(messages, turns), most)


def _add_embeddings(api: FastAPI, service: Service) -> None:
    @cache
    def embedder() -> Embedder:
        """The engine's embedding; if it ranks by words alone, one made on the first request."""
        dense = getattr(service.engine, "dense", None)
        return dense.embedder if dense else build_embedder(service.settings)

    async def embedded(texts: list[str]) -> Any:
        """Embeds in parts, so that questions come in between, and stops if the client disconnects."""
        parts = [texts[i : i + _EMBEDDED_AT_ONCE] for i in range(0, len(texts), _EMBEDDED_AT_ONCE)]
        embed = (await run_in_threadpool(embedder)).embed
        return np.concatenate([await service.run(partial(embed, part)) for part in parts])

    @api.post("/embeddings", responses=_FAILING)
    async def embeddings(request: Request, sent: models.EmbeddingRequest) -> models.Embeddings:
        """Vectors by the configured embedding, the same as in the index."""
        if sent.model != service.settings.embedding:
            raise _no_model(sent.model)
        texts = await run_in_threadpool(_texts_of, sent.input)
        vectors = await unless_gone(request, embedded(texts))
        if sent.dimensions not in (None, vectors.shape[1]):
            raise _bad(f"The vectors have {vectors.shape[1]} dimensions.")
        written = vectors.tolist()
        if sent.encoding_format == "base64":
            written = [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors]
        rows = [models.Embedding(object="embedding", index=i, embedding=v) for i, v in enumerate(written)]
        tokens = await run_in_threadpool(lambda: sum(map(count_tokens, texts)))
        counted = Usage(prompt_tokens=tokens, total_tokens=tokens)
        return models.Embeddings(object="list", data=rows, model=sent.model, usage=counted)


def _texts_of(sent: models.Embedded) -> list[str]:
    """The texts to embed; lists of numbers are tokens, as LangChain sends them. Raises Problem."""
    each: Sequence[Any] = [sent] if isinstance(sent, str) or isinstance(sent[0], int) else sent
    try:
        texts = [one if isinstance(one, str) else text_of_tokens(one) for one in each]
    except (KeyError, OverflowError) as exc:
        raise _bad("These are no tokens of cl100k_base; please send text.") from exc
    if sum(map(len, texts)) > _LONGEST_EMBEDDED:
        raise _bad(f"At most {_LONGEST_EMBEDDED} characters are embedded at a time.")
    return texts


def _no_model(name: str) -> Problem:
    message = f"There is no model {name[:100]!r}; /v1/models lists those there are."
    return Problem(404, "model_not_found", message)


_unsupported = partial(Problem, 400, "unsupported")
_bad = partial(Problem, 400, "bad_request")
