"""Protects the benchmark: that it still runs on a tiny corpus, and that its figures are read rightly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.bench import rows
from tests.bench.corpus import change, write_corpus
from tests.bench.report import table
from tests.bench.rows import Bench, Row
from tests.bench.worker import Done, worker


@contextmanager
def here(program: str, articles: Path, data: Path) -> Iterator[Any]:
    """A program in this process, which does what one in a process of its own is told."""
    from tests.bench.ours import Ours
    from tests.bench.stock import Stock

    subject = {"ours": Ours, "stock": Stock}[program](articles, data)
    run = Mock(side_effect=lambda name, *arguments: Done(getattr(subject, name)(*arguments), 1.0))
    run.memory.return_value = 1.0
    yield run


@pytest.mark.slow
def test_both_programs_answer_a_tiny_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "worker", here)
    asked = write_corpus(tmp_path / "articles", 6, None, None)
    bench = Bench(tmp_path, 6, asked)
    rows.prepare(bench)
    rows.questions(bench)
    assert {row.name for row in bench.rows} >= {
        "retrieval, rerank and confidence, p50",
        "whole answer, beside the peer's retrieval alone, p95",
    }
    assert "ours R@1 1.00" in bench.rows[0].note


@pytest.mark.slow
def test_a_process_of_its_own_does_what_it_is_told(tmp_path: Path) -> None:
    write_corpus(tmp_path / "articles", 2, None, None)
    with worker("ours", tmp_path / "articles", tmp_path / "data") as run:
        assert run("index_words").seconds > 0
        assert run.memory() > 1


def test_the_same_corpus_is_written_again(tmp_path: Path) -> None:
    asked = [write_corpus(tmp_path / name, 5, None, None) for name in ("a", "b")]
    texts = [[path.read_text() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b")]
    assert asked[0] == asked[1]
    assert texts[0] == texts[1]
    mark = change(tmp_path / "a", 3)
    changed = [path.stem for path in (tmp_path / "a").iterdir() if mark in path.read_text()]
    assert changed == ["a000003"]


def test_every_question_has_its_fact_in_one_article(tmp_path: Path) -> None:
    for question in write_corpus(tmp_path / "articles", 8, None, None):
        place = question.text.rstrip("?").rsplit(" ", 1)[1]
        assert (
            f"In {place} beschloss der Rat" in (tmp_path / "articles" / f"{question.article}.txt").read_text()
        )


def test_a_figure_is_judged_by_its_own_goal_and_beside_the_peer() -> None:
    good = Row("one changed", "s", 10, ours=2.0, peer=12.0, n=5, most=5, times=0.2)
    slow = Row("answer", "s", 10, ours=0.08, peer=0.02, n=5, most=0.09, times=3)
    assert (good.met, slow.met) == (True, False)
    assert "| 12 s | 0.167 × | ≤ 5 s, ≤ 0.2 × met |" in table([good])
    assert "| 80 ms | 20 ms | 4 × | ≤ 90 ms, ≤ 3 × **missed** |" in table([slow])
    assert "| 300 MB |  |  |  | 1 |" in table([Row("memory", "MB", 10, ours=300)])
