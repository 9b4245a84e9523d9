"""An answer in OpenAI's terms: text, links, tokens; as chat, completion or response, whole or as events."""

import re
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, NamedTuple
from uuid import uuid4

from openai.types import CompletionUsage
from openai.types.chat.chat_completion_message import Annotation, AnnotationURLCitation
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rag.schema import Answer, Citation, Delta, Done, Message
from rag.serve.api import schemas
from rag.serve.api.errors import openai_body, problem_in_stream
from rag.serve.links import citation_path
from rag.serve.queue import Events
from rag.text.normalize import count_tokens
from rag.wire import answer_to_dict, json_line, sent_answer

_MARKER = re.compile(r"\[(\d{1,3})\]")
_DEFINITION = re.compile(r"^\[\d{1,3}\]: <[^>\n]*>.*$", re.MULTILINE)
_FOREIGN = re.compile(r"\\|\[(?!\d{1,3}\])|!(?=\[)|(?<=\])[(:\[]|<(?=[A-Za-z/!?])")
_UNDECIDED = re.compile(r"(?:\[\d{0,3}|[<!])+\Z")
_ESCAPED = re.compile(r"\\([\\\[!(:])")
_UNQUOTED = str.maketrans({"<": "‹", ">": "›", '"': "'", "\\": "/"})
Json = dict[str, Any]
Stop = Annotated[str | Annotated[list[str], Field(max_length=4, fail_fast=True)] | None, Field()]
Chosen = Annotated[schemas.Chosen, Field(description="Beleg's own: which articles may answer")]


def references(answer: Answer, site: str, text: str) -> str:
    """Markdown definitions that turn every `[n]` of a text into a link; they go at its end.

    [1]: <http://127.0.0.1:7860/quelle/…?von=812&bis=843&v=…#beleg> "taz: Roter Teppich für Putin"
    """
    lines = [
        f'[{c.number}]: <{site}{citation_path(c)}> "{_title(c)}"'
        for c in answer.citations
        if f"[{c.number}]" in text
    ]
    return "\n\n" + "\n".join(lines) if lines else ""


def escaped(text: str) -> str:
    r"""Text of articles and models as Markdown in which only our `[n]` are links, and nothing loads.

    >>> escaped("![x](http://a.example) <img src=x> [1](http://b.example) 3 < 5")
    '\\!\\[x]\\(http://a.example) &lt;img src=x> [1]\\(http://b.example) 3 < 5'
    """
    return _FOREIGN.sub(lambda found: "&lt;" if found[0] == "<" else f"\\{found[0]}", text)


def plain(text: str) -> str:
    """The words of an earlier answer, without what makes it Markdown: definitions and escapes."""
    return _ESCAPED.sub(r"\1", _DEFINITION.sub("", text).strip()).replace("&lt;", "<")


def decided(text: str) -> str:
    """The beginning of a growing text whose escaping is final."""
    return _UNDECIDED.sub("", text)


def cut(text: str, most: int | None, stop: str | Sequence[str] | None) -> tuple[str, bool]:
    """The text before the first of the stop strings, and of at most so many tokens; whether those cut it."""
    ends = [text.find(each) for each in ([stop] if isinstance(stop, str) else stop or ()) if each]
    text = text[: min((end for end in ends if end >= 0), default=len(text))]
    if most is None or count_tokens(text) <= most:
        return text, False
    lengths = range(len(text) + 1)
    longest = bisect_right(lengths, most, key=lambda length: count_tokens(text[:length])) - 1
    return text[:longest], True


def correction(said: str, answer: Answer) -> str:
    """The text to append to a draft that differs from the verified answer: a line, and that answer."""
    return "" if said.split() == answer.text.split() else f"\n\n---\n\n{escaped(answer.text)}"


def url_citations(content: str, answer: Answer, site: str) -> list[Annotation]:
    """Each `[n]` of the content, with the place that it cites."""
    cited = {citation.number: citation for citation in answer.citations}
    definition = _DEFINITION.search(content)
    end = definition.start() if definition else len(content)
    marks = []
    for marker in _MARKER.finditer(content, 0, end):
        if place := cited.get(int(marker[1])):
            at = {"start_index": marker.start(), "end_index": marker.end()}
            url = AnnotationURLCitation(**at, url=f"{site}{citation_path(place)}", title=_title(place))
            marks.append(Annotation(type="url_citation", url_citation=url))
    return marks


def _title(citation: Citation) -> str:
    """taz: Roter Teppich für Putin, p. 4; what is unknown is left out, the id remains."""
    known = ": ".join(part for part in (citation.outlet, citation.title) if part) or citation.article_id
    known += f", p. {citation.page}" if citation.page else ""
    return " ".join(known.translate(_UNQUOTED).split())


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class Asking(BaseModel):
    """What each endpoint for questions takes."""

    model: str
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    stop: Stop = None
    filters: Chosen = None


class Wish(NamedTuple):
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
    # tokens as the model's server reports them; without a model, of the conversation and the text sent
    asked = [wish.question, *(message.content for message in wish.history)]
    taken, given = (answer.usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
    if taken is None or given is None:
        taken, given = sum(map(count_tokens, asked)), count_tokens(text)
    counted = CompletionUsage(prompt_tokens=taken, completion_tokens=given, total_tokens=taken + given)
    content = escaped(text) + references(answer, site, text)
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
            if not held:
                rest = escaped(said)[len(told) :] + correction(said, event.answer)
                whole = told + rest + references(event.answer, site, event.answer.text)
                reply = replace(reply, content=whole, marks=url_citations(whole, event.answer, site))
            yield reply.content[len(told) :]
            yield reply


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
