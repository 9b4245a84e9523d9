"""Follows an answer while a model writes it: text to show at once, and the status of each sentence."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from rag.answering.generate import SENTINEL_LENGTH, begins_with_sentinel, declines, is_sentinel, judge
from rag.answering.steps import Found
from rag.answering.work import summed
from rag.models.chat import ChatModel, Deadline, End, Said, Usage
from rag.models.dialect import Restarted
from rag.schema import Statement
from rag.verification.facts import fold_quote
from rag.verification.reply import Draft, Piece, Sentence, parse, plain
from rag.verification.verify import Checked, Verifier

CUT_OFF = "cut off by the limit of the reply"
LOOPED = "the model repeated itself, and was stopped"
REPEATED = 3
"""Repetitions of a sentence after which a model counts as caught in a loop."""
UNSUPPORTED_IN_A_ROW = 5
LONGEST_SENTENCE = 1500
"""Characters without the end of a sentence after which the reply is cut off."""
_UNCERTAIN_END = re.compile(r"\s*\([\d.,;\s]*\)?\W*$")


class Writing:
    """One answer being written. After `run`, `text` is the answer, its statements verified. `citations` are
    those of the statements, by number; `dropped` those that point nowhere, with the reason."""

    def __init__(self, verifier: Verifier) -> None:
        self.withheld: list[str] = []
        self.usage: Usage = {}
        self.text = self._ended = ""
        self._begin(verifier)

    def _begin(self, verifier: Verifier) -> None:
        self._verifier, self._draft, self._shown = verifier, Draft(), 0
        self.citations, self.dropped = verifier.citations, verifier.dropped
        self._restarted: Restarted | None = None
        self._looped = self.declined = False
        self._closed: list[tuple[Sentence, Checked]] = []
        self._said = Counter[str]()
        self._wrong_in_a_row = 0

    def run(self, pieces: Iterator[Said]) -> Iterator[str | Restarted]:
        """Pieces of text to show; a citation appears when its sentence is complete. After an event that is
        not text, the text starts again from the beginning."""
        yield from self._read(pieces)
        while (restarted := self._restarted) is not None:
            self._begin(self._verifier.anew(restarted.passages if isinstance(restarted, Found) else ()))
            yield restarted
            yield from self._read(pieces)
        self._finish()

    def _read(self, pieces: Iterator[Said]) -> Iterator[str]:
        for piece in parse(plain(self._texts(pieces))):
            yield from self._take(piece)
            if self._looped:
                self.withheld.append(LOOPED)
                return
        rest = list(self._draft.finish())
        if self._ended == "length" and rest and self._closed:
            self.withheld.append(f"{rest.pop().text}: {CUT_OFF}")
        for sentence in rest:
            yield from self._close(sentence)

    def _finish(self) -> None:
        """Completes the answer; one that only says that there is no answer is declined."""
        self.text, self.statements = "", list[Statement]()
        for sentence, checked in self._closed:
            lead = sentence.lead if self.text else ""
            start = len(self.text) + len(lead)
            self.text += lead + checked.shown
            self.statements.append(replace(checked.statement, start=start, end=len(self.text)))
        says_so = any(declines(statement.text) for statement in self.statements)
        claims = any(statement.status != "no claim" for statement in self.statements)
        self.declined = self.declined or (says_so and not claims) or not (self.text or self.withheld)

    def be_judged(self, model: ChatModel, deadline: Deadline) -> None:
        """Lets the model judge the weak statements."""
        quotes = {citation.number: citation.quote for citation in self.citations}
        for i, (statement, (_, checked)) in enumerate(zip(self.statements, self._closed, strict=True)):
            if statement.status != "weak" or not statement.citations or checked.differs:
                continue
            passage = "\n".join(quotes[number] for number in statement.citations)
            verdict = judge(model, statement.text, passage, deadline)
            if verdict is not None:
                self.statements[i] = replace(statement, status="supported" if verdict[0] else "unsupported")
                self.usage = summed(self.usage, verdict[1])

    def _texts(self, pieces: Iterator[Said]) -> Iterator[str]:
        held: str | None = ""  # the beginning, until it is clear whether that is the sentinel
        for piece in pieces:
            match piece:
                case Restarted():
                    self._restarted = piece
                    return
                case End():
                    self._ended, self.usage = piece.reason, piece.usage
                    self.declined = self.declined or is_sentinel(held or "")
                    if held and not self.declined:
                        yield held
                case str():
                    if held is not None:
                        held += piece
                        if len(held) < SENTINEL_LENGTH:
                            continue
                        self.declined = begins_with_sentinel(held)
                        piece, held = held, None
                    if not self.declined:
                        yield piece

    def _take(self, piece: Piece) -> Iterator[str]:
        for sentence in self._draft.add(piece):
            yield from self._close(sentence)
        showable = _UNCERTAIN_END.sub("", self._draft.showable)
        if not self._closed:
            showable = showable.lstrip()  # as the lead of the first sentence is left out
        if not self._shown and self._verifier.may_be_head(showable):
            return
        self._looped = self._looped or len(showable) > LONGEST_SENTENCE
        if len(showable) > self._shown and not self._looped and not is_sentinel(showable):
            yield showable[self._shown :]
            self._shown = len(showable)

    def _close(self, sentence: Sentence) -> Iterator[str]:
        """Checks a complete sentence; returns the part that is not yet shown."""
        shown, self._shown = self._shown, 0
        folded = fold_quote(sentence.text)
        self._said[folded] += 1
        if is_sentinel(sentence.text) or self._looped or (self._said[folded] > 1 and len(folded.split()) > 2):
            self._looped = self._looped or self._said[folded] >= REPEATED
            return
        if not sentence.markers and "·" in sentence.text and self._verifier.may_be_head(sentence.text):
            self.withheld.append(sentence.text)
            return
        checked = self._verifier.check(sentence)
        if not sentence.markers and declines(sentence.text):
            checked = replace(checked, statement=replace(checked.statement, status="no claim"))
        wrong = checked.statement.status == "unsupported"
        self._wrong_in_a_row = self._wrong_in_a_row + 1 if wrong else 0
        self._looped = self._wrong_in_a_row > UNSUPPORTED_IN_A_ROW
        lead = sentence.lead if self._closed else ""
        self._closed.append((sentence, checked))
        self._point_back(sentence)
        if remainder := (lead + checked.shown)[shown:]:
            yield remainder

    def _point_back(self, last: Sentence) -> None:
        """Applies a paragraph's last marker to its sentences without one, where the passage says them."""
        if not last.markers or "\n" in last.lead:
            return
        for i in range(len(self._closed) - 2, -1, -1):
            sentence, checked = self._closed[i]
            if sentence.markers:
                return
            if checked.statement.status == "unsupported":
                better = self._verifier.by_a_later(last.markers[-1][1], sentence)
                self._closed[i] = (sentence, better or checked)
            if "\n" in sentence.lead:
                return
