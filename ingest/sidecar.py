"""Corrections of a file's metadata by people: kept beside the file, never in it.

The sidecar of `faehre.pdf` is `.faehre.pdf.json`, hidden, so that it is no article itself:

    {"title": "Die Fähre", "outlet": "Seeblatt", "author": "Ole Brandt", "published": "2025-05-03"}
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.readers.document import Document, clean_field, parse_date
from rag.errors import ArticleError

FIELDS = ("title", "outlet", "author", "published")


def sidecar_of(file: Path) -> Path:
    """The path of the sidecar, whether it exists or not."""
    return file.with_name(f".{file.name}.json")


def corrected(document: Document, file: Path) -> Document:
    """The document with the corrections from its sidecar; an unreadable sidecar is ignored."""
    try:
        stated = dict(json.loads(sidecar_of(file).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return document
    said: dict[str, Any] = {name: clean_field(stated.get(name)) for name in FIELDS}
    said["published"] = parse_date(said["published"] or "")
    return replace(document, **{name: value for name, value in said.items() if value})


def describe(file: Path, fields: Mapping[str, str]) -> None:
    """Writes the sidecar without empty fields, which are taken from the file; deletes it if all are empty.

    Raises ArticleError for an invalid day.
    """
    said = {name: text for name in FIELDS if (text := clean_field(fields.get(name, "")))}
    if "published" in said:
        day = parse_date(said["published"])
        if day is None:
            raise ArticleError("no_date", date=said["published"][:40])
        said["published"] = day.isoformat()
    place = sidecar_of(file)
    if not said:
        place.unlink(missing_ok=True)
        return
    new = place.with_suffix(".new")
    new.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    new.replace(place)


def changed_at(path: str) -> int:
    """The time of the sidecar's last change, in nanoseconds since 1970; 0 without one."""
    with contextlib.suppress(OSError):
        return sidecar_of(Path(path)).stat().st_mtime_ns
    return 0
