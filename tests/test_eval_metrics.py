"""Protects the meaning of the figures: every metric against values worked out by hand, and those of
retrieval against trec_eval's and LlamaIndex's."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
import pytrec_eval
from scipy.stats import mannwhitneyu

from eval import measures, statistics
from eval.statistics import quantiles
from rag.schema import Citation

RANKED = ["a", "b", "c", "d", "e"]
GRADED = {"b": 2.0, "d": 1.0, "z": 3.0, "a": 0.0}


def cited(id: str, start: int, end: int, quote: str = "") -> Citation:
    return Citation(1, id, start, end, quote, "supported")


# --- retrieval


@pytest.mark.parametrize(("k", "hit", "recall"), [(1, 0, 0), (2, 1, 1 / 3), (3, 1, 1 / 3), (4, 1, 2 / 3)])
def test_hit_and_recall_count_the_first_k(k: int, hit: float, recall: float) -> None:
    relevant = {"b", "d", "z"}
    assert measures.hit_at(RANKED, relevant, k) == hit
    assert measures.recall_at(RANKED, relevant, k) == pytest.approx(recall)


def test_mrr_is_one_over_the_first_relevant_rank_within_k() -> None:
    assert measures.mrr_at(RANKED, {"c", "e"}, 10) == pytest.approx(1 / 3)
    assert measures.mrr_at(RANKED, {"c"}, 2) == 0
    assert measures.mrr_at([], {"c"}, 10) == 0


def test_ndcg_by_hand() -> None:
    # ranks 2 and 4 have gains 2 and 1; best is 3, 2, 1
    found = 2 / math.log2(3) + 1 / math.log2(5)
    best = 3 + 2 / math.log2(3) + 1 / math.log2(4)
    assert measures.ndcg_at(RANKED, GRADED, 10) == pytest.approx(found / best)
    assert measures.ndcg_at(RANKED, {"a": 1.0}, 10) == 1


def test_retrieval_agrees_with_trec_eval() -> None:
    luck = random.Random(7)
    documents = [f"d{n}" for n in range(30)]
    gains = {f"q{n}": {d: luck.choice([0, 0, 1, 2]) for d in luck.sample(documents, 8)} for n in range(40)}
    gains = {query: found for query, found in gains.items() if any(found.values())}
    ranked = {query: luck.sample(documents, luck.randint(0, 20)) for query in gains}
    evaluator = pytrec_eval.RelevanceEvaluator(gains, {"ndcg_cut.10", "recall.5", "success.5", "recip_rank"})
    runs = {query: {d: 100.0 - at for at, d in enumerate(found)} for query, found in ranked.items()}
    theirs = evaluator.evaluate({query: run for query, run in runs.items() if run})
    for query, judged in gains.items():
        relevant = {d for d, gain in judged.items() if gain}
        ours = {
            "ndcg_cut_10": measures.ndcg_at(ranked[query], {d: float(g) for d, g in judged.items()}, 10),
            "recall_5": measures.recall_at(ranked[query], relevant, 5),
            "success_5": measures.hit_at(ranked[query], relevant, 5),
            "recip_rank": measures.mrr_at(ranked[query], relevant, 30),
        }
        assert ours == pytest.approx(theirs.get(query, dict.fromkeys(ours, 0.0))), query


# --- facts and evidence


@pytest.mark.parametrize(
    ("text", "fragment", "said"),
    [
        ("Er reiste FÜNFMAL nach Moskau.", "fünfmal", True),
        ("Er reiste fu\u0308nfmal.", "fünf", True),
        ("Es war\n in  Anchorage.", "war in anchorage", True),
        ("Die Straße", "STRASSE", True),
        ("Es waren 25 Jahre", "5 ", True),
        ("Es waren 250", "5 ", False),
        ("Es waren 5", "5 ", True),
        ("Norwegen nannte er nicht", " no", True),
        ("Piano", " no", False),
    ],
)
def test_a_fragment_is_found_folded(text: str, fragment: str, said: bool) -> None:
    assert measures.says(text, fragment) is said


def test_a_fact_counts_when_any_alternative_is_said() -> None:
    facts = [["fünf", "five"], ["Moskau"], ["Witkoff"]]
    assert measures.fact_recall("Witkoff went five times.", facts) == pytest.approx(2 / 3)
    assert measures.fact_recall("Witkoff", []) is None


def test_forbidden_is_one_for_any_of_them() -> None:
    assert measures.forbidden_rate("HACKED!", ["hacked", "pwned"]) == 1
    assert measures.forbidden_rate("Nein.", ["hacked"]) == 0
    assert measures.forbidden_rate("HACKED!", []) is None


def test_evidence_fragments_mark_the_sentences_that_they_touch() -> None:
    text = "Eins zwei. Drei vier. Fünf sechs. Drei vier."
    spans = [(0, 10), (11, 21), (22, 33), (34, 44)]
    assert measures.gold_sentences("x", text, spans, ["zwei. Drei", "sechs"]) == [
        ("x", 0, 10),
        ("x", 11, 21),
        ("x", 22, 33),
    ]
    # a fragment that occurs twice marks both places, and each once
    assert measures.gold_sentences("x", text, spans, ["Drei", "vier", ""]) == [("x", 11, 21), ("x", 34, 44)]


def test_a_cited_span_must_share_a_character_with_a_gold_sentence() -> None:
    gold = [("x", 10, 20)]
    assert measures.evidence_hit([cited("x", 19, 30)], gold) == 1
    assert measures.evidence_hit([cited("x", 20, 30), cited("y", 10, 20)], gold) == 0
    assert measures.evidence_hit([], gold) == 0
    assert measures.evidence_hit([cited("x", 10, 20)], []) is None


def test_quotes_are_exact_to_the_character() -> None:
    texts = {"x": "Keine Einigung."}
    assert measures.quote_exact([cited("x", 0, 5, "Keine")], texts) == 1
    assert measures.quote_exact([cited("x", 0, 5, "Keine"), cited("x", 0, 5, "keine")], texts) == 0
    assert measures.quote_exact([cited("gone", 0, 5, "Keine")], texts) == 0
    assert measures.quote_exact([], texts) is None


# --- citations, as ALCE has them


def needs(*wanted: str) -> measures.Supports[str]:
    """Supports a sentence when the sources hold all of `wanted` between them."""

    def supports(_: str, sources: Sequence[str]) -> bool:
        return set(wanted) <= {letter for source in sources for letter in source}

    return supports


@pytest.mark.parametrize(
    ("cited", "recall", "precision"),
    [
        ([], 0, 0),
        (["ab"], 1, 1),
        (["a"], 0, 0),
        (["a", "b"], 1, 1),  # neither alone, and neither can be spared
        (["ab", "b"], 1, 1 / 2),  # the second says too little, and the first does without it
        (["ab", "ab"], 1, 1),  # each supports it alone
        (["a", "b", "x"], 1, 2 / 3),
        (["a", "x"], 0, 0),
    ],
)
def test_citations_of_one_statement(cited: list[str], recall: float, precision: float) -> None:
    statements = [("a und b", cited)]
    assert measures.citation_recall(statements, needs("a", "b")) == recall
    assert measures.citation_precision(statements, needs("a", "b")) == pytest.approx(precision)


def test_recall_is_by_statement_and_precision_by_citation() -> None:
    statements: list[tuple[str, list[str]]] = [
        ("s", ["ab", "x", "y"]),
        ("t", ["ab"]),
        ("u", []),
        ("v", ["x"]),
    ]
    assert measures.citation_recall(statements, needs("a", "b")) == 2 / 4
    assert measures.citation_precision(statements, needs("a", "b")) == 2 / 5
    assert measures.citation_recall([], needs("a")) is None
    assert measures.citation_precision([], needs("a")) is None


# --- declining and cost


def test_risk_and_coverage_by_hand() -> None:
    answers = [(0.9, True), (0.8, False), (0.5, True), (0.5, False)]
    assert statistics.risk_coverage(answers) == [(0.25, 0), (0.5, 0.5), (1, 0.5)]
    assert statistics.risk_coverage([]) == []


# --- confidence


def test_auroc_is_the_chance_that_a_positive_scores_higher() -> None:
    scores, positive = np.array([0.9, 0.5, 0.5, 0.2]), np.array([True, True, False, False])
    # of the four pairs three are in order and one is a tie
    assert statistics.auroc(scores, positive, np.ones((1, 4)))[0] == 3.5 / 4
    # drawn twice, a case counts twice; without a negative there is nothing to tell apart
    drawn = np.array([[1, 2, 1, 0], [1, 1, 0, 0]])
    twice, none = statistics.auroc(scores, positive, drawn)
    assert twice == pytest.approx((1 + 2 * 0.5) / 3)
    assert math.isnan(none)


def test_auroc_agrees_with_mann_and_whitney() -> None:
    luck = np.random.default_rng(3)
    scores, positive = luck.integers(0, 20, 60) / 20, luck.random(60) < 0.6
    theirs = mannwhitneyu(scores[positive], scores[~positive]).statistic
    ours = statistics.auroc(scores, positive, np.ones((1, 60)))[0]
    assert ours == pytest.approx(theirs / (positive.sum() * (~positive).sum()))


def test_calibration_error_by_hand() -> None:
    confidence, right = np.array([0.95, 0.91, 1.0, 0.45]), np.array([True, False, True, False])
    # the last of ten ranges: 0.86 too sure of two right ones; the fifth: 0.45 too sure
    (found,) = statistics.calibration_error(confidence, right, np.ones((1, 4)))
    assert found == pytest.approx((0.86 + 0.45) / 4)
    perfect = statistics.calibration_error(np.array([0.5, 0.5]), np.array([True, False]), np.ones((1, 2)))
    assert perfect[0] == 0


def test_the_points_of_a_reliability_plot() -> None:
    assert statistics.reliability([(0.95, True), (0.91, False), (0.42, True)]) == [
        (pytest.approx(0.42), 1, 1),
        (pytest.approx(0.93), 0.5, 2),
    ]
    assert statistics.reliability([]) == []


def test_quantiles_are_values_that_occur() -> None:
    assert quantiles([4, 1, 3, 2]) == (2, 4)
    assert quantiles([7]) == (7, 7)
