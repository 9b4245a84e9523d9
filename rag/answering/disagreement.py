"""Where articles say different things, as far as that can be checked, and both sides in an answer.

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
from dataclasses import dataclass, replace

from rag.answering.claims import Claim, Date, claims
from rag.answering.compose import quoted
from rag.answering.texts import say
from rag.answering.work import Job, Outcome, besides
from rag.errors import BelegError
from rag.question.answer_type import cue_of
from rag.question.figures import figure_of
from rag.retrieval.retriever import Hit
from rag.schema import Article, Citation, Contradiction, Span, cite
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

    @property
    def said(self) -> tuple[str, ...]:
        """What each article states, as it stands there."""
        return tuple(claim.article.text[slice(*claim.at)] for claim in self.claims)


def differences(
    found: Iterable[Claim], sentences: Sentences, among: Callable[[Claim], bool] = lambda _: True
) -> list[Difference]:
    """The claims that differ, in pairs: one for each two articles and kind; `sentences` reads an article. One
    of each pair is `among` those that matter."""
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
        pairs = (*itertools.product(one.days, _days(other)), *itertools.product(_days(one), other.days))
        return any(_fit(a, b) for a, b in pairs)
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
    """The differences of a library, found once for each of its revisions, when they are first asked for. Safe
    to use from several threads."""

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
                articles = (None if self._ended else self._library.article(id) for id in self.newest())
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

    def newest(self) -> list[str]:
        """Ids of the articles that are compared."""
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

    def between(self, hits: Iterable[Hit], among: Callable[[Claim], bool]) -> list[Difference]:
        """The differences between some passages; see `differences`."""
        passages = (hit.passage for hit in hits)
        stated = (claim for each in passages for claim in claims(each.article, each.chunk.sentences))
        return differences(stated, self.sentences, among)

    def sentences(self, article: Article) -> list[Span]:
        """The places of an article's sentences, in order."""
        chunks = self._library.chunks_of(article.id)
        return sorted({span for chunk in chunks for span in chunk.sentences})


MOST_PASSAGES = 10
SAYS = 0.5
"""How much of a topic a sentence must say to be about it."""

_Spans = Callable[[str, str], Iterable[Span]]


def with_both_sides(job: Job, outcome: Outcome, compared: Compared, *, verbatim: bool) -> Outcome:
    """The outcome; where another article says differently what was asked, with both sentences.

    A verbatim answer whose best sentence is one of them is then those two; what a model wrote citing one of
    them is followed by them, unless it cites both.
    """
    asked = figure_of(job.ranking.query) or cue_of(job.ranking.query.text)
    if asked is None or not outcome.citations or job.summary is not None:
        return outcome
    lead = (job.found[0].article.id, job.found[0].span)

    def is_said(claim: Claim) -> bool:
        own = (claim.article.id, claim.span)
        return own == lead if verbatim else any(map(claim.touches, outcome.citations))

    for each in compared.between(job.ranking.hits[:MOST_PASSAGES], is_said):
        if any(_holds(claim, asked.spans) for claim in each.claims):
            if verbatim:
                outcome = replace(outcome, text="", statements=(), citations=())
            return _with(each, outcome, job.asked.language)
    return outcome


def about(job: Job, compared: Compared) -> list[Difference]:
    """The differences about what a question is about, as far as the sentences themselves say so."""
    whole = SAYS * float(job.ranking.idf.sum())
    near = [each for each in job.found if float(each.covered @ job.ranking.idf) >= whole]
    places = {(each.article.id, each.span) for each in near}
    return compared.between(job.ranking.hits, lambda claim: (claim.article.id, claim.span) in places)


def side_by_side(
    found: Sequence[Difference], first: int = 1
) -> tuple[tuple[Citation, ...], tuple[Contradiction, ...]]:
    """The sentences of differences as citations, numbered from `first`, and which of them differ in what."""
    citations, pairs = list[Citation](), list[Contradiction]()
    for each in found:
        numbers = first + len(citations), first + len(citations) + 1
        citations += (
            cite(claim.article, claim.quote, number, "supported")
            for claim, number in zip(each.claims, numbers, strict=True)
        )
        pairs.append(Contradiction(numbers, each.said))
    return tuple(citations), tuple(pairs)


def _holds(claim: Claim, spans: _Spans) -> bool:
    """Whether what a claim states is of the kind that a question asks for."""
    start, end = (place - claim.span[0] for place in claim.at)
    sentence = claim.article.text[slice(*claim.span)]
    return any(low < end and start < high for low, high in spans(sentence, claim.language))


def _with(difference: Difference, outcome: Outcome, language: str) -> Outcome:
    """The outcome with the two sentences below it; nothing below where it cites both."""
    one, other = (
        next((each.number for each in outcome.citations if claim.touches(each)), 0)
        for claim in difference.claims
    )
    if one and other:
        return replace(outcome, contradictions=(Contradiction((one, other), difference.said),))
    citations, pairs = side_by_side([difference], len(outcome.citations) + 1)
    notice = f"{outcome.text}\n\n{say('differ', language)}".lstrip()
    text, statements = quoted(citations, language, notice)
    return replace(
        outcome,
        text=text,
        statements=(*outcome.statements, *statements),
        citations=(*outcome.citations, *citations),
        further=besides(outcome.further, citations),
        contradictions=pairs,
    )
