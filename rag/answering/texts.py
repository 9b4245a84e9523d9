"""The sentences that Beleg itself says in an answer, by language (English for any other)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rag.text.languages import LANGUAGES, table

WHY = ("unproven", "unanswered", "beside")
"""Why a model's answer is not shown: not borne out, none given, or of something else."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A language's phrases about the dossier and about Beleg: `[catalogue]` in its file."""

    language: str

    def at(self, name: str) -> Any:
        """A phrase, or a list of them, as in the file."""
        return table(self.language, f"catalogue.{name}")

    def __call__(self, phrase: str, /, *blanks: object, **named: object) -> str:
        """A phrase with its blanks filled in."""
        return str(self.at(phrase)).format(*blanks, **named)

    def quoted(self, words: str) -> str:
        """„Words“ in the language's quotation marks."""
        return self("quotes", words)

    def articles(self, n: int) -> str:
        """5 Artikel, 1 article, 21 стаття."""
        if self.language == "uk":
            few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
            form = 0 if n % 10 == 1 and n % 100 != 11 else 1 if few else 2
        else:
            form = 0 if n == 1 else 1
        return f"{n} {self.at('articles')[form]}"

    def day(self, day: date | None) -> str:
        """A day as the language writes it in figures."""
        return day.strftime(self("day")) if day else self("no_date")

    def days(self, first: str | None, last: str | None) -> str:
        """15.08.2025 – 19.08.2025, 15.08. of any year, … where a bound is open: from ISO dates or `MM-DD`."""
        bounds = []
        for bound in (first, last):
            if bound and len(bound) > len("MM-DD"):
                bounds.append(self.day(date.fromisoformat(bound)))
            elif bound:
                without_year = re.sub("/%Y|%Y-|%Y", "", self("day"))
                bounds.append(date.fromisoformat(f"2024-{bound}").strftime(without_year))  # any leap year
            else:
                bounds.append("…")
        return bounds[0] if first == last else " – ".join(bounds)


def say(what: str, language: str) -> str:
    """A sentence of Beleg's own, by its name under `[says]` of the languages, as `declined` or `nearest`."""
    return str(table(language if language in LANGUAGES else "en", f"says.{what}"))


def stand_in(why: str, language: str) -> str:
    """What stands above verbatim sentences in place of an answer by a model, and why (`WHY`)."""
    return f"{say('stands_in', language)} {say(why, language)}"


def values(said: Sequence[str]) -> str:
    """What two articles say differently, in a line: 2019 ≠ 2018."""
    return " ≠ ".join(" ".join(each.split()) for each in said)


NEAREST = frozenset(say("nearest", language) for language in LANGUAGES)
DIFFER = frozenset(say("differ", language) for language in LANGUAGES)
NOTICES = NEAREST | DIFFER | {stand_in(why, language) for why in WHY for language in LANGUAGES}
"""What stands above quotations and is no part of what they say."""
