"""Web pages."""

import contextlib
import json
import re
from html import unescape
from itertools import chain
from typing import Any

from ingest.readers.document import (
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
from ingest.readers.markup import blocks_of, page_tree
from rag.errors import ArticleError
from rag.text.languages import pattern
from rag.text.normalize import normalise

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
