"""The sources of articles: the files of the source folders, article ids from their names, and what people
corrected.

Corrections of what a file states about itself are kept beside it, never in it. The sidecar of `faehre.pdf` is
`.faehre.pdf.json`, hidden, so that it is no article itself:

    {"title": "Die Fähre", "published": "2025-05-03", "in_file": {"title": "Scan 7", "published": ""}}

`in_file` is what the file itself says of the same, for readers to see.
"""

import contextlib
import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ingest.readers import SUFFIXES
from ingest.readers.document import Document, clean_field, parse_date
from rag.errors import ArticleError, ConfigError
from rag.i18n import Phrase
from rag.settings import DEFAULTS, Settings
from rag.store.library_rows import FileState

UPLOADS = "uploads"
"""Folder in the data folder where the web chat saves articles; always a source."""
INCOMING = ".incoming"
"""Folder of uploads that are not complete, among them; hidden, so that no sync reads it."""

SOURCE = "source.json"
"""File in the data folder with the paths that replace the articles folder."""

FIELDS = ("title", "outlet", "author", "published")
"""Facts of an article that people may correct."""
_IN_FILE = "in_file"

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID = 100
_ILLEGIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class SourceFile(NamedTuple):
    """A file that was found: `key` is its absolute path, `name` relative to its folder, both legible."""

    path: Path
    key: str
    name: str
    state: FileState


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


def find_files(settings: Settings, paths: Sequence[Path] | None = None) -> tuple[SourceFile, ...]:
    """The source files; a replica has none. Raises ArticleError for a path that does not exist."""
    if not settings.chroma_replica:
        return tuple(find_sources(roots(settings, paths), settings.data_dir.resolve()))
    if paths:
        raise ConfigError("replica_names_none")
    return ()


def find_sources(folders: Sequence[Path], data: Path) -> list[SourceFile]:
    """The files under `folders`, each once; those of the data folder only from its uploads.

    Raises ArticleError when a path does not exist.
    """
    inside, uploads = f"{data.resolve()}{os.sep}", f"{data.resolve()}{os.sep}{UPLOADS}{os.sep}"
    found: dict[Path, SourceFile] = {}
    keys: set[str] = set()
    for folder in folders:
        base = folder.resolve()
        for given in find_names([folder]):
            name = Path(given).relative_to(folder)  # "." for a file that is itself given
            path = base / name
            full = str(path)
            if path in found or (full.startswith(inside) and not full.startswith(uploads)):
                continue
            key = legible(full)
            if key in keys:  # two names that differ only in illegible characters
                key = f"{key} ({_digest(repr(full))})"
            keys.add(key)
            try:
                stat = path.stat()
                # a change of the sidecar is a change, too
                state = FileState(stat.st_size, max(stat.st_mtime_ns, _changed_at(path)))
            except OSError:  # reading it will report the reason
                state = FileState(-1, -1)
            found[path] = SourceFile(path, key, legible(name.as_posix() if name.name else path.name), state)
    return list(found.values())


def find_names(paths: Sequence[Path]) -> list[str]:
    """Names of article files under the paths, sorted, each once; folders are searched recursively.

    In folders hidden files and READMEs are passed over; a file that is named itself is always taken. A
    subfolder that may not be entered is listed as if it were a file, so that reading reports it by name.
    Raises ArticleError on a path that does not exist.
    """
    found: set[str] = set()
    for path in paths:
        if not path.exists():
            raise ArticleError("path_missing", path=path)
        if not path.is_dir():
            found.add(str(path))
        for parent, folders, names in os.walk(path, onerror=lambda exc: found.add(exc.filename)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found.update(str(Path(parent, name)) for name in names if _is_article_name(name))
    # by folder: files in „a“ come before „a-b“
    return sorted(found, key=lambda name: name.replace(os.sep, "\0"))


def passed_over(paths: Sequence[Path]) -> Phrase | None:
    """One line on files under the paths that are not read, by ending; None if there are none.

    Hidden files, READMEs and Office's lock files are not mentioned.

    "3 files of other kinds: .eml 2, .odt 1; 1 linked folder not entered"
    """
    kinds: Counter[str] = Counter()
    linked = 0
    for parent, folders, names in (step for path in paths for step in os.walk(path)):
        linked += sum(Path(parent, name).is_symlink() for name in folders)
        folders[:] = [name for name in folders if not name.startswith(".")]
        other = (name for name in names if not (_is_article_name(name) or _is_apart(name.lower())))
        kinds.update(Path(name).suffix.lower() for name in other)
    said = Phrase("folders_linked", n=linked) if linked else None
    if not kinds:
        return said
    number, without = kinds.total(), kinds.pop("", 0)
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    if without:
        listed = Phrase("without_ending", before=f"{listed}, " if listed else "", count=without)
    others = Phrase("other_kinds", n=number, kinds=listed)
    return Phrase("and_also", first=others, second=said) if said else others


def _is_article_name(name: str) -> bool:
    low = name.lower()
    return low.endswith(SUFFIXES) and not _is_apart(low)


def _is_apart(low: str) -> bool:
    """Whether a file (name in lower case) is not an article: hidden, a lock file, or a README."""
    return low.startswith((".", "~$")) or low.rpartition(".")[0] == "readme"


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


def refuse_replaced(folders: Sequence[Path], held: Sequence[str], data: Path) -> None:
    """Raises ConfigError if indexed articles would be removed only because another folder is searched.

    `held` are the files to be removed; those of the folders and uploads may be. Other articles are replaced
    only by articles that were named.
    """
    bases = [legible(str(folder.resolve())) for folder in (*folders, data / UPLOADS)]
    for path in map(Path, held):
        if not any(path.is_relative_to(base) for base in bases):
            shown = ", ".join(map(str, folders))
            raise ConfigError("other_articles", data=data, path=path, folders=shown)


def assign_ids(wanted: Sequence[tuple[str, str]]) -> list[str]:
    """One id for each preferred id and its file's name, all different; the same list always gives the same.

    If several want the same, each gets one with the file's path; for records, before their own.

    >>> assign_ids([("taz", "2024/taz.txt"), ("taz", "taz.txt"), ("faz", "faz.txt")])
    ['2024-taz.txt', 'taz.txt', 'faz']
    """
    by_name = Counter(name for name, _ in wanted)
    ids = [name for name, _ in wanted]
    for place, (name, file) in enumerate(wanted):
        if by_name[name] > 1:
            ids[place] = f"{slug(file)}-{name}" if _holds_records(file) else slug(file)
    taken = Counter(ids)
    files = enumerate(zip(ids, wanted, strict=True))
    return [id if taken[id] == 1 else f"{id}-{_digest(f'{file} {n}')}" for n, (id, (_, file)) in files]


def own_id(file: str, id: str | None, number: int) -> str:
    """The stem of the file's name; for records their own id, or the stem and their number (from 1)."""
    stem = slug(file.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    if not _holds_records(file):
        return stem
    return slug(id) if id else f"{stem}-{number}"


def _holds_records(file: str) -> bool:
    return file.lower().endswith(".jsonl")


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


# --- what people corrected


def sidecar_of(file: Path) -> Path:
    """The path of the sidecar, whether it exists or not."""
    return file.with_name(f".{file.name}.json")


def corrected(document: Document, file: Path) -> Document:
    """The document with the corrections from its sidecar; an unreadable sidecar is ignored."""
    stated = _said_of(file)
    said: dict[str, Any] = {name: clean_field(stated.get(name)) for name in FIELDS}
    said["published"] = parse_date(said["published"] or "")
    return replace(document, **{name: value for name, value in said.items() if value})


def describe(file: Path, fields: Mapping[str, str], in_file: Mapping[str, str]) -> None:
    """Writes the sidecar without empty fields, which are taken from the file; deletes it if all are empty.

    `in_file` is what the file says itself. Raises ArticleError for an invalid day.
    """
    said = {name: text for name in FIELDS if (text := clean_field(fields.get(name, "")))}
    if "published" in said:
        day = parse_date(said["published"])
        if day is None:
            raise ArticleError("no_date", date=said["published"][:40])
        said["published"] = day.isoformat()
    said = {name: text for name, text in said.items() if text != in_file.get(name)}
    place = sidecar_of(file)
    if not said:
        place.unlink(missing_ok=True)
        return
    new = place.with_suffix(".new")
    noted = {**said, _IN_FILE: {name: in_file.get(name, "") for name in said}}
    new.write_text(json.dumps(noted, ensure_ascii=False), "utf-8")
    new.replace(place)


def edited(file: Path) -> Mapping[str, str] | None:
    """Of the facts that people changed of a file, what it says itself, as `Intake.edited` has it."""
    stated = _said_of(file)
    if not any(clean_field(stated.get(name)) for name in FIELDS):
        return None
    known = stated.get(_IN_FILE)
    known = known if isinstance(known, dict) else {}
    return {name: clean_field(known[name]) or "" for name in FIELDS if name in known}


def _said_of(file: Path) -> Mapping[str, Any]:
    """What the sidecar says; nothing where there is none that can be read."""
    try:
        return dict(json.loads(sidecar_of(file).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _changed_at(file: Path) -> int:
    """The time of the sidecar's last change, in nanoseconds since 1970; 0 without one."""
    with contextlib.suppress(OSError):
        return sidecar_of(file).stat().st_mtime_ns
    return 0
