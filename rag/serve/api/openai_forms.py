"""An answer in the three forms of OpenAI's protocol: chat, completion and response, whole or as events."""

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from openai.types import CompletionUsage
from openai.types.chat.chat_completion_message import Annotation
from starlette.concurrency import run_in_threadpool

from rag.schema import Answer, Delta, Done, Message
from rag.serve.api.errors import openai_body, problem_in_stream
from rag.serve.api.openai_models import Asking
from rag.serve.api.openai_text import correction, cut, decided, escaped, references, url_citations, usage
from rag.serve.queue import Coming
from rag.wire import answer_to_dict, json_line, sent_answer

Events = AsyncGenerator[Coming]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client sent to any endpoint: `most` tokens of text are wanted."""

    sent: Asking
    question: str
    history: Sequence[Message]
    most: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer as Markdown, with its links at the end, and why it ends."""

    answer: Answer
    content: str
    marks: list[Annotation]
    finish: Literal["stop", "length"]
    usage: CompletionUsage
    made: int = field(default_factory=lambda: int(time.time()))


def reply_of(answer: Answer, wish: Wish, site: str) -> Reply:
    """The answer, cut as the client wishes; `beleg` has all of it."""
    text, is_cut = cut(answer.text, wish.most, wish.sent.stop)
    counted = usage(answer, [*wish.history, Message("user", wish.question)], text)
    text = escaped(text)
    content = text + references(answer, site, text)
    marks = url_citations(content, answer, site)
    return Reply(answer, content, marks, "length" if is_cut else "stop", counted)


def completion(reply: Reply, wish: Wish, *, chat: bool = True) -> Json:
    """As one object of the chat's endpoint, or of the older one."""
    message = {"role": "assistant", "content": reply.content, "refusal": None, "annotations": reply.marks}
    said = {"message": message} if chat else {"text": reply.content}
    return {
        "id": f"{'chatcmpl' if chat else 'cmpl'}-{reply.answer.id}",
        "object": "chat.completion" if chat else "text_completion",
        "choices": [{"index": 0, **said, "finish_reason": reply.finish, "logprobs": None}],
        "created": reply.made,
        "model": wish.sent.model,
        "usage": reply.usage,
        "beleg": sent_answer(reply.answer),
    }


def response(reply: Reply, wish: Wish) -> Json:
    """As one object of the newer endpoint."""
    whole = reply.finish == "stop"
    counted = {
        "input_tokens": reply.usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": reply.usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.usage.total_tokens,
    }
    return {
        **_response(f"resp_{reply.answer.id}", wish, reply.made),
        "status": "completed" if whole else "incomplete",
        "incomplete_details": None if whole else {"reason": "max_output_tokens"},
        "output": [_message(f"msg_{reply.answer.id}", reply)],
        "usage": counted,
        "beleg": answer_to_dict(reply.answer),
    }


def _response(ident: str, wish: Wish, made: int) -> Json:
    """A response that has begun."""
    settled = {"parallel_tool_calls": False, "tool_choice": "none", "tools": []}
    unset = dict.fromkeys(("error", "instructions", "temperature", "top_p"))
    begun = {"status": "in_progress", "output": [], "metadata": {}, **settled, **unset}
    return {"id": ident, "object": "response", "created_at": made, "model": wish.sent.model, **begun}


def _message(ident: str, reply: Reply | None = None) -> Json:
    done = [] if reply is None else [_part(reply)]
    status = "in_progress" if reply is None else "completed"
    return {"id": ident, "type": "message", "role": "assistant", "status": status, "content": done}


def _part(reply: Reply | None = None) -> Json:
    marks = [] if reply is None else [{"type": m.type, **m.url_citation.model_dump()} for m in reply.marks]
    return {"type": "output_text", "text": reply.content if reply else "", "annotations": marks}


# --- as events ------------------------------------------------------------------------------------


async def words(events: Events, wish: Wish, site: str) -> AsyncGenerator[str | Reply]:
    """Pieces of the reply that no later piece can turn into a link or picture, then the whole reply.

    Changes by the verification come at the end; a text with limits is sent after it is verified.
    """
    said, told = "", ""
    held = wish.most is not None or bool(wish.sent.stop)
    async for event in events:
        if isinstance(event, Delta) and not held:
            said += event.text
            safe = escaped(decided(said))
            yield safe[len(told) :]
            told = safe
        elif isinstance(event, Done):
            reply = await run_in_threadpool(reply_of, event.answer, wish, site)
            last = reply.content
            if not held:
                rest = escaped(said)[len(told) :] + correction(said, event.answer)
                last = rest + references(event.answer, site)
            whole = told + last
            yield last
            yield Reply(
                event.answer, whole, url_citations(whole, event.answer, site), reply.finish, reply.usage
            )


async def chunks(events: Events, wish: Wish, site: str, *, chat: bool = True) -> AsyncGenerator[str]:
    """The chunks of the chat, or of the older endpoint; the last has annotations and the whole answer.

    A failure is an error event, without `[DONE]`.
    """
    kind, ident = ("chat.completion.chunk", "chatcmpl") if chat else ("text_completion", "cmpl")
    made: Json = {"created": int(time.time()), "model": wish.sent.model}
    frame = {"id": f"{ident}-{uuid4().hex}", "object": kind, **made}

    def sent(text: str, finish: str | None = None, delta: Json | None = None, **more: Any) -> str:
        said = {"delta": {"content": text, **(delta or {})}} if chat else {"text": text}
        choice = {"index": 0, **said, "finish_reason": finish, "logprobs": None}
        return _data({**frame, "choices": [choice], **more})

    try:
        if chat:
            yield sent("", delta={"role": "assistant"})
        waiting = ""
        async for word in words(events, wish, site):
            if isinstance(word, str):
                if waiting:
                    yield sent(waiting)
                waiting = word
                continue
            marks = {"annotations": [mark.model_dump() for mark in word.marks]}
            yield sent(waiting, word.finish, marks, beleg=answer_to_dict(word.answer))
            if wish.sent.stream_options and wish.sent.stream_options.include_usage:
                yield _data({**frame, "choices": [], "usage": word.usage.model_dump(exclude_none=True)})
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield _data(openai_body(problem_in_stream(error)))


async def response_events(events: Events, wish: Wish, site: str) -> AsyncGenerator[str]:
    """The newer endpoint's events, from `response.created` to `response.completed`, or `error`."""
    ident, item, number = f"resp_{uuid4().hex}", f"msg_{uuid4().hex}", -1
    begun = _response(ident, wish, int(time.time()))
    place = {"item_id": item, "output_index": 0, "content_index": 0}

    def sent(kind: str, **more: Any) -> str:
        nonlocal number
        number += 1
        told = {"type": kind, "sequence_number": number, **more}
        return f"event: {kind}\n{_data(told)}"

    try:
        yield sent("response.created", response=begun)
        yield sent("response.in_progress", response=begun)
        yield sent("response.output_item.added", output_index=0, item=_message(item))
        yield sent("response.content_part.added", **place, part=_part())
        async for word in words(events, wish, site):
            if isinstance(word, str):
                if word:
                    yield sent("response.output_text.delta", **place, delta=word, logprobs=[])
                continue
            whole = response(word, wish)
            whole |= {"id": ident, "output": [_message(item, word)]}
            for index, mark in enumerate(_part(word)["annotations"]):
                added = "response.output_text.annotation.added"
                yield sent(added, **place, annotation_index=index, annotation=mark)
            yield sent("response.output_text.done", **place, text=word.content, logprobs=[])
            yield sent("response.content_part.done", **place, part=_part(word))
            yield sent("response.output_item.done", output_index=0, item=_message(item, word))
            yield sent(f"response.{whole['status']}", response=whole)
    except Exception as error:
        told = openai_body(problem_in_stream(error))["error"]
        yield sent("error", code=told["code"], message=told["message"], param=None)


def _data(told: Json) -> str:
    """An event."""
    return f"data: {json_line(told)}\n\n"
