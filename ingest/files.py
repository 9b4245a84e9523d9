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
    return list(map(Path, find_names(paths)))


def find_names(paths: Sequence[Path]) -> list[str]:
    """The same as strings: of ten thousand files, paths cost more than all else of looking at them."""
    found: set[str] = set()
    for path in paths:
        if not path.exists():
            raise ArticleError(
                f"{path} does not exist; give a file or folder that does (--articles, or BELEG_ARTICLES)"
            )
        found.update(_names_below(str(path)) if path.is_dir() else [str(path)])
    # by folder: what lies in „a“ goes before „a-b“, as no other character does
    return sorted(found, key=lambda name: name.replace(os.sep, "\0"))


def _names_below(folder: str) -> Iterator[str]:
    closed: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=lambda exc: closed.append(exc.filename)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        prefix = os.path.join(parent, "").removeprefix(f".{os.sep}")  # noqa: PTH118
        yield from (f"{prefix}{name}" for name in names if _is_article_name(name))
    yield from closed


def _is_article_name(name: str) -> bool:
    low = name.lower()
    return low.endswith(SUFFIXES) and not low.startswith((".", "~$")) and low.rpartition(".")[0] != "readme"
