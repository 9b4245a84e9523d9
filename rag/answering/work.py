"""The stages of a question in the engine: as asked, with what was found, the outcome, and several joined."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.answering.confidence import covers
from rag.answering.extract import Candidate
from rag.models.chat import Deadline, Usage
from rag.question.followup import Context
from rag.retrieval.retriever import Ranking
from rag.schema import Answer, Article, Certainty, Citation, Contradiction, Message, Passage, Statement

_MARKER = re.compile(r"\[\d+(?:[,;]\s*\d+)*\]")
_NUMBER = re.compile(r"\d+")

AMONG_THE_NEAREST = 5
"""Of the sentences found, best first. On the tuning halves of seeds and declining, they and those
that cover the question keep a sentence that answers for 121 of 128 questions; and of 172 first
sentences of the best passage, which weak models copy, 62 that answer nothing."""

History = tuple[Message, ...]
"""The earlier messages that count, oldest first."""

Only = frozenset[str] | None
"""Ids of the articles that may answer; None for all."""


@dataclass(frozen=True, slots=True)
class SumUp:
    """The articles to sum up, newest first, the number of sentences, and the articles' headings."""

    ids: tuple[str, ...]
    headings: dict[str, str]
    sentences: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its context; `german` is a model's translation of it, None without one.

    `message` is the text as typed, `question` the part that asks (`rag.question.parse`), `sought` the same
    without the source that it names; `sums_up` says that it asks for a summary. `started` is the time of
    arrival by `time.perf_counter`; `usage` counts the tokens of the translation.
    """

    message: str
    question: str
    sought: str
    only: Only
    sums_up: SumUp | None
    standalone: str
    german: str | None
    usage: Usage
    contexts: tuple[Context, ...]
    language: str
    history: History
    deadline: Deadline
    started: float


@dataclass(frozen=True, slots=True)
class Job:
    """A question with what was found for it, `retrieved` seconds after it came; `timings` are added to.

    `copies` are near-copies, also found, of the articles that the passages are from. `summary` is the answer
    to a question for a summary. `by_words` says that meaning should have been compared, too, but could not
    be. `stated` are sentences that say by their grammar what was asked: an aim, or who or what something is.
    """

    asked: Asked
    ranking: Ranking
    copies: tuple[Article, ...]
    passages: tuple[Passage, ...]
    found: list[Candidate]
    confidence: float
    certainty: Certainty
    retrieved: float
    summary: Outcome | None = None
    by_words: bool = False
    stated: list[Candidate] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an `Answer` says, in the fields that are named as there."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    certainty: Certainty = "sure"
    reason: str | None = None
    model: str | None = None
    further: tuple[Citation, ...] = ()
    dropped: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()


def below(notice: str, verbatim: Outcome) -> Outcome:
    """The verbatim answer below a line that says what it is."""
    lead = f"{notice}\n\n"
    moved = tuple(
        replace(statement, start=statement.start + len(lead), end=statement.end + len(lead))
        for statement in verbatim.statements
    )
    return replace(verbatim, text=lead + verbatim.text, statements=moved)


def borne_out(statements: Sequence[Statement]) -> Certainty:
    """How certain a model's answer is: sure if its sources support every statement."""
    claims = [statement.status for statement in statements if statement.status != "no claim"]
    return "sure" if claims and all(status == "supported" for status in claims) else "unsure"


def says_what_was_asked(job: Job, statements: Sequence[Statement], citations: Sequence[Citation]) -> bool:
    """Whether a sentence that is borne out cites words that say what was asked, and not merely itself."""
    quoted = {citation.number: citation for citation in citations}
    return any(
        _is_asked_for(job, quoted[number], statement)
        for statement in statements
        for number in statement.citations
    )


def _is_asked_for(job: Job, cited: Citation, statement: Statement) -> bool:
    """Whether a cited place covers the question.

    Where the search is sure enough, also whether it is among the nearest, or was found by a further step;
    where it is not, a sentence must be supported, or weak because its source is in another language.
    """
    if statement.status not in ("supported", "weak"):
        return False
    found = {n: candidate for n, candidate in enumerate(job.found) if candidate.is_in(cited)}
    if job.certainty != "none" and min(found, default=0) < AMONG_THE_NEAREST:
        return True
    enough = statement.status == "supported" or job.certainty != "none"
    return any(
        (enough or job.asked.language != (candidate.article.language or "de"))
        and covers(job.ranking, candidate)
        for candidate in found.values()
    )


def named_copies(citations: Sequence[Citation], copies: Sequence[Article]) -> tuple[Citation, ...]:
    """The citations, each with the other articles that have the same words."""
    texts = {article.id: " ".join(article.text.split()) for article in copies}
    return tuple(
        replace(c, also_in=tuple(id for id, text in texts.items() if " ".join(c.quote.split()) in text))
        for c in citations
    )


def besides(further: Sequence[Citation], cited: Sequence[Citation]) -> tuple[Citation, ...]:
    """The places that are not cited yet."""
    return tuple(
        place
        for place in further
        if not any(
            c.article_id == place.article_id and c.start < place.end and place.start < c.end for c in cited
        )
    )


def summed(*counts: Mapping[str, float]) -> dict[str, float]:
    """Tokens, costs or seconds by name, added up."""
    names = dict.fromkeys(name for each in counts for name in each)
    return {name: sum(each.get(name, 0) for each in counts) for name in names}


def one_of(message: str, answers: Sequence[Answer], left: str | None = None) -> Answer:
    """One answer made of several, in order, with citations numbered consecutively.

    It is declined only if all of them are, and unsure if they are not equally certain. `left` says that
    further questions were not answered.
    """
    text, moved, cited = "", list[Answer](), 0
    for answer in answers:
        text += ("\n\n" if text else "") + f"{answer.question}\n\n"
        moved.append(_moved(answer, cited, len(text)))
        text += moved[-1].text
        cited += len(answer.citations)
    if left:
        text += f"\n\n{left}"

    def of_all(name: str) -> tuple[Any, ...]:
        return tuple(each for answer in moved for each in getattr(answer, name))

    answered = [answer for answer in answers if not answer.abstained]
    passages: dict[str, Passage] = {each.chunk.id: each for answer in answers for each in answer.passages}
    return replace(
        (answered or answers)[0],
        question=message,
        standalone_question=" ".join(answer.standalone_question for answer in answers),
        text=text,
        statements=of_all("statements"),
        citations=of_all("citations"),
        passages=tuple(passages.values()),
        certainty=answers[0].certainty if len({answer.certainty for answer in answers}) == 1 else "unsure",
        confidence=min(answer.confidence for answer in answered or answers),
        further=tuple(replace(each, number=n) for n, each in enumerate(of_all("further"), cited + 1)),
        dropped=of_all("dropped"),
        withheld=of_all("withheld"),
        contradictions=of_all("contradictions"),
        by_words=any(answer.by_words for answer in answers),
        model=next((answer.model for answer in answers if answer.model), None),
        usage=summed(*(answer.usage for answer in answers)),
        timings=summed(*(answer.timings for answer in answers)),
    )


def _moved(answer: Answer, by: int, at: int) -> Answer:
    """The answer with its text moved to `at`, and the numbers of its citations raised by `by`."""
    text, end, statements = "", 0, list[Statement]()
    for statement in sorted(answer.statements, key=lambda each: each.start):
        text += answer.text[end : statement.start]
        said = _renumbered(answer.text[statement.start : statement.end], statement.citations, by)
        numbers = tuple(number + by for number in statement.citations)
        start = at + len(text)
        statements.append(replace(statement, citations=numbers, start=start, end=start + len(said)))
        text, end = text + said, statement.end
    return replace(
        answer,
        text=text + answer.text[end:],
        statements=tuple(statements),
        citations=tuple(replace(each, number=each.number + by) for each in answer.citations),
        contradictions=tuple(
            replace(each, citations=tuple(number + by for number in each.citations))
            for each in answer.contradictions
        ),
    )


def _renumbered(said: str, numbers: Sequence[int], by: int) -> str:
    """The sentence with its `[n]` renumbered; other brackets belong to the quotation."""

    def marker(found: re.Match[str]) -> str:
        meant = all(int(number) in numbers for number in _NUMBER.findall(found.group()))
        return _NUMBER.sub(lambda n: str(int(n.group()) + by), found.group()) if meant else found.group()

    return _MARKER.sub(marker, said)
