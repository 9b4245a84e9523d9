"""The language of a text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier


def detect_language(text: str) -> str | None:
    """Language of a text by its beginning; None when it is too short to tell (under 20 letters)."""
    sample = text[:600]
    letters = sum(map(str.isalpha, sample))
    return str(_identifier().classify(sample)[0]) if letters >= 20 else None


@functools.cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    # fewer candidates, fewer mistakes on short texts: else German news is at times Luxembourgish
    identifier.set_languages(["de", "en", "fr", "pt", "uk", "ru", "es", "it", "nl", "pl"])
    return identifier
