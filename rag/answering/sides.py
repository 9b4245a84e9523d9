"""Both sides of what articles say differently, in an answer: each sentence with its citation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.answering.claims import Claim
from rag.answering.compose import quoted
from rag.answering.disagreement import Compared, Difference
from rag.answering.texts import sides_differ
from rag.answering.work import Job, Outcome, besides
from rag.question.answer_type import cue_of
from rag.question.figures import figure_of
from rag.schema import Citation, Contradiction, Span, cite

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
    hits, lead = job.ranking.hits[:MOST_PASSAGES], (job.found[0].article.id, job.found[0].span)

    def is_said(claim: Claim) -> bool:
        return (
            (claim.article.id, claim.span) == lead if verbatim else any(map(claim.touches, outcome.citations))
        )

    for each in compared.between(((hit.passage.article, hit.passage.chunk) for hit in hits), is_said):
        if any(_holds(claim, asked.spans) for claim in each.claims):
            if not verbatim:
                return _followed(each, job, outcome)
            none = replace(outcome, text="", statements=(), citations=())
            return _with(each, none, job.asked.language, sides_differ(job.asked.language))
    return outcome


def about(job: Job, compared: Compared) -> list[Difference]:
    """The differences about what a question is about, as far as the sentences themselves say so."""
    whole = SAYS * float(job.ranking.idf.sum())
    near = [each for each in job.found if float(each.covered @ job.ranking.idf) >= whole]
    places = {(each.article.id, each.span) for each in near}
    passages = ((hit.passage.article, hit.passage.chunk) for hit in job.ranking.hits)
    return compared.between(passages, lambda claim: (claim.article.id, claim.span) in places)


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
        pairs.append(Contradiction(numbers, _values(each)))
    return tuple(citations), tuple(pairs)


def _values(difference: Difference) -> tuple[str, ...]:
    """What each article states, as it stands there."""
    return tuple(claim.article.text[slice(*claim.at)] for claim in difference.claims)


def _holds(claim: Claim, spans: _Spans) -> bool:
    """Whether what a claim states is of the kind that a question asks for."""
    start, end = (place - claim.span[0] for place in claim.at)
    sentence = claim.article.text[slice(*claim.span)]
    return any(low < end and start < high for low, high in spans(sentence, claim.language))


def _followed(difference: Difference, job: Job, outcome: Outcome) -> Outcome:
    """What a model wrote, with the two sentences below; nothing below where it cites both."""
    one, other = (
        next((each.number for each in outcome.citations if claim.touches(each)), 0)
        for claim in difference.claims
    )
    if one and other:
        return replace(outcome, contradictions=(Contradiction((one, other), _values(difference)),))
    notice = f"{outcome.text}\n\n{sides_differ(job.asked.language)}"
    return _with(difference, outcome, job.asked.language, notice)


def _with(difference: Difference, outcome: Outcome, language: str, text: str) -> Outcome:
    """The outcome with this text, and the two sentences below it."""
    citations, pairs = side_by_side([difference], len(outcome.citations) + 1)
    text, statements = quoted(citations, language, text)
    return replace(
        outcome,
        text=text,
        statements=(*outcome.statements, *statements),
        citations=(*outcome.citations, *citations),
        further=besides(outcome.further, citations),
        contradictions=pairs,
    )
