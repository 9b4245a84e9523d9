"""An Answer as plain data: the one contract behind `--json`, REST, MCP and the evaluation."""

from __future__ import annotations

from datetime import date
from typing import Any

from rag.errors import BadRequest
from rag.schema import Answer, Article, Chunk, Citation, Passage, Statement

Json = dict[str, Any]


def answer_to_dict(answer: Answer) -> Json:
    """The answer as a dict that `json.dumps` takes as it is; dates are ISO, unknown is null.

    {"text": "Keine Einigung, kein Abkommen. [1]", "abstained": false, "reason": null,
     "citations": [{"number": 1, "article_id": "002_ba0a", "start": 812, "end": 843, "quote": "Keine …",
                    "outlet": "taz", "published": "2025-08-16", …}], "passages": […], …}
    """
    return {
        "id": answer.id,
        "created": answer.created,
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "language": answer.language,
        "text": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "confidence": float(answer.confidence),
        "model": answer.model,
        "index_fingerprint": answer.index_fingerprint,
        "statements": [_statement(statement) for statement in answer.statements],
        "citations": [_citation(citation) for citation in answer.citations],
        "further": [_citation(citation) for citation in answer.further],
        "passages": [passage_to_dict(passage) for passage in answer.passages],
        "dropped": list(answer.dropped),
        "withheld": list(answer.withheld),
        "usage": dict(answer.usage),
        "timings": dict(answer.timings),
    }


def answer_from_dict(sent: Json) -> Answer:
    """The answer that `answer_to_dict` made; of a passage's article only what was sent is known.

    Raises BadRequest when it is something else.
    """
    try:
        _check(sent["question"], sent["text"], sent["language"], numbers=())
        return Answer(
            **{name: sent[name] for name in _PLAIN},
            statements=tuple(
                Statement(**{**each, "citations": tuple(each["citations"])}) for each in sent["statements"]
            ),
            citations=tuple(map(_citation_from, sent["citations"])),
            further=tuple(map(_citation_from, sent["further"])),
            passages=tuple(map(_passage_from, sent["passages"])),
            dropped=tuple(map(str, sent["dropped"])),
            withheld=tuple(map(str, sent.get("withheld", ()))),  # records of earlier versions have none
            usage=dict(sent["usage"]),
            timings=dict(sent["timings"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadRequest(f"this is no answer as Beleg writes it: {exc!r}") from exc


_PLAIN = (
    *("id", "created", "question", "standalone_question", "language", "text", "abstained", "reason"),
    *("model", "index_fingerprint", "confidence"),
)


def _citation_from(sent: Json) -> Citation:
    also_in = tuple(map(str, sent.get("also_in", ())))  # records of earlier versions have none
    citation = Citation(**{**sent, "published": _day(sent["published"]), "also_in": also_in})
    _check(citation.quote, citation.article_id, citation.sha256, numbers=(citation.start, citation.end))
    return citation


def _passage_from(sent: Json) -> Passage:
    ident, start, end = str(sent["article_id"]), int(sent["start"]), int(sent["end"])
    version = str(sent["chunk_id"]).rpartition("#")[0].rpartition("#")[2]
    known = {"title": sent["title"], "outlet": sent["outlet"], "published": _day(sent["published"])}
    article = Article(id=ident, text="", source="", sha256=version, **known)
    chunk = Chunk(str(sent["chunk_id"]), ident, 0, start, end, str(sent["text"]), ())
    return Passage(chunk, article, float(sent["score"]))


def _day(sent: str | None) -> date | None:
    return date.fromisoformat(sent) if sent else None


def _check(*texts: str, numbers: tuple[int, ...]) -> None:
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(n, int) for n in numbers):
        raise ValueError("texts and offsets of a citation")


def _statement(statement: Statement) -> Json:
    return {
        "text": statement.text,
        "citations": list(statement.citations),
        "status": statement.status,
        "start": statement.start,
        "end": statement.end,
        "repaired": statement.repaired,
    }


def _citation(citation: Citation) -> Json:
    return {
        "number": citation.number,
        "article_id": citation.article_id,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "status": citation.status,
        "title": citation.title,
        "outlet": citation.outlet,
        "published": citation.published.isoformat() if citation.published else None,
        "sha256": citation.sha256,
        "also_in": list(citation.also_in),
    }


def passage_to_dict(passage: Passage) -> Json:
    chunk, article = passage.chunk, passage.article
    return {
        "chunk_id": chunk.id,
        "article_id": article.id,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "score": float(passage.score),
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published.isoformat() if article.published else None,
    }


def article_facts(article: Article) -> Json:
    """What is known of an article beside its id and text, and which version of it that is."""
    return {
        "title": article.title,
        "outlet": article.outlet,
        "author": article.author,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
        "genre": article.genre,
        "sha256": article.sha256,
    }
