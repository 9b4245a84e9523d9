"""The values that travel through Beleg, from file to answer: frozen, plain, free of behaviour.

The invariant that everything rests on is offsets, counted in characters of `Article.text`:

    article.text[chunk.start:chunk.end] == chunk.text
    article.text[citation.start:citation.end] == citation.quote
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import ClassVar, Literal, TypedDict
from uuid import uuid4

VERSION = "0.2.0"
"""The version of Beleg; pyproject.toml takes it from here."""

Span = tuple[int, int]
"""Half-open range of characters, `start <= i < end`, in an article's text."""

CHUNKER_VERSION = "2"
"""To be raised when articles are cut differently; part of an index's fingerprint."""

ANALYSER_VERSION = "4"
"""To be raised when words get other search keys (`rag.text.analysis`); part of an index's fingerprint."""

BUILTIN_DIMENSION = 512
"""Length of the built-in embedding's vectors: part of an index's fingerprint."""

Genre = Literal["report", "comment"]
AsideKind = Literal["title", "byline", "dateline", "caption", "heading", "footer"]
Status = Literal["supported", "weak", "unsupported", "no claim"]
Role = Literal["user", "assistant"]
Certainty = Literal["sure", "unsure", "none"]

SENT_WHOLE = {"json_schema_serialization_defaults_required": True}
"""For JSON schemas by pydantic: fields with a default are always sent, too."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A stretch of an article that is shown to readers but is never an answer."""

    start: int
    end: int
    kind: AsideKind


@dataclass(frozen=True, slots=True)
class Article:
    """One news article. What its source does not state is None, never a guess.

    `text` is NFC with `\\n` line ends and is never changed after reading; `source` names the file it came
    from; `sha256` covers text and metadata, so that any change makes a new version; `copy_of` is the id of an
    article with nearly the same text (an agency copy); `pages` are the offsets at which the pages of a PDF
    begin.
    """

    id: str
    text: str
    source: str
    sha256: str
    title: str | None = None
    outlet: str | None = None
    author: str | None = None
    published: date | None = None
    language: str | None = None
    genre: Genre | None = None
    asides: tuple[Aside, ...] = ()
    copy_of: str | None = None
    pages: tuple[int, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The number, from 1, of the page with this character; None without pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences of one article: the unit of retrieval.

    `id` is `article#hash#n` with the first 12 digits of the article's sha256 and the ordinal n;
    `sentences` are spans in the article's text, in order, inside `start:end`.
    """

    id: str
    article_id: str
    ordinal: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk with its article; `score` is 0 to 1 and compares across questions."""

    chunk: Chunk
    article: Article
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in an article, with the words there, cut out by Beleg.

    Title, outlet, date and hash are those at the time of the citation, so that a stored answer can be shown
    later, and checked against a changed source. `page`, from 1, is where the quote begins in a PDF, else
    None. `also_in` are the ids of near-copies with the same words, which count as one source.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    number: int
    article_id: str
    start: int
    end: int
    quote: str
    status: Status
    title: str | None = None
    outlet: str | None = None
    published: date | None = None
    sha256: str = ""
    page: int | None = None
    also_in: tuple[str, ...] = ()


def cite(article: Article, span: Span, number: int, status: Status) -> Citation:
    """A citation of a span, cut out of its article."""
    return Citation(
        number=number,
        article_id=article.id,
        start=span[0],
        end=span[1],
        quote=article.text[span[0] : span[1]],
        status=status,
        title=article.title,
        outlet=article.outlet,
        published=article.published,
        sha256=article.sha256,
        page=article.page_at(span[0]),
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer; `citations` are numbers of the answer's citations.

    `text` is the sentence without its `[n]`; with them it is `start:end` of the answer's text. `repaired`
    says that the model pointed elsewhere, and Beleg found the place that supports the sentence.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    text: str
    citations: tuple[int, ...]
    status: Status
    start: int = 0
    end: int = 0
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two citations, by their numbers, whose articles say different things, and what each says there."""

    __pydantic_config__: ClassVar = SENT_WHOLE
    citations: tuple[int, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may answer: those that fit all that is given; by default, all.

    Part of an outlet's or author's name is enough, in any case („taz“); several of one kind are alternatives.
    `first` and `last` are days of publication, both included; articles without a date are in no range.
    `articles` are ids.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    outlets: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    articles: tuple[str, ...] = ()
    genre: Genre | None = None


class Asking(TypedDict, total=False):
    """Options of a question: verbatim sentences even with a language model, and which articles may answer."""

    extractive: bool
    filters: Filters | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What every door returns. An abstention is an answer; a failure is an exception.

    - `text` has `[n]` behind each statement; `citations` are numbered from 1 in order of appearance.
    - `passages` are what was searched, best first; `further` are other places worth reading.
    - `certainty` is `none` if the answer is declined, which `abstained` says, too. It is `unsure` if verbatim
      sentences only come nearest, or if the sources support a model's answer only in part.
    - `reason` says why the question was declined, or why verbatim sentences took the place of a model's
      answer.
    - `model` is the language model that wrote the text, None for verbatim sentences. `dropped` are its
      citations that point nowhere, with the reason; `withheld` are its sentences that are not shown.
    - `by_words` says that meaning could not be searched, because vectors are missing or the embedding fails.
    - `filters` are those of the question, None if all articles could answer.
    - `contradictions` are pairs of its citations that say different things of what was asked.
    - `id` and `created` (ISO 8601, UTC) identify the record. `usage` counts tokens (`prompt_tokens`,
      `completion_tokens`; `estimated` if the provider reports none) and `cost` if reported; `timings` are
      seconds by step.
    """

    question: str
    standalone_question: str
    language: str
    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    abstained: bool
    certainty: Certainty
    reason: str | None
    model: str | None
    index_fingerprint: str
    confidence: float
    further: tuple[Citation, ...] = ()
    dropped: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    by_words: bool = False
    contradictions: tuple[Contradiction, ...] = ()
    filters: Filters | None = None
    id: str = field(default_factory=lambda: uuid4().hex, compare=False)
    created: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"), compare=False
    )
    usage: Mapping[str, int | float] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """First event of a stream: what was found, and the question as it was understood.

    `answered` says that the answer is ready and follows at once. If a model searches again, there is one more
    such event for each step: the tool (`search`, `read`, `catalogue`), what for, and the new passages.
    """

    standalone_question: str
    passages: tuple[Passage, ...]
    seconds: float
    answered: bool = False
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A further piece of the answer's text, provisional until `Done`."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """Last event of a stream: the verified answer, and the earlier messages that were used."""

    answer: Answer
    history: tuple[Message, ...] = ()


Event = Retrieved | Delta | Done


@dataclass(frozen=True, slots=True)
class SyncState:
    """The progress of a sync. `running` is true until everything asked for is done.

    `step` is "read" (files), "index" (articles) or "embed" (passages; the articles already answer by their
    words), with `done` of `total`; `error` says why the last sync failed, and what to do; `checked` is when
    the index was last found, or made, current.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    running: bool = False
    step: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    checked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """An uploaded file: its `name` among the uploads; `known` if the same file was there already.

    `problems` are the parts that cannot be used.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    name: str
    known: bool = False
    problems: tuple[str, ...] = ()
