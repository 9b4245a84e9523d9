"""Follow-up questions: the words that they leave out are taken from the conversation before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.question.parse import reduced
from rag.question.query import detect_language, with_capitals
from rag.schema import Message
from rag.text.analysis import tokens, words
from rag.text.figures import WEEKDAYS
from rag.text.languages import LANGUAGES, STOP, pattern, table
from rag.text.normalize import CAPITAL

ASKED_WEIGHT = 0.5
ANSWERED_WEIGHT = 0.35
BESIDE_NAMES = 0.3
"""Share of the weight of an answer's names that its other words have."""
EXCHANGES = 2
FADING = 0.5
MESSAGE_LIMIT = 2000
"""Characters of an earlier message that are read; a question may have as many."""

_MARKER = re.compile(r"\[\d+(?:[,;–-]\s*\d+)*\](?: \(.*\)$)?", re.MULTILINE)
"""A citation in an answer, and the source that follows it at the end of a line."""
_OWN_WORDS = tuple(said for language in LANGUAGES for said in table(language, "says").values())
"""With what Beleg says itself, in place of an answer or above one."""
_CONJUNCTION = re.compile(rf"^{pattern('follow_up.conjunction')}\b", re.IGNORECASE)
# for these a name or noun earlier in the question is enough
_PRONOUN = re.compile(rf"\b{pattern('follow_up.pronoun')}\b", re.IGNORECASE)
# these refer to an event, place or time; the question itself gives it only if a clause ends in between
_POINTS_BACK = re.compile(rf"\b{pattern('follow_up.points_back')}\b", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(rf"[,;:]|\b{pattern('follow_up.clause')}\b")
_POINTS = re.compile(pattern("follow_up.points"), re.IGNORECASE)
# "Wer ist Dmitrijew?" has one content word, and is complete
_IDENTIFIES = re.compile(
    rf"^(?i:{pattern('follow_up.who')})(?:\s+{pattern('follow_up.copula')})?"
    r"\s+(?:(?:der|die|das|the)\s+[A-ZÄÖÜ]{2,}\b|[A-ZÄÖÜА-ЯЄІЇҐ]\w+)"
)
# the person addressed was not mentioned before
_ADDRESS = re.compile(r"(?<=[\w,;:] )(?:Sie|Ihnen|Ihre?[mnrs]?)\b")
_DETERMINED = {
    language: re.compile(rf"\b{pattern('follow_up.determiner', language)}\W+(\w+)", re.IGNORECASE)
    for language in LANGUAGES
    if table(language, "follow_up.determiner")
}
# the noun of "welche Bedingungen", "how many soldiers" is what is asked for; no pronoun refers to it
_ASKED_NOUN = re.compile(rf"\b{pattern('follow_up.asked_noun')}\s+(\w+)", re.IGNORECASE)
_EXPLETIVE = re.compile(pattern("follow_up.expletive"), re.IGNORECASE)
_FEW_WORDS = 1
_ELLIPSIS = re.compile(
    rf"(?i:{pattern('follow_up.ellipsis')})\s+(?:(?P<preposition>(?i:{pattern('follow_up.preposition')}))\s+)?"
    rf"(?:(?i:{pattern('follow_up.article')})\s+)?(?P<new>[\w’-]+)\s*[?.!]*"
)
CAPITALISED = rf"[{CAPITAL}][\w’-]+"
ADJECTIVE = re.compile(r"(?P<word>\w{3,}isch(?:e[nmrs]?)?|\w+(?:ian|ean)(?= )|\w+(?:ський|ська|ське|ські))\b")
"""Adjectives of one kind, as of countries: one says of whom or what another is not."""
_HE_OR_SHE = re.compile(rf"(?<= ){pattern('follow_up.person')}(?!\w)", re.IGNORECASE)
_PERSON = re.compile(rf"\b(?P<word>{CAPITALISED}(?: {CAPITALISED})+)\W*$")
"""The name of a person who a question is about: with a first name, at its end."""
_ARTICLE = re.compile(rf"\b(?:{pattern('follow_up.determiner')}|[aisvz]\w?m|zur) $", re.IGNORECASE)
_MENTIONED = re.compile(rf"(?<=[\w,;:] ){CAPITALISED}|{CAPITALISED}(?: {CAPITALISED})+")
"""A name or, in German, a noun; at the beginning of a sentence only a name of several words."""
_NAME = re.compile(rf"\b(?P<word>(?:{CAPITALISED} )?{CAPITALISED})\b")


@dataclass(frozen=True, slots=True)
class Context:
    """Earlier text whose words still count, each with a weight from 0 to 1."""

    text: str
    weight: float


def recent(history: Sequence[Message], turns: int) -> tuple[Message, ...]:
    """The last messages of a conversation, each cut to `MESSAGE_LIMIT`; the rest is never used."""
    last = history[max(0, len(history) - turns) :]
    return tuple(Message(message.role, message.content[:MESSAGE_LIMIT]) for message in last)


def context_for(question: str, history: Sequence[Message]) -> tuple[Context, ...]:
    """The history that a question needs, nearest first; empty when it stands alone."""
    if not history or stands_alone(question):
        return ()
    contexts = list[Context]()
    fading = 1.0
    for message in reversed(history[-2 * EXCHANGES :]):
        weight = ASKED_WEIGHT if message.role == "user" else ANSWERED_WEIGHT
        if message.role == "user":
            said = reduced(message.content)
            contexts.append(Context(said, weight * fading))
            if stands_alone(said):
                break  # the topic began there
            fading *= FADING
        elif said := _first_quoted(message.content):
            names = " ".join(name for name in _MENTIONED.findall(said) if name.lower() not in WEEKDAYS)
            contexts += [Context(names, weight * fading), Context(said, weight * fading * BESIDE_NAMES)]
    return tuple(contexts)


def _first_quoted(answer: str) -> str:
    """What an answer says of the articles first."""
    places = (place.strip() for place in _MARKER.sub("", answer).split("\n\n"))
    return next((place for place in places if place and not place.startswith(_OWN_WORDS)), "")


def one_part_changed(question: str, history: Sequence[Message]) -> str | None:
    """The last question with one part exchanged, as „Und die ukrainische?“ asks for; else None.

    An adjective replaces an adjective of its kind; a name replaces the first name, or the one with the same
    preposition. None if the last question has nothing of that kind.
    """
    asked = [reduced(message.content) for message in history if message.role == "user"]
    found = _ELLIPSIS.match(question)
    if not found or not asked:
        return None
    new, kind = found["new"], ADJECTIVE if ADJECTIVE.fullmatch(found["new"]) else _NAME
    if not kind.fullmatch(new):
        return None
    old = [each for each in kind.finditer(asked[-1]) if each.start() and each["word"].lower() != new.lower()]
    preposition = found["preposition"]
    if preposition:
        old = [
            each for each in old if asked[-1][: each.start()].rstrip().lower().endswith(preposition.lower())
        ]
    if not old:
        return None
    start, end = old[0].span("word")
    return f"{asked[-1][:start]}{new}{asked[-1][end:]}"


def named_again(question: str, history: Sequence[Message]) -> str | None:
    """The question with the person whom the last one was about in place of its pronoun; None without."""
    asked = [reduced(message.content) for message in history if message.role == "user"]
    if not asked or stands_alone(question):
        return None
    person = _PERSON.search(asked[-1])
    found = list(_HE_OR_SHE.finditer(question))
    if person is None or len(found) != 1 or _ARTICLE.search(asked[-1], 0, person.start()):
        return None
    start, end = found[0].span()
    return f"{question[:start]}{person['word']}{question[end:]}"


def stands_alone(question: str) -> bool:
    """Whether a question can be understood without what was said before.

    It cannot if it opens like a follow-up, has a pronoun before any name or noun, or hardly any content
    words.
    """
    if any(pattern.search(question) for pattern in (_CONJUNCTION, _POINTS)):
        return False
    language = detect_language(question)
    question = with_capitals(question) if language == "de" else question
    own = [(word, start) for word, start, _ in tokens(question) if word.lower() not in STOP[language]]
    if len(own) <= _FEW_WORDS:
        return bool(own) and _IDENTIFIES.match(question) is not None
    plain = _hidden(_ADDRESS, _hidden(_EXPLETIVE, question))
    named, asked = _named(question, own, language), _ASKED_NOUN.search(question)
    noun = min(named, asked.start(1)) if asked else named
    if language == "de" and noun == len(question):
        return False  # it names nothing: „Wer war zuerst da?“
    pronoun, points = _PRONOUN.search(plain), _POINTS_BACK.search(plain)
    if pronoun and named > pronoun.start() and not _CLAUSE_ENDS.search(plain, noun, pronoun.start()):
        return False
    return points is None or _CLAUSE_ENDS.search(plain, noun, points.start()) is not None


def _named(question: str, own: Sequence[tuple[str, int]], language: str) -> int:
    """Offset of the first name or noun, a word with a capital or an article; the length if there is none.

    The noun that is asked for ("welche Bedingungen") does not count.
    """
    asked = {match.start(1) for match in _ASKED_NOUN.finditer(question)}
    articles = _DETERMINED.get(language)  # Ukrainian has no articles
    determined = {match.start(1) for match in articles.finditer(question)} if articles else set()
    for word, start in own:
        if start not in asked and ((word[0].isupper() and start > 0) or start in determined):
            return start
    return len(question)


def _hidden(pattern: re.Pattern[str], text: str) -> str:
    """The text with dots over what the pattern finds, so that offsets stay the same."""
    return pattern.sub(lambda match: "·" * len(match.group()), text)


def standalone(question: str, contexts: Sequence[Context]) -> str:
    """The question with the words that it takes from before, for people to read."""
    if not contexts:
        return question
    said = {word.lower() for word in words(question)}
    carried: dict[str, None] = {}
    for context in contexts:
        stop = STOP[detect_language(context.text)]
        for word in words(context.text):
            if word.lower() not in stop and word.lower() not in said:
                carried.setdefault(word)
    return f"{question} ({', '.join(list(carried)[:8])})" if carried else question
