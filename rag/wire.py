"""An Answer as plain data: the contract behind `--json`, REST, MCP and the evaluation.

The values of `rag.schema` describe it; this module has only the difference: a passage is flat, without its
whole article.
"""

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from rag import schema
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
