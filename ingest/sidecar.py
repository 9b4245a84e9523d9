"""What people say of a file where it says less, or wrong: kept beside it, never in it.

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
    """Where it is, or would be."""
    return file.with_name(f".{file.name}.json")


def corrected(document: Document, file: Path) -> Document:
    """The document with what the sidecar of its file says; what is unreadable in that costs nothing."""
    try:
        stated = dict(json.loads(sidecar_of(file).read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return document
    said: dict[str, Any] = {name: clean_field(stated.get(name)) for name in FIELDS}
    said["published"] = parse_date(said["published"] or "")
    return replace(document, **{name: value for name, value in said.items() if value})


def describe(file: Path, fields: Mapping[str, str]) -> None:
    """Writes the sidecar; a field that is empty is as the file says it, and without any there is none.

    Raises ArticleError for a day that is none.
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
    """When the sidecar of a file was changed, in nanoseconds since 1970; 0 without one."""
    with contextlib.suppress(OSError):
        return sidecar_of(Path(path)).stat().st_mtime_ns
    return 0
