"""The language of a text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from rag.text.languages import word_set

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_GERMAN_ALONE, _ELSEWHERE = word_set("news.german_alone"), word_set("news.elsewhere")
_PLAINLY = 2  # different words that only German has


def detect_language(text: str) -> str | None:
    """Language of a text by its beginning; None when it is too short to tell (under 20 letters)."""
    sample = text[:600]
    words = set(sample.lower().split())
    if len(words & _GERMAN_ALONE) >= _PLAINLY + len(words & _ELSEWHERE):
        return "de"  # as the model would say, which takes a second to load and a millisecond a text
    letters = sum(map(str.isalpha, sample))
    return str(_identifier().classify(sample)[0]) if letters >= 20 else None


@functools.cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    # fewer candidates, fewer mistakes on short texts: else German news is at times Luxembourgish
    identifier.set_languages(["de", "en", "fr", "pt", "uk", "ru", "es", "it", "nl", "pl"])
    return identifier
