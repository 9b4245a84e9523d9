"""Sentences that say what somebody wants or holds: the subject of such a verb, by word order."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.extract import SAID, Candidate
from rag.question.aims import Aim
from rag.question.query import Query
from rag.schema import Article
from rag.text.analysis import key, language_of, tokens
from rag.text.languages import LANGUAGES, table, word_set

PASSAGES = 60
"""Passages that are read for what somebody wants, whose words do not say so."""
_BETWEEN = 3
"""Words between a verb and its subject."""
_ATTRIBUTES = r"(?: (?:[dl]\w{1,2}|the|[a-zäöü]\w*e[nrms]?)){0,3}(?: [A-ZÄÖÜ]\w*){0,3}"
"""What stands between „laut“ and a name: „laut dem demokratischen Abgeordneten Gregory Meeks“."""
_IN_A_NAME = re.compile(r"[A-ZÄÖÜ]\w*|[dD](?:er|ie|as)|\w+e[nrms]?")
_ASIDE = re.compile(r"\s*\([^()]*\)")
_CLAUSE = re.compile(r"[,;:()„“”»«\"]|\s[–—-]\s")


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a language by which wanting, and its subject, are read."""

    wants: re.Pattern[str]
    holds: re.Pattern[str]
    told_by: re.Pattern[str]
    goals: re.Pattern[str]
    amount: re.Pattern[str]
    by: re.Pattern[str]
    speaks: re.Pattern[str]
    pronouns: re.Pattern[str]
    nominative: re.Pattern[str]
    denied: re.Pattern[str]
    prepositions: frozenset[str]
    determiners: frozenset[str]
    other_cases: frozenset[str]
    joins: frozenset[str]
    genitive: frozenset[str]
    verb_second: bool


def _words(language: str) -> _Words:
    def compiled(name: str) -> re.Pattern[str]:
        return re.compile(rf"(?:{table(language, name) or '(?!)'})\b", re.IGNORECASE)

    return _Words(
        compiled("aims.wants"),
        compiled("stances.holds"),
        re.compile(rf"\b(?i:{table(language, 'stances.by')}){_ATTRIBUTES}$"),
        compiled("aims.goals"),
        compiled("aims.amount"),
        compiled("aims.by"),
        compiled("aims.speaks"),
        compiled("parts.subject"),
        compiled("aims.nominative"),
        compiled("aims.denied"),
        word_set("roles.at", language) | word_set("roles.beside", language),
        word_set("roles.determiners", language),
        word_set("roles.marked", language),
        word_set("roles.joins", language),
        word_set("aims.genitive", language),
        bool(table(language, "aims.verb_second")),
    )


_WORDS = {language: _words(language) for language in LANGUAGES}


def stating(found: Sequence[Candidate], aim: Aim, query: Query) -> list[Candidate]:
    """The candidates that say what somebody wants, or holds of what is asked, best first (see `_order`)."""
    of = _places(aim.of, query)
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
    clauses = list(_clauses(candidate.text, language, candidate.article))
    owner = f"{aim.who[-1]}s"  # „Putins Zugeständnisse“ are no words of Putin's
    for before, clause in zip([None, *clauses], clauses, strict=False):
        places = clause.places(heads)
        if aim.is_stance and any(clause.holds(at) for at in places if clause.words[at] != owner):
            return True
        if not aim.is_stance and any(clause.wants(at) or clause.has_goal(at) for at in places):
            return True
        if before and clause.of_the_speaker() and any(map(before.speaks, before.places(heads))):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Clause:
    """The words of a clause with their search keys; `opens` says that it begins a sentence."""

    words: list[str]
    keys: list[str]
    opens: bool
    language: str
    article: Article

    def places(self, heads: set[str]) -> list[int]:
        return [at for at, held in enumerate(self.keys) if held in heads]

    def wants(self, place: int) -> bool:
        """Whether a word is the subject of a verb of wanting: „Putin will“, „Im Mai will Putin“."""
        known = _WORDS[self.language]
        denied = any(map(known.denied.fullmatch, self.words))  # „Einzelheiten wollte Putin nicht nennen“
        return not denied and any(self._is_subject(place, verb) for verb in self._matching(known.wants))

    def holds(self, place: int) -> bool:
        """Whether a word is the subject of a verb of saying or judging, or named as who says so."""
        known = _WORDS[self.language]
        if any(self._is_subject(place, verb) for verb in self._matching(known.holds)):
            return True
        told = known.told_by.search(" ".join(self.words[:place]))
        return told is not None and bool(told.start() or not self.opens)  # „So sagt Putin …“ is no source

    def speaks(self, place: int) -> bool:
        return any(self._is_subject(place, verb) for verb in self._matching(_WORDS[self.language].speaks))

    def of_the_speaker(self) -> bool:
        """Whether it says of who spoke before what that one wants: „…, er wolle …“."""
        known = _WORDS[self.language]
        return any(
            verb and known.pronouns.fullmatch(self.words[verb - 1]) is not None
            for verb in self._matching(known.wants)
        )

    def has_goal(self, place: int) -> bool:
        """Whether it says which goal a word has: „Putins Ziel ist …“, „nach dem Willen Russlands“."""
        known = _WORDS[self.language]
        for goal in self._matching(known.goals):
            owned = goal > place and goal - place <= _BETWEEN and self.words[place].endswith("s")
            owns = goal < place <= goal + 2 and (place == goal + 1 or self.words[place - 1] in known.genitive)
            behind = self.words[max(goal, place) + 1 : max(goal, place) + 2]
            before = self.words[max(0, min(goal, place) - 2) : min(goal, place)]
            told = any(map(known.amount.fullmatch, behind)) or any(map(known.by.fullmatch, before))
            if (owned or owns) and told:
                return True
        return False

    def _matching(self, pattern: re.Pattern[str]) -> list[int]:
        return [at for at in range(len(self.words)) if pattern.match(" ".join(self.words[at:]))]

    def _is_subject(self, place: int, verb: int) -> bool:
        known, near = (
            _WORDS[self.language],
            self.words[max(0, verb - 1) : verb] + self.words[verb + 1 : verb + 2],
        )
        if any(map(known.pronouns.fullmatch, near)) or any(map(known.nominative.fullmatch, self.words)):
            return False
        subjects = [at for at in range(verb) if self._may_be_subject(at, 0)]
        if place > verb:
            close = place - verb - 1 <= _BETWEEN
            return known.verb_second and not subjects and close and self._may_be_subject(place, verb + 1)
        if verb and self.words[verb - 1].lower() in known.joins:
            subjects = subjects[:1]  # „Trump wandte sich ihm zu und kritisierte …“
        # „…, was Putin von ihm will“, but not „Kapitän Eike Tammen sagte, …“
        is_last = verb == len(self.words) - 1 and not all(map(_IN_A_NAME.fullmatch, self.words[:verb]))
        own = (subjects[0] if is_last else subjects[-1]) if subjects else -1
        joined = self.words[min(place, own) + 1 : max(place, own)]
        return place == own or (place in subjects and len(joined) == 1 and joined[0].lower() in known.joins)

    def _may_be_subject(self, place: int, floor: int) -> bool:
        """Whether a word is a noun or name of no other case than a subject's, and behind no preposition."""
        word, known = self.words[place], _WORDS[self.language]
        if not word[0].isupper() or (self.opens and place == 0 and not self._is_noun(word)):
            return False
        for at in range(place - 1, floor - 1, -1):
            before = self.words[at].lower()
            if before in known.prepositions | known.other_cases:
                return False
            if before not in known.determiners and not (
                self.words[at][0].isupper() or before.endswith(("e", "en", "er", "em", "es"))
            ):
                break
        return True

    def _is_noun(self, word: str) -> bool:
        """Whether a word has its capital within sentences, too."""
        return re.search(rf"[\w,] {re.escape(word)}\b", self.article.text) is not None


def _clauses(text: str, language: str, article: Article) -> Iterator[_Clause]:
    text, at = _ASIDE.sub("", text), 0
    for cut in [*(match.span() for match in _CLAUSE.finditer(text)), (len(text), len(text))]:
        words = [word for word, _, _ in tokens(text[at : cut[0]])]
        if words:
            yield _Clause(words, [key(word, language) for word in words], at == 0, language, article)
        at = cut[1]
