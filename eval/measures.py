"""What is measured: the measures of one answer, and how those of a set become one number each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eval import metrics
from eval.cases import Case
from eval.metrics import ArticleSpan
from rag.schema import Answer, Article, Citation, Passage
from rag.text.normalize import paragraphs
from rag.text.sentences import sentences

if TYPE_CHECKING:
    from rag.store.library import Library

DEPTHS = (1, 3, 5, 10)
"""Ranks at which hit and recall are taken."""

LEVELS = ("article", "evidence")
"""By what retrieval is measured: a passage's article, or whether it holds a gold sentence."""

Scorer = Callable[[str, Sequence[Citation]], bool]
"""Whether the cited places, taken together, support a sentence."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure's name, what it needs, and which way is better: 1 up, -1 down, 0 neither."""

    name: str
    needs: str
    better: int = 1
    unit: str = "share"


def _retrieval(level: str, needs: str) -> list[Measure]:
    names = [f"{kind}@{k}" for kind in ("hit", "recall") for k in DEPTHS]
    return [Measure(f"{level}_{name}", needs) for name in (*names, "mrr@10", "ndcg@10")]


_UNANSWERABLE = "unanswerable cases (`articles`: [])"
MEASURES = {
    measure.name: measure
    for measure in [
        *_retrieval(LEVELS[0], "cases with `articles`"),
        *_retrieval(LEVELS[1], "cases with `evidence` that stands in an article of theirs"),
        Measure("fact_recall", "cases with `facts`"),
        Measure("forbidden_rate", "cases with `forbidden`", -1),
        Measure("evidence_hit", "cases with `evidence` that stands in an article of theirs"),
        Measure("citation_precision", "answers with statements"),
        Measure("citation_recall", "answers with statements"),
        Measure("quote_exact", "answers with quotes"),
        Measure("abstention_precision", _UNANSWERABLE),
        Measure("abstention_recall", _UNANSWERABLE),
        Measure("abstention_f1", _UNANSWERABLE),
        Measure("abstention_right", "cases with `articles`"),
        Measure("abstained", "answers", 0),
        Measure("language_match", "cases with `lang`"),
        Measure("followup_success", "cases with `history`"),
        Measure("judge_faithfulness", "a language model as judge (--judge)"),
        Measure("words", "answers that are not declined", 0, "words"),
        Measure("seconds_first", "answers", -1, "seconds"),
        Measure("seconds_total", "answers", -1, "seconds"),
        Measure("prompt_tokens", "a language model that reports it", -1, "tokens"),
        Measure("completion_tokens", "a language model that reports it", -1, "tokens"),
        Measure("cost", "a provider that reports it", -1, "cost"),
    ]
}
"""Every measure by name; `abstention_right` is 1 for a case rightly declined or rightly answered."""

HEADLINE = (
    *("evidence_hit", "fact_recall", "citation_precision", "citation_recall", "quote_exact"),
    *("abstention_precision", "abstention_recall", "abstention_f1"),
    *("followup_success", "language_match", "forbidden_rate"),
    *("article_recall@5", "article_mrr@10", "evidence_recall@5", "evidence_mrr@10", "evidence_ndcg@10"),
    *("judge_faithfulness", "words"),
)
"""What tables show first."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The articles as far as measuring needs them: texts, and the chunks that retrieval ranks."""

    articles: Mapping[str, Article]
    chunks: Mapping[str, Sequence[tuple[str, int, int]]] = field(default_factory=dict)
    """For each article its chunks: id, start, end."""

    def gold(self, case: Case) -> list[ArticleSpan]:
        """The sentences that the case's evidence touches."""
        found = []
        for id in case.articles or ():
            if (article := self.articles.get(id)) is not None:
                found += metrics.gold_sentences(id, article.text, _sentences(article), case.evidence)
        return found

    def holding(self, gold: Iterable[ArticleSpan]) -> set[str]:
        """The ids of the chunks that hold a gold sentence or a part of it."""
        return {
            chunk
            for span in gold
            for chunk, start, end in self.chunks.get(span[0], ())
            if metrics.touches(span, (span[0], start, end))
        }


def shelf_of(library: Library) -> Shelf:
    """The shelf of all articles in a library."""
    articles = {article.id: article for article in library.articles()}
    chunks: dict[str, list[tuple[str, int, int]]] = {}
    for chunk in library.chunks():
        chunks.setdefault(chunk.article_id, []).append((chunk.id, chunk.start, chunk.end))
    return Shelf(articles, chunks)


def _sentences(article: Article) -> list[tuple[int, int]]:
    text = article.text
    return [span for block in paragraphs(text) for span in sentences(text, *block, article.language)]


def answer_measures(
    case: Case, answer: Answer, shelf: Shelf, supports: Scorer, language: str | None
) -> dict[str, float]:
    """The measures that apply to an answer; `language` is the one its text is written in, if told.

    {"evidence_hit": 1.0, "fact_recall": 0.5, "abstained": 0.0, "article_hit@1": 1.0, …}
    """
    text = metrics.without_markers(answer.text)
    gold = shelf.gold(case)
    cited = {citation.number: citation for citation in answer.citations}
    statements = [(s.text, [cited[n] for n in s.citations if n in cited]) for s in answer.statements]
    texts = {id: article.text for id, article in shelf.articles.items()}
    # the library's own answers search nothing, and claim nothing that a sentence could support
    searched = bool(answer.passages) or answer.abstained
    found: dict[str, float | None] = {
        **(passage_measures(case, answer.passages, shelf, gold) if searched else {}),
        "fact_recall": metrics.fact_recall(text, case.facts),
        "forbidden_rate": metrics.forbidden_rate(text, case.forbidden),
        "evidence_hit": metrics.evidence_hit(answer.citations, gold),
        "citation_precision": metrics.citation_precision(statements, supports) if searched else None,
        "citation_recall": metrics.citation_recall(statements, supports) if searched else None,
        "quote_exact": metrics.quote_exact([*answer.citations, *answer.further], texts),
        "abstained": float(answer.abstained),
        "language_match": float(language == case.lang) if language and case.lang else None,
        "words": None if answer.abstained else metrics.words(answer.text),
        **{name: answer.usage.get(name) for name in ("prompt_tokens", "completion_tokens", "cost")},
    }
    measures = {name: value for name, value in found.items() if value is not None}
    if case.answerable is not None:
        measures["abstention_right"] = float(answer.abstained is not case.answerable)
    if case.history and (right := is_right(case, measures)) is not None:
        measures["followup_success"] = float(right)
    return measures


def passage_measures(
    case: Case, passages: Sequence[Passage], shelf: Shelf, gold: Sequence[ArticleSpan]
) -> dict[str, float]:
    """Retrieval by article and by evidence, over the passages as they were handed out, best first.

    By evidence an item is a passage, and one is relevant that holds a gold sentence.
    """
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
        **{f"{level}_hit@{k}": metrics.hit_at(ranked, relevant, k) for k in DEPTHS},
        **{f"{level}_recall@{k}": metrics.recall_at(ranked, relevant, k) for k in DEPTHS},
        f"{level}_mrr@10": metrics.mrr_at(ranked, relevant, 10),
        f"{level}_ndcg@10": metrics.ndcg_at(ranked, gains, 10),
    }


def is_right(case: Case, measures: Mapping[str, float]) -> bool | None:
    """Whether an answer is right as far as the case can tell; None when it cannot.

    An unanswerable question is declined; any other is answered with a gold sentence cited, or,
    without gold sentences, with all facts said.
    """
    if case.answerable is False:
        return measures.get("abstained") == 1.0
    found = measures.get("evidence_hit", measures.get("fact_recall"))
    return None if found is None else found == 1.0 and measures.get("abstained") == 0.0
