"""Makes a short answer of the best sentences: up to three places, verbatim, each with its citation."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.answering.extract import REACH, Candidate, asks
from rag.answering.texts import Texts
from rag.answering.work import Outcome
from rag.question.answer_type import Cue, cue_of
from rag.schema import Citation, Span, Statement, cite
from rag.text.analysis import language_of
from rag.text.languages import LANGUAGES, table
from rag.text.sentences import opens_with_pronoun

MOST_STATEMENTS, MOST_NEAREST = 3, 2
"""Most places quoted in an answer, and in one that only comes nearest."""
MOST_WORDS, MOST_LISTED = 80, 140
"""Most words of an answer, and of a place that counts the parts of a list."""
FURTHER = 3
ONE_VALUE = frozenset({"number", "date", "duration", "age", "place", "person"})
"""Kinds of answer that a single sentence gives completely."""
SAME = 0.6
NEXT_SENTENCE = 1.0
ENOUGH_WORDS = 45

_OWN_MARK = re.compile(r"\[(\d{1,3})\]")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# the line with the speaker's name under a pull quote
_ATTRIBUTION = re.compile(r"[A-ZÄÖÜ][\w.’'-]+ (?:\w+ )?[A-ZÄÖÜ][\w’'-]+(?:, [^.!?:]+)?[^.!?:“”\"]")

_IN_ORDER = {
    language: [
        re.compile(rf"\b(?:{order})", re.IGNORECASE)
        for order in table(language, "opens.in_order").split("\n")[:-1]
    ]
    for language in LANGUAGES
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Adjacent sentences of one chunk, quoted together."""

    candidate: Candidate
    start: int
    end: int

    @property
    def has_aside(self) -> bool:
        """Whether it contains a caption or the like."""
        asides = self.candidate.article.asides
        return any(aside.start < self.end and self.start < aside.end for aside in asides)

    @property
    def words(self) -> int:
        return len(self.candidate.article.text[self.start : self.end].split())


def compose(
    candidates: Sequence[Candidate],
    question: str = "",
    most: int = MOST_STATEMENTS,
    language: str = "de",
    *,
    alone: bool = False,
) -> Outcome:
    """An answer of at most about 80 words from candidates, best first, and places to read further.

    For a question that asks for one value, only sentences that may hold it are quoted. Sources are named in
    the `language`. No sentence is added to candidates that stand `alone`.
    """
    if not candidates:
        return Outcome("", (), ())
    best, *others = candidates
    cue = cue_of(question)
    asked = cue if cue and cue.kind in ONE_VALUE and cue.offered_by(best.text) else None
    near = (other for other in others if other.score >= best.score - REACH)
    pool = [best, *(other for other in near if asked is None or asked.offered_by(other.text))]
    places = _choose(pool, asked, most, alone=alone)
    citations = tuple(
        cite(place.candidate.article, (place.start, place.end), n, "supported")
        for n, place in enumerate(places, 1)
    )
    text, statements = quoted(citations, language)
    chosen = [place.candidate for place in places]
    further = nearest(candidates, chosen, start=len(places) + 1)
    return Outcome(text, statements, citations, further=further)


def quoted(
    citations: Iterable[Citation], language: str | None, text: str = ""
) -> tuple[str, tuple[Statement, ...]]:
    """A text, and below it what citations quote, each with its `[n]` and, if there is a `language`, its
    source named in it; and the statements.

    Footnote marks in a quotation are written unlike ours: `[1]` becomes `⁽¹⁾`.
    """
    statements = []
    for c in citations:
        text += "\n\n" if text else ""
        quote = _OWN_MARK.sub(lambda mark: f"⁽{mark[1].translate(_RAISED)}⁾", " ".join(c.quote.split()))
        said = f"{quote} [{c.number}]"
        statements.append(Statement(c.quote, (c.number,), "supported", len(text), len(text) + len(said)))
        text += said
        if language:
            day = Texts(language).day(c.published) if c.published else None
            page = Texts(language)("page", c.page) if c.page else None
            source = ", ".join(part for part in (c.outlet, day, page) if part)
            text += f" ({source})" if source else ""
    return text, tuple(statements)


def nearest(
    candidates: Sequence[Candidate], besides: Sequence[Candidate] = (), start: int = 1
) -> tuple[Citation, ...]:
    """The best places to read that are not already in the answer, one for each chunk."""
    seen = {candidate.chunk.id for candidate in besides}
    places: list[Candidate] = []
    for candidate in candidates:
        if candidate.score < candidates[0].score - REACH:
            break
        if candidate.chunk.id not in seen and len(places) < FURTHER:
            seen.add(candidate.chunk.id)
            places.append(candidate)
    return tuple(cite(c.article, c.span, n, "no claim") for n, c in enumerate(places, start))


def _choose(pool: list[Candidate], asked: Cue | None, most: int, *, alone: bool) -> list[_Place]:
    places: list[_Place] = []
    while pool and len(places) < most:
        next_ones = {(place.candidate.chunk.id, place.candidate.index + 1) for place in places}
        best = max(pool, key=lambda c: c.score + NEXT_SENTENCE * ((c.chunk.id, c.index) in next_ones))
        pool.remove(best)
        if places and _repeats(best, places):
            continue
        left = MOST_WORDS - sum(place.words for place in places)
        place = _place(best, left)
        if not places or place.words <= left:
            places = _joined(places, place)
    if len(places) == 1 and not alone:
        places = [_followed(places[0], asked)]
    listed = places[0] if asked else _whole_list(places[0])
    return places if listed.end == places[0].end else [listed]


def _followed(place: _Place, asked: Cue | None) -> _Place:
    """Adds the next sentence to a single short place, where it fits and may answer the question."""
    spans = place.candidate.chunk.sentences
    after = [span for span in spans if span[0] >= place.end]
    if not after or place.words > ENOUGH_WORDS:
        return place
    article = place.candidate.article
    said = article.text[slice(*after[0])]
    goes_on = opens_with_pronoun(said, language_of(article.language))
    if (asked and not asked.offered_by(said)) or (_new_paragraph(place, after[0][0]) and not goes_on):
        return place
    longer = replace(place, end=after[0][1])
    return longer if longer.words <= MOST_WORDS and not longer.has_aside else place


def _whole_list(place: _Place) -> _Place:
    """The place with the rest of a list that it begins, to `MOST_LISTED` words: „erstens …, zweitens …“."""
    article, orders = place.candidate.article, _IN_ORDER[language_of(place.candidate.article.language)]
    said = article.text[place.start : place.end]
    following = max((rank for rank, order in enumerate(orders, 1) if order.search(said)), default=len(orders))
    for start, end in place.candidate.chunk.sentences:
        if start >= place.end:
            longer = replace(place, end=end)
            goes_on = any(order.search(article.text[start:end]) for order in orders[following:])
            if not goes_on or longer.words > MOST_LISTED or longer.has_aside:
                break
            place, following = longer, following + 1
    return place


def _new_paragraph(place: _Place, start: int) -> bool:
    """Whether a paragraph ends between a place and what starts behind it; it would read as one thought."""
    return "\n" in place.candidate.article.text[place.end : start]


def _place(candidate: Candidate, left: int) -> _Place:
    """The candidate's sentence, with the sentences needed to understand it."""
    text, spans = candidate.article.text, candidate.chunk.sentences
    first, last = _quotation(text, spans, candidate.index)
    if last + 1 < len(spans) and _ATTRIBUTION.fullmatch(text[slice(*spans[last + 1])]):
        last += 1
    if first > 0 and opens_with_pronoun(text[slice(*spans[first])], language_of(candidate.article.language)):
        first -= 1  # the sentence before names whom the pronoun means
    while first > 0 and candidate.answers and asks(candidate.article, spans[first - 1]):
        first -= 1
    start, end = spans[first][0], spans[last][1]
    while candidate.answers and last + 1 < len(spans) and len(text[start:end].split()) < ENOUGH_WORDS:
        if "\n" in text[end : spans[last + 1][0]]:
            break
        last += 1
        end = spans[last][1]
    if text[start:end].endswith(":") and last + 1 < len(spans):
        end = spans[last + 1][1]
    extended = _Place(candidate, start, end)
    fits = extended.words <= left and not extended.has_aside
    return extended if fits else _Place(candidate, *candidate.span)


def _quotation(text: str, spans: Sequence[Span], index: int) -> tuple[int, int]:
    """The first and last sentence to quote, so that quoted speech is whole and keeps its speaker."""

    def is_open(end: int) -> bool:
        said = text[spans[0][0] : end]
        pairs = ("„", "[“”]"), ("«", "»"), *(() if "„" in text else (("“", "”"),))
        return any(re.search(f"{opens}(?!.*{closes})", said, re.DOTALL) for opens, closes in pairs)

    first = last = index
    while first > 0 and is_open(spans[first][0]):
        first -= 1
    while last + 1 < len(spans) and is_open(spans[last][1]):
        last += 1
    return first, last


def _joined(places: list[_Place], place: _Place) -> list[_Place]:
    """The places with one more; adjacent and overlapping places are merged."""
    for i, other in enumerate(places):
        gap = place.candidate.article.text[other.end : place.start]
        same = other.candidate.chunk.id == place.candidate.chunk.id
        adjacent = not gap.strip() and not _new_paragraph(other, place.start)
        follows = place.start >= other.start and (place.start <= other.end or adjacent)
        if same and (follows or place.start < other.start < place.end):
            merged = _Place(other.candidate, min(other.start, place.start), max(other.end, place.end))
            return [*places[:i], merged, *places[i + 1 :]]
    return [*places, place]


def _repeats(candidate: Candidate, places: Sequence[_Place]) -> bool:
    own = set(candidate.terms.keys)
    for place in places:
        said = set(place.candidate.terms.keys)
        same_article = candidate.article.id == place.candidate.article.id
        if same_article and place.start <= candidate.span[0] < place.end:
            return True
        if any(term[0].isdigit() for term in own ^ said):
            continue  # a different figure may contradict the first, and readers should see that
        if len(own & said) >= SAME * max(1, min(len(own), len(said))):
            return True
    return False
