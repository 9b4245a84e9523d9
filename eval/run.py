"""Asks an engine the questions of a set and measures the answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from eval.cases import Case
from eval.metrics import ArticleSpan, evidence_hit, f1, fact_recall, gold_sentences, quote_exact
from rag.engine import Engine
from rag.schema import Answer
from rag.text import paragraphs, sentences

MEASURES = ("evidence_hit", "fact_recall", "declined", "quote_exact", "words")


@dataclass(frozen=True, slots=True)
class Result:
    """A case, its answer, and the measures that apply to it."""

    case: Case
    answer: Answer
    measures: dict[str, float]


def run(engine: Engine, cases: Iterable[Case], progress: Callable[[], object] = lambda: None) -> list[Result]:
    """The results of all cases, in order."""
    texts = {article.id: article.text for article in engine.library.articles()}
    results = []
    for case in cases:
        answer = engine.ask(case.question, case.history)
        results.append(Result(case, answer, _measures(case, answer, texts)))
        progress()
    return results


def table(results: Sequence[Result]) -> list[tuple[str, int, dict[str, float]]]:
    """Rows (group, number of cases, mean of each measure), over all and by language and type."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.case.answerable is not False:
            groups["answerable"].append(result)
            groups[f"answerable, {result.case.lang}"].append(result)
        groups[f"type {result.case.type}"].append(result)
    return [(name, len(group), _means(group)) for name, group in sorted(groups.items())]


def abstention(results: Iterable[Result]) -> tuple[float, float, float]:
    """Precision, recall and F1 of declining, over the cases that say whether they are answerable."""
    return f1((r.answer.abstained, not r.case.answerable) for r in results if r.case.answerable is not None)


def _means(group: Sequence[Result]) -> dict[str, float]:
    values = {name: [r.measures[name] for r in group if name in r.measures] for name in MEASURES}
    return {name: mean(found) for name, found in values.items() if found}


def _measures(case: Case, answer: Answer, texts: dict[str, str]) -> dict[str, float]:
    measures = {
        "declined": float(answer.abstained),
        "quote_exact": float(quote_exact(answer.citations, texts)),
        "words": float(len(answer.text.split())),
    }
    gold = [span for id in case.articles or () if id in texts for span in _gold(id, texts[id], case)]
    hit, recall = evidence_hit(answer.citations, gold), fact_recall(answer.text, case.facts)
    if hit is not None:
        measures["evidence_hit"] = hit
    if recall is not None:
        measures["fact_recall"] = recall
    return measures


def _gold(id: str, text: str, case: Case) -> list[ArticleSpan]:
    spans = (span for paragraph in paragraphs(text) for span in sentences(text, *paragraph))
    return gold_sentences(id, text, spans, case.evidence)
