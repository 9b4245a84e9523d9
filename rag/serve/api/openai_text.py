"""An answer in OpenAI's terms: content with links, annotations, tokens; a conversation read back. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from openai.types import CompletionUsage
from openai.types.chat.chat_completion_message import Annotation, AnnotationURLCitation

from rag.errors import BadRequest
from rag.question.followup import MESSAGE_LIMIT
from rag.schema import Answer, Citation, Message
from rag.serve.api.openai_models import ChatMessage, InputItem
from rag.serve.links import citation_path
from rag.text.normalize import count_tokens

_MARKER = re.compile(r"\[(\d{1,3})\]")
_DEFINITION = re.compile(r"^\[\d{1,3}\]: <[^>\n]*>.*$", re.MULTILINE)
_FOREIGN = re.compile(r"\\|\[(?!\d{1,3}\])|!(?=\[)|(?<=\])[(:\[]|<(?=[A-Za-z/!?])")
_UNDECIDED = re.compile(r"(?:\[\d{0,3}|[<!])+\Z")
_ESCAPED = re.compile(r"\\([\\\[!(:])")
# what Open WebUI asks its model for a title, tags, further questions, searches, or with documents of its own
_TASK = re.compile(r"\s*#{1,6} Task:|.*<(?:chat_history|context|user_query)>", re.DOTALL)
_TEXTS = frozenset({"text", "refusal", "input_text", "output_text", "summary_text"})
_LONGEST_KEPT = 20_000  # characters of an earlier message, before its definitions are taken away


def references(answer: Answer, site: str, text: str | None = None) -> str:
    """Markdown definitions that turn every `[n]` of a text into a link; they go at its end.

    [1]: <http://127.0.0.1:7860/quelle/…?von=812&bis=843&v=…#beleg> "taz: Roter Teppich für Putin"
    """
    text = answer.text if text is None else text
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


def decided(text: str) -> str:
    """The beginning of a growing text whose escaping is final."""
    return _UNDECIDED.sub("", text)


def cut(text: str, most: int | None, stop: str | Sequence[str] | None) -> tuple[str, bool]:
    """The text before the first of the stop strings, and of at most so many tokens; whether those cut it."""
    ends = [text.find(each) for each in ([stop] if isinstance(stop, str) else stop or ()) if each]
    text = text[: min((end for end in ends if end >= 0), default=len(text))]
    if most is None or count_tokens(text) <= most:
        return text, False
    low, high = 0, len(text)
    while low < high:  # the longest beginning that has no more
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_tokens(text[:middle]) <= most else (low, middle - 1)
    return text[:low], True


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


def usage(answer: Answer, asked: Iterable[Message], text: str) -> CompletionUsage:
    """Tokens, as the model's server reports them; without a model, of the conversation and the text sent."""
    if {"prompt_tokens", "completion_tokens"} <= answer.usage.keys():
        taken, given = (int(answer.usage[name]) for name in ("prompt_tokens", "completion_tokens"))
    else:
        taken, given = sum(count_tokens(each.content) for each in asked), count_tokens(text)
    return CompletionUsage(prompt_tokens=taken, completion_tokens=given, total_tokens=taken + given)


def conversation(sent: Sequence[ChatMessage | InputItem], turns: int) -> tuple[str, list[Message]]:
    """The question, which is the last message, and the latest messages before it.

    Messages of system and tools are left out: answers come from the articles alone. Raises BadRequest if the
    last message is not the user's, or is a task that a client gives its model.
    """
    if sent[-1].role != "user":
        raise BadRequest("The last message is the question; its role is user.")
    question = _text(sent[-1])
    if _TASK.match(question[:_LONGEST_KEPT]):
        raise BadRequest(
            "This is no question but a client's task (a title, tags, further questions, documents to answer"
            " from); Beleg answers from its own articles alone. Choose another task model, or switch it off."
        )
    said = (
        Message("user" if message.role == "user" else "assistant", _said(_text(message)[:_LONGEST_KEPT]))
        for message in reversed(sent[:-1])
        if message.role in ("user", "assistant")
    )
    return question, [*islice((message for message in said if message.content), turns)][::-1]


def _said(text: str) -> str:
    """An earlier message without what makes it Markdown: definitions and escapes."""
    plain = _DEFINITION.sub("", text).strip()
    return _ESCAPED.sub(r"\1", plain).replace("&lt;", "<")[:MESSAGE_LIMIT]


def _text(message: ChatMessage | InputItem) -> str:
    if isinstance(message.content, list):
        if any(part.type not in _TEXTS for part in message.content):
            raise BadRequest("Only text can be read; please leave out images, sound and files.")
        return " ".join(part.text for part in message.content if part.text)
    return message.content or ""


def _title(citation: Citation) -> str:
    """taz: Roter Teppich für Putin, p. 4; what is unknown is left out, the id remains."""
    known = ": ".join(part for part in (citation.outlet, citation.title) if part) or citation.article_id
    known += f", p. {citation.page}" if citation.page else ""
    known = known.replace("<", "‹").replace(">", "›")
    return " ".join(known.replace('"', "'").replace("\\", "/").split())
