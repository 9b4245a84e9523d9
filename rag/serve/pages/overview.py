"""The dossier at a glance for the start page: dates, outlets, people and places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from rag.answering.claims import Claim
from rag.answering.disagreement import Difference
from rag.i18n import Words
from rag.question.names import places
from rag.question.suggest import answerable, speakers
from rag.schema import Filters, cite
from rag.serve.links import citation_path
from rag.serve.pages.catalogue import Catalogue
from rag.serve.pages.choice import address_of
from rag.serve.pages.timeline import plot_of
from rag.serve.views import fragment, shortened

_READ = 200  # articles that are read for names; the start page waits for this once
_NAMES = 5
_DIFFERENCES, _LONGEST = 3, 90


class Overview:
    """The overview of a library, made once per revision."""

    def __init__(self, catalogue: Catalogue, differing: Callable[[], Sequence[Difference]]) -> None:
        self.catalogue, self._differing = catalogue, differing
        self._names_at = lru_cache(maxsize=1)(self._names)

    def html(self, words: Words) -> str:
        """Lines of outlets, people and places, each a link, a bar for each day, week, month or year, and what
        articles say differently, as far as that is known."""
        rows = self.catalogue.rows()
        days = [row.published for row in rows]
        plot = plot_of(days, days, words)
        known = [day for day in days if day]
        period = words.dates(min(known), max(known)) if known else ""
        outlets = Counter(row.outlet for row in rows if row.outlet).most_common(_NAMES)

        def side(claim: Claim) -> tuple[str, str]:
            """What one article says, and the address of the place."""
            said = shortened(claim.article.text[slice(*claim.clause)].strip(" ,;:–"), _LONGEST)
            return said, citation_path(cite(claim.article, claim.span, 1, "supported"))

        people, where = self._names_at(self.catalogue.library.revision)
        return fragment(
            "overview",
            words,
            outlets=[name for name, _ in outlets],
            people=people,
            where=where,
            plot=plot,
            period=period,
            about=lambda **chosen: address_of(Filters(**chosen)),
            differing=[list(map(side, each.claims)) for each in self._differing()[:_DIFFERENCES]],
        )

    def _names(self, _: int) -> tuple[list[str], list[str]]:
        """People who are quoted, and places."""
        ids = [row.id for row in self.catalogue.rows()]
        articles = list(self.catalogue.library.articles(ids[:: max(1, len(ids) // _READ)]))
        texts = [answerable(article) for article in articles]
        said = Counter(name for article in articles for name in speakers(article, ""))
        people = sorted(said, key=lambda name: (-said[name], -sum(name in text for text in texts), name))
        return people[:_NAMES], places(texts, _NAMES)
