"""Articles uploaded in the web chat: checked as they arrive, and saved as files."""

from __future__ import annotations

import filecmp
import itertools
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from ingest.readers import read_file, too_large
from ingest.readers.files import SUFFIXES
from ingest.sidecar import FIELDS as FACTS
from ingest.sidecar import describe, edited, sidecar_of
from ingest.sources import slug
from ingest.structure.article import article_from
from ingest.watch import Watcher
from rag.errors import ArticleError
from rag.settings import Settings
from rag.uploads import Received

_INCOMING = ".incoming"  # hidden, so that no sync reads what is not complete


class Uploads:
    """The folder of uploaded files; see `rag.uploads.Intake`."""

    def __init__(self, settings: Settings) -> None:
        """Removes incomplete files of an earlier process."""
        self.folder = settings.uploads_dir.resolve()
        self.limit = settings.article_limit
        self._naming = threading.Lock()
        shutil.rmtree(self.folder / _INCOMING, ignore_errors=True)

    def receive(self, name: str) -> IncomingFile:
        safe = safe_name(name)
        if (ending := Path(safe).suffix) not in SUFFIXES:
            raise ArticleError("ending_not_read", ending=ending, endings=", ".join(SUFFIXES))
        (self.folder / _INCOMING).mkdir(parents=True, exist_ok=True)
        return IncomingFile(self, safe, Path(tempfile.mkdtemp(dir=self.folder / _INCOMING)) / safe)

    def remove(self, path: Path) -> None:
        if path.resolve().parent != self.folder:
            raise ArticleError("no_upload")
        path.unlink(missing_ok=True)
        sidecar_of(path).unlink(missing_ok=True)

    def describe(self, path: Path, fields: Mapping[str, str]) -> None:
        if path.resolve().parent != self.folder or not path.is_file():
            raise ArticleError("no_upload")
        documents = read_file(path, limit_bytes=self.limit).documents
        articles = [article_from(document, path.name, path.name) for document in documents]
        said = {name: {str(getattr(article, name) or "") for article in articles} for name in FACTS}
        # what all articles of the file have in common is what it says
        describe(
            path,
            fields,
            {name: value for name, values in said.items() if len(values) == 1 for value in values if value},
        )

    def edited(self, path: Path) -> Mapping[str, str] | None:
        """Of what people changed of a file's facts, what the file says; None where that is nothing."""
        return edited(path)

    def place(self, file: Path, name: str) -> tuple[str, bool]:
        """Moves a file to its place; returns its name there, and whether it was there already.

        Another file of that name is never overwritten: the new one becomes `name-2`.
        """
        stem, suffix = Path(name).stem, Path(name).suffix
        with self._naming:
            for target in itertools.chain([name], (f"{stem}-{n}{suffix}" for n in itertools.count(2))):
                there = self.folder / target
                known = there.exists() and filecmp.cmp(file, there, shallow=False)
                if known or not there.exists():
                    break
            if not known:
                file.replace(there)
        return there.name, known


class ArticleIntake(Uploads, Watcher):
    """Uploads and watcher together, for the web chat; see `rag.uploads.Intake`."""

    suffixes = SUFFIXES

    def __init__(self, settings: Settings) -> None:
        Uploads.__init__(self, settings)
        Watcher.__init__(self, settings)


class IncomingFile:
    """A file being uploaded; see `rag.uploads.Incoming`."""

    def __init__(self, uploads: Uploads, name: str, path: Path) -> None:
        """`path` is its temporary place, alone in a folder."""
        self.uploads = uploads
        self.name = name
        self.path = path
        self._size = 0
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self.uploads.limit:
            raise too_large(self.uploads.limit)
        self._file.write(data)

    def keep(self) -> Received:
        self._file.close()
        reading = read_file(self.path, limit_bytes=self.uploads.limit)
        name, known = self.uploads.place(self.path, self.name)
        return Received(name, known, reading.problems)

    def discard(self) -> None:
        self._file.close()
        shutil.rmtree(self.path.parent, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name that is safe anywhere: no folders, not hidden.

    >>> safe_name("../../Öl & Gas.TXT")
    'Oel-Gas.txt'
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, ending = base.rpartition(".")
    stem, suffix = (slug(stem), f".{slug(ending).lower()}") if dot else (slug(base), "")
    # a README is about a folder, and passed over there
    return f"{'upload-' if stem.lower() == 'readme' else ''}{stem}{suffix}"
