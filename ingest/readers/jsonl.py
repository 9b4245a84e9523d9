"""JSON Lines: an article a line."""

import json
import re

from ingest.readers.document import Document, Reading, decode, metadata, refuse_long
from rag.errors import ArticleError
from rag.i18n import Phrase
from rag.text.normalize import normalise


def read_jsonl(data: bytes) -> Reading:
    documents: list[Document] = []
    problems: list[Phrase] = []
    ids: dict[str, int] = {}
    # not splitlines(): U+2028 is allowed inside a JSON string
    for number, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            document, notes = _json_document(line)
            if document.id and ids.setdefault(document.id, number) != number:
                raise ArticleError("id_taken", id=document.id, line=str(ids[document.id]))
            documents.append(document)
        except ArticleError as exc:
            notes = [exc.phrase]
        problems += [Phrase("at_line", line=str(number), problem=note) for note in notes]
    if not documents:
        raise ArticleError("no_usable_line", problem=problems[0] if problems else Phrase("it_is_empty"))
    return Reading(tuple(documents), tuple(problems))


def _json_document(line: str) -> tuple[Document, list[Phrase]]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise ArticleError("not_json", why=exc) from exc
    if not isinstance(fields, dict):
        raise ArticleError("no_json_object")
    given = {name.lower(): value for name, value in fields.items()}
    texts = (given.get(name) for name in ("text", "content", "body"))
    text = next((each for each in texts if isinstance(each, str) and re.search(r"\w", each)), None)
    if text is None:
        raise ArticleError("no_text_field")
    refuse_long(len(text.split()))
    known, problems = metadata(fields)
    return Document(normalise(text), **known), problems
