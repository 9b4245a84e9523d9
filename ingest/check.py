"""`python -m ingest --check`: what is read of each file and what is not, without an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.diff import Outcome, read_file_of
from ingest.readers.files import passed_over
from ingest.sources import find_sources, roots
from rag.i18n import ENGLISH
from rag.settings import Settings


def check(settings: Settings, paths: Sequence[Path] | None) -> dict[str, Any]:
    """The account of every file, by name, and what lies beside them.

    {"files": [{"name": "a.pdf", "read": {"characters": 120, "pages": 1}, "left_out": {"pages": 2},
                "problems": ["2 of 3 pages have no text: …"]}], "not_read": "1 file of other kinds: .doc 1"}
    """
    folders = roots(settings, paths)
    sources = find_sources(folders, settings.data_dir.resolve())
    files = [_told(file.name, read_file_of(file, settings.article_limit)) for file in sources]
    return {"files": files, "not_read": passed_over(folders)}


def check_text(found: dict[str, Any]) -> str:
    """The same for people: a line a file, with what could not be read below it."""
    lines: list[str] = []
    for file in found["files"]:
        account = ENGLISH.account([*file["read"].items()], [*file["left_out"].items()])
        lines.append(f"{file['name']}: {account or 'not read'}")
        lines += [f"  {problem}" for problem in file["problems"]]
    lines += [f"not read: {found['not_read']}"] if found["not_read"] else []
    return "\n".join(lines) or "no files"


def _told(name: str, outcome: Outcome) -> dict[str, Any]:
    account = outcome.account
    return {
        "name": name,
        "read": dict(account.read),
        "left_out": dict(account.left_out),
        "problems": list(outcome.problems),
    }
