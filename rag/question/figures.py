"""Which figure or date a question asks for, in finer kinds, and whether a sentence offers one.

That a sentence offers what is asked for can be checked, other than who or why: where no sentence near the
question does, the articles hardly say it. The kinds are in `rag/data/figures.toml`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from rag.question.answer_type import Cue, cue_of
from rag.text.analysis import key, words

_COARSE = frozenset({"date", "duration", "age", "number"})
_WORDS_TO_THE_NOUN = 4
_LEAST_PART = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """The figure or date that is asked for: its kind, and for a count its noun as a search key.

    `own` are the question's words, which are no answer; `cue` where the kind is one of the coarser ones.
    """

    kind: str
    own: frozenset[str]
    noun: str | None = None
    cue: Cue | None = None

    def offered_by(self, sentence: str, language: str) -> bool:
        """Whether a sentence of an article in `language` has one that the question did not say."""
        if self.noun is not None:
            return self._counted_by(sentence, language, self.noun)
        if self.cue is not None:
            return self.cue.offered_by(sentence, language)
        found = _patterns().looks[self.kind].finditer(sentence)
        return any(not set(words(each.group().lower())) <= self.own for each in found)

    def _counted_by(self, sentence: str, language: str, noun: str) -> bool:
        """Whether a number stands at most four words before the noun that is counted."""
        said = words(sentence)
        numbers = [
            place
            for place, word in enumerate(said)
            if word.lower() not in self.own and _patterns().number.fullmatch(word)
        ]
        return any(
            _is_like(key(other, language), noun)
            for place in numbers
            for other in said[place + 1 : place + 1 + _WORDS_TO_THE_NOUN]
        )


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The patterns of `figures.toml`, compiled."""

    asks: dict[str, re.Pattern[str]]
    looks: dict[str, re.Pattern[str]]
    number: re.Pattern[str]
    counted: re.Pattern[str]
    asked: re.Pattern[str]


@functools.lru_cache(maxsize=1_000)
def figure_of(question: str, language: str) -> Figure | None:
    """The figure or date that a question asks for; None where it asks for something else."""
    own = frozenset(words(question.lower()))
    for kind, asks in _patterns().asks.items():
        if asks.search(question):
            return Figure(kind, own)
    if counted := _patterns().counted.search(question):
        return Figure("count", own, key(counted[1], language))
    cue = cue_of(question)
    return Figure(cue.kind, own, cue=cue) if cue is not None and cue.kind in _COARSE else None


def asked_noun(question: str) -> str | None:
    """The noun behind "wie viele", "welche", "which": what is asked for must be on offer."""
    found = _patterns().asked.search(question)
    return found[1] if found else None


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
        counted=_compiled(rf"\b{_any(noun['counts'])}\s*(?:\w+(?:en|e|er|es|em) )?(\w+)"),
        asked=_compiled(rf"\b{_any(noun['asks'])}\s*(\w+)"),
    )


def _any(patterns: Sequence[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
