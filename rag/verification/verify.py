"""Sentences of a draft become statements: where they point is looked up, and what stands there compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rag.schema import Citation, Passage, Span, Statement, Status, cite
from rag.verification.facts import fold_quote
from rag.verification.markers import Marker, Pointer
from rag.verification.markers import at_the_end as bare_marker
from rag.verification.reply import Sentence
from rag.verification.support import Alike, Claim, Idf, Source, Support, support, together

MARGIN = 0.15
"""What another passage must say more than the cited one, to be cited instead."""
SAYS_IT = 0.8
"""Coverage from which a passage is cited for a sentence without a citation, if it is the only one."""
_RANK = {"no claim": 0, "unsupported": 1, "weak": 2, "supported": 3}
_NO_CLAIM_WORDS = 1
_INTRODUCES = re.compile(r"[:?]\W*$")
_END = re.compile(r"[.!?…]+$")
_SPACE_BEFORE_END = re.compile(r"\s+(?=[.,;:!?]|$)")


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence, checked: the statement, and the text to show, with its citations.

    `differs` when a number, date or quotation is not in the cited words, which no judge overrules.
    """

    statement: Statement
    shown: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A passage's number (from 1) and what it says to the claim."""

    passage: int
    found: Support


class Verifier:
    """Checks the sentences of one answer in order, and numbers their citations as they appear."""

    def __init__(self, passages: Sequence[Passage], idf: Idf, alike: Alike | None = None) -> None:
        self._passages = passages
        self._sources = [Source(passage.article, passage.chunk) for passage in passages]
        self._idf, self._alike = idf, alike
        self._numbers: dict[tuple[str, Span], int] = {}
        self.citations: list[Citation] = []
        self.dropped: list[str] = []

    def anew(self) -> Verifier:
        """One of the same passages that has checked nothing yet."""
        return Verifier(self._passages, self._idf, self._alike)

    def with_more(self, passages: Sequence[Passage]) -> Verifier:
        """The same with passages behind those that there are."""
        return Verifier((*self._passages, *passages), self._idf, self._alike)

    def check(self, sentence: Sentence) -> Checked:
        """The sentence as a statement; its citations join `citations`, its bad pointers `dropped`."""
        claim = Claim(sentence.text, self._idf, self._alike)
        if not sentence.markers:
            return self._uncited(claim, sentence)
        return self._cited(claim, sentence, self._places(claim, sentence))

    def by_a_later(self, marker: Marker, sentence: Sentence) -> Checked | None:
        """A sentence without citations, by a marker further on in its paragraph; None unless it says it."""
        claim, pointing = Claim(sentence.text, self._idf, self._alike), _pointing(sentence, marker)
        places = {
            n: place
            for n, place in self._places(claim, pointing).items()
            if place.found.status == "supported"
        }
        return self._cited(claim, pointing, places, mended=True) if places else None

    def is_copied_head(self, sentence: Sentence) -> bool:
        """Whether a line without citations is what the prompt says of a passage's origin."""
        parts = [fold_quote(part) for part in sentence.text.split("·")]
        return not sentence.markers and len(parts) > 1 and any(head.issuperset(parts) for head in self._heads)

    @cached_property
    def _heads(self) -> list[set[str]]:
        articles = (passage.article for passage in self._passages)
        return [
            {
                fold_quote(str(part))
                for part in (each.outlet, each.author, each.published, each.genre, each.title)
            }
            for each in articles
        ]

    def _cited(
        self, claim: Claim, sentence: Sentence, places: dict[int, _Place], *, mended: bool = False
    ) -> Checked:
        status, repaired = self._judged(claim, places)
        if repaired is not None:
            places = {repaired.passage: repaired}
        numbers = {passage: self._number(place, status, len(places)) for passage, place in places.items()}
        shown = _with_numbers(sentence, numbers, self._targets(sentence, places, repaired))
        statement = Statement(
            _SPACE_BEFORE_END.sub("", sentence.text),
            tuple(dict.fromkeys(numbers.values())),
            status,
            repaired=mended or repaired is not None,
        )
        return Checked(statement, shown, all(place.found.lacks for place in places.values()))

    def _uncited(self, claim: Claim, sentence: Sentence) -> Checked:
        is_claim = (
            len(claim.concepts) > _NO_CLAIM_WORDS or claim.facts.numbers or claim.facts.days
        ) and not _INTRODUCES.search(sentence.text)
        if not is_claim:
            return Checked(Statement(sentence.text, (), "no claim"), sentence.text)
        if (at_the_end := bare_marker(sentence.text)) is not None:  # a figure, where no passage says so
            text, marker = at_the_end
            pointed = self.by_a_later(marker, replace(sentence, text=text))
            if pointed is not None:
                return pointed
        says = [
            _Place(n, found)
            for n, source in enumerate(self._sources, 1)
            if (found := support(claim, source)).status == "supported" and found.score >= SAYS_IT
        ]
        if len(says) != 1:
            return Checked(Statement(sentence.text, (), "unsupported"), sentence.text)
        marker = Marker("", (Pointer(says[0].passage),))
        return self._cited(claim, _pointing(sentence, marker), {says[0].passage: says[0]}, mended=True)

    def _places(self, claim: Claim, sentence: Sentence) -> dict[int, _Place]:
        """What each passage that the sentence points at says to it."""
        places: dict[int, _Place] = {}
        for pointer in self._pointers(sentence):
            aim = None if pointer.sentence is None else pointer.sentence - 1
            found = support(claim, self._sources[pointer.passage - 1], aim)
            places.setdefault(pointer.passage, _Place(pointer.passage, found))
        return places

    def _pointers(self, sentence: Sentence) -> Iterator[Pointer]:
        for _, marker in sentence.markers:
            if not marker.pointers:
                self.dropped.append(f"{marker.written}: no range of at most five passages")
            for pointer in marker.pointers:
                if 1 <= pointer.passage <= len(self._sources):
                    yield pointer
                else:
                    self.dropped.append(f"{pointer}: there are only passages 1 to {len(self._sources)}")

    def _judged(self, claim: Claim, places: dict[int, _Place]) -> tuple[Status, _Place | None]:
        """The status by the cited passages, and the one that is cited instead, if any."""
        found = [place.found for place in places.values()]
        best = max(found, key=lambda each: (_RANK[each.status], each.score), default=None)
        status: Status = best.status if best else "unsupported"
        if len(found) > 1 and status != "supported":
            sources = [self._sources[passage - 1] for passage in places]
            status = max(status, together(claim, sources, found), key=_RANK.__getitem__)
        if status == "supported":
            return status, None
        least = (best.score if best else 0.0) + MARGIN
        others = [
            _Place(n, other)
            for n, source in enumerate(self._sources, 1)
            if n not in places
            and (other := support(claim, source)).status == "supported"
            and other.score >= least
        ]
        return ("supported", others[0]) if len(others) == 1 else (status, None)

    def _number(self, place: _Place, status: Status, count: int) -> int:
        passage = self._passages[place.passage - 1]
        key = (passage.article.id, place.found.span)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            own = status if count == 1 else place.found.status
            self.citations.append(cite(passage.article, place.found.span, self._numbers[key], own))
        return self._numbers[key]

    def _targets(
        self, sentence: Sentence, places: dict[int, _Place], repaired: _Place | None
    ) -> list[tuple[int, list[int]]]:
        """Offsets in the sentence with the passages that are cited there."""
        if repaired is not None:
            return [(sentence.markers[-1][0], [repaired.passage])]
        return [
            (at, list(dict.fromkeys(p.passage for p in marker.pointers if p.passage in places)))
            for at, marker in sentence.markers
        ]


def _pointing(sentence: Sentence, marker: Marker) -> Sentence:
    """The sentence with a marker before its full stop."""
    return replace(sentence, markers=((len(_END.sub("", sentence.text)), marker),))


def _with_numbers(
    sentence: Sentence, numbers: dict[int, int], targets: Sequence[tuple[int, Sequence[int]]]
) -> str:
    """The sentence with `[n]` at its targets, one space before each."""
    if not targets:
        return sentence.text
    end = targets[0][0]
    text = sentence.text[:end].rstrip()
    for at, passages in targets:
        between = sentence.text[end:at].rstrip()
        text += _SPACE_BEFORE_END.sub("", between)
        end = at
        for number in dict.fromkeys(numbers[passage] for passage in passages):
            if not text.endswith(f"[{number}]"):
                text += f" [{number}]"
    return text + _SPACE_BEFORE_END.sub("", sentence.text[end:])
