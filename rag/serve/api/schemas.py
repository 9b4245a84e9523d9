"""Requests and responses of REST beside the values of `rag.schema`: questions, lists, articles, errors.

And the app of a door for programs, with a schema of its own and every error in its form.
"""

import logging
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from rag.answering.chosen import MOST_FILTERS
from rag.errors import BelegError
from rag.schema import VERSION, Filters, Genre, Message
from rag.serve.api.errors import CLIENT_LEFT, FRESH, Problem, problem_of, told
from rag.serve.links import link
from rag.store.answers import Rating, Reason
from rag.wire import Passage

MOST_MESSAGES = 5000
_MOST_FIELDS, _LONGEST_NAME = 100, 1_000

log = logging.getLogger(__name__)


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


# --- the app of a door

_MEANINGS = {
    400: "The request cannot be answered as put.",
    401: "A token or a login is missing, or unknown.",
    403: "The request comes from a page of another site, or by a foreign host name.",
    404: "There is no such thing.",
    409: "It cannot be done here.",
    413: "The request is too large.",
    422: "The request does not have the form that this schema asks for, or the file cannot be read.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "Beleg failed unexpectedly.",
    502: "The language or embedding model failed.",
    503: "Too many questions at once, or the index or the model is busy; Retry-After says when to come back.",
    504: "The answer, or the model's, did not come in time.",
    507: "There is no space for the file.",
}
GUARD = (401, 403, 413, 429)  # statuses by the guard, at any door
ASKING = (400, 422, 500, 502, 503, 504)  # what else may become of a question
_NOWHERE = "There is nothing at this address; openapi.json beside it lists what there is."


class SubApp(FastAPI):
    """The app to be mounted at a path, in whose schema each route may be refused by the guard.

    `malformed` is the status of requests without the right form, `failure` the form of every error.
    """

    def __init__(
        self,
        path: str,
        title: str,
        description: str,
        malformed: int = 422,
        failure: type[BaseModel] = Failure,
    ) -> None:

        def fresh(response: Response) -> None:
            response.headers.update(FRESH)

        super().__init__(
            title=title,
            description=description,
            version=VERSION,
            servers=[{"url": path}],
            root_path_in_servers=False,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            dependencies=[Depends(fresh)],
            responses=faults(*GUARD, model=failure),
        )
        self.path, self.malformed = path, malformed
        for kind in (Problem, BelegError, HTTPException, RequestValidationError, Exception):
            self.add_exception_handler(kind, self._answered)
        self.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=CLIENT_LEFT))

    def openapi(self) -> dict[str, Any]:
        """The schema, without the 422 that FastAPI adds to every route."""
        schema = super().openapi()
        schema = {**schema, "servers": [{**each, "url": link(each["url"])} for each in schema["servers"]]}
        for path in schema["paths"].values() if self.malformed != 422 else ():
            for route in path.values():
                route["responses"].pop("422", None)
        return schema

    def _answered(self, request: Request, error: Exception) -> Response:
        headers: dict[str, str] = {}
        if isinstance(error, HTTPException) and error.status_code == 405:
            # the framework names the methods of one of its routes only
            routes: list[Any] = [
                each for each in self.routes if each.matches(request.scope)[0] is not Match.NONE
            ]
            allowed = ", ".join(sorted({method for route in routes for method in route.methods}))
            headers, error = {"Allow": allowed}, HTTPException(405, f"Please use {allowed} here.")
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        elif isinstance(error, HTTPException) and error.status_code == 404:
            error = HTTPException(404, _NOWHERE)
        problem = problem_of(error)
        if isinstance(error, RequestValidationError):
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".encode("utf-8", "replace").decode()
            if first["loc"] == ("body",) and "json" not in request.headers.get("content-type", ""):
                why = "The body is a JSON object; please send it with Content-Type: application/json."
            problem = Problem(self.malformed, "invalid_request", why)
        if problem.status >= 500:
            log.warning("%s: %s", problem.code, error)
        return told(problem, f"{self.path}/", headers)


def faults(*statuses: int, model: type[BaseModel] = Failure) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its schema."""
    return {status: {"model": model, "description": _MEANINGS[status]} for status in statuses}
