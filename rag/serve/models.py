"""What REST takes and gives, as its schema tells: the shapes of `rag/serve/wire.py`, by name and type."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["supported", "weak", "unsupported", "no claim"]


class Turn(BaseModel):
    """An earlier message of the conversation."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: str


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, description="the question, in German or English, in full")
    history: list[Turn] = Field([], description="the conversation so far, oldest first")
    extractive: bool = Field(
        False, description="verbatim sentences, even where a language model is configured"
    )


class Statement(BaseModel):
    """A sentence of the answer, with what its citations say of it."""

    text: str
    citations: list[int]
    status: Status
    start: int
    end: int
    repaired: bool


class Citation(BaseModel):
    """A place in an article: `text[start:end] == quote`, in characters."""

    number: int
    article_id: str
    start: int
    end: int
    quote: str
    status: Status
    title: str | None
    outlet: str | None
    published: str | None = Field(description="ISO date")
    sha256: str
    also_in: list[str] = Field(description="ids of near-copies that say the same words")


class Passage(BaseModel):
    """A passage that was found."""

    chunk_id: str
    article_id: str
    start: int
    end: int
    text: str
    score: float
    title: str | None
    outlet: str | None
    published: str | None = Field(description="ISO date")


class Answer(BaseModel):
    """An answer, or (`abstained`) that the articles do not hold one."""

    id: str
    created: str
    question: str
    standalone_question: str
    language: str
    text: str = Field(description="with [n] behind each statement")
    abstained: bool
    reason: str | None = Field(
        description="why it was declined, or why verbatim sentences stand in place of what the model wrote"
    )
    confidence: float
    model: str | None = Field(description="the language model that wrote it; null: verbatim sentences")
    index_fingerprint: str
    statements: list[Statement]
    citations: list[Citation]
    further: list[Citation] = Field(description="other places worth reading")
    passages: list[Passage] = Field(description="what was found for the question, best first")
    dropped: list[str] = Field(description="citations of the model that point nowhere")
    withheld: list[str] = Field(description="sentences of the model that are not shown, each with why")
    usage: dict[str, float]
    timings: dict[str, float] = Field(description="seconds by step")


class Found(BaseModel):
    """What a search has found, best first."""

    passages: list[Passage]


class ArticleRow(BaseModel):
    """An article in the list."""

    id: str
    title: str | None
    outlet: str | None
    published: str | None = Field(description="ISO date")
    language: str | None
    genre: Literal["report", "comment"] | None
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

    title: str | None
    outlet: str | None
    author: str | None
    published: str | None = Field(description="ISO date")
    language: str | None
    genre: Literal["report", "comment"] | None
    sha256: str


class Article(ArticleFacts):
    """A whole article."""

    id: str
    text: str
    copy_of: str | None
    highlights: list[Highlight]


class Uploaded(BaseModel):
    """A file that was taken in; its articles are in the answers once the sync is through."""

    name: str
    known: bool = Field(description="the very same was there already")
    problems: list[str]


class Sync(BaseModel):
    """How far reading in is."""

    running: bool
    step: str
    done: int
    total: int
    error: str | None
    checked: str | None = Field(description="when the index was last found or made current; ISO 8601")


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
