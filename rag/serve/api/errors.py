"""One table from errors to responses: status, code, message."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from rag import errors
from rag.serve.logs import request_id

BUSY_SECONDS = 10
FRESH = {"Cache-Control": "no-store"}
CLIENT_LEFT = 499  # status for the log of a request whose client is gone, as nginx has it

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
    fresh = {**FRESH, **problem.headers, **(headers or {})}
    return JSONResponse(body, problem.status, fresh)
