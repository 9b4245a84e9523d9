"""The OpenAI-compatible endpoint at /v1: models, chat completions, embeddings, for any client of OpenAI's."""

import base64
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import cache, partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Depends, FastAPI, Request
from fastapi.sse import EventSourceResponse
from openai.types import Completion as OpenAICompletion
from openai.types import CreateEmbeddingResponse, ErrorObject, Model
from openai.types import Embedding as OpenAIEmbedding
from openai.types.chat import ChatCompletion
from openai.types.create_embedding_response import Usage
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rag.errors import BadRequest
from rag.models.embedder import Embedder
from rag.models.embedding import build_embedder
from rag.question.followup import MESSAGE_LIMIT
from rag.schema import Asking, Delta, Done, Message
from rag.serve.api import openai_forms as forms
from rag.serve.api.errors import FRESH, Problem
from rag.serve.api.openai_forms import Wish, reply_of
from rag.serve.api.schemas import ASKING, MOST_MESSAGES, SubApp, faults
from rag.serve.queue import Events, Service, answer_of, begun, unless_gone
from rag.text.normalize import count_tokens, text_of_tokens
from rag.wire import Answer

PATH = "/v1"
MODEL, VERBATIM = "beleg", "beleg-extractive"
"""The engine as it is configured, and its verbatim sentences even where a language model is configured."""

# what Open WebUI asks its model for a title, tags, further questions, searches, or with documents of its own
_TASK = re.compile(r"\s*#{1,6} Task:|.*<(?:chat_history|context|user_query)>", re.DOTALL)
_TEXTS = frozenset({"text", "refusal", "input_text", "output_text", "summary_text"})
_LONGEST_KEPT = 20_000  # characters of an earlier message, before its definitions are taken away
_LONGEST_EMBEDDED = 500_000  # characters
_EMBEDDED_AT_ONCE = 64  # texts
_STREAM = {"text/event-stream": {"schema": {"type": "object"}}}
_EITHER: dict[int | str, dict[str, Any]] = {
    200: {"content": _STREAM, "description": "With `stream`, events as OpenAI's clients read them."}
}


# --- requests, of which unknown fields are ignored, and responses: OpenAI's own types with our additions

Tokens = Annotated[int | None, Field(ge=1, description="tokens of the text; the whole answer is in `beleg`")]
TokenList = Annotated[list[int], Field(min_length=1, max_length=8192, fail_fast=True)]


class Part(BaseModel):
    """A part of a message; only text can be read."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message; only those of user and assistant count."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[Part], Field(fail_fast=True)] | None = None


class ChatRequest(forms.Asking):
    """A conversation that ends with a question."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES, fail_fast=True)
    max_tokens: Tokens = None
    max_completion_tokens: Tokens = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None


class CompletionRequest(forms.Asking):
    """A question, as the older endpoint takes it."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1, fail_fast=True)]
    best_of: int | None = 1
    echo: bool | None = False
    suffix: str | None = None
    max_tokens: Tokens = None


class InputItem(BaseModel):
    """A message; reasoning and calls of tools, which some clients hand back, are ignored."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | Annotated[list[Part], Field(fail_fast=True)] | None = None


class ResponseRequest(forms.Asking):
    """A question, or a conversation that ends with one, as OpenAI's newer endpoint takes it."""

    input: str | Annotated[list[InputItem], Field(min_length=1, max_length=MOST_MESSAGES, fail_fast=True)]
    max_output_tokens: Tokens = None
    tools: Annotated[list[Any], Field(max_length=128)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    background: bool | None = False


class Completion(ChatCompletion):
    """The answer as OpenAI's clients read it; `beleg` is the whole answer as in REST.

    Every `[n]` in the content is defined as a Markdown link at its end.
    """

    beleg: Answer


class TextCompletion(OpenAICompletion):
    """The answer of the older endpoint."""

    beleg: Answer


class Models(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[Model]


Input = Annotated[str, Field(min_length=1, max_length=100_000)]


Embedded = (
    Input
    | TokenList
    | Annotated[list[Input], Field(min_length=1, max_length=2048, fail_fast=True)]
    | Annotated[list[TokenList], Field(min_length=1, max_length=2048, fail_fast=True)]
)


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    model: str
    input: Embedded
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None


class Embedding(OpenAIEmbedding):
    """The vector of one text; `base64` is of little-endian 32-bit floats."""

    embedding: list[float] | str  # type: ignore[assignment]


class Embeddings(CreateEmbeddingResponse):
    """The vectors, in the order of the texts."""

    data: list[Embedding]  # type: ignore[assignment]


class Fault(ErrorObject):
    """What went wrong."""

    request_id: str = ""


class OpenAIFailure(BaseModel):
    """Every error of this door."""

    error: Fault


# --- the endpoint

_FAILING = faults(404, *(each for each in ASKING if each != 422), model=OpenAIFailure)
_UNBUFFERED = {**FRESH, "X-Accel-Buffering": "no"}


def add_openai(app: FastAPI, service: Service) -> None:
    """Mounts the endpoint."""
    about = "Clients of OpenAI's API can ask Beleg."
    api = SubApp(PATH, "Beleg, OpenAI-compatible", about, 400, OpenAIFailure)
    names, started = (MODEL, VERBATIM, service.settings.embedding), int(time.time())
    known = {name: Model(id=name, object="model", created=started, owned_by="beleg") for name in names}

    @api.get("/models")
    async def listed() -> Models:
        """The models: answers, verbatim answers, and the configured embedding."""
        return Models(data=list(known.values()))

    @api.get("/models/{name:path}", responses=faults(400, 404, model=OpenAIFailure))
    async def model(name: str) -> Model:
        """One of them."""
        if name not in known:
            raise _no_model(name)
        return known[name]

    said = "An answer to the last message; the messages before it are the conversation."
    kinds: Any = (forms.completion, forms.chunks, Completion)
    _add_endpoint(api, service, "completions", "/chat/completions", chat_wish, kinds, said)
    said = "The same for clients of the older endpoint; the prompt is the question."
    kinds = (partial(forms.completion, chat=False), partial(forms.chunks, chat=False), TextCompletion)
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


def chat_wish(turns: int, sent: ChatRequest) -> Wish:
    """The client's limits. Raises Problem for options that Beleg cannot serve and must not ignore."""
    if sent.tool_choice not in (None, "", "none", "auto"):
        raise _unsupported("Beleg calls no tools; please leave tool_choice out.")
    return _wish(
        sent, sent.messages, turns, sent.max_completion_tokens or sent.max_tokens, sent.response_format
    )


def completion_wish(_: int, sent: CompletionRequest) -> Wish:
    """As `chat_wish`."""
    if sent.best_of not in (None, 1) or sent.echo or sent.suffix:
        raise _unsupported("Please leave best_of, echo and suffix out.")
    prompt = sent.prompt if isinstance(sent.prompt, str) else sent.prompt[0]
    return _wish(sent, [ChatMessage(role="user", content=prompt)], 0, sent.max_tokens)


def response_wish(turns: int, sent: ResponseRequest) -> Wish:
    """As `chat_wish`."""
    if sent.tools and sent.tool_choice != "none":
        raise _unsupported("Beleg calls no tools; please leave tools out.")
    if sent.previous_response_id or sent.conversation:
        raise _unsupported("No conversation is kept here; please send it whole, as input.")
    if sent.background:
        raise _unsupported("Answers come at once; please leave background out.")
    said = [InputItem(role="user", content=sent.input)] if isinstance(sent.input, str) else sent.input
    messages = [item for item in said if item.type == "message" and item.role]
    return _wish(sent, messages, turns, sent.max_output_tokens, (sent.text or {}).get("format"))


def _wish(
    sent: forms.Asking,
    messages: Sequence[ChatMessage | InputItem],
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


def conversation(sent: Sequence[ChatMessage | InputItem], turns: int) -> tuple[str, list[Message]]:
    """The question, which is the last message, and the latest messages before it.

    Messages of system and tools are left out: answers come from the articles alone. Raises BadRequest if the
    last message is not the user's, or is a task that a client gives its model.
    """
    if not sent or sent[-1].role != "user":
        raise BadRequest("The last message is the question; its role is user.")
    question = _text(sent[-1])
    if _TASK.match(question[:_LONGEST_KEPT]):
        raise BadRequest(
            "This is no question but a client's task (a title, tags, further questions, documents to answer"
            " from); Beleg answers from its own articles alone. Choose another task model, or switch it off."
        )
    history: list[Message] = []
    for message in reversed([each for each in sent[:-1] if each.role in ("user", "assistant")]):
        if len(history) == turns:
            break
        if said := forms.plain(_text(message)[:_LONGEST_KEPT])[:MESSAGE_LIMIT]:
            history.insert(0, Message("user" if message.role == "user" else "assistant", said))
    return question, history


def _text(message: ChatMessage | InputItem) -> str:
    if isinstance(message.content, list):
        if any(part.type not in _TEXTS for part in message.content):
            raise BadRequest("Only text can be read; please leave out images, sound and files.")
        return " ".join(part.text for part in message.content if part.text)
    return message.content or ""


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
    async def embeddings(request: Request, sent: EmbeddingRequest) -> Embeddings:
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
        rows = [Embedding(object="embedding", index=i, embedding=v) for i, v in enumerate(written)]
        tokens = await run_in_threadpool(lambda: sum(map(count_tokens, texts)))
        counted = Usage(prompt_tokens=tokens, total_tokens=tokens)
        return Embeddings(object="list", data=rows, model=sent.model, usage=counted)


def _texts_of(sent: Embedded) -> list[str]:
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
