"""What REST takes and gives beside the values of `rag.schema`: questions, lists, articles, errors."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rag.schema import Filters, Genre, Message
from rag.wire import Passage

MOST_MESSAGES = 5000
_MOST_FIELDS = 100


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, description="the question, in German or English, in full")
    history: list[Message] = Field(
        [], fail_fast=True, max_length=MOST_MESSAGES, description="the conversation so far, oldest first"
    )
    extractive: bool = Field(
        False, strict=True, description="verbatim sentences, even where a language model is configured"
    )
    filters: Filters | None = Field(None, description="which articles may answer; without, all of them")

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and len(sent) > _MOST_FIELDS:  # each would be an error of its own
            raise ValueError("a question has few fields")
        return sent


class Found(BaseModel):
    """What a search has found, best first."""

    passages: list[Passage]


class ArticleRow(BaseModel):
    """An article in the list."""

    id: str
    title: str | None
    outlet: str | None
    published: date | None
    language: str | None
    genre: Genre | None
    words: int
    passages: int
    file: str
    uploaded: bool = Field(description="whether it can be deleted here")
    copy_of: str | None


class Articles(BaseModel):
    """A page of the list; `total` counts what was found."""

    articles: list[ArticleRow]
    total: int
    page: int
    pages: int


class Highlight(BaseModel):
    """A marked place: `text[start:end] == quote`."""

    start: int
    end: int
    quote: str


class ArticleFacts(BaseModel):
    """What is known of an article, and which version of it that is."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)
    title: str | None
    outlet: str | None
    author: str | None
    published: date | None
    language: str | None
    genre: Genre | None
    sha256: str


class Article(ArticleFacts):
    """A whole article."""

    id: str
    text: str
    copy_of: str | None
    highlights: list[Highlight] = []


class Feedback(BaseModel):
    """What somebody thinks of an answer; null takes it back."""

    model_config = ConfigDict(extra="forbid")
    rating: Literal["up", "down"] | None
    note: str = Field("", max_length=2000)


class Fault(BaseModel):
    """What went wrong; `code` is for programs, `message` says what to do next."""

    code: str
    message: str
    request_id: str = Field("", description="the same as in the header X-Request-ID and in Beleg's log")


class Failure(BaseModel):
    """Every error of REST."""

    error: Fault
