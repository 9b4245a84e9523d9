"""One measure a function, over a case and its answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from rag.schema import Citation, Span

ArticleSpan = tuple[str, int, int]
"""A half-open range of characters in the article of that id."""


def folded(text: str) -> str:
    """Case-folded, NFC, white space folded: how facts are compared."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def fact_recall(text: str, facts: Sequence[Sequence[str]]) -> float | None:
    """Share of the facts of which any alternative occurs in the answer; None without facts."""
    if not facts:
        return None
    answer = folded(text)
    return sum(any(folded(way) in answer for way in ways) for ways in facts) / len(facts)


def evidence_hit(citations: Iterable[Citation], gold: Collection[ArticleSpan]) -> float | None:
    """1 when a cited span touches a gold sentence, else 0; None without gold sentences."""
    if not gold:
        return None
    return float(
        any(
            c.article_id == id and c.start < end and start < c.end
            for c in citations
            for id, start, end in gold
        )
    )


def gold_sentences(
    id: str, text: str, sentences: Iterable[Span], fragments: Iterable[str]
) -> list[ArticleSpan]:
    """The sentences of an article that the evidence fragments touch, wherever they occur."""
    found = []
    spans = list(sentences)
    for fragment in fragments:
        at = text.find(fragment)
        while at >= 0:
            found += [(id, low, high) for low, high in spans if low < at + len(fragment) and at < high]
            at = text.find(fragment, at + 1)
    return found


def quote_exact(citations: Iterable[Citation], texts: dict[str, str]) -> bool:
    """Whether every quote stands in its article at its offsets, character for character."""
    return all(texts[c.article_id][c.start : c.end] == c.quote for c in citations)


def f1(pairs: Iterable[tuple[bool, bool]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of declining, from (declined, unanswerable) of every case."""
    pairs = list(pairs)
    right = sum(declined and unanswerable for declined, unanswerable in pairs)
    said = sum(declined for declined, _ in pairs)
    wanted = sum(unanswerable for _, unanswerable in pairs)
    precision = right / said if said else 0.0
    recall = right / wanted if wanted else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def hit_at(ranked: Sequence[str], relevant: str, k: int) -> bool:
    """Whether the relevant one is among the first k."""
    return relevant in ranked[:k]
