"""Which kind of figure or date a question asks for, and whether a sentence offers one.

Unlike "who" or "why" this can be checked: if no sentence near the question has such a figure, the articles
hardly answer it. The kinds are in `rag/data/figures.toml`.
"""

import itertools
import re

from rag.question.answer_type import COUNTED, FIGURES, PARTS, Cue, cue_of, filled
from rag.question.query import Query, understand
from rag.schema import Span
from rag.text.analysis import words
from rag.text.languages import STOP

_COARSE = frozenset({"date", "duration", "age", "number"})
_NARROW = frozenset({"duration", "age"})
_WORDS_TO_THE_NOUN = 4
_MOST_MARKED = 2
_ENDINGS = ("e", "en", "er", "es", "em")
_ASKS = {
    kind: re.compile(rf"\b{filled(told['asks'], PARTS)}", re.IGNORECASE) for kind, told in FIGURES.items()
}
_COUNTS, _NAMES = (
    re.compile(rf"\b{filled(asks, PARTS)}\b", re.IGNORECASE)
    for asks in (COUNTED["counts"], COUNTED["counts"] + COUNTED["asks"])
)


def figure_of(query: Query) -> Cue | None:
    """The figure or date that a question asks for; None where it asks for something else."""
    own = frozenset(words(query.text.lower()))
    for kind, asks in _ASKS.items():
        if asks.search(query.text):
            return Cue(kind, own)
    cue = cue_of(query.text)
    if cue is not None and cue.kind in _NARROW:  # "combien de temps" counts nothing
        return cue
    counted = {noun.lower() for noun in _said_next(query, _COUNTS)}
    named = (each for each in query.concepts if not counted.isdisjoint(each.word.lower().split()))
    if nouns := frozenset(key for concept in named for way in concept.alternatives for key in way.keys):
        return Cue("count", own, nouns)
    return cue if cue is not None and cue.kind in _COARSE else None


def asked_for(question: str, sentence: str, language: str) -> list[Span]:
    """Spans of the figure or date that a question asks for, in a sentence in `language`.

    A date is one span. Empty for more than two: marking so many would not help a reader.
    """
    figure = figure_of(understand(question, languages=(language,)))
    found = list(figure.spans(sentence, language)) if figure else []
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and not sentence[joined[-1][1] : start].strip():
            start, before = joined[-1][0], joined.pop()[1]
            end = max(end, before)
        joined.append((start, end))
    return joined if len(joined) <= _MOST_MARKED else []


def asked_noun(query: Query) -> str | None:
    """The noun after "wie viele", "welche", "which"; an answer must have one of its kind."""
    return next(iter(_said_next(query, _NAMES)), None)


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
