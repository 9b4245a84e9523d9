"""The measures of one answer: what each is, the formulas with their sources, and the values.

A formula is over plain values; None means that it does not apply, because the case lacks a field.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from eval.cases import Case, sentences_of
from rag.answering.confidence import UNSURE_BY_WORDS, confidence
from rag.answering.extract import candidates
from rag.answering.work import Job
from rag.schema import Answer, Article, Citation, Passage, Span
from rag.store.library import Library
from rag.wire import Json

ArticleSpan = tuple[str, int, int]
"""A half-open range of characters in the article of that id."""

Source = TypeVar("Source")
Supports = Callable[[str, Sequence[Source]], bool]
"""Whether sources, taken together, support a sentence."""

_MARKER = re.compile(r"\s*\[\d+\]")
_SPACES = re.compile(r"\s+")

DEPTHS = (1, 3, 5, 10)
"""Ranks at which hit and recall are taken."""

LEVELS = ("article", "evidence")
"""Levels at which retrieval is measured: the passage's article, or whether the passage holds a gold
sentence."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its name, the group that it is shown in, what it needs (`eval.group`, `eval.needs` of the
    locales), and which way is better: 1 up, -1 down, 0 neither."""

    name: str
    group: str
    needs: str
    better: int = 1
    unit: str = "share"


RANKS = [f"{kind}@{k}" for kind in ("hit", "recall") for k in DEPTHS] + ["mrr@10", "ndcg@10"]
MEASURES = {
    measure.name: measure
    for measure in [
        Measure("evidence_hit", "answers", "evidence"),
        Measure("fact_recall", "answers", "facts"),
        Measure("lead_answers", "answers", "said"),
        Measure("forbidden_rate", "answers", "forbidden", -1),
        Measure("followup_success", "answers", "history"),
        Measure("language_match", "answers", "lang"),
        Measure("words", "answers", "given", 0, "words"),
        Measure("citation_precision", "citations", "statements"),
        Measure("citation_recall", "citations", "statements"),
        Measure("quote_exact", "citations", "quotes"),
        Measure("judge_faithfulness", "citations", "judge"),
        Measure("abstention_precision", "declining", "unanswerable"),
        Measure("abstention_recall", "declining", "unanswerable"),
        Measure("abstention_f1", "declining", "unanswerable"),
        Measure("abstention_right", "declining", "articles"),
        Measure("abstained", "declining", "answers", 0),
        Measure("wrongly_declined", "declining", "articles", -1),
        Measure("absent_declined", "declining", "articles"),
        Measure("confidence", "confidence", "answers", 0),
        Measure("confidence_auroc", "confidence", "unanswerable"),
        Measure("confidence_ece", "confidence", "judged", -1),
        Measure("sure_precision", "confidence", "judged"),
        Measure("sure_coverage", "confidence", "answers"),
        *(Measure(f"article_{rank}", "retrieval", "articles") for rank in RANKS),
        *(Measure(f"evidence_{rank}", "retrieval", "evidence") for rank in RANKS),
        Measure("sentence_hit@1", "retrieval", "evidence"),
        Measure("sentence_hit@3", "retrieval", "evidence"),
        Measure("seconds_first", "cost", "answers", -1, "seconds"),
        Measure("seconds_total", "cost", "answers", -1, "seconds"),
        Measure("prompt_tokens", "cost", "usage", -1, "tokens"),
        Measure("completion_tokens", "cost", "usage", -1, "tokens"),
        Measure("cost", "cost", "price", -1, "cost"),
    ]
}
"""Every measure by name; `abstention_right` is 1 for a case rightly declined or rightly answered, and
`lead_answers` 1 where the first statement says a fact or cites a gold sentence."""

HEADLINE = (
    *("evidence_hit", "fact_recall", "lead_answers", "citation_precision", "citation_recall", "quote_exact"),
    *("abstention_precision", "abstention_recall", "abstention_f1", "wrongly_declined", "absent_declined"),
    *("confidence_auroc", "confidence_ece", "sure_precision", "sure_coverage"),
    *("followup_success", "language_match", "forbidden_rate"),
    *("sentence_hit@1", "sentence_hit@3", "article_hit@1", "article_recall@5", "article_recall@10"),
    *("article_mrr@10", "evidence_recall@5", "evidence_mrr@10", "evidence_ndcg@10"),
    *("judge_faithfulness", "words"),
)
"""The measures at the top of tables."""


# --- the formulas


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


# --- the values for an answer


@dataclass(frozen=True, slots=True)
class Shelf:
    """The parts of articles that measuring needs: texts, and the chunks that retrieval ranks."""

    articles: Mapping[str, Article]
    chunks: Mapping[str, Sequence[tuple[str, int, int]]] = field(default_factory=dict)
    """For each article its chunks: id, start, end."""

    def gold(self, case: Case) -> list[ArticleSpan]:
        """The sentences that the case's evidence overlaps."""
        found = []
        for id in case.articles or ():
            if (article := self.articles.get(id)) is not None:
                spans = sentences_of(article.text, article.language)
                found += gold_sentences(id, article.text, spans, case.evidence)
        return found

    def quoted(self, span: ArticleSpan) -> Json:
        """A sentence as a run keeps it."""
        id, start, end = span
        article = self.articles[id]
        place = {"article_id": id, "start": start, "end": end, "text": article.text[start:end]}
        return {**place, "title": article.title, "outlet": article.outlet}

    def holding(self, gold: Iterable[ArticleSpan]) -> set[str]:
        """The ids of the chunks that hold a gold sentence or a part of it."""
        return {
            chunk
            for span in gold
            for chunk, start, end in self.chunks.get(span[0], ())
            if touches(span, (span[0], start, end))
        }


def shelf_of(library: Library) -> Shelf:
    """The shelf of all articles in a library."""
    articles = {article.id: article for article in library.articles()}
    chunks = {id: [(chunk.id, chunk.start, chunk.end) for chunk in library.chunks_of(id)] for id in articles}
    return Shelf(articles, chunks)


def answer_measures(
    case: Case, answer: Answer, shelf: Shelf, supports: Supports[Citation], language: str | None
) -> dict[str, float]:
    """The measures that apply to an answer; `language` is that of its text, if known.

    {"evidence_hit": 1.0, "fact_recall": 0.5, "abstained": 0.0, "article_hit@1": 1.0, …}
    """
    text = without_markers(answer.text)
    gold = shelf.gold(case)
    cited = {citation.number: citation for citation in answer.citations}
    statements = [(s.text, [cited[n] for n in s.citations if n in cited]) for s in answer.statements]
    first, first_cited = statements[0] if statements else ("", [])
    lead = fact_recall(first, case.facts) or evidence_hit(first_cited, gold)
    texts = {id: article.text for id, article in shelf.articles.items()}
    # the library's own answers search nothing, and claim nothing that a sentence could support
    searched = bool(answer.passages) or answer.abstained
    found: dict[str, float | None] = {
        **(passage_measures(case, answer.passages, shelf, gold) if searched else {}),
        "fact_recall": fact_recall(text, case.facts),
        "forbidden_rate": forbidden_rate(text, case.forbidden),
        "evidence_hit": evidence_hit(answer.citations, gold),
        "lead_answers": float(bool(lead)) if case.facts or gold else None,
        "citation_precision": citation_precision(statements, supports) if searched else None,
        "citation_recall": citation_recall(statements, supports) if searched else None,
        "quote_exact": quote_exact([*answer.citations, *answer.further], texts),
        "abstained": float(answer.abstained),
        "confidence": float(answer.confidence),
        "language_match": float(language == case.lang) if language and case.lang else None,
        "words": None if answer.abstained else float(len(text.split())),
        **{name: answer.usage.get(name) for name in ("prompt_tokens", "completion_tokens", "cost")},
    }
    measures = {name: value for name, value in found.items() if value is not None}
    return measures | _decision_measures(case, answer, is_right(case, measures))


def _decision_measures(case: Case, answer: Answer, right: bool | None) -> dict[str, float]:
    """Whether answering, or declining, was right; and being sure, if the answer says so."""
    sure = answer.certainty == "sure"
    found = {
        "abstention_right": None if case.answerable is None else answer.abstained is not case.answerable,
        "wrongly_declined": answer.abstained if case.answerable else None,
        "followup_success": right if case.history else None,
        "sure_coverage": None if case.answerable is False else sure,
        "sure_precision": right if sure else None,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def sentence_measures(case: Case, job: Job, gold: Sequence[ArticleSpan]) -> dict[str, float]:
    """What does not depend on declining: the place of a gold sentence among all that could answer; and
    whether it would be declined, were the articles that answer not there."""
    measures: dict[str, float] = {}
    if gold:
        spans = [(each.article.id, *each.span) for each in job.found[:3]]
        right = [any(touches(span, place) for place in gold) for span in spans]
        measures |= {f"sentence_hit@{k}": float(any(right[:k])) for k in (1, 3)}
    if case.articles:
        hits = tuple(hit for hit in job.ranking.hits if hit.passage.article.id not in case.articles)
        others = replace(job.ranking, hits=hits)
        measures["absent_declined"] = float(confidence(others, candidates(others)) < UNSURE_BY_WORDS)
    return measures


def passage_measures(
    case: Case, passages: Sequence[Passage], shelf: Shelf, gold: Sequence[ArticleSpan]
) -> dict[str, float]:
    """Retrieval by article and by evidence, over the passages as they were handed out, best first. By
    evidence, the items are passages, and those with a gold sentence are relevant."""
    measures: dict[str, float] = {}
    if case.articles:
        articles = list(dict.fromkeys(passage.article.id for passage in passages))
        measures |= ranked_measures("article", articles, dict.fromkeys(case.articles, 1.0))
    if relevant := shelf.holding(gold):
        chunks = [passage.chunk.id for passage in passages]
        measures |= ranked_measures("evidence", chunks, dict.fromkeys(relevant, 1.0))
    return measures


def ranked_measures(level: str, ranked: Sequence[str], gains: Mapping[str, float]) -> dict[str, float]:
    """Hit, recall, MRR and nDCG of a ranking; items with a gain above 0 are relevant."""
    relevant = {item for item, gain in gains.items() if gain > 0}
    return {
        **{f"{level}_hit@{k}": hit_at(ranked, relevant, k) for k in DEPTHS},
        **{f"{level}_recall@{k}": recall_at(ranked, relevant, k) for k in DEPTHS},
        f"{level}_mrr@10": mrr_at(ranked, relevant, 10),
        f"{level}_ndcg@10": ndcg_at(ranked, gains, 10),
    }


def is_right(case: Case, measures: Mapping[str, float]) -> bool | None:
    """Whether an answer is right; None if the case does not say enough. Right is declining an unanswerable
    question, and for any other citing a gold sentence or, without gold sentences, saying all facts."""
    if case.answerable is False:
        return measures.get("abstained") == 1.0
    found = measures.get("evidence_hit", measures.get("fact_recall"))
    return None if found is None else found == 1.0 and measures.get("abstained") == 0.0
