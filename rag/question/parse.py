"""Reduces a message to its question: greetings, thanks, apologies, polite openings and shouting are removed.

A clause is courtesy if all its words are in its language's `courtesy` lists and one of them is a head. So no
list of phrases is needed: "Hätten Sie vielleicht kurz Zeit, mir zu sagen, …". Topics, question words and
third persons are not in the lists: "Sagte er, …" is content.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.analysis import sharp
from rag.text.languages import LANGUAGES, pattern, word_set


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A language's polite words: all of them (`words`), and those of which a polite clause has one
    (`heads`)."""

    heads: frozenset[str]
    words: frozenset[str]


def _courtesy(language: str) -> Courtesy:
    heads = word_set("courtesy.heads", language) | INTERNATIONAL
    return Courtesy(heads, heads | word_set("courtesy.others", language))


INTERNATIONAL = frozenset("hi hello hey hallo ok okay danke thanks thx ty merci sorry pardon please".split())
COURTESIES = {language: _courtesy(language) for language in LANGUAGES}
EVERY_WORD = frozenset().union(*(courtesy.words for courtesy in COURTESIES.values()))

GREETINGS = word_set("courtesy.greetings")
SIGN_OFFS = word_set("courtesy.sign_offs")
BEFORE_SIGN_OFFS = word_set("courtesy.before")
OPENS_A_SENTENCE = word_set("courtesy.opens")
"""Words that have a capital only at the beginning of a sentence."""
PLEASE = word_set("courtesy.please")
ADVERSATIVES = word_set("courtesy.adversatives")
ASKING = word_set("courtesy.asking")
"""Words that begin a question after a polite opening without a comma."""
PREPOSITIONS = word_set("courtesy.prepositions")
SPEAKERS = word_set("courtesy.speakers")
"""Words for the person asking and for Beleg, whom no article is about."""
ADDRESS = word_set("courtesy.address")

NAME_WORDS = 3
"""Most words of a name after a greeting: "Hallo Frau Dr. Weber"."""
LONGEST = 4_000
"""Characters; a longer message is left as it is."""
STRANGE_WORDS = 4
"""Most other words, all in lower case, of a German clause about the speakers."""
MOST_WORDS = 30
"""Most words of courtesy removed in one step."""
LEAST_QUESTION = 3
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
    if len(message) > LONGEST:
        return message
    text = _tidy(message)
    for cut in (_without_opening, _without_please, _without_end):
        while (rest := cut(text)) != text and _WORD.search(rest):
            text = rest
    asks = _WORD.search(text) and not _is_courtesy(text)
    return " ".join((text if asks else message).split())


def _tidy(message: str) -> str:
    """The message without web addresses, emoji, repeated punctuation and shouting."""
    text = _MARKS.sub(r"\1", _SMALL_TALK.sub(" ", _EMOJI.sub("\n", _URL.sub(" ", message))))
    shouted = text.isupper() and _count(text) >= LEAST_QUESTION
    return (_WORD.sub(lambda word: sharp(word.group()), text.lower()) if shouted else text).strip()


def _without_opening(text: str) -> str:
    """The text after the greeting or polite phrase that it opens with."""
    end = max(_opening(text, courtesy) for courtesy in COURTESIES.values())
    gap = _BREAK.search(text)
    if not end and gap and _is_about_speakers(text[: gap.start()], text.islower()):
        end = gap.end()
    if not end:
        return text
    rest = text[end:].lstrip(_BETWEEN)
    first = _WORD.match(rest)
    if first and first.group().lower() in ADVERSATIVES:
        rest = rest[first.end() :].lstrip(_BETWEEN)
    return rest


def _opening(text: str, courtesy: Courtesy) -> int:
    """End of the words of courtesy that the text opens with; 0 for none."""
    found = list(itertools.islice(_WORD.finditer(text), MOST_WORDS))
    if not found or _QUOTED.search(text, 0, found[0].start()):
        return 0
    said, greeted, names = False, False, 0
    for place, word in enumerate(found):
        gap = word.end(), found[place + 1].start() if place + 1 < len(found) else len(text)
        lower = word.group().lower()
        if lower in courtesy.words:
            said = said or lower in courtesy.heads
            greeted = greeted or lower in GREETINGS
        elif greeted and names < NAME_WORDS and word.group()[0].isupper():
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
    if before in GREETINGS and first[0].islower() and first not in courtesy.words:
        return True
    return first.lower() in ASKING or (
        first.lower() in PREPOSITIONS and bool(others) and others[0].lower() in ASKING
    )


def _without_please(text: str) -> str:
    """The text without "bitte" at its end, except where that is the question: "Wer sagt bitte?"."""
    found = _PLEASE.search(text)
    if found and ("," in found.group() or _count(text[: found.start()]) >= LEAST_QUESTION):
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
        if _count(text[end:]) > MOST_WORDS:
            break
        if gap.group() == ":" or (comma and not _may_follow_comma(text, end)):
            continue
        if _is_courtesy(text[end:]) or (
            gap.group() in ".!?…\n" and _is_about_speakers(text[end:], text.islower())
        ):
            return end
    return 0


def _may_follow_comma(text: str, end: int) -> bool:
    """Whether what follows a comma can be courtesy: "Wer sagte, sie würden helfen?" ends in content."""
    tail = _WORD.findall(text[end:])
    thanks = not (SIGN_OFFS | PLEASE).isdisjoint(word.lower() for word in tail)
    return _count(text[:end]) >= LEAST_QUESTION and (thanks or _addresses(tail))


def _sign_off(text: str) -> int:
    """Start of thanks or a greeting at the end without punctuation before it; 0 for none."""
    if text.endswith("?"):  # "Wer sagte zum Abschied danke?"
        return 0
    found = list(_WORD.finditer(text))
    for place in range(len(found) - 1, max(LEAST_QUESTION, len(found) - MOST_WORDS) - 1, -1):
        word, tail = found[place].group(), text[found[place].start() :]
        begins = word.lower() in SIGN_OFFS or (word.istitle() and word.lower() in OPENS_A_SENTENCE)
        if begins and _is_courtesy(tail):
            while place > LEAST_QUESTION and found[place - 1].group().lower() in BEFORE_SIGN_OFFS:
                place -= 1
            return found[place].start()
    return 0


def _is_about_speakers(text: str, in_small_letters: bool) -> bool:
    """Whether a clause is only about the speakers, without a topic: "Ich komme hier nicht weiter.".

    In a message without capitals any other word may be a name.
    """
    said = _WORD.findall(text)
    if not 1 < len(said) <= MOST_WORDS or _QUOTED.search(text) or said[0].lower() not in EVERY_WORD:
        return False
    own = [word for word in said if word.lower() not in EVERY_WORD]
    few = 0 if in_small_letters else STRANGE_WORDS if _is_german(said) else 1
    return (
        len(own) <= few
        and all(word.islower() and word not in ASKING for word in own)
        and (_addresses(said[:1], first=True) or _addresses(said[1:]))
    )


def _addresses(said: Sequence[str], *, first: bool = False) -> bool:
    """Whether these words mean one of the speakers; "EU" is not the Portuguese "eu"."""
    spoken = (word.lower() for word in said if len(word) == 1 or not word.isupper())
    return not SPEAKERS.isdisjoint(spoken) or not (first or ADDRESS.isdisjoint(said))


def _is_german(said: Sequence[str]) -> bool:
    counts = {name: sum(word.lower() in each.words for word in said) for name, each in COURTESIES.items()}
    return max(counts, key=lambda name: counts[name]) == "de"


def _count(text: str) -> int:
    return len(_WORD.findall(text))


def _is_courtesy(text: str) -> bool:
    """Whether this is only courtesy, possibly signed: "Viele Grüße, Anna"."""
    said = _WORD.findall(text)
    return bool(said) and not _QUOTED.search(text) and any(_are(said, each) for each in COURTESIES.values())


def _are(tail: Sequence[str], courtesy: Courtesy) -> bool:
    known = [word.lower() in courtesy.words for word in tail]
    names = known[::-1].index(True) if True in known else len(known)
    kept = [word.lower() for word in tail[: len(tail) - names]]
    if names and (
        names > NAME_WORDS
        or not all(word[0].isupper() for word in tail[-names:])
        or SIGN_OFFS.isdisjoint(kept)
    ):
        return False
    return all(word in courtesy.words for word in kept) and not courtesy.heads.isdisjoint(kept)
