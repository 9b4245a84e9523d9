"""Uploads and watcher in one: what the web chat is handed to take in articles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers.files import SUFFIXES
from ingest.uploads import IncomingFile, Uploads
from ingest.watch import Watcher
from rag.uploads import SyncState

if TYPE_CHECKING:
    from rag.settings import Settings


class ArticleIntake:
    """See `rag.uploads.Intake`; `start` begins to watch the articles folder, `close` ends it."""

    def __init__(self, settings: Settings) -> None:
        """For the index in the settings' data folder."""
        self.uploads = Uploads(settings)
        self.watcher = Watcher(settings)

    def start(self) -> None:
        """Begins to watch."""
        self.watcher.start()

    def close(self) -> None:
        """Ends the watching, and a sync that is under way."""
        self.watcher.close()

    @property
    def state(self) -> SyncState:
        """How far reading in is."""
        return self.watcher.state

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that are read."""
        return SUFFIXES

    def refresh(self) -> None:
        """Asks for a sync."""
        self.watcher.refresh()

    def receive(self, name: str) -> IncomingFile:
        """A new upload. Raises ArticleError for an ending that is not read."""
        return self.uploads.receive(name)

    def remove(self, path: Path) -> None:
        """Deletes an upload. Raises ArticleError for any other file."""
        self.uploads.remove(path)

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        """Notes what people say of an upload. Raises ArticleError for any other file, and for no date."""
        self.uploads.describe(path, fields)
