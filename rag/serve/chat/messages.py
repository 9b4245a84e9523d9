"""A conversation in the form of the chat's component: messages of Markdown and HTML, with metadata.

A message is `{"role", "content": [part, …], "metadata", "options"}`. The browser returns the metadata
unchanged: `log` is the plain text, the question as typed or the answer without citations; `id` is that of the
answer's record, or `DRAFT` while it is incomplete. A message without text failed. The step that shows what
was searched has a `title`. A turn is a question with its step and answer; the first part of an answer is its
text, the evidence follows.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from rag.errors import BadRequest
from rag.i18n import Words
from rag.schema import Answer, Message, Passage
from rag.serve.chat import render
from rag.serve.views import fragment, markdown_text
from rag.store.library import Library
from rag.wire import Json, answer_from_dict

ChatMessage = dict[str, Any]
Shown = list[ChatMessage]

WITHOUT_MODEL = "\u2060without-model"
"""Value of the option for an answer without the language model; no question can have it."""

DRAFT = "draft"  # the id of an incomplete answer


class Turn(NamedTuple):
    """A question as it was typed, and the messages that answer it."""

    question: str
    replies: Shown

    @property
    def answer(self) -> ChatMessage | None:
        """The message with the answer's text, None while there is none."""
        return next((reply for reply in self.replies if not is_step(reply)), None)


def user_message(question: str) -> ChatMessage:
    """A question as a message; Markdown in it is shown literally."""
    lines = "\n".join(map(markdown_text, question.strip().splitlines()))
    return {"role": "user", "content": lines, "metadata": {"log": question.strip()}}


def assistant_message(*content: str, **metadata: str) -> ChatMessage:
    """An answer as a message: its text, and what stands below it."""
    return {"role": "assistant", "content": [part for part in content if part], "metadata": metadata}


def search_message(
    passages: Sequence[Passage], articles: int, seconds: float, words: Words, answer: Answer | None = None
) -> ChatMessage:
    """The step that shows what was searched, of how many articles, and how many the answer cites."""
    cited = None if answer is None else len({citation.article_id for citation in answer.citations})
    title = render.search_title(articles, cited, seconds, words)
    body = render.search_html(passages, words)
    return assistant_message(body or title, title=title, status="done")


def step_message(passages: Sequence[Passage], step: str, asked: str, words: Words) -> ChatMessage:
    """A further step of the model, with what was new by it."""
    title = words(f"answer.step_{step}", asked=markdown_text(asked), n=len(passages))
    return assistant_message(render.search_html(passages, words) or title, title=title, status="done")


def answer_message(
    answer: Answer, words: Words, articles: Library | None = None, *, model_left_out: bool = False
) -> ChatMessage:
    """A verified answer with evidence and record; the articles show what has changed since."""
    label = f"{fragment('label', words, said=words('answer.extractive'))}\n\n" if model_left_out else ""
    evidence = render.evidence_html(answer, words, articles)
    text = label + render.answer_markdown(answer, words)
    # the link that saves an answer also tells our scripts which record an answer on the page is
    record = fragment("record", words, ident=quote(answer.id, safe=""))
    return assistant_message(text, evidence + record, id=answer.id, log=render.spoken(answer))


def failure_message(reason: str, partial: str, words: Words) -> ChatMessage:
    """The text so far when the language model failed, marked as such, with a way on."""
    draft = render.draft_markdown(partial)
    told = words("answer.partial" if draft else "answer.model_failed", reason=reason)
    failed = assistant_message(draft, fragment("failure", words, said=told))
    return {**failed, "options": [{"value": WITHOUT_MODEL, "label": words("chat.without_model")}]}


def with_options(message: ChatMessage, questions: Iterable[str]) -> ChatMessage:
    """The message with questions to ask next."""
    return {**message, "options": [{"value": question} for question in questions]}


def stopped(shown: Shown, words: Words) -> Shown:
    """The conversation with its last answer marked as stopped, unless that is complete."""
    reply = next((turn.answer for turn in reversed(turns(shown))), None)
    if not shown or (reply and _known(reply, "id") != DRAFT):
        return shown
    kept, content, text = (shown[:-1], parts(reply), said(reply)) if reply else (shown, [], "")
    return [*kept, _stopped_message(content, text, words("answer.stopped"), words)]


def _stopped_message(content: Iterable[str], text: str, told: str, words: Words) -> ChatMessage:
    return assistant_message(*content, fragment("stopped", words, said=told), log=text)


def parts(message: ChatMessage) -> list[str]:
    """The Markdown or HTML parts of a message, in whichever form the component keeps them."""
    content = message["content"]
    pieces = content if isinstance(content, list) else [content]
    return [str(piece.get("text", "")) if isinstance(piece, dict) else str(piece) for piece in pieces]


def is_step(message: ChatMessage) -> bool:
    """Whether a message only shows what was searched."""
    return bool(_known(message, "title"))


def record_id(message: ChatMessage) -> str | None:
    """The id of the answer in a message; None if it is incomplete or failed."""
    ident = _known(message, "id")
    return ident if ident != DRAFT else None


def last_record(shown: Shown) -> str | None:
    """The id of the last answer of a conversation."""
    return next(filter(None, map(record_id, reversed(shown))), None)


def said(message: ChatMessage) -> str:
    """The plain text of a message: a question as typed, an answer without citations."""
    return _known(message, "log") or ""


def _known(message: ChatMessage, name: str) -> str | None:
    return (message.get("metadata") or {}).get(name)


def turns(shown: Shown) -> list[Turn]:
    """The conversation, question by question."""
    starts = [index for index, message in enumerate(shown) if message["role"] == "user"]
    ends = [*starts[1:], len(shown)]
    return [Turn(said(shown[at]), shown[at + 1 : end]) for at, end in zip(starts, ends, strict=False)]


def history(shown: Shown) -> list[Message]:
    """The conversation for the engine, without citations, cards, steps and failures."""
    told: list[Message] = []
    for turn in turns(shown):
        if turn.answer and (answer := said(turn.answer)):
            told += [Message("user", turn.question), Message("assistant", answer)]
    return told


def restored(kept: Any, articles: Library, held: int, words: Words) -> Shown:
    """The messages of kept turns: `{"question", "record"}`, or `{"question", "text"}` of a draft.

    `held` is how many articles there are. Raises BadRequest when this is no kept conversation.
    """
    if not isinstance(kept, list):
        raise BadRequest("a kept conversation is a list of turns")
    shown: Shown = []
    for turn in kept:
        if not isinstance(turn, dict) or not isinstance(turn.get("question"), str):
            raise BadRequest("a kept turn has a question")
        shown.append(user_message(turn["question"]))
        record: Json | None = turn.get("record")
        if record is None:
            draft = str(turn.get("text") or "")
            told = words("answer.cut" if turn.get("cut") else "answer.stopped")
            text, plain = render.draft_markdown(draft), render.without_markers(draft)
            shown.append(_stopped_message([text], plain, told, words))
            continue
        answer = answer_from_dict(record)
        if answer.passages:
            took = float(answer.timings.get("retrieval", 0.0))
            shown.append(search_message(answer.passages, held, took, words, answer))
        shown.append(answer_message(answer, words, articles))
    return shown
