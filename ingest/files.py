"""Which files are articles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.errors import ArticleError

SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".jsonl")
"""Endings of the files that are read, in lower case."""


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Article files under the paths, sorted, each once; folders are searched recursively.

    In folders hidden files and READMEs are passed over; a file that is named itself is always
    taken. A subfolder that may not be entered is listed as if it were a file, so that reading
    reports it by name. Raises ArticleError on a path that does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise ArticleError(
                f"{path} does not exist; give a file or folder that does (--articles, or BELEG_ARTICLES)"
            )
        found.update(_files_below(path) if path.is_dir() else [path])
    return sorted(found)


def _files_below(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=lambda exc: closed.append(Path(exc.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if _is_article_name(name))
    yield from closed


def _is_article_name(name: str) -> bool:
    path = Path(name)
    return (
        path.suffix.lower() in SUFFIXES and path.stem.lower() != "readme" and not name.startswith((".", "~$"))
    )
