"""Whether the cited words support a sentence: pure, deterministic, no language model.

A sentence is compared with the best window of one or two sentences of the passage: the share of its content
words that the window has (weighted by idf), and whether a number, date, quotation, name or negation differs.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rag.question.query import Concept, detect_language, understand
from rag.retrieval.matching import Vector, coverage
from rag.schema import Article, Chunk, Span, Status
from rag.store.terms import SentenceTerms, heading, sentence_terms
from rag.text.analysis import key, words
from rag.text.languages import LANGUAGES, STOP, pattern, word_set
from rag.verification.facts import Facts, besides_facts, facts, missing

SUPPORTED, UNSUPPORTED = 0.60, 0.35
PAIR_GAIN = 0.08
"""Coverage that a second sentence must add to be quoted as well."""
LACK_COSTS = 0.2
AIM_GAIN = 0.05
SAID = 0.5
"""Coverage from which a word counts as said."""
NOUN_SAID = 0.75
"""The same for nouns and names, which need more: half of „Multipolarität“ is in „Bipolarität“."""
TELLING = 2.0
"""Idf from which a missing verb or adjective makes a claim weak; missing nouns and names always do."""
ALIKE, ALIKE_ALONE = 0.915, 0.925
"""Cosines by multilingual-e5-small from which two sentences in different languages say the same: where
translated words cover the claim, and where they do not. On the tuning halves of eval/sets/support*.jsonl no
wrong claim with matching facts, names and roles reaches them."""
NEAR = 2
"""Words between two nouns up to which a change of their order means something; farther apart it may be mere
style."""
ANTECEDENTS = 2
"""Sentences before a window that are searched for what a pronoun stands for."""
DOSSIER_LANGUAGE = "de"

_POINTS_BACK = re.compile(rf"\b{pattern('claims.pronouns')}\b|^\W*{pattern('claims.opens')}\b", re.IGNORECASE)
_RELATIONAL = re.compile(r"isch(?:e[nmrs]?)?$")
_HEDGES = {language: word_set("claims.hedges", language) for language in LANGUAGES}
"""Words that a claim may add without needing support, by language."""
_CONJUNCTIONS, _BY, _NEGATIONS = (word_set(f"claims.{name}") for name in ("joins", "by", "negations"))
_GOVERN = {word: forms.partition("/")[0] for forms in word_set("claims.governs") for word in forms.split("/")}
"""Words that show the role of the noun after them: paying *to* somebody is not being paid."""
_BEFORE_A_NOUN = 3  # words
_ARTICLE = re.compile(pattern("claims.determiners"))
_SAME_NAME = 4  # letters
Idf = Callable[[Concept], float]
"""The inverse document frequency of a concept in the dossier."""
Alike = Callable[[str, str], float]
"""The cosine of two texts, possibly in different languages."""


@dataclass(frozen=True)
class Claim:
    """A sentence of an answer, without its citations, prepared for checking."""

    text: str
    idf: Idf
    alike: Alike | None = None

    @cached_property
    def language(self) -> str:
        return detect_language(self.text)

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        words = besides_facts(self.text, self.language)
        return understand(words, self.language, languages={DOSSIER_LANGUAGE, self.language}).concepts

    @cached_property
    def weights(self) -> Vector:
        return np.array([concept.weight * self.idf(concept) for concept in self.concepts])

    @cached_property
    def facts(self) -> Facts:
        return facts(self.text, self.language)

    def share(self, said: Vector) -> float:
        """The weighted share of the claim that is covered, 0 to 1."""
        return float(said @ self.weights) / (float(self.weights.sum()) or 1.0)


@dataclass(frozen=True)
class Source:
    """A passage prepared for checking claims."""

    article: Article
    chunk: Chunk

    @property
    def language(self) -> str:
        return self.article.language or DOSSIER_LANGUAGE

    @cached_property
    def terms(self) -> tuple[SentenceTerms, ...]:
        """Those of its sentences, and last those of the article's heading."""
        texts = [self.article.text[slice(*span)] for span in self.chunk.sentences]
        return tuple(sentence_terms(text, self.article.language) for text in (*texts, heading(self.article)))

    def facts_of(self, span: Span) -> Facts:
        """The facts of a stretch of the article."""
        return facts(self.article.text[slice(*span)], self.language, self.article.published)

    def lacks(self, claim: Claim, span: Span) -> tuple[str, ...]:
        """The facts of the claim that are not in the words at `span`."""
        words = self.article.text[slice(*span)]
        return tuple(missing(claim.facts, self.facts_of(span), words, self.article.published))


@dataclass(frozen=True, slots=True)
class Support:
    """How a passage supports a claim: `score` is the coverage, 0 to 1, by the words at `span`.

    `said` is the coverage of each of the claim's concepts by the window and, if a pronoun in it refers back,
    by the sentences before it and the title.
    """

    status: Status
    score: float
    span: Span
    said: Vector
    lacks: tuple[str, ...] = ()


def support(claim: Claim, source: Source, sentence: int | None = None) -> Support:
    """The support of a claim by the best window of a passage.

    `sentence` (from 0) is the one that the model pointed at. It is preferred among equal windows; in another
    language, where words say little, it decides.
    """
    spans = source.chunk.sentences
    windows = [(first, first + further) for further in (0, 1) for first in range(len(spans) - further)]
    if sentence is not None and sentence < len(spans) and source.language != claim.language:
        windows = [(sentence, sentence)]
    *covered, title = coverage(claim.concepts, source.terms)
    found = []
    for first, last in windows:
        said = np.max(covered[first : last + 1], axis=0)
        span, score = (spans[first][0], spans[last][1]), claim.share(said)
        lacks = source.lacks(claim, span)
        aimed = sentence is not None and first <= sentence <= last
        worth = score - LACK_COSTS * len(lacks) - PAIR_GAIN * (last - first) + AIM_GAIN * aimed
        if _POINTS_BACK.search(source.article.text[slice(*span)]):
            said = np.max([said, *covered[max(0, first - ANTECEDENTS) : first], title], axis=0)
        found.append((worth, Support("weak", score, span, said, lacks)))
    best = max(found, key=lambda pair: pair[0])[1]
    return replace(best, status=together(claim, [source], [best]))


def together(claim: Claim, sources: Sequence[Source], found: Sequence[Support]) -> Status:
    """The status of a claim by several passages together, each with its best window."""
    whole = [source.lacks(claim, (source.chunk.start, source.chunk.end)) for source in sources]
    if set.intersection(*map(set, whole)):
        return "unsupported"
    said = np.max([each.said for each in found], axis=0)
    score = max(max(each.score for each in found), claim.share(said) if len(found) > 1 else 0.0)
    if any(source.language != claim.language for source in sources):
        if any(_says_in_its_language(claim, *each) for each in zip(sources, found, strict=True)):
            return "supported"
        return "weak" if score >= UNSUPPORTED / 2 else "unsupported"
    if score < UNSUPPORTED:
        return "unsupported"
    lacks = set.intersection(*(set(each.lacks) for each in found))
    spans = [(source, each.span) for source, each in zip(sources, found, strict=True)]
    there, own = [source.facts_of(span) for source, span in spans], claim.facts.numbers
    if "number" in lacks and all(own - each.numbers and each.numbers - own for each in there):
        return "unsupported"  # another number in place of the claim's
    negated = all(bool(claim.facts.negations) != bool(each.negations) for each in there)
    exchanged = all(_exchanged(claim, source.article.text[slice(*span)]) for source, span in spans)
    if score < SUPPORTED or lacks or negated or exchanged or _unsaid(claim, said):
        return "weak"
    return "supported"


def _says_in_its_language(claim: Claim, source: Source, found: Support) -> bool:
    """Whether words in another language support the claim: same facts, names, roles and meaning."""
    words = source.article.text[slice(*found.span)]
    negated = bool(claim.facts.negations) != bool(source.facts_of(found.span).negations)
    if claim.alike is None or found.lacks or negated:
        return False
    told = zip(claim.concepts, found.said, strict=True)
    names = [(concept.word[:_SAME_NAME], said) for concept, said in told if concept.word[0].isupper()]
    # names that both texts write alike, in the order of the claim: another one may be another role
    there = [at for _, at in sorted((claim.text.find(n), words.find(n)) for n, _ in names) if at >= 0]
    if any(said < SAID for _, said in names) or there != sorted(there):
        return False
    return claim.alike(claim.text, words) >= (ALIKE if found.score >= SUPPORTED else ALIKE_ALONE)


def _unsaid(claim: Claim, said: Vector) -> bool:
    """Whether a noun, a name or another important word of the claim is missing."""
    return any(
        covered < (NOUN_SAID if _is_noun(concept.word) else SAID)
        and (_is_noun(concept.word) or (concept.weight == 1.0 and idf >= TELLING))
        for concept, idf, covered in zip(claim.concepts, claim.weights, said, strict=True)
        if concept.word.lower() not in _HEDGES.get(claim.language, ())
    )


def _exchanged(claim: Claim, words: str) -> bool:
    """Whether two nouns or names have changed places: „Kiew hört auf Moskau“ for „Moskau hört auf Kiew“.

    Either they are close together and in reverse order, or each is next to a word that is next to the other
    one in the source. A mere change of word order rarely does either.
    """
    here, there = _Order(claim.text, claim.language), _Order(words, claim.language)
    nouns = {_bare_key(concept.word, claim.language) for concept in claim.concepts if _is_noun(concept.word)}
    both = sorted(noun for noun in nouns if noun in here.at and noun in there.at)
    if any(here.denies(noun) != there.denies(noun) for noun in both):
        return True
    for x, y in itertools.combinations(both, 2):
        ahead, was_ahead = (order.at[y] - order.at[x] for order in (here, there))
        between, was_between = here.between(x, y), there.between(x, y)
        near = max(abs(ahead), abs(was_ahead)) <= NEAR
        joined = between & _CONJUNCTIONS and not between & _NEGATIONS  # so that their order means nothing
        bare = all(here.is_bare(noun) or there.is_bare(noun) for noun in (x, y)) and not joined
        turned = between.isdisjoint(_BY) != was_between.isdisjoint(_BY)  # "sued by Kesley", "Kesley has sued"
        if near and bare and (ahead * was_ahead < 0) != turned:
            return True
        governed = [order.governor(noun) for noun in (x, y) for order in (here, there)]
        if governed[0] == governed[3] != governed[1] == governed[2]:
            return True
        x_here, x_there, y_here, y_there = (o.beside(w) - {x, y} for w in (x, y) for o in (here, there))
        if (x_here & y_there) - x_there and (y_here & x_there) - y_there:
            return True
    return False


def _bare_key(word: str, language: str) -> str:
    """The search key without the genitive s that the stemmer leaves on names."""
    return key(word[:-1] if word[0].isupper() and word.endswith("s") else word, language)


class _Order:
    """The order of a text's words. `keys` are their search keys without stop words, but with negations; `at`
    and `place` are where a key that stands there once is among these, and among all words."""

    def __init__(self, text: str, language: str) -> None:
        said, passed_over = words(text), STOP[language] - _NEGATIONS
        self._negations = {key(word, language) for word in _NEGATIONS}
        self._lower, self._is_high = [word.lower() for word in said], [word[0].isupper() for word in said]
        places = [place for place, word in enumerate(self._lower) if word not in passed_over]
        self.keys = [_bare_key(said[place], language) for place in places]
        self.at = {k: n for n, k in enumerate(self.keys) if self.keys.count(k) == 1}
        self.place = {k: places[n] for k, n in self.at.items()}

    def beside(self, word: str) -> set[str]:
        """The words before and after."""
        n = self.at[word]
        return {*self.keys[max(0, n - 1) : n], *self.keys[n + 1 : n + 2]}

    def denies(self, word: str) -> bool:
        """Whether there is a negation right before it."""
        return self.keys[max(0, self.at[word] - 1)] in self._negations

    def between(self, x: str, y: str) -> set[str]:
        """All words between two, in lower case."""
        low, high = sorted((self.place[x], self.place[y]))
        return set(self._lower[low + 1 : high])

    def governor(self, word: str) -> str | None:
        """The preposition that a noun depends on, or a comparison's „als“."""
        place = self.place[word]
        for at in range(place - 1, max(-1, place - 1 - _BEFORE_A_NOUN), -1):
            if self._lower[at] in _GOVERN:
                return _GOVERN[self._lower[at]]
            if self._is_high[at]:
                return None
        return None

    def is_bare(self, word: str) -> bool:
        """Whether it has no article or adjective, like names of people and places."""
        place = self.place[word]
        return _ARTICLE.fullmatch(self._lower[place - 1] if place else "") is None


def _is_noun(word: str) -> bool:
    # „russischen“ in place of „ukrainischen“ is a different claim, however common both are
    return word[0].isupper() or _RELATIONAL.search(word) is not None
