"""The web chat in Gradio's terms; our own styles and scripts do the rest of the page."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr
from fastapi import FastAPI

from rag.i18n import GERMAN, Words, words_for
from rag.serve.chat.conversation import Chat, View
from rag.serve.chat.messages import Shown
from rag.serve.links import PREFIX, STATIC, below
from rag.serve.logs import HEADER, within
from rag.serve.pages.catalogue import choice_of, chosen_html
from rag.serve.pages.overview import Overview
from rag.serve.pages.routes import words_of
from rag.serve.queue import Service
from rag.serve.views import fragment, page
from rag.store.answers import Rating

_DAY = 86_400  # seconds that Gradio keeps its files
_REFUSED_AT_ONCE = 50
_MINUTE = 60.0  # seconds between updates of Gradio's own queue, which is never used

Outputs = tuple[Any, ...]


def mount_chat(app: FastAPI, service: Service) -> None:
    """Adds the chat at / to an app."""
    # styles and scripts are named once for all readers, with relative addresses that fit any path
    head = page("chat_head.html", GERMAN, dossier=service.settings.dossier)
    gr.mount_gradio_app(
        app,
        _blocks(Chat(service)),
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=service.settings.article_limit,
        favicon_path=str(STATIC / "favicon.png"),
        theme=gr.themes.Base(font=["IBM Plex Sans", "system-ui", "sans-serif"]),
        head=head.replace('="/beleg/', '="./beleg/'),
    )


def _blocks(chat: Chat) -> gr.Blocks:
    """The page: header, conversation, notice, composer."""
    settings, words, events = chat.service.settings, words_for(None), _Page(chat)
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
            question.submit(events.ask, [question, shown, chosen], results, **private),
            shown.example_select(events.choose, [shown, chosen], results, **private),
            shown.option_select(events.choose, [shown, chosen], results, **private),
            shown.retry(events.retry, [shown, chosen], results, **private),
            shown.edit(events.edit, [shown, chosen], results, **private),
        ]

        # an answer is stopped once the browser has dropped it; a question sent before that would be lost
        question.stop(None, cancels=running, **at_once)
        for each in running:
            each.then(events.settle, [shown], [shown, question], **at_once)
        # what is opened while another thing is still being opened comes after that
        reopened.change(None, cancels=running, **at_once).then(
            events.reopen, [reopened], results, trigger_mode="always_last", **at_once
        )
        chosen.change(events.narrow, [chosen], [choice], **at_once)
        shown.like(events.like, [shown], None, **at_once)
        greeting = [header, shown, question, footnote]
        demo.load(events.greet, None, greeting, **at_once).then(events.suggest, None, shown, **at_once)
    # more than the queue admits, so that a refusal comes at once and in the reader's language;
    # a mounted page has no `launch`, whose parameters these attributes are
    most = settings.readers + settings.waiting + _REFUSED_AT_ONCE
    demo.max_threads = most  # an answer keeps its thread while it waits for its turn
    demo.queue(default_concurrency_limit=most, max_size=most, status_update_rate=_MINUTE)
    # Gradio would keep the conversations of 10,000 pages in memory; the browser sends ours each time
    demo.state_session_capacity = most
    return demo


class _Page:
    """The events of the page, from Gradio's terms to the chat's and back."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.overview = chat, Overview(chat.service.catalogue, chat.engine.differing)

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
        return gr.Chatbot(examples=_examples(self.chat.suggestions(self._words(request))))

    def narrow(self, chosen: str, request: gr.Request) -> str:
        return chosen_html(self.chat.engine, self.chat.service.catalogue, chosen, self._words(request))

    def ask(self, question: str, shown: Shown, chosen: str, request: gr.Request) -> Iterator[Outputs]:
        yield from self._views(request, chosen, self.chat.ask, question, shown)

    def choose(
        self, shown: Shown, chosen: str, request: gr.Request, event: gr.SelectData
    ) -> Iterator[Outputs]:
        """A suggested question, or an option below an answer."""
        option = event.value["text"] if isinstance(event.value, dict) else event.value
        yield from self._views(request, chosen, self.chat.choose, str(option), shown)

    def retry(self, shown: Shown, chosen: str, request: gr.Request, event: gr.RetryData) -> Iterator[Outputs]:
        yield from self._views(request, chosen, self.chat.ask_again, "", shown, _index(event))

    def edit(self, shown: Shown, chosen: str, request: gr.Request, event: gr.EditData) -> Iterator[Outputs]:
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
        return _outputs(View() if view.shown == shown else view)[:2]

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
            said = gr.Chatbot(value=said, feedback_value=self.chat.ratings(view.shown))
        return said, composer, notice

    def like(self, shown: Shown, event: gr.LikeData) -> None:
        """A thumb up, down, or taken back."""
        ratings: dict[Any, Rating] = {True: "up", "Like": "up", False: "down", "Dislike": "down"}
        self.chat.rate(shown, _index(event), ratings.get(event.liked))

    def _words(self, request: gr.Request) -> Words:
        """The reader's language; sets the path for links, and the dossiers, to those of the request."""
        below(request.headers.get(PREFIX, ""), self.chat.service.settings.dossier_names)
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
