"""The web chat: Gradio for the conversation, our own routes for articles and their marked places."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from rag.errors import BelegError
from rag.schema import Answer, Delta, Done, Event, Message, Retrieved
from rag.serve import render
from rag.serve.headers import SafeHeaders
from rag.serve.strings import Strings, number, strings_for

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.settings import Settings

STATIC = Path(__file__).parent / "static"
_DAY = 86_400  # seconds that Gradio keeps files of its own
_SECONDS_BETWEEN_DRAFTS = 0.07  # a browser follows 10 to 20 updates a second

ChatMessage = dict[str, Any]
Shown = list[ChatMessage]

log = logging.getLogger(__name__)


def create_app(engine: Engine, settings: Settings) -> FastAPI:
    """The whole site: articles at /quelle/…, our files at /beleg/…, the chat at /."""
    app = FastAPI(title="Beleg", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SafeHeaders)
    app.add_middleware(GZipMiddleware)
    add_article_routes(app, engine)
    app.mount("/beleg", StaticFiles(directory=STATIC), name="beleg")
    style, script = asset("chat.css"), asset("chat.js")
    gr.mount_gradio_app(
        app,
        build_chat(engine, settings),
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=settings.article_limit,
        favicon_path=str(STATIC / "favicon.png"),
        theme=gr.themes.Base(font=["IBM Plex Sans", "system-ui", "sans-serif"]),
        head=f'<link rel="stylesheet" href="{style}"><script defer src="{script}"></script>',
    )
    return app


def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser never keeps an old one."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/beleg/{name}?v={digest}"


# --- articles and their marked places -------------------------------------------------------------


def add_article_routes(app: FastAPI, engine: Engine) -> None:
    """`/quelle/…` as described in render.py, and the words that chat.js needs."""

    @app.get("/quelle/{article_id:path}", response_class=HTMLResponse)
    def source(
        request: Request, article_id: str, von: str = "", bis: str = "", v: str = "", teil: str = ""
    ) -> HTMLResponse:
        words = _words(request)
        article = engine.library.article(article_id)
        if article is None:
            return HTMLResponse(render.missing_page(words, asset("chat.css")), status_code=404)
        span, stale = _span(von, bis, len(article.text)), not render.is_current(article, v)
        if teil:
            return HTMLResponse(render.reader_fragment(article, span, words, stale=stale))
        return HTMLResponse(render.reader_page(article, span, words, asset("chat.css"), stale=stale))

    @app.get("/beleg/words.json")
    def words_for_script(request: Request) -> JSONResponse:
        return JSONResponse(asdict(_words(request)), headers={"Vary": "Accept-Language"})


def _span(start: str, end: str, length: int) -> tuple[int, int] | None:
    """The offsets of an address, None unless they are a range inside the article."""
    if not (start.isdecimal() and end.isdecimal()):
        return None
    low, high = int(start), int(end)
    return (low, high) if low < high <= length else None


def _words(request: Request | gr.Request) -> Strings:
    return strings_for(request.headers.get("accept-language"))


# --- the chat -------------------------------------------------------------------------------------


def build_chat(engine: Engine, settings: Settings) -> gr.Blocks:
    """The page: header, conversation, notice, composer; chat.css and chat.js do the rest."""
    chat = Chat(engine, settings.question_limit)
    masthead, start, prompt, footnote_text = chat.greeting(strings_for(None))
    demo: gr.Blocks
    with gr.Blocks(title="Beleg", analytics_enabled=False, delete_cache=(_DAY, _DAY)) as demo:
        header = gr.Markdown(masthead, elem_id="masthead")
        shown = gr.Chatbot(
            elem_id="conversation",
            show_label=False,
            container=False,
            height=None,
            buttons=["copy"],
            latex_delimiters=[],
            allow_tags=False,
            autoscroll=False,
            **start,
        )
        notice = gr.Markdown(elem_id="notice")
        question = gr.Textbox(
            elem_id="composer", show_label=False, container=False, max_lines=8, submit_btn=True, **prompt
        )
        footnote = gr.Markdown(footnote_text, elem_id="footnote")
        results = [shown, question, notice]
        asked = question.submit(chat.ask, [question, shown], results, api_visibility="private")
        picked = shown.example_select(chat.ask_suggested, [shown], results, api_visibility="private")
        shown.clear(chat.clear, None, results, cancels=[asked, picked], queue=False, api_visibility="private")
        demo.load(
            chat.greet, None, [header, shown, question, footnote], queue=False, api_visibility="private"
        )
    demo.max_threads = 100  # Gradio's defaults answer one question at a time
    demo.queue(default_concurrency_limit=50)
    return demo


class Chat:
    """What each event of the page shows; the conversation itself lives in the browser."""

    def __init__(self, engine: Engine, question_limit: int) -> None:
        self.engine = engine
        self.question_limit = question_limit
        self._suggested: tuple[int, list[str]] = (-1, [])

    def greeting(self, words: Strings) -> tuple[str, dict[str, Any], dict[str, Any], str]:
        """Header, start screen, composer and footnote: texts and properties."""
        held = self.engine.library.counts()
        suggested = [{"text": question} for question in self._suggestions()]
        return (
            render.masthead(held.articles, held.first, held.last, words),
            {"placeholder": render.start(words), "examples": suggested},
            {"placeholder": words.placeholder, "label": words.question},
            render.footnote(self.engine.mode, words),
        )

    def greet(self, request: gr.Request) -> tuple[Any, ...]:
        """The greeting in the browser's language, with what the dossier holds by now."""
        masthead, start, prompt, footnote = self.greeting(_words(request))
        return masthead, gr.Chatbot(**start), gr.Textbox(**prompt), footnote

    def ask(self, question: str, shown: Shown, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Conversation, composer and notice while a question is answered.

        A question that cannot be answered stays in the composer, under a notice that says why.
        """
        words = _words(request)
        if refusal := self._refusal(question, words):
            yield gr.skip(), gr.skip(), refusal
            return
        yield [*shown, user_message(question)], "", ""
        try:
            for messages in self._answered(question, shown, words):
                yield [*shown, user_message(question), *messages], gr.skip(), gr.skip()
        except Exception as exc:
            yield shown, question, _failure(exc, words)

    def ask_suggested(
        self, shown: Shown, request: gr.Request, event: gr.SelectData
    ) -> Iterator[tuple[Any, ...]]:
        """As `ask`, for a suggested question."""
        yield from self.ask(event.value["text"], shown, request)

    def clear(self) -> tuple[Any, ...]:
        """Back to the start screen."""
        return [], "", ""

    def _suggestions(self) -> list[str]:
        """The engine's suggestions, made once for each state of the library."""
        revision = self.engine.library.revision
        if self._suggested[0] != revision:
            self._suggested = (revision, self.engine.suggestions())
        return self._suggested[1]

    def _refusal(self, question: str, words: Strings) -> str | None:
        """Why a question is not even tried."""
        if not question.strip():
            return words.empty_question
        if len(question) > self.question_limit:
            return words.long_question.format(
                n=number(len(question), words), limit=number(self.question_limit, words)
            )
        return None

    def _answered(self, question: str, shown: Shown, words: Strings) -> Iterator[Shown]:
        """The assistant's messages as they grow: what was searched, the draft, the answer."""
        search: Shown = []
        draft = ""
        for event in paced(self.engine.stream(question.strip(), conversation(shown))):
            match event:
                case Retrieved():
                    search = [self._search_message(event, words)]
                    yield search
                case Delta(text):
                    draft += text
                    yield [*search, assistant_message(render.draft_markdown(draft))]
                case Done(answer):
                    yield [*search, answer_message(answer, words)]

    def _search_message(self, found: Retrieved, words: Strings) -> ChatMessage:
        articles = self.engine.library.counts().articles
        title = render.search_title(found.passages, articles, found.seconds, words)
        body = render.search_html(found.passages, words)
        return {**assistant_message(body or title), "metadata": {"title": title, "status": "done"}}


def conversation(shown: Shown) -> list[Message]:
    """The messages of a shown conversation, without citations, cards and search steps."""
    said = [message for message in shown if not (message.get("metadata") or {}).get("title")]
    return [
        Message(role=message["role"], content=render.plain_text(_first_text(message))) for message in said
    ]


def _first_text(message: ChatMessage) -> str:
    content = message["content"]
    first = content if isinstance(content, str) else content[0]
    return str(first["text"] if isinstance(first, dict) else first)


def user_message(question: str) -> ChatMessage:
    """A question as a message; what looks like Markdown in it is shown, not done."""
    return {"role": "user", "content": render.markdown_lines(question)}


def assistant_message(*parts: str) -> ChatMessage:
    """An answer as a message: its text, and what stands below it."""
    return {"role": "assistant", "content": [part for part in parts if part]}


def answer_message(answer: Answer, words: Strings) -> ChatMessage:
    """A verified answer with its evidence."""
    return assistant_message(render.answer_markdown(answer, words), render.evidence_html(answer, words))


def paced(events: Iterator[Event]) -> Iterator[Event]:
    """The events, with deltas gathered to what a browser can follow."""
    gathered, due = "", 0.0
    for event in events:
        if isinstance(event, Delta) and time.monotonic() < due:
            gathered += event.text
        elif isinstance(event, Delta):
            yield Delta(gathered + event.text)
            gathered, due = "", time.monotonic() + _SECONDS_BETWEEN_DRAFTS
        else:
            yield event


def _failure(error: Exception, words: Strings) -> str:
    """The notice for a question that failed; what nobody expected goes to the log."""
    if isinstance(error, BelegError):
        return words.failed.format(reason=render.markdown_text(str(error)))
    log.error("a question failed unexpectedly", exc_info=error)
    return words.broken
