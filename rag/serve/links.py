"""Addresses of ours, as a reader's browser asks for them, and the names of places in articles.

They lie below the path at which a proxy shows Beleg, and the name of a dossier where there are several.

The address of a place is `/quelle/<article id>?von=<start>&bis=<end>&v=<version>#beleg`: `von`
and `bis` are offsets in the article's text, half-open; `v` is the beginning of the article's hash, so
that no wrong place is shown after a change; `#beleg` is the mark.
With `&teil=1` the server sends the article alone, for the chat's side panel.
"""

import hashlib
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from rag.i18n import Words
from rag.schema import Article, Citation

PREFIX = "X-Forwarded-Prefix"
STATIC = Path(__file__).parent / "static"
MARK_ID = "beleg"
_VERSION_DIGITS = 12
_root: ContextVar[str] = ContextVar("beleg_root", default="")
_dossiers: ContextVar[tuple[str, ...]] = ContextVar("beleg_dossiers", default=())


def link(path: str) -> str:
    """The address of one of our paths: `/dossier/artikel`; just the path where Beleg has its own host."""
    return _root.get() + path


def below(prefix: str, dossiers: Sequence[str] = ()) -> None:
    """Links of whatever is being answered lie below this path, which ends with one of `dossiers`, if any."""
    _root.set(prefix)
    _dossiers.set(tuple(dossiers))


def of_all() -> str:
    """The path below which all dossiers lie."""
    root = _root.get()
    return root.rpartition("/")[0] if _dossiers.get() else root


def dossiers() -> list[tuple[str, str, bool]]:
    """Of each dossier the name, the path below which it lies, and whether it is the one that answers."""
    paths = [(name, f"{of_all()}/{name}") for name in _dossiers.get()]
    return [(name, path, path == _root.get()) for name, path in paths]


def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser may keep it for ever."""
    return link(f"/beleg/{name}?v={_digest(name)}")


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def is_current(article: Article, version: str | None) -> bool:
    """Whether an address that names this version (or none) still fits the article."""
    return not version or article.sha256.startswith(version)


def citation_path(citation: Citation) -> str:
    """The address of a cited place; see the top of this module."""
    query = urlencode({"von": citation.start, "bis": citation.end, "v": citation.sha256[:_VERSION_DIGITS]})
    return link(f"/quelle/{quote(citation.article_id, safe='')}?{query}#{MARK_ID}")


def origin(citation: Citation, words: Words, separator: str = ", ") -> str:
    """taz, 16. August 2025, S. 4; what is unknown is left out."""
    day = words.long_date(citation.published) if citation.published else None
    page = words("answer.page", page=citation.page) if citation.page else None
    return separator.join(part for part in (citation.outlet, day, page) if part)


def label(citation: Citation, words: Words) -> str:
    """taz, 16. August 2025: Roter Teppich für Putin; what is unknown is left out, the id remains."""
    known = (origin(citation, words), citation.title)
    return ": ".join(part for part in known if part) or citation.article_id
