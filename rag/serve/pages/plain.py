"""`/fragen`: the chat without scripts, as a form that asks and a page that answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from rag.errors import BelegError
from rag.schema import Answer, Message
from rag.serve.api.errors import problem_of
from rag.serve.chat.render import mode_line, spoken
from rag.serve.links import citation_path, link
from rag.serve.pages.catalogue import Catalogue, choice_form, choice_of, choice_query
from rag.serve.pages.routes import words_of
from rag.serve.queue import Service, unless_gone
from rag.serve.views import page
from rag.wire import answer_from_dict

ADDRESS = "/fragen"
_MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_FRESH = {"Cache-Control": "no-store"}


def add_plain_form(app: FastAPI, service: Service, catalogue: Catalogue) -> None:
    """The routes; `zuvor` are the ids of the answers' records so far."""

    def shown(request: Request, query: str, said: str = "", question: str = "") -> str:
        words = words_of(request)
        mode = mode_line(service.engine, words)
        turns = [(each, list(paragraphs(each))) for each in before(query)]
        form = {**choice_form(catalogue, query), "said": said, "question": question, "mode": mode}
        return page("plain.html", words, turns=turns, **form)

    def before(query: str) -> list[Answer]:
        ids = parse_qs(query).get("zuvor", [])[-max(1, service.settings.history_turns) :]
        return [answer_from_dict(record) for record in map(service.records.get, ids) if record]

    @app.get(ADDRESS, response_class=HTMLResponse)
    def form(request: Request) -> HTMLResponse:
        return HTMLResponse(shown(request, request.url.query), headers=_FRESH)

    @app.post(ADDRESS, response_class=HTMLResponse)
    async def asked(request: Request) -> Response:
        """Redirects to the page with the answer, so that Back and a reload do not ask again."""
        body = (await request.body()).decode("utf-8", "replace")
        question, chosen = " ".join(parse_qs(body).get("frage", [""])[-1].split()), choice_of(body)
        answers = await run_in_threadpool(before, body)
        try:
            asking = service.ask("chat", question, list(_history(answers)), filters=chosen)
            answers.append(await unless_gone(request, asking))
        except BelegError as error:
            said = words_of(request).said(error.phrase)
            return HTMLResponse(shown(request, body, said, question), problem_of(error).status, _FRESH)
        told = urlencode([*choice_query(chosen), *(("zuvor", each.id) for each in answers)])
        return RedirectResponse(f"{link(ADDRESS)}?{told}#antwort", 303)


def paragraphs(answer: Answer) -> Iterator[list[tuple[str, Any]]]:
    """The answer's paragraphs as pieces of text, each with the addresses and numbers of its citations."""
    cited = {citation.number: citation for citation in answer.citations}
    for paragraph in answer.text.split("\n\n"):
        parts = _MARKER.split(paragraph)
        numbers = [cited.get(int(number)) for number in parts[1::2]]
        yield [
            (words, citation and (citation_path(citation), citation.number))
            for words, citation in zip(parts[::2], [*numbers, None], strict=True)
        ]


def _history(answers: Sequence[Answer]) -> Iterator[Message]:
    for answer in answers:
        yield Message("user", answer.question)
        yield Message("assistant", spoken(answer))
