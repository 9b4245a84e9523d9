"""Copies the library's articles to a Chroma server, from which replicas fill themselves."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, IndexBusy
from rag.store import lock
from rag.store.chroma import Embed, Pair, add_missing, delete_unknown
from rag.store.library import Library

if TYPE_CHECKING:
    from rag.models.hashing import Floats
    from rag.settings import Settings
    from rag.store.published import Published

_PUBLISHED = "published"  # a note in the library: the server, and what it has
_WRITER = "writer.id"  # a file beside the library, because the library may be rebuilt


def is_published(library: Library) -> bool:
    """Whether the server was told of the library's latest change; it may have lost it since."""
    return (library.meta(_PUBLISHED) or "").partition(" ")[2] == library.state


def publish(
    settings: Settings, folder: Path, embed: Embed, *, take_over: bool = False, named: bool = True
) -> None:
    """Writes new vectors, then the articles they belong to, then removes old ones; holds the folder's lock.

    In this order a replica always sees whole versions of articles. Raises IndexBusy if another Beleg is the
    writer, except with `take_over`, and ConfigError if that would replace its articles by some that nobody
    `named`.
    """
    from rag.store.published import Published

    with Library.open(folder) as library, Published(settings) as server:
        counts = library.counts()
        held = server.chroma.count(), server.count()
        noted = library.meta(_PUBLISHED) == f"{server.identity} {library.state}"
        if noted and held == (counts.chunks, counts.articles) and not take_over:
            return
        theirs = {version.split("#", 1)[0] for version in server.versions()} if take_over else set()
        if not named and theirs - library.versions().keys():
            raise ConfigError("chroma_server_strange", address=server.address)
        lock.acquire(folder)
        try:
            _claim(server, folder, take_over=take_over)
            _write(library, server, folder, embed)
            library.note(_PUBLISHED, f"{server.identity} {library.state}")
        finally:
            lock.release(folder)


def _write(library: Library, server: Published, folder: Path, embed: Embed) -> None:
    from rag.store.published import version_id

    def ours(pairs: Sequence[Pair]) -> Floats:
        _claim(server, folder)  # another Beleg may have taken over meanwhile
        return embed(pairs)

    if not server.chroma.is_of(library.fingerprint):
        server.delete(server.versions())  # replicas do not take articles without vectors
        server.chroma.renew(library.fingerprint)
    add_missing(library, server.chroma, ours)
    versions = {version_id(id, sha256): id for id, sha256 in library.versions().items()}
    there = server.versions()
    new = [id for version, id in versions.items() if version not in there]
    server.add(list(library.articles(new)) if new else [])
    _claim(server, folder)
    server.delete(there - versions.keys())
    delete_unknown(library, server.chroma)


def _claim(server: Published, folder: Path, *, take_over: bool = False) -> None:
    """Registers this Beleg as the server's writer. Raises IndexBusy if there is another one."""
    name = f"{socket.gethostname()}, {folder.name}"  # no path: a page may show it
    held = server.claim(_id(folder), name, take_over=take_over)
    if held is not None:
        raise IndexBusy("chroma_server_taken", address=server.address, writer=held)


def _id(folder: Path) -> str:
    """The id of this data folder as a writer; survives crashes and rebuilds."""
    path = folder / _WRITER
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_text(uuid.uuid4().hex, "utf-8")
        new.replace(path)
    return path.read_text("utf-8").strip()
