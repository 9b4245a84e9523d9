"""The language of a text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier


def detect_language(text: str) -> str | None:
    """Language of a text by its beginning; None when it is too short to tell (under 20 letters)."""
    sample = text[:600]
    words = set(sample.lower().split())
    if len(words & _GERMAN_ALONE) >= _PLAINLY + len(words & _ELSEWHERE):
        return "de"  # as the model would say, which takes a second to load and a millisecond a text
    letters = sum(map(str.isalpha, sample))
    return str(_identifier().classify(sample)[0]) if letters >= 20 else None


_GERMAN_ALONE = frozenset(
    "und nicht ist mit für auf dem sich auch eine einen einer eines wird wurde sind zum zur dass haben aus"
    " nach bei über noch nur durch vom beim oder aber der zu ein von vor sie ihre ihren ihrer seine seinen"
    " seiner diese dieser diesen keine wurden werden worden hatte hatten habe waren wenn weil ich gegen"
    " zwischen während sowie jedoch damit zwei".split()
)
_ELSEWHERE = frozenset(
    "the and of to is that with les est et une que el y il di e che het een van niet i w na z jest и в на"
    " та що у і não com".split()
)
_PLAINLY = 2  # different words that only German has


@functools.cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    # fewer candidates, fewer mistakes on short texts: else German news is at times Luxembourgish
    identifier.set_languages(["de", "en", "fr", "pt", "uk", "ru", "es", "it", "nl", "pl"])
    return identifier
