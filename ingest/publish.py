"""Makes a Chroma server's articles those of our library, for replicas to fill themselves from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, IndexBusy
from rag.store import lock
from rag.store.library import Library

if TYPE_CHECKING:
    from rag.schema import Article, Chunk
    from rag.settings import Settings
    from rag.store.chroma_server import SharedIndex

_PUBLISHED = "published"  # a note in the library: what the server has, and which server that is
_WRITER = "writer.id"  # beside the library, which may be made anew
_CHUNKS_AT_ONCE, _LETTERS_AT_ONCE = 500, 2_000_000  # some megabytes a request


def is_published(library: Library) -> bool:
    """Whether the server was told of the library's latest change; it may have lost it since."""
    noted = (library.meta(_PUBLISHED) or "").split(" ", 2)
    return noted[1:] == [str(library.revision), library.fingerprint]


def publish(settings: Settings, folder: Path, *, take_over: bool = False, named: bool = True) -> None:
    """Writes new versions, several articles a request, then removes the old ones; holds the folder's lock.

    Each article's record comes after its chunks, so that a replica sees a whole version of it. Raises
    IndexBusy when another Beleg is the server's writer, unless this one is to `take_over`, and
    ConfigError when that would replace its articles by some that nobody `named`.
    """
    from rag.store.chroma_server import SharedIndex
    from rag.store.vector_records import version_id

    with Library.open(folder) as library, SharedIndex(settings) as shared:
        if _has_all(shared, library) and not take_over:
            return
        if take_over and not named:
            _refuse_strange(shared, library)
        with _locked(folder):
            writer = _Writer(shared, folder)
            writer.claim(take_over=take_over)
            _write(library, writer, _missing(library, shared))
            writer.claim()
            versions = {version_id(*version) for version in library.versions().items()}
            shared.delete(shared.chunk_ids() - set(library.chunk_ids()), shared.versions() - versions)
            library.note(_PUBLISHED, _state(shared, library))


def _refuse_strange(shared: SharedIndex, library: Library) -> None:
    """Raises ConfigError when the server has articles that are not among ours."""
    there = {version.split("#", 1)[0] for version in shared.versions()}
    if there - library.versions().keys():
        raise ConfigError("chroma_server_strange", address=shared.address)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock.acquire(folder)
    try:
        yield
    finally:
        lock.release(folder)


class _Writer:
    """Us, as the one Beleg that writes to the server."""

    def __init__(self, shared: SharedIndex, folder: Path) -> None:
        self.shared = shared
        self.folder = folder
        self.id = _id(folder)

    def claim(self, *, take_over: bool = False) -> None:
        """Raises IndexBusy when the server has another writer."""
        import socket

        name = f"{socket.gethostname()}, {self.folder.name}"  # no path: a page may show it
        held = self.shared.claim(self.id, name, take_over=take_over)
        if held is not None:
            raise IndexBusy("chroma_server_taken", address=self.shared.address, writer=held)


def _id(folder: Path) -> str:
    """Who writes from this data folder: the same after a crash, and after its index is built anew."""
    path = folder / _WRITER
    with contextlib.suppress(OSError):
        if held := path.read_text("utf-8").strip():
            return held
    import uuid

    made = uuid.uuid4().hex
    new = path.with_suffix(".new")
    new.write_text(made, "utf-8")
    new.replace(path)
    return made


def _state(shared: SharedIndex, library: Library) -> str:
    return f"{shared.identity} {library.revision} {library.fingerprint}"


def _has_all(shared: SharedIndex, library: Library) -> bool:
    counts = library.counts()
    same = library.meta(_PUBLISHED) == _state(shared, library)
    return same and shared.sizes() == (counts.chunks, counts.articles)


def _missing(library: Library, shared: SharedIndex) -> list[str]:
    """Ids of the articles that the server does not have whole, in their version and for our settings."""
    from rag.store.vector_records import version_id

    again = (library.meta(_PUBLISHED) or "").split(" ", 2)[2:] != [library.fingerprint]
    there = shared.versions()
    new = {id for id, sha256 in library.versions().items() if again or version_id(id, sha256) not in there}
    lost = set(library.chunk_ids()) - shared.chunk_ids()
    return sorted(new | {id.split("#", 1)[0] for id in lost})


def _write(library: Library, writer: _Writer, ids: Sequence[str]) -> None:
    from rag.store.vectors import Vectors

    if not ids:
        return
    with Vectors.open(writer.folder) as vectors:
        for batch in _batches(library, ids):
            writer.claim()  # it may have been taken over meanwhile
            rows = vectors.vectors([chunk.id for _, chunks in batch for chunk in chunks])
            writer.shared.write(batch, rows, library.fingerprint)


def _batches(library: Library, ids: Sequence[str]) -> Iterator[list[tuple[Article, list[Chunk]]]]:
    """Articles with their chunks, as many as make a request of a bounded size; at least one."""
    batch: list[tuple[Article, list[Chunk]]] = []
    chunks = letters = 0
    for article in library.articles(ids):
        held = library.chunks_of(article.id)
        if batch and (chunks + len(held) > _CHUNKS_AT_ONCE or letters + len(article.text) > _LETTERS_AT_ONCE):
            yield batch
            batch, chunks, letters = [], 0, 0
        batch.append((article, held))
        chunks, letters = chunks + len(held), letters + len(article.text)
    if batch:
        yield batch
