"""An answer in OpenAI's terms: content with links, annotations, tokens; a conversation read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from openai.types import CompletionUsage
from openai.types.chat.chat_completion_message import Annotation, AnnotationURLCitation

from rag.errors import BadRequest
from rag.schema import Answer, Citation, Message
from rag.serve.api.openai_models import ChatMessage
from rag.serve.pages.places import citation_path
from rag.text.normalize import count_tokens

_MARKER = re.compile(r"\[(\d{1,3})\]")
_DEFINITION = re.compile(r"\n*^\[\d{1,3}\]: <[^>\n]*>.*$", re.MULTILINE)


def references(answer: Answer, site: str) -> str:
    """What turns every `[n]` of a Markdown text into a link: definitions, to stand at its end.

    [1]: <http://127.0.0.1:7860/quelle/…?von=812&bis=843&v=…#beleg> "taz: Roter Teppich für Putin"
    """
    lines = [f'[{c.number}]: <{site}{citation_path(c)}> "{_title(c)}"' for c in answer.citations]
    return "\n\n" + "\n".join(lines) if lines else ""


def correction(said: str, answer: Answer) -> str:
    """What follows a draft that is not the verified answer: a line, and that answer; else nothing."""
    return "" if said.split() == answer.text.split() else f"\n\n---\n\n{answer.text}"


def url_citations(content: str, answer: Answer, site: str) -> list[Annotation]:
    """Each `[n]` of the content, with the place that it cites."""
    cited = {citation.number: citation for citation in answer.citations}
    end = content.rfind(references(answer, site)) if cited else 0
    return [
        Annotation(type="url_citation", url_citation=_url_citation(marker, cited[int(marker[1])], site))
        for marker in _MARKER.finditer(content, 0, end)
        if int(marker[1]) in cited
    ]


def _url_citation(marker: re.Match[str], cited: Citation, site: str) -> AnnotationURLCitation:
    start, end = marker.span()
    url = f"{site}{citation_path(cited)}"
    return AnnotationURLCitation(start_index=start, end_index=end, url=url, title=_title(cited))


def usage(answer: Answer, asked: Iterable[Message]) -> CompletionUsage:
    """Tokens, as the model's server reports them; without a model, of the conversation and the answer."""
    if {"prompt_tokens", "completion_tokens"} <= answer.usage.keys():
        taken, given = (int(answer.usage[name]) for name in ("prompt_tokens", "completion_tokens"))
    else:
        taken, given = sum(count_tokens(each.content) for each in asked), count_tokens(answer.text)
    return CompletionUsage(prompt_tokens=taken, completion_tokens=given, total_tokens=taken + given)


def conversation(sent: Sequence[ChatMessage]) -> tuple[str, list[Message]]:
    """The question, which is the last message, and what was said before it.

    Messages of the system and of tools are left out: only the articles say what is answered.
    Raises BadRequest when the last message is none of the user's.
    """
    if sent[-1].role != "user":
        raise BadRequest("The last message is the question; its role is user.")
    said = [(message.role, _text(message)) for message in sent if message.role in ("user", "assistant")]
    before = [
        Message("user" if role == "user" else "assistant", _DEFINITION.sub("", text))
        for role, text in said[:-1]
        if text.strip()
    ]
    return said[-1][1], before


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, list):
        if any(part.type not in ("text", "refusal") for part in message.content):
            raise BadRequest("Only text can be read; please leave out images, sound and files.")
        return "".join(part.text or "" for part in message.content)
    return message.content or ""


def _title(citation: Citation) -> str:
    """taz: Roter Teppich für Putin, p. 4; what is unknown is left out, the id remains."""
    known = ": ".join(part for part in (citation.outlet, citation.title) if part) or citation.article_id
    known += f", p. {citation.page}" if citation.page else ""
    return " ".join(known.replace('"', "'").replace("\\", "/").split())
