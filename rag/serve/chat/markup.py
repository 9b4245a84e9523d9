"""Foreign text as Markdown that shows exactly its words and does nothing.

Article text, model text and questions are not trusted: nothing in them may become active. Every character
that could start markup is written as an entity. For HTML the templates do the same.
"""

from __future__ import annotations

import re

WORD_JOINER = "\u2060"
"""Keeps a chip on the line of the word before it."""

_ACTIVE = re.compile(r"^[-+=\d]|[&<>\"\\`*_\[\]|~$#%:@]|(?<=www)\.", re.IGNORECASE)


def markdown_text(text: str) -> str:
    """One line of Markdown that shows exactly these words and does nothing.

    >>> markdown_text("1. <b>www.taz.de</b>")
    '&#49;. &#60;b&#62;www&#46;taz.de&#60;/b&#62;'
    """
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", one_line(text))


def markdown_lines(text: str) -> str:
    """As `markdown_text`, keeping the line breaks: for what a user typed."""
    return "\n".join(markdown_text(line) for line in text.strip().splitlines())


def one_line(text: str) -> str:
    return " ".join(text.split())


def shortened(text: str, length: int) -> str:
    """The beginning of a passage, cut between words."""
    line = one_line(text)
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0].rstrip(" ,;:–") + " …"
