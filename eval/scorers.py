"""Who decides whether cited words support a sentence, when citations are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from eval.measures import Scorer, Shelf
from rag.schema import Article, Chunk, Citation, Status
from rag.text.sentences import sentences
from rag.verification.support import Claim, Idf, Source, support, together

Verifier = Callable[[str, str, Article], Status]
"""The status of a sentence by a passage; the article says language and date, its text is not used."""

BY_STATUS = "status of the answer's citations"
BY_VERIFIER = "rag.verification.support"


def by_verifier(idf: Idf, shelf: Shelf) -> Scorer:
    """Our verifier as the scorer: what is cited must reach *supported*, at one place or together.

    A statement of several sentences, as verbatim ones may be, is supported when each of them is.
    """

    @lru_cache(maxsize=4096)
    def source(article_id: str, start: int, end: int) -> Source | None:
        article = shelf.articles.get(article_id)
        return None if article is None else Source(article, _chunk(article, start, end))

    def supports(sentence: str, cited: Sequence[Citation]) -> bool:
        places = (source(c.article_id, c.start, c.end) for c in cited)
        sources = [place for place in places if place is not None]
        claims = [Claim(sentence[start:end], idf) for start, end in sentences(sentence)]
        return bool(sources) and all(_supported(claim, sources) for claim in claims)

    return supports


def _supported(claim: Claim, sources: Sequence[Source]) -> bool:
    found = [support(claim, each) for each in sources]
    return any(each.status == "supported" for each in found) or (
        len(found) > 1 and together(claim, sources, found) == "supported"
    )


def by_status(sentence: str, cited: Sequence[Citation]) -> bool:  # noqa: ARG001
    """What the answer says of its own citations: for engines that no verifier of ours can look into."""
    return any(citation.status == "supported" for citation in cited)


def passage_verifier(idf: Idf) -> Verifier:
    """Our verifier on a sentence and the text of a passage, for the calibration set."""

    def verify(sentence: str, passage: str, article: Article) -> Status:
        place = Article(
            id=article.id,
            text=passage,
            source=article.source,
            sha256=article.sha256,
            title=article.title,
            outlet=article.outlet,
            published=article.published,
            language=article.language,
        )
        return support(Claim(sentence, idf), Source(place, _chunk(place, 0, len(passage)))).status

    return verify


def _chunk(article: Article, start: int, end: int) -> Chunk:
    spans = sentences(article.text, start, end, article.language) or [(start, end)]
    return Chunk(article.id, article.id, 0, start, end, article.text[start:end], tuple(spans))
