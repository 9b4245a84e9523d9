"""Text as the rest of Beleg sees it: normalised once, and cut into paragraphs by offset."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import re
import unicodedata
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError
from rag.schema import Span
from rag.text.languages import LANGUAGES, table

if TYPE_CHECKING:
    import tiktoken

# also the invisible marks for allowed and forbidden breaks (U+00AD, U+200B, U+2060), which split
# words for a search
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b\u2060\ud800-\udfff\ufeff]")
_C1 = {0x80 + place: char for place, char in enumerate(bytes(range(0x80, 0xA0)).decode("cp1252", "replace"))}
_BLANK_LINE = re.compile(r"\n[ \t\u00a0]*\n\s*")
_NEWLINE = re.compile(r"\n\s*")
_LINE_END = re.compile(r"[.!?:…][“”\"»«’'‹›)\]]*\s*$")
_COMPARED = str.maketrans("ſİıᲀᲁᲂᲃᲄᲅᲆ", "siiвдосттъ")
_LONGEST_WRAPPED_LINE = 100
CAPITAL = "".join(filter(str.isupper, map(chr, range(0x530))))
"""The capitals of Latin, Greek and Cyrillic, for a class of a regular expression."""


def normalise(raw: str) -> str:
    """NFC with `\\n` line ends, without control characters, invisible hyphens, BOM and lone surrogates.

    C1 control characters come from Windows-1252 read as Latin-1: they become the „ or € that was meant.
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text).translate(_C1))


def lower_case(word: str) -> str:
    """The word in lower case as `re.IGNORECASE` compares it: the ſ of old print is s, İ and ı are i.

    Python's `lower` keeps them, so a pattern would find words that a table of lower-case words lacks.
    """
    return word.translate(_COMPARED).lower()


def paragraphs(text: str) -> list[Span]:
    """Spans of the paragraphs, without surrounding white space.

    A line break ends a paragraph, unless the text is hard-wrapped (every line is short, most
    paragraphs have several, and few of them end a sentence): then only a blank line does.
    """
    separator = _BLANK_LINE if _is_hard_wrapped(text) else _NEWLINE
    ends = [0, *chain.from_iterable(match.span() for match in separator.finditer(text)), len(text)]
    found = (trimmed(text, low, high) for low, high in zip(ends[::2], ends[1::2], strict=True))
    return [(low, high) for low, high in found if low < high]


def trimmed(text: str, start: int, end: int) -> Span:
    """A span without white space at its ends; of nothing else, one that ends before it starts, or there."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _is_hard_wrapped(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or max(map(len, lines)) > _LONGEST_WRAPPED_LINE:
        return False
    blocks = len(_BLANK_LINE.split(text.strip()))
    # the last line of each paragraph ends a sentence anyway
    ended = sum(bool(_LINE_END.search(line)) for line in lines) - blocks
    return len(lines) >= 2 * blocks and 3 * ended < len(lines) - blocks


def written_date(day: date | None, language: str | None = "de") -> str:
    """A day with the month in words, in German (15. August 2025) or another language; empty when unknown."""
    if day is None:
        return ""
    language = language if language in LANGUAGES else "de"
    month = table(language, "calendar.written").split()[day.month - 1]
    return f"{day.day}{'.' if language == 'de' else ''} {month} {day.year}"


def count_tokens(text: str, model: str = "gpt-4o") -> int:
    """Tokens of `text` by the vocabulary of an OpenAI model (o200k_base for unknown models)."""
    return len(_encoding(model).encode(text, disallowed_special=()))


def text_of_tokens(tokens: list[int]) -> str:
    """The text of cl100k_base tokens, the vocabulary that clients assume for an unknown model.

    Raises KeyError and OverflowError for numbers that are not tokens.
    """
    encoding = _encoding("gpt-4")
    if any(not 0 <= token <= encoding.max_token_value for token in tokens):
        raise KeyError("no token")
    return encoding.decode(tokens)


def has_vocabulary(model: str) -> bool:
    """Whether the model's vocabulary is known, so that its tokens can be counted exactly."""
    import tiktoken

    try:
        return bool(tiktoken.encoding_name_for_model(model))
    except KeyError:
        return False


@functools.cache
def _encoding(model: str) -> tiktoken.Encoding:
    # llama-index, whose import takes a second and a half, ships the vocabularies; else they were downloaded
    spec = importlib.util.find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise ConfigError("llama-index-core is not installed; run: make install")
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(Path(spec.origin).parent / "_static" / "tiktoken_cache"))
    import tiktoken

    try:
        return tiktoken.encoding_for_model(model)
    except KeyError:
        return tiktoken.get_encoding("o200k_base")
