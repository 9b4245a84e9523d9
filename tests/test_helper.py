"""Protects the second process of a large sync: the same results in the same order, whatever becomes of it."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ingest.helper import Helper, begun, shared
from ingest.sync import sync
from rag.lexical import load_index
from rag.library import Library
from rag.settings import Settings
from tests.conftest import ROOT

SQUARE = partial(pow, exp=2)
BATCHES = list(range(7))
SQUARES = [0, 1, 4, 9, 16, 25, 36]


@pytest.fixture
def helper() -> Iterator[Helper]:
    with Helper() as made:
        yield made


@pytest.mark.parametrize("both", [True, False])
def test_results_come_in_order(helper: Helper, both: bool) -> None:
    assert list(shared(SQUARE, BATCHES, helper, both=both)) == list(shared(SQUARE, BATCHES, None)) == SQUARES


def test_what_a_killed_helper_owes_is_done_here(helper: Helper) -> None:
    results = shared(SQUARE, BATCHES, helper)
    found = [next(results)]
    os.kill(helper.process.pid, signal.SIGKILL)
    assert [*found, *results] == SQUARES


def test_a_task_is_begun_and_its_result_fetched_later(helper: Helper) -> None:
    fetched = begun(partial(pow, 2, 5), helper)
    assert fetched() == 32
    assert begun(partial(pow, 2, 5), None)() == 32


def test_results_come_in_order_from_a_helper_that_stood_still(helper: Helper) -> None:
    results = shared(SQUARE, iter(BATCHES), helper)
    os.kill(helper.process.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (helper.process.pid, signal.SIGCONT)).start()
    assert list(results) == SQUARES


def test_an_error_is_raised_here_as_without_a_helper(helper: Helper) -> None:
    with pytest.raises(ZeroDivisionError):
        list(shared(partial(operator.floordiv, 1), [1, 0, 1], helper))


def test_the_helper_ends_with_its_parent() -> None:
    code = (
        "import time\nfrom ingest.helper import Helper\n"
        "print(Helper().process.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def test_an_index_made_with_a_helper_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(40):
        text = f"Der Rat von Ort {number} tagte. Er beschloss den Haushalt. " * (number % 5 + 1)
        (articles / f"a{number}.txt").write_text(f"{text}\n\nDas Papier {number} liegt aus.", "utf-8")
    made = []
    for least in (1, 1_000):
        monkeypatch.setattr("ingest.run._WORTH_HELP", least)
        monkeypatch.setattr("ingest.run._PREPARED_AT_ONCE", 16)
        data = tmp_path / str(least)
        report = sync(Settings(articles=articles, data=data))
        with Library.open(data, read_only=True) as library:
            index = load_index(data, library.revision)
            (segment,) = index.segments
            columns = [getattr(segment.grams, name).tolist() for name in ("terms", "indptr", "docs", "tf")]
            made.append((report.articles, list(library.chunks()), library.marks(["a3"]), index.ids, columns))
    assert made[0] == made[1]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
