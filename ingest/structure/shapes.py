"""What lines of news copy look like: bylines, titles, credits, agencies and outlets.

The words are those of all languages together (`[news]` in their files): a byline is too short to tell its
language.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, takewhile
from typing import Any, NamedTuple

from ingest.readers.document import date_of, parse_genre
from rag.schema import Aside, AsideKind, Span
from rag.text.figures import FULL_DATE, MONTH, WEEKDAYS, alternatives
from rag.text.languages import pattern, word_set
from rag.text.normalize import CAPITAL, paragraphs, trimmed

Facts = dict[str, Any]


class Finding(NamedTuple):
    """A stretch to set aside, and what it states; `agency` and `updated` count if there is nothing better."""

    start: int
    end: int
    kind: AsideKind
    facts: Mapping[str, Any] = {}


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


WORD, _FIGURE = re.compile(r"\w"), re.compile(r"\d")
_CLOSING = "“”\"»«’'‹›)]"
# footnote marks, an editor's or agency's code, pictures, an address
_HUNG_ON = re.compile(
    r"(?<=[.!?…:“”\"»«])(?:\s*(?:\[[\da-z, –-]{1,8}\]|[¹²³⁰⁴-⁹*†‡]|\([\w/-]{2,14}\)|https?://\S+"
    r"|[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]))+\s*$"
)
_LONGEST_TAIL = 200
LIST_ITEM = re.compile(rf"[-–—•*·►▶▪■]|\(?\d{{1,2}}[.)]\s(?!(?i:{MONTH}))|[a-z]\)\s")
STARTS_HIGH = re.compile(rf"[„“\"»«‚‹'(\[]*\s?[{CAPITAL}\d]")
QUOTED = re.compile(r"[„“\"»«\[]")


def _names(name: str) -> dict[str, str]:
    """Proper names by their lower case."""
    spaced = (word.replace("_", " ") for word in word_set(name))
    return {word.lower(): word for word in spaced}


AGENCIES = _names("news.agencies") | {"rtr": "Reuters"}
OUTLETS = _names("news.outlets")
_BUTTONS = word_set("news.buttons")
OUTLET_WORD = re.compile(pattern("news.outlet_words"), re.IGNORECASE)
NO_PERSON = re.compile(rf"\b{pattern('news.no_person')}\b", re.IGNORECASE)
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


def outlet_of_word(word: str) -> str | None:
    """Outlet that a lone word states: lower case is how brands are printed ("observador")."""
    if re.fullmatch(r"(?:www\.)?[\w-]+\.(?:com|org|net|info|[a-z]{2})", word):
        return word.removeprefix("www.")
    if word.lower() in OUTLETS:
        return OUTLETS[word.lower()]
    # up to four letters are an editor's shorthand
    lone = re.fullmatch(r"[a-zß-öø-ÿ]{5,}", word) and word not in _BUTTONS
    return word.capitalize() if lone and word not in AGENCIES else None


# --- bylines and titles

_CLOCK = rf"(?:{pattern('news.clock')}(?!\w))"
CREDITS = pattern("news.credits")
TIME = (
    r"(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?"
    rf"|[\s,;|–-]*(?:{pattern('news.at')}\s*)?\d{{1,2}}(?:(?:[:.]|\s?h\s?)\d\d){{1,2}}(?:\s*{_CLOCK})*"
    rf"|[\s,]*(?:{pattern('news.at')}\s*)?\d{{1,2}}\s?{_CLOCK})"
)
_LABEL = rf"\b(?:(?P<updated>{pattern('news.updated')})|(?P<label>{pattern('news.published')}))\b\s*[:.]?\s*"
_BEFORE_DAY = rf"\b(?:{alternatives(WEEKDAYS)}|{pattern('news.before_day')})(?!\w)[.,]*\s+"
_STAMP = re.compile(
    rf"(?i:(?:{_LABEL})?(?:{_BEFORE_DAY})*){FULL_DATE.pattern}"
    rf"(?i:\s*{pattern('news.after_day')}(?!\w))?(?i:{TIME})?"
)
_WORD_OF_NAME = rf"[{CAPITAL}][\w’'.-]*"
_IN_PLACES = r"(?:am|an|da|de|der|di|do|du|im|bei|la|le|les|ob|of|sur|на)"
PLACE = rf"{_WORD_OF_NAME}(?:[ /](?:{_WORD_OF_NAME}|{_IN_PLACES})){{0,4}}"
_NAME_WORD = rf"(?:(?:Dr|Prof)\.|[{CAPITAL}][^\W\d_]*(?:[’'.-][^\W\d_]+)*\.?)"
_PARTICLE = r"(?:(?:(?:van|von)(?: de[rnm])?|de|di|da|das|del|do|dos|du|la|le|zu|zur|al|el|bin|ten)\s+|d[’'])"
NAME = rf"{_NAME_WORD}(?:\s+{_PARTICLE}*{_NAME_WORD}){{1,3}}"
_PERSON = re.compile(rf"(?P<name>{NAME})(?:\s+{pattern('news.from')}\s+{PLACE})?")
_JOIN = rf"(?:{alternatives(word_set('roles.joins'))}|&)"
_SIGNATURE_PARTS = re.compile(
    rf"\s*[,;|·•/()]\s*(?:{_JOIN}\s+)?|\s+[-–—]\s+|\.\s+(?=(?i:{CREDITS})\s?:)"
    rf"|\s+(?={pattern('news.for')}\s[{CAPITAL}«„“»\"])"  # "Ann Kemp for The Herald"
)
_FOR = re.compile(rf"{pattern('news.for')}\s+(?=\S)")
# whose reports an author used: "Le Monde avec AFP"
_WITH = re.compile(
    rf"(?i:[\s,]*\(?\b{pattern('news.with')}\s(?:[^\W\d_]{{1,3}}[\s’'])?(?:{alternatives(AGENCIES)})\b\)?)"
)
_JOINS = re.compile(rf"\s+{_JOIN}\s+")
BY, RUBRIC = pattern("news.by"), rf"(?=[{CAPITAL}])(?i:{pattern('news.comments')})"
_ANY_RUBRIC = "|".join(pattern(f"news.{name}") for name in ("comments", "reports", "rubrics"))
_AND_PICTURES = rf"(?:\s+{_JOIN}\s+{CREDITS})?"
NAMED = re.compile(rf"(?:{_ANY_RUBRIC})\s?:", re.IGNORECASE)
RUBRIC_ALONE = re.compile(_ANY_RUBRIC, re.IGNORECASE)
# what stands beside them in a head and states nothing: a page, the time it takes to read, of what hour it is
_HOUR = rf"{pattern('news.updated')}\s+{pattern('news.at')}\s*\d[\d:.h ]*{_CLOCK}?"
BESIDE = re.compile(rf"(?<!\w)(?:{pattern('news.beside')}|{_HOUR})(?!\w)", re.IGNORECASE)
_BY = re.compile(
    rf"(?:(?:(?:eine?|une?|uma?|an?)\s+)?(?P<rubric>{_ANY_RUBRIC})\s*[:\s]\s*)?{BY}{_AND_PICTURES}\s*[:\s]\s*",
    re.IGNORECASE,
)
# who signs without a name: "Von unserem Korrespondenten in Kiew"
_WHERE = rf"\s+(?:{PLACE}|[«„“\"].+)"
_STAFF = re.compile(rf"(?i:{pattern('news.staff')})(?:\s+[a-zà-ÿа-яії]{{1,4}}{_WHERE}|(?P<who>{_WHERE}))?")
# parts that are known to be no outlet and no author: sections, credits of pictures, places
_IS_NEITHER = re.compile(rf"{pattern('news.no_person')}\b|(?i:{CREDITS})\s?:")
_IS_PLACE = re.compile(rf"{pattern('news.from')}\s+{PLACE}")
_QUOTED_NAME = re.compile(r"[^«„“\"]+[«„“\"]\s?(?P<name>[^»“”\"]+?)\s?[»“”\"]")
_OF_AUTHOR = re.compile(pattern("news.of_author"), re.IGNORECASE)
_LONGEST_BYLINE = 140
_LONGEST_TITLE = 180
_LONGEST_PART = 5  # words
_SMALL_WORD = re.compile(rf"\s(?!(?i:{pattern('news.outlet_words')}))[a-zß-öø-ÿа-їґ]{{4,}}\b")
_OF_A_LIFE = re.compile(rf"[*†✝]|\b{pattern('news.of_a_life')}\b", re.IGNORECASE)


def lists_days(lines: Iterable[str]) -> bool:
    """Whether lines with days of their own are a list: of events, of what happened, of births and deaths."""
    short = (line for line in lines if len(line) <= _LONGEST_BYLINE and not ends_sentence(line.rstrip(" .:")))
    stamps = (stamp for line in short for stamp in _stamps(line)[:1])
    return len({date_of(stamp, "de") for stamp in stamps if not _is_labelled(stamp)} - {None}) > 1


def _stamps(line: str) -> list[re.Match[str]]:
    return list(_STAMP.finditer(line)) if _FIGURE.search(line) else []


def _is_labelled(stamp: re.Match[str]) -> bool:
    """Whether a word says what the day is of: „Stand: …“, "Publié le …"."""
    return bool(stamp["label"] or stamp["updated"])


def is_signed(line: str, facts: Mapping[str, Any]) -> bool:
    """Whether a line says by itself that it is a byline: "Von …", "Stand: …", an outlet before its date."""
    stamps = _stamps(line)
    outlet = facts.keys() & {"outlet", "agency"} and not FULL_DATE.match(line)
    return bool("genre" in facts or outlet or (stamps and _is_labelled(stamps[0])))


def byline_of(line: str, language: str | None = None, *, in_head: bool = False) -> dict[str, Any] | None:
    """The metadata in a line of a text that has nothing but author, date and outlet; None for other lines.

    {"author": "Anna Muster", "published": date(2025, 8, 15)}; with "genre", maybe None, if it is signed. A
    day with short parts of whatever meaning beside it is a byline `in_head`; beside what may be a place it is
    that of publication: "Le Havre, 3 avril 2025". Else it states nothing.
    """
    if len(line) > _LONGEST_BYLINE or "\n" in line or _OF_A_LIFE.search(line):
        return None
    facts: dict[str, Any] = {}
    paged = line != (line := BESIDE.sub("|", line))
    for stamp in (stamps := _stamps(line)):
        day = date_of(stamp, language)
        if not _is_labelled(stamp) and facts.get("published", day) != day:
            return None  # from one day to another
        facts.setdefault("updated" if stamp["updated"] else "published", day)
    rest = (_STAMP.sub(" | ", line) if stamps else line).strip(" |,;·•–—-./()\t\u00a0")
    if not rest:
        return facts or ({"published": None} if paged else None)
    goes_on = stamps and ends_sentence(line) and WORD.search(line, stamps[-1].end())
    who = signature(rest, language, dated=any(facts.values()) and not goes_on)
    states = who is not None and (who.keys() & {"outlet", "agency", "genre"} or not _FIGURE.search(rest))
    sure = any(facts.values()) or (paged and who and "author" not in who)
    if who is not None and states and (sure or "genre" in who):
        return {**facts, **who}  # and no line of a table, no address
    if not in_head or len(stamps) != 1 or ends_sentence(line) or PLACE_WORD.search(line):
        return None
    parts = [part.strip(" .") for part in _SIGNATURE_PARTS.split(_STAMP.sub("\0", line))]
    short = all(word_count(part) <= _LONGEST_PART and not re.search(r"[\d:?!]", part) for part in parts)
    is_place = all(re.fullmatch(PLACE, part) for part in parts if part != "\0")
    return (facts if is_place else {"published": None}) if short and "\0" in parts else None


def bylines(lines: Sequence[str], language: str | None, *, titled: bool, above: bool) -> list[Facts | None]:
    """The metadata of each line that is a byline, or a name alone that stands next to one without it.

    Jornal do Interior / Miguel Prata / 21 de fevereiro de 2025; `above` or before a title only a newspaper.
    """
    told = [byline_of(line, language) for line in lines]
    below = [line for line, facts in zip(lines[1:], told[1:], strict=True) if facts is None]
    if len(lines) > 1 and (above or (len(below) > 1 and looks_like_title(below[0]))):
        alone = "published" in (told[1] or {}) and (above or not any(map(ends_sentence, below[:2])))
        known = masthead(lines[0], language) if any(told) else None
        if "outlet" not in (told[0] or {}) and len(lines[0]) <= _LONGEST_BYLINE:
            told[0] = newspaper(lines[0], language, alone=alone) or told[0] or known
    for step in (1, -1):
        for at in range(not titled, len(lines))[::step]:
            near = told[at - step] if 0 <= at - step < len(lines) else None
            if near is None or told[at] is not None or len(lines[at]) > _LONGEST_BYLINE:
                continue
            who = signature(lines[at], language, dated=bool(_BY.match(lines[at])))
            others = {name for each in told if each for name in each}
            if who and not who.keys() & others and not _FIGURE.search(lines[at]):
                told[at] = who
    if not any("author" in facts for facts in told if facts):
        unread = takewhile(lambda at: told[at] or not ends_sentence(lines[at]), range(len(lines)))
        for at in [at for at in unread if not told[at]][not titled or above :]:
            who = signature(lines[at][:_LONGEST_BYLINE], language, dated=True) or {}
            name, under = who.get("author"), "".join(lines[at + 1 : at + 2])
            if name and not who.keys() - {"author", "genre"} and (any(told) or is_about(name, under)):
                told[at] = who
    return told


def is_about(author: str, line: str) -> bool:
    """Whether a line below the author's name says who that is: "Comédienne, elle a dirigé le théâtre." """
    office = "," in line and not _FIGURE.search(line) and not ends_sentence(line)
    return len(line) <= _LONGEST_TITLE and bool(office or line.startswith(author) or _OF_AUTHOR.match(line))


def newspaper(line: str, language: str | None, *, alone: bool = False) -> Facts | None:
    """What the line above a title states if it begins with the name of a newspaper, whatever its words.

    It is in capitals in front of a day, or `alone` above one, or it is in front of a day and a page.
    """
    name = _SIGNATURE_PARTS.split(BESIDE.sub("|", _STAMP.sub("|", line)))[0].strip()
    others = NO_PERSON.search(name) or RUBRIC_ALONE.fullmatch(name) or _BY.match(name)
    if others or word_count(name) > _LONGEST_PART or not STARTS_HIGH.match(name) or _FIGURE.search(name):
        return None
    beside = byline_of(line[len(name) :].strip(" |/,;·•–—-"), language) if _stamps(line) else None
    if beside and (BESIDE.search(line) or name.isupper()):
        return {**beside, "outlet": name}
    return {"outlet": name} if alone and name == line and line.isupper() else None


def signature(line: str, language: str | None = None, *, dated: bool = False) -> dict[str, Any] | None:
    """Author, outlet and agency of a line without its date; None for running text. "genre" if it is signed.

    Lone words that are none of these (a place, a section, an editor's shorthand) state nothing; nor does
    one part of several words beside an author or outlet that a word tells, where the line is `dated` or
    has a rubric: "Opinião por Ana Silva, professora na Universidade de Coimbra".
    """
    pieces = _SIGNATURE_PARTS.split(_WITH.sub("", line))
    parts = [part for piece in pieces if (part := piece.strip(" .[]–—-\u00a0"))]
    facts: dict[str, Any] = {}
    people: list[str] = []
    unknown, rubric = 0, None
    for part in parts:
        lead = _BY.match(part)
        persons = _people_in(part[lead.end() :] if lead else part)
        if people and re.fullmatch(CREDITS, part, re.IGNORECASE):
            people.pop()  # "Rita Wald (Text) und Otto Rühl (Fotos)"
        elif staff := _STAFF.fullmatch(part):
            facts.setdefault("genre", None)
            people += _people_in((staff["who"] or "").strip())
        elif RUBRIC_ALONE.fullmatch(part) and (dated or len(parts) > 1):
            rubric = rubric or parse_genre(part)
        elif lead:
            name = part[lead.end() :]
            source = _source_in(name, language, known=True)
            if not persons and source is None and not _STAFF.fullmatch(name):
                return None  # "Von Moskau nach Kiew"
            if re.fullmatch(NAME, name) and name.lower() not in AGENCIES | OUTLETS:
                source = None  # a person, even if called Emily Post
            facts = (source or {}) | facts | {"genre": parse_genre(lead["rubric"] or "")}
            dated = dated or lead["rubric"] is not None
            people += persons
        elif people and (giver := _FOR.match(part)):  # in Ukrainian its case hides the name
            name = part[giver.end() :]
            source = _source_in(name, language, known=True)
            facts, dated = (source or {}) | facts, dated or bool(source)
            unknown += not source and not QUOTED.match(name)
        elif source := _source_in(part, language, known=bool(people)):
            facts = source | facts
        elif dated and language == "uk" and (quoted := re.fullmatch("«([^«»]{2,40})»", part)):
            facts = {"outlet": quoted[1]} | facts  # newspapers are quoted there
        elif persons:
            people += persons
        elif part.endswith(":"):
            return None  # what the day is of, or the beginning of text
        elif word_count(part) > 1 and not _IS_NEITHER.match(part) and not _IS_PLACE.fullmatch(part):
            unknown += not (dated and people and part[0].islower())  # an office
    if "genre" not in facts and sum(bool(_people_in(piece.strip(" ."))) for piece in line.split("|")) > 1:
        return None  # "Roter Teppich | Anna Muster": one of them is the title
    if unknown > (1 if dated and facts and not ends_sentence(line) else 0):
        return None
    return facts | ({"genre": rubric} if rubric else {}) | ({"author": ", ".join(people)} if people else {})


def _source_in(part: str, language: str | None, *, known: bool) -> dict[str, str] | None:
    """The agency or outlet that a part of a byline names: "Lusa", "Le Monde", Газета «Наш край».

    Those that are `known`, or else have a word for a newspaper, or may be a brand: "observador".
    """
    name = part.lower()
    if name in AGENCIES:
        return {"agency": AGENCIES[name]}
    word, noun_is_first = OUTLET_WORD.search(part), language in ("fr", "pt", "uk")
    # "L’Écho du Stade", "Stadium Herald", but "Herald Square"
    place = word and PLACE_WORD.search(part[: word.start()] if noun_is_first else part[word.start() :])
    by_word = word and not place and STARTS_HIGH.match(part)
    # "Presse feiert Einigung" is a headline: names have capitals
    says = language in ("de", "en") and _SMALL_WORD.search(part)
    quoted = _QUOTED_NAME.fullmatch(part)
    outlet = quoted["name"] if quoted else part.strip('«»„“”"\u00a0 ')
    if by_word and not says and word_count(outlet) <= _LONGEST_PART and ":" not in part:
        return {"outlet": outlet}
    brand = OUTLETS.get(name) or (None if known or word_count(part) > 1 else outlet_of_word(part))
    return {"outlet": brand} if brand else None


def masthead(line: str, language: str | None) -> Facts | None:
    """The outlet of a line that is nothing but its name, as it stands above a title; None for others."""
    is_name = not _SMALL_WORD.search(line) or _QUOTED_NAME.fullmatch(line)
    # alone more often a section: "Welt", "Nachrichten"
    lone = OUTLET_WORD.fullmatch(line) or (" " not in line and OUTLETS.get(line.lower(), "").istitle())
    if lone or not is_name or NO_PERSON.search(line):
        return None
    return _source_in(line, language, known=True)


def _people_in(part: str) -> list[str]:
    """The names of "Anna Muster et Max Muster"; none if it says anything else."""
    names = [_person_in(piece) for piece in _JOINS.split(part)]
    return [name for name in names if name] if all(names) else []


def _person_in(part: str) -> str | None:
    """Name of "Anna Muster" or "Anna Muster aus Kiew"; None for places, sections and newspapers."""
    person = _PERSON.fullmatch(part)
    others = (NO_PERSON, OUTLET_WORD, PLACE_WORD)
    other = PLACE_BEGINNING.match(part) or any(words.search(part) for words in others)
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
    return (
        len(line) <= _LONGEST_TITLE
        and "\n" not in line
        and word_count(line) <= 25
        and (
            (not ends_sentence(line) and line[-1] not in ",;")
            or bool(re.search(r"\w[?!][“”»\"]?$", without_marks(line)))
        )
        and not re.search(rf"[.!?…]\s+[{CAPITAL}].*[.!?]", line)  # two sentences
        and bool(STARTS_HIGH.match(line))
        and not LIST_ITEM.match(line)
        and not _is_entry(line)
    )
