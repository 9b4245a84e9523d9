"""What the OpenAI-compatible endpoint takes and gives; what it takes beyond this is ignored.

Responses are OpenAI's own types, with what Beleg adds to them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from openai.types import CreateEmbeddingResponse, ErrorObject, Model
from openai.types import Embedding as OpenAIEmbedding
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, ConfigDict, Field

from rag.schema import Filters
from rag.wire import Answer


class Part(BaseModel):
    """A part of a message; only text can be read."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message; those of the user and the assistant are the conversation, others are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A conversation that ends with a question."""

    model_config = ConfigDict(extra="ignore")
    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    filters: Filters | None = Field(None, description="Beleg's own: which articles may answer")


class Completion(ChatCompletion):
    """The answer as OpenAI's clients read it; `beleg` is the whole answer as REST gives it.

    Every `[n]` in the content is defined as a Markdown link at its end.
    """

    beleg: Answer


class Models(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[Model]


Input = Annotated[str, Field(min_length=1, max_length=100_000)]


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="ignore")
    model: str
    input: Input | Annotated[list[Input], Field(min_length=1, max_length=2048)]
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
