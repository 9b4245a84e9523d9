"""The articles that may answer: those that filters choose, and those of a source that a question names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from rag.errors import BadRequest
from rag.question.known import Known
from rag.question.source import Source
from rag.schema import Filters
from rag.store.library import Library
from rag.store.library_rows import Selection
from rag.text.analysis import fold

MOST_FILTERS = 1_000
"""Names or ids of a kind that filters may have."""
_NAMED = 10


def chosen(filters: Filters | None, library: Library, known: Known) -> frozenset[str] | None:
    """Ids of the articles that fit the filters; None for all of them.

    Raises BadRequest, naming what there is, where nothing fits.
    """
    if filters is None or filters == Filters():
        return None
    if filters.first and filters.last and filters.first > filters.last:
        raise BadRequest(f"filters: {filters.first} is after {filters.last}; first must not be after last")
    outlets = _meant("outlet", filters.outlets, known.outlets)
    authors = _meant("author", filters.authors, known.authors)
    _check_ids(filters.articles, library)
    selection = Selection(
        ids=frozenset(filters.articles) if filters.articles else None,
        by=tuple(pair for pair in ((outlets, frozenset[str]()), (frozenset[str](), authors)) if any(pair)),
        first=filters.first.isoformat() if filters.first else None,
        last=filters.last.isoformat() if filters.last else None,
        genre=filters.genre,
    )
    found = frozenset(row.id for row in library.listed(selection))
    if not found:
        raise BadRequest(f"filters: no article fits all of them; {_what_there_is(library)}")
    return found


def named(source: Source, library: Library) -> frozenset[str]:
    """Ids of the articles that a source named in a question means; none where there is no such article."""
    outlets = frozenset(each for name in source.named for each in name.outlets)
    authors = frozenset(each for name in source.named for each in name.authors)
    selection = Selection(
        ids=source.titles,
        by=((outlets, authors),) if source.named else (),
        first=source.days.first if source.days else None,
        last=source.days.last if source.days else None,
        genre=source.genre,
    )
    return frozenset(row.id for row in library.listed(selection))


def _meant(kind: str, said: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """The known names that have one of those that were said in them."""
    _check_number(f"{kind}s", said)
    found: set[str] = set()
    for name in said:
        fits = {each for each in known if fold(name.strip()) in fold(each)} if name.strip() else set()
        if not fits:
            raise BadRequest(f"filters: no article has the {kind} {name!r}; {_some(f'{kind}s', known)}")
        found |= fits
    return frozenset(found)


def _check_ids(ids: Sequence[str], library: Library) -> None:
    _check_number("articles", ids)
    held = library.versions(ids) if ids else {}
    missing = next((id for id in ids if id not in held), None)
    if missing is not None:
        every = sorted(library.versions())
        near = difflib.get_close_matches(missing, every, _NAMED, 0.4) or every
        raise BadRequest(f"filters: there is no article {missing!r}; {_some('articles', near)}")


def _check_number(kind: str, given: Sequence[str]) -> None:
    if len(given) > MOST_FILTERS:
        raise BadRequest(f"filters: {len(given)} {kind}; at most {MOST_FILTERS} are taken")


def _some(kind: str, names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"there are the {kind}: {shown}" if shown else f"the articles name no {kind}"


def _what_there_is(library: Library) -> str:
    counts = library.counts()
    dated = f", published from {counts.first} to {counts.last}" if counts.first else ""
    return f"the dossier holds {counts.articles} articles{dated}"
