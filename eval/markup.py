"""HTML and SVG as nested calls: what is not markup already is escaped, always."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset("br circle hr line meta path polyline rect".split())


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


Content = str | float | None | Iterable["Content"]
"""Text (escaped unless it is Markup), or several pieces one after the other; None is nothing."""


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. `class_` is the attribute class, `view_box` viewBox, `aria_label` aria-label.

    >>> tag("p", "a < b", tag("br"), class_="note")
    '<p class="note">a &lt; b<br></p>'
    """
    said = "".join(
        f' {_attribute(key)}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{said}>" if name in ("br", "hr", "meta") else f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{markup(content)}</{name}>")


def markup(content: Content) -> Markup:
    """Any content as markup."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup("")
    if isinstance(content, str | int | float):
        return Markup(escape(_plain(content)))
    return Markup("".join(markup(piece) for piece in content))


def _attribute(name: str) -> str:
    if name == "view_box":
        return "viewBox"
    return name.rstrip("_").replace("_", "-")


def _plain(value: str | float) -> str:
    # two digits are a hundredth of a pixel
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
