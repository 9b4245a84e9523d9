"""Articles uploaded in the web chat: checked as they arrive, and saved as files."""

import asyncio
import filecmp
import itertools
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ingest.readers import SUFFIXES, read_file, too_large
from ingest.sidecar import FIELDS, describe, edited, sidecar_of
from ingest.sources import INCOMING, slug
from ingest.structure.article import article_from
from ingest.watch import Watcher
from rag.errors import ArticleError
from rag.schema import Received
from rag.settings import Settings


class ArticleIntake(Watcher):
    """The folder of uploaded files, and the watcher that reads them; see `rag.serve.queue.Intake`."""

    suffixes = SUFFIXES
    edited = staticmethod(edited)

    def __init__(self, settings: Settings) -> None:
        """Removes incomplete files of an earlier process."""
        super().__init__(settings)
        self.folder = settings.uploads_dir.resolve()
        self.limit = settings.article_limit
        self._naming = threading.Lock()
        shutil.rmtree(self.folder / INCOMING, ignore_errors=True)

    async def add(self, name: str, parts: AsyncIterator[bytes]) -> Received:
        safe = safe_name(name)
        if (ending := Path(safe).suffix) not in SUFFIXES:
            raise ArticleError("ending_not_read", ending=ending, endings=", ".join(SUFFIXES))
        (self.folder / INCOMING).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder / INCOMING, ignore_cleanup_errors=True) as folder:
            file, size = Path(folder) / safe, 0
            with file.open("wb") as incoming:
                async for part in parts:
                    size += len(part)
                    if size > self.limit:
                        raise too_large(self.limit)
                    incoming.write(part)
            return await asyncio.to_thread(self._keep, file)

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
        said = {name: {str(getattr(article, name) or "") for article in articles} for name in FIELDS}
        # what all articles of the file have in common is what it says
        describe(path, fields, {name: values.pop() for name, values in said.items() if len(values) == 1})

    def _keep(self, file: Path) -> Received:
        """Reads a file, and moves it to its place unless the same is there.

        Another file of that name is never overwritten: the new one becomes `name-2`.
        """
        problems = read_file(file, limit_bytes=self.limit).problems
        with self._naming:
            there = self.folder / file.name
            for n in itertools.count(2):
                if not there.exists():
                    file.replace(there)
                    return Received(there.name, False, problems)
                if filecmp.cmp(file, there, shallow=False):
                    return Received(there.name, True, problems)
                there = self.folder / f"{file.stem}-{n}{file.suffix}"
        raise AssertionError("some name is free")


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
