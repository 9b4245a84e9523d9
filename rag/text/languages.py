"""The words and patterns of each language: tables in `rag/data/languages/`, looked up by dotted names."""

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
    """The entry of a language's file under a dotted name, such as `courtesy.heads`; None without one."""
    found: Any = _TABLES[language]
    for key in name.split("."):
        found = (found or {}).get(key)
    return found


def rows(name: str) -> list[list[str]]:
    """The lines of a table in `rag/data`, each as its columns; none without the table (a glossary is
    optional)."""
    file = files("rag") / "data" / name
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line.split("\t") for line in lines]


def word_set(name: str, *languages: str) -> frozenset[str]:
    """The words under a name, of the given languages or of all."""
    return frozenset(word for each in languages or LANGUAGES for word in (table(each, name) or "").split())


def pattern(name: str, *languages: str) -> str:
    """The alternatives under a name, of the given languages or of all, as a group of a regular expression.

    Where there are none it matches nothing.
    """
    told = (table(each, name) or "" for each in languages or LANGUAGES)
    return f"(?:{'|'.join(line for lines in told for line in lines.splitlines() if line) or '(?!)'})"


STOP = {language: word_set("stop", language) for language in LANGUAGES}
"""Function words by language: they carry no topic, and they show the language of a question."""

CARRIERS = {language: word_set("carriers", language) for language in LANGUAGES}
"""Words that belong to asking rather than to the topic („nennen“, "tell"), by language."""

DOSSIER_WORDS = word_set("dossier")
"""Words for the dossier itself: every article is one."""
