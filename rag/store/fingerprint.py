"""What an index was built with, in words, and whether that serves the settings."""

import re

from rag.errors import IndexMismatch
from rag.models.embedding_choice import chosen
from rag.schema import ANALYSER_VERSION, BUILTIN_DIMENSION, CHUNKER_VERSION
from rag.settings import Settings
from rag.store.library_file import SCHEMA_VERSION

_DIMENSION = re.compile(r"/(\d+)(?=, chunks )")


def fingerprint(settings: Settings, dimension: int | None = None) -> str:
    """What an index depends on besides the articles, in words.

    `dimension` is that of an embedding which only its model knows; without it the fingerprint is open
    in that. Raises ConfigError for a malformed BELEG_EMBEDDING.

    >>> fingerprint(load_settings())
    'schema 2, embedding builtin/512, chunks 1/120 words, analyser 1'
    """
    choice = chosen(settings)
    length = BUILTIN_DIMENSION if choice.kind == "builtin" else dimension
    embedding = choice.identity if length is None else f"{choice.identity}/{length}"
    return (
        f"schema {SCHEMA_VERSION}, embedding {embedding},"
        f" chunks {CHUNKER_VERSION}/{settings.chunk_words} words, analyser {ANALYSER_VERSION}"
    )


def serves(found: str, wanted: str) -> bool:
    """Whether an index built with `found` serves settings that say `wanted`, which may be open."""
    return wanted in (found, _DIMENSION.sub("", found))


def dimension_of(fingerprint: str) -> int | None:
    """Length of the vectors in an index; None where the fingerprint does not say it."""
    found = _DIMENSION.search(fingerprint)
    return int(found[1]) if found else None


def check_fingerprint(found: str, wanted: str) -> None:
    """Raises IndexMismatch if an index built with `found` cannot serve settings that say `wanted`."""
    if not serves(found, wanted):
        raise IndexMismatch("index_of_other_settings", found=found, wanted=wanted)
