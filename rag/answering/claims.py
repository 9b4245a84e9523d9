"""The figures, dates and offices that sentences state, each with what it is said of."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.schema import Article, Citation, Span
from rag.text.analysis import key, language_of, tokens
from rag.text.figures import THROUGH, Written, written
from rag.text.languages import LANGUAGES, STOP, pattern
from rag.text.sentences import opens_with_pronoun, points_back

Date = tuple[int | None, int | None, int | None]
"""Year, month and day of the month; None where it is not said."""

LEAST_WORDS = 3
"""Words that must be said of a figure, so that it can be told what it is of."""
_TO_THE_NOUN, _LOOKED_AT = 3, 80
_TIMES = "mal"
"""What „fünfmal“ counts."""
_CLAUSE = re.compile(r"[;:()?!]|,(?!\d)|\s[–—-]\s")
_JOINED = re.compile(THROUGH)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_UNIT = re.compile(r"[\s\u00a0]?(%|€|\$|£|[^\W\d_]+)")
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_NAME = rf"{_CAPITAL}[\w’'-]+(?: {_CAPITAL}[\w’'-]+)+"


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure, a date or an office that an article states, and of what.

    `span` is the place of its sentence in the article, `quote` that of what is quoted of it (with the
    sentence before where it opens with a pronoun), `at` its own, `clause` that of its clause. `kind` is
    `date`, the search key of what is counted, or an office with who had it; its value are `numbers`, `days`
    or the `place`. `about` are the search keys of the clause, `nouns` those with a capital, `said` those of
    the sentence and, where that points back, of the one before. `figures` are all numbers and days of the
    sentence, `beside` those of the clause besides its own. It may be given `roughly`; no later day changes
    one that is `lasting`, as a date or how long something took.
    """

    article: Article
    span: Span
    quote: Span
    at: Span
    clause: Span
    kind: str
    about: frozenset[str]
    said: frozenset[str]
    lasting: bool
    numbers: tuple[float, ...] = ()
    days: tuple[Date, ...] = ()
    place: str = ""
    nouns: frozenset[str] = frozenset()
    figures: frozenset[float | Date] = frozenset()
    beside: frozenset[float | Date] = frozenset()
    roughly: bool = False

    @property
    def language(self) -> str:
        """That of its article."""
        return language_of(self.article.language)

    def touches(self, citation: Citation) -> bool:
        """Whether a citation quotes its sentence, or a part of it."""
        start, end = self.span
        return self.article.id == citation.article_id and start < citation.end and citation.start < end

    @property
    def manner(self) -> tuple[bool, bool]:
        """Whether its clause denies something, and whether it is of what is planned or possible."""
        text, rules = self.article.text[slice(*self.clause)], _RULES[self.language]
        return rules["claims.denies"].search(text) is not None, rules["differ.open"].search(text) is not None


_RULES = {
    language: {
        name: re.compile(form.format(pattern(name, language)), re.IGNORECASE)
        for name, form in {
            "differ.roughly": r"\b{}\s+(?:\w+\s+)?$",
            "differ.bound": r"\b{}\s+(?:\w+\s+)?$",
            "differ.since": r"\b{}\s+(?:\w+\s+)?$",
            "differ.ago": r"\s+{}\b",
            "differ.open": r"\b{}\b",
            "claims.denies": r"\b{}\b|n't\b",
            "offers.units": "{}",
        }.items()
    }
    for language in LANGUAGES
}
"""The words of a language by which a figure is read."""


def _office(language: str) -> re.Pattern[str]:
    """„John Herbst, früher US-Botschafter in der Ukraine“, „der frühere US-Botschafter in Russland …“"""
    former, where = pattern("differ.former", language), pattern("differ.office", language)
    role = r"(?:US |U\.S\. )?(\w[\w-]*\w)"
    return re.compile(
        rf"({_NAME}), (?:\w{{1,3}} )?{former} {role} {where} ({_CAPITAL}\w+)"
        rf"|{former} {role} {where} ({_CAPITAL}\w+),? ({_NAME})"
    )


_OFFICE = {language: _office(language) for language in LANGUAGES}


def claims(article: Article, sentences: Iterable[Span]) -> Iterator[Claim]:
    """The claims of an article's sentences, which follow each other."""
    language, before = language_of(article.language), (0, 0)
    for span in sentences:
        text = article.text[slice(*span)]
        if found := list(written(text, language)):
            yield from _Sentence(article, span, text, language, before, found).claims()
        yield from (_held(article, span, match) for match in _OFFICE[language].finditer(text))
        before = span


def _held(article: Article, span: Span, match: re.Match[str]) -> Claim:
    """That somebody once had an office somewhere."""
    language = language_of(article.language)
    name, role, place = (1, 2, 3) if match[1] else (6, 4, 5)
    about = frozenset(key(word, language) for word, _, _ in tokens(f"{match[name]} {match[role]}"))
    at, clause = _moved(match.span(place), span[0]), _moved(match.span(), span[0])
    kind = " ".join(sorted(about))
    return Claim(article, span, span, at, clause, kind, about, about, lasting=True, place=match[place])


def _moved(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence with the figures and dates that stand in it, and where the sentence before stands."""

    article: Article
    span: Span
    text: str
    language: str
    before: Span
    found: Sequence[Written]

    def claims(self) -> Iterator[Claim]:
        said = {held for _, held, _ in self._words()}
        if points_back(self.text, self.language):
            said |= {
                key(word, self.language) for word, _, _ in tokens(self.article.text[slice(*self.before)])
            }
        for group in self._groups():
            yield from self._claim(group, frozenset(said))

    def _words(self) -> list[tuple[str, str, int]]:
        """The words besides figures and function words, each with its search key and where it stands."""
        taken = [(each.start, each.end) for each in self.found]
        return [
            (word, key(word, self.language), start)
            for word, start, end in tokens(self.text)
            if word.lower() not in STOP[self.language] and not any(a < end and start < b for a, b in taken)
        ]

    def _groups(self) -> Iterator[list[Written]]:
        """The figures, those of a range or a choice together: „24 oder 48 Stunden“."""
        group: list[Written] = []
        for each in sorted(self.found, key=lambda each: each.start):
            if group and not _JOINED.fullmatch(self.text[group[-1].end : each.start]):
                yield group
                group = []
            group.append(each)
        yield group

    def _value(self, group: Sequence[Written]) -> tuple[str, tuple[float, ...], tuple[Date, ...], int] | None:
        """What figures count, their numbers or days, and where that ends; None where they are bound to
        nothing."""
        rules, start, end = _RULES[self.language], group[0].start, group[-1].end
        days = tuple(day for each in group for day in each.days)
        numbers = tuple(number for each in group for number in each.numbers)
        if days:
            return "date", (), days, end
        # in German a noun with a capital stands right behind a figure that is no year
        counts = self.language == "de" and self._noun(end).istitle()
        if not counts and all(_YEAR.fullmatch(self.text[each.start : each.end]) for each in group):
            return "date", (), tuple((int(year), None, None) for year in numbers), end
        if ago := rules["differ.ago"].match(self.text, end):
            day = self.article.published
            years_ago = int(numbers[0]) if len(numbers) == 1 else 0
            then = ((day.year - years_ago, None, None),) if day and years_ago else ()
            return ("date", (), then, ago.end()) if then else None
        bound = rules["differ.bound"].search(self.text, 0, start)
        noun = _TIMES if self.text[:end].lower().endswith(_TIMES) else self._noun(end)
        if not noun or not numbers or bound:
            return None
        return key(noun, self.language), numbers, (), max(end, self.text.find(noun, end) + len(noun))

    def _figures(self, each: Written) -> list[float | Date]:
        """The numbers and days; a number that may be a year is one."""
        is_year = _YEAR.fullmatch(self.text[each.start : each.end])
        years: list[float | Date] = [(int(number), None, None) for number in each.numbers if is_year]
        return years or [*each.numbers, *each.days]

    def _noun(self, at: int) -> str:
        """The noun or unit behind a figure: in German the next word with a capital."""
        unit = _UNIT.match(self.text, at)
        if unit is None or not unit[1][0].isalpha():
            return unit[1] if unit else ""
        for word, start, _ in tokens(self.text[at : at + _LOOKED_AT])[:_TO_THE_NOUN]:
            if word.lower() in STOP[self.language] or _CLAUSE.search(self.text, at, at + start):
                return ""
            if self.language != "de" or word[0].isupper():
                return word
        return ""

    def _claim(self, group: Sequence[Written], said: frozenset[str]) -> Iterator[Claim]:
        """The claim, where enough is said of it."""
        if (value := self._value(group)) is None:
            return
        kind, numbers, days, end = value
        at, rules = (group[0].start, end), _RULES[self.language]
        words = [each for each in self._words() if not at[0] <= each[2] < end]
        cuts = [0, *(cut.end() for cut in _CLAUSE.finditer(self.text)), len(self.text)]
        clause = max(cut for cut in cuts if cut <= at[0]), min(cut for cut in cuts if cut >= end)
        about = [each for each in words if clause[0] <= each[2] < clause[1]]
        if len({held for _, held, _ in about}) < LEAST_WORDS:
            clause, about = (0, len(self.text)), words
        takes_time = rules["offers.units"].search(self.text, *at) is not None
        moving = not days and takes_time and rules["differ.since"].search(self.text, 0, at[0])
        if moving or len({held for _, held, _ in about}) < LEAST_WORDS:
            return
        placed = [(each.start, figure) for each in self.found for figure in self._figures(each)]
        others = [figure for place, figure in placed if clause[0] <= place < clause[1]]
        own = [figure for place, figure in placed if at[0] <= place < at[1]]
        alone = not opens_with_pronoun(self.text, self.language) or self.before[0] == self.before[1]
        yield Claim(
            self.article,
            self.span,
            self.span if alone else (self.before[0], self.span[1]),
            _moved(at, self.span[0]),
            _moved(clause, self.span[0]),
            kind,
            frozenset(held for _, held, _ in about),
            said,
            lasting=bool(days) or takes_time,
            numbers=numbers,
            days=days,
            nouns=frozenset(
                held for word, held, place in about if word[0].isupper() and (place or self.language == "de")
            ),
            figures=frozenset(figure for _, figure in placed) | frozenset(days),
            beside=frozenset(others) - frozenset(own),
            roughly=rules["differ.roughly"].search(self.text, 0, at[0]) is not None,
        )
