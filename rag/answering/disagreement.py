"""Where articles say different things, as far as that can be checked: figures, dates and offices.

Two articles differ where one says all that the other says in the clause of a figure, but another figure.
What may have another reason is left out: copies, rounding, updates between two days, plans beside facts, an
article that says both. Much is missed so; a contradiction that is none would be worse.
"""

import functools
import itertools
import logging
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rag.answering.claims import Claim, Date, claims
from rag.errors import BelegError
from rag.schema import Article, Chunk, Span
from rag.store.library import Library
from rag.text.analysis import key, words
from rag.text.languages import pattern

Sentences = Callable[[Article], Sequence[Span]]
"""The places of an article's sentences."""

COVERED = 0.8
"""How many of the words of a clause the other article must say, too."""
ROUGHLY = 0.3
"""How far apart figures that are given roughly may be."""
MOST_COMPARED = 500
"""Articles, the newest, that are compared with each other: some seconds, once for a state of the library."""
_COMMON, _STEM = 200, 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two claims of different articles that cannot both be right."""

    claims: tuple[Claim, Claim]
    """In the order of their articles' days."""


def differences(
    found: Iterable[Claim], sentences: Sentences, among: Callable[[Claim], bool] = lambda _: True
) -> list[Difference]:
    """The claims that differ, in pairs: one for each two articles and kind; `sentences` reads an article.

    One of each pair is `among` those that matter.
    """
    known, articles = list(found), _Articles(sentences)
    matter = [among(claim) for claim in known]
    if not any(matter):
        return []
    saying: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for place, claim in enumerate(known):
        for word in claim.said:
            saying[claim.language, claim.kind, word].append(place)
    kept: dict[tuple[frozenset[str], str], Difference] = {}
    for own, claim in enumerate(known):
        shared = Counter[int]()
        for word in claim.about:
            places = saying[claim.language, claim.kind, word]
            shared.update(places if len(places) <= _COMMON else ())
        for place, count in shared.items():
            other = known[place]
            shares = count >= COVERED * len(claim.about)
            if shares and (matter[own] or matter[place]) and _differ(claim, other, articles):
                named = frozenset((claim.article.id, other.article.id)), claim.kind
                first, second = sorted((claim, other), key=lambda c: (str(c.article.published), c.article.id))
                kept.setdefault(named, Difference((first, second)))
    return list(kept.values())


class _Articles:
    """What whole articles say, read when it is asked for."""

    def __init__(self, sentences: Sentences) -> None:
        self._claims = functools.cache(lambda article: list(claims(article, sentences(article))))
        self._keys = functools.cache(
            lambda article: frozenset(
                key(word, article.language) for word in words(f"{article.title or ''} {article.text}")
            )
        )

    def states(self, article: Article, claim: Claim) -> bool:
        """Whether an article has the figure of a claim, too, of the same noun."""
        own = (each for each in self._claims(article) if each.kind == claim.kind)
        return any(set(each.numbers) & set(claim.numbers) for each in own)

    def says(self, claim: Claim, keys: frozenset[str]) -> bool:
        """Whether the article of a claim has all these search keys."""
        return keys <= self._keys(claim.article)


def _differ(one: Claim, other: Claim, articles: _Articles) -> bool:
    """Whether two claims are of one matter, at one time, and cannot both be right."""
    extra, missing = other.nouns - one.said, one.nouns - other.said
    return (
        (one.article.copy_of or one.article.id) != (other.article.copy_of or other.article.id)
        and not _agree(one, other)
        and one.beside <= other.figures
        and not (extra and missing)
        and articles.says(one, extra)
        and articles.says(other, missing)
        and _of_one_time(one, other)
        and one.manner == other.manner
        and not articles.states(one.article, other)
        and not articles.states(other.article, one)
    )


def _agree(one: Claim, other: Claim) -> bool:
    """Whether both values may be right: equal, rounded, within a range, or dates that fit each other."""
    if one.place:
        return one.place == other.place or not (_is_country(one) and _is_country(other))
    if one.days:
        pairs = [(a, b) for a in one.days for b in _days(other)]
        return any(_fit(a, b) for a, b in [*pairs, *((a, b) for a in _days(one) for b in other.days)])
    both = (*one.numbers, *other.numbers)
    if min(one.numbers) <= max(other.numbers) and min(other.numbers) <= max(one.numbers):
        return True
    apart = min(abs(a - b) for a in one.numbers for b in other.numbers)
    roughly = ROUGHLY * max(map(abs, both)) if one.roughly or other.roughly else 0.0
    return apart <= max(roughly, *map(_rounding, both))


def _is_country(claim: Claim) -> bool:
    """Whether the place has an adjective as countries have: what is in Moscow is in Russia, too."""
    ending = pattern("differ.country", claim.language)
    adjective = rf"\b{re.escape(claim.place[:_STEM])}\w*{ending}\b"
    return re.search(adjective, claim.article.text, re.IGNORECASE) is not None


def _days(claim: Claim) -> list[Date]:
    return [figure for figure in claim.figures if isinstance(figure, tuple)]


def _fit(one: Date, other: Date) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _rounding(number: float) -> float:
    """How far a number may be from what it was rounded from, as its zeros tell."""
    if number != int(number):
        return 0.0
    digits = str(abs(int(number)))
    return 0.5 * 10.0 ** (len(digits) - len(digits.rstrip("0")))


def _of_one_time(one: Claim, other: Claim) -> bool:
    """Whether no day explains the difference: neither those of the articles, nor those that are named."""
    mine, others = _days(one), _days(other)
    if not one.days and mine and others and not any(_fit(a, b) for a in mine for b in others):
        return False
    first, second = sorted((one.article.published, other.article.published), key=str)
    if first is None or second is None or first == second:
        return True
    ahead = (first.year, first.month, first.day)
    named = [tuple(part or 0 for part in day) for claim in (one, other) for day in claim.days]
    return one.lasting and other.lasting and all(day < ahead for day in named)


class Compared:
    """The differences of a library, found once for each of its revisions, when they are first asked for.

    Safe to use from several threads.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._finding = threading.Lock()
        self._found: tuple[int, list[Difference]] = (-1, [])
        self._ended = False

    def found(self) -> list[Difference]:
        """The differences between the newest articles."""
        with self._finding:
            revision = self._library.revision if not self._ended else self._found[0]
            if self._found[0] != revision:
                articles = (None if self._ended else self._library.article(id) for id in self._newest())
                read = (claims(article, self.sentences(article)) for article in articles if article)
                self._found = revision, differences(itertools.chain.from_iterable(read), self.sentences)
            return self._found[1]

    def so_far(self) -> list[Difference]:
        """The same where it is known; else it is begun, and nobody waits for it."""
        revision, held = self._library.revision, self._found
        if held[0] == revision:
            return held[1]
        if not self._ended and not self._finding.locked():
            threading.Thread(target=self._find, name="compare", daemon=True).start()
        return []

    def read(self) -> set[str]:
        """Ids of the articles that are compared, the newest."""
        return set(self._newest())

    def _newest(self) -> list[str]:
        return [row.id for row in self._library.listed()[:MOST_COMPARED]]

    def _find(self) -> None:
        try:
            self.found()
        except BelegError:
            log.warning("articles could not be compared", exc_info=True)

    def end(self) -> None:
        """Ends what is begun: the library is about to be closed."""
        self._ended = True
        with self._finding:
            pass

    def between(
        self, passages: Iterable[tuple[Article, Chunk]], among: Callable[[Claim], bool]
    ) -> list[Difference]:
        """The differences between some passages; see `differences`."""
        stated = [claim for article, chunk in passages for claim in claims(article, chunk.sentences)]
        return differences(stated, self.sentences, among)

    def sentences(self, article: Article) -> list[Span]:
        """The places of an article's sentences, in order."""
        chunks = self._library.chunks_of(article.id)
        return sorted({span for chunk in chunks for span in chunk.sentences})
