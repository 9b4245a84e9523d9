"""Web pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from itertools import chain
from typing import Any

from ingest.readers.document import (
    Block,
    Document,
    Reading,
    clean_field,
    compose,
    metadata,
    parse_genre,
    squeeze,
)
from ingest.readers.encoding import decode
from rag.errors import ArticleError
from rag.schema import AsideKind, Genre
from rag.text.normalize import normalise

_DECLARED = re.compile(rb"(?:charset|<\?xml\b[^>]{0,80}\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read_html(data: bytes, charset: str | None = None) -> Reading:
    """The article of a page, without what surrounds it; `charset` is what its transport declares."""
    declared = _DECLARED.search(data[:4096])
    label = charset or (declared[1].decode("ascii", "replace") if declared else None)
    html = normalise(decode(data, label))
    try:
        found = _extracted(html, _OFFERS) or _extracted(html, None)
        page = page_tree(html)
    except RecursionError:
        raise
    except Exception as exc:  # trafilatura and lxml name no common ancestor
        raise ArticleError("html_unreadable", why=exc) from exc
    if found is None:
        raise ArticleError("html_without_article")
    fields = {"title": found.title, "outlet": found.sitename, "published": found.date}
    known, _ = metadata({**fields, "language": _html_language(html)})
    known["author"] = clean_field((found.author or "").replace("; ", ", "))
    known["genre"] = _html_genre(html, found.categories or [])
    _read_by_firefox(page, known)
    blocks = _whole_article(page, found.title, list(_html_blocks(found.body)))
    document = compose(blocks, Document("", structured=True, **known))
    shown = sum(len(block.text.strip()) + 2 for block in plain_blocks(page))
    left_out = {"characters": max(0, shown - len(document.text)), "pictures": len(page.findall(".//img"))}
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
"""What asks for consent, a subscription or an address, by the names that sites give it."""


def _extracted(html: str, without: list[str] | None) -> Any:
    """What trafilatura takes for the article; None when there is no text in it."""
    from trafilatura import bare_extraction

    # only dates that the page marks up as its own: the text is full of others
    found = bare_extraction(
        html,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={"extensive_search": False, "original_date": True},
        prune_xpath=without,
    )
    usable = found is not None and not isinstance(found, dict) and (found.text or "").strip()
    return found if usable else None


def page_tree(html: str) -> Any:
    """The page as a tree of elements."""
    from lxml import html as pages

    # as bytes, for lxml refuses text that declares an encoding
    return pages.document_fromstring(html.encode(), parser=pages.HTMLParser(encoding="utf-8"))


def _read_by_firefox(page: Any, known: dict[str, Any]) -> None:
    """Takes author and outlet from where the reader view of Firefox puts them."""
    for name, where in (("author", "reader-credits"), ("outlet", "reader-domain")):
        held = page.find_class(where)
        if held and not known[name]:
            known[name] = clean_field(held[0].text_content())


def _whole_article(page: Any, title: str | None, blocks: list[Block]) -> list[Block]:
    """The blocks, unless the page states its article as data and shows less of it, or they are one lump."""
    stated = _stated_body(page)
    words = " ".join(" ".join(block.text for block in blocks).split())
    if stated and " ".join(stated[-1].text.split())[-80:] not in words:
        return [Block(title, "title"), *stated] if title else stated
    if sum(bool(block.text.strip()) for block in blocks) == 1:  # the last resort for short pages
        shown = [block for block in plain_blocks(page) if " ".join(block.text.split()) in words]
        if len(shown) > 1 and sum(len(block.text) for block in shown) > 0.8 * len(words):
            return shown
    return blocks


def _stated_body(page: Any) -> list[Block]:
    """Paragraphs of the `articleBody` in a page's JSON-LD."""
    for script in page.iterfind(".//script[@type='application/ld+json']"):
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        items = data if isinstance(data, list) else [data]
        graphs = [item.get("@graph") for item in items if isinstance(item, dict)]
        for item in chain(items, *(graph for graph in graphs if isinstance(graph, list))):
            body = item.get("articleBody") if isinstance(item, dict) else None
            if isinstance(body, str) and body.strip():
                return [Block(_TAGS.sub(" ", unescape(part))) for part in body.split("\n") if part.strip()]
    return []


_TAGS = re.compile(r"</?\w[^<>]*>")
_SILENT = frozenset("script style noscript template nav footer form button svg head".split())
_APART = frozenset(
    "p h1 h2 h3 h4 h5 h6 li dt dd tr blockquote figcaption caption div section article aside main header"
    " table thead tbody tfoot ul ol dl figure pre time hr body address details summary".split()
)


_BLOCK_KINDS: Mapping[str, AsideKind] = {
    "h1": "title",
    "figcaption": "caption",
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "heading"),
}


def plain_blocks(node: Any, kind: AsideKind | None = None) -> Iterator[Block]:
    """All that a page shows, block by block; two line breaks part blocks, too."""
    words = [(node.text or "").replace("\n", " ")]
    for child in node:
        tag = child.tag if isinstance(child.tag, str) else "script"  # a comment
        if tag == "tr":
            yield from _parted("".join(words), kind)
            words = []
            yield Block(" | ".join(filter(None, (squeeze(cell.text_content()) for cell in child))))
        elif tag == "br":
            words.append("\n")
        elif tag in _APART:
            yield from _parted("".join(words), kind)
            words = []
            yield from plain_blocks(child, _BLOCK_KINDS.get(tag, kind))
        elif tag not in _SILENT:
            words.append(_inline(child))
        words.append((child.tail or "").replace("\n", " "))
    yield from _parted("".join(words), kind)


def _inline(node: Any) -> str:
    """The words of a stretch of text; a number that leads to a footnote is its mark."""
    text = str(node.text_content()).replace("\n", " ")
    leads = " ".join(map(str, node.attrib.values()))
    is_mark = node.tag == "sup" or node.find("sup") is not None or "noteref" in leads
    return f"[{text.strip()}]" if is_mark and text.strip().isdecimal() else text


def _parted(text: str, kind: AsideKind | None) -> Iterator[Block]:
    """Blocks of a text with a line break for each of its own; one alone is a space."""
    for part in re.split(r"\n\s*\n", text):
        if part.strip():
            yield Block(part, kind)


def _html_language(html: str) -> str | None:
    match = re.search(r"<html\b[^<>]*?\slang\s*=\s*[\"']?([\w-]+)", html, re.IGNORECASE)
    return match[1] if match else None


def _html_genre(html: str, categories: Iterable[str]) -> Genre | None:
    kind = re.search(r'"@type"\s*:\s*(?:\[\s*)?"(Opinion|Reportage)NewsArticle"', html)
    if kind:
        return "comment" if kind[1] == "Opinion" else "report"
    return next(filter(None, map(parse_genre, categories)), None)


_HTML_BLOCKS = frozenset({"p", "head", "item", "quote", "list", "table", "row", "code"})


def _html_blocks(node: Any, kind: AsideKind | None = None) -> Iterator[Block]:
    """Blocks of trafilatura's tree: text between nested blocks is a block of its own."""
    words = [(node.text or "").replace("\n", " ")]
    for child in node:
        if child.tag == "row":
            yield Block(" | ".join(filter(None, (squeeze(" ".join(cell.itertext())) for cell in child))))
        elif child.tag in _HTML_BLOCKS:
            yield from _parted("".join(words), kind)
            words = []
            heading: AsideKind = "title" if child.get("rend") == "h1" else "heading"
            yield from _html_blocks(child, heading if child.tag == "head" else kind)
        else:
            words.append("\n" if child.tag == "lb" else "".join(child.itertext()).replace("\n", " "))
        words.append((child.tail or "").replace("\n", " "))
    yield from _parted("".join(words), kind)
