"""Who does what to whom: whether a sentence has those whom a question names in the same parts.

„Was verlangt die Ukraine?“ is not answered by what Russia demands of Ukraine. The parts are told by rules:
prepositions, articles that show a case, the passive, speakers („laut X“), and else by the order of the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.question.capitals import with_capitals
from rag.question.query import STOP, detect_language
from rag.text.analysis import fold

Part = Literal["agent", "patient", "beside"]
"""Who acts, who is acted on, and what stands beside: the place, the time, the topic."""

_WORD = re.compile(r"[^\W\d_](?:[\w’']|-(?=\w))*")
_CLAUSE = re.compile(r"[,;:–—!?()]|\.(?=\s|$)|(?<=\s)[–-](?=\s)")
_ASKS_FOR_AGENT = re.compile(
    r"(?:wer|welcher|who|which|qui|quem)\b",
    re.IGNORECASE,
)
_WHO_DID = re.compile(r"(?:who|which \w+) (?:did|does|do|will|would|has|have|can)\b", re.IGNORECASE)
_PREPOSITIONS = frozenset(
    """
    von vom gegen mit für an am auf über zu zum zur bei beim nach in im ins aus durch um ohne vor
    gegenüber seit unter zwischen hinter neben wegen trotz of from with to by on against for at
    about over into under between towards de du des à au aux par contre pour avec sur chez em no na
    nos nas do da dos das por pelo pela para com contra sobre ao
    """.split()
)
_AGENT_OF_PASSIVE = frozenset("von vom durch by par por pelo pela".split())
_AT_SOMEBODY = frozenset(
    "von vom gegen an gegenüber vor from to against by de du des à au aux contre do da ao".split()
)
_PASSIVE = re.compile(
    r"\b(?:wurden?|worden|wird|werden|was|were|been|is being|are being|été|est|fut|foi|foram|é|são)\b"
)
_PARTICIPLE = re.compile(
    r"\b(?:ge\w+(?:t|en)|(?:be|emp|er|ver|zer|ent)\w+(?:t|en)|\w+ge\w+(?:t|en)|\w+(?:iert|ed|ée?s?|[ai]d[oa]s?))\b"
)
_SPEAKER_BEFORE = re.compile(
    r"\b(?:laut|so|according to|selon|segundo"
    r"|(?:ansicht|meinung|worten|angaben|urteil|willen|überzeugung)(?: von)?)"
    r"(?: (?:der|dem|des|the|le|la|o|a))?$",
    re.IGNORECASE,
)
_ZUFOLGE = re.compile(r"\s+zufolge\b", re.IGNORECASE)
_DETERMINERS = frozenset(
    "der die das den dem des ein eine einen einem einer eines the a an le la les l un une o os as um".split()
)
_MARKED = frozenset("den dem des einen einem eines".split())
_GENITIVE = frozenset({"der", "des"})
_FUNCTION = (
    _PREPOSITIONS | _DETERMINERS | frozenset("wer wen wem was who whom what que qui according".split())
)
_ASKED = re.compile(
    r"(?:(?:welche[mnrs]?|wie ?viele?n?)(?: \w+e[nmrs]?)?"
    r"|how (?:many|much)|which|what|quel(?:le)?s?|qua(?:l|is)) $",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(r"e[nmrs]?$")
_JOINED = re.compile(r"\s*(?:und|and|et|e|sowie)\s*(?:\w+\s+)?")
_WANTS = frozenset(
    """
    forderung forderungen wille willen ziel ziele wunsch plan pläne vorwurf angebot ansicht meinung
    vorschlag drohung kritik angriff angriffe entscheidung strategie demand demands aim goal plan
    offer threat criticism attack decision
    """.split()
)
_WANTED = frozenset(map(fold, _WANTS))
_SEATS = {
    "kiew": "ukraine", "kyjiw": "ukraine", "kyiv": "ukraine", "moskau": "russland", "kreml":
    "russland", "washington": "usa", "peking": "china", "berlin": "deutschland", "paris":
    "frankreich", "warschau": "polen", "london": "großbritannien", "rom": "italien", "madrid":
    "spanien", "wien": "österreich", "ankara": "türkei", "teheran": "iran", "brüssel": "eu",
    "moscow": "russia", "kremlin": "russia", "beijing": "china",
}  # fmt: skip
"""Seats of governments, which are named for their countries."""


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody or something that is named, in words as they follow each other, and whether it acts."""

    words: tuple[str, ...]
    part: Part

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for word in self.words for name in _names(word))


def agreement(question: str, sentence: str) -> float:
    """How far those whom the question names have the same parts in the sentence: 1 all, -1 none, 0 unknown.

    >>> agreement("Was verlangt die Ukraine?", "Russland verlangt von der Ukraine den Verzicht.")
    -1.0
    """
    said = roles(sentence)
    asked = [part for role in roles(question) for part in _apart(role, said)]
    for part in ("agent", "patient"):  # whoever acts in the question tells most
        told = [_same(role, said) for role in asked if role.part == part]
        if any(told):
            return sum(told) / len(told)
    return 0.0


def roles(text: str) -> list[Role]:
    """Who is named in a sentence or a question, in order, each with its part there."""
    language = detect_language(text)
    found: list[Role] = []
    at = 0
    for end in [match.start() for match in _CLAUSE.finditer(text)] + [len(text)]:
        found += _clause(text[at:end], language, opens=at == 0, question=text.rstrip().endswith("?"))
        at = end + 1
    return found


def _apart(role: Role, said: list[Role]) -> list[Role]:
    """„Was schenkte Karl Maria?“: names side by side are two, where the sentence has them apart."""
    first, rest = Role(role.words[:1], role.part), Role(role.words[1:], "patient")
    one = [other for other in said if other.names & first.names]
    two = [other for other in said if other.names & rest.names]
    return [role] if not one or not two or any(other in two for other in one) else [first, rest]


def _same(role: Role, said: list[Role]) -> float:
    """1 where somebody has the same part, -1 where it is another's; 0 where that is not said."""
    parts = {other.part for other in said if other.names & role.names} - {"beside"}
    others = any(other.part == role.part and not other.names & role.names for other in said)
    return 1.0 if role.part in parts else -1.0 if parts and others else 0.0


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    before: str  # determiner or preposition
    preposition: str
    start: int
    end: int
    possessive: bool


def _clause(text: str, language: str, *, opens: bool, question: bool) -> list[Role]:
    phrases = list(_phrases(text, language, opens=opens))
    passive = bool(_PASSIVE.search(text) and _PARTICIPLE.search(text))
    agent_found = opens and question and not passive and _asks_for_agent(text)
    found = []
    for i, phrase in enumerate(phrases):
        if question and _ASKED.search(text[: phrase.start]):
            continue  # what is asked for has no part yet: „Welchem Ausschuss …?“
        part = _marked(text, phrase, passive=passive)
        between = text[phrases[i - 1].end : phrase.start] if i else "–"
        if phrase.before in _GENITIVE and between.strip() == phrase.before:
            if fold(phrases[i - 1].words[-1]) in _WANTED:  # „der Wille der Stadt“
                found.append(Role(phrase.words, "agent"))
            continue
        if found and not phrase.preposition and _JOINED.fullmatch(between):
            part = found[-1].part
        elif part is None:  # by the order of words
            part = "patient" if agent_found or passive else "agent"
            agent_found = True
        elif part == "agent" and not passive:
            agent_found = agent_found or not phrase.preposition
        found.append(Role(phrase.words, part))
    return found


def _marked(text: str, phrase: _Phrase, *, passive: bool) -> Part | None:
    """The part that a phrase shows by itself; None where the order of the words must tell."""
    before = text[: phrase.start].rstrip()
    if _SPEAKER_BEFORE.search(before) or _ZUFOLGE.match(text[phrase.end :]):
        return "agent"
    if passive and phrase.preposition in _AGENT_OF_PASSIVE:
        return "agent"
    if phrase.preposition:
        return "patient" if phrase.preposition in _AT_SOMEBODY else "beside"
    if phrase.possessive:
        return "agent"
    if phrase.before in _MARKED:
        return "patient"
    return None


def _asks_for_agent(text: str) -> bool:
    """Whether it asks for the one who acts: „Wer …?“, but not “Who did they …?”."""
    return bool(_ASKS_FOR_AGENT.match(text.strip())) and not _WHO_DID.match(text.strip())


def _phrases(text: str, language: str, *, opens: bool) -> Iterator[_Phrase]:
    """Runs of words with capitals, each with the words before it that show its part."""
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]
    i = 0
    while i < len(words):
        word = words[i][0]
        function = word.lower() in _FUNCTION or word.lower() in STOP[language]
        determined = language != "de" and i > 0 and words[i - 1][0].lower() in _DETERMINERS and not function
        adverb = i == 0 and language == "de" and not _is_noun(word)
        if not (word[0].isupper() or determined) or (i == 0 and opens and function) or adverb:
            i += 1
            continue
        j = i
        while (
            j + 1 < len(words) and words[j + 1][0][0].isupper() and text[words[j][2] : words[j + 1][1]] == " "
        ):
            j += 1
        run = tuple(each[0] for each in words[i : j + 1])
        possessive = len(run) > 1 and run[0].endswith("s") and fold(run[-1]) in _WANTED
        yield _Phrase(run, *_before(words, i), words[i][1], words[j][2], possessive)
        i = j + 1


def _names(word: str) -> frozenset[str]:
    """The word in one spelling, and the country whose government sits there."""
    plain = {word.lower().removesuffix("’s").removesuffix("'s")}
    plain |= {word.removesuffix("s") for word in plain if len(word) > 4}
    plain |= {_SEATS[word] for word in plain if word in _SEATS}
    return frozenset(map(fold, plain))


def _is_noun(word: str) -> bool:
    return with_capitals(f"das {word.lower()} ist")[4].isupper()


def _before(words: list[tuple[str, int, int]], at: int) -> tuple[str, str]:
    """The determiner and the preposition before a phrase, over adjectives."""
    determiner, preposition = "", ""
    for i in range(at - 1, max(-1, at - 4), -1):
        word = words[i][0].lower()
        if word in _PREPOSITIONS and word not in _DETERMINERS:
            preposition = word
            break
        if word in _DETERMINERS:
            if determiner:
                break
            determiner = word
            continue
        is_adjective = words[i][0].islower() and word not in STOP["de"] and _ADJECTIVE.search(word)
        if determiner or not is_adjective:
            break
    return determiner, preposition
