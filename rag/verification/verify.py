"""Turns the sentences of a draft into statements: each is compared with the words that it points at."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from rag.schema import Citation, Passage, Span, Statement, Status, cite
from rag.verification.facts import fold_quote
from rag.verification.reply import Marker, Pointer, Sentence
from rag.verification.reply import at_the_end as bare_marker
from rag.verification.support import Alike, Claim, Idf, Source, Support, support, together

MARGIN = 0.15
"""Coverage by which another passage must exceed the cited one to be cited instead."""
SAYS_IT = 0.8
"""Coverage from which a passage, if it is the only one, is cited for a sentence without a citation."""
_RANK = {"no claim": 0, "unsupported": 1, "weak": 2, "supported": 3}
_NO_CLAIM_WORDS = 1
_INTRODUCES = re.compile(r"[:?]\W*$")
_END = re.compile(r"[.!?…]+$")
_SPACE_BEFORE_END = re.compile(r"\s+(?=[.,;:!?]|$)")


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked sentence: the statement, and the text to show with its citations. `differs` says that a
    number, date or quotation is not in the cited words, which no judge may overrule."""

    statement: Statement
    shown: str
    differs: bool = False


class Verifier:
    """Checks the sentences of one answer in order, and numbers their citations."""

    def __init__(self, passages: Sequence[Passage], idf: Idf, alike: Alike | None = None) -> None:
        self._passages = passages
        self._sources = [Source(passage.article, passage.chunk) for passage in passages]
        self._idf, self._alike = idf, alike
        self._numbers: dict[tuple[str, Span], int] = {}
        self.citations: list[Citation] = []
        self.dropped: list[str] = []

    def anew(self, further: Sequence[Passage]) -> Verifier:
        """One that has checked nothing yet, of the same passages and further ones behind them."""
        return Verifier((*self._passages, *further), self._idf, self._alike)

    def check(self, sentence: Sentence) -> Checked:
        """The sentence as a statement; adds to `citations`, and its wrong pointers to `dropped`."""
        claim = Claim(sentence.text, self._idf, self._alike)
        if not sentence.markers:
            return self._uncited(claim, sentence)
        return self._cited(claim, sentence, self._places(claim, sentence))

    def by_a_later(self, marker: Marker, sentence: Sentence) -> Checked | None:
        """A sentence without citations, checked by a later marker in its paragraph; None if that does not
        support it."""
        claim, pointing = Claim(sentence.text, self._idf, self._alike), _pointing(sentence, marker)
        found = self._places(claim, pointing)
        places = {n: support for n, support in found.items() if support.status == "supported"}
        return self._cited(claim, pointing, places, mended=True) if places else None

    def may_be_head(self, text: str) -> bool:
        """Whether a line that begins so may become what the prompt says of a passage's origin: small models
        copy that, and alter it."""
        first, more, _ = text.partition("·")
        begun = fold_quote(first)
        articles = (passage.article for passage in self._passages)
        named = (part for each in articles for part in (each.outlet, each.author, each.title) if part)
        return any(part == begun if more else part.startswith(begun) for part in map(fold_quote, named))

    def _cited(
        self, claim: Claim, sentence: Sentence, places: dict[int, Support], *, mended: bool = False
    ) -> Checked:
        """The sentence as a statement by what the passages, by their numbers, say to it."""
        status, instead = self._judged(claim, places)
        places = instead or places
        numbers = {n: self._number(n, found, status, len(places)) for n, found in places.items()}
        # a marker before the words goes behind them: passages have them before, as small models copy
        end = len(_END.sub("", sentence.text))
        markers = sorted(((at or end, marker) for at, marker in sentence.markers), key=itemgetter(0))
        targets = [
            (at, [numbers[p.passage] for p in marker.pointers if p.passage in numbers])
            for at, marker in markers
        ]
        if instead:
            targets = [(markers[-1][0], list(numbers.values()))]
        text, cited = _SPACE_BEFORE_END.sub("", sentence.text), tuple(dict.fromkeys(numbers.values()))
        statement = Statement(text, cited, status, repaired=mended or bool(instead))
        differs = all(found.lacks for found in places.values())
        return Checked(statement, _with_numbers(sentence.text, targets), differs)

    def _uncited(self, claim: Claim, sentence: Sentence) -> Checked:
        says_something = len(claim.concepts) > _NO_CLAIM_WORDS or claim.facts.numbers or claim.facts.days
        if not says_something or _INTRODUCES.search(sentence.text):
            return Checked(Statement(sentence.text, (), "no claim"), sentence.text)
        if (at_the_end := bare_marker(sentence.text)) is not None:  # just a figure, if no passage supports it
            text, marker = at_the_end
            if pointed := self.by_a_later(marker, replace(sentence, text=text)):
                return pointed
        says = self._supporting(claim, SAYS_IT)
        if len(says) != 1:
            return Checked(Statement(sentence.text, (), "unsupported"), sentence.text)
        marker = Marker("", (Pointer(*says),))
        return self._cited(claim, _pointing(sentence, marker), says, mended=True)

    def _supporting(self, claim: Claim, least: float, besides: Container[int] = ()) -> dict[int, Support]:
        """The passages, by their numbers, that support a claim with at least this coverage."""
        found = {n: support(claim, each) for n, each in enumerate(self._sources, 1) if n not in besides}
        return {n: each for n, each in found.items() if each.status == "supported" and each.score >= least}

    def _places(self, claim: Claim, sentence: Sentence) -> dict[int, Support]:
        """What each passage that the sentence points at says to it, by the passage's number from 1."""
        places: dict[int, Support] = {}
        for _, marker in sentence.markers:
            if not marker.pointers:
                self.dropped.append(f"{marker.written}: no range of at most five passages")
            for pointer in marker.pointers:
                if not 1 <= pointer.passage <= len(self._sources):
                    self.dropped.append(f"{pointer}: there are only passages 1 to {len(self._sources)}")
                elif pointer.passage not in places:
                    aim = None if pointer.sentence is None else pointer.sentence - 1
                    places[pointer.passage] = support(claim, self._sources[pointer.passage - 1], aim)
        return places

    def _judged(self, claim: Claim, places: dict[int, Support]) -> tuple[Status, dict[int, Support]]:
        """The status by the cited passages, and the passage to cite instead, if any."""
        found = list(places.values())
        best = max(found, key=lambda each: (_RANK[each.status], each.score), default=None)
        status: Status = best.status if best else "unsupported"
        if len(found) > 1 and status != "supported":
            sources = [self._sources[passage - 1] for passage in places]
            status = max(status, together(claim, sources, found), key=_RANK.__getitem__)
        if status == "supported":
            return status, {}
        others = self._supporting(claim, (best.score if best else 0.0) + MARGIN, places)
        return ("supported", others) if len(others) == 1 else (status, {})

    def _number(self, passage: int, found: Support, status: Status, count: int) -> int:
        article = self._passages[passage - 1].article
        key = (article.id, found.span)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            own = status if count == 1 else found.status
            self.citations.append(cite(article, found.span, self._numbers[key], own))
        return self._numbers[key]


def _pointing(sentence: Sentence, marker: Marker) -> Sentence:
    """The sentence with an added marker before its full stop."""
    return replace(sentence, markers=((len(_END.sub("", sentence.text)), marker),))


def _with_numbers(sentence: str, targets: Sequence[tuple[int, Sequence[int]]]) -> str:
    """The sentence with `[n]` at its targets, one space before each."""
    if not targets:
        return sentence
    end = targets[0][0]
    text = sentence[:end].rstrip()
    for at, numbers in targets:
        text += _SPACE_BEFORE_END.sub("", sentence[end:at].rstrip())
        end = at
        for number in dict.fromkeys(numbers):
            if not text.endswith(f"[{number}]"):
                text += f" [{number}]"
    return text + _SPACE_BEFORE_END.sub("", sentence[end:])
