"""Our own addresses beside the chat: articles, answers to keep, evaluation, language, and the plain form."""

import json
import re
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from rag.errors import BadRequest, BelegError
from rag.i18n import LANGUAGES, Words, words_for
from rag.schema import Answer, Filters, Message
from rag.serve.api.errors import FRESH, problem_of
from rag.serve.chat.render import mode_line, outdated_citation, spoken
from rag.serve.links import citation_path, is_current, link
from rag.serve.pages import export
from rag.serve.pages.catalogue import address_of, choice_form, choice_of, choice_query
from rag.serve.pages.reader import Around, reader_page
from rag.serve.queue import Service, unless_gone
from rag.serve.views import missing_page, page
from rag.settings import DEFAULTS, Settings
from rag.store.answers import feedback_jsonl
from rag.wire import answer_from_dict

REPORT, PLAIN = "/auswertung", "/fragen"
LANGUAGE_COOKIE = "beleg_lang"
_MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_YEAR = 31_536_000  # seconds
_LONGEST_OFFSET = 12  # digits
_SHOWN_AS_THEY_ARE = {
    ".pdf": "application/pdf",
    **dict.fromkeys((".txt", ".md", ".srt", ".vtt"), "text/plain"),
}
"""Types of original files that a browser may show; others, which may contain scripts, are only saved."""
_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def words_of(request: Any) -> Words:
    """The interface language: the reader's choice, else that of the surrounding page, else the browser's.

    The request is FastAPI's or Gradio's. A page that shows the chat in a frame gives its language as `lang`
    in the address, and so in the referrer of the frame's requests, which cookies often do not reach.
    """
    around = dict(parse_qsl(came_from(request)[1])).get("lang")
    chosen = request.cookies.get(LANGUAGE_COOKIE) or request.query_params.get("lang") or around
    return words_for(request.headers.get("accept-language"), chosen)


def came_from(request: Any) -> tuple[str, str]:
    """Path and query of the page that a request comes from, taken as one of this site; else of the chat."""
    try:
        parts = urlsplit(request.headers.get("referer") or link("/"))
    except ValueError:  # a broken address, as http://[
        return link("/"), ""
    return "/" + parts.path.lstrip("/"), parts.query


def add_article_routes(app: FastAPI, service: Service) -> None:
    """`/quelle/…`: an article, with a place marked (see links.py); `/original/…`: its file.

    `/auswahl`: the form in which articles are chosen, filled in with the choice of its address; with `teil`,
    for the dialog of the chat.
    """

    catalogue, library = service.catalogue, service.engine.library

    @app.get("/quelle/{article_id:path}", response_class=HTMLResponse)
    def source(
        request: Request,
        article_id: str,
        von: str = "",
        bis: str = "",
        v: str = "",
        teil: str = "",
        liste: str = "",
        suche: Annotated[str, Query(max_length=200)] = "",
        treffer: str = "",
    ) -> HTMLResponse:
        words = words_of(request)
        article = library.article(article_id)
        if article is None:
            return HTMLResponse(missing_page(words), status_code=404)
        said = [int(each) for each in (von, bis) if each.isdecimal() and len(each) <= _LONGEST_OFFSET]
        inside = len(said) == 2 and said[0] < said[1] <= len(article.text)
        span, stale = (said[0], said[1]) if inside else None, not is_current(article, v)
        if teil:
            return HTMLResponse(reader_page(article, span, words, stale=stale, part=True))
        row = catalogue.row(article_id)
        beside = Around(catalogue, row, article, liste, suche, treffer) if row else None
        return HTMLResponse(reader_page(article, span, words, stale=stale, around=beside))

    @app.get("/original/{article_id:path}", response_class=FileResponse)
    def original(request: Request, article_id: str) -> Response:
        entry = library.manifest().get(article_id)
        path = Path(entry.path) if entry else None
        if path is None or not path.is_file():
            return HTMLResponse(missing_page(words_of(request)), status_code=404)
        kind = _SHOWN_AS_THEY_ARE.get(path.suffix.lower())
        return FileResponse(
            path,
            media_type=kind or "application/octet-stream",
            filename=path.name,
            content_disposition_type="inline" if kind else "attachment",
            headers={"Cache-Control": "private, no-cache"},
        )

    @app.get("/auswahl", response_class=HTMLResponse)
    def choice(request: Request, teil: str = "") -> HTMLResponse:
        form = choice_form(catalogue, request.url.query)
        html = page("choice.html" if teil else "choice_page.html", words_of(request), **form)
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


def add_plain_form(app: FastAPI, service: Service) -> None:
    """`/fragen`: the chat without scripts, as a form that asks and a page that answers.

    `zuvor` are the ids of the answers' records so far.
    """

    def shown(request: Request, query: str, said: str = "", question: str = "") -> str:
        words = words_of(request)
        mode = mode_line(service.engine, words)
        turns = [
            (each, [_cited_text(each, part) for part in each.text.split("\n\n")]) for each in before(query)
        ]
        form = {**choice_form(service.catalogue, query), "said": said, "question": question, "mode": mode}
        return page("plain.html", words, turns=turns, **form)

    def before(query: str) -> list[Answer]:
        ids = parse_qs(query).get("zuvor", [])[-max(1, service.settings.history_turns) :]
        return [answer_from_dict(record) for record in map(service.records.get, ids) if record]

    @app.get(PLAIN, response_class=HTMLResponse)
    def form(request: Request) -> HTMLResponse:
        return HTMLResponse(shown(request, request.url.query), headers=FRESH)

    @app.post(PLAIN, response_class=HTMLResponse)
    async def asked(request: Request) -> Response:
        """Redirects to the page with the answer, so that Back and a reload do not ask again."""
        body = (await request.body()).decode("utf-8", "replace")
        question, chosen = " ".join(parse_qs(body).get("frage", [""])[-1].split()), choice_of(body)
        answers = await run_in_threadpool(before, body)
        pairs = [(Message("user", each.question), Message("assistant", spoken(each))) for each in answers]
        try:
            asking = service.ask("chat", question, [*chain.from_iterable(pairs)], filters=chosen)
            answers.append(await unless_gone(request, asking))
        except BelegError as error:
            said = words_of(request).said(error.phrase)
            return HTMLResponse(shown(request, body, said, question), problem_of(error).status, FRESH)
        told = urlencode([*choice_query(chosen), *(("zuvor", each.id) for each in answers)])
        return RedirectResponse(f"{link(PLAIN)}?{told}#antwort", 303)


def _cited_text(answer: Answer, paragraph: str) -> list[tuple[str, tuple[str, int] | None]]:
    """Pieces of a paragraph, each with the address and number of the citation behind it."""
    cited = {str(each.number): (citation_path(each), each.number) for each in answer.citations}
    parts = _MARKER.split(paragraph)
    return list(zip(parts[::2], [*map(cited.get, parts[1::2]), None], strict=True))


def add_answer_routes(app: FastAPI, service: Service) -> None:
    """`/antwort/<id>` and its files (`.md`, `.docx`, …), `/export` for a conversation, `/feedback.jsonl`."""
    records, changed = service.records, partial(outdated_citation, articles=service.engine.library)

    def file(request: Request, form: export.Form, title: str, turns: Sequence[export.Turn]) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}"
        content = export.conversation(form, title, turns, words_of(request), changed, base=base)
        name = quote(export.file_name(title, form))
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", **FRESH}
        return Response(content, media_type=_TYPES[form], headers=headers)

    @app.get("/antwort/{ident}.{form}")
    def saved_answer(request: Request, ident: str, form: export.Form) -> Response:
        record = records.get(ident)
        if record is None:
            return HTMLResponse(missing_page(words_of(request), "answer"), status_code=404)
        if form == "json":
            return JSONResponse(record, headers=FRESH)
        return file(request, form, record["question"], [{"question": record["question"], "record": record}])

    @app.get("/antwort/{ident}", response_class=HTMLResponse)
    def answer(request: Request, ident: str) -> HTMLResponse:
        words, record = words_of(request), records.get(ident)
        if record is None:
            return HTMLResponse(missing_page(words, "answer"), status_code=404)
        told = [export.entry_of({"question": record["question"], "record": record}, words)]
        opens = address_of(answer_from_dict(record).filters or Filters(), ident)
        shown = page("answer.html", words, ident=ident, opens=opens, entries=told, changed=changed)
        return HTMLResponse(shown, headers=FRESH)

    @app.post("/export/{form}")
    def conversation(
        request: Request, form: export.Form, sent: Annotated[Any, Depends(_conversation)]
    ) -> Response:
        try:
            return file(request, form, *sent)
        except BadRequest as exc:
            raise HTTPException(422, str(exc)) from exc

    @app.get("/feedback.jsonl")
    def feedback() -> Response:
        headers = {"Content-Disposition": "attachment; filename=feedback.jsonl", **FRESH}
        return Response(feedback_jsonl(records), media_type="application/x-ndjson", headers=headers)


def add_interface_routes(app: FastAPI, settings: Settings) -> None:
    """`/beleg/words.json` for our scripts, `/sprache/<lang>` to choose the interface language, and the latest
    evaluation, or how to make one.
    """
    by_language = {"Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache"}
    if settings.dossier:
        command = f"python -m eval SET --dossier {settings.dossier}"
    elif settings.articles == DEFAULTS["articles"]:  # the project's own questions are about its seeds
        command = "make eval"
    else:
        command = f"python -m eval SET --articles {settings.articles}"

    @app.get("/beleg/words.json")
    def words_for_script(request: Request) -> JSONResponse:
        words = words_of(request)
        said = {"lang": words.lang, **words.at("frame"), **words.at("chat"), **words.at("errors")}
        return JSONResponse(said, headers=by_language)

    @app.get("/sprache/{lang}")
    def language(request: Request, lang: str) -> Response:
        back = RedirectResponse("?".join(filter(None, came_from(request))), status_code=303)
        if lang in LANGUAGES:
            back.set_cookie(LANGUAGE_COOKIE, lang, max_age=_YEAR, httponly=True, samesite="lax")
        return back

    @app.get(REPORT, response_class=HTMLResponse)
    def report(request: Request) -> HTMLResponse:
        html = report_page(settings.data_dir / "evaluation", words_of(request), command)
        return HTMLResponse(html, headers=by_language)


def report_page(folder: Path, words: Words, command: str) -> str:
    """The part of the latest report that is for pages, framed; `command` makes one where there is none."""
    part = folder / f"part.{words.lang}.html"
    if part.is_file() and (report := part.read_text(encoding="utf-8")):
        return page("report.html", words, here=REPORT, report=Markup(report))
    title, how = words("report.none"), words("report.how")
    return page("missing.html", words, here=REPORT, title=title, text=how, command=command)


async def _conversation(request: Request) -> tuple[str, list[export.Turn]]:
    """Title and turns that a browser sends."""
    try:
        sent = await run_in_threadpool(json.loads, await request.body())
        title, turns = str(sent["title"]), [dict(turn) for turn in sent["turns"]]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise HTTPException(422, "a conversation is a JSON object with a title and turns") from exc
    if not all(isinstance(turn.get("question"), str) for turn in turns):
        raise HTTPException(422, "every turn has a question")
    return title, turns
