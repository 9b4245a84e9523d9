"""An Answer as it is sent: as plain data, behind `--json`, REST, MCP and the evaluation; and as plain text.

The values of `rag.schema` describe the data; here is only the difference: a passage is flat, without its
whole article.
"""

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from rag import schema
from rag.answering.texts import say
from rag.errors import BadRequest

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found, `text[start:end]` of its article; `score` is 0 to 1."""

    chunk_id: str
    article_id: str
    start: int
    end: int
    text: str
    score: float
    title: str | None
    outlet: str | None
    published: date | None


@dataclass(frozen=True, slots=True)
class Answer(schema.Answer):
    __doc__ = schema.Answer.__doc__
    __pydantic_config__: ClassVar = schema.SENT_WHOLE
    passages: tuple[Passage, ...]  # type: ignore[assignment]


_ANSWER = TypeAdapter(Answer)
_PASSAGE = TypeAdapter(Passage)
_FIELDS = tuple(field.name for field in fields(schema.Answer))


def answer_to_dict(answer: schema.Answer) -> Json:
    """The answer as a dict for `json.dumps`; dates are ISO, unknown is null.

    {"text": "Keine Einigung, kein Abkommen. [1]", "abstained": false, "certainty": "sure", "reason": null,
     "citations": [{"number": 1, "article_id": "002_ba0a", "start": 812, "end": 843, "quote": "Keine …",
                    "outlet": "taz", "published": "2025-08-16", …}], "passages": […], …}
    """
    told: Json = _ANSWER.dump_python(sent_answer(answer), mode="json")
    return told


def sent_answer(answer: schema.Answer) -> Answer:
    """The answer as it is sent."""
    given = {name: getattr(answer, name) for name in _FIELDS}
    passages = tuple(map(sent_passage, answer.passages))
    return Answer(**{**given, "passages": passages, "confidence": float(answer.confidence)})


def answer_from_dict(sent: Json) -> schema.Answer:
    """The answer from the dict of `answer_to_dict`; articles have only the fields that were sent.

    Raises BadRequest for anything else.
    """
    if isinstance(sent, dict) and "abstained" in sent:  # older ones lack it
        sent = {"certainty": "none" if sent["abstained"] else "sure", **sent}
    try:
        read = _ANSWER.validate_python(sent)
    except ValidationError as exc:
        place = ".".join(map(str, exc.errors()[0]["loc"]))
        raise BadRequest(f"this is no answer as Beleg writes it: {place} {exc.errors()[0]['msg']}") from exc
    later = ("withheld", "by_words", "contradictions", "filters")  # older ones lack them
    if missing := [name for name in _FIELDS if name not in sent and name not in later]:
        raise BadRequest(f"this is no answer as Beleg writes it: {', '.join(missing)} is missing")
    given = {name: getattr(read, name) for name in _FIELDS}
    return schema.Answer(**{**given, "passages": tuple(map(_whole, read.passages))})


def passage_to_dict(passage: schema.Passage) -> Json:
    """A passage as a dict for `json.dumps`."""
    told: Json = _PASSAGE.dump_python(sent_passage(passage), mode="json")
    return told


def json_line(data: Json) -> str:
    """JSON on one line, with umlauts unescaped; a lone surrogate, which cannot be encoded, becomes `?`."""
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace").decode()


def sent_passage(passage: schema.Passage) -> Passage:
    """A passage as it is sent."""
    chunk, article = passage.chunk, passage.article
    place = (chunk.id, article.id, chunk.start, chunk.end, chunk.text)
    return Passage(*place, float(passage.score), article.title, article.outlet, article.published)


def _whole(sent: Passage) -> schema.Passage:
    version = sent.chunk_id.rpartition("#")[0].rpartition("#")[2]
    known: Json = {"title": sent.title, "outlet": sent.outlet, "published": sent.published}
    article = schema.Article(id=sent.article_id, text="", source="", sha256=version, **known)
    chunk = schema.Chunk(sent.chunk_id, sent.article_id, 0, sent.start, sent.end, sent.text, ())
    return schema.Passage(chunk, article, sent.score)


# --- as text, for terminals and for the models of other programs


def answer_text(answer: schema.Answer, *, quotes: bool = False) -> str:
    """The text, what each `[n]` cites (with its words if `quotes`), doubts, and where to read on."""
    doubts = [
        f"{say(each.status, answer.language)}: {each.text}"
        for each in answer.statements
        if each.status in ("weak", "unsupported")
    ]
    cited = [f"[{c.number}] {_with_quote(c) if quotes else place(c)}" for c in answer.citations]
    further = [say("read_on", answer.language), *(f"  {_with_quote(c)}" for c in answer.further)]
    blocks = ([answer.text], cited, doubts, further if answer.further else [])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def place(citation: schema.Citation) -> str:
    """Title, outlet, date, page and offsets; what is unknown is left out, the article's id remains."""
    day = citation.published.isoformat() if citation.published else None
    page = f"p. {citation.page}" if citation.page else None
    stated = ", ".join(part for part in (citation.title, citation.outlet, day, page) if part)
    return f"{stated or citation.article_id} ({citation.article_id}:{citation.start}-{citation.end})"


def _with_quote(citation: schema.Citation) -> str:
    return f"{place(citation)}: {' '.join(citation.quote.split())}"
