"""One metric per function, over plain values, each with the source of its definition.

None means that a metric does not apply because the case lacks a field.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.schema import Citation, Span

Floats = NDArray[np.float64]

ArticleSpan = tuple[str, int, int]
"""A half-open range of characters in the article of that id."""

Source = TypeVar("Source")
Supports = Callable[[str, Sequence[Source]], bool]
"""Whether sources, taken together, support a sentence."""

BINS = 10  # ranges of confidence
_MARKER = re.compile(r"\s*\[\d+\]")
_SPACES = re.compile(r"\s+")


def hit_at(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """1 when a relevant item is among the first k, else 0 (hit rate, success@k of trec_eval)."""
    return float(any(item in relevant for item in ranked[:k]))


def recall_at(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the relevant items that are among the first k (recall_k of trec_eval)."""
    return len(set(ranked[:k]) & set(relevant)) / len(set(relevant))


def mrr_at(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """1 / rank of the first relevant item, 0 when none is among the first k (Voorhees, TREC-8, 1999)."""
    return next((1 / rank for rank, item in enumerate(ranked[:k], 1) if item in relevant), 0.0)


def ndcg_at(ranked: Sequence[str], gains: Mapping[str, float], k: int) -> float:
    """Discounted cumulative gain of the first k over the best possible (Järvelin & Kekäläinen 2002). With
    linear gains and log2(rank + 1), as trec_eval's ndcg_cut; relevance of yes or no is 1 or 0."""
    best = _dcg(sorted(gains.values(), reverse=True)[:k])
    return _dcg([gains.get(item, 0.0) for item in ranked[:k]]) / best if best else 0.0


def _dcg(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def folded(text: str) -> str:
    """The form in which facts are compared: case-folded, NFC, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def without_markers(text: str) -> str:
    """An answer's text without its `[n]`."""
    return _MARKER.sub("", text)


def says(text: str, fragment: str) -> bool:
    """Whether a text holds a fragment, both folded; a space at a fragment's edge is the end of a word."""
    wanted = _SPACES.sub(" ", unicodedata.normalize("NFC", fragment).casefold())
    return wanted in f" {folded(text)} "


def fact_recall(text: str, facts: Sequence[Sequence[str]]) -> float | None:
    """Share of the facts of which any alternative occurs in the answer (MS MARCO nuggets, simplified)."""
    if not facts:
        return None
    return sum(any(says(text, way) for way in ways) for ways in facts) / len(facts)


def forbidden_rate(text: str, forbidden: Sequence[str]) -> float | None:
    """1 when the answer says anything that it must not, else 0; over a set, the share of such answers."""
    return float(any(says(text, fragment) for fragment in forbidden)) if forbidden else None


def evidence_hit(citations: Iterable[Citation], gold: Collection[ArticleSpan]) -> float | None:
    """1 when a cited span overlaps a gold sentence, else 0; None without gold sentences."""
    if not gold:
        return None
    return float(any(touches((c.article_id, c.start, c.end), span) for c in citations for span in gold))


def touches(one: ArticleSpan, other: ArticleSpan) -> bool:
    """Whether two places share a character."""
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def gold_sentences(
    id: str, text: str, sentences: Iterable[Span], fragments: Iterable[str]
) -> list[ArticleSpan]:
    """The sentences of an article that overlap the evidence fragments, wherever these occur, each once."""
    found: dict[ArticleSpan, None] = {}
    spans = list(sentences)
    for fragment in filter(None, fragments):
        at = text.find(fragment)
        while at >= 0:
            found |= {(id, low, high): None for low, high in spans if low < at + len(fragment) and at < high}
            at = text.find(fragment, at + 1)
    return list(found)


def quote_exact(citations: Iterable[Citation], texts: Mapping[str, str]) -> float | None:
    """1 when every quote stands in its article at its offsets, character for character, else 0."""
    exact = [texts.get(c.article_id, "")[c.start : c.end] == c.quote for c in citations]
    return float(all(exact)) if exact else None


def citation_recall(
    statements: Sequence[tuple[str, Sequence[Source]]], supports: Supports[Source]
) -> float | None:
    """Share of the statements that are supported by all their citations together.

    ALCE (Gao et al. 2023, arXiv 2305.14627, section 4.2), with `supports` in the place of its NLI
    model. Every sentence counts. None for an answer without statements.
    """
    if not statements:
        return None
    return sum(bool(cited) and supports(text, cited) for text, cited in statements) / len(statements)


def citation_precision(
    statements: Sequence[tuple[str, Sequence[Source]]], supports: Supports[Source]
) -> float | None:
    """Share of the citations that their statement needs.

    A citation counts if all citations of the statement support it together, and either this one supports it
    alone or the others do not support it without this one (ALCE, as `citation_recall`). 0 for an answer
    without citations; None for one without statements.
    """
    if not statements:
        return None
    total = sum(len(cited) for _, cited in statements)
    needed = 0
    for text, cited in statements:
        if cited and supports(text, cited):
            needed += sum(
                len(cited) == 1
                or supports(text, [source])
                or not supports(text, [*cited[:at], *cited[at + 1 :]])
                for at, source in enumerate(cited)
            )
    return needed / total if total else 0.0


def risk_coverage(answers: Iterable[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Points (coverage, risk) of answering only where confidence is high enough, from (confidence, right).

    Coverage is the share of the answers that are given, risk the share of those that are wrong
    (El-Yaniv & Wiener 2010); answers of the same confidence come together.
    """
    ordered = sorted(answers, reverse=True)
    points, wrong = [], 0
    for given, (confidence, right) in enumerate(ordered, 1):
        wrong += not right
        if given == len(ordered) or ordered[given][0] != confidence:
            points.append((given / len(ordered), wrong / given))
    return points


def auroc(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """Area under the ROC curve: the chance that a positive scores higher than a negative, ties count half.

    Mann & Whitney 1947; Fawcett 2006. One value for each row of `weights`, which weigh the scores; NaN
    where either kind is missing.
    """
    ours, theirs = scores[positive, None], scores[None, ~positive]
    above = (ours > theirs) + 0.5 * (ours == theirs)
    wins = ((weights[:, positive] @ above) * weights[:, ~positive]).sum(axis=1)
    pairs = weights[:, positive].sum(axis=1) * weights[:, ~positive].sum(axis=1)
    area: Floats = np.divide(wins, pairs, out=np.full(wins.shape, np.nan), where=pairs > 0)
    return area


def calibration_error(confidence: Floats, right: NDArray[np.bool_], weights: Floats) -> Floats:
    """Expected calibration error: how far confidence is from the share that is right, over ten equal ranges.
    Naeini et al. 2015; Guo et al. 2017 (arXiv 1706.04599). One value for each row of `weights`."""
    gaps = np.zeros((len(confidence), BINS))
    gaps[np.arange(len(confidence)), bin_of(confidence)] = confidence - right
    total = weights.sum(axis=1)
    gap = np.abs(weights @ gaps).sum(axis=1)
    error: Floats = np.divide(gap, total, out=np.full(gap.shape, np.nan), where=total > 0)
    return error


def bin_of(confidence: Floats) -> NDArray[np.int_]:
    """The number of the equal range, of ten, for each confidence; 1 belongs to the last."""
    places: NDArray[np.int_] = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return places


def reliability(answers: Iterable[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """For each range of confidence with answers: mean confidence, share right, and number of answers. The
    reliability diagram of Guo et al. 2017, from (confidence, right)."""
    pairs = np.array(list(answers), dtype=np.float64).reshape(-1, 2)
    places = bin_of(pairs[:, 0])
    groups = [pairs[places == place] for place in range(BINS)]
    return [(float(g[:, 0].mean()), float(g[:, 1].mean()), len(g)) for g in groups if len(g)]
