"""Subtitles and transcripts (.srt, .vtt): the words without the times."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise

from ingest.readers.document import Block, Document, Reading, compose, decode
from rag.errors import ArticleError
from rag.text.normalize import normalise

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[,.]\d{1,3}"
_TIMES = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}[^\n]*$", re.MULTILINE)
_TAG = re.compile(r"</?(?:[bius]|c|font|ruby|rt|lang|\d\d:)[^<>\n]*>|\{\\[^}\n]*\}", re.IGNORECASE)
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]+)>|</v>")
_APART = re.compile(r"[-–—]\s+|>>|[A-ZÄÖÜ][\w. ]{1,30}:\s")  # somebody else speaks
_END = re.compile(r"[.!?…][\"“”»«’')\]]*$")
_LONG = 600  # characters of a paragraph, after which the next sentence begins a new one


def has_cues(text: str) -> bool:
    """Whether a text is made of lines with times, as subtitles are, whatever its file is called."""
    times = len(_TIMES.findall(text[:20_000]))
    return times >= 2 and 8 * times >= text[:20_000].count("\n")


def read_subtitles(data: bytes) -> Reading:
    """The cues joined to paragraphs: where somebody else speaks, or when one gets long."""
    return subtitles(normalise(decode(data)))


def subtitles(text: str) -> Reading:
    """The same, of a text. Raises ArticleError when there are no cues in it."""
    lines = list(_cues(text))
    if not lines:
        raise ArticleError("no_subtitles")
    paragraphs: list[str] = []
    for before, line in pairwise(["", *lines]):
        if line == before:  # lines that roll up are written again
            continue
        held = paragraphs[-1] if paragraphs else ""
        if not held or (_END.search(held) and len(held) > _LONG) or _APART.match(line):
            paragraphs.append(line)
        else:
            paragraphs[-1] = f"{held} {line}"
    document = compose(map(Block, paragraphs), Document("", structured=True))
    return Reading((document,), counts={"cues": len(lines)})


def _cues(text: str) -> Iterator[str]:
    """Each line of each cue, without marks and tags."""
    found = list(_TIMES.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    for match, end in zip(found, ends, strict=False):  # none where there is no cue
        body, _, behind = text[match.end() : end].strip("\n").partition("\n\n")
        lines = body.split("\n")
        if not behind and end < len(text) and len(lines) > 1 and lines[-1].strip().isdecimal():
            lines.pop()  # the number of the next, without a blank line before it
        for line in lines:
            named = _SPEAKER.sub(lambda speaker: f"{speaker[1]}: " if speaker[1] else "", line)
            said = unescape(_TAG.sub("", named)).strip()
            if said:
                yield said
