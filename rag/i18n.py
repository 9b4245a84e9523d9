"""The words of the interface in the reader's language, from `locales/<language>.toml`.

>>> GERMAN("articles.count", n=1240), ENGLISH("articles.count", n=1)
('1\u202f240 Artikel', '1 article')
>>> ENGLISH("export.saved", date=date(2025, 3, 1))
'Saved on 1 March 2025 with Beleg'
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self


class Phrase(str):
    """A message in English that can be translated: the text, its `code`, and the values for its blanks.

    The code is a key under `[errors]` of the locales; any other text stands for itself. Values may be
    phrases, too.

    >>> kind = Phrase("format_pdf")
    >>> str(kind), GERMAN.said(kind)
    ('a PDF', 'ein PDF')
    """

    code: str
    params: Mapping[str, Any]

    def __new__(cls, code: str, /, **params: object) -> Self:
        known = code in ENGLISH.tables["errors"]
        plain = {
            name: value if isinstance(value, int | float | Phrase) else str(value)
            for name, value in params.items()
        }
        phrase = super().__new__(cls, ENGLISH(f"errors.{code}", **plain) if known else code)
        phrase.code, phrase.params = code, plain
        return phrase

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        return (self.code,), dict(self.params)

    def dump(self) -> list[Any]:
        """The phrase as JSON; `load` reads it."""
        return [self.code, {n: v.dump() if isinstance(v, Phrase) else v for n, v in self.params.items()}]

    @classmethod
    def load(cls, dumped: Any) -> Any:
        """The phrase from `dump`; any other text unchanged."""
        if not isinstance(dumped, list):
            return dumped
        return cls(dumped[0], **{name: cls.load(value) for name, value in dumped[1].items()})


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of one language; `tables` are the tables of its file."""

    lang: str
    tables: Mapping[str, Any]

    def __call__(self, key: str, /, **values: object) -> str:
        """The words for a key, with `values` in their blanks: numbers, dates and phrases in this
        language. Where a number decides between forms, it is `n`.

        Raises KeyError for an unknown key, or a blank without a value.
        """
        found = self.at(key)
        if isinstance(found, dict):
            found = found["one" if values["n"] == 1 else "other"]
        shown = {name: self._shown(value) for name, value in values.items()}
        return str(found).format_map(shown) if values else str(found)

    def said(self, message: str) -> str:
        """A phrase in this language; any other text unchanged."""
        if not isinstance(message, Phrase) or message.code not in self.tables["errors"]:
            return str(message)
        return self(f"errors.{message.code}", **message.params)

    def at(self, key: str) -> Any:
        """The entry under a dotted key: words, a list, or a table."""
        found: Any = self.tables
        for name in key.split("."):
            found = found[name]
        return found

    def _shown(self, value: object) -> str:
        match value:
            case Phrase():
                return self.said(value)
            case int():
                return self.number(value)
            case float():
                return f"{value:g}".replace(".", self.at("format.decimal"))
            case date():
                return self.long_date(value)
            case _:
                return str(value)

    def account(self, read: Mapping[str, int], left_out: Mapping[str, int]) -> str:
        """How much of a file was read and left out: "read: 2 pages; left out: 1 picture"."""
        parts = [
            self(f"account.{key}", what=", ".join(self(f"account.{kind}", n=n) for kind, n in each.items()))
            for key, each in (("read", read), ("left_out", left_out))
            if each
        ]
        return "; ".join(parts)

    def stated(self, facts: Mapping[str, object]) -> str:
        """What an article states of itself; a language of articles is a code."""
        languages, genres = self.at("articles.languages"), self.at("account.genres")
        named = {"language": languages, "genre": genres}
        told = {name: named.get(name, {}).get(value, value) for name, value in facts.items()}
        return self("account.stated", **{name: value or "–" for name, value in told.items()})

    def number(self, value: int) -> str:
        """An integer with grouped thousands: 1 240, 1,240."""
        return f"{value:,}".replace(",", self.at("format.group"))

    def seconds(self, value: float) -> str:
        """A duration with two decimals: 0,02 or 0.02."""
        return f"{value:.2f}".replace(".", self.at("format.decimal"))

    def size(self, limit: int) -> str:
        """A size in bytes for people: 20 MB, 1,5 MB, 500 kB."""
        value, unit = (limit / 1e6, "MB") if limit >= 1_000_000 else (limit / 1e3, "kB")
        return f"{value:.3g}".replace(".", self.at("format.decimal")) + f"\u00a0{unit}"

    def long_date(self, day: date) -> str:
        """16. August 2025, 16 August 2025."""
        return self._day(day, "months")

    def short_date(self, day: date) -> str:
        """15. Aug. 2025, 15 Aug 2025."""
        return self._day(day, "short_months")

    def _day(self, day: date, months: str) -> str:
        month = self.at(f"format.{months}")[day.month - 1]
        return str(self.at("format.day")).format(day=day.day, month=month, year=day.year)

    def period(self, first: date | None, last: date | None) -> str:
        """15.–19. August 2025, ab 15. Aug. 2025; one that ends before it begins is said all the same."""
        if first and last and first <= last:
            return self.dates(first, last)
        if first and last:
            return f"{self.short_date(first)} – {self.short_date(last)}"
        key, day = ("choice.since", first) if first else ("choice.until", last or date.max)
        return self(key, day=self.short_date(day))

    def dates(self, first: date, last: date) -> str:
        """15.–19. August 2025: parts that both dates share appear once."""
        if first == last:
            return self.long_date(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{str(self.at('format.range_day')).format(day=first.day)}–{self.long_date(last)}"
        start = self.long_date(first)
        if first.year == last.year:
            start = start.removesuffix(f" {first.year}")
        return f"{start} – {self.long_date(last)}"


LANGUAGES = {
    path.stem: Words(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    for path in sorted((Path(__file__).parent / "locales").glob("*.toml"))
}
GERMAN, ENGLISH = LANGUAGES["de"], LANGUAGES["en"]


def words_for(accept_language: str | None, chosen: str | None = None) -> Words:
    """The interface language: what a reader chose, else the browser's Accept-Language, else German.

    >>> words_for("en-GB,en;q=0.9,de;q=0.5").lang
    'en'
    >>> words_for("en-GB,en;q=0.9,de;q=0.5", chosen="de").lang
    'de'
    """
    if chosen in LANGUAGES:
        return LANGUAGES[chosen]
    preferred = (accept_language or "de").split(",")[0].split(";")[0].split("-")[0].strip().lower()
    return GERMAN if preferred == "*" else LANGUAGES.get(preferred, ENGLISH)
