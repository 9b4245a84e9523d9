"""Who does what to whom, in a question and a sentence that name the same two parties: „Was verlangt A von B?“

A coarse reading by prepositions, articles that show a case, the passive, and else word order. It only decides
between sentences that have the parties the same way round and the other.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from itertools import combinations, pairwise

from rag.answering.extract import REACH, Candidate
from rag.question.figures import asked_noun
from rag.question.followup import ADJECTIVE
from rag.question.query import Query
from rag.text.analysis import key, language_of, tokens
from rag.text.languages import LANGUAGES, word_set

_WORDS = {
    language: {
        name: word_set(f"roles.{name}", language)
        for name in ("at", "beside", "by", "marked", "determiners", "passive", "joins", "cases")
    }
    for language in LANGUAGES
}
_ATTRIBUTE = re.compile(r"[^\W\d_a-z]\w*|\w+e[nrms]?")
"""Words between a noun and its article that may be skipped: titles and adjectives."""
_LOOKED_BACK = 4
_ACTS, _OPEN, _SUFFERS, _BESIDE = range(4)


def right_way_round(found: list[Candidate], query: Query) -> list[Candidate]:
    """The candidates, best first; one with the question's roles swapped makes way for one that has them
    right.

    The other must say as much of the question; otherwise the two are about different things. Those about
    another of what is asked for come last.
    """
    lowered = (
        replace(each, score=each.score - 2 * REACH * of_another(query, each.text, each.article.language))
        for each in found
    )
    found = sorted(lowered, key=lambda candidate: -candidate.score)
    near = [each for each in found if each.score >= found[0].score - REACH] if found else []
    ways = [agreement(query, each.text, each.article.language) for each in near]
    wrong = near[ways.index(-1)] if -1 in ways else None
    if wrong is None:
        return found
    whole = wrong.covered.sum()
    rights = (each for each, way in zip(near, ways, strict=True) if way > 0 and each.covered.sum() >= whole)
    right = next(rights, None)
    if right is None or right.score > wrong.score:
        return found
    scores = {id(wrong): right.score, id(right): wrong.score}
    moved = [replace(each, score=scores.get(id(each), each.score)) for each in found]
    return sorted(moved, key=lambda candidate: -candidate.score)


def of_another(query: Query, sentence: str, language: str | None) -> bool:
    """Whether a sentence has a noun of the question only with other adjectives of that kind: „die russische
    Delegation“ where the Ukrainian one is asked for, which it does not name."""
    pairs = _qualified(query.text)
    if not pairs:
        return False
    meant = {
        word.lower(): {each for alternative in concept.alternatives for each in alternative.keys}
        for concept in query.concepts
        for word in concept.word.split()
    }
    said = [word for word, _, _ in tokens(sentence)]
    keys, asked = [key(word, language) for word in said], set[str]().union(*meant.values())
    for adjective, noun in pairs:
        own, nouns = meant.get(adjective, set()), meant.get(noun, set())
        before = [
            (said[at - 1], keys[at - 1]) if at else ("", "") for at, held in enumerate(keys) if held in nouns
        ]
        others = [ADJECTIVE.match(f"{word} ") and held not in asked for word, held in before]
        if own.isdisjoint(keys) and own and others and all(others):
            return True
    return False


@functools.lru_cache(maxsize=1)
def _qualified(question: str) -> list[tuple[str, str]]:
    """The adjectives of such a kind in a question, each with its noun; the same for every sentence."""
    return [
        (adjective.lower(), noun.lower())
        for (adjective, _, end), (noun, start, _) in pairwise(tokens(question))
        if ADJECTIVE.match(question[end - len(adjective) : start + 1])
    ]


def agreement(query: Query, sentence: str, language: str | None) -> int:
    """1 if the two parties of a question have the same roles in a sentence, -1 if they are swapped.

    0 if not both are named, or their roles are unclear.
    """
    return _way(*_named(query, sentence, language))


def _way(asked: Text, said: Text, nouns: list[int]) -> int:
    same = list[bool]()
    for one, other in combinations(nouns, 2):
        keys = asked.keys[one], asked.keys[other]
        places = said.keys.index(keys[0]), said.keys.index(keys[1])
        ways = asked.acts_before(one, other), said.acts_before(*places)
        cases = (asked.case(one), said.case(places[0])), (asked.case(other), said.case(places[1]))
        if any(here and here == there for here, there in cases):
            ways = ways[0], ways[0]
        if keys[0] != keys[1] and None not in ways and not asked.joined(one, other):
            same.append(ways[0] == ways[1])
    return 0 if not same else 1 if all(same) else -1 if not any(same) else 0


def misplaced(query: Query, sentence: str, language: str | None) -> bool:
    """Whether the parties of the question are swapped in a sentence, or the one who acts is acted upon, or it
    is about another (see `of_another`)."""
    if of_another(query, sentence, language):
        return True
    asked, said, nouns = _named(query, sentence, language)
    way = _way(asked, said, nouns)
    if way:
        return way < 0
    acting = [place for place in nouns if asked.part(place) == _OPEN]
    return len(acting) == 1 and said.part(said.keys.index(asked.keys[acting[0]])) == _SUFFERS


def _named(query: Query, sentence: str, language: str | None) -> tuple[Text, Text, list[int]]:
    """Question and sentence as words, and the positions in the question of the names that both have."""
    asked, said = Text(query.text, query.language), Text(sentence, language_of(language))
    left_out = asked_noun(query)
    nouns = [
        place
        for place, word in enumerate(asked.words)
        if place and word[0].isupper() and word != left_out and asked.keys[place] in said.keys
    ]
    return asked, said, nouns


class Text:
    """The words of a question or sentence, each with its search key."""

    def __init__(self, text: str, language: str) -> None:
        found = tokens(text)
        self.words = [word for word, _, _ in found]
        ends = [0, *(end for _, _, end in found)]
        between = [text[end:start].strip() for end, (_, start, _) in zip(ends, found, strict=False)]
        self._opens = [each not in ("", "-") for each in between]
        self.keys = [key(word, language) for word in self.words]
        self._known = _WORDS[language]
        self._passive = not self._known["passive"].isdisjoint(map(str.lower, self.words))

    def acts_before(self, one: int, other: int) -> bool | None:
        """Whether the first word acts rather than the second; None if one has neither role."""
        parts = self.part(one), self.part(other)
        return None if _BESIDE in parts else (parts[0], one) < (parts[1], other)

    def case(self, place: int) -> tuple[str, int] | None:
        """The article before a word, if that shows the case, with the word's part; „die“, for example, does
        not."""
        article = self.words[place - 1].lower() if place else ""
        return (article, self.part(place)) if article in self._known["cases"] else None

    def joined(self, one: int, other: int) -> bool:
        """Whether two words have one role together: „Trump und Putin“, „Putins Ziele“."""
        owned = other == one + 1 and self.words[one].endswith("s")
        return owned or not self._known["joins"].isdisjoint(map(str.lower, self.words[one:other]))

    def part(self, place: int) -> int:
        """How far a word is from acting, judged by the word before it."""
        role, before = self._governed(place, 0)
        if self._passive:
            return _ACTS if before in self._known["by"] else _BESIDE if role == _BESIDE else _SUFFERS
        return role

    def stands_free(self, place: int, first: int) -> bool:
        """Whether neither a preposition nor another case governs a word; words before `first` are not looked
        at."""
        return self._governed(place, first)[0] == _OPEN

    def _governed(self, place: int, first: int) -> tuple[int, str]:
        """The role that the words before a word give it, and the preposition if one does."""
        marked = _OPEN
        for at in range(place - 1, max(first - 1, place - 1 - _LOOKED_BACK), -1):
            word = self.words[at].lower()
            if self._opens[at + 1]:
                break  # after a comma or quotation mark: another clause
            if word in self._known["at"] | self._known["beside"]:
                return _SUFFERS if word in self._known["at"] else _BESIDE, word
            if word in self._known["marked"]:
                marked = _SUFFERS
            elif word not in self._known["determiners"] and not _ATTRIBUTE.fullmatch(self.words[at]):
                break
        return marked, ""
