"""JSON Lines: an article a line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ingest.readers.document import Document, Reading, metadata
from ingest.readers.encoding import decode
from rag.errors import ArticleError
from rag.text.normalize import normalise


def read_jsonl(path: Path, data: bytes) -> Reading:
    documents: list[Document] = []
    problems: list[str] = []
    ids: dict[str, int] = {}
    # not splitlines(): U+2028 is allowed inside a JSON string
    for number, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            document, notes = _json_document(line, where)
            if document.id and ids.setdefault(document.id, number) != number:
                raise ArticleError(
                    f"{where}: the id '{document.id}' is already taken by line {ids[document.id]}; change one"
                )
        except ArticleError as exc:
            problems.append(str(exc))
            continue
        documents.append(document)
        problems.extend(notes)
    if not documents:
        raise ArticleError(f"{path} has no usable line: {problems[0] if problems else 'it is empty'}")
    return Reading(tuple(documents), tuple(problems))


def _json_document(line: str, where: str) -> tuple[Document, list[str]]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise ArticleError(f"{where}: not JSON ({exc}); write one object a line") from exc
    if not isinstance(fields, dict):
        raise ArticleError(f'{where}: not a JSON object; write {{"text": "…"}}')
    text = fields.get("text")
    if not isinstance(text, str) or not re.search(r"\w", text):
        raise ArticleError(f'{where}: no "text"; every line needs one')
    known, problems = metadata(fields, where)
    return Document(normalise(text), **known), problems
