"""Reduces a message to its questions: courtesy and shouting are removed, and several questions told apart.

A clause is courtesy if all its words are in its language's `courtesy` lists and one of them is a head. So no
list of phrases is needed: "Hätten Sie vielleicht kurz Zeit, mir zu sagen, …". Topics, question words and
third persons are not in the lists: "Sagte er, …" is content.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.analysis import words
from rag.text.languages import LANGUAGES, pattern, word_set


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A language's polite words: all of them (`words`), and those of which a polite clause has one
    (`heads`)."""

    heads: frozenset[str]
    words: frozenset[str]


_INTERNATIONAL = frozenset("hi hello hey hallo ok okay danke thanks thx ty merci sorry pardon please".split())
_HEADS = {language: word_set("courtesy.heads", language) | _INTERNATIONAL for language in LANGUAGES}
_COURTESIES = {
    language: Courtesy(heads, heads | word_set("courtesy.others", language))
    for language, heads in _HEADS.items()
}
_GREETINGS, _SIGN_OFFS, _BEFORE_SIGN_OFFS, _PLEASES, _ADVERSATIVES, _PREPOSITIONS = (
    word_set(f"courtesy.{name}")
    for name in ("greetings", "sign_offs", "before", "please", "adversatives", "prepositions")
)
_OPENS_A_SENTENCE, _ASKING, _SPEAKERS, _ADDRESS = (
    word_set(f"courtesy.{name}") for name in ("opens", "asking", "speakers", "address")
)
"""Words that have a capital only at the beginning of a sentence; that begin a question after a polite opening
without a comma; and for the person asking and for Beleg, whom no article is about."""

_NAME_WORDS = 3
"""Most words of a name after a greeting: "Hallo Frau Dr. Weber"."""
_LONGEST = 4_000
"""Characters; a longer message is left as it is."""
_MOST_WORDS = 30
"""Most words of courtesy removed in one step."""
_LEAST_QUESTION = 3
"""Least words before a comma that can be a question: in "Wer sagte, ich helfe?" they are not."""

_WORD = re.compile(r"[^\W_]+")
_URL = re.compile(r"\b(?:https?://|www\.)\S+|^\s*@\w+", re.IGNORECASE)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2764\ufe0f\u200d]+|(?<!\\w)[:;]-?[()DP](?!\\w)"
)
_MARKS = re.compile(r"([?!])(?:\s?[?!])+")
_BREAK = re.compile(r"[,;:!?…\n]|(?<!\b[A-Z])(?<!\b[DM]r)(?<!\bM[rm]s)(?<!\bProf)\.|\s[–—-]+\s|[–—]")
_BETWEEN = " ,;:.!?…–—-\n"
_QUOTED = re.compile('[„“”«»‚‘"(\\[]')
_SMALL_TALK = re.compile(rf"\b{pattern('courtesy.small_talk')}\s?[?!.,]+|\bwie folgt\b", re.IGNORECASE)
_PLEASE = re.compile(rf"[\s,]+{pattern('courtesy.please_last')}(?=[\s.!?]*$)", re.IGNORECASE)


def reduced(message: str) -> str:
    """The question in `message`, in its own words; the whole message where there is none ("Danke!").

    >>> reduced("Hallo, können Sie mir bitte sagen, wie alt Putin ist? Vielen Dank!")
    'wie alt Putin ist?'
    """
    if len(message) > _LONGEST:
        return message
    text = _MARKS.sub(r"\1", _SMALL_TALK.sub(" ", _EMOJI.sub("\n", _URL.sub(" ", message)))).strip()
    if text.isupper() and _count(text) >= _LEAST_QUESTION:  # shouted
        text = text.lower()
    for cut in (_without_opening, _without_please, _without_end):
        while (rest := cut(text)) != text and _WORD.search(rest):
            text = rest
    asks = _WORD.search(text) and not _is_courtesy(text)
    return " ".join((text if asks else message).split())


def _without_opening(text: str) -> str:
    """The text after the greeting or polite phrase that it opens with."""
    end = max(_opening(text, courtesy) for courtesy in _COURTESIES.values())
    if not end:
        return text
    rest = text[end:].lstrip(_BETWEEN)
    first = _WORD.match(rest)
    if first and first.group().lower() in _ADVERSATIVES:
        rest = rest[first.end() :].lstrip(_BETWEEN)
    return rest


def _opening(text: str, courtesy: Courtesy) -> int:
    """End of the words of courtesy that the text opens with; 0 for none."""
    found = list(itertools.islice(_WORD.finditer(text), _MOST_WORDS))
    if not found or _QUOTED.search(text, 0, found[0].start()):
        return 0
    said, greeted, names = False, False, 0
    for place, word in enumerate(found):
        gap = word.end(), found[place + 1].start() if place + 1 < len(found) else len(text)
        lower = word.group().lower()
        if lower in courtesy.words:
            said = said or lower in courtesy.heads
            greeted = greeted or lower in _GREETINGS
        elif greeted and names < _NAME_WORDS and word.group()[0].isupper():
            names += 1
        else:
            return 0
        if said and (_BREAK.search(text, *gap) or (not names and _asks(found[place + 1 :], lower, courtesy))):
            return word.end()
        if _QUOTED.search(text, *gap):
            return 0
    return 0


def _asks(following: Sequence[re.Match[str]], before: str, courtesy: Courtesy) -> bool:
    """Whether a question follows without a comma before it."""
    if not following:
        return False
    first, *others = (word.group() for word in following[:2])
    if before in _GREETINGS and first[0].islower() and first not in courtesy.words:
        return True
    return first.lower() in _ASKING or (
        first.lower() in _PREPOSITIONS and bool(others) and others[0].lower() in _ASKING
    )


def _without_please(text: str) -> str:
    """The text without "bitte" at its end, except where that is the question: "Wer sagt bitte?"."""
    found = _PLEASE.search(text)
    if found and ("," in found.group() or _count(text[: found.start()]) >= _LEAST_QUESTION):
        return text[: found.start()] + text[found.end() :]
    return text


def _without_end(text: str) -> str:
    """The text without its last clause, if that is thanks, a wish, a polite phrase or a sign-off."""
    end = _last_clause(text) or _sign_off(text)
    return text[:end].rstrip(" ,;–—-\n") if end else text


def _last_clause(text: str) -> int:
    """Start of the last clause if it is only courtesy, else 0."""
    for gap in reversed(list(_BREAK.finditer(text))):
        end, comma = gap.end(), gap.group() == ","
        if _count(text[end:]) > _MOST_WORDS:
            break
        tail = _WORD.findall(text[end:])
        thanks = not (_SIGN_OFFS | _PLEASES).isdisjoint(word.lower() for word in tail)
        # "Wer sagte, sie würden helfen?" ends in content
        may_follow_comma = _count(text[:end]) >= _LEAST_QUESTION and (thanks or _mean_speakers(tail))
        if gap.group() == ":" or (comma and not may_follow_comma):
            continue
        if _is_courtesy(text[end:]):
            return end
    return 0


def _sign_off(text: str) -> int:
    """Start of thanks or a greeting at the end without punctuation before it; 0 for none."""
    if text.endswith("?"):  # "Wer sagte zum Abschied danke?"
        return 0
    found = list(_WORD.finditer(text))
    for place in range(len(found) - 1, max(_LEAST_QUESTION, len(found) - _MOST_WORDS) - 1, -1):
        word, tail = found[place].group(), text[found[place].start() :]
        begins = word.lower() in _SIGN_OFFS or (word.istitle() and word.lower() in _OPENS_A_SENTENCE)
        if begins and _is_courtesy(tail):
            while place > _LEAST_QUESTION and found[place - 1].group().lower() in _BEFORE_SIGN_OFFS:
                place -= 1
            return found[place].start()
    return 0


def _mean_speakers(said: Sequence[str]) -> bool:
    """Whether these words mean one of the speakers; "EU" is not the Portuguese "eu"."""
    spoken = (word.lower() for word in said if len(word) == 1 or not word.isupper())
    return not _SPEAKERS.isdisjoint(spoken) or not _ADDRESS.isdisjoint(said)


def _count(text: str) -> int:
    return len(_WORD.findall(text))


def _is_courtesy(text: str) -> bool:
    """Whether this is only courtesy, possibly signed: "Viele Grüße, Anna"."""
    said = [] if _QUOTED.search(text) else _WORD.findall(text)
    for courtesy in _COURTESIES.values():
        last = max((i for i, word in enumerate(said, 1) if word.lower() in courtesy.words), default=0)
        names, kept = said[last:], {word.lower() for word in said[:last]}
        may_sign = len(names) <= _NAME_WORDS and all(word[0].isupper() for word in names)
        named = not names or (may_sign and not _SIGN_OFFS.isdisjoint(kept))
        if named and kept <= courtesy.words and not courtesy.heads.isdisjoint(kept):
            return True
    return False


MOST_PARTS = 4
"""Most questions of one message that are answered."""
LEAST_WORDS = 3
"""Least words of each of two joined questions; „Wann und wo …?“ is one question."""

_ASKS = rf"(?:{pattern('parts.before')}\s+)?{pattern('parts.asks')}\b"
_OPENS = re.compile(_ASKS, re.IGNORECASE)
_AND = re.compile(rf"[,;]?\s+{pattern('parts.joins')}\s+(?={_ASKS})", re.IGNORECASE)
_ENDS = re.compile(r"(?<=\?)\s+|\n+")
_IS_ASKED = re.compile(r"\?\s*$")
# „In welcher Stadt (und bei welchem Fest) endet …?“, „Wer kaufte es (und für wie viel)?“
_DEGREE = rf"{pattern('query.how')} {pattern('query.degree')}"
_PHRASE = re.compile(rf"(?:\w+ )?(?:{pattern('parts.phrase')} \w+(?: \w+)?|{_DEGREE})\W*", re.IGNORECASE)
# „…, dass er kommt und was er will“: a subordinate clause, with its verb at the end
_HANGING = re.compile(rf"{_ASKS} {pattern('parts.subject')} ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a message; `beside` are the others in its sentence, which share its topic."""

    asks: str
    beside: str = ""


def parts_of(message: str) -> list[Part]:
    """The questions of a message, in order.

    >>> [part.asks for part in parts_of("Wie lang ist die Brücke und wer hat sie gebaut?")]
    ['Wie lang ist die Brücke?', 'wer hat sie gebaut?']
    """
    pieces = [piece.strip() for piece in _ENDS.split(message) if piece.strip()]
    asked = [piece for piece in pieces if _IS_ASKED.search(piece)]
    if len(asked) < len(pieces):  # statements beside a single question belong to it
        return [Part(message)] if len(asked) < 2 else [Part(piece) for piece in asked]
    joined = map(_joined, pieces)
    return [Part(each, " ".join(o for o in asked if o is not each)) for asked in joined for each in asked]


def _joined(question: str) -> list[str]:
    """Splits a sentence at „und“ where both halves are questions by themselves."""
    if not _OPENS.match(question):
        return [question]
    parts = [part.strip(" ,;") for part in _AND.split(question)]
    if any(len(words(part)) < LEAST_WORDS or _PHRASE.fullmatch(part) for part in parts):
        return [question]
    if any(_HANGING.match(part) for part in parts[1:]):
        return [question]
    return [part if part.endswith("?") else f"{part}?" for part in parts]
