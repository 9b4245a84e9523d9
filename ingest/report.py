"""What a sync did, as it is told to people and programs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rag.store.chroma import Progress
from rag.store.library import Library
from rag.store.library_file import LEFT_TO_WORDS

__all__ = ["Changes", "Progress", "SyncReport", "report_of", "silent"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. Numbers count articles; `skipped` holds the name and reason of what was not read.

    `duplicates` are pairs (copy, original) of article ids in the whole index; `repaired` says what
    was found damaged and is whole again; `articles` and `chunks` are what the index holds now, `pending`
    is how many of the chunks are found by their words only, for their vectors are still to come, `unasked`
    says what it takes where there are too many to make their vectors without `--embed`; `read` and
    `left_out` are how much of what kind the files of the index gave and did not.
    """

    added: int
    changed: int
    deleted: int
    unchanged: int
    duplicates: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    repaired: tuple[str, ...]
    articles: int
    chunks: int
    seconds: float
    fingerprint: str
    pending: int = 0
    unasked: str | None = None
    read: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """How many articles are new, changed, gone and as before."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0


def report_of(
    library: Library, changes: Changes, repaired: Sequence[str] = (), pending: int = 0
) -> SyncReport:
    """The report of a sync on the library as it is now; the caller knows the seconds."""
    counts = library.counts()
    accounts = [state.account for state in library.files().values()]
    skipped = [(_shown(path), problem) for path, problem in library.problems()]
    return SyncReport(
        added=changes.added,
        changed=changes.changed,
        deleted=changes.deleted,
        unchanged=changes.unchanged,
        duplicates=tuple(library.copies().items()),
        skipped=tuple(sorted(skipped)),
        repaired=tuple(repaired),
        articles=counts.articles,
        chunks=counts.chunks,
        seconds=0.0,
        fingerprint=library.fingerprint,
        pending=pending,
        unasked=library.phrase(LEFT_TO_WORDS),
        read=_sums(account.read for account in accounts),
        left_out=_sums(account.left_out for account in accounts),
    )


def _sums(accounts: Iterable[Iterable[tuple[str, int]]]) -> tuple[tuple[str, int], ...]:
    sums: Counter[str] = Counter()
    for kind, number in chain.from_iterable(accounts):
        sums[kind] += number
    return tuple(sums.items())


def silent(step: str, done: int, total: int) -> None:
    """No progress to be shown."""


def _shown(path: str) -> str:
    """A path as people write it: relative to where they are, if it is below."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")
