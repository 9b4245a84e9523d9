"""Joins the answers to several questions of one message, each below its question."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.answering.work import summed
from rag.schema import Answer, Citation, Contradiction, Passage, Statement

_MARKER = re.compile(r"\[\d+(?:[,;]\s*\d+)*\]")
_NUMBER = re.compile(r"\d+")


def one_of(message: str, answers: Sequence[Answer], left: str | None = None) -> Answer:
    """One answer made of several, in order, with citations numbered consecutively.

    It is declined only if all of them are, and unsure if they are not equally certain. `left` says that
    further questions were not answered.
    """
    text, statements, citations = "", list[Statement](), list[Citation]()
    contradictions = list[Contradiction]()
    for answer in answers:
        number = len(citations)
        text += ("\n\n" if text else "") + f"{answer.question}\n\n"
        said, moved = _moved(answer, number, len(text))
        text += said
        statements += moved
        citations += [replace(each, number=each.number + number) for each in answer.citations]
        contradictions += [
            replace(each, citations=tuple(one + number for one in each.citations))
            for each in answer.contradictions
        ]
    if left:
        text += f"\n\n{left}"

    def of_all(name: str) -> Iterator[Any]:
        return (each for answer in answers for each in getattr(answer, name))

    answered = [answer for answer in answers if not answer.abstained]
    passages: dict[str, Passage] = {each.chunk.id: each for answer in answers for each in answer.passages}
    return replace(
        (answered or answers)[0],
        question=message,
        standalone_question=" ".join(answer.standalone_question for answer in answers),
        text=text,
        statements=tuple(statements),
        citations=tuple(citations),
        passages=tuple(passages.values()),
        certainty=answers[0].certainty if len({answer.certainty for answer in answers}) == 1 else "unsure",
        confidence=min(answer.confidence for answer in answered or answers),
        further=tuple(
            replace(place, number=number)
            for number, place in enumerate(of_all("further"), len(citations) + 1)
        ),
        dropped=tuple(of_all("dropped")),
        withheld=tuple(of_all("withheld")),
        contradictions=tuple(contradictions),
        by_words=any(answer.by_words for answer in answers),
        model=next((answer.model for answer in answers if answer.model), None),
        usage=summed(*(answer.usage for answer in answers)),
        timings=summed(*(answer.timings for answer in answers)),
    )


def _moved(answer: Answer, by: int, at: int) -> tuple[str, list[Statement]]:
    """An answer's text and statements moved to `at`, with citation numbers raised by `by`."""
    text, end, moved = "", 0, list[Statement]()
    for statement in sorted(answer.statements, key=lambda each: each.start):
        text += answer.text[end : statement.start]
        said = _renumbered(answer.text[statement.start : statement.end], statement.citations, by)
        numbers = tuple(number + by for number in statement.citations)
        start = at + len(text)
        moved.append(replace(statement, citations=numbers, start=start, end=start + len(said)))
        text, end = text + said, statement.end
    return text + answer.text[end:], moved


def _renumbered(said: str, numbers: Sequence[int], by: int) -> str:
    """The sentence with its `[n]` renumbered; other brackets belong to the quotation."""

    def marker(found: re.Match[str]) -> str:
        meant = all(int(number) in numbers for number in _NUMBER.findall(found.group()))
        return _NUMBER.sub(lambda n: str(int(n.group()) + by), found.group()) if meant else found.group()

    return _MARKER.sub(marker, said)
