"""Several questions in one message, each in its own words."""

import re
from dataclasses import dataclass

from rag.text.analysis import words
from rag.text.languages import pattern

MOST_PARTS = 4
"""Most questions of one message that are answered."""
LEAST_WORDS = 3
"""Least words of each of two joined questions; „Wann und wo …?“ is one question."""

_ASKS = rf"(?:{pattern('parts.before')}\s+)?{pattern('parts.asks')}\b"
_OPENS = re.compile(_ASKS, re.IGNORECASE)
_AND = re.compile(rf"[,;]?\s+{pattern('parts.joins')}\s+(?={_ASKS})", re.IGNORECASE)
_ENDS = re.compile(r"(?<=\?)\s+|\n+")
_IS_ASKED = re.compile(r"\?\s*$")
# „In welcher Stadt (und bei welchem Fest) endet …?“, „Wer kaufte es (und für wie viel)?“
_DEGREE = rf"{pattern('query.how')} {pattern('query.degree')}"
_PHRASE = re.compile(rf"(?:\w+ )?(?:{pattern('parts.phrase')} \w+(?: \w+)?|{_DEGREE})\W*", re.IGNORECASE)
# „…, dass er kommt und was er will“: a subordinate clause, with its verb at the end
_HANGING = re.compile(rf"{_ASKS} {pattern('parts.subject')} ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a message; `beside` are the others in its sentence, which share its topic."""

    asks: str
    beside: str = ""


def parts_of(message: str) -> list[Part]:
    """The questions of a message, in order.

    >>> [part.asks for part in parts_of("Wie lang ist die Brücke und wer hat sie gebaut?")]
    ['Wie lang ist die Brücke?', 'wer hat sie gebaut?']
    """
    pieces = [piece.strip() for piece in _ENDS.split(message) if piece.strip()]
    asked = [piece for piece in pieces if _IS_ASKED.search(piece)]
    if len(asked) < len(pieces):  # statements beside a single question belong to it
        return [Part(message)] if len(asked) < 2 else [Part(piece) for piece in asked]
    joined = map(_joined, pieces)
    return [Part(each, " ".join(o for o in asked if o is not each)) for asked in joined for each in asked]


def _joined(question: str) -> list[str]:
    """Splits a sentence at „und“ where both halves are questions by themselves."""
    if not _OPENS.match(question):
        return [question]
    parts = [part.strip(" ,;") for part in _AND.split(question)]
    if any(len(words(part)) < LEAST_WORDS or _PHRASE.fullmatch(part) for part in parts):
        return [question]
    if any(_HANGING.match(part) for part in parts[1:]):
        return [question]
    return [part if part.endswith("?") else f"{part}?" for part in parts]
