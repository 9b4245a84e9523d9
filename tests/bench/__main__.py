"""`make bench`: our program and the stock one in turn, against the goals; `ARGS="--sizes 5 150"`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench import doors, rows
from tests.bench.corpus import kept_corpus
from tests.bench.report import write
from tests.bench.rows import ROOT, TIMES, Bench, Row

_SHARED = ROOT.parent / "shared"
_REPEATED = 50  # articles: larger corpora are indexed once
_WITH_PEER = 20_000  # articles: in larger ones only our words, questions and memory are measured
_NEEDED: dict[bool, tuple[Sequence[str], str]] = {
    False: (("ours", "stock"), "ingest"),
    True: (("ours",), "index_words"),
}
"""Programs whose index a row needs, and how it is made: in a corpus too large for the peer (True), or not."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it with JSON into the folder of `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[150], help="numbers of articles")
    parser.add_argument("--news", type=Path, default=_there("news/10kgnad-test.csv"), help="CSV of news")
    parser.add_argument("--xquad", type=Path, default=_there("xquad"), help="folder of XQuAD")
    parser.add_argument("--out", type=Path, default=ROOT / ".beleg" / "bench", help="folder of the results")
    parser.add_argument("--only", nargs="+", help="names of rows: ingest questions sync_of_nothing …")
    parser.add_argument("--times", type=int, default=TIMES, help="measurements a row")
    parser.add_argument("--keep", type=Path, help="folder for corpora and indexes, used again next time")
    parser.add_argument(
        "--peer-up-to",
        type=int,
        default=_WITH_PEER,
        help="articles of the largest corpus that the peer reads",
    )
    options = parser.parse_args(arguments)
    work = options.keep or Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        found = run(options, work)
    finally:
        if options.keep is None:
            shutil.rmtree(work, ignore_errors=True)
    print(write(found, options.out))
    return 0


def run(options: argparse.Namespace, work: Path) -> list[Row]:
    """The rows of all sizes."""
    benches = []
    for size in sorted(options.sizes):
        folder = work / str(size)
        bench = Bench(folder, size, kept_corpus(folder, size, options.news, options.xquad))
        benches.append(bench)
        for name, measure in _measures(bench, options):
            if options.only is None or name in options.only:
                started = time.perf_counter()
                if name not in ("words", "ingest"):
                    rows.prepare(bench, *_NEEDED[bench.size > options.peer_up_to])
                measure()
                # a long run that is broken off leaves what it has measured
                write([row for each in benches for row in each.rows], options.out)
                print(f"{size:,} articles: {name} ({time.perf_counter() - started:.0f} s)", file=sys.stderr)
    if len(benches) > 1 and all(any(rows.is_retrieval(row) for row in bench.rows) for bench in benches):
        rows.growth(benches)
    return [row for bench in benches for row in bench.rows]


def _measures(bench: Bench, options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], None]]]:
    times = options.times
    often = times if bench.size <= _REPEATED else 1
    if bench.size > options.peer_up_to:
        yield "ingest", lambda: rows.words_alone(bench)
        yield "questions", lambda: rows.questions_alone(bench)
        yield "serving_memory", lambda: doors.serving_memory(bench)
        return
    yield "words", lambda: rows.words_alone(bench)
    yield "ingest", lambda: rows.ingest(bench, often)
    yield "sync_of_nothing", lambda: rows.sync_of_nothing(bench, times)
    yield "questions", lambda: rows.questions(bench)
    yield "sync_of_one", lambda: rows.sync_of_one(bench, often)
    yield "ask_once", lambda: rows.ask_once(bench, times)
    yield "serving_memory", lambda: doors.serving_memory(bench)
    if bench.size == min(options.sizes):
        yield "first_page", lambda: rows.first_page(bench, times)
        yield "first_word", lambda: doors.first_word(bench)


def _there(name: str) -> Path | None:
    path = _SHARED / name
    return path if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
