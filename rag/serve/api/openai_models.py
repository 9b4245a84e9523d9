"""Requests and responses of the OpenAI-compatible endpoint; unknown fields of requests are ignored.

Responses are OpenAI's own types with Beleg's additions.
"""

from typing import Annotated, Any, Literal

from openai.types import Completion as OpenAICompletion
from openai.types import CreateEmbeddingResponse, ErrorObject, Model
from openai.types import Embedding as OpenAIEmbedding
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, Field

from rag.serve.api import schemas
from rag.serve.api.schemas import MOST_MESSAGES
from rag.wire import Answer

Tokens = Annotated[int | None, Field(ge=1, description="tokens of the text; the whole answer is in `beleg`")]
Stop = Annotated[str | Annotated[list[str], Field(max_length=4, fail_fast=True)] | None, Field()]
Chosen = Annotated[schemas.Chosen, Field(description="Beleg's own: which articles may answer")]
TokenList = Annotated[list[int], Field(min_length=1, max_length=8192, fail_fast=True)]


class Part(BaseModel):
    """A part of a message; only text can be read."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message; only those of user and assistant count."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[Part], Field(fail_fast=True)] | None = None


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class Asking(BaseModel):
    """What each endpoint for questions takes."""

    model: str
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    stop: Stop = None
    filters: Chosen = None


class ChatRequest(Asking):
    """A conversation that ends with a question."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES, fail_fast=True)
    max_tokens: Tokens = None
    max_completion_tokens: Tokens = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None


class CompletionRequest(Asking):
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


class ResponseRequest(Asking):
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
