"""A question as the search understands it: language, concepts with their alternatives, answer type."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag import stopwords
from rag.analysis import grams, key, keys, relatives, tokens, words
from rag.capitals import with_capitals
from rag.glossary import LANGUAGES, LONGEST_PHRASE, Glossary, load_glossary, near_synonyms
from rag.separable import joined_verb, separated_verbs

RELATIVE_WEIGHT = 0.8
SYNONYM_WEIGHT = 0.7
SYNONYMS_MOST = 8
LEAST_LIKENESS = 0.25
BASE_WEIGHT = 0.4
KEPT_ORIGINAL = 0.5
CARRIER_WEIGHT = 0.35
DOSSIER_WEIGHT = 0.1

_PAST_ENDING = re.compile(r"t(?:e[nt]?)?$")
_ENGLISH_ENDING = re.compile(r"(?:e?d|s|ing)$")
_DEGREE = re.compile(
    r"(?i)\b(wie|how)\s+(?:lange?|oft|hoch|groß|alt|weit|schnell|häufig|schwer|tief|breit|stark|viele?n?"
    r"|many|much|long|often|high|large|old|far|fast|tall|big|deep)\b"
)

# what a question asks for says little of what it is about: "an welchem Tag", "in which city"
_ASKED_FOR = re.compile(
    r"(?i)\b(?:welche[nmrs]?|what|which|quel(?:le)?s?|qua(?:l|is)|que|як(?:ому|ого|ій|ий|а|е|у|ої))\s+"
    r"(tag|tage|datum|jahre?s?|monat|uhrzeit|jahrhundert|ort|stadt|land|day|date|year|month|time|century|place|city"
    r"|town|country|jour|date|année|mois|heure|siècle|lieu|endroit|ville|pays|dia|data|ano|mês|hora|século|lugar"
    r"|cidade|país|день|дня|року|році|рік|місяць|місяці|місті|місто|міста|країні|країна)\b"
)

STOP = {
    "de": stopwords.GERMAN,
    "en": stopwords.ENGLISH,
    "fr": stopwords.FRENCH,
    "pt": stopwords.PORTUGUESE,
    "uk": stopwords.UKRAINIAN,
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to say a concept: its search keys, its 5-grams, and how surely it is meant (0 to 1)."""

    weight: float
    keys: tuple[str, ...]
    grams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concept:
    """A content word or phrase of the question, `word` as written, with its German alternatives.

    `is_source` where the question names it as the one who says so ("laut Portnikov").
    """

    word: str
    alternatives: tuple[Alternative, ...]
    weight: float = 1.0
    is_source: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood. `grams` run over the whole German text, and are empty otherwise."""

    text: str
    language: str
    concepts: tuple[Concept, ...]
    grams: tuple[str, ...]


# Portuguese "segundo" is "second", too, unless an article or a name follows
_SOURCE = re.compile(
    r"\b(?:(?i:laut|gemäß|according to|selon|d[’']après|de acordo com|за словами|на думку)"
    r"|[Ss]egundo(?=\s+(?:[oa]s?\s|[A-Z])))\b"
)
_SOURCE_BEFORE = re.compile(r"([\w’'-]+),? +zufolge\b")
_BEFORE_A_NAME = 3
_OF = frozenset("aus von vom des of from de da do du d".split())


def _sources(text: str) -> set[str]:
    """The words of those whom the question names as its source: "laut dem Bericht aus Washington"."""
    found = set(_SOURCE_BEFORE.findall(text))
    for marker in _SOURCE.finditer(text):
        behind = words(text[marker.end() :])
        first = next((i for i, word in enumerate(behind[: _BEFORE_A_NAME + 1]) if word[0].isupper()), None)
        if first is None:  # all in small letters
            found.update(behind[:1])
        else:
            named = itertools.takewhile(lambda word: word[0].isupper() or word in _OF, behind[first:])
            found.update(word for word in named if word not in _OF)
    return found


def detect_language(text: str) -> str:
    """Language of a question: de, en, fr, pt or uk; German, the dossier's language, when in doubt."""
    said = [word.lower() for word in words(text)]
    if any("а" <= c <= "я" or c in "іїєґ" for c in text.lower()):
        return "uk"
    votes = {language: sum(word in stop for word in said) for language, stop in STOP.items()}
    best = max(votes, key=lambda language: (votes[language], language == "de"))
    return best if votes[best] > 0 else "de"


def understand(
    text: str,
    language: str | None = None,
    dictionary: Path | None = None,
    contexts: Sequence[tuple[str, float]] = (),
) -> Query:
    """The question as a query.

    `dictionary` is a compiled Ding dictionary, for English; `contexts` are earlier texts whose
    words still count, each with a weight from 0 to 1.
    """
    language = language or detect_language(text)
    text = with_capitals(text) if language == "de" else text
    sources = _sources(text)
    concepts = {
        concept.alternatives[0].keys: replace(concept, is_source=concept.word in sources)
        for concept in _concepts(text, language, dictionary)
    }
    for context, weight in contexts:
        for concept in _concepts(context, detect_language(context), dictionary):
            lighter = replace(concept, weight=min(weight, concept.weight))
            concepts.setdefault(concept.alternatives[0].keys, lighter)
    own = () if language in LANGUAGES else tuple(dict.fromkeys(grams(text)))
    return Query(text, language, tuple(concepts.values()), own)


def _concepts(text: str, language: str, dictionary: Path | None) -> tuple[Concept, ...]:
    asked_for = {word.lower() for word in _ASKED_FOR.findall(text)}
    text = _SOURCE.sub(" ", _DEGREE.sub(r"\1", text))
    if language in LANGUAGES:
        concepts = _translated(text, load_glossary(language, dictionary))
    else:
        concepts = _german(text)
    return tuple(
        replace(concept, weight=min(concept.weight, CARRIER_WEIGHT))
        if concept.word.lower() in asked_for
        else concept
        for concept in concepts
    )


def _weight(word: str, language: str) -> float:
    """What a word of the question says about its topic: little for "nennen", nothing for "Artikel"."""
    lower = word.lower()
    if lower in stopwords.DOSSIER_WORDS:
        return DOSSIER_WEIGHT
    carries = not _bases(lower, language).isdisjoint(stopwords.CARRIERS)
    return CARRIER_WEIGHT if carries or (language == "de" and key(lower) in _carriers()) else 1.0


def _bases(word: str, language: str) -> set[str]:
    """The word, and what its infinitive may be: "meinte" is "meinen", "dauert" is "dauern"."""
    if language != "de":
        return {word, _ENGLISH_ENDING.sub("", word)}
    return {word, _PAST_ENDING.sub("en", word), _PAST_ENDING.sub("n", word)}


@functools.cache
def _carriers() -> frozenset[str]:
    return frozenset(map(key, stopwords.CARRIERS))


def _german(text: str) -> tuple[Concept, ...]:
    verbs = separated_verbs(text)
    separated = {verb.verb: verb.key for verb in verbs}
    particles = {verb.particle for verb in verbs}
    bases = {}
    # what a frame led to ("Sagen Sie mir, …") has its verb at the end, and the particle before it
    if text[:1].islower() and (joined := joined_verb(text)):
        at, infinitive, base = joined
        separated[at], bases[at] = infinitive, base
    words, said = {}, {}
    for word, start, _ in tokens(text):
        if start in separated:
            word = bases.get(start, word)
            words[separated[start]] = word
            said[separated[start]] = [*_said(separated[start], word), ((key(word),), BASE_WEIGHT)]
        elif start not in particles and word.lower() not in stopwords.GERMAN and key(word) not in words:
            words[key(word)] = word
            said[key(word)] = _said(key(word), word)
    return tuple(
        Concept(
            word,
            tuple(Alternative(weight, terms) for terms, weight in said[term]),
            1.0 if term in separated.values() else _weight(word, "de"),
        )
        for term, word in words.items()
    )


def _said(term: str, word: str) -> list[tuple[tuple[str, ...], float]]:
    """The ways to say a German word, each with its weight: itself, its family, and its synonyms."""
    family = [((key(relative),), RELATIVE_WEIGHT) for relative in relatives(word)]
    similar = [item for item in near_synonyms(term) if item[1] >= LEAST_LIKENESS][:SYNONYMS_MOST]
    near = [((other,), SYNONYM_WEIGHT * like) for other, like in similar]
    return [((term,), 1.0), *family, *near]


def _translated(text: str, glossary: Glossary) -> tuple[Concept, ...]:
    said = words(text)
    stop = STOP[glossary.language]
    concepts: dict[str, Concept] = {}
    i = 0
    while i < len(said):
        taken, concept = _longest(said[i:], glossary, first=i == 0, stop=stop)
        if concept is not None and concept.alternatives:
            concepts.setdefault(concept.word.lower(), concept)
        i += taken
    return tuple(concepts.values())


def _longest(
    words: Sequence[str], glossary: Glossary, first: bool, stop: frozenset[str]
) -> tuple[int, Concept | None]:
    """The concept that starts here, and how many words it takes: the longest known phrase."""
    lower = [word.lower() for word in words[:LONGEST_PHRASE]]
    for length in range(len(lower), 0, -1):
        if length == 1 and lower[0] in stop:
            return 1, None
        found = glossary.lookup(lower[:length])
        if found:
            phrase = " ".join(words[:length])
            return length, _concept(
                phrase, found, _is_name(words[0], first) and length == 1, glossary.language
            )
    if lower[0] in stop:
        return 1, None
    meant = () if words[0][0].isupper() else glossary.misspelt(lower[0])
    return 1, _concept(words[0], meant, True, glossary.language) if meant else _name(words[0])


def _concept(phrase: str, translations: Sequence[tuple[str, float]], keep: bool, language: str) -> Concept:
    alternatives = [_alternative(german, weight) for german, weight in translations]
    if keep:
        alternatives.append(_alternative(phrase, KEPT_ORIGINAL))
    return Concept(phrase, tuple(a for a in alternatives if a.keys), _weight(phrase, language))


def _name(word: str) -> Concept:
    return Concept(word, tuple(a for a in [_alternative(word, 1.0)] if a.keys))


def _alternative(german: str, weight: float) -> Alternative:
    return Alternative(weight, tuple(keys(german)), tuple(dict.fromkeys(grams(german))))


def _is_name(word: str, first: bool) -> bool:
    return word[0].isupper() and not first
