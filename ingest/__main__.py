"""`python -m ingest`: bring the index in line with the article files, and say what was done."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.terminal import DOSSIER_HELP, Bars, as_json, ends_with_its_reader, program

if TYPE_CHECKING:
    from ingest.sync import SyncReport
    from rag.settings import Settings

_SHOWN = 20  # lines of duplicates or articles; --json has all
_STATED = ("title", "outlet", "author", "published", "genre", "language")


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when anything is indexed, 1 when nothing could be read or on an error."""
    options = _parser().parse_intermixed_args(arguments)
    # heavy imports only now, so that --help answers at once
    from rag.errors import BelegError
    from rag.settings import load_settings

    try:
        settings = load_settings(data=options.data, dossier=options.dossier)
        if options.backup or options.restore:
            said, status = _kept(settings, options), 0
        elif options.check:
            found = check(settings, options.paths or None)
            said, status = as_json(found) if options.json else check_text(found), 0
        else:
            said, status = _synced(settings, options)
    except BelegError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"error: {exc}; check free space and permissions", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the old index still answers, the next run completes this one", file=sys.stderr)
        return 130
    print(said)
    return status


def _synced(settings: Settings, options: argparse.Namespace) -> tuple[str, int]:
    """Runs a sync; returns the report and the exit status."""
    from ingest.sources import passed_over, roots
    from ingest.sync import sync
    from rag.errors import ConfigError

    if settings.dossier and options.paths:
        raise ConfigError("BELEG_DOSSIERS says where the articles are: give --dossier NAME, and no PATH")
    # for the encoder: here nobody waits for an answer meanwhile
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    with closing(Bars()) as bars:
        report = sync(
            settings,
            paths=options.paths or None,
            rebuild=options.rebuild,
            take_over=options.take_over,
            wait=not options.no_wait,
            embed=options.embed,
            progress=bars.show,
        )
    # a replica has no files
    other = None if settings.chroma_replica else passed_over(roots(settings, options.paths or None))
    status = 1 if report.skipped and not report.articles else 0
    if not options.json:
        return summary(report, other), status
    copies = [{"article": copy, "copy_of": original} for copy, original in report.duplicates]
    skipped = [{"name": name, "reason": reason} for name, reason in report.skipped]
    return as_json({**asdict(report), "duplicates": copies, "skipped": skipped, "not_read": other}), status


def summary(report: SyncReport, other: str | None = None) -> str:
    """The report for people: one line of numbers, then everything that needs attention, by name.

    `other` is a line on files that are not read.
    """
    from rag.i18n import ENGLISH

    def count(number: int, noun: str) -> str:
        return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

    lines = [
        f"{count(report.articles, 'article')}, {count(report.chunks, 'passage')} in the index:"
        f" {report.added} added, {report.changed} changed, {report.deleted} deleted,"
        f" {report.unchanged} unchanged ({report.seconds:.1f} s)"
    ]
    if report.pending:
        lines.append(f"{count(report.pending, 'passage')} still found by words only: the vectors are to come")
    lines += [report.unasked] if report.unasked else []
    lines += [f"repaired: {line}" for line in report.repaired]
    lines += [f"near-duplicate: {copy} repeats {original}" for copy, original in report.duplicates[:_SHOWN]]
    if len(report.duplicates) > _SHOWN:
        lines.append(f"… and {len(report.duplicates) - _SHOWN} more near-duplicates")
    if report.left_out:
        lines.append(f"{ENGLISH.account({}, report.left_out)}; by file: python -m ingest --check")
    lines += [f"{report.how_read(name)}: {name}: {reason}" for name, reason in report.skipped]
    lines += [f"not read: {other}"] if other else []
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program("python -m ingest", "ingest"),
        description="Index articles (.txt, .md, .html, .pdf, .docx and others): new and changed ones are"
        " added, deleted ones removed, the rest is left alone. --check names files that are not read.",
        epilog="example: python -m ingest ~/dossier --data .beleg/dossier",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="folders or files with the articles (default: BELEG_ARTICLES, else seeds/); they stay the"
        " source of this index until another is given",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the index (default: BELEG_DATA)")
    parser.add_argument("--dossier", metavar="NAME", help=DOSSIER_HELP)
    flag = partial(parser.add_argument, action="store_true")
    flag("--rebuild", help="build the index anew, for other settings")
    flag(
        "--no-wait",
        help="do not wait for the vectors: the articles answer by their words until the next run, or the"
        " chat, has made them",
    )
    parser.add_argument(
        "--embed",
        nargs="?",
        choices=("all", "passages"),
        const="all",
        help="make the vectors of more than 1,000 new articles, too: of passages and sentences, or passages"
        " alone, in a quarter of the time; said once, it holds for this index",
    )
    flag(
        "--take-over",
        help="become the Beleg that writes to the Chroma server (CHROMA_URL), in the place of another",
    )
    flag("--check", help="say what is read of each file and what is not, and what it states; index nothing")
    flag("--json", help="print the report as JSON")
    keep = parser.add_argument_group("backup")
    keep.add_argument(
        "--backup", type=Path, metavar="FILE", help="save uploads, answers, feedback, embeddings, evaluations"
    )
    keep.add_argument("--restore", type=Path, metavar="FILE", help="put a backup back; stop the chat before")
    keep.add_argument("--force", action="store_true", help="let --restore replace what is there")
    return parser


def _kept(settings: Settings, options: argparse.Namespace) -> str:
    """Backs up or restores; returns the report."""
    from ingest.backup import back_up, restore

    if options.backup:
        return f"{options.backup} holds {', '.join(back_up(settings, options.backup))}"
    names = restore(settings, options.restore, force=options.force)
    return f"{settings.data_dir} has {', '.join(names)} again; the next start brings the index in line"


def check(settings: Settings, paths: Sequence[Path] | None) -> dict[str, Any]:
    """The account of every file, by name, what its articles state, and the files that are not read.

    {"files": [{"name": "a.pdf", "read": {"characters": 120, "pages": 1}, "left_out": {"pages": 2},
                "problems": ["2 of 3 pages have no text: …"], "articles": [{"title": "Die Fähre", …}]}],
     "not_read": "1 file of other kinds: .doc 1"}
    """
    from ingest.diff import read_file_of
    from ingest.sources import find_sources, passed_over, roots

    folders, files = roots(settings, paths), []
    for file in find_sources(folders, settings.data_dir.resolve()):
        state, articles = read_file_of(file, settings.article_limit)
        stated = [{name: getattr(article, name) for name in _STATED} for article in articles]
        told = [{name: value and str(value) for name, value in each.items()} for each in stated]
        account = {**state.account._asdict(), "problems": list(state.problems), "articles": told}
        files.append({"name": file.name, **account})
    return {"files": files, "not_read": passed_over(folders)}


def check_text(found: dict[str, Any]) -> str:
    """The account for people: one line per file, with what its articles state and its problems below."""
    from rag.i18n import ENGLISH

    lines: list[str] = []
    for file in found["files"]:
        account = ENGLISH.account(file["read"], file["left_out"])
        lines.append(f"{file['name']}: {account or 'not read'}")
        lines += [f"  {ENGLISH.stated(article)}" for article in file["articles"][:_SHOWN]]
        lines += [f"  … and {more} more articles"] if (more := len(file["articles"]) - _SHOWN) > 0 else []
        lines += [f"  {problem}" for problem in file["problems"]]
    lines += [f"not read: {found['not_read']}"] if found["not_read"] else []
    return "\n".join(lines) or "no files"


if __name__ == "__main__":
    sys.exit(main())
