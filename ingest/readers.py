"""Files to raw documents: text with the metadata that the file itself states.

Each format has one reader. What a reader does not find stays None for `ingest.articles` to look
for in the text; what is broken is an ArticleError that names the file and the next step.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.errors import ArticleError, ArticleTooLarge
from rag.schema import Aside, AsideKind, Genre
from rag.text import lower_case, normalise

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph
    from lxml.etree import _Element  # type: ignore[import-untyped,unused-ignore]
    from markdown_it.token import Token

SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".jsonl")
"""Endings of the files that are read, in lower case."""


@dataclass(frozen=True, slots=True)
class Document:
    """Text of a file and what its container states about it; None where it states nothing.

    `text` is normalised, so that `asides` (stretches the format itself marks as a heading or
    caption) count in the article's own offsets. `structured` says that the format marks its
    headings, so that none needs to be guessed from the shape of a line. `id` is one that the
    container gives (JSON Lines).
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file gave: its documents, and messages on the parts that could not be used."""

    documents: tuple[Document, ...]
    problems: tuple[str, ...] = ()


class _Block(NamedTuple):
    """A paragraph of a structured format; "title" marks a heading of the highest level."""

    text: str
    kind: AsideKind | None = None


# --- which files -----------------------------------------------------------------------------


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Article files under the paths, sorted, each once; folders are searched recursively.

    In folders hidden files and READMEs are passed over; a file that is named itself is always
    taken. A subfolder that may not be entered is listed as if it were a file, so that reading
    reports it by name. Raises ArticleError on a path that does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise ArticleError(
                f"{path} does not exist; give a file or folder that does (--articles, or BELEG_ARTICLES)"
            )
        found.update(_files_below(path) if path.is_dir() else [path])
    return sorted(found)


def _files_below(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=lambda exc: closed.append(Path(exc.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if _is_article_name(name))
    yield from closed


def _is_article_name(name: str) -> bool:
    path = Path(name)
    return (
        path.suffix.lower() in SUFFIXES and path.stem.lower() != "readme" and not name.startswith((".", "~$"))
    )


# --- reading one file ------------------------------------------------------------------------


def read_file(path: Path, *, limit_bytes: int) -> Reading:
    """The documents of a file: one, or for JSON Lines one a line.

    Raises ArticleError when nothing in it can be used: unreadable, empty, binary, broken, too
    large, or of another format than its ending says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ArticleError(f"{path}: files ending in '{path.suffix}' are not read; use {', '.join(SUFFIXES)}")
    data = _bytes_of(path, limit_bytes)
    _refuse_other_format(path, data)
    try:
        reading = reader(path, data)
    except RecursionError as exc:
        raise ArticleError(f"{path} is nested too deeply; save its text as .txt") from exc
    for document in reading.documents:
        if not re.search(r"\w", document.text):
            raise ArticleError(f"{path} has no text in it; remove it or fill it")
    return reading


def _bytes_of(path: Path, limit: int) -> bytes:
    try:
        # opening a pipe or device would wait for ever
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArticleError(f"{path} cannot be read: it is not a regular file; remove it or allow access")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise ArticleError(f"{path} cannot be read: {exc.strerror}; check that it is there") from exc
    if len(data) > limit:
        raise too_large(path, limit)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise ArticleError(f"{path} is empty; remove it or fill it")
    return data


def too_large(path: Path, limit: int) -> ArticleTooLarge:
    """The error for a file that has more than `limit` bytes."""
    return ArticleTooLarge(
        f"{path} is larger than {limit / 1e6:.3g} MB; split it, or raise BELEG_ARTICLE_LIMIT"
    )


_MAGIC = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"\x89PNG", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
    (b"GIF8", "a GIF image", None),
    (b"RIFF", "an image or a recording", None),
    (b"PK\x03\x04", "a Word file or ZIP archive", ".docx"),
    (b"\x1f\x8b", "a gzip archive", None),
    (b"7z\xbc\xaf", "a 7z archive", None),
    (b"Rar!", "a RAR archive", None),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.doc)", None),
    (b"{\\rtf", "an RTF file", None),
    (b"\x7fELF", "a program", None),
    (b"SQLite format 3", "a database", None),
)
_HTML_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def _refuse_other_format(path: Path, data: bytes) -> None:
    """Raise ArticleError when the bytes are not what the file's ending says."""
    suffix = ".html" if path.suffix.lower() == ".htm" else path.suffix.lower()
    name, right = _format_of(data)
    if right == suffix or (suffix == ".pdf" and b"%PDF-" in data[:1024]):  # stray bytes may come first
        return
    advice = f"rename it to end in {right}" if right else "save it as text, or remove it"
    if suffix in (".pdf", ".docx"):
        raise ArticleError(f"{path} is not a {suffix[1:]} file but {name or 'something else'}; {advice}")
    if name:
        raise ArticleError(f"{path} is {name}, not what its ending says; {advice}")
    if not data.startswith(_UTF16) and _is_binary(data):
        raise ArticleError(f"{path} is binary, not text; {advice}")


def _format_of(data: bytes) -> tuple[str | None, str | None]:
    """What the first bytes say: a name for people, and the ending under which it would be read."""
    for magic, name, suffix in _MAGIC:
        if data.startswith(magic):
            return name, suffix
    return ("a web page", ".html") if _HTML_START.match(data) else (None, None)


def _is_binary(data: bytes) -> bool:
    """Whether control characters are too many for a text, of which a few are cleaned away."""
    sample = data[:100_000]
    share = 1 - len(sample.translate(None, _CONTROL)) / len(sample)
    return share > (0.1 if _is_utf8(sample) else 0.02)


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # the sample may end within a character
    except UnicodeDecodeError:
        return False
    return True


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    A few broken bytes in UTF-8 become U+FFFD; no statistics guess the encoding, for on short
    German texts they are wrong more often than Windows-1252 is.
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
    for encoding in filter(None, (declared, "cp1252")):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return data.decode("latin-1")


# --- metadata as containers state it -----------------------------------------------------------

_UNKNOWN = frozenset({"", "unbekannt", "unknown", "none", "null", "~", "-", "–", "n/a", "k. a.", "k.a."})
_MONTHS = (
    ("januar", "jänner", "jan", "jän", "january"),
    ("februar", "feber", "feb", "february"),
    ("märz", "mär", "mrz", "march", "mar"),
    ("april", "apr"),
    ("mai", "may"),
    ("juni", "jun", "june"),
    ("juli", "jul", "july"),
    ("august", "aug"),
    ("september", "sept", "sep"),
    ("oktober", "okt", "october", "oct"),
    ("november", "nov"),
    ("dezember", "dez", "december", "dec"),
)
_MONTH_NUMBER = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_MONTH = "(?:" + "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True)) + r")\b"
DATE = re.compile(
    r"(?<![\d.])(?i:"
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
    r"|(?P<dotted>\d{1,2}\.[ \u00a0]?\d{1,2}\.[ \u00a0]?(?:\d{4}|\d{2}))"
    rf"|(?P<long>\d{{1,2}}\.?\s+{_MONTH}\.?,?\s+\d{{4}})"
    rf"|(?P<english>{_MONTH}\.?\s+\d{{1,2}},?\s+\d{{4}})"
    r")(?!\d)"
)
"""A calendar date with its year: ISO, 15.08.2025, 15. August 2025, August 15, 2025."""

_COMMENT = frozenset(
    "comment kommentar meinung gastbeitrag gastkommentar kolumne leitartikel glosse essay opinion"
    " editorial op-ed standpunkt".split()
)
_REPORT = frozenset(
    "report bericht nachricht nachrichten meldung reportage news korrespondentenbericht".split()
)
_LANGUAGES = {
    "deutsch": "de", "german": "de", "englisch": "en", "english": "en", "französisch": "fr",
    "french": "fr", "ukrainisch": "uk", "ukrainian": "uk", "russisch": "ru", "russian": "ru",
    "portugiesisch": "pt", "portuguese": "pt", "spanisch": "es", "spanish": "es",
    "italienisch": "it", "italian": "it", "niederländisch": "nl", "dutch": "nl", "polnisch": "pl",
    "polish": "pl",
}  # fmt: skip


def date_of(match: re.Match[str]) -> date | None:
    """Day of a match of `DATE`, or of a pattern around it; None for a day that cannot be."""
    text = match["iso"] or match["dotted"] or match["long"] or match["english"]
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if match["iso"]:
        year, month, day = numbers
    elif match["dotted"]:
        day, month, year = numbers
        year += (2000 if year < 70 else 1900) if year < 100 else 0
    else:
        day, year = numbers
        month = next(_MONTH_NUMBER[word] for word in re.findall(r"[^\W\d_]+", lower_case(text)))
    try:
        return date(year, month, day) if 1800 <= year <= 2100 else None
    except ValueError:
        return None


def parse_date(text: str) -> date | None:
    """Day that a metadata field states, with or without a time; None when it is not a date."""
    match = DATE.match(text.strip())
    return date_of(match) if match else None


def parse_genre(text: str) -> Genre | None:
    """Genre of a rubric such as "Gastbeitrag"; None for rubrics that are neither."""
    word = text.strip().lower()
    return "comment" if word in _COMMENT else "report" if word in _REPORT else None


def _parse_language(text: str) -> str | None:
    code = re.split(r"[-_]", text.strip().lower())[0]
    return _LANGUAGES.get(code) or (code if re.fullmatch("[a-z]{2}", code) else None)


def clean_field(value: object) -> str | None:
    """One line of metadata, normalised; None for the ways in which people write "unknown"."""
    if isinstance(value, list):
        return ", ".join(filter(None, (clean_field(item) for item in value if isinstance(item, str)))) or None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = _squeeze(normalise(str(value)))
    return None if text.lower() in _UNKNOWN else text


def _metadata(fields: Mapping[str, object], where: str) -> tuple[dict[str, Any], list[str]]:
    """Fields of a Document as front matter or JSON states them, and messages on unusable ones."""
    stated = {name: clean_field(fields.get(name)) for name in ("id", "title", "outlet", "author")}
    published, language, genre = (
        clean_field(fields.get(name)) for name in ("published", "language", "genre")
    )
    known: dict[str, Any] = {
        **stated,
        "published": parse_date(published) if published else None,
        "language": _parse_language(language) if language else None,
        "genre": parse_genre(genre) if genre else None,
    }
    problems = []
    if published and known["published"] is None:
        problems.append(f"{where}: '{published[:40]}' is not a date; write published as YYYY-MM-DD")
    return known, problems


# --- text of structured formats ----------------------------------------------------------------

_SPACE = re.compile(r"[^\S\u00a0\u202f]+")  # a no-break space is part of what is quoted


def _squeeze(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _compose(blocks: Iterable[_Block], document: Document) -> Document:
    """The document with the blocks as its text, a blank line between two, and its asides.

    A heading of the highest level in front is the title, unless the container states another;
    every further one is an ordinary heading.
    """
    parts: list[str] = []
    asides: list[Aside] = []
    title, position = document.title, 0
    for block in blocks:
        text = _squeeze(normalise(block.text))
        if not text:
            continue
        kind = block.kind
        if kind == "title":
            kind = "title" if not parts and title in (None, text) else "heading"
            title = text if kind == "title" else title
        if kind:
            asides.append(Aside(position, position + len(text), kind))
        parts.append(text)
        position += len(text) + 2
    return replace(document, text="\n\n".join(parts), title=title, asides=tuple(asides))


# --- the readers -------------------------------------------------------------------------------


def _read_txt(_: Path, data: bytes) -> Reading:
    return Reading((Document(normalise(decode(data))),))


def _read_markdown(path: Path, data: bytes) -> Reading:
    from markdown_it import MarkdownIt

    fields, body = _front_matter(path, normalise(decode(data)))
    known, problems = _metadata(fields, str(path))
    known["id"] = None  # an id in front matter is not promised; the file's name gives it
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    document = _compose(_markdown_blocks(tokens), Document("", structured=True, **known))
    return Reading((document,), tuple(problems))


_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^[\w-]+[ \t]*:", re.MULTILINE)


def _front_matter(path: Path, text: str) -> tuple[dict[str, object], str]:
    """Front matter and body. Every value stays a string, so that `title: No` is not False."""
    import yaml  # type: ignore[import-untyped,unused-ignore]

    match = _FRONT_MATTER.match(text)
    if match is None:
        if re.match(r"---[ \t]*\n[\w-]+[ \t]*:", text):
            raise ArticleError(f"{path}, line 1: the front matter is not closed; add a line '---' below it")
        return {}, text
    head = match[1] or ""
    if head.strip() and not _FIELD.search(head):
        return {}, text  # a rule across the page, and text
    try:
        fields = yaml.load(head, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        what = getattr(exc, "problem", None) or "not YAML"
        raise ArticleError(
            f"{path}, line {mark.line + 2 if mark else 1}: broken front matter ({what});"
            " put values with a colon in quotation marks"
        ) from exc
    if isinstance(fields, dict):
        return fields, text[match.end() :]
    if fields is None:
        return {}, text[match.end() :]
    raise ArticleError(f"{path}, line 2: the front matter has no fields; write lines such as 'title: …'")


def _markdown_blocks(tokens: Sequence[Token]) -> Iterator[_Block]:
    kind: AsideKind | None = None
    numbers: list[str] = []
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            kind = "title" if token.tag == "h1" else "heading"
        elif token.type == "list_item_open" and token.info:
            numbers.append(f"{token.info}{token.markup} ")
        elif token.type == "list_item_close":
            numbers.clear()
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield _Block(" | ".join(row or ()))
            row = None
        elif token.type == "inline":
            text = _markdown_text(token.children or ())
            if row is not None:
                row.append(text)
            else:
                yield _Block((numbers.pop() if numbers else "") + text, kind)
            kind = None
        elif token.type in ("fence", "code_block"):
            yield _Block(token.content)
        elif token.type == "html_block":
            yield _Block(_without_tags(token.content))


def _markdown_text(children: Iterable[Token]) -> str:
    """Words of inline markup; pictures and raw HTML tags say nothing."""
    words = {"text": None, "code_inline": None, "softbreak": " ", "hardbreak": " "}
    return "".join(words[c.type] or c.content for c in children if c.type in words)


def _without_tags(html: str) -> str:
    bare = re.sub(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", " ", html, flags=re.DOTALL | re.I)
    return unescape(re.sub(r"<[^<>]*>", " ", bare))


def _read_html(path: Path, data: bytes) -> Reading:
    from trafilatura import bare_extraction

    declared = re.search(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", data[:4096], re.IGNORECASE)
    html = normalise(decode(data, declared[1].decode("ascii", "replace") if declared else None))
    try:
        # only dates that the page marks up as its own: the text is full of others
        found = bare_extraction(
            html,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except RecursionError:
        raise
    except Exception as exc:  # trafilatura and lxml name no common ancestor
        raise ArticleError(f"{path} is not a readable web page ({exc}); save its text as .txt") from exc
    if found is None or isinstance(found, dict) or not (found.text or "").strip():
        raise ArticleError(f"{path} has no article in it; save the article's own page, or its text as .txt")
    fields = {"title": found.title, "outlet": found.sitename, "published": found.date}
    known, _ = _metadata({**fields, "language": _html_language(html)}, str(path))
    known["author"] = clean_field((found.author or "").replace("; ", ", "))
    known["genre"] = _html_genre(html, found.categories or [])
    document = Document("", structured=True, **known)
    return Reading((_compose(_html_blocks(found.body), document),))


def _html_language(html: str) -> str | None:
    match = re.search(r"<html\b[^<>]*?\slang\s*=\s*[\"']?([\w-]+)", html, re.IGNORECASE)
    return match[1] if match else None


def _html_genre(html: str, categories: Iterable[str]) -> Genre | None:
    kind = re.search(r'"@type"\s*:\s*(?:\[\s*)?"(Opinion|Reportage)NewsArticle"', html)
    if kind:
        return "comment" if kind[1] == "Opinion" else "report"
    return next(filter(None, map(parse_genre, categories)), None)


_HTML_BLOCKS = frozenset({"p", "head", "item", "quote", "list", "table", "row", "code"})


def _html_blocks(node: _Element, kind: AsideKind | None = None) -> Iterator[_Block]:
    """Blocks of trafilatura's tree: text between nested blocks is a block of its own."""
    words = [node.text or ""]
    for child in node:
        if child.tag == "row":
            yield _Block(" | ".join(_squeeze(" ".join(cell.itertext())) for cell in child))
        elif child.tag in _HTML_BLOCKS:
            yield _Block("".join(words), kind)
            words = []
            heading: AsideKind = "title" if child.get("rend") == "h1" else "heading"
            yield from _html_blocks(child, heading if child.tag == "head" else kind)
        else:
            words.append(" " if child.tag == "lb" else "".join(child.itertext()))
        words.append(child.tail or "")
    yield _Block("".join(words), kind)


def _read_pdf(path: Path, data: bytes) -> Reading:
    import pypdf

    try:
        pdf = pypdf.PdfReader(io.BytesIO(data))
        if pdf.is_encrypted and not pdf.decrypt(""):
            raise ArticleError(f"{path} is locked by a password; save a copy without one")
        pages = [page.extract_text().split("\n") for page in pdf.pages]
        info = pdf.metadata
        title, author = (_given_title(info.title), _person(info.author)) if info else (None, None)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # damaged PDFs raise nearly anything
        raise ArticleError(f"{path} is a broken PDF ({exc}); export it again") from exc
    document = _compose(map(_Block, reflow(pages)), Document("", title=title, author=author))
    if not document.text:
        raise ArticleError(f"{path} has no text in it, only pictures; run OCR over it (ocrmypdf)")
    return Reading((document,))


def _given_title(value: object) -> str | None:
    """Title of the metadata, unless it is what a program puts there by itself."""
    title = clean_field(value)
    if not title or " " not in title or re.search(r"^(microsoft|word doc)|\.\w{2,4}$", title, re.IGNORECASE):
        return None
    return title


def _person(name: object) -> str | None:
    """An author's name, unless it looks like an account's ("admin", "Microsoft Office User")."""
    text = clean_field(name)
    words = (text or "").split()
    person = 2 <= len(words) <= 12 and words[0][0].isupper() and words[-1][0].isupper()
    return text if person and not re.search(r"\b(user|admin|microsoft|office)\b", text or "", re.I) else None


_LIGATURES = {ord("ﬀ"): "ff", ord("ﬁ"): "fi", ord("ﬂ"): "fl", ord("ﬃ"): "ffi", ord("ﬄ"): "ffl"}
_PAGE_NUMBER = re.compile(r"(?:Seite|Page)?\s*[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|von|of)\s*\d{1,4})?", re.I)
_SENTENCE_END = re.compile(r"[.!?…:][“”\"»«’')\]]*$")


def reflow(pages: Sequence[Sequence[str]]) -> list[str]:
    """Paragraphs of printed pages: lines joined, hyphens at line ends and page numbers gone."""
    lines = [line for page in _without_running_lines(pages) for line in page]
    lengths = sorted(len(line) for line in lines if line) or [0]
    width = lengths[len(lengths) * 9 // 10]
    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        if previous and line and _goes_on(previous, line, width):
            paragraphs[-1] = _join_lines(paragraphs[-1], line)
        elif line:
            paragraphs.append(line)
        previous = line
    return paragraphs


def _without_running_lines(pages: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The pages without page numbers and the header or footer that most pages share."""
    stripped = [[line.translate(_LIGATURES).strip() for line in page] for page in pages]
    trimmed = [
        _trim(lines, lambda line: not line or bool(_PAGE_NUMBER.fullmatch(line))) for lines in stripped
    ]
    shared = Counter(key for lines in trimmed for key in {_running(line) for line in lines[:1] + lines[-1:]})
    running = {key for key, count in shared.items() if count >= max(3, len(pages) / 2)}
    for lines in trimmed:
        yield _trim(lines, lambda line: not line or _running(line) in running)


def _trim(lines: list[str], unwanted: Callable[[str], bool]) -> list[str]:
    low, high = 0, len(lines)
    while low < high and unwanted(lines[low]):
        low += 1
    while low < high and unwanted(lines[high - 1]):
        high -= 1
    return lines[low:high]


def _running(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether a paragraph goes on from one printed line to the next."""
    if _SENTENCE_END.search(line):
        return len(line) >= 0.8 * width  # a full line may end with a sentence by chance
    return following[0].islower() or line[-1] in "-\u00ad," or len(line) >= 0.6 * width


def _join_lines(text: str, line: str) -> str:
    if text.endswith("\u00ad"):
        return text[:-1] + line
    if not re.search(r"\w-$", text):
        return f"{text} {line}"
    if re.match(r"(?:und|oder|sowie|bis|bzw)\b", line):
        return f"{text} {line}"  # "Kriegs- und Abrüstungsthemen"
    return (text[:-1] if line[0].islower() else text) + line


def _read_docx(path: Path, data: bytes) -> Reading:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > 200_000_000:
            raise ArticleError(f"{path} unpacks to {unpacked / 1e6:.0f} MB; save its text as .txt")
        word = docx.Document(io.BytesIO(data))
        blocks = [_docx_block(item) for item in word.iter_inner_content()]
        info = word.core_properties
        title, author = _given_title(info.title), _person(info.author)
    except (ArticleError, RecursionError):
        raise
    except Exception as exc:  # zipfile, lxml and python-docx share no ancestor
        raise ArticleError(f"{path} is not a readable Word file ({exc}); save it again as .docx") from exc
    structured = any(block.kind for block in blocks)
    document = Document("", title=title, author=author, structured=structured)
    return Reading((_compose(blocks, document),))


def _docx_block(item: Paragraph | Table) -> _Block:
    from docx.text.paragraph import Paragraph

    if not isinstance(item, Paragraph):
        rows = (" | ".join(_squeeze(cell.text) for cell in row.cells) for row in item.rows)
        return _Block("; ".join(rows))
    style = (item.style.name if item.style else None) or ""
    if style == "Caption":
        return _Block(item.text, "caption")
    if style.startswith("Heading"):
        return _Block(item.text, "title" if style == "Heading 1" else "heading")
    return _Block(item.text, "title" if style == "Title" else None)


def _read_jsonl(path: Path, data: bytes) -> Reading:
    documents: list[Document] = []
    problems: list[str] = []
    ids: dict[str, int] = {}
    # not splitlines(): U+2028 is allowed inside a JSON string
    for number, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            document, notes = _json_document(line, where)
            if document.id and ids.setdefault(document.id, number) != number:
                raise ArticleError(
                    f"{where}: the id '{document.id}' is already taken by line {ids[document.id]}; change one"
                )
        except ArticleError as exc:
            problems.append(str(exc))
            continue
        documents.append(document)
        problems.extend(notes)
    if not documents:
        raise ArticleError(f"{path} has no usable line: {problems[0] if problems else 'it is empty'}")
    return Reading(tuple(documents), tuple(problems))


def _json_document(line: str, where: str) -> tuple[Document, list[str]]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise ArticleError(f"{where}: not JSON ({exc}); write one object a line") from exc
    if not isinstance(fields, dict):
        raise ArticleError(f'{where}: not a JSON object; write {{"text": "…"}}')
    text = fields.get("text")
    if not isinstance(text, str) or not re.search(r"\w", text):
        raise ArticleError(f'{where}: no "text"; every line needs one')
    known, problems = _metadata(fields, where)
    return Document(normalise(text), **known), problems


_READERS: Mapping[str, Callable[[Path, bytes], Reading]] = {
    ".txt": _read_txt,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
    ".docx": _read_docx,
    ".jsonl": _read_jsonl,
}
