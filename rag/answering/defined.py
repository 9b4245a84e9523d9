"""Sentences that say who or what something is: „Wer ist Steve Witkoff?“, „Was ist JBER?“"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.extract import Candidate
from rag.question.query import with_capitals
from rag.text.analysis import key, language_of, tokens
from rag.text.languages import STOP, table, word_set

_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Defined:
    """What a question asks to be defined: the words of a name or a noun, and whether it is a person's."""

    words: tuple[str, ...]
    person: bool


def defined_of(question: str, language: str) -> Defined | None:
    """What a question in a language asks to be defined; None where it asks for something else."""
    question = with_capitals(question) if language == "de" else question
    found = re.match(table(language, "defines.asks"), question.strip(), re.IGNORECASE)
    if found is None:
        return None
    words, person = tuple(word for word, _, _ in tokens(found["what"])), bool(found["person"])
    may_be_names = question.islower() and STOP[language].isdisjoint(words)
    named = 0 < len(words) <= _MOST_WORDS and (may_be_names or all(word[0].isupper() for word in words))
    return Defined(words, person) if named and not (person and found["determiner"]) else None


def defining(found: Sequence[Candidate], asked: Defined) -> list[Candidate]:
    """The candidates that say who or what it is, best first: by an apposition before by an office."""
    told = [(how, each) for each in found if (how := _how(each, asked)) is not None]
    return [each for _, each in sorted(told, key=lambda pair: pair[0])]


def _how(candidate: Candidate, asked: Defined) -> int | None:
    """0 for an apposition, a copula or a short form, 1 for what stands before a person's name or behind the
    last name alone.

    What a comment calls a person is a judgement, „Voß ist eine Meisterin der Ausrede“, and none of these.
    """
    text, language = candidate.text, language_of(candidate.article.language)
    said, wanted = tokens(text), [key(word, language) for word in asked.words]
    judged = asked.person and candidate.article.genre == "comment"
    for first in _places(said, wanted, language):
        start, end = said[first][1], said[first + len(wanted) - 1][2]
        behind, before, *_ = _patterns(language)
        bracketed = text[:start].endswith("(") and text[end:].startswith(")")
        if asked.person and _has_role(text, start, end, language):
            return 0
        if bracketed or before.search(text[:start]) or (not judged and behind.match(text, end)):
            return 0
        has_title = _patterns(language)[3].search(text[:start]) and len(wanted) > 1
        if asked.person and (has_title or _has_office(text, said[:first], start, len(wanted))):
            return 1
    of_a_person = asked.person and not judged and len(wanted) > 1
    return 1 if of_a_person and _by_last_name(candidate, said, wanted, language) else None


def _places(said: Sequence[tuple[str, int, int]], wanted: Sequence[str], language: str) -> list[int]:
    """Where words with these keys stand, by the first one's number; it must have a capital."""
    keys = [key(word, language) for word, _, _ in said]
    starts = range(len(keys) - len(wanted) + 1)
    return [i for i in starts if keys[i : i + len(wanted)] == wanted and said[i][0][0].isupper()]


def _by_last_name(
    candidate: Candidate, said: Sequence[tuple[str, int, int]], name: Sequence[str], language: str
) -> bool:
    """Whether a sentence says who it is by the last name alone, in an article that has the whole name:
    „Kirill Dmitrijew reiste mit. Dmitrijew ist Sondergesandter für …“"""
    behind = _patterns(language)[0]
    alone = (i for i in _places(said, name[-1:], language) if i == 0 or not said[i - 1][0][0].isupper())
    tells = any(behind.match(candidate.text, said[i][2]) for i in alone)
    return tells and bool(_places(tokens(candidate.article.text), name, language))


def _has_role(text: str, start: int, end: int, language: str) -> bool:
    """Whether a name stands behind a role: "the zoo's director, Una Corley," but not "at the zoo, …"."""
    roles = _patterns(language)[2]
    role = roles.search(text[:start]) if text[end : end + 1] in (",", ".") else None
    before = tokens(text[: role.start()])[-1:] if role else []
    governs = word_set("roles.at", language) | word_set("roles.beside", language)
    return role is not None and governs.isdisjoint(word.lower() for word, _, _ in before)


def _has_office(text: str, before: Sequence[tuple[str, int, int]], start: int, words: int) -> bool:
    """Whether a noun stands right before a name: „Außenminister Sergej Lawrow“; of a last name two do."""
    needed = 1 if words > 1 else 2
    names = before[-needed:]
    return len(names) == needed and all(
        word[0].isupper() and text[end:following] == " "
        for (word, _, end), following in zip(names, [*(each[1] for each in names[1:]), start], strict=True)
    )


@functools.cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    """What stands behind a name and defines it, and before; a role before it, and one without a comma."""
    behind = "|".join(filter(None, table(language, "defines.behind").splitlines()))
    return (
        re.compile(f"(?:{behind})"),
        re.compile(f"(?:{table(language, 'defines.before')})$"),
        re.compile(rf"(?:{table(language, 'defines.role')}), $", re.IGNORECASE),
        re.compile(table(language, "defines.title")),
    )
