"""An app for one door with its own schema, and every error in the door's form."""

import logging
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from rag.errors import BelegError
from rag.schema import VERSION
from rag.serve.api.errors import CLIENT_LEFT, FRESH, Problem, problem_of, told
from rag.serve.api.schemas import Failure
from rag.serve.links import link

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

log = logging.getLogger(__name__)


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
