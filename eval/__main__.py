"""Measures the answers to a question set: `python -m eval SET.jsonl`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BelegError
from rag.terminal import DOSSIER_HELP, ends_with_its_reader, program

if TYPE_CHECKING:
    from eval.runs import Run

_COMMANDS = """other commands:
  python -m eval compare A.json B.json    is B worse than A?
  python -m eval report RUN.json …        the HTML report of runs that are kept
  python -m eval support [PAIRS.jsonl]    how well statements are checked, on labelled pairs

SET is JSONL (one case a line), a SQuAD file (.json: SQuAD, XQuAD, GermanQuAD), a folder with passages.jsonl
and questions, or a BEIR folder.
Exit status: 0 all cases answered, 1 could not begin, 2 some cases failed (they are in the run).

examples:
  python -m eval questions.jsonl --articles ~/dossier --out run.json --html report.html
  python -m eval questions.jsonl --with passages=4 --with passages=12
  python -m eval xquad.de.json
  python -m eval xquad --lang en --distractors 10kgnad-test.csv
"""
DONE, ERROR, INCOMPLETE = 0, 1, 2


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status as the help says."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        match given[:1]:
            case ["compare"]:
                from eval.compare import main as compare

                return compare(given[1:])
            case ["support"]:
                from eval.verifier import main as support

                return support(given[1:])
            case ["report"]:
                return _report(given[1:])
            case _:
                return _measure(_parser().parse_args(given))
    except BelegError as error:
        print(f"beleg: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("beleg: interrupted; --resume goes on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program("python -m eval", "eval"),
        description=__doc__,
        epilog=_COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("set", type=Path, help="question set")
    parser.add_argument(
        "--articles",
        type=Path,
        action="append",
        default=[],
        help="folder with the articles (default: seeds); give several to compare them",
    )
    parser.add_argument("--data", type=Path, help="folder of the index")
    parser.add_argument("--dossier", metavar="NAME", help=DOSSIER_HELP)
    parser.add_argument(
        "--with",
        dest="changes",
        type=_change,
        action="append",
        default=[],
        metavar="NAME=VALUE[,…]",
        help="one more run with these settings changed, to compare (names as in .env.example)",
    )
    parser.add_argument("--out", type=Path, help="file for the run: cases, whole answers, measures (JSON)")
    parser.add_argument("--lean", action="store_true", help="leave the passages' texts out of --out")
    _add_report_options(parser)
    parser.add_argument("--resume", action="store_true", help="go on with a run that was broken off")
    parser.add_argument("--extractive", action="store_true", help="verbatim sentences, even with a model")
    parser.add_argument("--judge", action="store_true", help="let the language model judge faithfulness too")
    parser.add_argument("--tag", help="only the cases with this tag")
    parser.add_argument("--lang", default="de", help="language of the questions, where a set has several")
    parser.add_argument(
        "--distractors",
        type=Path,
        metavar="CSV",
        help="more articles for a set that brings its own: lines of label;'text', as in 10kGNAD",
    )
    return parser


def _add_report_options(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument("--html", type=Path, required=required, help="file for the report")
    parser.add_argument(
        "--report-lang", choices=("de", "en"), default="de", help="language of the report (default: de)"
    )


def _report(arguments: Sequence[str]) -> int:
    from eval.runs import load_run

    parser = argparse.ArgumentParser(
        prog=program("python -m eval", "eval") + " report",
        description="The HTML report of a run; of several: of the last, compared with the first.",
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN.json")
    _add_report_options(parser, required=True)
    options = parser.parse_args(arguments)
    return _write_report([load_run(path) for path in options.runs], options)


def _write_report(runs: Sequence[Run], options: argparse.Namespace) -> int:
    from eval.report import report
    from eval.runs import write_whole

    write_whole(options.html, report(runs, options.report_lang))
    print(f"report: {options.html}")
    return DONE


def _change(value: str) -> Mapping[str, str]:
    """`passages=4,history_turns=0` as settings."""
    from rag.settings import DEFAULTS

    changes = {}
    for name, sign, given in (pair.partition("=") for pair in value.split(",")):
        plain = name.strip().lower().removeprefix("beleg_")
        if not plain or not sign:
            raise argparse.ArgumentTypeError(f"{value!r} is not NAME=VALUE")
        if plain not in DEFAULTS:
            raise argparse.ArgumentTypeError(f"there is no setting {name.strip()!r}; see .env.example")
        changes[plain] = given.strip()
    return changes


def _measure(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from eval.cases import load_set, tagged, with_distractors
    from eval.report import keep_reports
    from eval.run import folder_of, journal_of, measure, plans
    from eval.runs import lean, write_run
    from eval.statistics import run_table

    questions = tagged(load_set(options.set, options.lang), options.tag)
    if options.distractors:
        questions = with_distractors(questions, options.distractors)
    made = plans(questions, options.articles, options.data, options.changes, options.dossier)
    how = {name: getattr(options, name) for name in ("extractive", "judge", "resume")}
    runs = []
    for number, plan in enumerate(made, 1):
        count = len(questions.cases)
        bar = partial(tqdm, total=count, desc=plan.label or None, unit=" questions", disable=None)
        runs.append(run := measure(plan, questions, **how, progress=bar))
        file = folder_of(plan.settings) / "latest.json"
        if options.out:
            several = len(made) > 1
            file = options.out.with_stem(f"{options.out.stem}-{number}") if several else options.out
            write_run(file, lean(run) if options.lean else run)
        print(*([f"\n{run.label}"] if len(made) > 1 else []), run_table(run), sep="\n")
        print(f"\nrun: {file}")
    complete = all(run.complete for run in runs)
    for plan in made if complete else ():
        journal_of(plan).unlink(missing_ok=True)
    if complete and len(runs) > 1:
        keep_reports(folder_of(made[0].settings), runs)
    if options.html:
        _write_report(runs if complete else runs[:1], options)
    else:
        print(f"report: {folder_of(made[0].settings) / 'latest.html'}")
    return DONE if complete else INCOMPLETE


if __name__ == "__main__":
    sys.exit(main())
