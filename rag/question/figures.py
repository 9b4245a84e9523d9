"""Which kind of figure or date a question asks for, and whether a sentence offers one.

Unlike "who" or "why" this can be checked: if no sentence near the question has such a figure, the articles
hardly answer it. The kinds are in `rag/data/figures.toml`.
"""

import itertools
import re
from collections.abc import Sequence

from rag.question.answer_type import COUNTED, FIGURES, PARTS, Cue, cue_of, filled
from rag.question.query import Query, understand
from rag.schema import Span
from rag.text.analysis import key, words
from rag.text.languages import LANGUAGES, STOP, word_set

_COARSE = frozenset({"date", "duration", "age", "number"})
_NARROW = frozenset({"duration", "age"})
_WORDS_TO_THE_NOUN = 4
_MOST_MARKED = 2
_ENDINGS = ("e", "en", "er", "es", "em")
_ASKS = {
    kind: re.compile(rf"\b{filled(told['asks'], PARTS)}", re.IGNORECASE) for kind, told in FIGURES.items()
}
_COUNTS, _ASKS_FOR, _NAMED = (
    re.compile(rf"\b{filled(asks, PARTS)}(?!\w)", re.IGNORECASE)
    for asks in (COUNTED["counts"], COUNTED["counts"] + COUNTED["asks"], COUNTED["named"])
)
_SOME = {language: word_set("numbers.one", language) for language in LANGUAGES}


def figure_of(query: Query) -> Cue | None:
    """The figure or date that a question asks for; None where it asks for something else."""
    own = frozenset(words(query.text.lower()))
    for kind, asks in _ASKS.items():
        if asks.search(query.text):
            return Cue(kind, own)
    cue = cue_of(query.text)
    if cue is not None and cue.kind in _NARROW:  # "combien de temps" counts nothing
        return cue
    if nouns := _keys(query, _said_next(query, _COUNTS)):
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
    return next(iter(_said_next(query, _ASKS_FOR)), None)


def unnamed(query: Query, sentence: str, language: str) -> bool:
    """Whether a sentence has what a question asks the name of, or which it is, only as some: „ein Labor“."""
    asked = _keys(query, _said_next(query, _NAMED))
    said = words(sentence)
    return any(
        key(word, language) in asked
        and not _SOME[language].isdisjoint(before.lower() for before in said[max(0, at - 2) : at])
        for at, word in enumerate(said)
    )


def _keys(query: Query, nouns: Sequence[str]) -> frozenset[str]:
    """The search keys of a question's nouns, and of what means the same."""
    asked = {noun.lower() for noun in nouns}
    meant = (each for each in query.concepts if not asked.isdisjoint(each.word.lower().split()))
    return frozenset(held for concept in meant for way in concept.alternatives for held in way.keys)


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
