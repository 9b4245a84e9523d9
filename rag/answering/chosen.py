"""The articles that may answer, chosen by filters or by the source that a question names."""

import difflib
from collections.abc import Collection, Sequence

from rag.errors import BadRequest
from rag.i18n import Phrase
from rag.question.known import Known
from rag.question.source import Source
from rag.schema import Filters
from rag.store.library import Library
from rag.store.library_rows import Selection
from rag.text.analysis import fold

MOST_FILTERS = 1_000
"""Most names, or ids, of one kind in filters."""
_NAMED = 10


def chosen(filters: Filters | None, library: Library, known: Known) -> frozenset[str] | None:
    """Ids of the articles that fit the filters; None for all articles.

    Raises BadRequest, which names what exists, if nothing fits.
    """
    if filters is None or filters == Filters():
        return None
    if filters.first and filters.last and filters.first > filters.last:
        raise BadRequest("filter_days", first=filters.first, last=filters.last)
    outlets = _meant("filter_no_outlet", Phrase("filter_outlets"), filters.outlets, known.outlets)
    authors = _meant("filter_no_author", Phrase("filter_authors"), filters.authors, known.authors)
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
        counts = library.counts()
        code = "dossier_dated" if counts.first else "dossier_holds"
        there = Phrase(code, n=counts.articles, first=counts.first, last=counts.last)
        raise BadRequest("filters_exclude_all", there=there)
    return found


def named(source: Source, library: Library) -> frozenset[str]:
    """Ids of the articles of the source named in a question; empty if there are none."""
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


def _meant(code: str, kind: Phrase, said: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """The known names that contain one of the given names. Raises BadRequest with `code` if none does."""
    _check_number(kind, said)
    found: set[str] = set()
    for name in said:
        fits = {each for each in known if fold(name.strip()) in fold(each)} if name.strip() else set()
        if not fits:
            raise BadRequest(code, name=name, there=_some(kind, known))
        found |= fits
    return frozenset(found)


def _check_ids(ids: Sequence[str], library: Library) -> None:
    kind = Phrase("filter_articles")
    _check_number(kind, ids)
    held = library.versions() if ids else {}
    missing = next((id for id in ids if id not in held), None)
    if missing is not None:
        every = sorted(held)
        near = difflib.get_close_matches(missing, every, _NAMED, 0.4) or every
        raise BadRequest("filter_no_article", name=missing, there=_some(kind, near))


def _check_number(kind: Phrase, given: Sequence[str]) -> None:
    if len(given) > MOST_FILTERS:
        raise BadRequest("filter_long", number=len(given), kind=kind, most=MOST_FILTERS)


def _some(kind: Phrase, names: Collection[str]) -> Phrase:
    shown = ", ".join(list(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    code = "filter_there_are" if shown else "filter_there_are_none"
    return Phrase(code, kind=kind, names=shown)
