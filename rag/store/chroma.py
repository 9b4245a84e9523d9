"""chromadb in a folder of ours: its client, our two collections, and its errors as ours.

It and `rag.store.chroma_server`, which speaks to a Chroma server, are the only modules that know chromadb.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag.errors import BelegError, ConfigError, IndexBusy, IndexDamaged, IndexMismatch

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

CHUNKS, ARTICLES = "chunks", "articles"

CHUNK_INDEX: Mapping[str, str | int] = {
    "space": "cosine",
    "max_neighbors": 64,
    "ef_construction": 400,
    "ef_search": 500,
}
"""The graph of the vectors: nearly all true neighbours are found."""

ARTICLE_INDEX: Mapping[str, str | int] = {"space": "cosine"}
"""The graph of article records, whose vectors mean nothing."""

_SPARE_BYTES = 8 * 1024 * 1024  # what a batch may need


def client_of(path: Path) -> Client:
    """A client of the Chroma folder at a path, which is made when it is not there; close it after use."""
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        return cast("Client", chromadb.PersistentClient(str(path), settings=settings))
    except BaseException:
        # chromadb keeps what it failed to start, and would hand that out next time
        SharedSystemClient.clear_system_cache()
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
def translated(path: Path) -> Iterator[None]:
    """Chroma's errors as ours."""
    try:
        yield
    except BelegError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except OSError as exc:
        raise ConfigError("cannot_use", path=path, why=exc.strerror) from exc
    except BaseException as exc:  # a panic of Chroma's Rust core is not an Exception
        raise _error(path, exc) from exc


def _error(path: Path, exc: BaseException) -> BelegError:
    text = f"{type(exc).__name__}: {exc}"
    low = text.lower()
    if "dimension" in low:
        return IndexMismatch("vectors_of_another_length", path=path, why=exc)
    if "locked" in low:
        return IndexBusy("folder_in_use", path=path)
    if any(word in low for word in ("readonly", "read-only", "disk is full", "disk full", "permission")):
        return ConfigError("cannot_use", path=path, why=exc)
    if (shortage := shortage_at(path)) is not None:  # Chroma says that it failed, but not why
        return ConfigError("disk_full", path=path, free=shortage)
    return IndexDamaged("vectors_unreadable", path=path, why=text)


def shortage_at(path: Path) -> int | None:
    """The kB free on a folder's disk, where they are so few that this alone makes Chroma fail; else None."""
    try:
        free = shutil.disk_usage(path).free
    except OSError:
        return None
    return None if free >= _SPARE_BYTES else free // 1024
