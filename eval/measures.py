"""The measures: their definitions, and their values for one answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from eval import metrics
from eval.cases import Case, sentences_of
from eval.metrics import ArticleSpan, Supports
from rag.answering.confidence import UNSURE_BY_WORDS, confidence
from rag.answering.extract import candidates
from rag.answering.work import Job
from rag.schema import Answer, Article, Citation, Passage
from rag.store.library import Library
from rag.wire import Json

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
                found += metrics.gold_sentences(id, article.text, spans, case.evidence)
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
            if metrics.touches(span, (span[0], start, end))
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
    text = metrics.without_markers(answer.text)
    gold = shelf.gold(case)
    cited = {citation.number: citation for citation in answer.citations}
    statements = [(s.text, [cited[n] for n in s.citations if n in cited]) for s in answer.statements]
    first, first_cited = statements[0] if statements else ("", [])
    lead = metrics.fact_recall(first, case.facts) or metrics.evidence_hit(first_cited, gold)
    texts = {id: article.text for id, article in shelf.articles.items()}
    # the library's own answers search nothing, and claim nothing that a sentence could support
    searched = bool(answer.passages) or answer.abstained
    found: dict[str, float | None] = {
        **(passage_measures(case, answer.passages, shelf, gold) if searched else {}),
        "fact_recall": metrics.fact_recall(text, case.facts),
        "forbidden_rate": metrics.forbidden_rate(text, case.forbidden),
        "evidence_hit": metrics.evidence_hit(answer.citations, gold),
        "lead_answers": float(bool(lead)) if case.facts or gold else None,
        "citation_precision": metrics.citation_precision(statements, supports) if searched else None,
        "citation_recall": metrics.citation_recall(statements, supports) if searched else None,
        "quote_exact": metrics.quote_exact([*answer.citations, *answer.further], texts),
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
        right = [any(metrics.touches(span, place) for place in gold) for span in spans]
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
        **{f"{level}_hit@{k}": metrics.hit_at(ranked, relevant, k) for k in DEPTHS},
        **{f"{level}_recall@{k}": metrics.recall_at(ranked, relevant, k) for k in DEPTHS},
        f"{level}_mrr@10": metrics.mrr_at(ranked, relevant, 10),
        f"{level}_ndcg@10": metrics.ndcg_at(ranked, gains, 10),
    }


def is_right(case: Case, measures: Mapping[str, float]) -> bool | None:
    """Whether an answer is right; None if the case does not say enough. Right is declining an unanswerable
    question, and for any other citing a gold sentence or, without gold sentences, saying all facts."""
    if case.answerable is False:
        return measures.get("abstained") == 1.0
    found = measures.get("evidence_hit", measures.get("fact_recall"))
    return None if found is None else found == 1.0 and measures.get("abstained") == 0.0
