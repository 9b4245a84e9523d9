"""The sources of articles: the files of the source folders, and article ids from their names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ingest.sidecar import changed_at
from rag.errors import ConfigError
from rag.settings import DEFAULTS, Settings
from rag.store.library_rows import FileState

UPLOADS = "uploads"
"""Folder in the data folder where the web chat saves articles; always a source."""

SOURCE = "source.json"
"""File in the data folder with the paths that replace the articles folder."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID = 100
_ILLEGIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class SourceFile(NamedTuple):
    """A file that was found: `given` is its path as given, `key` absolute, `name` relative to its folder.

    Key and name are legible, for storage; only `given` opens the file.
    """

    given: str
    key: str
    name: str
    state: FileState

    @property
    def path(self) -> Path:
        """The path as given."""
        return Path(self.given)

    @property
    def holds_records(self) -> bool:
        """Whether the file holds many articles."""
        return self.name.lower().endswith(".jsonl")


class Wanted(NamedTuple):
    """The preferred id of an article, and its file."""

    name: str
    file: str
    record: bool = False

    @property
    def longer(self) -> str:
        """The longer id if another article wants the same: with the file's path, for records before the
        name."""
        path = slug(self.file)
        return f"{path}-{self.name}" if self.record else path


def roots(settings: Settings, paths: Sequence[Path] | None) -> list[Path]:
    """The articles folder, or the paths that replace it for this data folder; then the uploads."""
    found = list(paths) if paths else _remembered(settings) or [settings.articles]
    uploads = settings.data_dir / UPLOADS
    return [*found, uploads] if uploads.is_dir() else found


def are_named(settings: Settings, paths: Sequence[Path] | None) -> bool:
    """Whether these articles were named: now, by a setting, or earlier for this data folder."""
    said = "articles" in settings.given or settings.articles != DEFAULTS["articles"]
    return bool(paths) or said or bool(_remembered(settings))


def remember(settings: Settings, paths: Sequence[Path]) -> None:
    """Makes `paths` the source of the data folder, in place of the articles folder.

    It lasts until the setting names another folder.
    """
    usual = str(settings.articles.resolve())
    note = {"paths": [str(path.resolve()) for path in paths], "instead_of": usual}
    file = settings.data_dir / SOURCE
    if note["paths"] == [usual]:
        file.unlink(missing_ok=True)
    elif not file.exists() or json.loads(file.read_text(encoding="utf-8")) != note:
        file.write_text(json.dumps(note), encoding="utf-8")


def _remembered(settings: Settings) -> list[Path]:
    try:
        held = json.loads((settings.data_dir / SOURCE).read_text(encoding="utf-8"))
        same = held["instead_of"] == str(settings.articles.resolve())
        return [Path(path) for path in held["paths"]] if same else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def find_sources(folders: Sequence[Path], data: Path) -> list[SourceFile]:
    """The files under `folders`, each once; those of the data folder only from its uploads.

    Raises ArticleError when a path does not exist.
    """
    from ingest.readers.files import find_names

    inside, uploads = f"{data.resolve()}{os.sep}", f"{data.resolve()}{os.sep}{UPLOADS}{os.sep}"
    found: dict[str, SourceFile] = {}
    keys: set[str] = set()
    for folder in folders:
        base, given = str(folder.resolve()), len(os.path.join("" if str(folder) == "." else folder, ""))  # noqa: PTH118
        for path in find_names([folder]):
            name = path[given:]  # empty for a file that is itself given; `Path.relative_to` is slow
            full = f"{base}{os.sep}{name}" if name else base
            if full not in found and (not full.startswith(inside) or full.startswith(uploads)):
                key = legible(full)
                if key in keys:  # two names that differ only in illegible characters
                    key = f"{key} ({_digest(repr(full))})"
                keys.add(key)
                shown = name.replace(os.sep, "/") or os.path.basename(path)  # noqa: PTH119
                try:
                    stat = os.stat(path)  # noqa: PTH116
                    # a change of the sidecar is a change, too
                    state = FileState(stat.st_size, max(stat.st_mtime_ns, changed_at(path)))
                except OSError:  # reading it will report the reason
                    state = FileState(-1, -1)
                found[full] = SourceFile(path, key, legible(shown), state)
    return list(found.values())


def legible(name: str) -> str:
    """A name as it can be shown and stored: with U+FFFD for control characters and bytes that are no UTF-8.

    >>> legible(os.fsdecode(b"Stra\\xdfe.txt"))
    'Stra�e.txt'
    """
    return _ILLEGIBLE.sub("\ufffd", name)


def refuse_emptied(folders: Sequence[Path], files: Sequence[SourceFile], held: Sequence[str]) -> None:
    """Raises ConfigError if a folder of indexed files (`held`) has none left.

    That may be an unmounted disk or a wrong checkout, which must not empty the index.
    """
    for folder in folders:
        base = legible(f"{folder.resolve()}{os.sep}")
        left = any(file.key.startswith(base) for file in files)
        emptied = not left and folder.name != UPLOADS and any(path.startswith(base) for path in held)
        if emptied or (held and not files):
            raise ConfigError("folder_emptied", folder=folder)


def refuse_replaced(folders: Sequence[Path], held: Mapping[str, str], data: Path) -> None:
    """Raises ConfigError if indexed articles would be removed only because another folder is searched.

    `held` are the files to be removed; those of the folders and uploads may be. Other articles are replaced
    only by articles that were named.
    """
    bases = [legible(str(folder.resolve())) for folder in (*folders, data / UPLOADS)]
    for path in map(Path, held.values()):
        if not any(path.is_relative_to(base) for base in bases):
            shown = ", ".join(map(str, folders))
            raise ConfigError("other_articles", data=data, path=path, folders=shown)


def assign_ids(wanted: Sequence[Wanted]) -> list[str]:
    """One id for each, all different; the same list always gives the same ids.

    >>> assign_ids([Wanted("taz", "2024/taz.txt"), Wanted("taz", "taz.txt"), Wanted("faz", "faz.txt")])
    ['2024-taz.txt', 'taz.txt', 'faz']
    """
    by_name = Counter(want.name for want in wanted)
    first = [want.name if by_name[want.name] == 1 else want.longer for want in wanted]
    taken = Counter(first)
    return [
        id if taken[id] == 1 else f"{id}-{_digest(f'{want.file} {place}')}"
        for place, (id, want) in enumerate(zip(first, wanted, strict=True))
    ]


def own_id(file: SourceFile, id: str | None, number: int) -> str:
    """The stem of the file's name; for records their own id, or the stem and their number (from 1)."""
    stem = slug(file.name.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    if not file.holds_records:
        return stem
    return slug(id) if id else f"{stem}-{number}"


def slug(name: str) -> str:
    """A name of letters, digits, dot, dash and underscore only, at most 100 of them.

    >>> slug("Grüße aus Alaska, Teil 2")
    'Gruesse-aus-Alaska-Teil-2'
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_UMLAUTS))
    ascii_only = "".join(char for char in plain if not unicodedata.combining(char))
    word = _UNSAFE.sub("-", ascii_only).strip("-.")
    if word and len(word) <= _LONGEST_ID:
        return word
    return f"{word[: _LONGEST_ID - 11].strip('-.') or 'article'}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]
