"""Sentences that say what somebody wants or holds: the subject of such a verb, by word order."""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from rag.answering.extract import SAID, Candidate
from rag.answering.roles import Text
from rag.question.aims import Aim
from rag.question.query import Query
from rag.text.analysis import key, language_of
from rag.text.languages import LANGUAGES, STOP, table, word_set

PASSAGES = 60
"""Passages that are read for what somebody wants, whose words do not say so."""
_BETWEEN = 3
"""Words between a verb and its subject."""
_ATTRIBUTES = r"(?: (?:[dl]\w{1,2}|the|[a-zäöü]\w*e[nrms]?)){0,3}(?: [A-ZÄÖÜ]\w*){0,3}"
"""What stands between „laut“ and a name: „laut dem demokratischen Abgeordneten Gregory Meeks“."""
_CLAUSE = re.compile(r"[,;:()„“”»«\"]|\s[–—-]\s")


def _words(language: str) -> dict[str, re.Pattern[str]]:
    """The patterns of a language by which wanting and holding are read; some have none."""
    names = ("aims.wants", "aims.goals", "aims.amount", "aims.by", "aims.denied", "stances.holds")
    found = {name: re.compile(rf"(?:{table(language, name) or '(?!)'})\b", re.IGNORECASE) for name in names}
    by = rf"\b(?i:{table(language, 'stances.by')}){_ATTRIBUTES}$"
    must = rf"\b(?i:{table(language, 'aims.must')})\b"
    return found | {"stances.by": re.compile(by), "aims.must": re.compile(must)}


_WORDS = {language: _words(language) for language in LANGUAGES}


def stating(
    found: Sequence[Candidate], aim: Aim, query: Query, own: Set[str] = frozenset()
) -> list[Candidate]:
    """The candidates that say what somebody wants, or holds of what is asked, best first (see `_order`).

    In `own` comments, by their ids, what must or should be is what the author wants.
    """
    of = _places(aim.of, query)
    if own:
        demands = (each for each in found if _demands(each) and (not of or each.covered[of].any()))
        return sorted(demands, key=lambda each: (-each.covered[of].sum(), -each.score))
    if aim.is_stance and aim.of and not of:
        return []  # the question was translated: nothing says of what
    heads = {language: _keys(aim.who[-1], query, language) for language in LANGUAGES}
    other = [_keys(word, query, query.language) for word in aim.who if word.islower()]  # „die türkische …“
    told = [
        each
        for each in found
        if _states(each, heads[language_of(each.article.language)], aim)
        and all(keys & set(each.terms.keys) for keys in other)
    ]
    if aim.is_stance:
        told = [each for each in told if 2 * (each.covered[of] >= SAID).sum() >= len(of)]
        return sorted(told, key=lambda each: (-round(float(each.covered[of].sum()), 1), -each.score))
    return sorted(told, key=lambda each: _order(each, of))


def _demands(candidate: Candidate) -> bool:
    known = _WORDS[language_of(candidate.article.language)]
    return known["aims.must"].search(candidate.text) is not None


def led_by(told: Sequence[Candidate], found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, best first, with those that say what somebody holds as the best."""
    leading = {id(each) for each in told}
    lifted = [replace(each, score=max(each.score, found[0].score)) for each in told]
    return [*lifted, *(each for each in found if id(each) not in leading)]


def _places(words: Iterable[str], query: Query) -> list[int]:
    """The positions of the question's concepts that have one of the words."""
    said = {word.lower() for word in words}
    return [at for at, concept in enumerate(query.concepts) if said & set(concept.word.lower().split())]


def _order(candidate: Candidate, of: Sequence[int]) -> tuple[float, float, float, int]:
    """Sentences that say of what come first, then those that say most of the question, then the newest."""
    published = candidate.article.published
    newest = published.toordinal() if published else 0
    asked, all_of_it = candidate.covered[of].sum(), candidate.covered.sum()
    return -float(asked), -round(float(all_of_it), 1), -newest, candidate.span[0]


def of_several_sources(told: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best candidate of each article, then further ones, as equals."""
    first = {each.article.id: each for each in reversed(told)}
    leading = [each for each in told if first[each.article.id] is each]
    chosen = [*leading, *(each for each in told if first[each.article.id] is not each)][:most]
    return [replace(each, score=told[0].score - place / 100) for place, each in enumerate(chosen)]


def _keys(word: str, query: Query, language: str) -> set[str]:
    """The search keys of a word of the question, with its alternatives."""
    found = {key(word, query.language), key(word, language)}
    for concept in query.concepts:
        if word.lower() in concept.word.lower().split():
            found |= {each for alternative in concept.alternatives for each in alternative.keys}
    return found


def _states(candidate: Candidate, heads: set[str], aim: Aim) -> bool:
    language = language_of(candidate.article.language)
    if not heads & set(candidate.terms.keys) or candidate.text.rstrip().endswith("?"):
        return False
    for clause in _clauses(candidate.text, language):
        places = [at for at, held in enumerate(clause.text.keys) if held in heads]
        if aim.is_stance:  # „Putins Zugeständnisse“ are no words of Putin's
            places = [at for at in places if clause.text.words[at] != f"{aim.who[-1]}s"]
        if any(clause.holds(at) if aim.is_stance else clause.wants(at) for at in places):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Clause:
    """The words of a clause; `opens` says that it begins a sentence."""

    text: Text
    language: str
    opens: bool

    def wants(self, place: int) -> bool:
        """Whether a word is the subject of a verb of wanting, „Im Mai will Putin …“, or has a goal."""
        # „Einzelheiten wollte Putin nicht nennen“
        denied = any(map(_WORDS[self.language]["aims.denied"].fullmatch, self.text.words))
        return self._has_goal(place) or (not denied and self._is_subject(place, "aims.wants"))

    def holds(self, place: int) -> bool:
        """Whether a word is the subject of a verb of saying or judging, or named as who says so."""
        told = _WORDS[self.language]["stances.by"].search(" ".join(self.text.words[:place]))
        # „So sagt Putin …“ is no source
        return (told and bool(told.start() or not self.opens)) or self._is_subject(place, "stances.holds")

    def _has_goal(self, place: int) -> bool:
        """Whether it says which goal a word has: „Putins Ziel ist …“, „nach dem Willen Russlands“."""
        known, words = _WORDS[self.language], self.text.words
        genitive = word_set("aims.genitive", self.language)
        for goal in self._matching("aims.goals"):
            owned = goal > place and goal - place <= _BETWEEN and words[place].endswith("s")
            owns = goal < place <= goal + 2 and (place == goal + 1 or words[place - 1] in genitive)
            behind = words[max(goal, place) + 1 : max(goal, place) + 2]
            before = words[max(0, min(goal, place) - 2) : min(goal, place)]
            told = any(map(known["aims.amount"].fullmatch, behind))
            if (owned or owns) and (told or any(map(known["aims.by"].fullmatch, before))):
                return True
        return False

    def _matching(self, name: str) -> list[int]:
        words, looked_for = self.text.words, _WORDS[self.language][name]
        return [at for at in range(len(words)) if looked_for.match(" ".join(words[at:]))]

    def _is_subject(self, place: int, verbs: str) -> bool:
        return any(self._is_subject_of(verb, place) for verb in self._matching(verbs))

    def _is_subject_of(self, verb: int, place: int) -> bool:
        words, joins = self.text.words, word_set("roles.joins", self.language)
        subjects = [at for at in range(verb) if self._may_be_subject(at)]
        if place > verb:
            second = table(self.language, "aims.verb_second") and place - verb - 1 <= _BETWEEN
            return bool(second) and not subjects and self._may_be_subject(place, verb + 1)
        if verb and words[verb - 1].lower() in joins:
            subjects = subjects[:1]  # „Trump wandte sich ihm zu und kritisierte …“
        own = subjects[-1] if subjects else -1
        while place + 1 <= own and words[place + 1][0].isupper():
            place += 1  # „Anwältin Ruth Elsner erklärte …“
        joined = words[place + 1 : own]
        return place == own or (place in subjects and len(joined) == 1 and joined[0].lower() in joins)

    def _may_be_subject(self, place: int, first: int = 0) -> bool:
        """Whether a word is a noun or name that stands free: in no other case, and behind no preposition."""
        word = self.text.words[place]
        is_small = word.lower() in STOP[self.language]
        # nouns have a capital in German alone
        named = not is_small if self.language != "de" else word[0].isupper()
        opens = self.opens and place == 0 and is_small
        return named and not opens and self.text.stands_free(place, first)


def _clauses(text: str, language: str) -> Iterator[_Clause]:
    at = 0
    for start, end in [*(match.span() for match in _CLAUSE.finditer(text)), (len(text), len(text))]:
        clause = Text(text[at:start], language)
        if clause.words:
            yield _Clause(clause, language, at == 0)
        at = end
