"""What kind of answer a question asks for, and whether a sentence offers one.

The coarse kinds are in the languages' files, kinds of figures (`rag.question.figures`) in
`rag/data/figures.toml`, for all languages together.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from rag.schema import Span
from rag.text.analysis import TOKEN, key, language_of, words
from rag.text.languages import LANGUAGES, pattern, table
from rag.text.normalize import CAPITAL

_WORDS_TO_THE_NOUN, _LEAST_PART = 4, 4

_NAME = rf"[{CAPITAL}][\w’'-]+"
# the order matters: "how old" asks for an age, not for just any number
_KINDS = ("date", "duration", "age", "number", "person", "place", "reason", "definition")
_ASKS = {kind: re.compile(pattern(f"asks.{kind}"), re.IGNORECASE) for kind in _KINDS}


def any_of(patterns: Sequence[str]) -> str:
    """Some patterns as alternatives of one."""
    return f"(?:{'|'.join(patterns)})"


FIGURES = tomllib.loads((files("rag") / "data" / "figures.toml").read_text(encoding="utf-8"))
"""How each kind of figure is asked for, and how it looks."""
COUNTED = FIGURES.pop("noun")
"""How a question names what it counts, or what it asks for."""
_PARTS = {name: any_of(FIGURES.pop(name)) for name in ("number", "scale", "currency")}
_NUMBER = re.compile(_PARTS["number"], re.IGNORECASE)
_FIGURE_LOOKS = {
    kind: re.compile(any_of(told["looks"]).format(**_PARTS), re.IGNORECASE) for kind, told in FIGURES.items()
}


def _offers(language: str) -> dict[str, re.Pattern[str]]:
    """What an answer of each kind looks like in an article."""

    def told(name: str) -> str:
        return pattern(f"offers.{name}", language)

    calendar = told("calendar") + (table(language, "offers.ending") or "")
    in_any_case = {
        "number": rf"\d[\d.,]*|\b{told('numbers')}\w*",
        "duration": rf"(?:\d|\b(?:{told('numbers')}|{told('one')})\w*).{{0,12}}?{told('units')}\w*",
        "reason": rf"\b{told('reasons')}\b",
        "definition": rf"\b{told('copulas')}\b",
    }
    as_written = {
        "date": rf"\b(?:1\d|20)\d\d\b|\d(?:\.|st|nd|rd|th|er)? ?(?:de )?{calendar}"
        rf"|\b{calendar}\b(?:\.? \d{{1,2}}\b(?!:))?|{told('then')}",
        "age": told("age"),
        # not at the beginning of a sentence, where everything has a capital
        "person": rf"(?<![.!?“„] )(?<!^){_NAME} (?:{told('particles')} )?{_NAME}",
        "place": rf"\b(?i:{told('places')})\b {told('before_place')}[{CAPITAL}]\w+",
    }
    told_in = {kind: re.compile(look) for kind, look in as_written.items()}
    return _FIGURE_LOOKS | told_in | {k: re.compile(look, re.IGNORECASE) for k, look in in_any_case.items()}


def _dates(language: str) -> re.Pattern[str]:
    """Dates, whose figures are not counts: „am 15. August 2025“, „seit 2014“; not „2014 Menschen“."""
    written = table(language, "calendar.written").replace(" ", "|")
    other = table(language, "offers.other_months")  # also short ones
    month = f"(?:{written}|{other})" if other else f"(?:{written})"
    behind = table(language, "offers.behind_a_count")
    counted = rf"(?! {behind})" if behind else ""
    return re.compile(
        rf"\b\d{{1,2}}(?:\.|st|nd|rd|th|er)? ?(?:de )?{month}(?:,? (?:de )?\d{{4}})?"
        rf"|\b{month} (?:\d{{1,2}}\b(?:st|nd|rd|th)?(?:, \d{{4}})?|\d{{4}})|\b(?:1[5-9]|20)\d\d\b{counted}"
    )


_OFFERS = {language: _offers(language) for language in LANGUAGES}
_DATES = {language: _dates(language) for language in LANGUAGES}


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
        if self.kind in ("number", "count"):  # figures of a date are not counts
            sentence = _DATES[language].sub(lambda date: " " * len(date[0]), sentence)
        if self.kind == "count":
            yield from self._counted(sentence, language)
            return
        for match in _OFFERS[language][self.kind].finditer(sentence):
            if not {word.lower() for word in words(match.group())} <= self.own_words:
                yield match.span()

    def _counted(self, sentence: str, language: str) -> Iterator[Span]:
        """Spans from a number to the counted noun, at most four words after it."""
        said = list(TOKEN.finditer(sentence))
        for place, word in enumerate(said):
            if word[0].lower() in self.own_words or not _NUMBER.fullmatch(word[0]):
                continue
            for other in said[place + 1 : place + 1 + _WORDS_TO_THE_NOUN]:
                held = key(other[0], language)
                parts = tuple(noun for noun in self.nouns if len(noun) >= _LEAST_PART)
                if held in self.nouns or held.startswith(parts) or held.endswith(parts):
                    yield word.start(), other.end()
                    break


def dates_in(sentence: str, language: str | None) -> list[Span]:
    """Spans of the whole dates in a sentence in `language`."""
    return [date.span() for date in _DATES[language_of(language)].finditer(sentence)]


@functools.lru_cache(maxsize=1_000)
def cue_of(question: str) -> Cue | None:
    """The kind of answer that a question in any of our languages asks for; None for no particular kind."""
    for kind, asks in _ASKS.items():
        if asks.search(question.strip()):
            return Cue(kind, frozenset(word.lower() for word in words(question)))
    return None
