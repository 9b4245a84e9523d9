"""Finds what is aside in an article: title, bylines, datelines, captions, footers, notices, headings."""

import re
from collections.abc import Iterator
from itertools import chain

from ingest.readers.document import date_of, parse_genre
from ingest.structure.shapes import (
    AGENCIES,
    BESIDE,
    CREDITS,
    LIST_ITEM,
    NAME,
    NAMED,
    OUTLETS,
    PLACE,
    QUOTED,
    RUBRIC_ALONE,
    STARTS_HIGH,
    TIME,
    Facts,
    Finding,
    byline_of,
    bylines,
    ends_sentence,
    is_about,
    is_signed,
    lists_days,
    looks_like_title,
    masthead,
    newspaper,
    outlet_of_word,
    word_count,
)
from rag.schema import Span
from rag.text.figures import DATE, FULL_DATE
from rag.text.languages import pattern, word_set
from rag.text.normalize import CAPITAL, trimmed

# --- the head: title, bylines and datelines

_HEAD_BLOCKS, _HEAD_LENGTH = 8, 500
_DATE_MARK = re.compile(rf"(?i:date|datum|data|дата)\b\s*:?\s*{FULL_DATE.pattern}(?i:{TIME})?\s*")
_DATELINES = (
    # Berlin (dpa) -   MOSKAU/KIEW, 16. August (Reuters) –   (AFP)
    re.compile(
        rf"(?:{PLACE}(?:,\s*{DATE.pattern}\.?)?\s*)?\((?P<codes>[\w./, +-]{{2,40}})\)\s*[-–—:|.]+\s*(?=\S)"
    ),
    # Washington taz |   BERLIN dpa/taz |
    re.compile(rf"{PLACE}\s+(?P<codes>[\w/-]{{2,20}})\s*\|\s*(?=\S)"),
)
# BERLIN, 15. August.   (in capitals only: "Genf, 16. Juni 2021." is how a sentence may begin)
_CAPITAL_DATELINE = re.compile(
    rf"[{CAPITAL}]{{3,}}(?:[ /-][{CAPITAL}]+)*,\s*{DATE.pattern}(?:\.\s*[-–—:]?|\s*[-–—:])\s*(?=\S)"
)
_LONGEST_OPENER = 12  # words: a title may be a sentence


def head(text: str, blocks: list[Span], title: str | None, language: str | None) -> Iterator[Finding]:
    """Title, bylines and datelines among the first blocks."""
    rest: list[Span] = []  # neither byline nor dateline
    is_list = lists_days(text[start:end] for start, end in blocks)
    if not is_list:
        beside = (_cut_at_bar(text, *block, language) for block in blocks[:2])
        blocks = [*chain.from_iterable(beside), *blocks[2:]]
    lines = [text[start:end].strip() for start, end in blocks]
    above = bool(title and blocks and title in text[blocks[0][1] :][:_HEAD_LENGTH])
    stated = bylines(lines[:_HEAD_BLOCKS], language, titled=bool(title), above=above)
    has_dateline = False
    texts, author = 0, None
    for (block_start, end), facts in zip(blocks, stated, strict=False):
        start = block_start
        for found in () if has_dateline or facts else _opening(text, start, end, language):
            has_dateline = not _DATE_MARK.match(text, start, found.end)
            start = found.end
            yield found
        line = text[start:end].strip()
        facts = facts if start == block_start else byline_of(line, language)
        if rest and text.startswith(_BAR, start - len(_BAR)):
            facts = facts or masthead(line, language)
        if (rest or title) and not texts:
            facts = facts or (None if is_list else byline_of(line, language, in_head=True))
        elif facts and not (rest or title) and (facts.keys() == {"author"} or NAMED.match(line)):
            facts = None  # a name alone belongs to a byline only between title and text
        # below a lead, and in a list, what merely might be a byline is text
        who = (facts or {}).get("author", "")
        named = author or (who and not FULL_DATE.match(line, len(who) + 2))
        below_lead = named and (title or len(rest) > texts) and not (is_list or ends_sentence(line))
        if facts and (not (texts or is_list) or (texts < 2 and (below_lead or is_signed(line, facts)))):
            yield _byline(start, end, facts)
            author = None if "published" in facts else facts.get("author", author)
        elif author and is_about(author, line):
            yield Finding(start, end, "byline")
        elif line and not _AROUND.match(line):
            rest.append((start, end))
            author = None
            # what comes first may be a title that is a sentence
            long = word_count(line) > (_LONGEST_OPENER if len(rest) == 1 else 4)
            if texts or (ends_sentence(line) and long):
                texts += 1
    if len(rest) > 1:
        yield from _titles(text, rest, title)


def _opening(text: str, start: int, end: int, language: str | None) -> Iterator[Finding]:
    """Date mark and dateline in front of a block's first sentence."""
    if mark := _DATE_MARK.match(text, start, end):
        yield Finding(start, mark.end(), "dateline", {"published": date_of(mark, language)})
        start = mark.end()
    for form in (*_DATELINES, _CAPITAL_DATELINE):
        match = form.match(text, start, end)
        source = _source_of(match.groupdict().get("codes") or "") if match else {}
        if match and (source or form is _CAPITAL_DATELINE):
            stamp = FULL_DATE.search(match[0])
            published = date_of(stamp, language) if stamp else None
            yield Finding(start, match.end(), "dateline", {"published": published, **source})
            return


def _byline(start: int, end: int, facts: Facts) -> Finding:
    dated_only = facts.keys() <= {"published", "updated"}
    return Finding(start, end, "dateline" if facts and dated_only else "byline", facts)


def _source_of(codes: str) -> Facts:
    """Outlet and agency that a dateline's codes name: "dpa/taz"; empty when it names none."""
    words = re.split(r"[/,\s+]+", codes.strip().lower())
    outlet = next((OUTLETS[word] for word in words if word in OUTLETS), None)
    agency = next((AGENCIES[name] for w in words for name in (w, w.split("-")[0]) if name in AGENCIES), None)
    return {key: value for key, value in (("outlet", outlet), ("agency", agency)) if value}


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
    is_kicker = word_count(line) <= 2 or RUBRIC_ALONE.fullmatch(line)
    if genre or (is_kicker and len(rest) > 1 and looks_like_title(text[slice(*rest[0])])):
        yield Finding(start, end, "heading", {"genre": genre})
        if len(rest) > 1:
            yield from _titles(text, rest, title)
    elif title is not None:
        yield Finding(start, end, "heading")
    else:
        yield Finding(start, end, "title", {"title": line.partition(_BAR)[0].strip()})


_BAR = " | "


def _cut_at_bar(text: str, start: int, end: int, language: str | None) -> list[Span]:
    """A title apart from its byline or rubric: `Roter Teppich | Vitaly Portnikov. 15.08.2025.`"""
    name, bar, behind = text[start:end].partition(_BAR)
    is_known = byline_of(behind, language) or masthead(behind, language) or parse_genre(name)
    is_apart = bar and is_known and looks_like_title(name)
    if not is_apart or byline_of(text[start:end], language) or newspaper(text[start:end], language):
        return [(start, end)]
    return [(start, start + len(name)), (end - len(behind), end)]


# --- captions and credits --------------------------------------------------------------------

_CAPTION_MARK = re.compile(r"[▲△📷📸]")
_CREDIT_START = re.compile(rf"[(\[]?(?:{CREDITS}(?:\s*\([^)]*\))?\s*[:©]|©|Copyright\b)", re.IGNORECASE)
_CREDIT_TAIL = re.compile(rf"[(\[]?(?:\b{CREDITS}\s*:\s*|©\s*)[^.!?\n]{{2,80}}[)\]]?\.?$", re.IGNORECASE)
_LONGEST_CAPTION = 45
_CONNECTORS = word_set("news.credit_joins")
_PHOTO_SOURCES = word_set("news.photo_sources") | AGENCIES.keys()


def captions(text: str, blocks: list[Span]) -> Iterator[Finding]:
    """Captions marked by ▲ or by a credit at their end, and lines that are nothing but a credit."""
    after_mark = False
    for start, end in blocks:
        line = text[start:end]
        marked = bool(_CAPTION_MARK.match(line))
        tail = _CREDIT_TAIL.search(line, max(0, len(line) - 100))
        short = word_count(line) <= _LONGEST_CAPTION
        credited = short and (tail or _CREDIT_START.match(line))
        words = line.split()
        # in capitals, or with a stroke between photographer and agency
        names = all(not word[0].islower() or word in _CONNECTORS for word in words)
        shouted = line.isupper() or ("/" in line and names)
        bare = len(words) <= 14 and not ends_sentence(line) and line[-1] not in ",;"
        if marked or credited or _is_credit(line) or (after_mark and shouted and bare):
            yield Finding(start, end, "caption")
        elif tail:
            yield Finding(start + tail.start(), end, "caption")
        after_mark = marked


def _is_credit(line: str) -> bool:
    """Whether a line names the source of a picture: "AFP/Getty Images", "POOL/AFP über Getty Images"."""
    words = re.split(r"[\s/,()]+", line.strip(" ()[]"))
    known = any(word.lower() in _PHOTO_SOURCES for word in words)
    names = all(not word[:1].islower() or word.lower() in _CONNECTORS | _PHOTO_SOURCES for word in words)
    return known and names and len(words) <= 14 and not ends_sentence(line)


# --- the tail: footers -----------------------------------------------------------------------

_FOOTER_LINES = 4
_LINE = re.compile(r".*\S.*")
_SOURCE_TAIL = re.compile(
    r"\((?:(?:mit|aus) \w+ (?:von|der)\s+)?(?P<codes>[^()\n]{2,60})\)$"
    rf"|(?i:{pattern('news.sources')})\s?:\s*(?P<named>[\w/, +-]{{2,40}})$"
)


def tail(text: str, blocks: list[Span], structured: bool, language: str | None) -> Iterator[Finding]:
    """Footers, bylines and sources in the last lines, up to the end of the running text."""
    last_blocks = blocks[-_FOOTER_LINES - 1 :]
    lines = [trimmed(text, *line.span()) for block in last_blocks for line in _LINE.finditer(text, *block)]
    is_list = lists_days(text[slice(*line)] for line in lines)
    footers: list[Finding] = []
    while len(lines) > 1 and len(footers) <= _FOOTER_LINES:
        (start, end), line, before = lines[-1], text[slice(*lines[-1])], text[slice(*lines[-2])]
        if (byline := byline_of(line, language)) and (not is_list or is_signed(line, byline)):
            yield _byline(start, end, byline)
        elif not structured and (footer := _footer(start, end, line, before)):
            footers.append(footer)
        else:
            break
        lines.pop()
    last = text[slice(*lines[-1])] if lines else ""
    if len(footers) <= _FOOTER_LINES and (ends_sentence(last) or word_count(last) > HEADING_WORDS):
        yield from footers
    if lines:
        yield from _source_tail(text, *lines[-1])


def _footer(start: int, end: int, line: str, before: str) -> Finding | None:
    """A last line of few words, and the source that it states: observador, (dpa/AFP), Quelle: Reuters.

    None for a sentence, an item of a list or the speaker of a quote.
    """
    is_apart = word_count(line) <= 4 and not ends_sentence(line) and line[-1] not in ",;" and "," not in line
    if not is_apart or _is_attribution(line, before) or LIST_ITEM.match(line):
        return None
    words = re.sub(rf"^(?i:{pattern('news.sources')})\s?:\s*|[()\[\]]", "", line).lower()
    if all(word in AGENCIES or word in OUTLETS for word in re.split(r"[/,\s+]+", words)):
        return Finding(start, end, "footer", _source_of(words))
    if _is_credit(line) or _CREDIT_START.match(line):
        return Finding(start, end, "caption")
    outlet = outlet_of_word(line) if word_count(line) == 1 else None
    return Finding(start, end, "footer", {"outlet": outlet, "genre": parse_genre(line)})


def _source_tail(text: str, start: int, end: int) -> Iterator[Finding]:
    """A source behind the last sentence: (dpa/AFP), (Anna Muster, APA, 3.5.2016), Quelle: dpa."""
    match = _SOURCE_TAIL.search(text, max(start, end - 80), end)
    if match is None:
        return
    codes = match["codes"] or match["named"]
    facts = byline_of(codes) or _source_of(codes)
    # "(16.7.2018)" and "(dpa)" may also be the last words of a sentence
    if facts and ("author" in facts or ends_sentence(text[start : match.start()].rstrip())):
        yield Finding(match.start(), match.end(), "footer", facts)


# --- notices to readers ----------------------------------------------------------------------

_AROUND = re.compile(rf"[^.!?«›»>]{{1,30}}(?:\s[›»>]\s[^.!?«›»>]{{1,30}})+$|{BESIDE.pattern}$", re.IGNORECASE)
_NOTICE = re.compile(rf"(?:[>»→►▶]\s*)?{pattern('news.notices')}|{_AROUND.pattern}", re.IGNORECASE)
_LONGEST_NOTICE = 35
COMMENT_NOTE = re.compile(pattern("news.comment_notes"))


def notices(text: str, blocks: list[Span]) -> Iterator[Finding]:
    """Paragraphs that send the reader elsewhere, or say where this is: "Lesen Sie auch: …", "Home › News"."""
    for start, end in blocks:
        if _NOTICE.match(text, start, end) and word_count(text[start:end]) <= _LONGEST_NOTICE:
            yield Finding(start, end, "footer")


# --- headings --------------------------------------------------------------------------------

_JUNCTION = re.compile(r"(?<=[a-zäöüß\d?!“”»\"])(?=[A-ZÄÖÜ][a-zäöüß]|„)")
_LONGEST_HEADING = 100
_STARTERS = word_set("news.starters")
HEADING_WORDS = 15


def glued_headings(text: str, blocks: list[Span]) -> Iterator[Finding]:
    """Headings without a space before the sentence that follows: "… Putins SchwergewichteAm 18. Februar"."""
    for start, end in blocks:
        if not ends_sentence(text[max(start, end - 20) : end]):
            continue
        for junction in _JUNCTION.finditer(text, start, min(end, start + 170)):
            cut = junction.start()
            heading, rest = text[start:cut], text[cut : min(end, cut + 200)]
            if re.search(r"[.!?…]\s", heading):
                break
            if len(rest.split()) >= 5 and _is_glued(heading, rest):
                yield Finding(start, cut, "heading")
                break


def _is_glued(heading: str, rest: str) -> bool:
    """Whether a heading ends where a capital follows directly, rather than inside "YouTube"."""
    right = re.match(r"„|[^\W\d_]+", rest)
    if right is None or not 2 <= len(heading.split()) <= 20 or not STARTS_HIGH.match(heading):
        return False
    if heading[-1] in "?!" or right[0] == "„":
        return bool(re.search(r"\w[?!]?$", heading))
    # "In" ends words, too: LinkedIn, MitarbeiterIn
    starts_sentence = right[0] in _STARTERS and right[0] != "In" and rest[right.end()] in " ,\u00a0"
    return starts_sentence and bool(re.search(r"\w[“”»\"]?$", heading))


def headings(text: str, blocks: list[Span]) -> Iterator[Finding]:
    """Short lines without final punctuation between paragraphs of running text.

    Three in a row are a list. In a text mostly without punctuation no headings can be recognised.
    """
    lines = [text[start:end] for start, end in blocks]
    if 2 * sum(ends_sentence(line) for line in lines) < len(lines):
        return
    run: list[int] = []
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else ""
        if (
            len(line) <= _LONGEST_HEADING
            and word_count(line) <= (10 if line[-1] in "?!" else HEADING_WORDS)
            and looks_like_title(line)
            and not _is_attribution(line, before)
            and not before.endswith(":")  # a line after a colon is text
        ):
            run.append(index)
            continue
        if len(run) < 3 and ends_sentence(line) and not LIST_ITEM.match(line):
            yield from (Finding(*blocks[i], "heading") for i in run)
        run = []


_ATTRIBUTION = re.compile(rf"{NAME}\s*[,(]")


def _is_attribution(line: str, before: str) -> bool:
    """The speaker's line below a pull quote: "Michael McFaul, ehemaliger US-Botschafter in Russland"."""
    return bool(_ATTRIBUTION.match(line)) or bool(QUOTED.match(before) and re.fullmatch(NAME, line))
