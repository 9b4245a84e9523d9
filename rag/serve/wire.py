"""An Answer as plain data: the one contract behind `--json`, REST, MCP and the evaluation."""

from __future__ import annotations

from typing import Any

from rag.schema import Answer, Citation, Passage, Statement

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
        "usage": dict(answer.usage),
        "timings": dict(answer.timings),
    }


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
