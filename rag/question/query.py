"""Turns a question into a query: language, concepts with their alternatives, answer type."""

import functools
import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from rag.question.glossary import (
    LONGEST_PHRASE,
    Glossary,
    foreign_synonyms,
    german_words,
    headwords,
    load_glossary,
    near_synonyms,
)
from rag.question.separable import separated_verbs
from rag.text.analysis import grams, infinitive, key, keys, tokens, words
from rag.text.languages import CARRIERS, DOSSIER_WORDS, STOP, pattern, word_set

SYNONYM_WEIGHT = 0.7
SYNONYMS_MOST = 8
LEAST_LIKENESS = 0.25
BASE_WEIGHT = 0.4
KEPT_ORIGINAL = 0.5
TRANSLATIONS_MOST = 8
CARRIER_WEIGHT = 0.35
DOSSIER_WEIGHT = 0.1

_PAST_ENDING = re.compile(r"t(?:e[nt]?)?$")
_DEGREE = re.compile(rf"\b({pattern('query.how')})\s+{pattern('query.degree')}\b", re.IGNORECASE)
# Portuguese "segundo" also means "second", except before an article or a name
_SOURCE = re.compile(rf"\b(?:(?i:{pattern('query.source')})|[Ss]egundo(?=\s+(?:[oa]s?\s|[A-Z])))\b")

# German without capitals
_WEAK_ENDING = re.compile(r"(?:e?te[nt]?|e?test|e?s?t)$")
_SMALL = STOP["de"] | word_set("words.small", "de")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to express a concept: its search keys, its 5-grams, and how likely it is meant (0 to 1)."""

    weight: float
    keys: tuple[str, ...]
    grams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concept:
    """A content word or phrase of the question, `word` as written, with its alternatives.

    The alternatives are in the languages of the articles: the word itself in its own language, and
    translations.
    """

    word: str
    alternatives: tuple[Alternative, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the search sees it.

    `grams` are the 5-grams of its whole text if it is in the articles' language; else each alternative has
    its own.
    """

    text: str
    language: str
    concepts: tuple[Concept, ...]
    grams: tuple[str, ...]


def detect_language(text: str, languages: Collection[str] = ("de",)) -> str:
    """Language of a question: de, en, fr, pt or uk.

    When in doubt, as with a name alone, it is one of `languages`, those of the articles: German if there are
    German ones.
    """
    otherwise = "de" if "de" in languages else min(languages)
    said = [word.lower() for word in words(text)]
    if any("а" <= c <= "я" or c in "іїєґ" for c in text.lower()):
        return "uk"
    votes = {language: sum(word in stop for word in said) for language, stop in STOP.items()}
    return max(votes, key=lambda language: (votes[language], language == otherwise))


def understand(
    text: str,
    language: str | None = None,
    contexts: Sequence[tuple[str, float]] = (),
    languages: Collection[str] = ("de",),
) -> Query:
    """The question as a query.

    `contexts` are earlier texts whose words still count, each with a weight from 0 to 1; `languages` are
    those of the articles.
    """
    language = language or detect_language(text, languages)
    languages = frozenset(languages)
    text = with_capitals(text) if language == "de" else text
    concepts = {concept.alternatives[0].keys: concept for concept in _concepts(text, language, languages)}
    for context, weight in contexts:
        for concept in _concepts(context, detect_language(context), languages):
            lighter = replace(concept, weight=min(weight, concept.weight))
            concepts.setdefault(concept.alternatives[0].keys, lighter)
    # with several languages they would favour the articles in the question's own
    own = _grams(text) if languages == {language} else ()
    return Query(text, language, tuple(concepts.values()), own)


def _concepts(text: str, language: str, languages: frozenset[str]) -> tuple[Concept, ...]:
    text = _SOURCE.sub(" ", _DEGREE.sub(r"\1", text))
    if language == "de":
        return _german(text, languages)
    if languages == {language}:
        return _own(text, language)
    return _translated(text, load_glossary(language), languages)


def _weight(word: str, language: str) -> float:
    """How much a word says about the topic of a question: little for "nennen", nothing for "Artikel"."""
    lower = word.lower()
    if lower in DOSSIER_WORDS:
        return DOSSIER_WEIGHT
    forms = {lower}
    if language == "de":  # and its possible infinitive: "meinte", "meinen"
        forms |= {_PAST_ENDING.sub("en", lower), _PAST_ENDING.sub("n", lower)}
    asks = any(key(form, language) in _carriers(language) for form in forms)
    return CARRIER_WEIGHT if asks else 1.0


@functools.cache
def _carriers(language: str) -> frozenset[str]:
    return frozenset(key(word, language) for word in CARRIERS[language])


def _own(text: str, language: str) -> tuple[Concept, ...]:
    """The content words of a question in the one language, not German, of all articles."""
    concepts: dict[str, Concept] = {}
    for place, word in enumerate(words(text)):
        term = key(word, language)
        if term and word.lower() not in STOP[language]:
            ways = (*_ways([(word, 1.0)], language), *_synonyms(term, language))
            # a name counts in full: "States" in "United States" is not the verb
            weight = 1.0 if place and word[0].isupper() else _weight(word, language)
            concepts.setdefault(term, Concept(word, ways, weight))
    return tuple(concepts.values())


def _synonyms(term: str, language: str) -> list[Alternative]:
    """Synonyms of a search key in a language other than German."""
    alike = [pair for pair in foreign_synonyms(term, language)[:SYNONYMS_MOST] if pair[1] >= LEAST_LIKENESS]
    ways = (Alternative(SYNONYM_WEIGHT * like, tuple(keys(other, language))) for other, like in alike)
    return [way for way in ways if way.keys]


def _german(text: str, languages: frozenset[str]) -> tuple[Concept, ...]:
    verbs = separated_verbs(text)
    separated = {verb.verb: verb.key for verb in verbs}
    particles = {verb.particle for verb in verbs}
    concepts: dict[str, Concept] = {}
    for word, start, _ in tokens(text):
        apart = separated.get(start)
        term = apart or key(word)
        if not apart and (start in particles or word.lower() in STOP["de"] or term in concepts):
            continue
        ways = _said(term, word, languages)
        if apart and ways:
            ways.append(Alternative(BASE_WEIGHT, (key(word),)))
        for other in sorted(languages - {"de"}):  # the word as it is, and translations
            meant = headwords(term, other)[:TRANSLATIONS_MOST]
            ways += _ways([(word, KEPT_ORIGINAL if meant else 1.0), *meant], other)
        if ways:
            concepts[term] = Concept(word, tuple(ways), 1.0 if apart else _weight(word, "de"))
    return tuple(concepts.values())


def _said(term: str, word: str, languages: frozenset[str]) -> list[Alternative]:
    """Alternatives for a German word in German articles: the word and synonyms."""
    if "de" not in languages:
        return []
    itself = Alternative(1.0, (term,), () if languages == {"de"} else _grams(word))
    alike = [pair for pair in near_synonyms(term) if pair[1] >= LEAST_LIKENESS][:SYNONYMS_MOST]
    return [itself, *(Alternative(SYNONYM_WEIGHT * like, (other,)) for other, like in alike)]


def _translated(text: str, glossary: Glossary, languages: frozenset[str]) -> tuple[Concept, ...]:
    """The concepts of a question in another language, each the longest phrase that the glossary has."""
    said, stop, language = words(text), STOP[glossary.language], glossary.language
    concepts: dict[str, Concept] = {}
    i = 0
    while i < len(said):
        word, lower = said[i], [each.lower() for each in said[i : i + LONGEST_PHRASE]]
        is_stop = lower[0] in stop
        lengths = range(len(lower), int(is_stop), -1)
        length = next((n for n in lengths if glossary.lookup(lower[:n])), 0)
        phrase = " ".join(said[i : i + (length or 1)])
        if length:
            keep = length == 1 and i > 0 and word[0].isupper()
            found = _concept(phrase, glossary.lookup(lower[:length]), keep, language, languages)
        elif not is_stop and not word[0].isupper() and (meant := glossary.misspelt(lower[0])):
            found = _concept(phrase, meant, True, language, languages)
        else:
            each_way = [] if is_stop else [_ways([(word, 1.0)], each) for each in _first(language, languages)]
            found = Concept(word, tuple(itertools.chain.from_iterable(each_way)))
        if found.alternatives:
            concepts.setdefault(phrase.lower(), found)
        i += length or 1
    return tuple(concepts.values())


def _concept(
    phrase: str,
    translations: Sequence[tuple[str, float]],
    keep: bool,
    language: str,
    languages: frozenset[str],
) -> Concept:
    """A phrase with its translations; a name is kept beside them."""
    ways: list[Alternative] = []
    for each in _first(language, languages):
        if each == language:
            ways += [*_ways([(phrase, 1.0)], each), *_synonyms(" ".join(keys(phrase, each)), language)]
            continue
        if each == "de":
            same = phrase.lower()  # a name; typed in lower case it would be looked up as a word
            likely = ((german, 1.0 if german.lower() == same else like) for german, like in translations)
            ways += _ways(likely, "de")
        if keep:
            ways += _ways([(phrase, KEPT_ORIGINAL)], each)
        if each != "de":  # by way of German
            meant: dict[str, float] = {}
            for german, weight in translations:
                for head, likeness in headwords(" ".join(keys(german)), each):
                    meant[head] = max(meant.get(head, 0.0), weight * likeness)
            likeliest = sorted(meant.items(), key=lambda item: -item[1])[:TRANSLATIONS_MOST]
            ways += _ways(likeliest, each)
    return Concept(phrase, tuple(ways), _weight(phrase, language))


def _first(language: str, languages: frozenset[str]) -> list[str]:
    """The articles' languages, that of the question first."""
    return sorted(languages, key=lambda other: (other != language, other))


def _ways(said: Iterable[tuple[str, float]], language: str) -> list[Alternative]:
    """Phrases, each with its weight, for articles in their language; without those of function words only."""
    ways = (Alternative(weight, tuple(keys(phrase, language)), _grams(phrase)) for phrase, weight in said)
    return [way for way in ways if way.keys]


def _grams(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(grams(text)))


def with_capitals(text: str) -> str:
    """`text` with capitals for its nouns and names, as far as known; unchanged if it has any.

    A word that is in no dictionary is taken for a name: "was will putin" gives "was will Putin".
    """
    if not text.islower():
        return text
    for word, start, end in reversed(tokens(text)):
        if not _is_small(word):
            text = text[:start] + word.capitalize() + text[end:]
    return text


def _is_small(word: str) -> bool:
    small, keys_of_small, keys_of_nouns = _known()
    stem = _WEAK_ENDING.sub("", word)
    if word in _SMALL or infinitive(word) != word or not small.isdisjoint((word, stem + "en", stem + "n")):
        return True
    term = key(word)
    return term not in keys_of_nouns and term in keys_of_small


@functools.lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """German words of the glossary that have no capital, their search keys, and the search keys of nouns."""
    pairs = german_words().items()
    small = {word: term for word, term in pairs if term and word[0].islower()}
    return frozenset(small), frozenset(small.values()), frozenset(t for w, t in pairs if t and w[0].isupper())
