"""What Beleg says about the dossier itself, and of itself, by language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rag.text.languages import LANGUAGES, table


@dataclass(frozen=True, slots=True)
class Texts:
    """The phrases of one language; `{…}` are filled in. `articles` are the forms for 1, 2 and 5."""

    day: str
    quotes: str
    articles: tuple[str, str, str]
    holds: str
    of: str
    no_article: str
    none_of: str
    ranging: str
    newest: tuple[str, str]
    oldest: tuple[str, str]
    written_by: str
    appeared: str
    appeared_in: str
    no_author: str
    no_date: str
    no_outlet: str
    no_title: str
    outlets: str
    authors: str
    languages: str
    period: str
    undated: str
    more: str
    mentions: str
    genres: tuple[str, str]
    weekdays: tuple[str, ...]
    names: tuple[str, ...]
    greeting: str
    thanks: str
    task: str
    about_me: str

    def articles_of(self, n: int) -> str:
        """5 Artikel, 1 article, 21 стаття."""
        if self is TEXTS["uk"]:
            few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
            form = 0 if n % 10 == 1 and n % 100 != 11 else 1 if few else 2
        else:
            form = 0 if n == 1 else 1
        return f"{n} {self.articles[form]}"

    def day_of(self, day: date | None) -> str:
        return day.strftime(self.day) if day else self.no_date

    def days_of(self, first: str | None, last: str | None) -> str:
        """15.08.2025 – 19.08.2025, 15.08. of any year, … where a bound is open."""
        bounds = [self._written(bound) if bound else "…" for bound in (first, last)]
        return bounds[0] if first == last else " – ".join(bounds)

    def _written(self, bound: str) -> str:
        """An ISO date, or `MM-DD`, as the language writes it."""
        if len(bound) > len("MM-DD"):
            return date.fromisoformat(bound).strftime(self.day)
        without_year = self.day.replace("/%Y", "").replace("%Y-", "").replace("%Y", "")
        return date.fromisoformat(f"2024-{bound}").strftime(without_year)  # a leap year


TEXTS = {language: Texts(**table(language, "catalogue")) for language in LANGUAGES}
