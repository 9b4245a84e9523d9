"""The source and the index as they are on disk: whether they agree, found without a lock and cheaply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.publish import is_published
from ingest.sources import SourceFile, are_named, find_sources, roots
from rag.errors import BelegError, ConfigError, IndexBusy
from rag.settings import Settings
from rag.store import lock
from rag.store.fingerprint import fingerprint, serves
from rag.store.library import Library

UNDER_WAY, VECTORS = "sync", "vectors"
"""Notes in the library: that a sync is under way, and which vector index it goes with."""


@dataclass(frozen=True, slots=True)
class Look:
    """The source as it is on disk, and the data folder it belongs to."""

    folder: Path
    roots: tuple[Path, ...]
    files: tuple[SourceFile, ...]
    named: bool
    """Whether somebody said that these are the articles; otherwise they are the default."""


def look_at(settings: Settings, paths: Sequence[Path] | None) -> Look:
    """Finds the source files. Raises ArticleError for a path that does not exist."""
    folder = settings.data_dir.resolve()
    if settings.chroma_replica:
        if paths:
            raise ConfigError(
                "a replica takes its articles from the Chroma server; name no folders, or unset"
                " BELEG_CHROMA_REPLICA"
            )
        return Look(folder, (), (), named=True)
    folders = roots(settings, paths)
    named = are_named(settings, paths)
    return Look(folder, tuple(folders), tuple(find_sources(folders, folder)), named)


def library_if_readable(folder: Path) -> Library | None:
    """The library, for reading; None when there is none, or it is not fit for that."""
    try:
        return Library.open(folder, read_only=True)
    except BelegError:
        return None


def agrees(settings: Settings, look: Look, library: Library) -> bool:
    """Whether the index is that of the files, by their size and time, and its own files are all there."""
    from rag.store.seal import inspect

    return (
        serves(library.fingerprint, fingerprint(settings))
        and library.meta(UNDER_WAY) is None
        and (not settings.chroma_url or settings.chroma_replica or is_published(library))
        and (not settings.chroma_replica or library.counts().articles > 0)
        and library.file_times() == {file.key: file.state[:2] for file in look.files}
        and inspect(look.folder) in ("intact", "unclear")
    )


def has_owner(folder: Path) -> bool:
    """Whether a process works with the folder, and so has found its files whole."""
    try:
        lock.acquire(folder, 0)
    except IndexBusy:
        return True
    lock.release(folder)
    return False
