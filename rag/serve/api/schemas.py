"""Requests and responses of REST beside the values of `rag.schema`: questions, lists, articles, errors."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rag.answering.chosen import MOST_FILTERS
from rag.schema import Filters, Genre, Message
from rag.store.answers import Rating, Reason
from rag.wire import Passage

MOST_MESSAGES = 5000
_MOST_FIELDS, _LONGEST_NAME = 100, 1_000


def _few_fields(sent: Any) -> Any:
    """Refuses many fields at once: each unknown one would be an error by itself."""
    if isinstance(sent, dict) and len(sent) > _MOST_FIELDS:
        raise ValueError(f"there are more than {_MOST_FIELDS} fields")
    return sent


def _short(sent: Any) -> Any:
    """Refuses long lists at once: each wrong item would be an error by itself."""
    kinds = [kind for kind in sent.values() if isinstance(kind, list)] if isinstance(sent, dict) else []
    if any(len(kind) > MOST_FILTERS for kind in kinds):
        raise ValueError(f"filters have at most {MOST_FILTERS} of a kind")
    if any(isinstance(name, str) and len(name) > _LONGEST_NAME for kind in kinds for name in kind):
        raise ValueError(f"names and ids have at most {_LONGEST_NAME} characters")
    return _few_fields(sent)


Chosen = Annotated[
    Filters | None,
    BeforeValidator(_short),
    Field(description="which articles may answer; without, all of them"),
]
History = Annotated[
    list[Annotated[Message, BeforeValidator(_few_fields)]],
    Field(fail_fast=True, max_length=MOST_MESSAGES, description="the conversation so far, oldest first"),
]


class Sent(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")
    few_fields = model_validator(mode="before")(_few_fields)


class Ask(Sent):
    """A question."""

    question: str = Field(
        min_length=1, description="the question in full, in German, English, French, Portuguese or Ukrainian"
    )
    history: History = []
    extractive: bool = Field(
        False, strict=True, description="verbatim sentences, even where a language model is configured"
    )
    filters: Chosen = None


class Found(BaseModel):
    """The passages found, best first."""

    passages: list[Passage]


class ArticleRow(BaseModel):
    """An article in the list."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    title: str | None
    outlet: str | None
    published: date | None
    language: str | None
    genre: Genre | None
    words: int
    passages: int = Field(validation_alias="chunks")
    file: str
    uploaded: bool = Field(description="whether it can be deleted here")
    copy_of: str | None


class Articles(BaseModel):
    """A page of the list; `total` is the number of articles found."""

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
    """An article without its text, and its version."""

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


class Feedback(Sent):
    """A reader's rating of an answer; null takes it back."""

    rating: Rating | None
    reason: Reason | None = None
    note: str = Field("", max_length=2000)


class Fault(BaseModel):
    """What went wrong; `code` is for programs, `message` says what to do next."""

    code: str
    message: str
    request_id: str = Field("", description="the same as in the header X-Request-ID and in Beleg's log")


class Failure(BaseModel):
    """Every error of REST."""

    error: Fault
