"""Questions for what somebody wants or holds: „Was will Putin?“, „Wie reagierte die Nato?“"""

import functools
import re
from dataclasses import dataclass, replace
from itertools import takewhile

from rag.question.query import with_capitals
from rag.text.analysis import words
from rag.text.languages import DOSSIER_WORDS, STOP, pattern, table, word_set

_AUTHOR = re.compile(pattern("aims.author"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Aim:
    """Whose aims, or stance, a question asks for: the words for it, and the words that say of what."""

    who: tuple[str, ...]
    of: tuple[str, ...] = ()
    is_stance: bool = False

    @property
    def is_of_the_author(self) -> bool:
        """Whether they are those of whoever wrote a comment: „Was fordert der Kommentator?“"""
        return _AUTHOR.fullmatch(self.who[-1]) is not None


def aim_of(question: str, language: str) -> Aim | None:
    """Whose aims or stance a question in a language asks for; None where it asks for something else."""
    question = with_capitals(question) if language == "de" else question
    for asked in ("aims", "stances"):
        for asks in _asks(language, asked):
            if found := asks.match(question.strip()):
                said = " ".join(filter(None, found.groups()))
                if asked == "stances" and _are_several(said, language):
                    return None
                aim = _named(said, language)
                return aim and replace(aim, is_stance=asked == "stances")
    return None


def _are_several(said: str, language: str) -> bool:
    """Whether more than one is named: „Russland und die Ukraine zu …“."""
    before = _prepositions(language)
    who = takewhile(lambda word: word not in before, map(str.lower, words(said)))
    return not word_set("roles.joins", language).isdisjoint(who)


def _named(said: str, language: str) -> Aim | None:
    """Who is named first, up to the first word that is none of it, and what else is said."""
    stop, before = STOP[language], _prepositions(language)
    determiners = word_set("aims.determiners", language)
    rest, who = words(said), list[str]()
    while rest and rest[0].lower() in determiners:
        rest.pop(0)
    while rest and rest[0].lower() not in before | stop:
        if who and who[-1][0].isupper() and not rest[0][0].isupper() and language == "de":
            break
        who.append(rest.pop(0))
    of = tuple(word for word in rest if word.lower() not in stop | before)
    named = who and who[-1].lower() not in DOSSIER_WORDS and (language != "de" or who[-1][0].isupper())
    return Aim(tuple(who), of) if named else None


def _prepositions(language: str) -> frozenset[str]:
    return word_set("roles.at", language) | word_set("roles.beside", language)


@functools.cache
def _asks(language: str, asked: str) -> tuple[re.Pattern[str], ...]:
    words = {name: table(language, f"aims.{name}") for name in ("wants", "goals")}
    lines = filter(None, table(language, f"{asked}.asks").splitlines())
    forms = (line.replace("{wants}", words["wants"]).replace("{goals}", words["goals"]) for line in lines)
    return tuple(re.compile(form, re.IGNORECASE) for form in forms)
