"""Protects the verdict on a change: what counts as a regression, what as chance, and what cannot be
compared at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.__main__ import main
from eval.cases import Case
from eval.compare import compare, regressions
from eval.runs import Row, Run, load_run, write_run
from eval.statistics import interval, means, resamples, summary, values
from rag.errors import BadRequest
from rag.schema import Message

Measures = Mapping[str, float]


def case(number: int, *, type: str = "fact", answerable: bool = True, **fields: Any) -> Case:
    return Case(f"c{number}", f"Frage {number}?", type=type, articles=("a",) if answerable else (), **fields)


def measured(*pairs: tuple[Case, Measures]) -> list[Row]:
    return [Row(case, measures=measures) for case, measures in pairs]


def run_of(rows: Sequence[tuple[Case, Measures]], **about: object) -> Run:
    whole = {
        "set": {"name": "s", "sha256": "x", "cases": len(rows), "retrieval_only": False},
        "engine": {"mode": "extractive"},
        "settings": {"passages": 8},
        "left_out": {},
        **about,
    }
    return Run(whole, tuple(measured(*rows)))


def hits(values: Sequence[float], name: str = "evidence_hit") -> Run:
    return run_of([(case(n), {name: value}) for n, value in enumerate(values)])


# --- values and intervals


def test_a_mean_is_over_the_cases_that_have_the_measure() -> None:
    rows = measured((case(1), {"evidence_hit": 1.0}), (case(2), {}), (case(3), {"evidence_hit": 0.0}))
    found = summary(rows)["evidence_hit"]
    assert (found.value, found.cases) == (0.5, 2)


def test_declining_is_counted_over_the_set() -> None:
    outcomes = [(True, True)] * 3 + [(True, False)] + [(False, True)] * 2 + [(False, False)] * 4
    rows = measured(
        *(
            (case(n, answerable=not unanswerable), {"abstained": float(declined)})
            for n, (declined, unanswerable) in enumerate(outcomes)
        )
    )
    found = means(rows)
    names = ("abstention_precision", "abstention_recall", "abstention_f1")
    assert tuple(found[name] for name in names) == pytest.approx((3 / 4, 3 / 5, 2 / 3))
    assert summary(rows)["abstention_f1"].cases == 10


def test_declining_is_not_measured_where_nothing_is_unanswerable() -> None:
    found = means(measured((case(1), {"abstained": 1.0})))
    assert found == {"abstained": 1.0}


def test_confidence_is_held_against_what_it_foretells() -> None:
    rows = measured(
        (case(1), {"confidence": 0.9, "abstained": 0.0, "evidence_hit": 1.0}),
        (case(2), {"confidence": 0.7, "abstained": 0.0, "evidence_hit": 0.0}),
        (case(3), {"confidence": 0.3, "abstained": 1.0, "evidence_hit": 0.0}),
        (case(4, answerable=False), {"confidence": 0.4, "abstained": 0.0}),
    )
    found = summary(rows)
    # two of the three answerable questions are surer than the one that is not
    assert (found["confidence_auroc"].value, found["confidence_auroc"].cases) == (pytest.approx(2 / 3), 4)
    # of what was answered one is right
    assert (found["confidence_ece"].value, found["confidence_ece"].cases) == (pytest.approx(1.2 / 3), 3)
    assert found["confidence_auroc"].low <= 2 / 3 <= found["confidence_auroc"].high
    assert "confidence_auroc" not in summary(rows[:3])


def test_confidence_is_compared_too() -> None:
    def run(shift: float) -> Run:
        measures = {"confidence": 0.5 + shift, "abstained": 0.0, "evidence_hit": 1.0}
        return run_of([(case(n), measures) for n in range(20)])

    found = difference(run(0.0), run(0.4), "confidence_ece")
    assert (found.gain, found.verdict) == (pytest.approx(0.4), "better")


def test_the_interval_is_the_bootstraps() -> None:
    # for a share of n independent cases the standard error is sqrt(p (1 - p) / n)
    values = [1.0] * 80 + [0.0] * 20
    found = summary(hits(values).rows)["evidence_hit"]
    error = (0.8 * 0.2 / 100) ** 0.5
    assert found.low == pytest.approx(0.8 - 1.96 * error, abs=0.01)
    assert found.high == pytest.approx(0.8 + 1.96 * error, abs=0.01)


def test_questions_of_a_conversation_come_and_go_together() -> None:
    rows = hits([float(n % 2) for n in range(40)]).rows

    def bounds(clusters: Sequence[str]) -> tuple[float, float]:
        drawn = [values(rows, ["evidence_hit"], weights) for weights in resamples(clusters)]
        low, high = interval(np.concatenate(drawn))
        return float(low[0]), float(high[0])

    assert bounds([str(n % 2) for n in range(40)]) == (0, 1)
    assert bounds([str(n) for n in range(40)])[0] > 0.3
    assert bounds(["a"] * 40) == (0.5, 0.5)


def test_the_same_runs_always_give_the_same_interval() -> None:
    rows = run_of(
        [(case(n), {"fact_recall": n / 9, "confidence": n / 9, "abstained": 0.0}) for n in range(9)]
    ).rows
    assert summary(rows) == summary(rows)


# --- differences


def difference(before: Run, after: Run, name: str = "evidence_hit") -> Any:
    return next(each for each in compare(before, after) if each.name == name)


def test_a_clear_loss_is_worse_and_a_small_one_may_be_chance() -> None:
    clear = difference(hits([1.0] * 40), hits([1.0] * 25 + [0.0] * 15))
    assert (clear.gain, clear.verdict) == (pytest.approx(-0.375), "worse")
    assert (clear.tally.wins, clear.tally.ties, clear.tally.losses) == (0, 25, 15)
    chance = difference(hits([1.0] * 40), hits([1.0] * 39 + [0.0]))
    assert chance.verdict == ""
    assert chance.high == 0


def test_pairs_are_compared_not_only_means() -> None:
    # the same means; the first pair differs in every question, the second in none
    mixed = difference(hits([1.0, 0.0] * 20), hits([0.0, 1.0] * 20))
    same = difference(hits([1.0, 0.0] * 20), hits([1.0, 0.0] * 20))
    assert mixed.gain == same.gain == 0
    assert mixed.low < -0.2 < 0.2 < mixed.high
    assert (same.low, same.high) == (0, 0)
    assert (mixed.tally.wins, mixed.tally.losses) == (20, 20)


def test_less_is_a_gain_where_less_is_better() -> None:
    found = difference(
        hits([1.0] * 30, "forbidden_rate"), hits([0.0] * 30, "forbidden_rate"), "forbidden_rate"
    )
    assert (found.before, found.after, found.gain, found.verdict) == (1, 0, 1, "better")


def test_wins_are_told_by_type_and_cases_in_any_order() -> None:
    one = run_of([(case(1, type="fact"), {"fact_recall": 0.0}), (case(2, type="why"), {"fact_recall": 1.0})])
    two = run_of([(case(2, type="why"), {"fact_recall": 1.0}), (case(1, type="fact"), {"fact_recall": 0.5})])
    found = difference(one, two, "fact_recall")
    assert (found.by_type["fact"].wins, found.by_type["why"].ties) == (1, 1)


# --- limits


def test_a_regression_is_beyond_chance_and_beyond_the_limit() -> None:
    found = compare(hits([1.0] * 40), hits([1.0] * 25 + [0.0] * 15))
    assert regressions(found, {"evidence_hit": 0.3}, {}) == [
        "evidence_hit is worse by 0.375, the limit is 0.3"
    ]
    assert regressions(found, {"evidence_hit": 0.4}, {}) == []
    chance = compare(hits([1.0] * 40), hits([1.0] * 39 + [0.0]))
    assert regressions(chance, {"evidence_hit": 0.01}, {}) == []
    assert regressions(chance, {}, {"evidence_hit": 1.0}) == [
        "evidence_hit is 0.975, at least 1 is asked for"
    ]


def test_a_limit_on_what_was_not_measured_is_no_pass() -> None:
    with pytest.raises(BadRequest, match="not measured in both runs: fact_recall"):
        regressions(compare(hits([1.0]), hits([1.0])), {"fact_recall": 0.1}, {})


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (hits([1.0, 1.0]), "different sets: 1 cases differ"),
        (run_of([(case(0, note="other"), {"evidence_hit": 1.0})]), "different sets"),
        (Run(hits([1.0, 1.0]).about, hits([1.0]).rows), "not complete: 1 of 2 cases"),
        (Run(hits([1.0]).about, (Row(case(0), error={"type": "X", "message": ""}),)), "1 cases .* failed"),
    ],
)
def test_runs_that_do_not_pair_are_refused(after: Run, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        compare(hits([1.0]), after)


# --- the command


@pytest.mark.parametrize(
    ("after", "limits", "status"),
    [
        ([1.0] * 40, ["--max-drop", "evidence_hit=0.02"], 0),
        ([1.0] * 25 + [0.0] * 15, ["--max-drop", "evidence_hit=0.02"], 1),
        ([1.0] * 25 + [0.0] * 15, [], 0),
        ([1.0] * 39 + [0.0], ["--min", "evidence_hit=1"], 1),
        ([1.0] * 40, ["--max-drop", "fact_recall=0.02"], 2),
        ([1.0] * 41, [], 2),
        ([1.0] * 40, ["--max-drop", "no_such=0.02"], 2),
    ],
)
def test_the_exit_status_is_the_verdict(
    tmp_path: Path, after: list[float], limits: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "a.json", hits([1.0] * 40))
    write_run(tmp_path / "b.json", hits(after))
    try:
        found = main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), *limits])
    except SystemExit as exit:
        found = int(str(exit.code))
    assert found == status
    assert ("REGRESSION" in capsys.readouterr().out) == (status == 1)


def test_a_file_that_is_no_run_is_invalid(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"cases": []}', "utf-8")
    with pytest.raises(SystemExit) as exit:
        main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")])
    assert exit.value.code == 2


def test_differences_are_printed_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a.json", hits([1.0, 0.0]))
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["before"], found["tally"]["ties"]) == ("evidence_hit", 0.5, 2)


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    turn = case(1, history=(Message("user", "Wer?"),))
    before = run_of([(turn, {"fact_recall": 0.5}), (case(2), {})])
    write_run(tmp_path / "a.json", before)
    assert load_run(tmp_path / "a.json") == before
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]
