"""Which files are articles."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.errors import ArticleError
from rag.i18n import Phrase

SUFFIXES = (
    ".txt", ".md", ".html", ".htm", ".mhtml", ".mht", ".pdf", ".docx", ".odt", ".rtf", ".epub", ".eml",
    ".srt", ".vtt", ".jsonl",
)  # fmt: skip
"""Endings of the files that are read, in lower case."""


def find_names(paths: Sequence[Path]) -> list[str]:
    """Names of article files under the paths, sorted, each once; folders are searched recursively.

    In folders hidden files and READMEs are passed over; a file that is named itself is always
    taken. A subfolder that may not be entered is listed as if it were a file, so that reading
    reports it by name. Raises ArticleError on a path that does not exist.
    """
    found: set[str] = set()
    for path in paths:
        if not path.exists():
            raise ArticleError("path_missing", path=path)
        found.update(_names_below(str(path)) if path.is_dir() else [str(path)])
    # by folder: files in „a“ come before „a-b“
    return sorted(found, key=lambda name: name.replace(os.sep, "\0"))


def passed_over(paths: Sequence[Path]) -> Phrase | None:
    """One line on files under the paths that are not read, by ending; None if there are none.

    Hidden files, READMEs and Office's lock files are not mentioned.

    "3 files of other kinds: .eml 2, .odt 1; 1 linked folder not entered"
    """
    kinds: Counter[str] = Counter()
    linked = 0
    for parent, folders, names in (step for path in paths for step in os.walk(path)):
        linked += sum(os.path.islink(os.path.join(parent, name)) for name in folders)  # noqa: PTH114, PTH118
        folders[:] = [name for name in folders if not name.startswith(".")]
        other = (name for name in names if not (_is_article_name(name) or _is_apart(name.lower())))
        kinds.update(os.path.splitext(name)[1].lower() for name in other)  # noqa: PTH122
    said = []
    if kinds:
        number, without = kinds.total(), kinds.pop("", 0)
        listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        if without:
            listed = Phrase("without_ending", before=f"{listed}, " if listed else "", count=without)
        said.append(Phrase("other_kinds", n=number, kinds=listed))
    if linked:
        said.append(Phrase("folders_linked", n=linked))
    return Phrase("and_also", first=said[0], second=said[1]) if len(said) == 2 else next(iter(said), None)


def _names_below(folder: str) -> Iterator[str]:
    closed: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=lambda exc: closed.append(exc.filename)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        prefix = os.path.join(parent, "").removeprefix(f".{os.sep}")  # noqa: PTH118
        yield from (f"{prefix}{name}" for name in names if _is_article_name(name))
    yield from closed


def _is_article_name(name: str) -> bool:
    low = name.lower()
    return low.endswith(SUFFIXES) and not _is_apart(low)


def _is_apart(low: str) -> bool:
    """Whether a file (name in lower case) is not an article: hidden, a lock file, or a README."""
    return low.startswith((".", "~$")) or low.rpartition(".")[0] == "readme"
