"""Protects the words of the interface: the same in every language, and none missing or never said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from rag.i18n import ENGLISH, GERMAN, LANGUAGES
from tests.conftest import ROOT

SERVE, EVAL = ROOT / "rag/serve", ROOT / "eval"


def flat(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every entry by its dotted key; the forms of a plural are one."""
    for name, value in table.items():
        if isinstance(value, dict) and set(value) != {"one", "other"}:
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


KEYS = dict(flat(dict(GERMAN.tables)))
CODE = "\n".join(
    path.read_text("utf-8")
    for path in [
        ROOT / "rag/i18n.py",
        *(each for home in (SERVE, EVAL) for end in ("py", "html", "md") for each in home.rglob(f"*.{end}")),
    ]
)
EVERYWHERE = "\n".join(
    path.read_text("utf-8") for folder in ("rag", "ingest") for path in (ROOT / folder).rglob("*.py")
)
SCRIPTS = "\n".join(path.read_text("utf-8") for path in SERVE.rglob("*.js"))


def blanks(said: Any) -> set[str]:
    forms = said.values() if isinstance(said, dict) else [said] if isinstance(said, str) else said
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name is not None}


def test_every_language_has_the_same_keys() -> None:
    for words in LANGUAGES.values():
        assert dict(flat(dict(words.tables))).keys() == KEYS.keys()


def test_every_phrase_has_the_same_blanks_and_says_something() -> None:
    for key in KEYS:
        said = [words.at(key) for words in LANGUAGES.values()]
        assert all(said), key
        assert len({type(each) for each in said}) == 1, key
        assert len({len(each) for each in said if not isinstance(each, str)}) <= 1, key
        assert len({frozenset(blanks(each)) for each in said}) == 1, key


def is_said(key: str) -> bool:
    section, _, name = key.rpartition(".")
    starts = [f'"{key}"', f"'{key}'"]
    if section in ("frame", "chat", "errors", "intake.file"):  # the scripts are given these tables
        return bool(
            any(start in CODE for start in starts)
            or re.search(rf'\bwords\.{name}\b|"{name}"', SCRIPTS)
            or (section == "errors" and f'"{name}"' in EVERYWHERE)  # the code of an error
        )
    # or the last part of the key is computed
    return any(start in CODE for start in [*starts, f'"{section}." +', f'"{section}.{{', f'"{section}"'])


def test_every_phrase_is_said_somewhere_and_what_is_said_is_there() -> None:
    assert [key for key in KEYS if not is_said(key)] == []
    for key in set(re.findall(r"""\bwords\(\s*["']([a-z_.]+)["']\s*[,)]""", CODE)):
        assert all(words.at(key) for words in LANGUAGES.values()), key


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    assert GERMAN("articles.count", n=1240) == "1\u202f240 Artikel"
    assert ENGLISH("articles.found", shown=1, all=1240) == "1 of 1,240 articles"
    assert (GERMAN.seconds(0.021), ENGLISH.seconds(0.021)) == ("0,02", "0.02")
    assert [GERMAN.size(n) for n in (20_000_000, 1_500_000, 500_000)] == [
        "20\u00a0MB",
        "1,5\u00a0MB",
        "500\u00a0kB",
    ]


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert ENGLISH("errors.failed", reason="{n} {}") == "The question could not be answered: {n} {}"


def test_a_blank_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        ENGLISH("articles.found", shown=1)
    with pytest.raises(KeyError):
        ENGLISH("articles.no_such_key")
