"""What kind of answer a question asks for, and whether a sentence offers one."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from rag.question.answer_forms import DATES, OFFERS
from rag.text.analysis import language_of, words

# of these kinds, upper case tells nothing: patterns of small letters take half as long as ones of any case
_IN_SMALL_LETTERS = frozenset({"number", "duration", "reason", "definition"})

_DIGIT = re.compile(r"\d")

_ASKS = [
    (
        "date",
        r"\bwann\b|welche[nmrs]? (?:\w+ )?(?:jahr|jahre|datum|tag|tage|monat|jahrhundert|jahreszahl)\b|"
        r"quelle (?:année|date)\b|quel (?:jour|mois)\b|que (?:ano|dia|mês)\b|"
        # inside a question these are conjunctions: "What did he say when …"
        r"(?:^|[,;:] |\b(?:since|until|by|and|depuis|desde|et|e|з|і|а) )(?:when|quand|quando|коли)\b|"
        r"(?:what|which) (?:\w+ )?(?:year|date|day|month|century)\b"
        r"|у якому році",
    ),
    (
        "duration",
        r"\bwie lange?\b|\bhow long\b|combien de temps|quanto tempo|скільки (?:часу|трива)|як довго",
    ),
    ("age", r"\bwie alt\b|\bhow old\b|quel âge|que idade|скільки років|welches alter\b"),
    (
        "number",
        r"wie ?viele?[nrs]?\b|wie (?:hoch|oft|groß|alt|weit|schnell|häufig|schwer|tief|breit|stark)\b|"
        r"welche[rnms]? (?:\w+ )?(?:anteil|prozent|prozentsatz|anzahl|zahl|höhe|alter)\b|"
        r"welche[rnms]? (?:\w+ )?(?:wahrscheinlichkeit|summe)\b|"
        r"how (?:many|much|often|old|high|large|far|tall|big|fast)\b|"
        r"(?:what|which) (?:percentage|number|share)\b|"
        r"\bcombien\b|\bquant[oa]s?\b|\bскільки\b",
    ),
    (
        "person",
        r"\bwer\b|\bwen\b|\bwem\b|\bwessen\b|\bvon wem\b|\bwho\b|\bwhom\b|\bwhose\b|\bqui\b|\bquem\b|"
        r"\bхто\b|\bкого\b|\bкому\b|\bким\b",
    ),
    (
        "place",
        r"\bwo\b|\bwohin\b|\bwoher\b|welche[rnms]? (?:\w+ )?(?:ort|stadt|land|region|gebiet|staat)\b|"
        r"\bwhere\b|(?:what|which) (?:city|country|place|state|region)\b|\boù\b|\bonde\b|"
        r"quel(?:le)?s? (?:ville|pays|région|lieu|endroit)\b|"
        r"(?:que|qual) (?:cidade|país|região|lugar|local)\b|"
        r"як(?:ому|ій) (?:місті|країні|місці)\b|\bде\b|\bкуди\b",
    ),
    (
        "reason",
        r"\bwarum\b|\bweshalb\b|\bwieso\b|aus welche[mn] gr[uü]nd|\bworan\b.{0,60}\bl(?:ie|a)g|\bworauf führ|"
        r"\bwhy\b|"
        r"\bpourquoi\b|\bpor ?qu[eê](?!\w)|\bчому\b|\bнавіщо\b",
    ),
    (
        "definition",
        r"^was (?:ist|sind|war|waren|bedeutet|heißt)\b|^what (?:is|are|was|were|does \w+ mean)\b|"
        r"^що таке\b|^qu.est-ce qu|^ce qu.est\b|^o que (?:é|são)\b|\bwer ist\b|\bwho is\b|"
        # behind a frame the verb is last: "Sagen Sie mir, was eine Drohne ist"
        r"(?-i:^was) [^,]+ (?:ist|sind|war|waren|bedeutet|heißt)\W*$|"
        r"(?-i:^what) [^,]+ (?:is|are|was|were)\W*$|(?-i:^o que) [^,]+ (?:é|são)\W*$",
    ),
]
_ASK_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS]


@dataclass(frozen=True, slots=True)
class Cue:
    """The kind of answer asked for, and the question's own words, which are no answer to it."""

    kind: str
    own_words: frozenset[str]

    def offered_by(self, sentence: str, language: str | None = "de") -> bool:
        """Whether the sentence of an article in `language` has something of that kind which the question
        did not say."""
        language, read = language_of(language), sentence
        if self.kind == "number" and _DIGIT.search(sentence):
            read = DATES[language].sub(" ", sentence)
        if self.kind in _IN_SMALL_LETTERS:
            read = read.lower()
        return any(
            not {word.lower() for word in words(match.group())} <= self.own_words
            for match in OFFERS[language][self.kind].finditer(read)
        )


@functools.lru_cache(maxsize=1_000)
def cue_of(question: str) -> Cue | None:
    """The cue of a question in any of our languages; None when it asks for no particular kind."""
    for kind, pattern in _ASK_PATTERNS:
        if pattern.search(question.strip()):
            return Cue(kind, frozenset(word.lower() for word in words(question)))
    return None
