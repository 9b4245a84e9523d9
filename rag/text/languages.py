"""What Beleg knows of each language: the tables in `rag/data/languages/`, by dotted names."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

_FOLDER = files("rag") / "data" / "languages"
LANGUAGES = tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir()))


_TABLES = {
    language: tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    for language in LANGUAGES
}


def table(language: str, name: str) -> Any:
    """What a language's file has under a dotted name, as `courtesy.heads`; None where it has nothing."""
    found: Any = _TABLES[language]
    for key in name.split("."):
        found = (found or {}).get(key)
    return found


def rows(name: str) -> list[list[str]]:
    """The lines of a table in `rag/data`, each as its columns."""
    lines = (files("rag") / "data" / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def word_set(name: str, *languages: str) -> frozenset[str]:
    """The words of some languages, or of all."""
    return frozenset(word for each in languages or LANGUAGES for word in (table(each, name) or "").split())


def pattern(name: str, *languages: str) -> str:
    """The alternatives of some languages, or of all, as a group of a regular expression."""
    told = (table(each, name) or "" for each in languages or LANGUAGES)
    return f"(?:{'|'.join(line for lines in told for line in lines.splitlines() if line)})"


STOP = {language: word_set("stop", language) for language in LANGUAGES}
"""Function words by language: they carry no topic, and they tell the language of a question."""

CARRIERS = {language: word_set("carriers", language) for language in LANGUAGES}
"""Words by which a question asks rather than what it asks about, by language."""

DOSSIER_WORDS = word_set("dossier")
"""Words for the dossier itself: every article is one."""
