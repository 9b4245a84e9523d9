"""How the web chat adds articles: `ingest` implements what stands here, because `rag` never imports that."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

from rag.schema import SENT_WHOLE


@dataclass(frozen=True, slots=True)
class SyncState:
    """The progress of a sync. `running` is true until everything asked for is done.

    `step` is "read" (files), "index" (articles) or "embed" (passages; the articles already answer by their
    words), with `done` of `total`; `error` says why the last sync failed, and what to do; `checked` is when
    the index was last found, or made, current.
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
    """An uploaded file: its `name` among the uploads; `known` if the same file was there already.

    `problems` are the parts that cannot be used.
    """

    __pydantic_config__: ClassVar = SENT_WHOLE
    name: str
    known: bool = False
    problems: tuple[str, ...] = ()


class Intake(Protocol):
    """Uploads, and the sync that reads them and the articles folder."""

    state: SyncState
    suffixes: tuple[str, ...]
    """Endings of the files that are read, in lower case."""

    def refresh(self) -> None:
        """Requests a sync in another thread; `state` is running from now on."""

    async def add(self, name: str, parts: AsyncIterator[bytes]) -> Received:
        """Saves a file of that name, as it comes in, among the uploads.

        Raises ArticleError for an ending that is not read, before anything is taken, and for what cannot be
        read as articles; ArticleTooLarge as soon as that is clear.
        """

    def remove(self, path: Path) -> None:
        """Deletes an uploaded file. Raises ArticleError for any other."""

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        """Notes `title`, `outlet`, `author` and `published` (YYYY-MM-DD) of an uploaded file, beside it.

        Empty fields are taken from the file. Raises ArticleError for other files and for an invalid day.
        """

    def edited(self, path: Path) -> Mapping[str, str] | None:
        """Of the facts that people changed of a file, what it says itself: "" where it does not.

        Empty where that is not known; None where nothing was changed.
        """
