"""The web chat: Gradio for the conversation, our own routes for everything that has an address."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from rag.engine import Engine
from rag.i18n import Words, words_for
from rag.serve.app import add_doors
from rag.serve.chat.conversation import Chat, View
from rag.serve.chat.messages import Shown
from rag.serve.links import PREFIX, STATIC, below
from rag.serve.logs import HEADER, within
from rag.serve.pages.articles import add_articles_page
from rag.serve.pages.catalogue import Catalogue, choice_of, chosen_html
from rag.serve.pages.overview import Overview
from rag.serve.pages.plain import add_plain_form
from rag.serve.pages.routes import (
    add_answer_routes,
    add_article_routes,
    add_choice_route,
    add_interface_routes,
    add_report_route,
    words_of,
)
from rag.serve.queue import Queue, Service
from rag.serve.security.guard import Limits
from rag.serve.views import chat_head, fragment
from rag.settings import Settings
from rag.store.answers import Rating, Records
from rag.uploads import Intake

_DAY = 86_400  # seconds that Gradio keeps its files
_REFUSED_AT_ONCE = 50
_MINUTE = 60.0  # seconds between updates of Gradio's own queue, which is never used

Outputs = tuple[Any, ...]


def create_app(
    engine: Engine,
    settings: Settings,
    intake: Intake | None = None,
    *,
    limits: Limits | None = None,
    queue: Queue | None = None,
) -> FastAPI:
    """The whole site: articles at /quelle/… and /artikel, our files at /beleg/…, the chat at /.

    The doors for programs are beside them, and one guard protects all. Several dossiers, an app each, share
    `limits` and `queue`.
    Raises ConfigError when `BELEG_AUTH` is malformed.
    """
    app = FastAPI(title="Beleg", docs_url=None, redoc_url=None, openapi_url=None)
    service = Service(engine, settings, Records(settings.data_dir), queue)
    catalogue = Catalogue(engine.library, settings.uploads_dir)
    add_doors(app, service, catalogue, intake, limits)
    add_article_routes(app, engine, catalogue)
    add_choice_route(app, catalogue)
    add_plain_form(app, service, catalogue)
    add_answer_routes(app, engine, service.records)
    add_report_route(app, settings)
    add_interface_routes(app)
    add_articles_page(app, catalogue, settings, intake)
    app.mount("/beleg", StaticFiles(directory=STATIC), name="beleg")
    page = build_chat(Chat(service), catalogue)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=settings.article_limit,
        favicon_path=str(STATIC / "favicon.png"),
        theme=gr.themes.Base(font=["IBM Plex Sans", "system-ui", "sans-serif"]),
        head=chat_head(settings.dossier),
    )
    return app


def build_chat(chat: Chat, catalogue: Catalogue) -> gr.Blocks:
    """The page: header, conversation, notice, composer; our styles and scripts do the rest."""
    settings, words = chat.service.settings, words_for(None)
    page = Page(chat, catalogue, settings.dossier_names)
    demo: gr.Blocks
    title = f"{settings.dossier} – Beleg" if settings.dossier else "Beleg"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(_DAY, _DAY)) as demo:
        header = gr.Markdown(chat.masthead(words), elem_id="masthead")
        shown = gr.Chatbot(
            elem_id="conversation",
            show_label=False,
            container=False,
            height=None,
            buttons=["copy"],
            editable="user",
            latex_delimiters=[],
            allow_tags=False,
            autoscroll=False,
            placeholder=fragment("start", words),
            examples=_examples(chat.suggestions(words)),
        )
        choice = gr.Markdown(elem_id="choice")
        notice = gr.Markdown(elem_id="notice")
        question = gr.Textbox(
            elem_id="composer",
            show_label=False,
            container=False,
            max_lines=8,
            submit_btn=True,
            placeholder=words("chat.placeholder"),
            label=words("chat.question"),
        )
        footnote = gr.Markdown(chat.footnote(words), elem_id="footnote")
        # conversations.js puts a kept conversation in here to have it shown
        reopened = gr.Textbox(elem_id="reopened", visible="hidden", show_label=False)
        # choice.js writes in here which articles answer
        chosen = gr.Textbox(elem_id="chosen", visible="hidden", show_label=False)
        results = [shown, question, notice]
        private: Any = {"api_visibility": "private"}
        at_once: Any = {"queue": False, **private}
        running: list[Any] = [
            question.submit(page.ask, [question, shown, chosen], results, **private),
            shown.example_select(page.choose, [shown, chosen], results, **private),
            shown.option_select(page.choose, [shown, chosen], results, **private),
            shown.retry(page.retry, [shown, chosen], results, **private),
            shown.edit(page.edit, [shown, chosen], results, **private),
        ]

        # an answer is stopped once the browser has dropped it; a question sent before that would be lost
        question.stop(None, cancels=running, **at_once)
        for each in running:
            each.then(page.settle, [shown], [shown, question], **at_once)
        # what is opened while another thing is still being opened comes after that
        reopened.change(None, cancels=running, **at_once).then(
            page.reopen, [reopened], results, trigger_mode="always_last", **at_once
        )
        chosen.change(page.narrow, [chosen], [choice], **at_once)
        shown.like(page.like, [shown], None, **at_once)
        greeting = [header, shown, question, footnote]
        demo.load(page.greet, None, greeting, **at_once).then(page.suggest, None, shown, **at_once)
    # more than the queue admits, so that a refusal comes at once and in the reader's language;
    # a mounted page has no `launch`, whose parameters these attributes are
    most = settings.readers + settings.waiting + _REFUSED_AT_ONCE
    demo.max_threads = most  # an answer keeps its thread while it waits for its turn
    demo.queue(default_concurrency_limit=most, max_size=most, status_update_rate=_MINUTE)
    # Gradio would keep the conversations of 10,000 pages in memory; the browser sends ours each time
    demo.state_session_capacity = most
    return demo


class Page:
    """The events of the page, from Gradio's terms to the chat's and back."""

    def __init__(self, chat: Chat, catalogue: Catalogue, dossiers: Sequence[str] = ()) -> None:
        self.chat, self.catalogue, self.overview = chat, catalogue, Overview(catalogue, chat.engine.differing)
        self.dossiers = dossiers

    def greet(self, request: gr.Request) -> Outputs:
        """The texts before a question is asked, in the reader's language; suggestions as far as known."""
        words = self._words(request)
        start = f"{fragment('start', words)}\n\n{self.overview.html(words)}"
        return (
            self.chat.masthead(words),
            gr.Chatbot(placeholder=start, examples=_examples(self.chat.suggested(words))),
            gr.Textbox(placeholder=words("chat.placeholder"), label=words("chat.question")),
            self.chat.footnote(words),
        )

    def suggest(self, request: gr.Request) -> Any:
        """Questions to begin with, in the reader's language."""
        return gr.Chatbot(examples=_examples(self.chat.suggestions(self._words(request))))

    def narrow(self, chosen: str, request: gr.Request) -> str:
        """The choice of articles, above the composer."""
        return chosen_html(self.chat.engine, self.catalogue, chosen, self._words(request))

    def ask(self, question: str, shown: Shown, chosen: str, request: gr.Request) -> Iterator[Outputs]:
        """A question from the composer."""
        yield from self._views(request, chosen, self.chat.ask, question, shown)

    def choose(
        self, shown: Shown, chosen: str, request: gr.Request, event: gr.SelectData
    ) -> Iterator[Outputs]:
        """A suggested question, or an option below an answer."""
        option = event.value["text"] if isinstance(event.value, dict) else event.value
        yield from self._views(request, chosen, self.chat.choose, str(option), shown)

    def retry(self, shown: Shown, chosen: str, request: gr.Request, event: gr.RetryData) -> Iterator[Outputs]:
        """The same question once more."""
        yield from self._views(request, chosen, self.chat.ask_again, "", shown, _index(event))

    def edit(self, shown: Shown, chosen: str, request: gr.Request, event: gr.EditData) -> Iterator[Outputs]:
        """A changed question in place of the old one."""
        yield from self._views(request, chosen, self.chat.ask_again, str(event.value), shown, _index(event))

    def _views(
        self, request: gr.Request, chosen: str, asking: Callable[..., Iterator[View]], *what: Any
    ) -> Iterator[Outputs]:
        """The updates while a question is answered; closed early, the chat's views are closed too."""
        views = asking(*what, self._words(request), choice_of(chosen))
        with closing(within(request.headers.get(HEADER), views)) as made:  # type: ignore[type-var]
            yield from map(_outputs, made)

    def settle(self, shown: Shown, request: gr.Request) -> Outputs:
        """Keeps the text so far of a stopped answer; leaves a complete one alone."""
        view = self.chat.stop(shown, self._words(request))
        said, composer, _ = _outputs(View() if view.shown == shown else view)
        return said, composer

    def reopen(self, kept: str, request: gr.Request) -> Outputs:
        """A conversation that the browser has kept, as `{"turns"}`, or whose last `{"answer"}` it knows."""
        try:
            read = json.loads(kept)
        except ValueError:
            read = None
        sent, words = read if isinstance(read, dict) else {}, self._words(request)
        answer = sent.get("answer")
        view = self.chat.look_up(str(answer), words) if answer else self.chat.reopen(sent.get("turns"), words)
        said, composer, notice = _outputs(view)
        if view.shown:
            messages: Any = view.shown
            said = gr.Chatbot(value=messages, feedback_value=self.chat.ratings(view.shown))
        return said, composer, notice

    def like(self, shown: Shown, event: gr.LikeData) -> None:
        """A thumb up, down, or taken back."""
        ratings: dict[Any, Rating] = {True: "up", "Like": "up", False: "down", "Dislike": "down"}
        self.chat.rate(shown, _index(event), ratings.get(event.liked))

    def _words(self, request: gr.Request) -> Words:
        """The reader's language; sets the path for links, and the dossiers, to those of the request."""
        below(request.headers.get(PREFIX, ""), self.dossiers)
        return words_of(request)


def _examples(questions: Iterable[str]) -> Any:
    return [{"text": question} for question in questions]


def _index(event: Any) -> int:
    """The place of a message in the conversation."""
    return int(event.index[0] if isinstance(event.index, (list, tuple)) else event.index)


def _outputs(view: View) -> Outputs:
    """Updates of conversation, composer and notice; to leave the notice alone would have Gradio make one."""
    composer: dict[str, Any] = {} if view.question is None else {"value": view.question}
    if view.answering is not None:
        composer |= {"submit_btn": not view.answering, "stop_btn": view.answering}
    return (
        gr.skip() if view.shown is None else view.shown,
        gr.Textbox(**composer) if composer else gr.skip(),
        view.notice,
    )
