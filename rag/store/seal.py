"""Whether a Chroma folder is whole: by the seal beside it, or tried in another process.

Chroma does not notice damage: without its HNSW files it returns fewer rows, and a truncated one
kills the process (SIGSEGV). So whoever closes the folder leaves a seal beside it, the size and
time of every file; a folder that is missing something is never opened, and one that merely looks
different is first tried in another process: `python -m rag.store.seal FOLDER`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from rag.errors import BelegError, IndexDamaged
from rag.store.chroma import translated
from rag.store.shelf import Shelf

if TYPE_CHECKING:
    from rag.store.shelf import Floats

State = Literal["absent", "intact", "unclear", "damaged"]

FOLDER, SEAL = "chroma", "chroma.seal"
DATABASE = "chroma.sqlite3"

_SQLITE_HEADER = b"SQLite format 3\0"
_PROBED = 20  # chunks that must find themselves
_PROBE_SECONDS = 120


def inspect(folder: Path) -> State:
    """The vector index of a data folder by its files alone: cheap, and without the lock.

    "damaged": something that was there is missing or shorter; "unclear": changed since it was
    sealed, as by a process that uses it now or was killed.
    """
    sealed, found = _read_seal(folder), _files(folder)
    if DATABASE not in found:
        return "damaged" if sealed or found else "absent"
    if any(name not in found or found[name][0] < size for name, (size, _) in sealed.items()):
        return "damaged"
    with (folder / FOLDER / DATABASE).open("rb") as file:
        if file.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            return "damaged"
    return "intact" if found == sealed else "unclear"


def write(folder: Path) -> None:
    """Notes the state of the files as the one to be found by the next process."""
    new = folder / f"{SEAL}.new"
    new.write_text(json.dumps(_files(folder)), encoding="utf-8")
    new.replace(folder / SEAL)


def drop(folder: Path) -> None:
    """Removes the seal, before what it was set on changes for good."""
    (folder / SEAL).unlink(missing_ok=True)


def flaw_of(path: Path) -> str | None:
    """Opens a Chroma folder in another process, which may crash; None if all is well."""
    import subprocess

    command = [sys.executable, "-m", "rag.store.seal", str(path)]
    try:
        result = subprocess.run(
            command,
            cwd=Path(__file__).parents[2],
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
    with contextlib.closing(Shelf(path)) as shelf, translated(path):
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


def _read_seal(folder: Path) -> dict[str, tuple[int, int]]:
    try:
        held = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        return {str(name): (int(size), int(time)) for name, (size, time) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


if __name__ == "__main__":
    try:
        probe(Path(sys.argv[1]))
    except BelegError as error:
        sys.exit(str(error))
