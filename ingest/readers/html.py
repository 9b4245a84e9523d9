"""Web pages; and HTML or XML, from whatever format, as blocks: what a page shows, paragraph by paragraph."""

import contextlib
import json
import re
from collections.abc import Iterator
from html import unescape
from itertools import chain
from typing import Any

from ingest.readers.document import (
    BEFORE_MARK,
    Block,
    Document,
    Reading,
    clean_field,
    compose,
    decode,
    metadata,
    parse_genre,
    refuse_long,
    squeeze,
)
from rag.errors import ArticleError
from rag.schema import AsideKind
from rag.text.languages import pattern
from rag.text.normalize import CAPITAL, normalise

_SECTION = re.compile(pattern("news.no_person"))
_DECLARED = re.compile(rb"(?:charset|<\?xml\b[^>]{0,80}\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read_html(data: bytes, charset: str | None = None) -> Reading:
    """The article of a page, without what surrounds it; `charset` is what its transport declares."""
    declared = _DECLARED.search(data[:4096])
    label = charset or (declared[1].decode("ascii", "replace") if declared else None)
    html = normalise(decode(data, label))
    page = page_tree(html)
    shown = list(blocks_of(page))
    refuse_long(sum(len(block.text.split()) for block in shown))
    offers = page.xpath(" | ".join(_OFFERS)) if (found := _extracted(html, _OFFERS)) else []
    if (found := found or _extracted(html, None)) is None:
        raise ArticleError("html_without_article")
    known = _stated(html, page, found)
    pictures, stated = len(page.findall(".//img")), _stated_body(page)
    for offer in offers:
        offer.drop_tree()
    blocks = _article(page, found)
    if stated and _letters(stated[-1].text)[-60:] not in _letters(" ".join(block.text for block in blocks)):
        blocks = [Block(found.title or "", "title"), *stated]  # the page shows less than it has
    document = compose(blocks, Document("", structured=True, **known))
    characters = sum(len(block.text.strip()) + 2 for block in shown)
    left_out = {"characters": max(0, characters - len(document.text)), "pictures": pictures}
    return Reading((document,), left_out=left_out)


_OFFERS = [
    f"//*[self::div or self::section or self::aside or self::dialog or self::p][{tests}]"
    for tests in (
        " or ".join(
            f"contains(concat(' ', translate(@{name}, '_-', '  '), ' '), ' {word} ')"
            for name in ("class", "id")
            for word in "paywall consent cookie cookies gdpr cmp newsletter modal offer".split()
        ),
        "@role='dialog' or @aria-modal='true'",
    )
]
"""Elements that ask for consent, a subscription or an address, by the names that sites give them."""


def _extracted(html: str, without: list[str] | None) -> Any:
    """The article as found by trafilatura; None without text."""
    from trafilatura import bare_extraction

    # only dates in the page's metadata, because the text is full of others
    found = bare_extraction(
        html,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={"extensive_search": False, "original_date": True},
        prune_xpath=without,
    )
    usable = found is not None and not isinstance(found, dict) and (found.text or "").strip()
    return found if usable else None


def _stated(html: str, page: Any, found: Any) -> dict[str, Any]:
    """The metadata of the page; Firefox's reader view has author and outlet in other places."""
    language = re.search(r"<html\b[^<>]*?\slang\s*=\s*[\"']?([\w-]+)", html, re.IGNORECASE)
    # a part of the window's title with a full stop is taken for an address
    guessed = re.search(r"\.\S*\s|\s\S*\.", found.sitename or "")
    site = (not guessed and found.sitename) or _site(page, found.title or "")
    fields = {"title": found.title, "outlet": site, "published": found.date}
    known, _ = metadata({**fields, "language": language[1] if language else None})
    known["author"] = clean_field((found.author or "").replace("; ", ", "))
    for name, where in (("author", "reader-credits"), ("outlet", "reader-domain")):
        held = page.find_class(where)
        if held and not known[name]:
            known[name] = clean_field(held[0].text_content())
    kind = re.search(r'"@type"\s*:\s*(?:\[\s*)?"(Opinion|Reportage)NewsArticle"', html)
    if kind:
        known["genre"] = "comment" if kind[1] == "Opinion" else "report"
    else:
        known["genre"] = next(filter(None, map(parse_genre, found.categories or [])), None)
    return known


def _site(page: Any, headline: str) -> str | None:
    """The newspaper behind the title of a window: `New bridge | Herald`.

    Before it stands the page's headline, or the page names it once more.
    """
    window = squeeze(page.findtext(".//title") or "")
    parts = re.split(r"\s+[|·•–—-]\s+", window)
    words = set(" ".join([headline, *page.xpath("//h1//text()")]).lower().split())
    shown = squeeze(" ".join(page.xpath("//body//text()")))
    for name, other in ((parts[-1], parts[0]), (parts[0], parts[-1])):
        if name == other or name in headline or _SECTION.match(name) or parse_genre(name):
            continue
        told = other.lower().split()
        headed = name[0].isupper() and name != parts[0] and 2 * len(words.intersection(told)) > len(told)
        if headed or name in shown:
            return name
    return None


def _article(page: Any, found: Any) -> list[Block]:
    """Everything from the first to the last block that trafilatura finds, and the notes after it.

    Trafilatura misses headings, lists, boxes and notes, but recognises the surroundings of an article well.
    """
    known = list(blocks_of(found.body))
    taken = _letters(" ".join(block.text for block in known))
    for element in page.xpath(_LEAVES):  # a block that is mostly links leads elsewhere
        text = _letters(element.text_content())
        links = sum(len(_letters(link.text_content())) for link in element.iter("a"))
        if links > len(text) / 2 and text not in taken:
            element.drop_tree()
    blocks = list(blocks_of(page))
    hits, at = set(), 0
    for n, block in enumerate(blocks):
        letters = _letters(block.text)
        place = taken.find(letters, max(0, at - _NEAR), at + len(letters) + _NEAR)
        if place >= 0:  # about where the one before ended
            hits.add(n)
            at = place + len(letters)
    if 2 * sum(len(_letters(blocks[n].text)) for n in hits) < len(taken):
        return known
    sure = sorted(n for n in hits if len(blocks[n].text) >= _SURE) or sorted(hits)
    first, last = sure[0], sure[-1] + 1
    while first - 1 in hits:
        first -= 1
    notes = {n for n, block in enumerate(blocks) if re.match(r"\s*\[\d+\]", block.text)}
    while last in hits | notes or (last + 1 in notes and blocks[last].kind == "heading"):
        last += 1
    before = range(max(0, first - _HEAD), first)
    title = max((n for n in before if blocks[n].kind == "title"), default=first)
    head = [block for block in blocks[title:first] if block.kind == "title" or len(block.text) >= _SURE]
    return head + blocks[first:last]


_LEAVES = "//p | //li[not(.//p)] | //h2 | //h3 | //h4 | //div[not(.//p or .//div or .//li)]"
_NEAR = 20_000  # letters
_SURE = 20  # characters of a block that stands nowhere else by chance
_HEAD = 8  # blocks between a headline and the text


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _stated_body(page: Any) -> list[Block]:
    """Paragraphs of the `articleBody` in a page's JSON-LD."""
    for script in page.iterfind(".//script[@type='application/ld+json']"):
        data: Any = None
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(script.text or "")
        items = data if isinstance(data, list) else [data]
        graphs = [item.get("@graph") for item in items if isinstance(item, dict)]
        for item in chain(items, *(graph for graph in graphs if isinstance(graph, list))):
            body = item.get("articleBody") if isinstance(item, dict) else None
            if isinstance(body, str) and body.strip():
                lines = [re.sub(r"</?\w[^<>]*>", " ", unescape(line)) for line in body.split("\n")]
                return [Block(line) for line in lines if line.strip()]
    return []


# --- blocks

_SILENT = frozenset(
    "script style noscript template nav footer form button select textarea svg iframe object video audio"
    " canvas head title del s strike rp rt".split()
)
_APART = frozenset(
    "p h1 h2 h3 h4 h5 h6 ol ul li dl dt dd tr blockquote figcaption caption div section article aside main"
    " header table thead tbody tfoot figure pre hr body address details summary center time".split()
)
_AS_HTML = {"row": "tr", "item": "li", "lb": "br", "quote": "blockquote"}
"""Names that trafilatura's tree has for the same."""
_KINDS: dict[str, AsideKind] = {
    "h1": "title",
    "figcaption": "caption",
    "caption": "caption",
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "heading"),
}
_IS_APART = re.compile(rf"[«„“\"(]?[{CAPITAL}\d][^\n]{{0,98}}[^\s.,;:!?…-]")
_BACK = re.compile(r"[↩↑^⏎↵\ufe0e\ufe0f\s]+")
_NUMBER = re.compile(r"(?:\d{1,3}\.|\[\d{1,3}\])")


def page_tree(html: str) -> Any:
    """The page as a tree of elements."""
    from lxml import html as pages

    # as bytes, for lxml refuses text that declares an encoding
    return pages.document_fromstring(html.encode(), parser=pages.HTMLParser(encoding="utf-8"))


def blocks_of(node: Any) -> Iterator[Block]:
    """All that an element shows, block by block; two line breaks part blocks, too.

    Rows of tables are blocks, items of numbered lists have their number, notes theirs in brackets; what is
    struck out says nothing.
    """
    held, kind = "", None
    for words, now in _pieces(node, None):
        if words is not None:
            held, kind = held + words, now
        elif not _NUMBER.fullmatch(held.strip()):  # else it is that of the next block
            yield from _parted(held, kind)
            held = ""
    yield from _parted(held, kind)


def _parted(text: str, kind: AsideKind | None) -> Iterator[Block]:
    """A block for each part between empty lines, or for each of a few short lines: author, outlet, day."""
    lines = [line.strip() for line in text.split("\n")]
    apart = kind is None and 1 < len(lines) < 5 and all(map(_IS_APART.fullmatch, lines))
    for part in lines if apart else re.split(r"\n[^\S\n]*\n", text):
        if part.strip():
            yield Block(re.sub(r"^\s*(\[\d+\])(?=\w)", r"\1 ", part), kind)


_Piece = tuple[str | None, AsideKind | None]  # words, or None between blocks


def _pieces(node: Any, kind: AsideKind | None) -> Iterator[_Piece]:
    tag = _tag(node)
    if tag in _SILENT or node.get("hidden") is not None:
        return
    if tag == "br":
        yield "\n", kind
        return
    kind = _KINDS.get(tag, kind)
    apart = tag in _APART
    if apart:
        yield None, kind
    if tag == "tr":
        cells = (" ".join(squeeze(block.text) for block in blocks_of(cell)) for cell in node)
        yield " | ".join(cells).strip("| "), kind
    elif (mark := _mark(node, tag)) is not None:
        yield mark, kind
    else:
        yield _flat(node.text), kind
        number = _number(node.get("start"), 1)
        for child in node:
            if tag == "ol" and _tag(child) == "li":
                number = _number(child.get("value"), number)
                is_note = re.search("note|fn", child.get("id", ""))
                yield (f"[{number}] " if is_note else f"{number}. "), kind
                number += 1
            yield from _pieces(child, kind)
            yield _flat(child.tail), kind
    if apart:
        yield None, kind


def _number(stated: str | None, usual: int) -> int:
    return int(stated) if stated and stated.isdecimal() and len(stated) < 10 and int(stated) else usual


def _tag(node: Any) -> str:
    """An element's name in HTML; comments are as silent as scripts."""
    if not isinstance(node.tag, str):
        return "script"
    level = node.get("rend")
    if node.tag == "head" and level:
        return str(level)
    if node.tag == "list":
        return "ol" if level == "ol" else "ul"
    return _AS_HTML.get(node.tag, node.tag)


def _flat(text: str | None) -> str:
    return (text or "").replace("\n", " ")


def _mark(node: Any, tag: str) -> str | None:
    """The mark of a note for a raised number, or one that leads to it; nothing for the way back from it."""
    if tag not in ("a", "sup", "span"):
        return None
    text = "".join(node.itertext()).strip()
    leads = tag == "a" and "#" in node.get("href", "")
    if leads and _BACK.fullmatch(text):
        return ""
    if not (text.isdecimal() and len(text) <= 3):
        return None
    if leads or "noteref" in " ".join(map(str, node.attrib.values())):
        return f"[{text}]"
    before = node.getprevious().tail if node.getprevious() is not None else node.getparent().text
    return f"[{text}]" if tag == "sup" and BEFORE_MARK.search(before or "") else None
