"""The vector index: Chroma, embedded in the data folder. The only module that knows chromadb.

Two collections: `chunks` (text, embedding, metadata; readable by LlamaIndex's ChromaVectorStore)
and `articles` (one record a version of an article, from which a library can be rebuilt).

Chroma does not notice damage: without its HNSW files it returns fewer rows, and a truncated one
kills the process (SIGSEGV). So whoever closes the folder leaves a seal beside it, the size and
time of every file; a folder that is missing something is never opened, and one that merely looks
different is first tried in another process.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from rag import lock
from rag.errors import BelegError, ConfigError, IndexBusy, IndexDamaged, IndexMismatch
from rag.schema import Article, Chunk

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

State = Literal["absent", "intact", "unclear", "damaged"]

FOLDER, NEW_FOLDER, SEAL = "chroma", "chroma.new", "chroma.seal"
CHUNKS, ARTICLES = "chunks", "articles"

_DATABASE = "chroma.sqlite3"
_SQLITE_HEADER = b"SQLite format 3\0"

Graph = Mapping[str, str | int]

CHUNK_INDEX: Graph = {"space": "cosine", "max_neighbors": 64, "ef_construction": 400, "ef_search": 500}
"""How the vectors of a model are indexed: nearly all true neighbours are found."""

BUILTIN_INDEX: Graph = {**CHUNK_INDEX, "max_neighbors": 16, "ef_construction": 100}
"""The same for the built-in embedding, which has no weight in the ranking: as Chroma builds it by default.
Hashed vectors are the hardest there are for such a graph, which costs more than all else of an ingest: for
33,000 chunks 79 s of the processor, and with 32 links 127 s; then .89 and .96 of ten true neighbours are
found."""

_PROBED = 20  # chunks that must find themselves
_PROBE_SECONDS = 120
_MAKE_ROOM = "make room and try again; the index as it is goes on answering"
_SPARE_BYTES = 8 * 1024 * 1024  # what a batch may need
_TECHNICAL = ["article_id", "start", "end", "ordinal", "fingerprint"]


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
        graph: Graph = CHUNK_INDEX,
    ) -> Self:
        """Takes the folder's lock, checks the files and opens them; creates what is not there with `graph`.

        Raises IndexBusy when another process still has the folder after `wait` seconds, and
        IndexDamaged when files are missing or broken; with `repair` it starts empty instead,
        and `damage` says why.
        """
        return cls(_enter(folder.resolve(), repair=repair, wait=wait, graph=graph))

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
        self._store.shelf.write(entries, vectors, note)

    def vectors(self, ids: Sequence[str]) -> Floats:
        """The vectors of chunks, which must exist, one row each in the order of `ids`."""
        import numpy as np

        with _translated(self._store.shelf.path):
            rows = self._store.shelf.chunks.get(ids=list(ids), include=["embeddings"])
        held = rows["embeddings"] if rows["embeddings"] is not None else []
        found = dict(zip(rows["ids"], held, strict=True))
        return np.array([found[id] for id in ids], dtype=np.float32)

    def delete(self, chunk_ids: Iterable[str], version_ids: Iterable[str]) -> None:
        """Removes records; unknown ids are ignored."""
        self._store.shelf.delete(chunk_ids, version_ids)

    @contextlib.contextmanager
    def anew(self) -> Iterator[Shelf]:
        """An empty index beside this one, to be filled and then handed to `swap`."""
        path = self._store.folder / NEW_FOLDER
        _remove(path)
        with contextlib.closing(Shelf(path, self._store.graph)) as shelf:
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
        """Tells other processes where to find us (see `rag.lock`)."""
        lock.announce(self._store.folder, address)

    def seal(self) -> None:
        """Notes the state of the files as the one to be found by the next process."""
        _seal(self._store.folder)

    def close(self) -> None:
        """Gives the handle back; the last one of the process closes, seals and unlocks the folder."""
        if not self._closed:
            self._closed = True
            _leave(self._store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Shelf:
    """One Chroma folder with our two collections."""

    def __init__(self, path: Path, graph: Graph = CHUNK_INDEX) -> None:
        with _translated(path), contextlib.ExitStack() as on_error:
            self._client = _client(path)
            on_error.callback(self._client.close)
            self.chunks = collection(self._client, CHUNKS, graph)
            self.articles = collection(self._client, ARTICLES, {"space": "cosine"})
            self._batch = self._client.get_max_batch_size()
            on_error.pop_all()
        self.path = path

    @property
    def identity(self) -> str:
        """Chroma's id of the chunk collection."""
        return str(self.chunks.id)

    def query(self, vector: Floats, k: int, ids: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """See `Vectors.query`."""
        if k < 1 or (ids is not None and not ids):
            return []
        with _translated(self.path):
            found = self.chunks.query(
                query_embeddings=vector[None, :],
                n_results=k,
                ids=None if ids is None else list(ids),
                include=["distances"],
            )
        distances = found["distances"] or [[]]
        return [(id, 1 - distance) for id, distance in zip(found["ids"][0], distances[0], strict=True)]

    def count(self) -> int:
        """Number of chunks."""
        with _translated(self.path):
            return self.chunks.count()

    def ids(self) -> set[str]:
        """Ids of all chunks."""
        with _translated(self.path):
            return set(self.chunks.get(include=[])["ids"])

    def versions(self) -> set[str]:
        """Ids of all article records."""
        with _translated(self.path):
            return set(self.articles.get(include=[])["ids"])

    def write(self, entries: Sequence[tuple[Article, Sequence[Chunk]]], vectors: Floats, note: str) -> None:
        """See `Vectors.write`."""
        pairs = [(article, chunk) for article, chunks in entries for chunk in chunks]
        articles = [article for article, _ in entries]
        with _translated(self.path):
            for start in range(0, len(pairs), self._batch):
                batch = pairs[start : start + self._batch]
                rows = vectors[start : start + self._batch]
                self.chunks.upsert(embeddings=rows, **chunk_records(batch, note, is_server=False))
            for start in range(0, len(articles), self._batch):
                part = articles[start : start + self._batch]
                self.articles.upsert(
                    ids=[version_id(article.id, article.sha256) for article in part],
                    embeddings=[place(article.sha256) for article in part],
                    metadatas=[article_metadata(article, note) for article in part],
                )

    def delete(self, chunk_ids: Iterable[str], version_ids: Iterable[str]) -> None:
        """See `Vectors.delete`."""
        with _translated(self.path):
            for collection, wanted in ((self.chunks, chunk_ids), (self.articles, version_ids)):
                ids = list(wanted)
                for start in range(0, len(ids), self._batch):
                    collection.delete(ids=ids[start : start + self._batch])

    def close(self) -> None:
        """Ends Chroma's threads and closes its files."""
        self._client.close()


def version_id(article_id: str, sha256: str) -> str:
    """Id of an article's record: versions of an article lie side by side, as their chunks do."""
    return f"{article_id}#{sha256[:12]}"


def chunk_records(pairs: Sequence[tuple[Article, Chunk]], note: str, *, is_server: bool) -> dict[str, Any]:
    """Ids, metadata and documents of chunks, as `upsert` takes them beside the vectors.

    On a server a chunk's text is its document, where every user of Chroma looks for it, and Chroma Cloud
    limits metadata. In an embedded index it is inside LlamaIndex's `_node_content` only: a document is
    also indexed for full-text search, which nobody needs, cannot be turned off, and costs as much again.
    """
    metadatas = [_chunk_metadata(article, chunk, note, with_text=not is_server) for article, chunk in pairs]
    documents = [chunk.text for _, chunk in pairs] if is_server else None
    return {"ids": [chunk.id for _, chunk in pairs], "metadatas": metadatas, "documents": documents}


def _chunk_metadata(article: Article, chunk: Chunk, note: str, *, with_text: bool) -> dict[str, str | int]:
    """What is stored with a chunk's embedding; what is unknown is left out.

    The keys with an underscore are those by which LlamaIndex recognises its node, written here
    because its own `node_to_metadata_dict` serialises each node several times.
    """
    known = _known(
        article_id=article.id,
        title=article.title,
        outlet=article.outlet,
        author=article.author,
        published=_day(article),
        language=article.language,
        start=chunk.start,
        end=chunk.end,
        ordinal=chunk.ordinal,
        fingerprint=note,
    )
    node = {
        "id_": chunk.id,
        "metadata": known,
        "excluded_embed_metadata_keys": _TECHNICAL,
        "excluded_llm_metadata_keys": _TECHNICAL,
        "relationships": {"1": {"node_id": article.id, "node_type": "4", "class_name": "RelatedNodeInfo"}},
        "start_char_idx": chunk.start,
        "end_char_idx": chunk.end,
        "text": chunk.text if with_text else "",
        "class_name": "TextNode",
    }
    return known | {
        "_node_content": json.dumps(node, ensure_ascii=False),
        "_node_type": "TextNode",
        "document_id": article.id,
    }


def article_metadata(article: Article, note: str) -> dict[str, str | int]:
    """A whole article as a record; `asides` as JSON, what is unknown left out.

    The text is among the metadata because a document would be indexed for full-text search, which
    nobody needs and which costs as much as everything else together.
    """
    return _known(
        article_id=article.id,
        text=article.text,
        source=article.source,
        sha256=article.sha256,
        title=article.title,
        outlet=article.outlet,
        author=article.author,
        published=_day(article),
        language=article.language,
        genre=article.genre,
        asides=json.dumps([(aside.start, aside.end, aside.kind) for aside in article.asides]),
        fingerprint=note,
    )


def inspect(folder: Path) -> State:
    """The vector index of a data folder by its files alone: cheap, and without the lock.

    "damaged": something that was there is missing or shorter; "unclear": changed since it was
    sealed, as by a process that uses it now or was killed.
    """
    sealed, found = _read_seal(folder), _files(folder)
    if _DATABASE not in found:
        return "damaged" if sealed or found else "absent"
    if any(name not in found or found[name][0] < size for name, (size, _) in sealed.items()):
        return "damaged"
    with (folder / FOLDER / _DATABASE).open("rb") as file:
        if file.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            return "damaged"
    return "intact" if found == sealed else "unclear"


# --- one store a folder and process


@dataclass
class _Store:
    """An open folder, shared by the handles of this process; `guard` is held while it changes."""

    folder: Path
    shelf: Shelf
    damage: str | None
    users: int
    guard: threading.RLock
    graph: Graph

    def swap(self, identity: str, *, probed: bool) -> bool:
        new = self.folder / NEW_FOLDER
        if not (new / _DATABASE).exists() or not (probed or _probe(new) is None):
            return False
        with contextlib.closing(Shelf(new)) as shelf:
            if shelf.identity != identity:
                return False
        self._replace(new)
        return True

    def clear(self) -> None:
        self._replace(None)

    def _replace(self, new: Path | None) -> None:
        (self.folder / SEAL).unlink(missing_ok=True)
        self.shelf.close()
        _remove(self.shelf.path)
        if new is not None:
            new.rename(self.shelf.path)
        self.shelf = Shelf(self.shelf.path, self.graph)


_stores: dict[Path, _Store] = {}
_stores_guard = threading.Lock()


def _enter(folder: Path, *, repair: bool, wait: float, graph: Graph) -> _Store:
    with _stores_guard:
        store = _stores.get(folder)
        if store is None:
            lock.acquire(folder, wait)
            try:
                damage = _prepare(folder, repair=repair)
                store = _Store(folder, Shelf(folder / FOLDER, graph), damage, 0, threading.RLock(), graph)
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
                    _seal(store.folder)
            finally:
                lock.release(store.folder)


def _prepare(folder: Path, *, repair: bool) -> str | None:
    """Makes the folder safe to open; says what was wrong with it, None if nothing was."""
    state = inspect(folder)
    if state in ("absent", "intact"):
        return None
    damage = "files are missing or cut short" if state == "damaged" else _probe(folder / FOLDER)
    if damage is None:
        return None
    if (free := _free_bytes(folder)) < _SPARE_BYTES:  # which alone makes Chroma fail
        raise ConfigError(f"cannot use {folder}: {free // 1024:,} kB are free on its disk; {_MAKE_ROOM}")
    if not repair:
        raise IndexDamaged(
            f"the vector index in {folder / FOLDER} is damaged ({damage}); run: python -m ingest"
        )
    (folder / SEAL).unlink(missing_ok=True)
    _remove(folder / FOLDER)
    return damage


def _probe(path: Path) -> str | None:
    """Opens a Chroma folder in another process, which may crash; None if all is well."""
    command = [sys.executable, "-m", "rag.vectors", str(path)]
    try:
        result = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_PROBE_SECONDS} s"
    if result.returncode == 0:
        return None
    return (result.stderr.strip().splitlines() or ["Chroma crashed while reading it"])[-1][:300]


def probe(path: Path) -> None:
    """Raises IndexDamaged unless chunks of a Chroma folder find themselves."""
    with contextlib.closing(Shelf(path)) as shelf, _translated(path):
        ids = sorted(shelf.ids())
        sample = ids[:: max(1, len(ids) // _PROBED)]
        if len(ids) != shelf.count():
            raise IndexDamaged(f"{shelf.count()} chunks are counted, {len(ids)} are there")
        rows = shelf.chunks.get(ids=sample, include=["embeddings"])["embeddings"] if sample else []
        for row in rows if rows is not None else []:
            best = shelf.query(cast("Floats", row), 1)
            if not best or best[0][1] < 0.99:
                raise IndexDamaged("a chunk is not found by its own vector")


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    root = folder / FOLDER
    stats = {path.relative_to(root).as_posix(): path.stat() for path in root.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def _seal(folder: Path) -> None:
    new = folder / f"{SEAL}.new"
    new.write_text(json.dumps(_files(folder)), encoding="utf-8")
    new.replace(folder / SEAL)


def _read_seal(folder: Path) -> dict[str, tuple[int, int]]:
    try:
        held = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        return {str(name): (int(size), int(time)) for name, (size, time) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


# --- chromadb


def _client(path: Path) -> Client:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        return cast("Client", chromadb.PersistentClient(str(path), settings=settings))
    except BaseException:
        # chromadb keeps what it failed to start, and would hand that out next time
        SharedSystemClient._identifier_to_system.pop(str(path), None)
        raise


def collection(client: ClientAPI, name: str, index: Mapping[str, Any]) -> Collection:
    """Our collection of that name, made when it is not there."""
    # no embedding function: the default one downloads a model; the space cannot be set later
    return client.get_or_create_collection(
        name,
        embedding_function=None,
        configuration=cast("CreateCollectionConfiguration", {"hnsw": index}),
    )


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Chroma's errors as ours."""
    try:
        yield
    except BelegError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except OSError as exc:
        raise ConfigError(f"cannot use {path}: {exc.strerror}; check free space and permissions") from exc
    except BaseException as exc:  # a panic of Chroma's Rust core is not an Exception
        raise _error(path, exc) from exc


def _error(path: Path, exc: BaseException) -> BelegError:
    text = f"{type(exc).__name__}: {exc}"
    low = text.lower()
    if "dimension" in low:
        return IndexMismatch(
            f"the vectors in {path} have another length ({exc}); run: python -m ingest --rebuild"
        )
    if "locked" in low:
        return IndexBusy(f"{path} is in use by another process; stop it and try again")
    if any(word in low for word in ("readonly", "read-only", "disk is full", "disk full", "permission")):
        return ConfigError(f"cannot write {path} ({exc}); check free space and permissions")
    if (free := _free_bytes(path)) < _SPARE_BYTES:  # Chroma says that it failed, but not why
        return ConfigError(
            f"cannot write {path} ({exc}): {free // 1024:,} kB are free on its disk; {_MAKE_ROOM}"
        )
    return IndexDamaged(f"the vector index in {path} cannot be read ({text}); run: python -m ingest")


def _free_bytes(path: Path) -> float:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return math.inf


def _known(**fields: str | int | None) -> dict[str, str | int]:
    return {key: value for key, value in fields.items() if value is not None}


def _day(article: Article) -> int | None:
    """The date as a number that sorts and can be read: 16 August 2025 is 20250816."""
    day = article.published
    return None if day is None else day.year * 10_000 + day.month * 100 + day.day


def place(sha256: str) -> Sequence[float]:
    """The vector of an article's record."""
    # Chroma wants a vector; a point on the circle is the cheapest that differs by article
    angle = zlib.crc32(sha256.encode()) / 2**32 * 2 * math.pi
    return [math.cos(angle), math.sin(angle)]


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


if __name__ == "__main__":
    try:
        probe(Path(sys.argv[1]))
    except BelegError as error:
        sys.exit(str(error))
