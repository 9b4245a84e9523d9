"""An answer as a model writes it: what is shown at once, and what each sentence turns out to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rag.answering.generate import Declined, is_sentinel
from rag.answering.judge import judge
from rag.models.chat import ChatModel, Deadline, End, Usage
from rag.schema import Citation, Statement
from rag.verification.markers import Piece, parse
from rag.verification.reply import Draft, Sentence, plain
from rag.verification.verify import Verifier

CUT_OFF = "cut off by the limit of the reply"


class Writing:
    """One answer being written. After `run`, `text` is the answer, its statements verified."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._draft = Draft()
        self._shown = 0
        self._ended = ""
        self.withheld: list[str] = []
        self.declined = False
        self.text = ""
        self.statements: list[Statement] = []
        self._differs: list[bool] = []
        self.usage: Usage = {}

    @property
    def citations(self) -> list[Citation]:
        """What the statements cite, by number."""
        return self._verifier.citations

    @property
    def dropped(self) -> list[str]:
        """Citations that point nowhere, and why."""
        return self._verifier.dropped

    def run(self, pieces: Iterator[str | Declined | End]) -> Iterator[str]:
        """The text to show, as it comes about; citations appear as their sentence is complete."""
        for piece in parse(plain(self._texts(pieces))):
            yield from self._take(piece)
        rest = list(self._draft.finish())
        if self._ended == "length" and rest and self.statements:
            self.withheld.append(f"{rest.pop().text}: {CUT_OFF}")
        for sentence in rest:
            yield from self._close(sentence)
        self.declined = self.declined or not self.text

    def judged(self, model: ChatModel, deadline: Deadline) -> Usage:
        """Lets the model judge the weak statements; what that used."""
        usage: dict[str, float] = {}
        quotes = {citation.number: citation.quote for citation in self.citations}
        for i, statement in enumerate(self.statements):
            if statement.status != "weak" or not statement.citations or self._differs[i]:
                continue
            passage = "\n".join(quotes[number] for number in statement.citations)
            verdict = judge(model, statement.text, passage, deadline)
            if verdict is not None:
                self.statements[i] = replace(statement, status="supported" if verdict[0] else "unsupported")
                add_usage(usage, verdict[1])
        return usage

    def _texts(self, pieces: Iterator[str | Declined | End]) -> Iterator[str]:
        for piece in pieces:
            if isinstance(piece, Declined):
                self.declined = True
            elif isinstance(piece, End):
                self._ended, self.usage = piece.reason, piece.usage
            else:
                yield piece

    def _take(self, piece: Piece) -> Iterator[str]:
        for sentence in self._draft.add(piece):
            yield from self._close(sentence)
        showable = self._draft.showable
        if len(showable) > self._shown and not is_sentinel(showable):
            yield showable[self._shown :]
            self._shown = len(showable)

    def _close(self, sentence: Sentence) -> Iterator[str]:
        """Checks a complete sentence; what of it is not yet shown."""
        if is_sentinel(sentence.text):
            self._shown = 0
            return
        checked = self._verifier.check(sentence)
        lead = sentence.lead if self.text else ""
        start = len(self.text) + len(lead)
        self.text += lead + checked.shown
        self.statements.append(replace(checked.statement, start=start, end=len(self.text)))
        self._differs.append(checked.differs)
        shown, self._shown = self._shown, 0
        if remainder := (lead + checked.shown)[shown:]:
            yield remainder


def add_usage(total: dict[str, float], more: Usage) -> None:
    """Adds tokens and cost to a total."""
    for name, value in more.items():
        total[name] = total.get(name, 0.0) + value
