"""Foreign text as Markdown and HTML that shows exactly its words and does nothing.

Article text, model text and questions are foreign: nothing in them may become active. In
Markdown every character that could start something is written as an entity (`markdown_text`), in
HTML everything is escaped; `plain_text` gives back the words, for the history.
"""

from __future__ import annotations

import html
import re

WORD_JOINER = "\u2060"
"""Keeps a chip on the line of the word before it."""

_ACTIVE = re.compile(r"^[-+=\d]|[&<>\"\\`*_\[\]|~$#%:@]|(?<=www)\.", re.IGNORECASE)
_CHIP = re.compile(WORD_JOINER + r"\[\d+\]\(/quelle/[^)]*\)")
_NOTE = re.compile(r" ?<(cite|small)\b[^>]*>.*?</\1>")
_TAG = re.compile(r"<[^>]*>")


def markdown_text(text: str) -> str:
    """One line of Markdown that shows exactly these words and does nothing.

    >>> markdown_text("1. <b>www.taz.de</b>")
    '&#49;. &#60;b&#62;www&#46;taz.de&#60;/b&#62;'
    """
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", one_line(text))


def markdown_lines(text: str) -> str:
    """As `markdown_text`, keeping the line breaks: for what a user typed."""
    return "\n".join(markdown_text(line) for line in text.strip().splitlines())


def plain_text(markdown: str) -> str:
    """The words of a message that this module wrote, without citations, attributions and notes."""
    words = _TAG.sub("", _NOTE.sub("", _CHIP.sub("", markdown)))
    return html.unescape(re.sub(r"^> ?", "", words, flags=re.MULTILINE)).strip()


def one_line(text: str) -> str:
    return " ".join(text.split())


def shortened(text: str, length: int) -> str:
    """The beginning of a passage, cut between words."""
    line = one_line(text)
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0].rstrip(" ,;:–") + " …"
