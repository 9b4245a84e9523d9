"""Translations into German, for questions in other languages, and near-synonyms, for German ones.

The glossaries (`rag/data/glossary.<language>.tsv`) are Beleg's own: a headword or phrase, a tab, one to
four German translations with weights. Read backwards, the English glossary is a thesaurus: German words
that share an English headword are near-synonyms.
"""

import functools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rag.text.analysis import keys, stemmer, words
from rag.text.languages import rows

Translations = tuple[tuple[str, float], ...]
"""German words or short phrases, each with a weight from 0 to 1, best first."""

LONGEST_PHRASE = 5
LEAST_CORRECTED = 5
CORRECTED_WEIGHT = 0.8

_PREFIX = 4
_MOST = 12


@dataclass(frozen=True)
class Glossary:
    """Translations by the stems of the headword."""

    language: str
    entries: Mapping[str, Translations]

    def lookup(self, words: Sequence[str]) -> Translations:
        """Translations of a lower-case word or phrase, best first; empty when there are none."""
        head = _stems(self.language, words)
        if self.language == "uk":
            return self.entries.get(head) or self._by_prefix(head.split(" "))
        return self.entries.get(head, ())

    def misspelt(self, word: str) -> Translations:
        """Translations of the headwords that an unknown word is one typing error away from, best first.

        An error is one letter too many, missing, wrong, or swapped with its neighbour (Damerau, 1964), but
        not the first letter.
        """
        found: dict[str, float] = {}
        for form in dict.fromkeys((word, _stems(self.language, [word]))):
            for head in self._beginning[form[0]]:
                if abs(len(head) - len(form)) <= 1 and _one_error(form, head):
                    for german, weight in self.lookup([head]):
                        _keep_best(found, german, weight * CORRECTED_WEIGHT)
        return _ranked(found)

    @functools.cached_property
    def _beginning(self) -> Mapping[str, list[str]]:
        """Headwords, as they are and as their stems, by their first letter."""
        found: dict[str, list[str]] = defaultdict(list)
        for head in {headword.lower() for headword, _ in _lines(self.language)} | self.entries.keys():
            if " " not in head and len(head) >= LEAST_CORRECTED:
                found[head[0]].append(head)
        return found

    def _by_prefix(self, words: Sequence[str]) -> Translations:
        # there is no Snowball stemmer for Ukrainian: the longest common beginning stands in for one
        best, length = "", 0
        for headword in self._by_beginning.get(" ".join(words)[:_PREFIX], ()):
            parts = headword.split(" ")
            if len(parts) != len(words):
                continue
            common = min(map(_shared, parts, words))
            if common > length and common >= max(_PREFIX, 0.6 * max(map(len, (*parts, *words)))):
                best, length = headword, common
        return self.entries.get(best, ())

    @functools.cached_property
    def _by_beginning(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for headword in self.entries:
            found[headword[:_PREFIX]].append(headword)
        return found


@functools.cache
def load_glossary(language: str) -> Glossary:
    """Beleg's glossary for a language."""
    entries: dict[str, dict[str, float]] = defaultdict(dict)
    for headword, translations in _lines(language):
        for german, weight in translations:
            _keep_best(entries[_stems(language, words(headword))], german, weight)
    ranked = {head: _ranked(found) for head, found in entries.items()}
    return Glossary(language, ranked)


@functools.lru_cache(maxsize=20_000)
def near_synonyms(word: str) -> tuple[tuple[str, float], ...]:
    """German near-synonyms of a search key, with their likeness from 0 to 1, likest first.

    Each German word is a vector over the English headwords that it translates; likeness is the
    cosine, so that sharing one sense of many counts little (Dyvik, Translations as Semantic
    Mirrors, 1998).
    """
    senses, words = _senses("en")
    own = senses.get(word, {})
    others = dict.fromkeys(other for headword in own for other in words[headword] if other != word)
    return _likest((other, _cosine(own, senses[other])) for other in others)


@functools.lru_cache(maxsize=20_000)
def foreign_synonyms(word: str, language: str) -> tuple[tuple[str, float], ...]:
    """Near-synonyms of a search key in another of our languages, with their likeness, likest first.

    As `near_synonyms`, the other way round: each headword is a vector over its German translations.
    """
    senses, words = _senses(language)

    def vector(headword: str) -> dict[str, float]:
        return {german: senses[german][headword] for german in words[headword]}

    likeness: dict[str, float] = {}
    for headword in _headwords_of(language).get(word, ()):
        own = vector(headword)
        for other in dict.fromkeys(other for german in own for other in senses[german]):
            _keep_best(likeness, other, _cosine(own, vector(other)))
    return _likest((other, like) for other, like in likeness.items() if word not in keys(other, language))


@functools.cache
def _headwords_of(language: str) -> Mapping[str, list[str]]:
    """Headwords of one word by their search key."""
    found: dict[str, list[str]] = defaultdict(list)
    for headword in _senses(language)[1]:
        terms = keys(headword, language)
        if len(terms) == 1:
            found[terms[0]].append(headword)
    return found


def headwords(word: str, language: str) -> Translations:
    """Translations of a German search key into one of our languages, surest first: the glossary reversed."""
    senses, _ = _senses(language)
    return _likest(senses.get(word, {}).items())


def is_german(word: str) -> bool:
    """Whether a word is on the German side of the English glossary."""
    senses, _ = _senses("en")
    return any(term in senses for term in keys(word))


@functools.cache
def _senses(language: str) -> tuple[Mapping[str, Mapping[str, float]], Mapping[str, Sequence[str]]]:
    """A glossary reversed: headwords by German search key, and German search keys by headword."""
    senses: dict[str, dict[str, float]] = defaultdict(dict)
    words: dict[str, list[str]] = defaultdict(list)
    for headword, translations in _lines(language):
        for german, weight in translations:
            term = _only_key(german)
            if term and headword not in senses[term]:
                senses[term][headword] = weight
                words[headword].append(term)
    return senses, words


@functools.cache
def german_words() -> Mapping[str, str]:
    """Each German word of the English glossary with its search key; a phrase has none."""
    return {german: _only_key(german) for _, translations in _lines("en") for german, _ in translations}


@functools.cache
def _only_key(german: str) -> str:
    """The search key of a single word, nothing for a phrase."""
    terms = keys(german)
    return terms[0] if len(terms) == 1 else ""


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    norms = (math.sqrt(sum(weight * weight for weight in each.values())) for each in (one, other))
    return sum(weight * other.get(sense, 0.0) for sense, weight in one.items()) / math.prod(norms)


def _lines(language: str) -> Iterable[tuple[str, list[tuple[str, float]]]]:
    for headword, right in rows(f"glossary.{language}.tsv"):
        entries = (entry.strip().partition(":") for entry in right.split("|"))
        yield headword, [(german, float(weight or 1)) for german, _, weight in entries]


def _keep_best(weights: dict[str, float], key: str, weight: float) -> None:
    weights[key] = max(weights.get(key, 0.0), weight)


def _likest(found: Iterable[tuple[str, float]]) -> Translations:
    return tuple(sorted(found, key=lambda item: -item[1]))


def _ranked(weights: Mapping[str, float]) -> Translations:
    return _likest(weights.items())[:_MOST]


def _stems(language: str, words: Iterable[str]) -> str:
    found, lower = stemmer(language), [word.lower().replace("’", "'") for word in words]
    return " ".join(found.stemWords(lower) if found else lower)


def _shared(one: str, other: str) -> int:
    """Letters at the beginning that two words share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _one_error(one: str, other: str) -> bool:
    """Whether two different words are one typing error apart."""
    same = _shared(one, other)
    left, right = one[same:], other[same:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return one != other and (swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:])
