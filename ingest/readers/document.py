"""The raw content of a file, before detection: its text, and what its container states about it."""

import codecs
import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from rag.errors import ArticleTooLarge
from rag.i18n import Phrase
from rag.schema import Aside, AsideKind, Genre
from rag.text.figures import FULL_DATE, days_of
from rag.text.languages import LANGUAGES, pattern, table, word_set
from rag.text.normalize import normalise

_AS_ON_THE_WEB = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "turkish": "cp1254",
    "iso8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874", "dos-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "csgb2312": "gb18030", "cn-big5": "big5",
    "shift_jis": "cp932", "windows-31j": "cp932", "euc_kr": "cp949", "windows-949": "cp949",
    "koi": "koi8-r", "koi8": "koi8-r", "koi8-ru": "koi8-u", "mac": "mac-roman", "csmacintosh": "mac-roman",
    "mac-ukrainian": "mac-cyrillic", "iso-8859-8-i": "iso8859-8", "csisolatin9": "iso8859-15",
}  # fmt: skip
"""The real encoding of pages that declare one, where it differs or Python does not know the name."""

_IN_BYTES = re.compile(r"(?:cp|iso|koi|mac|big5|gb18030|euc)[\w-]*")
_DOS = "cp850"
_UMLAUT_WITHIN_WORD = re.compile(r"(?<=[A-Za-zÄÖÜäöüß])[äöüß](?=[a-zäöüß])")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    Names have the meaning that browsers give them (https://encoding.spec.whatwg.org/#names-and-labels): most
    pages that declare iso-8859-1 are Windows-1252. Broken bytes become U+FFFD. The encoding is not guessed
    by statistics, which on short German texts are wrong more often than Windows-1252; only texts from DOS are
    recognised, by umlauts inside words.
    """
    for mark, name in ((b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        lenient = data.decode("utf-8-sig", "replace")
    broken = lenient.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    # in Windows-1252 nearly every umlaut is broken UTF-8; in damaged UTF-8 few are
    if broken <= sum(not char.isascii() for char in lenient) / 3:
        return lenient
    if encoding := _encoding_of(declared or ""):
        return data.decode(encoding, "replace")
    readings = [data.decode(encoding, "replace") for encoding in ("cp1252", _DOS)]
    return max(readings, key=lambda text: len(_UMLAUT_WITHIN_WORD.findall(text)))


def _encoding_of(label: str) -> str | None:
    """Python's name of the declared encoding; None for one that does not describe the bytes."""
    name = re.sub(r"^(iso)[-_]?(8859)[-_]?(?=\d)", r"\1-\2-", label.strip().lower().removeprefix("x-"))
    with contextlib.suppress(LookupError, ValueError):
        name = codecs.lookup(_AS_ON_THE_WEB.get(name, name)).name
        name = _AS_ON_THE_WEB.get(name, name)
        return name if _IN_BYTES.fullmatch(name) else None
    return None


@dataclass(frozen=True, slots=True)
class Document:
    """Text of a file, and metadata that its container states (else None).

    `text` is normalised, so that `asides` (stretches the format itself marks as a heading or
    caption) count in the article's own offsets. `structured` says that the format marks its
    headings, so that none needs to be guessed from the shape of a line. `id` is one that the
    container gives (JSON Lines). `pages` are the offsets at which its printed pages begin.
    """

    text: str
    id: str | None = None
    title: str | None = None
    outlet: str | None = None
    author: str | None = None
    published: date | None = None
    language: str | None = None
    genre: Genre | None = None
    asides: tuple[Aside, ...] = ()
    structured: bool = False
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file gave: its documents, and messages on the parts that could not be used.

    `counts` are further parts that were read (pages, notes), `left_out` parts that were not (pictures,
    comments, headers).
    """

    documents: tuple[Document, ...]
    problems: tuple[Phrase, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


class Block(NamedTuple):
    """A paragraph of a structured format; "title" marks a heading of the highest level."""

    text: str
    kind: AsideKind | None = None


MOST_WORDS = 500_000
"""Words of one article, as many as a thick novel; single marks count, because 19 MB of them make 80,000
passages."""


def refuse_long(words: int) -> None:
    """Raises ArticleTooLarge when these are too many for an article."""
    if words > MOST_WORDS:
        raise ArticleTooLarge("too_many_words", words=words, limit=MOST_WORDS)


# --- metadata as containers state it -----------------------------------------------------------

_UNKNOWN = word_set("news.unknown") | {"", "k. a."}
_RUBRICS: tuple[tuple[re.Pattern[str], Genre], ...] = (
    (re.compile(pattern("news.comments"), re.IGNORECASE), "comment"),
    (re.compile(pattern("news.reports"), re.IGNORECASE), "report"),
)
_LANGUAGES = {
    name: code
    for names in (table("de", "news.language_names"), *(table(each, "catalogue.names") for each in LANGUAGES))
    for code, told in names.items()
    for name in told.lower().split()
}


def date_of(match: re.Match[str], language: str | None = None) -> date | None:
    """The day of a match of `FULL_DATE`, or of a pattern around it; None unless it is certain.

    03/04/2025 is certain in a text of a `language` that never names the month first.
    """
    days = days_of(match, month_first=language in (None, "en"))
    year, month, day = days[0] if len(days) == 1 else (None, 0, None)
    with contextlib.suppress(ValueError):
        return date(year, month, day) if year and day and 1800 <= year <= 2100 else None
    return None


def parse_date(text: str, language: str | None = None) -> date | None:
    """Day that a metadata field states, with or without a time; None when it is not a date."""
    match = FULL_DATE.match(text.strip())
    return date_of(match, language) if match else None


def parse_genre(text: str) -> Genre | None:
    """Genre of a rubric such as "Gastbeitrag"; None for rubrics that are neither."""
    return next((genre for words, genre in _RUBRICS if words.fullmatch(text.strip())), None)


def clean_field(value: object) -> str | None:
    """One line of metadata, normalised; None for the ways in which people write "unknown"."""
    if isinstance(value, dict):
        return clean_field(value.get("name"))
    if isinstance(value, list):
        items = (clean_field(item) for item in value if isinstance(item, str | dict))
        return ", ".join(filter(None, items)) or None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = squeeze(normalise(str(value)))
    return None if text.lower() in _UNKNOWN else text


def metadata(fields: Mapping[str, object]) -> tuple[dict[str, Any], list[Phrase]]:
    """Fields of a Document as front matter or JSON states them, and messages on unusable ones.

    Of the names that people and programs have for a field (`_USUAL_NAMES`), the first that is there counts.
    """
    given = {str(name).lower(): text for name, value in fields.items() if (text := clean_field(value))}
    known: dict[str, Any] = {
        name: next((given[usual] for usual in usuals if usual in given), None)
        for name, usuals in _USUAL_NAMES.items()
    }
    if re.match(r"https?://", known["outlet"] or ""):
        known["outlet"] = None  # a web address, whose host may not be the outlet
    stated, code = known["published"], re.split(r"[-_]", (known["language"] or "").lower())[0]
    known["language"] = _LANGUAGES.get(code) or (code if re.fullmatch("[a-z]{2}", code) else None)
    known["genre"] = parse_genre(known["genre"] or "")
    known["published"] = parse_date(stated or "", known["language"])
    unusable = stated and known["published"] is None
    return known, [Phrase("no_date", date=stated[:40])] if unusable else []


_USUAL_NAMES = {
    name: [*programs.split(), *sorted(word_set(f"news.fields.{name}"))]
    for name, programs in (
        ("title", "title headline"),
        ("outlet", "outlet publication publisher site sitename site_name medium source"),
        ("author", "author authors byline by creator"),
        ("published", "published date publishdate date_published published_at pubdate"),
        ("language", "language lang"),
        ("genre", "genre"),
        ("id", "id"),
    )
}


def given_title(value: object) -> str | None:
    """The title in the metadata, unless a program put it there by itself."""
    title = clean_field(value)
    if not title or " " not in title or re.search(r"^(microsoft|word doc)|\.\w{2,4}$", title, re.IGNORECASE):
        return None
    return title


def person(name: object) -> str | None:
    """An author's name, unless it looks like an account's ("admin", "Microsoft Office User")."""
    text = clean_field(name) or ""
    words = text.split()
    is_person = 2 <= len(words) <= 12 and words[0][0].isupper() and words[-1][0].isupper()
    return text if is_person and not re.search(r"\b(user|admin|microsoft|office)\b", text, re.I) else None


BEFORE_MARK = re.compile(r"(?:^|[^\W\d_]{3}|[.,;:!?…“”\"»«’')\]])$")
"""Text before a raised number that marks a note; before a power there is less: m², 10⁶."""

# --- text of structured formats ----------------------------------------------------------------

_SPACE = re.compile(r"[^\S\u00a0\u202f]+")  # a no-break space is part of what is quoted


def squeeze(text: str) -> str:
    """The text with single spaces between its words."""
    return _SPACE.sub(" ", text).strip()


def compose(blocks: Iterable[Block], document: Document) -> Document:
    """The document with the blocks as its text, a blank line between two, and its asides.

    A heading of the highest level in front, or below a newspaper's name, is the title, unless the container
    states another; every further one is an ordinary heading. Where there is none, a lower one with several
    words is, if what is below it is no text.
    """
    parts: list[str] = []
    asides: list[Aside] = []
    title, position, blocks = document.title, 0, list(blocks)
    lead, below, *_ = [*blocks, Block(""), Block("")]
    is_lower = lead.kind == "heading" and " " in lead.text and all(block.kind != "title" for block in blocks)
    is_text = below.kind or re.search(r"[.!?…:]\W*$", below.text)
    highest = "heading" if is_lower and not is_text else "title"
    for block in blocks:
        text, kind = squeeze(normalise(block.text)), block.kind
        if not text:
            continue
        if kind == highest and not asides and position < 80 and title in (None, text):
            title, kind = text, "title"
        elif kind == "title":
            kind = "heading"
        if kind:
            asides.append(Aside(position, position + len(text), kind))
        parts.append(text)
        position += len(text) + 2
    return replace(document, text="\n\n".join(parts), title=title, asides=tuple(asides))
