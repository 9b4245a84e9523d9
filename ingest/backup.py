"""What only a data folder holds, in one file: `python -m ingest --backup FILE` and `--restore FILE`.

That is uploads, answers with feedback, paid embeddings, evaluations, and where the articles come from. The
index itself is left out: the next start, or `python -m ingest`, builds it from the articles. The articles
folder is the user's own, and is no part of it either.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from ingest.sources import SOURCE, UPLOADS
from rag.errors import ConfigError
from rag.models import embedding_cache
from rag.settings import Settings
from rag.store import answers as records
from rag.store import lock

DATABASES = (records.FILE, embedding_cache.FILE_NAME)
FILES = (SOURCE,)
FOLDERS = (UPLOADS, "evaluation")
_MARK = "beleg-backup-1"


def back_up(settings: Settings, target: Path) -> list[str]:
    """Writes the backup; the names of what is in it.

    The web chat may run meanwhile: databases are copied as of one moment. The file appears once it
    is complete. Raises ConfigError where there is nothing to save, or no place for it.
    """
    data = settings.data_dir
    held = [name for name in (*DATABASES, *FILES, *FOLDERS) if (data / name).exists()]
    if not held:
        raise ConfigError(f"{data} holds nothing to back up yet; name the index folder with --data")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".beleg-") as folder:
            made = Path(folder) / "backup"
            with tarfile.open(made, "w:gz") as archive:
                (Path(folder) / _MARK).touch()
                archive.add(Path(folder) / _MARK, _MARK)
                for name in held:
                    source = data / name
                    if name in DATABASES:  # a copy as of one moment, whoever writes meanwhile
                        source = Path(folder) / name
                        live, still = sqlite3.connect(data / name, timeout=30), sqlite3.connect(source)
                        with closing(live), closing(still):
                            live.backup(still)
                    archive.add(source, name, filter=_complete)
            made.replace(target)
    except (OSError, sqlite3.Error) as exc:
        raise ConfigError(f"the backup {target} was not written: {exc}; nothing was changed") from exc
    return held


def restore(settings: Settings, source: Path, *, force: bool = False) -> list[str]:
    """Puts back what a backup holds; the names of it. All of it, or nothing, is put in place.

    Raises ConfigError for a file that is no backup, and (unless `force`) where something is there already,
    IndexBusy where another process has the index open.
    """
    data = settings.data_dir
    lock.acquire(data)
    try:
        with tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
            names = _unpacked(source, Path(folder))
            there = [name for name in names if (data / name).exists()]
            if there and not force:
                raise ConfigError(f"{data} holds {', '.join(there)} already; --force replaces what is there")
            for name in names:
                if (data / name).is_dir():
                    shutil.rmtree(data / name)
                if name in DATABASES:  # whose journals are of what they replace
                    for journal in (f"{name}-wal", f"{name}-shm"):
                        (data / journal).unlink(missing_ok=True)
                (Path(folder) / name).replace(data / name)
        return names
    except OSError as exc:
        raise ConfigError(f"{source} was not restored: {exc}; try again") from exc
    finally:
        lock.release(data)


def _complete(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leaves out what is still being received (hidden), and what is neither file nor folder."""
    hidden = any(part.startswith(".") for part in Path(entry.name).parts)
    return None if hidden or not (entry.isfile() or entry.isdir()) else entry


def _unpacked(source: Path, folder: Path) -> list[str]:
    """Unpacks a backup; its names. Raises ConfigError when it is none, or would write elsewhere."""
    try:
        with tarfile.open(source) as archive:
            names = {Path(entry.name).parts[0] for entry in archive.getmembers() if entry.name}
            strange = names - {_MARK, *DATABASES, *FILES, *FOLDERS}
            if _MARK not in names or strange:
                raise ConfigError(f"{source} is no backup of Beleg; nothing was changed")
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, ValueError, IndexError) as exc:
        raise ConfigError(f"{source} is no backup of Beleg, or broken ({exc}); nothing was changed") from exc
    return sorted(names - {_MARK})
