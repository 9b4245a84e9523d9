"""The vector index: Chroma, embedded in the data folder, which one process has and its threads share.

Two collections: `chunks` (text, embedding, metadata; readable by LlamaIndex's ChromaVectorStore)
and `articles` (one record a version of an article, by which versions are told apart).
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.errors import ConfigError, IndexDamaged
from rag.schema import Article, Chunk
from rag.store import lock, seal
from rag.store.chroma import shortage_at
from rag.store.seal import DATABASE, FOLDER
from rag.store.shelf import Shelf

if TYPE_CHECKING:
    from rag.store.shelf import Floats

NEW_FOLDER = "chroma.new"


class Vectors:
    """The vector index of a data folder; all handles of a process share one client and one lock.

    Safe to use from many threads. Close every handle that was opened.
    """

    def __init__(self, store: _Store) -> None:
        """See `open`."""
        self._store = store
        self._closed = False

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        repair: bool = False,
        wait: float = lock.WAIT_SECONDS,
    ) -> Self:
        """Takes the folder's lock, checks the files and opens them; creates what is not there.

        Raises IndexBusy when another process still has the folder after `wait` seconds, and
        IndexDamaged when files are missing or broken; with `repair` it starts empty instead,
        and `damage` says why.
        """
        return cls(_enter(folder.resolve(), repair=repair, wait=wait))

    @property
    def damage(self) -> str | None:
        """What was wrong with the folder when this process opened it to repair it."""
        return self._store.damage

    @property
    def identity(self) -> str:
        """Changes when the index is built anew; the library notes which one it goes with."""
        return self._store.shelf.identity

    def query(self, vector: Floats, k: int, ids: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """The `k` chunks nearest to a vector, best first, with their cosine similarity, -1 to 1.

        `ids` (which must exist) restricts the search; an empty restriction finds nothing.
        """
        with self._store.guard:
            return self._store.shelf.query(vector, k, ids)

    def count(self) -> int:
        """Number of chunks, old versions that await deletion included."""
        with self._store.guard:
            return self._store.shelf.count()

    def ids(self) -> set[str]:
        """Ids of all chunks."""
        return self._store.shelf.ids()

    def versions(self) -> set[str]:
        """Ids of all article records, as `version_id` makes them."""
        return self._store.shelf.versions()

    def write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str) -> None:
        """Adds articles and their chunks, replacing records of the same id.

        `vectors` has one row a chunk, in the order of `entries`; `note` is the fingerprint.
        """
        with self._store.guard:
            self._store.shelf.write(entries, vectors, note)

    def vectors(self, ids: Sequence[str]) -> Floats:
        """The vectors of chunks, which must exist, one row each in the order of `ids`."""
        return self._store.shelf.vectors(ids)

    def delete(self, chunk_ids: Collection[str], version_ids: Collection[str]) -> None:
        """Removes records; unknown ids are ignored."""
        with self._store.guard:
            self._store.shelf.delete(chunk_ids, version_ids)

    @contextlib.contextmanager
    def anew(self) -> Iterator[Shelf]:
        """An empty index beside this one, to be filled and then handed to `swap`."""
        path = self._store.folder / NEW_FOLDER
        _remove(path)
        with contextlib.closing(Shelf(path)) as shelf:
            yield shelf

    def swap(self, identity: str, *, probed: bool = False) -> bool:
        """Puts the index that `anew` filled into the place of this one, if it is the one named.

        False when there is no such index; then nothing changed. It is checked as on opening,
        unless the caller has just filled it (`probed`).
        """
        with self._store.guard:
            return self._store.swap(identity, probed=probed)

    def clear(self) -> None:
        """Starts again with an empty index."""
        with self._store.guard:
            self._store.clear()

    def announce(self, address: str) -> None:
        """Tells other processes where to find us (see `rag.store.lock`)."""
        lock.announce(self._store.folder, address)

    def seal(self) -> None:
        """Notes the state of the files as the one to be found by the next process."""
        seal.write(self._store.folder)

    def close(self) -> None:
        """Gives the handle back; the last one of the process closes, seals and unlocks the folder."""
        if not self._closed:
            self._closed = True
            _leave(self._store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --- one store a folder and process


@dataclass
class _Store:
    """An open folder, shared by the handles of this process; `guard` is held while it changes."""

    folder: Path
    shelf: Shelf
    damage: str | None
    users: int
    guard: threading.RLock

    def swap(self, identity: str, *, probed: bool) -> bool:
        new = self.folder / NEW_FOLDER
        if not (new / DATABASE).exists() or not (probed or seal.flaw_of(new) is None):
            return False
        with contextlib.closing(Shelf(new)) as shelf:
            if shelf.identity != identity:
                return False
        self._replace(new)
        return True

    def clear(self) -> None:
        self._replace(None)

    def _replace(self, new: Path | None) -> None:
        seal.drop(self.folder)
        self.shelf.close()
        _remove(self.shelf.path)
        if new is not None:
            new.rename(self.shelf.path)
        self.shelf = Shelf(self.shelf.path)


_stores: dict[Path, _Store] = {}
_stores_guard = threading.Lock()


def _enter(folder: Path, *, repair: bool, wait: float) -> _Store:
    with _stores_guard:
        store = _stores.get(folder)
        if store is None:
            lock.acquire(folder, wait)
            try:
                damage = _prepare(folder, repair=repair)
                store = _Store(folder, Shelf(folder / FOLDER), damage, 0, threading.RLock())
            except BaseException:
                lock.release(folder)
                raise
            _stores[folder] = store
        store.users += 1
        return store


def _leave(store: _Store) -> None:
    with _stores_guard:
        store.users -= 1
        if store.users == 0:
            del _stores[store.folder]
            try:
                store.shelf.close()
                with contextlib.suppress(OSError):  # a seal that is missing costs a check, no more
                    seal.write(store.folder)
            finally:
                lock.release(store.folder)


def _prepare(folder: Path, *, repair: bool) -> str | None:
    """Makes the folder safe to open; says what was wrong with it, None if nothing was."""
    state = seal.inspect(folder)
    if state in ("absent", "intact"):
        return None
    damage = "files are missing or cut short" if state == "damaged" else seal.flaw_of(folder / FOLDER)
    if damage is None:
        return None
    if (shortage := shortage_at(folder)) is not None:
        raise ConfigError("disk_full", path=folder, free=shortage)
    if not repair:
        raise IndexDamaged("vectors_unreadable", path=folder / FOLDER, why=damage)
    seal.drop(folder)
    _remove(folder / FOLDER)
    return damage


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
