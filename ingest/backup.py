"""Backup and restore of a data folder: `python -m ingest --backup FILE` and `--restore FILE`.

A backup holds what exists nowhere else: uploads, answers with feedback, paid embeddings, evaluations, and the
source of the articles. The index is left out, because the next start or `python -m ingest` builds it; so is
the articles folder, which is the user's own.
"""

import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from ingest.sources import INCOMING, SOURCE, UPLOADS
from rag.errors import ConfigError
from rag.models import embedding_cache
from rag.settings import Settings
from rag.store import answers as records
from rag.store import lock

DATABASES = (records.FILE, embedding_cache.FILE_NAME)
KEPT = (*DATABASES, SOURCE, UPLOADS, "evaluation")
_MARK = "beleg-backup-1"


def back_up(settings: Settings, target: Path) -> list[str]:
    """Writes the backup; returns the names of the files in it.

    The web chat may be running: databases are copied as of one moment. The file appears when it is complete.
    Raises ConfigError if there is nothing to save, or no place for it.
    """
    data = settings.data_dir
    held = [name for name in KEPT if (data / name).exists()]
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
    """Restores a backup, completely or not at all; returns the names of the files.

    Raises ConfigError for a file that is not a backup and (unless `force`) if there is something to replace,
    IndexBusy if another process has the index open.
    """
    data = settings.data_dir
    try:
        with lock.owned(data), tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
            names = _unpacked(source, Path(folder))
            there = [name for name in names if (data / name).exists()]
            if there and not force:
                raise ConfigError(f"{data} holds {', '.join(there)} already; --force replaces what is there")
            for name in names:
                if (data / name).is_dir():
                    shutil.rmtree(data / name)
                if name in DATABASES:  # together with the journals of the databases replaced
                    for journal in (f"{name}-wal", f"{name}-shm"):
                        (data / journal).unlink(missing_ok=True)
                (Path(folder) / name).replace(data / name)
        return names
    except OSError as exc:
        raise ConfigError(f"{source} was not restored: {exc}; try again") from exc


def _complete(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without incomplete uploads, and anything but files and folders."""
    is_kept = INCOMING not in Path(entry.name).parts and (entry.isfile() or entry.isdir())
    return entry if is_kept else None


def _unpacked(source: Path, folder: Path) -> list[str]:
    """Unpacks a backup; returns its names. Raises ConfigError unless it is one that stays in the folder."""
    try:
        with tarfile.open(source) as archive:
            names = {Path(entry.name).parts[0] for entry in archive.getmembers() if entry.name}
            strange = names - {_MARK, *KEPT}
            if _MARK not in names or strange:
                raise ConfigError(f"{source} is no backup of Beleg; nothing was changed")
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, ValueError, IndexError) as exc:
        raise ConfigError(f"{source} is no backup of Beleg, or broken ({exc}); nothing was changed") from exc
    return sorted(names - {_MARK})
