"""Which kind of figure or date a question asks for, and whether a sentence offers one.

Unlike "who" or "why" this can be checked: if no sentence near the question has such a figure, the articles
hardly answer it. The kinds are in `rag/data/figures.toml`.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from rag.question.answer_type import Cue, cue_of, dates_in, without_dates
from rag.question.query import Query, understand
from rag.schema import Span
from rag.text.analysis import key, words
from rag.text.languages import STOP

_COARSE = frozenset({"date", "duration", "age", "number"})
_WORDS_TO_THE_NOUN = 4
_LEAST_PART = 4
_MOST_MARKED = 2
_ENDINGS = ("e", "en", "er", "es", "em")


@dataclass(frozen=True, slots=True)
class Figure:
    """The figure or date that a question asks for: its kind and, for a count, search keys of what is counted.

    `own` are the question's words, which cannot be the answer; `cue` is set for kinds of `answer_type`.
    """

    kind: str
    own: frozenset[str]
    nouns: frozenset[str] = frozenset()
    cue: Cue | None = None

    def offered_by(self, sentence: str, language: str) -> bool:
        """Whether a sentence in `language` has one that is not in the question."""
        return any(True for _ in self.spans(sentence, language))

    def spans(self, sentence: str, language: str) -> Iterator[Span]:
        """Where in the sentence they are, as offsets."""
        if self.nouns:
            yield from self._counted(without_dates(sentence, language), language)
        elif self.cue is not None:
            yield from self.cue.spans(sentence, language)
        else:
            for found in _patterns().looks[self.kind].finditer(sentence):
                if not set(words(found.group().lower())) <= self.own:
                    yield found.span()

    def _counted(self, sentence: str, language: str) -> Iterator[Span]:
        """Spans from a number to the counted noun, at most four words after it."""
        said, at = list[tuple[str, Span]](), 0
        for word in words(sentence):
            at = sentence.index(word, at)
            said.append((word, (at, at + len(word))))
            at += len(word)
        for place, (word, (start, _)) in enumerate(said):
            if word.lower() in self.own or not _patterns().number.fullmatch(word):
                continue
            for other, (_, end) in said[place + 1 : place + 1 + _WORDS_TO_THE_NOUN]:
                if any(_is_like(key(other, language), noun) for noun in self.nouns):
                    yield start, end
                    break


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The patterns of `figures.toml`, compiled."""

    asks: dict[str, re.Pattern[str]]
    looks: dict[str, re.Pattern[str]]
    number: re.Pattern[str]
    counted: re.Pattern[str]
    asked: re.Pattern[str]


def figure_of(query: Query) -> Figure | None:
    """The figure or date that a question asks for; None where it asks for something else."""
    own, patterns = frozenset(words(query.text.lower())), _patterns()
    for kind, asks in patterns.asks.items():
        if asks.search(query.text):
            return Figure(kind, own)
    counted = _said_next(query, patterns.counted)
    if nouns := frozenset(key for noun in counted for key in _keys(query, noun)):
        return Figure("count", own, nouns)
    cue = cue_of(query.text)
    return Figure(cue.kind, own, cue=cue) if cue is not None and cue.kind in _COARSE else None


def asked_for(question: str, sentence: str, language: str) -> list[Span]:
    """Spans of the figure or date that a question asks for, in a sentence in `language`.

    A date is one span. Empty for more than two: marking so many would not help a reader.
    """
    figure = figure_of(understand(question, languages=(language,)))
    found = list(figure.spans(sentence, language)) if figure else []
    if figure and figure.kind == "date":
        found += dates_in(sentence, language)
        found = [span for span in found if not set(words(sentence[slice(*span)].lower())) <= figure.own]
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and not sentence[joined[-1][1] : start].strip():
            start, before = joined[-1][0], joined.pop()[1]
            end = max(end, before)
        joined.append((start, end))
    return joined if len(joined) <= _MOST_MARKED else []


def asked_noun(query: Query) -> str | None:
    """The noun after "wie viele", "welche", "which"; an answer must have one of its kind."""
    return next(iter(_said_next(query, _patterns().asked)), None)


def _said_next(query: Query, asks: re.Pattern[str]) -> list[str]:
    """Candidates for the noun after the asking words: the first with a capital (German), or the next two."""
    found = asks.search(query.text)
    stop = STOP.get(query.language, frozenset())
    behind = words(query.text[found.end() :])[:_WORDS_TO_THE_NOUN] if found else []
    said = list(itertools.takewhile(lambda word: word.lower() not in stop, behind))
    if query.language == "de":
        adjectives = list(itertools.takewhile(str.islower, said))
        inflected = all(word.endswith(_ENDINGS) for word in adjectives)
        return said[len(adjectives) : len(adjectives) + 1] if inflected else []
    return said[:2]


def _keys(query: Query, noun: str) -> Iterator[str]:
    """The search keys of a question's word in the languages of the articles."""
    for concept in query.concepts:
        if noun.lower() in concept.word.lower().split():
            yield from (key for alternative in concept.alternatives for key in alternative.keys)


def _is_like(one: str, other: str) -> bool:
    return one == other or (len(other) >= _LEAST_PART and (one.endswith(other) or one.startswith(other)))


@functools.cache
def _patterns() -> _Patterns:
    data = tomllib.loads((files("rag") / "data" / "figures.toml").read_text(encoding="utf-8"))
    noun = data.pop("noun")
    parts = {name: _any(data.pop(name)) for name in ("number", "scale", "currency")}
    looks = {kind: [each.format(**parts) for each in told["looks"]] for kind, told in data.items()}
    return _Patterns(
        asks={kind: _compiled(rf"\b{_any(told['asks'])}") for kind, told in data.items()},
        looks={kind: _compiled(_any(each)) for kind, each in looks.items()},
        number=_compiled(parts["number"]),
        counted=_compiled(rf"\b{_any(noun['counts'])}(?!\w)"),
        asked=_compiled(rf"\b{_any(noun['asks'])}(?!\w)"),
    )


def _any(patterns: Sequence[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
