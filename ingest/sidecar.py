"""Corrections of a file's metadata by people: kept beside the file, never in it.

The sidecar of `faehre.pdf` is `.faehre.pdf.json`, hidden, so that it is no article itself:

    {"title": "Die Fähre", "published": "2025-05-03", "in_file": {"title": "Scan 7", "published": ""}}

`in_file` is what the file itself says of the same, for readers to see.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.readers.document import Document, clean_field, parse_date
from rag.errors import ArticleError

IN_FILE = "in_file"
FIELDS = ("title", "outlet", "author", "published")


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
    noted = {**said, IN_FILE: {name: in_file.get(name, "") for name in said}}
    new.write_text(json.dumps(noted, ensure_ascii=False), "utf-8")
    new.replace(place)


def edited(file: Path) -> Mapping[str, str] | None:
    """Of the facts that people changed of a file, what it says itself, as `Intake.edited` has it."""
    stated = _said_of(file)
    if not any(clean_field(stated.get(name)) for name in FIELDS):
        return None
    known = stated.get(IN_FILE)
    known = known if isinstance(known, dict) else {}
    return {name: clean_field(known[name]) or "" for name in FIELDS if name in known}


def _said_of(file: Path) -> Mapping[str, Any]:
    """What the sidecar says; nothing where there is none that can be read."""
    try:
        return dict(json.loads(sidecar_of(file).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def changed_at(file: Path) -> int:
    """The time of the sidecar's last change, in nanoseconds since 1970; 0 without one."""
    with contextlib.suppress(OSError):
        return sidecar_of(file).stat().st_mtime_ns
    return 0
