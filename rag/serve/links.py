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
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from rag.i18n import Words
from rag.schema import Article, Citation, Passage, cite

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
    here = _root.get()
    paths = [(name, f"{of_all()}/{name}") for name in _dossiers.get()]
    return [(name, path, path == here) for name, path in paths]


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
    known = (citation.outlet, day(citation.published, words), page_number(citation, words))
    return separator.join(part for part in known if part)


def page_number(citation: Citation, words: Words) -> str | None:
    """S. 4; None where there are no pages."""
    return words("answer.page", page=citation.page) if citation.page else None


def original_path(article_id: str, page: int | None = None) -> str:
    """The address of the file that an article is from, at a page of it."""
    return link(f"/original/{quote(article_id, safe='')}") + (f"#page={page}" if page else "")


def day(published: date | None, words: Words) -> str | None:
    return words.long_date(published) if published else None


def label(citation: Citation, words: Words) -> str:
    """taz, 16. August 2025: Roter Teppich für Putin; what is unknown is left out, the id remains."""
    return (
        ": ".join(part for part in (origin(citation, words), citation.title) if part) or citation.article_id
    )


def place_of(passage: Passage) -> Citation:
    """A passage as a citation, so that both are shown the same way."""
    chunk, article = passage.chunk, passage.article
    # of an answer that was kept, the article's text is not there
    return replace(cite(article, (chunk.start, chunk.end), 0, "no claim"), quote=chunk.text)
