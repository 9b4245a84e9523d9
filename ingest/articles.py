"""Raw documents to articles: what the text states about itself is detected, and set aside.

The text is never changed, for offsets must hold against the original file. Titles, bylines,
datelines, captions, headings and footers are marked as asides: shown, but never answers. The
rules are those of German news copy; what none of them recognises stays text.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ingest.readers import DATE, Document, date_of, parse_genre
from rag.schema import Article, Aside, AsideKind, Genre, Span
from rag.text import normalise, paragraphs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from py3langid.langid import LanguageIdentifier


@dataclass(frozen=True, slots=True)
class _Finding:
    """A stretch to set aside, and what it states. `agency` and `updated` count when nothing better does."""

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


def article_from(document: Document, id: str, source: str) -> Article:
    """The article of a document: what the container states goes before what the text states."""
    text = normalise(document.text)
    findings = _findings(text, document)
    marked = [Aside(*_trimmed(text, found.start, found.end), found.kind) for found in findings]
    asides = sorted([*document.asides, *marked], key=lambda aside: aside.start)

    def stated(*names: str) -> Any:
        values = (getattr(found, name) for name in names for found in findings)
        return getattr(document, names[0]) or next(filter(None, values), None)

    title = stated("title")
    facts: dict[str, Any] = {
        "title": title,
        "outlet": stated("outlet", "agency"),
        "author": stated("author"),
        "published": stated("published", "updated"),
        "language": document.language or detect_language(text),
        "genre": stated("genre") or _genre_in_title(title) or _genre_in_note(text),
    }
    return Article(
        id=id, text=text, source=source, sha256=_digest(text, facts, asides), asides=tuple(asides), **facts
    )


def answerable(text: str, asides: Iterable[Aside]) -> list[Span]:
    """Spans of the paragraphs, or what is left of them, outside the asides."""
    return _outside(text, paragraphs(text), [(aside.start, aside.end) for aside in asides])


def _digest(text: str, facts: dict[str, Any], asides: Sequence[Aside]) -> str:
    spans = [(aside.start, aside.end, aside.kind) for aside in asides]
    # asides too: an article that is marked otherwise is chunked otherwise
    return hashlib.sha256(json.dumps([text, facts, spans], default=str).encode()).hexdigest()


def _outside(text: str, blocks: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
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
    return [span for span in (_trimmed(text, *piece) for piece in pieces) if _WORD.search(text, *span)]


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), max(start, start + len(piece.rstrip()))


# --- words and shapes ------------------------------------------------------------------------

_WORD = re.compile(r"\w")
_CLOSING = "“”\"»«’'‹›)]"
_LIST_ITEM = re.compile(
    r"[-–—•*·►▶▪■]|\(?\d{1,2}[.)]\s(?!Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)|[a-z]\)\s"
)
_STARTS_HIGH = re.compile(r"[„“\"»«‚‹'(\[]*[A-ZÄÖÜ\d]")
_QUOTED = re.compile(r"[„“\"»«\[]")

_AGENCIES = {
    "afp": "AFP", "ansa": "ANSA", "ap": "AP", "apa": "APA", "dapd": "dapd", "ddp": "ddp",
    "dpa": "dpa", "dpa-afx": "dpa-AFX", "dts": "dts", "efe": "EFE", "epd": "epd",
    "interfax": "Interfax", "kna": "KNA", "reuters": "Reuters", "rtr": "Reuters", "sda": "SDA",
    "sid": "SID", "tass": "TASS", "ukrinform": "Ukrinform", "upi": "UPI", "xinhua": "Xinhua",
}  # fmt: skip
_PHOTO_SOURCES = frozenset(
    "abaca alamy anadolu anp belga bloomberg epa getty handout imago istock keystone laif lusa ntb"
    " nurphoto picture-alliance pixabay pool ria shutterstock sipa sputnik unsplash wikimedia zuma".split()
) | frozenset(_AGENCIES)
_CONNECTORS = frozenset("über via for für by von vom und and of des der die am im auf the & + – - |".split())
# words that occur in the names of newspapers and broadcasters, not of people
_OUTLET_WORD = re.compile(
    r"zeitung|blatt|anzeiger|rundschau|nachrichten|tagesschau|magazin|kurier|presse|spiegel|standard|merkur"
    r"|\b(?:post|news|times|welt|bild|focus|stern|bote|online|zeit|guardian|journal)\b|\.\w{2,3}$",
    re.IGNORECASE,
)
# capitalised pairs of words that are places or sections, not people
_NO_PERSON = re.compile(
    r"\b(?:New|Bad|Sankt|St|San|Santa|Los|Las|Tel|Rio|Abu|Buenos|Politik|Ausland|Inland|Krieg|Gipfel|Ukraine"
    r"|Russland|USA|Wirtschaft|Kultur|Sport|Panorama|Deutschland|Europa|International|Redaktion)\b"
)
_OUTLETS = {
    "taz": "taz",
    "faz": "FAZ",
    "welt": "Welt",
    "zeit": "Zeit",
    "bild": "Bild",
    "ard": "ARD",
    "zdf": "ZDF",
}
_NO_OUTLET = frozenset(
    "teilen drucken kommentieren kommentare mehr weiterlesen ende anzeige werbung merken startseite"
    " impressum share print suche newsletter abonnieren speichern empfehlen vorlesen quelle".split()
)


def _ends_sentence(line: str) -> bool:
    """Whether a paragraph ends as running text does, closing quotation marks aside."""
    return line.rstrip(_CLOSING)[-1:] in tuple(".!?…:")


def _words(text: str) -> int:
    return len(text.split())


def _is_credit(line: str) -> bool:
    """Whether a line names the source of a picture: "AFP/Getty Images", "POOL/AFP über Getty Images"."""
    words = re.split(r"[\s/,()]+", line.strip(" ()[]"))
    return (
        len(words) <= 14
        and not _ends_sentence(line)
        and any(word.lower() in _PHOTO_SOURCES for word in words)
        and all(_may_stand_in_credit(word) for word in words)
    )


def _may_stand_in_credit(word: str) -> bool:
    return not word or not word[0].islower() or word.lower() in _CONNECTORS | _PHOTO_SOURCES


def _outlet_of_word(word: str) -> str | None:
    """Outlet that a lone word states: lower case is how brands are printed ("observador")."""
    if re.fullmatch(r"(?:www\.)?[\w-]+\.(?:com|org|net|info|[a-z]{2})", word):
        return word.removeprefix("www.")
    if word.lower() in _OUTLETS:
        return _OUTLETS[word.lower()]
    # up to four letters are an editor's shorthand
    lone = re.fullmatch(r"[a-zäöüß]{5,}", word) and word not in _NO_OUTLET
    return word.capitalize() if lone and word not in _AGENCIES else None


# --- all detectors ---------------------------------------------------------------------------


def _findings(text: str, document: Document) -> list[_Finding]:
    """What all detectors find, each looking only at what those before it left."""
    detectors: list[Callable[[str, list[Span]], Iterable[_Finding]]] = [
        functools.partial(_head, title=document.title),
        functools.partial(_tail, structured=document.structured),
        _captions,
        _notices,
        _glued_headings,
    ]
    if not document.structured:
        detectors.append(_headings)
    blocks = answerable(text, document.asides)
    found: list[_Finding] = []
    for detect in detectors:
        new = list(detect(text, blocks))
        blocks = _outside(text, blocks, [(finding.start, finding.end) for finding in new])
        found += new
    return found


# --- the head: title, byline, dateline -------------------------------------------------------

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
    rf"(?i:(?:{_LABEL})?(?:(?:am|vom)\s+)?(?:{_WEEKDAY}(?:(?:den|dem)\s+)?)?){DATE.pattern}(?i:{_TIME})?"
)
_IS_UPDATE = re.compile(r"stand|aktualisiert|zuletzt|updat", re.IGNORECASE)
_DATE_MARK = re.compile(rf"(?i:date|datum)\b\s*:?\s*{DATE.pattern}(?i:{_TIME})?\s*")

_CAPITAL = r"[A-ZÄÖÜ][\w’'.-]*"
_PLACE = rf"{_CAPITAL}(?:[ /](?:{_CAPITAL}|am|an|der|de|di|im|bei|ob|of)){{0,4}}"
_DAY = rf"{DATE.pattern}|\d{{1,2}}\.\s?(?:[A-ZJFMASOND][a-zä]{{2,8}}\b\.?|\d{{1,2}}\.)"
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
_NAME = rf"{_NAME_WORD}(?:\s+(?:{_PARTICLE}\s+)*{_NAME_WORD}){{1,3}}"
_PERSON = re.compile(rf"(?P<name>{_NAME})(?:\s+(?:aus|in)\s+{_PLACE})?")
_SIGNATURE_PARTS = re.compile(r"\s*[,;|·•/]\s*|\s+[-–—]\s+|\s+(?:und|and|sowie|&)\s+")
_BY = re.compile(
    r"(?:(?:Ein(?:e)?\s+)?(?P<rubric>Kommentar|Gastkommentar|Gastbeitrag|Meinung|Kolumne|Leitartikel|Glosse|Essay"
    r"|Analyse|Bericht|Reportage|Interview)(?:\s*:\s*|\s+)(?:von|by)\s+|(?:Von|By|VON|Text|Autor(?:in)?|Author)\s*:?\s+)"
)
_LONGEST_BYLINE = 140
_LONGEST_TITLE = 180


def _head(text: str, blocks: list[Span], title: str | None) -> Iterator[_Finding]:
    """Title, bylines and datelines among the first blocks."""
    rest: list[Span] = []  # what is neither byline nor dateline
    timeline = sum(bool(DATE.fullmatch(text[start:end].strip(" .:"))) for start, end in blocks) > 1
    has_dateline = has_text = False
    for start, end in blocks[:_HEAD_BLOCKS]:
        for found in () if has_dateline else _opening(text, start, end):
            has_dateline = not _DATE_MARK.match(text, start, found.end)
            start = found.end
            yield found
        line = text[start:end].strip()
        facts = _byline(line)
        # a bare date within the text heads what happened on that day
        if facts and not (DATE.fullmatch(line.strip(" .:")) and (has_text or timeline)):
            yield _finding(start, end, facts)
        elif line:
            rest.append((start, end))
            has_text = has_text or (_words(line) > 12 and _ends_sentence(line))
    if len(rest) > 1:
        yield from _titles(text, rest, title)


def _finding(start: int, end: int, facts: dict[str, Any]) -> _Finding:
    dated_only = facts.keys() <= {"published", "updated"}
    return _Finding(start, end, "dateline" if facts and dated_only else "byline", **facts)


def _opening(text: str, start: int, end: int) -> Iterator[_Finding]:
    """Date mark and dateline in front of a block's first sentence."""
    if mark := _DATE_MARK.match(text, start, end):
        yield _Finding(start, mark.end(), "dateline", published=date_of(mark))
        start = mark.end()
    for pattern in (*_DATELINES, _CAPITAL_DATELINE):
        match = pattern.match(text, start, end)
        source = _source_of_codes(match.groupdict().get("codes") or "") if match else {}
        if match and (source or pattern is _CAPITAL_DATELINE):
            stamp = DATE.search(match[0])
            published = date_of(stamp) if stamp else None
            yield _Finding(start, match.end(), "dateline", published=published, **source)
            return


def _source_of_codes(codes: str) -> dict[str, Any]:
    """Outlet and agency that a dateline's codes name: "dpa/taz"; empty when it names none."""
    words = re.split(r"[/,\s+]+", codes.strip().lower())
    outlet = next((_OUTLETS[word] for word in words if word in _OUTLETS), None)
    agency = next(
        (_AGENCIES[name] for w in words for name in (w, w.split("-")[0]) if name in _AGENCIES), None
    )
    return {key: value for key, value in (("outlet", outlet), ("agency", agency)) if value}


def _byline(line: str) -> dict[str, Any] | None:
    """What a line states that consists of nothing but author, date and outlet; None for any other.

    {"author": "Anna Muster", "published": date(2025, 8, 15)}
    """
    if len(line) > _LONGEST_BYLINE or "\n" in line:
        return None
    facts: dict[str, Any] = {}
    for stamp in _STAMP.finditer(line):
        name = "updated" if stamp["label"] and _IS_UPDATE.search(stamp["label"]) else "published"
        facts.setdefault(name, date_of(stamp))
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
    return {**facts, **who}


def _signature(line: str) -> dict[str, str] | None:
    """Author, outlet and agency of a line without its date; None when it is running text.

    Lone words that are none of these (a place, a section, an editor's shorthand) state nothing.
    """
    if sum(_person_in(piece.strip(" .")) is not None for piece in line.split("|")) > 1:
        return None  # "Roter Teppich | Anna Muster": one of them is the title
    people: list[str] = []
    facts: dict[str, str] = {}
    for part in filter(None, (piece.strip(" .()[]") for piece in _SIGNATURE_PARTS.split(line))):
        person = _person_in(part)
        if part.lower() in _AGENCIES:
            facts.setdefault("agency", _AGENCIES[part.lower()])
        elif _words(part) <= 4 and _STARTS_HIGH.match(part) and _OUTLET_WORD.search(part):
            facts.setdefault("outlet", part)
        elif person:
            people.append(person)
        elif _words(part) == 1 and (outlet := _outlet_of_word(part)):
            facts.setdefault("outlet", outlet)
        elif _words(part) > 1 and not _NO_PERSON.match(part):
            return None
    return facts | ({"author": ", ".join(people)} if people else {})


def _person_in(part: str) -> str | None:
    """Name of "Anna Muster" or "Anna Muster aus Kiew"; None for places, sections and newspapers."""
    person = _PERSON.fullmatch(part)
    return person["name"] if person and not (_NO_PERSON.search(part) or _OUTLET_WORD.search(part)) else None


def _titles(text: str, blocks: list[Span], title: str | None) -> Iterator[_Finding]:
    """The title, and a kicker ("Ukraine-Krieg", "Kommentar") in front of it."""
    (start, end), rest = blocks[0], blocks[1:]
    line = text[start:end]
    if title is not None and line.casefold() == title.casefold():
        yield _Finding(start, end, "title")
        return
    if not _looks_like_title(line) or not any(_ends_sentence(text[low:high]) for low, high in rest):
        return
    genre = parse_genre(line.rstrip(":"))
    if genre or (_words(line) <= 2 and len(rest) > 1 and _looks_like_title(text[slice(*rest[0])])):
        yield _Finding(start, end, "heading", genre=genre)
        if len(rest) > 1:
            yield from _titles(text, rest, title)
    elif title is not None:
        yield _Finding(start, end, "heading")
    else:
        yield from _title_line(start, line)


def _title_line(start: int, line: str) -> Iterator[_Finding]:
    """A title, alone or as in `Roter Teppich für Putin | Vitaly Portnikov. 15.08.2025.`"""
    name, bar, behind = line.partition(" | ")
    yield _Finding(start, start + len(name), "title", title=name.strip())
    if bar:
        outlet = (_signature(behind) or {}).get("outlet")  # without a date a name may be anything
        facts = _byline(behind) or ({"outlet": outlet} if outlet else {})
        yield _finding(start + len(name) + 1, start + len(line), facts)


def _looks_like_title(line: str) -> bool:
    name, bar, behind = line.partition(" | ")
    if bar and _byline(behind):
        return _looks_like_title(name)
    return (
        len(line) <= _LONGEST_TITLE
        and "\n" not in line
        and _words(line) <= 25
        and ((not _ends_sentence(line) and line[-1] not in ",;") or bool(re.search(r"\w[?!][“”»\"]?$", line)))
        and not re.search(r"[.!?…]\s+[A-ZÄÖÜ].*[.!?]", line)  # two sentences
        and bool(_STARTS_HIGH.match(line))
        and not _LIST_ITEM.match(line)
    )


# --- captions and credits --------------------------------------------------------------------

_CAPTION_MARK = re.compile(r"[▲△📷📸]")
_CREDIT_LABEL = (
    r"(?:Fotos?|Bild(?:er|quelle|nachweis)?|Photos?|Grafik|Archivfoto|Archivbild|Symbolbild|Symbolfoto)"
)
_CREDIT_START = re.compile(rf"[(\[]?(?:{_CREDIT_LABEL}(?:\s*\([^)]*\))?\s*[:©]|©|Copyright\b)", re.IGNORECASE)
_CREDIT_TAIL = re.compile(rf"[(\[]?(?:\b{_CREDIT_LABEL}\s*:\s*|©\s*)[^.!?\n]{{2,80}}[)\]]?\.?$")
_LONGEST_CAPTION = 45


def _captions(text: str, blocks: list[Span]) -> Iterator[_Finding]:
    """Captions marked by ▲ or by a credit at their end, and lines that are nothing but a credit."""
    after_mark = False
    for start, end in blocks:
        line = text[start:end]
        marked = bool(_CAPTION_MARK.match(line))
        tail = _CREDIT_TAIL.search(line, max(0, len(line) - 100))
        short = _words(line) <= _LONGEST_CAPTION
        credited = short and (tail or _CREDIT_START.match(line))
        if marked or credited or _is_credit(line) or (after_mark and _is_shouted(line)):
            yield _Finding(start, end, "caption")
        elif tail:
            yield _Finding(start + tail.start(), end, "caption")
        after_mark = marked


def _is_shouted(line: str) -> bool:
    """A credit in capitals, or one with a stroke between photographer and agency."""
    words = line.split()
    names = all(not word[0].islower() or word in _CONNECTORS for word in words)
    return (
        len(words) <= 14
        and not _ends_sentence(line)
        and line[-1] not in ",;"
        and (line.isupper() or ("/" in line and names))
    )


# --- the tail: footers -----------------------------------------------------------------------

_FOOTER_LINES = 4
_SOURCE_TAIL = re.compile(
    r"\((?:(?:mit|aus) \w+ (?:von|der)\s+)?(?P<codes>[^()\n]{2,60})\)$"
    r"|Quellen?:\s*(?P<named>[\w/, +-]{2,40})$"
)


def _tail(text: str, blocks: list[Span], structured: bool) -> Iterator[_Finding]:
    """Footers, bylines and sources in the last lines, up to the end of the running text."""
    lines = [line for block in blocks[-_FOOTER_LINES - 1 :] for line in _lines(text, block)]
    footers: list[_Finding] = []
    while len(lines) > 1 and len(footers) <= _FOOTER_LINES:
        (start, end), line, before = lines[-1], text[slice(*lines[-1])], text[slice(*lines[-2])]
        if byline := _byline(line):
            yield _finding(start, end, byline)
        elif not structured and _is_footer(line, before):
            footers.append(_footer(start, end, line))
        else:
            break
        lines.pop()
    last = text[slice(*lines[-1])] if lines else ""
    if len(footers) <= _FOOTER_LINES and (_ends_sentence(last) or _words(last) > _HEADING_WORDS):
        yield from footers
    if lines:
        yield from _source_tail(text, *lines[-1])


def _lines(text: str, block: Span) -> Iterator[Span]:
    position = block[0]
    for line in text[slice(*block)].split("\n"):
        if line.strip():
            yield _trimmed(text, position, position + len(line))
        position += len(line) + 1


def _is_footer(line: str, before: str) -> bool:
    """A last line of at most four words that is no sentence, list item or speaker of a quote."""
    return (
        _words(line) <= 4
        and not _ends_sentence(line)
        and line[-1] not in ",;"
        and "," not in line
        and not _is_attribution(line, before)
        and not _LIST_ITEM.match(line)
    )


def _footer(start: int, end: int, line: str) -> _Finding:
    """A footer and the source it states: observador, (dpa/AFP), Quelle: Reuters."""
    words = re.sub(r"^Quellen?:\s*|[()\[\]]", "", line).lower()
    if all(word in _AGENCIES or word in _OUTLETS for word in re.split(r"[/,\s+]+", words)):
        return _Finding(start, end, "footer", **_source_of_codes(words))
    if _is_credit(line) or _CREDIT_START.match(line):
        return _Finding(start, end, "caption")
    outlet = _outlet_of_word(line) if _words(line) == 1 else None
    return _Finding(start, end, "footer", outlet=outlet, genre=parse_genre(line))


def _source_tail(text: str, start: int, end: int) -> Iterator[_Finding]:
    """A source behind the last sentence: (dpa/AFP), (Anna Muster, APA, 3.5.2016), Quelle: dpa."""
    match = _SOURCE_TAIL.search(text, max(start, end - 80), end)
    if match is None:
        return
    codes = match["codes"] or match["named"]
    facts = _byline(codes) or _source_of_codes(codes)
    # "(16.7.2018)" and "(dpa)" may also be the last words of a sentence
    if facts and ("author" in facts or _ends_sentence(text[start : match.start()].rstrip())):
        yield _Finding(match.start(), match.end(), "footer", **facts)


# --- notices to readers ----------------------------------------------------------------------

_NOTICE = re.compile(
    r"(?:[>»→►▶]\s*)?(?:Lesen Sie (?:auch|hier|hierzu|dazu|mehr|weiter)|Lies (?:auch|hier|mehr)"
    r"|Mehr (?:zum Thema|dazu)\s*:?|Auch interessant|Siehe auch|Zum Thema\s*:|Hier geht es (?:zu|zum|zur)\b"
    r"|Zum Newsletter|Abonnieren Sie|Folgen Sie uns|Melden Sie sich .{0,40}Newsletter"
    r"|Empfohlener (?:externer|redaktioneller) Inhalt|(?:Anzeige|Werbung)$"
    r"|(?:Dieser|Der) (?:Text|Artikel|Beitrag) (?:erschien|ist erschienen|wurde zuerst)\b)",
    re.IGNORECASE,
)
_LONGEST_NOTICE = 35
_GENRE_NOTE = re.compile(
    r"(?:Dieser|Der|Bei diesem) (?:Text|Artikel|Beitrag)[^.]{0,30} (?:ist|handelt es sich um) eine?n?"
    r" (?:Kommentar|Gastbeitrag|Meinungs)"
    r"|(?:gibt|geben|spiegelt|spiegeln)\b[^.]{0,80}\b(?:Meinung|Ansicht)(?:en)? (?:des|der) (?:Aut|Verf)",
)


def _notices(text: str, blocks: list[Span]) -> Iterator[_Finding]:
    """Paragraphs that send the reader elsewhere: "Lesen Sie auch: …"."""
    for start, end in blocks:
        if _NOTICE.match(text, start, end) and _words(text[start:end]) <= _LONGEST_NOTICE:
            yield _Finding(start, end, "footer")


# --- headings --------------------------------------------------------------------------------

_STARTERS = frozenset(
    "Ab Aber Alle Allein Allerdings Als Also Am An Anders Anfang Angesichts Auch Auf Aus Außerdem Bei Beide"
    " Beim Bereits Besonders Bis Bislang Bisher Da Dabei Dadurch Dafür Dagegen Daher Damals Damit Danach"
    " Daneben Dann Daran Darauf Darin Darüber Darum Das Dass Dazu Dem Den Denn Dennoch Der Deren Derzeit Des"
    " Deshalb Dessen Deutlich Die Dies Diese Dieser Dieses Doch Dort Durch Ebenso Ein Eine Einem Einen Einer"
    " Eines Einige Einst Ende Entsprechend Er Erst Es Etwa Eigentlich Für Ganz Gegen Gegenüber Gemeinsam"
    " Gestern Gleichzeitig Heute Hier Hinter Hinzu Ich Ihm Ihr Ihre Ihren Im Immer In Infolge Ins Insgesamt"
    " Inzwischen Ist Jede Jeder Jedes Jedoch Jetzt Kaum Kein Keine Können Könnte Kurz Laut Man Manche Mehr"
    " Mehrere Mehrfach Mit Mitte Muss Nach Nachdem Natürlich Neben Nicht Nichts Noch Nun Nur Ob Obwohl Oder"
    " Offenbar Ohne Rund Schließlich Schon Sechs Sein Seine Seinen Seit Seitdem Seither Sie Sieben So Sollte"
    " Sogar Soll Sowohl Spätestens Statt Tatsächlich Trotz Trotzdem Über Überdies Um Und Unter Viele Vier"
    " Vielmehr Vom Von Vor Vorerst Während Wann War Waren Warum Was Wegen Weil Weiter Weitere Weiterhin"
    " Welche Wenig Wenige Weniger Wenn Wer Wie Wieder Wiederum Wir Wird Wo Wohl Zehn Zu Zudem Zuerst"
    " Zugleich Zuletzt Zum Zumindest Zunächst Zur Zuvor Zwar Zwei Zwischen Drei Fünf Januar Februar März"
    " April Mai Juni Juli August September Oktober November Dezember".split()
)
_JUNCTION = re.compile(r"(?<=[a-zäöüß\d?!“”»\"])(?=[A-ZÄÖÜ][a-zäöüß]|„)")
_CAMEL_NAMES = frozenset({"LinkedIn", "CheckIn", "LogIn", "PlugIn", "OptIn", "BuiltIn", "DropIn", "WalkIn"})
_INNER_I = re.compile(r"(?:er|ist|ent|ant|or|eur|oge|end|ling|bund)In$|Innen")
_LONGEST_HEADING = 100
_HEADING_WORDS = 15


def _glued_headings(text: str, blocks: list[Span]) -> Iterator[_Finding]:
    """Headings without a space before the sentence that follows: "… Putins SchwergewichteAm 18. Februar"."""
    vocabulary: Counter[str] = Counter()
    for start, end in blocks:
        if not _ends_sentence(text[max(start, end - 20) : end]):
            continue
        for junction in _JUNCTION.finditer(text, start, min(end, start + 170)):
            cut = junction.start()
            heading, rest = text[start:cut], text[cut : min(end, cut + 200)]
            if re.search(r"[.!?…]\s", heading):
                break
            vocabulary = vocabulary or Counter(re.findall(r"[^\W\d_]+", text))
            if len(rest.split()) >= 5 and _is_glued(heading, rest, vocabulary):
                yield _Finding(start, cut, "heading")
                break


def _is_glued(heading: str, rest: str, vocabulary: Counter[str]) -> bool:
    """Whether a heading ends where a capital follows directly, rather than inside "YouTube"."""
    words = heading.split()
    right = re.match(r"„|[^\W\d_]+", rest)
    if right is None or not 2 <= len(words) <= 20 or not _STARTS_HIGH.match(heading):
        return False
    if heading[-1] in "?!" or right[0] == "„":
        return bool(re.search(r"\w[?!]?$", heading))
    starts_sentence = right[0] in _STARTERS and rest[right.end()] in " ,\u00a0"
    left = re.search(r"[^\W\d_]+$", heading)
    if left is None:  # behind a digit or a closing quotation mark
        return starts_sentence and bool(re.search(r"\w[“”»\"]?$", heading))
    if _is_name(words[-1], left[0], right[0]) or vocabulary[left[0] + right[0]] > 1:
        return False  # a name comes back, an accident does not
    return starts_sentence or (len(right[0]) > 3 and vocabulary[right[0]] > 0)


def _is_name(token: str, left: str, right: str) -> bool:
    """Whether a capital within a word is meant: iPhone, McDonald, LinkedIn, SchülerInnen, @HansNiessl."""
    return (
        len(left) < 3
        or left == "Mac"
        or left + right in _CAMEL_NAMES
        or bool(_INNER_I.search(left + right) or re.search(r"[@#/._]", token))
    )


def _headings(text: str, blocks: list[Span]) -> Iterator[_Finding]:
    """Short lines without final punctuation between paragraphs of running text.

    Three in a row are a list; a text that mostly does without punctuation has no headings that
    could be told from it.
    """
    lines = [text[start:end] for start, end in blocks]
    if 2 * sum(_ends_sentence(line) for line in lines) < len(lines):
        return
    run: list[int] = []
    for index, line in enumerate(lines):
        if _looks_like_heading(line, lines[index - 1] if index else ""):
            run.append(index)
            continue
        if len(run) < 3 and _ends_sentence(line) and not _LIST_ITEM.match(line):
            yield from (_Finding(*blocks[i], "heading") for i in run)
        run = []


def _looks_like_heading(line: str, before: str) -> bool:
    return (
        len(line) <= _LONGEST_HEADING
        and _words(line) <= (10 if line[-1] in "?!" else _HEADING_WORDS)
        and _looks_like_title(line)
        and not _is_attribution(line, before)
        and not before.endswith(":")  # what a colon announces is text
    )


_ATTRIBUTION = re.compile(rf"(?:{_NAME}\s*(?:,|\())")


def _is_attribution(line: str, before: str) -> bool:
    """The speaker's line below a pull quote: "Michael McFaul, ehemaliger US-Botschafter in Russland"."""
    return bool(_ATTRIBUTION.match(line)) or bool(_QUOTED.match(before) and re.fullmatch(_NAME, line))


# --- language and genre ----------------------------------------------------------------------

_RUBRIC = (
    r"(?:Gastkommentar|Gastbeitrag|Kommentar|Meinung|Kolumne|Leitartikel|Glosse|Essay|Opinion|Editorial)"
)
_RUBRIC_IN_TITLE = re.compile(
    rf"{_RUBRIC}(?:\s*[:|]|\s+[–-]\s|\s+(?:von|zu|zum|zur)\b)|(?:\(|[|–-]\s){_RUBRIC}\)?$"
)


def _genre_in_title(title: str | None) -> Genre | None:
    found = _RUBRIC_IN_TITLE.search(title or "")
    return "comment" if found and (found.start() == 0 or found.end() == len(title or "")) else None


def _genre_in_note(text: str) -> Genre | None:
    """Comment when a note at the end says that it is one."""
    return "comment" if _GENRE_NOTE.search(text[-600:]) else None


def detect_language(text: str) -> str | None:
    """Language of a text by its beginning; None when it is too short to tell (under 20 letters)."""
    sample = text[:600]
    words = set(sample.lower().split())
    if len(words & _GERMAN_ALONE) >= _PLAINLY and not words & _ELSEWHERE:
        return "de"  # as the model would say, which takes a second to load and a millisecond a text
    letters = sum(map(str.isalpha, sample))
    return str(_identifier().classify(sample)[0]) if letters >= 20 else None


_GERMAN_ALONE = frozenset(
    "und nicht ist mit für auf dem sich auch eine einen einer eines wird wurde sind zum zur dass haben aus"
    " nach bei über war noch nur wie durch vom beim oder aber".split()
)
_ELSEWHERE = frozenset(
    "the and of to is that with les est et une que el los y il di e che het een van niet i w na z jest и в на"
    " та що у і não com".split()
)
_PLAINLY = 4  # different words that only German has


@functools.cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    # fewer candidates, fewer mistakes on short texts: else German news is at times Luxembourgish
    identifier.set_languages(["de", "en", "fr", "pt", "uk", "ru", "es", "it", "nl", "pl"])
    return identifier


# --- copies ----------------------------------------------------------------------------------

_SHINGLE = 8
_SAME = 0.8
_AT_ONCE = 1_000_000  # shingles
_PUNCTUATION = string.punctuation + "„“”‚‘’«»‹›–—…"


def near_duplicates(articles: Sequence[Article]) -> dict[str, str]:
    """Id of each copy → id of the first article with nearly the same text.

    A copy shares at least 80 % of its runs of eight words with the other; of two that contain
    each other the later one is the copy, otherwise the shorter one is.
    """
    import numpy as np

    codes = _WordCodes()
    prints = [_shingles(article.text, codes) for article in articles]
    copies: dict[int, int] = {}

    def root(index: int) -> int:
        while index in copies:
            index = copies[index]
        return index

    for first, later in _candidates(prints):
        if first in copies and later in copies:
            continue
        shared = len(np.intersect1d(prints[first], prints[later], assume_unique=True))
        for copy, other in ((later, first), (first, later)):
            if shared >= _SAME * len(prints[copy]) and copy not in copies and root(other) != copy:
                copies[copy] = root(other)
                break
    return {articles[copy].id: articles[root(other)].id for copy, other in sorted(copies.items())}


class _WordCodes(dict[str, int]):
    """A number for each word, the same however it is capitalised and whatever quotation marks it wears."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def __missing__(self, token: str) -> int:
        word = token.strip(_PUNCTUATION).lower()
        self[token] = self._numbers.setdefault(word, len(self._numbers) + 1)
        return self[token]


def _shingles(text: str, codes: _WordCodes) -> NDArray[np.uint64]:
    """Distinct hashes of all runs of eight words, sorted; of the whole text when it is shorter."""
    import numpy as np

    words = text.split()
    numbers = np.array(list(map(codes.__getitem__, words)), np.uint64)
    width = max(1, min(_SHINGLE, len(words)))
    runs = max(0, len(words) - width + 1)
    hashes = np.zeros(runs, np.uint64)
    for place, factor in enumerate(_factors(width)):
        hashes += numbers[place : place + runs] * factor
    hashes.sort()  # `np.unique` takes ten times as long
    return hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))[:runs]]


@functools.cache
def _factors(width: int) -> NDArray[np.uint64]:
    """One odd 64-bit multiplier a word, others for each width: hashes without collisions worth counting."""
    import numpy as np

    return np.random.default_rng(width).integers(0, 2**63, width, np.uint64) * np.uint64(2) + np.uint64(1)


def _candidates(prints: Sequence[NDArray[np.uint64]]) -> list[tuple[int, int]]:
    """Pairs of articles, earlier one first, that share a good part of the shorter one's shingles.

    Each shingle pairs an article with the first and with the previous one that has it, so that a
    phrase common to all of them costs no more than any other. A part of the shingles is looked at
    at a time, so that memory holds no more than that of them twice.
    """
    import numpy as np

    sizes = np.array([len(each) for each in prints], np.int64)
    owners = np.arange(len(prints), dtype=np.int32)
    parts = max(1, int(sizes.sum()) // _AT_ONCE)
    edges = [part * (2**64 // parts) for part in range(1, parts)]
    cuts = [
        np.concatenate(([0], np.searchsorted(each, np.array(edges, np.uint64)), [len(each)]))
        for each in prints
    ]
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for part in range(parts if prints else 0):
        pieces = [each[cut[part] : cut[part + 1]] for each, cut in zip(prints, cuts, strict=True)]
        found = _pairs(
            np.concatenate(pieces), np.repeat(owners, [len(piece) for piece in pieces]), len(prints)
        )
        keys, where = np.unique(np.concatenate((keys, found[0])), return_inverse=True)
        counts = np.bincount(where, np.concatenate((counts, found[1])), len(keys)).astype(np.int64)
    first, later = keys // max(1, len(prints)), keys % max(1, len(prints))
    enough = counts >= 0.2 * np.minimum(sizes[first], sizes[later])
    return list(zip(first[enough].tolist(), later[enough].tolist(), strict=True))


def _pairs(
    shingle: NDArray[np.uint64], owner: NDArray[np.int32], articles: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of owners as `first * articles + later`, and how many of the shingles each pair shares."""
    import numpy as np

    order = np.argsort(shingle, kind="stable")
    owner, shingle = owner[order].astype(np.int64), shingle[order]
    fresh = np.ones(len(shingle), bool)
    fresh[1:] = shingle[1:] != shingle[:-1]
    leader = owner[np.maximum.accumulate(np.where(fresh, np.arange(len(owner)), 0))]
    again = np.flatnonzero(~fresh)
    pairs = np.concatenate(
        (leader[again] * articles + owner[again], owner[again - 1] * articles + owner[again])
    )
    return np.unique(pairs, return_counts=True)
