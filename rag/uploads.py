"""What the web chat needs of `ingest`, which `rag` never imports: taking articles in, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

from rag.schema import SENT_WHOLE


@dataclass(frozen=True, slots=True)
class SyncState:
    """How far reading articles in is. `running` holds until all that was asked for is done.

    `step` is "read" (files), "index" (articles) or "embed" (passages: the articles answer by their words
    already, by meaning soon), with how many are `done` of `total`; `error` says
    why the last sync failed, and what to do; `checked` is when the index was last found or made current.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    running: bool = False
    step: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    checked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """An uploaded file: its `name` among the uploads; `known` when the very same was there already.

    `problems` say which parts of it cannot be used.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    name: str
    known: bool = False
    problems: tuple[str, ...] = ()


class Incoming(Protocol):
    """A file on its way in: `write` until all is there, then `keep`; `discard` it in any case."""

    def write(self, data: bytes) -> None:
        """Takes the next part. Raises ArticleTooLarge."""

    def keep(self) -> Received:
        """Saves the file among the uploads. Raises ArticleError when it cannot be read as articles."""

    def discard(self) -> None:
        """Removes what was not kept."""


class Intake(Protocol):
    """Uploads, and the sync that reads them and the articles folder."""

    @property
    def state(self) -> SyncState:
        """How far it is now."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that are read, in lower case."""

    def refresh(self) -> None:
        """Asks for a sync, which another thread makes; `state` is running from now on."""

    def receive(self, name: str) -> Incoming:
        """A new file of that name. Raises ArticleError for an ending that is not read."""

    def remove(self, path: Path) -> None:
        """Deletes an uploaded file. Raises ArticleError for any other."""

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        """Notes `title`, `outlet`, `author` and `published` (YYYY-MM-DD) of an uploaded file, beside it.

        What is empty is as the file says it. Raises ArticleError for any other file, and a day that is none.
        """
