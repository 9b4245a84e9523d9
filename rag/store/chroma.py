"""Chroma: a vector for each passage of the library, in our own folder or on a server.

Chroma follows the library: `delete_unknown` and `add_missing` make its ids equal to the library's, whatever
happened before.
Everything in it can be made again from the library and the cache of embeddings, so a folder that has changed
since it was closed is thrown away and filled anew: Chroma misses rows when files are gone, and crashes
(SIGSEGV) on a truncated one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from rag.errors import BelegError, ConfigError, IndexBusy, IndexDamaged, IndexMismatch
from rag.models import load_llama_index
from rag.schema import Article, Chunk
from rag.store import lock
from rag.store.library_file import batches

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

    from rag.models.embedder import Floats
    from rag.store.library import Library

Pair = tuple[Article, Chunk]
Embed = Callable[[Sequence[Pair]], "Floats"]
"""Embeds passages, given with their articles: one row for each."""
Progress = Callable[[str, int, int], None]
"""Called with a step ("read", "index", "embed"), how many are done, and of how many."""
Stop = Callable[[], bool]
"""Asked between two batches whether to leave the rest to the next sync."""

FOLDER, CHUNKS = "chroma", "chunks"
LEAST, MOST = 8, 512
"""Passages per batch: large batches are faster, but one should take about a second."""

_SECONDS = 1.0  # a batch
_NOTE = "chroma.files"  # size and time of every file in the folder when it was closed
_SPARE_BYTES = 8 * 1024 * 1024  # what a batch may need
# finds nearly all true neighbours; the graph is saved before Chroma's queue grows long
_GRAPH = {"space": "cosine", "max_neighbors": 64, "ef_construction": 400, "ef_search": 500}
_SAVED_AFTER = 500
_NOT_SHOWN = ["article_id", "start", "end", "ordinal"]


class Chroma:
    """The vectors of passages, by the chunk's id. Safe to use from several threads."""

    def __init__(self, client: Client, call: Callable[[Callable[[], Any]], Any], folder: Path | None) -> None:
        """`call` makes a request, with Chroma's errors as ours; `folder` is ours, None on a server."""
        self.client, self.call, self.folder = client, call, folder
        self.damage: str | None = None
        self.users = 0
        self._unlock: Callable[[], object] = lambda: None
        self._spoilt = False  # a failed write, after which the content is unknown
        self.batch: int = min(MOST, call(client.get_max_batch_size))
        self.chunks: Collection = call(lambda: self._collection(""))

    @classmethod
    def open(cls, folder: Path) -> Chroma:
        """The vectors of a data folder, owned by this process until everyone who opened them has closed them.

        Damaged ones are thrown away first, and `damage` says so. Raises IndexBusy if another process has the
        folder, ConfigError if it cannot be used.
        """
        folder = folder.resolve()
        path = folder / FOLDER
        with _opening:
            if folder not in _opened:
                with contextlib.ExitStack() as stack, _translated(path):
                    stack.enter_context(lock.owned(folder))
                    damage = _made_safe(folder)
                    (folder / _NOTE).unlink(missing_ok=True)  # opening changes a file
                    found = cls(_client_of(path), lambda work: _translated(path)(work)(), folder)
                    found.damage = damage
                    found.count()  # the first query may write the graph
                    found._note()
                    found._unlock = stack.pop_all().close
                    _opened[folder] = found
            _opened[folder].users += 1
            return _opened[folder]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its vectors; empty without vectors."""
        return str((self.chunks.metadata or {}).get("fingerprint", ""))

    def count(self) -> int:
        """Number of vectors."""
        return int(self.call(self.chunks.count))

    def ids(self) -> set[str]:
        """Ids of all chunks that have a vector."""
        return set(self.call(lambda: self.chunks.get(include=[]))["ids"])

    def query(self, vector: Floats, k: int) -> list[tuple[str, float]]:
        """The `k` chunks nearest to a vector, best first, with their cosine similarity, -1 to 1."""
        ask = partial(self.chunks.query, query_embeddings=vector[None, :], n_results=k, include=["distances"])
        found = self.call(ask)
        return [(id, 1 - far) for id, far in zip(found["ids"][0], found["distances"][0], strict=True)]

    def vectors(self, ids: Sequence[str]) -> Floats | None:
        """The vectors of these chunks, in order; None unless all exist."""
        import numpy as np

        found: dict[str, Any] = {}
        for batch in batches(ids, self.batch):
            rows = self.call(partial(self.chunks.get, ids=list(batch), include=["embeddings"]))
            found |= zip(rows["ids"], rows["embeddings"], strict=True)
        if found.keys() < set(ids):
            return None
        return np.array([found[id] for id in ids], dtype=np.float32)

    def add(self, pairs: Sequence[Pair], vectors: Floats) -> None:
        """Writes passages, one row of `vectors` each, in the place of those of the same id.

        A passage's text is its document, where any client of Chroma looks for it (docs/scaling.md: its cost).
        """
        load_llama_index()
        from llama_index.core.vector_stores.utils import node_to_metadata_dict

        ids, texts = [chunk.id for _, chunk in pairs], [chunk.text for _, chunk in pairs]
        written = partial(node_to_metadata_dict, remove_text=True, flat_metadata=True)
        stated = [written(_node(*pair)) for pair in pairs]
        rows: Any = {"ids": ids, "embeddings": vectors, "metadatas": stated, "documents": texts}
        with self._changing():
            self.call(partial(self.chunks.upsert, **rows))

    def delete(self, ids: Iterable[str]) -> None:
        """Removes vectors; unknown ids are ignored."""
        for batch in batches(sorted(ids), self.batch):
            with self._changing():
                self.call(partial(self.chunks.delete, ids=list(batch)))

    def is_of(self, fingerprint: str) -> bool:
        """Whether its vectors have this fingerprint, and no write has failed."""
        return self.fingerprint == fingerprint and not self._spoilt

    def renew(self, fingerprint: str) -> None:
        """Drops all vectors and sets the fingerprint of future ones."""
        with self._changing():
            self.call(lambda: self.client.delete_collection(CHUNKS))
            self.chunks = self.call(lambda: self._collection(fingerprint))
            self._spoilt = False

    def close(self) -> None:
        """Ends the use; the last user in the process closes and unlocks the folder."""
        if self.folder is None:
            self.client.close()
            return
        with _opening:
            self.users -= 1
            if self.users == 0:
                del _opened[self.folder]
                try:
                    self.client.close()
                    self._note()
                finally:
                    self._unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _collection(self, fingerprint: str) -> Collection:
        from chromadb.errors import NotFoundError

        with contextlib.suppress(NotFoundError):
            return self.client.get_collection(CHUNKS, embedding_function=None)
        graph: dict[str, Any] = _GRAPH if self.folder is None else {**_GRAPH, "sync_threshold": _SAVED_AFTER}
        # no embedding function, because the default one downloads a model; the space cannot be changed later
        given: Any = {"metadata": {"fingerprint": fingerprint}, "configuration": {"hnsw": graph}}
        return self.client.get_or_create_collection(CHUNKS, embedding_function=None, **given)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Removes the note while files change, so that an interruption can be noticed."""
        if self.folder is not None:
            (self.folder / _NOTE).unlink(missing_ok=True)
        try:
            yield
        except BaseException:
            self._spoilt = self.folder is not None
            raise
        self._note()

    def _note(self) -> None:
        # an emptied folder gets no note until vectors are made
        if self.folder is not None and self.fingerprint and not self._spoilt:
            with contextlib.suppress(OSError):  # without the note the vectors are written again
                new = self.folder / f"{_NOTE}.new"
                new.write_text(json.dumps(_files(self.folder)), encoding="utf-8")
                new.replace(self.folder / _NOTE)


_opened: dict[Path, Chroma] = {}
_opening = threading.Lock()


# --- following the library


def delete_unknown(library: Library, chroma: Chroma) -> None:
    """Deletes the vectors of passages that the library does not know; all, if they are of other settings."""
    if not chroma.is_of(library.fingerprint):
        chroma.renew(library.fingerprint)
    chroma.delete(chroma.ids().difference(library.chunk_rows()))


def add_missing(
    library: Library,
    chroma: Chroma,
    embed: Embed,
    progress: Progress = lambda *_: None,
    stop: Stop = lambda: False,
) -> int:
    """Adds missing vectors, newest articles first; returns the number of passages still without one.

    May be interrupted anywhere and continues from there.
    """
    there = chroma.ids()
    missing = [row for id, row in library.chunk_rows().items() if id not in there]
    done, size = 0, min(LEAST, chroma.batch)
    while done < len(missing):
        progress("embed", done, len(missing))
        if stop():
            return len(missing) - done
        started = time.monotonic()
        pairs = list(library.passages_at(missing[done : done + size]).values())
        chroma.add(pairs, embed(pairs))
        done = min(done + size, len(missing))
        fast = time.monotonic() - started < _SECONDS
        size = min(chroma.batch, 2 * size if fast else max(size // 2, LEAST))
    if missing:
        progress("embed", done, len(missing))
    return 0


def _node(article: Article, chunk: Chunk) -> Any:
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    names = ("title", "outlet", "author", "published", "language")
    stated = {"article_id": article.id, **{name: getattr(article, name) for name in names}}
    # a number that sorts and is readable: 16 August 2025 is 20250816
    stated["published"] = int(f"{article.published:%Y%m%d}") if article.published else None
    stated |= {"start": chunk.start, "end": chunk.end, "ordinal": chunk.ordinal}
    return TextNode(
        id_=chunk.id,
        text=chunk.text,
        metadata={name: value for name, value in stated.items() if value is not None},
        excluded_embed_metadata_keys=_NOT_SHOWN,
        excluded_llm_metadata_keys=_NOT_SHOWN,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=article.id)},
        start_char_idx=chunk.start,
        end_char_idx=chunk.end,
    )


# --- a folder of ours


def is_whole(folder: Path) -> bool:
    """Whether the vectors in a data folder are unchanged since they were closed; cheap, without the lock."""
    try:
        noted = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(noted == _files(folder))


def _files(folder: Path) -> dict[str, list[int]]:
    root = folder / FOLDER
    stats = {str(path.relative_to(root)): path.stat() for path in root.rglob("*") if path.is_file()}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _made_safe(folder: Path) -> str | None:
    """Throws away a changed folder; returns the damage if Beleg itself cannot have caused it."""
    path = folder / FOLDER
    if is_whole(folder):
        return None
    if path.exists():
        if (shortage := _shortage_at(folder)) is not None:
            raise ConfigError("disk_full", path=path, free=shortage)
        shutil.rmtree(path)
    # without its note: a process ended while writing, or it is of an earlier Beleg
    return "files are missing, changed or cut short" if (folder / _NOTE).exists() else None


def _client_of(path: Path) -> Client:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        return cast("Client", chromadb.PersistentClient(str(path), settings=settings))
    except BaseException:
        # chromadb keeps an instance that failed to start, and would return it next time
        SharedSystemClient.clear_system_cache()
        raise


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Chroma's errors as ours."""
    try:
        yield
    except (BelegError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except OSError as exc:
        raise ConfigError("cannot_use", path=path, why=exc.strerror) from exc
    except BaseException as exc:  # a panic of Chroma's Rust core is not an Exception
        raise _error(path, exc) from exc


def _error(path: Path, exc: BaseException) -> BelegError:
    low = str(exc).lower()
    if "dimension" in low:
        return IndexMismatch("vectors_of_another_length", path=path, why=exc)
    if "locked" in low:
        return IndexBusy("folder_in_use", path=path)
    if any(word in low for word in ("readonly", "read-only", "disk is full", "disk full", "permission")):
        return ConfigError("cannot_use", path=path, why=exc)
    if (shortage := _shortage_at(path)) is not None:  # Chroma reports that it failed, but not why
        return ConfigError("disk_full", path=path, free=shortage)
    return IndexDamaged("vectors_unreadable", path=path, why=f"{type(exc).__name__}: {exc}")


def _shortage_at(path: Path) -> int | None:
    """Free kB on a folder's disk, if too few for Chroma to work; else None."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(path).free
        return None if free >= _SPARE_BYTES else free // 1024
    return None
