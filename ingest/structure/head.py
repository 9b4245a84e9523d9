"""The head of an article: title, bylines and datelines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.readers.document import date_of, parse_genre
from ingest.structure.shapes import (
    AGENCIES,
    LIST_ITEM,
    NO_PERSON,
    OUTLET_WORD,
    OUTLETS,
    PLACE_BEGINNING,
    PLACE_WORD,
    STARTS_HIGH,
    Finding,
    ends_sentence,
    outlet_of_word,
    without_marks,
    word_count,
)
from rag.schema import Span
from rag.text.figures import FULL_DATE

_HEAD_BLOCKS = 8
_WEEKDAY = (
    r"(?:Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag|Mo|Di|Mi|Do|Fr|Sa|So)\.?,?\s+"
)
_TIME = (
    r"(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?"
    r"|[\s,;|–-]*(?:um\s+)?\d{1,2}(?:[:.]\d\d){1,2}(?:\s*(?:Uhr|h|MESZ|MEZ|CES?T|UTC|GMT)\b)*"
    r"|[\s,]*\d{1,2}\s+Uhr)"
)
_LABEL = (
    r"(?P<label>Stand|Aktualisiert|Zuletzt aktualisiert|Update[dt]?|Veröffentlicht|Erschienen|Publiziert"
    r"|Datum|Date|Published)(?:\s+(?:am|on))?\s*:?\s*"
)
_STAMP = re.compile(
    rf"(?i:(?:{_LABEL})?(?:(?:am|vom)\s+)?(?:{_WEEKDAY}(?:(?:den|dem)\s+)?)?){FULL_DATE.pattern}(?i:{_TIME})?"
)
_IS_UPDATE = re.compile(r"stand|aktualisiert|zuletzt|updat", re.IGNORECASE)
_DATE_MARK = re.compile(rf"(?i:date|datum)\b\s*:?\s*{FULL_DATE.pattern}(?i:{_TIME})?\s*")

_CAPITAL = r"[A-ZÄÖÜ][\w’'.-]*"
_PLACE = rf"{_CAPITAL}(?:[ /](?:{_CAPITAL}|am|an|der|de|di|im|bei|ob|of)){{0,4}}"
_DAY = rf"{FULL_DATE.pattern}|\d{{1,2}}\.\s?(?:[A-ZJFMASOND][a-zä]{{2,8}}\b\.?|\d{{1,2}}\.)"
_DATELINES = (
    # Berlin (dpa) -   MOSKAU/KIEW, 16. August (Reuters) –   (AFP)
    re.compile(rf"(?:{_PLACE}(?:,\s*(?:{_DAY}))?\s*)?\((?P<codes>[\w./, +-]{{2,40}})\)\s*[-–—:|.]+\s*(?=\S)"),
    # Washington taz |   BERLIN dpa/taz |
    re.compile(rf"{_PLACE}\s+(?P<codes>[\w/-]{{2,20}})\s*\|\s*(?=\S)"),
)
# BERLIN, 15. August.   (in capitals only: "Genf, 16. Juni 2021." is how a sentence may begin)
_CAPITAL_DATELINE = re.compile(
    rf"[A-ZÄÖÜ]{{3,}}(?:[ /-][A-ZÄÖÜ]+)*,\s*(?:{_DAY})(?:\.\s*[-–—:]?|\s*[-–—:])\s*(?=\S)"
)

_NAME_WORD = r"(?:(?:Dr|Prof)\.|[A-ZÄÖÜ][^\W\d_]*(?:[’'.-][^\W\d_]+)*\.?)"
_PARTICLE = r"(?:van|von|de|der|den|di|da|del|dos|du|la|le|zu|zur|al|el|bin|ten)"
NAME = rf"{_NAME_WORD}(?:\s+(?:{_PARTICLE}\s+)*{_NAME_WORD}){{1,3}}"
_PERSON = re.compile(rf"(?P<name>{NAME})(?:\s+(?:aus|in)\s+{_PLACE})?")
_SIGNATURE_PARTS = re.compile(r"\s*[,;|·•/]\s*|\s+[-–—]\s+|\s+(?:und|and|sowie|&)\s+")
_BY = re.compile(
    r"(?:(?:Ein(?:e)?\s+)?(?P<rubric>Kommentar|Gastkommentar|Gastbeitrag|Meinung|Kolumne|Leitartikel|Glosse|Essay"
    r"|Analyse|Bericht|Reportage|Interview)(?:\s*:\s*|\s+)(?:von|by)\s+|(?:Von|By|VON|Text|Autor(?:in)?|Author)\s*:?\s+)"
)
_LONGEST_BYLINE = 140
_LONGEST_OPENER = 12  # words: a title may be a sentence
_LONGEST_TITLE = 180
_TWO_SENTENCES = re.compile(r"\w\w[.!?…]\s+[A-ZÄÖÜ].*[.!?…]")
# of somebody's life, not of a text
_OF_A_LIFE = re.compile(r"[*†✝]|\b(?:geb|gest|born|died|geboren|gestorben|verstorben)\b", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:Nr|No|Seite|S|Ausgabe|Heft|Jg|Jahrgang|Nummer|Vol)\.?\s*\d[\d/–-]*|\d+\s*Min(?:uten?)?\b\.?", re.I
)


def head(text: str, blocks: list[Span], title: str | None) -> Iterator[Finding]:
    """Title, bylines and datelines among the first blocks."""
    rest: list[Span] = []  # neither byline nor dateline
    is_list = lists_days(text[start:end].strip() for start, end in blocks)
    has_dateline = False
    texts = 0
    for start, end in blocks[:_HEAD_BLOCKS]:
        for found in () if has_dateline else _opening(text, start, end):
            has_dateline = not _DATE_MARK.match(text, start, found.end)
            start = found.end
            yield found
        line = text[start:end].strip()
        facts = byline_of(line)
        # below a lead, and in a list, what merely might be a byline is text
        if facts and (not (texts or is_list) or (texts < 2 and is_signed(line, facts))):
            yield finding_of(start, end, facts)
        elif line:
            rest.append((start, end))
            # what comes first may be a title that is a sentence
            long = word_count(line) > (_LONGEST_OPENER if len(rest) == 1 else 4)
            if texts or (ends_sentence(line) and (long or _TWO_SENTENCES.search(line))):
                texts += 1
    if len(rest) > 1:
        yield from _titles(text, rest, title)


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


def _opening(text: str, start: int, end: int) -> Iterator[Finding]:
    """Date mark and dateline in front of a block's first sentence."""
    if mark := _DATE_MARK.match(text, start, end):
        yield Finding(start, mark.end(), "dateline", published=date_of(mark))
        start = mark.end()
    for pattern in (*_DATELINES, _CAPITAL_DATELINE):
        match = pattern.match(text, start, end)
        source = source_of_codes(match.groupdict().get("codes") or "") if match else {}
        if match and (source or pattern is _CAPITAL_DATELINE):
            stamp = FULL_DATE.search(match[0])
            published = date_of(stamp) if stamp else None
            yield Finding(start, match.end(), "dateline", published=published, **source)
            return


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
    who = _signature(rest)
    if who is None or (lead and "author" not in who):
        return None
    if not lead and not who.keys() & {"outlet", "agency"} and re.search(r"\d", _NUMBERED.sub("", rest)):
        return None  # a line of a table, or an address
    return {**facts, **who}


def _signature(line: str) -> dict[str, str] | None:
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


def _titles(text: str, blocks: list[Span], title: str | None) -> Iterator[Finding]:
    """The title, and a kicker ("Ukraine-Krieg", "Kommentar") in front of it."""
    (start, end), rest = blocks[0], blocks[1:]
    line = text[start:end]
    if title is not None and line.casefold() == title.casefold():
        yield Finding(start, end, "title")
        return
    if not looks_like_title(line) or not any(ends_sentence(text[low:high]) for low, high in rest):
        return
    genre = parse_genre(line.rstrip(":"))
    if genre or (word_count(line) <= 2 and len(rest) > 1 and looks_like_title(text[slice(*rest[0])])):
        yield Finding(start, end, "heading", genre=genre)
        if len(rest) > 1:
            yield from _titles(text, rest, title)
    elif title is not None:
        yield Finding(start, end, "heading")
    else:  # alone, or as in `Roter Teppich für Putin | Vitaly Portnikov. 15.08.2025.`
        name, bar, behind = line.partition(" | ")
        yield Finding(start, start + len(name), "title", title=name.strip())
        if bar:
            outlet = (_signature(behind) or {}).get("outlet")  # without a date a name may be anything
            facts = byline_of(behind) or ({"outlet": outlet} if outlet else {})
            yield finding_of(start + len(name) + 1, end, facts)


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
