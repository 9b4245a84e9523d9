"""One table from errors to responses, and an app for one door, with every error in the door's form."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Match

from rag import errors
from rag.errors import BelegError
from rag.serve.api.schemas import Failure
from rag.serve.links import link
from rag.serve.ops import request_id
from rag.version import VERSION

BUSY_SECONDS = 10
CLIENT_LEFT = 499
"""Status for the log of a request whose client is gone, as nginx has it."""

log = logging.getLogger(__name__)

TABLE: tuple[tuple[type[errors.BelegError], int, str], ...] = (
    (errors.BadRequest, 400, "bad_request"),
    (errors.ArticleTooLarge, 413, "article_too_large"),
    (errors.ArticleError, 422, "article_unreadable"),
    (errors.Overloaded, 503, "overloaded"),
    (errors.DeadlineExceeded, 504, "deadline_exceeded"),
    (errors.ProviderTimeout, 504, "provider_timeout"),
    (errors.ProviderRateLimited, 503, "provider_rate_limited"),
    (errors.ProviderAuth, 502, "provider_refused"),
    (errors.ContextOverflow, 502, "provider_window_too_small"),
    (errors.ProviderProtocol, 502, "provider_protocol"),
    (errors.ProviderUnavailable, 502, "provider_unavailable"),
    (errors.ProviderError, 502, "provider_failed"),
    (errors.IndexBusy, 503, "index_busy"),
    (errors.IndexOutdated, 503, "index_outdated"),
    (errors.IndexMismatch, 503, "index_mismatch"),
    (errors.IndexDamaged, 503, "index_damaged"),
    (errors.ConfigError, 503, "misconfigured"),
    (errors.BelegError, 500, "failed"),
)
"""The first row that fits an error counts; unexpected errors are `internal`."""

_BY_STATUS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


@dataclass(eq=False)
class Problem(Exception):
    """An error as a response: `code` is for programs; `message`, maybe a phrase, says what to do next."""

    status: int
    code: str
    message: str
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """`Retry-After`, where it is worth trying again, and how to authenticate."""
        found = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return found | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})


def problem_of(error: BaseException) -> Problem:
    """The row of the table for an error; what the framework refuses by itself has its own status."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        status, usual = error.status_code, "bad_request" if error.status_code < 500 else "internal"
        return Problem(status, _BY_STATUS.get(status, usual), str(error.detail))
    for kind, status, code in TABLE:
        if isinstance(error, kind):
            return Problem(status, code, error.phrase, BUSY_SECONDS if status == 503 else None)
    return Problem(500, "internal", "Beleg failed unexpectedly; its log says more.")


def problem_in_stream(error: Exception) -> Problem:
    """Like `problem_of`, and logged, because the status of the response has already been sent."""
    problem = problem_of(error)
    log.warning("a stream failed: %s", error, exc_info=problem.code == "internal")
    return problem


def plain_body(problem: Problem) -> dict[str, Any]:
    """{"error": {"code": "overloaded", "message": "too many questions at once; …", "request_id": "9f0c…"}}"""
    return {"error": {"code": problem.code, "message": problem.message, **_request()}}


def openai_body(problem: Problem) -> dict[str, Any]:
    """The same in OpenAI's form, which its clients turn into their exceptions."""
    kind = _OPENAI_TYPES.get(problem.status, "invalid_request_error" if problem.status < 500 else "api_error")
    fault = {"message": problem.message, "type": kind, "code": problem.code, "param": None}
    return {"error": {**fault, **_request()}}


def _request() -> dict[str, str]:
    """The id of the request in the log."""
    ident = request_id()
    return {"request_id": ident} if ident else {}


def told(problem: Problem, path: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response in the form of the door at this path."""
    body = openai_body(problem) if path.startswith("/v1/") or path == "/v1" else plain_body(problem)
    fresh = {"Cache-Control": "no-store", **problem.headers, **(headers or {})}
    return JSONResponse(body, problem.status, fresh)


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
GUARD = (401, 403, 413, 429)
"""Statuses by the guard, at any door."""
ASKING = (400, 422, 500, 502, 503, 504)
"""What else may become of a question."""
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
        super().__init__(
            title=title,
            description=description,
            version=VERSION,
            servers=[{"url": path}],
            root_path_in_servers=False,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            dependencies=[Depends(_fresh)],
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
            problem = Problem(self.malformed, "invalid_request", _first_fault(error, request))
        if problem.status >= 500:
            log.warning("%s: %s", problem.code, error)
        return told(problem, f"{self.path}/", headers)


def faults(*statuses: int, model: type[BaseModel] = Failure) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its schema."""
    return {status: {"model": model, "description": _MEANINGS[status]} for status in statuses}


def _fresh(response: Response) -> None:
    """Keeps browsers and proxies from caching responses."""
    response.headers["Cache-Control"] = "no-store"


def _first_fault(error: RequestValidationError, request: Request) -> str:
    """The first error: `body.question: Field required`."""
    first = error.errors()[0]
    if first["loc"] == ("body",) and "json" not in request.headers.get("content-type", ""):
        return "The body is a JSON object; please send it with Content-Type: application/json."
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}".encode("utf-8", "replace").decode()
