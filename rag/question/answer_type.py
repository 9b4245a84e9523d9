"""What kind of answer a question asks for, and whether a sentence offers one.

The coarse kinds are in the languages' files, kinds of figures (`rag.question.figures`) in
`rag/data/figures.toml`, for all languages together.
"""

import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from rag.schema import Span
from rag.text.analysis import TOKEN, key, language_of, words
from rag.text.figures import COMPOUND, dates, written
from rag.text.languages import LANGUAGES, pattern, table
from rag.text.normalize import CAPITAL

_WORDS_TO_THE_NOUN, _LEAST_PART = 4, 4
_CLAUSE_END = re.compile("[,;:()–—]")

_NAME = rf"[{CAPITAL}][\w’'-]+"
# the order matters: "how old" asks for an age, not for just any number
_KINDS = ("date", "duration", "age", "number", "person", "place", "reason", "definition")
_ASKS = {kind: re.compile(pattern(f"asks.{kind}"), re.IGNORECASE) for kind in _KINDS}


def filled(patterns: Sequence[str], parts: Mapping[str, str]) -> str:
    """Some patterns as alternatives of one, with `parts` for the names in braces."""
    return re.sub(r"\{([a-z]+)\}", lambda name: parts[name[1]], f"(?:{'|'.join(patterns)})")


FIGURES = tomllib.loads((files("rag") / "data" / "figures.toml").read_text(encoding="utf-8"))
"""How each kind of figure is asked for, and how it looks."""
COUNTED = FIGURES.pop("noun")
"""How a question names what it counts, or what it asks for."""
PARTS = {name: filled(FIGURES.pop(name), {}) for name in ("currency", "percent", "sum", "unit")}
_ONE = {language: rf"\b{filled(table(language, 'numbers.one').split(), {})}\b" for language in LANGUAGES}
_DIGITS = r"(?<![\d.,])\d[\d.,\s]*+"
_OF_DATES = frozenset({"date", "year"})


def _offers(language: str) -> dict[str, re.Pattern[str]]:
    """What an answer of each kind looks like in an article."""

    def told(name: str) -> str:
        return pattern(f"offers.{name}", language)

    calendar = told("calendar") + (table(language, "offers.ending") or "")
    number = rf"(?:{_DIGITS}|{_ONE[language]})"
    parts = PARTS | {"digits": _DIGITS, "number": number, "time": told("units")}
    figures = {kind: filled(how["looks"], parts) for kind, how in FIGURES.items()}
    in_any_case = figures | {
        "some": rf"\b{told('some')}\b",
        "number": r"\d[\d.,]*",
        "count": rf"\d(?:[.,]?\d)*|{_ONE[language]}",
        "duration": rf"(?:\d|{_ONE[language]}).{{0,12}}?{told('units')}\w*",
        "reason": rf"\b(?:{told('reasons')}|{told('may_be_reasons')})\b",
        "named reason": rf"\b{told('reasons')}\b",
        "definition": rf"\b{told('copulas')}\b",
    }
    as_written = {
        "year alone": rf"\b(?:1[5-9]|20)\d\d\b(?! {told('behind_a_count')})",
        "date": rf"\b(?:1\d|20)\d\d\b|\d(?:\.|st|nd|rd|th|er)? ?(?:de )?{calendar}"
        rf"|\b{calendar}\b(?:\.? \d{{1,2}}\b(?!:))?|{told('then')}",
        "age": rf"{told('age')}|(?<=\w)(?:, | \()\d{{1,3}}(?=[,)])",  # „Jan Harms (72)“, « Anne Roy, 43, »
        # not at the beginning of a sentence, where everything has a capital
        "person": rf"(?<![.!?“„] )(?<!^){_NAME} (?:{told('particles')} )?{_NAME}",
        "place": rf"\b(?i:{told('places')})\b {told('before_place')}[{CAPITAL}]\w+",
    }
    told_in = {kind: re.compile(look) for kind, look in as_written.items()}
    return told_in | {kind: re.compile(look, re.IGNORECASE) for kind, look in in_any_case.items()}


_OFFERS = {language: _offers(language) for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Cue:
    """The kind of answer that a question asks for, and its own words, which cannot be the answer.

    For a `count`, `nouns` are the search keys of what is counted.
    """

    kind: str
    own_words: frozenset[str]
    nouns: frozenset[str] = frozenset()

    def offered_by(self, sentence: str, language: str | None = "de") -> bool:
        """Whether a sentence in `language` has something of that kind that is not in the question."""
        return any(True for _ in self.spans(sentence, language))

    def spans(self, sentence: str, language: str | None = "de") -> Iterator[Span]:
        """Where in the sentence that is, as offsets."""
        language = language_of(language)
        said, of_dates = in_digits(sentence, language), dates_in(sentence, language)
        texts = {sentence, said}
        if self.kind not in _OF_DATES:  # the figures of a date count nothing
            for start, end in of_dates:
                said = said[:start] + " " * (end - start) + said[end:]
            texts = {said}
        look = _OFFERS[language][self.kind]
        found = {match.span() for text in texts for match in look.finditer(text)}
        for start, end in sorted(found.union(of_dates if self.kind == "date" else ())):
            is_own = {word.lower() for word in words(sentence[start:end])} <= self.own_words
            last = self._noun(sentence, end, language) if self.kind == "count" else end
            if last and not is_own:
                yield start, last

    def _noun(self, sentence: str, start: int, language: str) -> int:
        """The end of the counted noun, at most four words behind a number; 0 without one."""
        parts = tuple(noun for noun in self.nouns if len(noun) >= _LEAST_PART)
        clause = _CLAUSE_END.search(sentence, start)
        behind = TOKEN.finditer(sentence, start, clause.start() if clause else len(sentence))
        for word in itertools.islice(behind, _WORDS_TO_THE_NOUN):
            held = key(word[0], language)
            # „94 Arten“ are an answer to „Wie viele Wildbienenarten …?“
            is_head = language == "de" and len(held) > 2 and any(noun.endswith(held) for noun in self.nouns)
            if held in self.nouns or held.startswith(parts) or held.endswith(parts) or is_head:
                return word.end()
        return 0


@functools.lru_cache(maxsize=5_000)
def in_digits(sentence: str, language: str) -> str:
    """A sentence at the same length with zeros for each number in words: „000 Männer“, „0000jährig“.

    Also for words that tell no exact number, such as „mehrere“; not for "one", which is also an article.
    """
    for number in [each for each in written(sentence, language) if each.numbers]:
        tail = COMPOUND.search(sentence, number.start, number.end)
        end = tail.start() if tail else number.end
        sentence = sentence[: number.start] + "0" * (end - number.start) + sentence[end:]
    return _OFFERS[language]["some"].sub(lambda some: "0" * len(some[0]), sentence)


def dates_in(sentence: str, language: str | None) -> list[Span]:
    """Spans of the dates in a sentence in `language`, whose figures are not counts.

    „am 15. August 2025“, „seit 2014“; not „2014 Menschen“.
    """
    language = language_of(language)
    found = [(day.start, day.end) for day in dates(sentence, language)]
    years = (year.span() for year in _OFFERS[language]["year alone"].finditer(sentence))
    return found + [(low, high) for low, high in years if not any(a <= low < b for a, b in found)]


@functools.lru_cache(maxsize=1_000)
def cue_of(question: str) -> Cue | None:
    """The kind of answer that a question in any of our languages asks for; None for no particular kind."""
    for kind, asks in _ASKS.items():
        if asks.search(question.strip()):
            return Cue(kind, frozenset(word.lower() for word in words(question)))
    return None
