"""What lines of German news copy look like: words, shapes, and the names of agencies and outlets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rag.schema import Aside, AsideKind, Genre, Span
from rag.text.languages import pattern, table, word_set
from rag.text.normalize import paragraphs, trimmed


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch to set aside, and its metadata. `agency` and `updated` count only if there is nothing
    better."""

    start: int
    end: int
    kind: AsideKind
    title: str | None = None
    author: str | None = None
    outlet: str | None = None
    agency: str | None = None
    published: date | None = None
    updated: date | None = None
    genre: Genre | None = None


def answerable(text: str, asides: Iterable[Aside]) -> list[Span]:
    """Spans of the paragraphs, or what is left of them, outside the asides."""
    return outside(text, paragraphs(text), [(aside.start, aside.end) for aside in asides])


def outside(text: str, blocks: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The blocks without the taken spans, trimmed; pieces without a letter or digit are dropped."""
    pieces: list[Span] = []
    holes = sorted(taken)
    first = 0
    for start, end in blocks:
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        position, index = start, first
        while index < len(holes) and holes[index][0] < end:
            pieces.append((position, holes[index][0]))
            position = max(position, holes[index][1])
            index += 1
        pieces.append((position, end))
    return [span for span in (trimmed(text, *piece) for piece in pieces) if WORD.search(text, *span)]


WORD = re.compile(r"\w")
_CLOSING = "“”\"»«’'‹›)]"
# footnote marks, an editor's or agency's code, pictures, an address
_HUNG_ON = re.compile(
    r"(?<=[.!?…:“”\"»«])(?:\s*(?:\[[\da-z, –-]{1,8}\]|[¹²³⁰⁴-⁹*†‡]|\([\w/-]{2,14}\)|https?://\S+"
    r"|[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]))+\s*$"
)
_LONGEST_TAIL = 200
LIST_ITEM = re.compile(
    r"[-–—•*·►▶▪■]|\(?\d{1,2}[.)]\s(?!Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)|[a-z]\)\s"
)
STARTS_HIGH = re.compile(r"[„“\"»«‚‹'(\[]*[A-ZÄÖÜ\d]")
QUOTED = re.compile(r"[„“\"»«\[]")

AGENCIES: dict[str, str] = {name.lower(): name for name in table("de", "news.agencies").split()} | {
    "rtr": "Reuters"
}
OUTLETS: dict[str, str] = {name.lower(): name for name in table("de", "news.outlets").split()}
STARTERS, CONNECTORS, _BUTTONS = (
    word_set(f"news.{name}") for name in ("starters", "credit_joins", "buttons")
)
PHOTO_SOURCES = word_set("news.photo_sources") | AGENCIES.keys()
OUTLET_WORD = re.compile(pattern("news.outlet_words"), re.IGNORECASE)
NO_PERSON = re.compile(rf"\b{pattern('news.no_person')}\b")
PLACE_WORD = re.compile(rf"{pattern('news.place_endings')}\b", re.IGNORECASE)
PLACE_BEGINNING = re.compile(rf"{pattern('news.place_beginnings')}\b", re.IGNORECASE)


def ends_sentence(line: str) -> bool:
    """Whether a paragraph ends like running text, apart from closing quotation marks and appended marks."""
    return without_marks(line).rstrip(_CLOSING)[-1:] in tuple(".!?…:")


def without_marks(line: str) -> str:
    """A paragraph without marks appended to its last sentence: [1], ¹, *, (rtz), an emoji, an address.

    >>> without_marks("Der Kutter sank.[2][3] (rtz) 🚢")
    'Der Kutter sank.'
    """
    cut = _HUNG_ON.search(line, max(0, len(line) - _LONGEST_TAIL))
    return line[: cut.start()] if cut else line


def word_count(text: str) -> int:
    return len(text.split())


def is_credit(line: str) -> bool:
    """Whether a line names the source of a picture: "AFP/Getty Images", "POOL/AFP über Getty Images"."""
    words = re.split(r"[\s/,()]+", line.strip(" ()[]"))
    return (
        len(words) <= 14
        and not ends_sentence(line)
        and any(word.lower() in PHOTO_SOURCES for word in words)
        and all(not word[:1].islower() or word.lower() in CONNECTORS | PHOTO_SOURCES for word in words)
    )


def outlet_of_word(word: str) -> str | None:
    """Outlet that a lone word states: lower case is how brands are printed ("observador")."""
    if re.fullmatch(r"(?:www\.)?[\w-]+\.(?:com|org|net|info|[a-z]{2})", word):
        return word.removeprefix("www.")
    if word.lower() in OUTLETS:
        return OUTLETS[word.lower()]
    # up to four letters are an editor's shorthand
    lone = re.fullmatch(r"[a-zäöüß]{5,}", word) and word not in _BUTTONS
    return word.capitalize() if lone and word not in AGENCIES else None
