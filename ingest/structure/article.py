"""Makes articles of raw documents: finds what the text states about itself, and sets it aside.

The text is never changed, because offsets must fit the original file. Titles, bylines, datelines, captions,
headings and footers are marked as asides: shown, but never answers. The words are in `[news]` of the
languages' files; anything that the rules do not recognise stays text.
"""

import functools
import hashlib
import json
import re
from typing import Any

from ingest.readers.document import Document
from ingest.structure.asides import COMMENT_NOTE, captions, glued_headings, head, headings, notices, tail
from ingest.structure.shapes import BY, RUBRIC, Finding, answerable, outside
from rag.schema import Article, Aside
from rag.text.languages import pattern
from rag.text.normalize import normalise, trimmed

__all__ = ["answerable", "article_from"]

_IS_COMMENT = re.compile(
    rf"{RUBRIC}(?:\s*[:|]|\s+[–-]\s|\s+(?:{BY}|{pattern('news.about')})\b)|.*(?:\(|[|–-]\s){RUBRIC}\)?$"
)


def article_from(document: Document, id: str, source: str) -> Article:
    """The article of a document; metadata of the container takes precedence over the text's."""
    text = normalise(document.text)
    language = document.language or detect_language(text)
    findings = _findings(text, document, language)
    marked = [Aside(*trimmed(text, found.start, found.end), found.kind) for found in findings]
    asides = sorted([*document.asides, *marked], key=lambda aside: aside.start)

    def stated(*names: str) -> Any:
        values = (found.facts.get(name) for name in names for found in findings)
        return getattr(document, names[0]) or next(filter(None, values), None)

    title, author = stated("title"), next(filter(None, (f.facts.get("author") for f in findings)), None)
    is_comment = _IS_COMMENT.match(title or "") or COMMENT_NOTE.search(text[-600:])
    facts: dict[str, Any] = {
        "title": title,
        "outlet": stated("outlet", "agency"),
        # a page's field may have more than the name: "Ann Kemp, Crime Correspondent Thursday"
        "author": author if author and author in (document.author or author) else document.author,
        "published": stated("published", "updated"),
        "language": language,
        "genre": stated("genre") or ("comment" if is_comment else None),
    }
    hashed = {**facts, "pages": document.pages} if document.pages else facts
    # asides, too, because they change how an article is chunked
    spans = [(aside.start, aside.end, aside.kind) for aside in asides]
    sha256 = hashlib.sha256(json.dumps([text, hashed, spans], default=str).encode()).hexdigest()
    return Article(id, text, source, sha256, asides=tuple(asides), pages=document.pages, **facts)


def _findings(text: str, document: Document, language: str | None) -> list[Finding]:
    """The findings of all detectors; each sees only what those before it left."""
    first = functools.partial(head, title=document.title, language=language)
    last = functools.partial(tail, structured=document.structured, language=language)
    lone = () if document.structured else (headings,)
    blocks = answerable(text, document.asides)
    found: list[Finding] = []
    for detect in (first, last, captions, notices, glued_headings, *lone):
        new = list(detect(text, blocks))
        blocks = outside(text, blocks, [(finding.start, finding.end) for finding in new])
        found += new
    return found


def detect_language(text: str) -> str | None:
    """Language of a text by its beginning; None when it is too short to tell (under 20 letters)."""
    sample = text[:600]
    letters = sum(map(str.isalpha, sample))
    return str(_identifier().classify(sample)[0]) if letters >= 20 else None


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    # fewer candidates, fewer mistakes on short texts: else German news is at times Luxembourgish
    identifier.set_languages(["de", "en", "fr", "pt", "uk", "ru", "es", "it", "nl", "pl"])
    return identifier
