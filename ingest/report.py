"""The report of a sync, for people and programs."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.store.library import Library
from rag.store.library_file import LEFT_TO_WORDS


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. Numbers count articles; `skipped` has name and reason of each file that was not read,
    or, where its name is also in `in_part`, not all of it.

    `duplicates` are pairs (copy, original) of article ids in the whole index; `repaired` says what was
    damaged and is whole again; `articles` and `chunks` are what the index holds now. `pending` is the number
    of chunks without vectors, found by their words only; `unasked` says what embedding them would take if
    they are too many to do so without `--embed`. `read` and `left_out` count the parts of files that were
    read and not read, by kind.
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
    in_part: tuple[str, ...] = ()
    read: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def how_read(self, name: str) -> str:
        """Of a file in `skipped`: whether nothing of it was read, or a part."""
        return "read in part" if name in self.in_part else "skipped"


def report_of(
    library: Library, changes: tuple[int, int, int, int], repaired: Sequence[str] = (), pending: int = 0
) -> SyncReport:
    """The report of a sync on the library as it is now; the caller knows the seconds."""
    counts, read, left_out = library.counts(), Counter[str](), Counter[str]()
    skipped, in_part = list[tuple[str, str]](), set[str]()
    here = f"{Path.cwd()}{os.sep}"  # paths below it are said without it
    for path, state in library.files().items():
        name = path.removeprefix(here)
        read.update(state.account.read)
        left_out.update(state.account.left_out)
        skipped += [(name, problem) for problem in state.problems]
        in_part |= set() if state.unread else {name}
    return SyncReport(
        *changes,
        duplicates=tuple(library.copies().items()),
        skipped=tuple(sorted(skipped)),
        repaired=tuple(repaired),
        articles=counts.articles,
        chunks=counts.chunks,
        seconds=0.0,
        fingerprint=library.fingerprint,
        pending=pending,
        unasked=library.phrase(LEFT_TO_WORDS),
        in_part=tuple(sorted(in_part)),
        read=dict(read),
        left_out=dict(left_out),
    )
