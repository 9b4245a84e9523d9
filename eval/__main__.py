"""Runs a question set: `python -m eval SET.jsonl [--articles DIR]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rag.errors import BelegError


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the measures of a set as a table; 1 on an error, which is said on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description=__doc__,
        epilog="example: python -m eval questions.jsonl --articles ~/dossier --out run.json",
    )
    parser.add_argument("set", type=Path, help="question set, one JSON case a line")
    parser.add_argument("--articles", type=Path, help="folder with the articles (default: seeds)")
    parser.add_argument("--data", type=Path, help="folder of the index")
    parser.add_argument("--out", type=Path, help="file for the cases and their whole answers, as JSON")
    options = parser.parse_args(arguments)
    try:
        _measure(options)
    except BelegError as error:
        print(f"beleg: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from eval.cases import load_cases
    from eval.run import MEASURES, abstention, run, table
    from ingest.sync import is_current, sync
    from rag.engine import open_engine
    from rag.serve.wire import answer_to_dict
    from rag.settings import load_settings

    cases = load_cases(options.set)
    settings = load_settings(articles=options.articles, data=options.data)
    if not is_current(settings):
        sync(settings)
    with closing(open_engine(settings)) as engine, tqdm(total=len(cases), unit="questions") as bar:
        results = run(engine, cases, bar.update)
    print(f"{'':32}{'cases':>6}" + "".join(f"{name:>14}" for name in MEASURES))
    for name, number, means in table(results):
        cells = "".join(f"{means[m]:>14.3f}" if m in means else f"{'–':>14}" for m in MEASURES)
        print(f"{name:32}{number:>6}{cells}")
    precision, recall, f1 = abstention(results)
    print(f"\ndeclining: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")
    if options.out:
        rows = [
            {"case": r.case.id, "answer": answer_to_dict(r.answer), "measures": r.measures} for r in results
        ]
        options.out.write_text(json.dumps({"cases": rows}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
