"""German capitals for a question typed without any: they tell nouns and names from other words."""

from __future__ import annotations

import functools
import re
from importlib.resources import files

from rag.text.analysis import infinitive, key, tokens
from rag.text.languages import STOP

_WEAK_ENDING = re.compile(r"(?:e?te[nt]?|e?test|e?s?t)$")
_NO_NOUN = re.compile(r"(?:lich|isch|ig|bar|los|sam|end|te|rt)(?:e[nmrs]?)?$|te[nt]$")
_SMALL = STOP["de"] | frozenset(
    "nicht trotz wegen lange gewesen mehr schon nie immer heute gestern morgen gerade".split()
)


def with_capitals(text: str) -> str:
    """`text` with capitals for its nouns and names, as far as we know; as it is where it has some.

    What is in no dictionary is a name: "was will putin" gives "was will Putin".
    """
    if not text.islower():
        return text
    for word, start, end in reversed(tokens(text)):
        if not _is_small(word):
            text = text[:start] + word.capitalize() + text[end:]
    return text


def _is_small(word: str) -> bool:
    small, keys_of_small, keys_of_nouns = _known()
    stem = _WEAK_ENDING.sub("", word)
    if word in _SMALL or infinitive(word) != word or not small.isdisjoint((word, stem + "en", stem + "n")):
        return True
    term = key(word)
    return term not in keys_of_nouns and (term in keys_of_small or _NO_NOUN.search(word) is not None)


@functools.lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The German words of the glossary without a capital, their search keys, and those of the nouns."""
    table = (files("rag") / "data" / "keys.de.tsv").read_text(encoding="utf-8")
    pairs = [line.split("\t") for line in table.splitlines()]
    small = {word: term for word, term in pairs if term and word[0].islower()}
    return frozenset(small), frozenset(small.values()), frozenset(t for w, t in pairs if t and w[0].isupper())
