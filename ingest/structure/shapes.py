"""What lines of German news copy look like: bylines, titles, credits, agencies and outlets."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from ingest.readers.document import date_of, parse_genre
from rag.schema import Aside, AsideKind, Genre, Span
from rag.text.figures import FULL_DATE
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
    holes: list[list[int]] = []
    for start, end in sorted(taken):
        if holes and start <= holes[-1][1]:
            holes[-1][1] = max(holes[-1][1], end)
        else:
            holes.append([start, end])
    starts, ends = zip(*holes, strict=True) if holes else ((), ())
    pieces: list[Span] = []
    for start, end in blocks:
        edges = [start, *chain(*holes[bisect_right(ends, start) : bisect_left(starts, end)]), end]
        pieces += zip(edges[::2], edges[1::2], strict=True)
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


# --- bylines and titles

_WEEKDAY = (
    r"(?:Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag|Mo|Di|Mi|Do|Fr|Sa|So)\.?,?\s+"
)
TIME = (
    r"(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?"
    r"|[\s,;|–-]*(?:um\s+)?\d{1,2}(?:[:.]\d\d){1,2}(?:\s*(?:Uhr|h|MESZ|MEZ|CES?T|UTC|GMT)\b)*"
    r"|[\s,]*\d{1,2}\s+Uhr)"
)
_LABEL = (
    r"(?P<label>Stand|Aktualisiert|Zuletzt aktualisiert|Update[dt]?|Veröffentlicht|Erschienen|Publiziert"
    r"|Datum|Date|Published)(?:\s+(?:am|on))?\s*:?\s*"
)
_STAMP = re.compile(
    rf"(?i:(?:{_LABEL})?(?:(?:am|vom)\s+)?(?:{_WEEKDAY}(?:(?:den|dem)\s+)?)?){FULL_DATE.pattern}(?i:{TIME})?"
)
_IS_UPDATE = re.compile(r"stand|aktualisiert|zuletzt|updat", re.IGNORECASE)
_CAPITAL = r"[A-ZÄÖÜ][\w’'.-]*"
PLACE = rf"{_CAPITAL}(?:[ /](?:{_CAPITAL}|am|an|der|de|di|im|bei|ob|of)){{0,4}}"
_NAME_WORD = r"(?:(?:Dr|Prof)\.|[A-ZÄÖÜ][^\W\d_]*(?:[’'.-][^\W\d_]+)*\.?)"
_PARTICLE = r"(?:van|von|de|der|den|di|da|del|dos|du|la|le|zu|zur|al|el|bin|ten)"
NAME = rf"{_NAME_WORD}(?:\s+(?:{_PARTICLE}\s+)*{_NAME_WORD}){{1,3}}"
_PERSON = re.compile(rf"(?P<name>{NAME})(?:\s+(?:aus|in)\s+{PLACE})?")
_SIGNATURE_PARTS = re.compile(r"\s*[,;|·•/]\s*|\s+[-–—]\s+|\s+(?:und|and|sowie|&)\s+")
_BY = re.compile(
    r"(?:(?:Ein(?:e)?\s+)?(?P<rubric>Kommentar|Gastkommentar|Gastbeitrag|Meinung|Kolumne|Leitartikel|Glosse|Essay"
    r"|Analyse|Bericht|Reportage|Interview)(?:\s*:\s*|\s+)(?:von|by)\s+|(?:Von|By|VON|Text|Autor(?:in)?|Author)\s*:?\s+)"
)
_LONGEST_BYLINE = 140
_LONGEST_TITLE = 180
# of somebody's life, not of a text
_OF_A_LIFE = re.compile(r"[*†✝]|\b(?:geb|gest|born|died|geboren|gestorben|verstorben)\b", re.IGNORECASE)


def lists_days(lines: Iterable[str]) -> bool:
    """Whether lines with days of their own are a list: of events, of what happened, of births and deaths."""
    short = (line for line in lines if len(line) <= _LONGEST_BYLINE and not ends_sentence(line.rstrip(" .:")))
    stamps = (_STAMP.search(line) for line in short)
    return len({date_of(stamp) for stamp in stamps if stamp and not stamp["label"]} - {None}) > 1


def is_signed(line: str, facts: Mapping[str, Any]) -> bool:
    """Whether a line says by itself that it is a byline: "Von …", "Stand: …", an outlet before its date."""
    stamp = _STAMP.search(line)
    outlet = facts.keys() & {"outlet", "agency"} and not FULL_DATE.match(line)
    return bool(_BY.match(line) or outlet or (stamp and stamp["label"]))


def finding_of(start: int, end: int, facts: dict[str, Any]) -> Finding:
    dated_only = facts.keys() <= {"published", "updated"}
    return Finding(start, end, "dateline" if facts and dated_only else "byline", **facts)


def source_of_codes(codes: str) -> dict[str, Any]:
    """Outlet and agency that a dateline's codes name: "dpa/taz"; empty when it names none."""
    words = re.split(r"[/,\s+]+", codes.strip().lower())
    outlet = next((OUTLETS[word] for word in words if word in OUTLETS), None)
    agency = next((AGENCIES[name] for w in words for name in (w, w.split("-")[0]) if name in AGENCIES), None)
    return {key: value for key, value in (("outlet", outlet), ("agency", agency)) if value}


def byline_of(line: str) -> dict[str, Any] | None:
    """The metadata in a line that has nothing but author, date and outlet; None for other lines.

    {"author": "Anna Muster", "published": date(2025, 8, 15)}
    """
    if len(line) > _LONGEST_BYLINE or "\n" in line or _OF_A_LIFE.search(line):
        return None
    facts: dict[str, Any] = {}
    for stamp in _STAMP.finditer(line):
        day = date_of(stamp)
        if not stamp["label"] and facts.get("published", day) != day:
            return None  # from one day to another
        name = "updated" if stamp["label"] and _IS_UPDATE.search(stamp["label"]) else "published"
        facts.setdefault(name, day)
    rest = _STAMP.sub(" | ", line).strip(" |,;·•–—-./()\t\u00a0")
    lead = _BY.match(rest)
    if lead:
        rest = rest[lead.end() :]
        facts["genre"] = parse_genre(lead["rubric"] or "")
    elif not facts or not any(facts.values()):
        return None
    if not rest:
        return None if lead else facts
    who = signature(rest)
    if who is None or (lead and "author" not in who):
        return None
    if not lead and not who.keys() & {"outlet", "agency"} and re.search(r"\d", rest):
        return None  # a line of a table, or an address
    return {**facts, **who}


def signature(line: str) -> dict[str, str] | None:
    """Author, outlet and agency of a line without its date; None for running text.

    Lone words that are none of these (a place, a section, an editor's shorthand) state nothing.
    """
    if sum(_person_in(piece.strip(" .")) is not None for piece in line.split("|")) > 1:
        return None  # "Roter Teppich | Anna Muster": one of them is the title
    people: list[str] = []
    facts: dict[str, str] = {}
    for part in filter(None, (piece.strip(" .()[]") for piece in _SIGNATURE_PARTS.split(line))):
        person = _person_in(part)
        if part.lower() in AGENCIES:
            facts.setdefault("agency", AGENCIES[part.lower()])
        elif (
            word_count(part) <= 4
            and STARTS_HIGH.match(part)
            and OUTLET_WORD.search(part)
            and not PLACE_WORD.search(part)
        ):
            facts.setdefault("outlet", part)
        elif person:
            people.append(person)
        elif word_count(part) == 1 and (outlet := outlet_of_word(part)):
            facts.setdefault("outlet", outlet)
        elif word_count(part) > 1 and not NO_PERSON.match(part):
            return None
    return facts | ({"author": ", ".join(people)} if people else {})


def _person_in(part: str) -> str | None:
    """Name of "Anna Muster" or "Anna Muster aus Kiew"; None for places, sections and newspapers."""
    person = _PERSON.fullmatch(part)
    other = PLACE_BEGINNING.match(part) or any(
        words.search(part) for words in (NO_PERSON, OUTLET_WORD, PLACE_WORD)
    )
    return person["name"] if person and not other else None


def _is_entry(line: str) -> bool:
    """Whether a line says where something is on a day, or when somebody was born or died."""
    stamp = FULL_DATE.match(line) or FULL_DATE.search(line)
    if stamp is None:
        return False
    behind = stamp.start() == 0 and line[stamp.end() :].lstrip().startswith((",", ";", "|"))
    before = stamp.end() == len(line) and line[: stamp.start()].rstrip().endswith((",", ";", "|"))
    return behind or before or bool(_OF_A_LIFE.search(line))


def looks_like_title(line: str) -> bool:
    name, bar, behind = line.partition(" | ")
    if bar and byline_of(behind):
        return looks_like_title(name)
    return (
        len(line) <= _LONGEST_TITLE
        and "\n" not in line
        and word_count(line) <= 25
        and (
            (not ends_sentence(line) and line[-1] not in ",;")
            or bool(re.search(r"\w[?!][“”»\"]?$", without_marks(line)))
        )
        and not re.search(r"[.!?…]\s+[A-ZÄÖÜ].*[.!?]", line)  # two sentences
        and bool(STARTS_HIGH.match(line))
        and not LIST_ITEM.match(line)
        and not _is_entry(line)
    )
