"""Sentences by rule, for German, English, French, Portuguese and Ukrainian.

A full stop ends a sentence, except after an abbreviation, an initial, a date or an ordinal, before a
lower-case word, and inside brackets. After an abbreviation that may also end a sentence ("… usw. Der Rat", "…
usw. Frankreich") a function word shows that a new sentence begins.
"""

import re
from collections.abc import Iterator

from rag.schema import Span
from rag.text.languages import LANGUAGES, STOP, pattern, table, word_set
from rag.text.normalize import trimmed

_STARTERS = STOP | {"ru": STOP["uk"]}
"""Words that have a capital because they begin a sentence, not because they are names."""

_TITLES, _ABBREVIATIONS, _BEFORE_FIGURES, _DETERMINED, _AFTER_ORDINAL, _NO_VOWELS = (
    word_set(f"sentences.{name}")
    for name in ("titles", "abbreviations", "before_figures", "determined", "after_ordinal", "no_vowels")
)
"""A title comes before a name, even one that looks like a function word (M. Le Pen). `_BEFORE_FIGURES` are
abbreviations before a figure only ("no. 5", but "He said no."); `_NO_VOWELS` are words without vowels."""
_STOP = re.compile(r"[.!?…]+")
_OPENERS = "\"„“”»«‚‘’'›‹([{–—-•*"
_NEXT = re.compile(rf"[{re.escape(_OPENERS)}\s]*")
_TOKEN = re.compile(r"[^\s\"„“”»«‚‘’'›‹()\[\]{}/–—…!?]+$")
_BEFORE = re.compile(r"([^\W\d_]+)[ \t\u00a0]$")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_DATE = re.compile(r"\d{1,2}\.(?:0?[1-9]|1[0-2])")
_ROMAN = re.compile(r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})")
_SHORT = re.compile(r"[bcdfghjklmnpqrstvwxz]{1,5}")
_SPACED = {
    language: re.compile(rf"(?:\s?[{table(language, 'sentences.closers')}]+(?=\s|$))*")
    for language in LANGUAGES
}
"""What may close a sentence after a space: « and » mean different things in German and French."""
# marks of footnotes, too
_ATTACHED = re.compile(r"(?:[“”\"»«’‘'‹›)\]]|\[\d{1,3}\]|[¹²³⁰⁴-⁹])*")
_ASKS = re.compile(r"\?[\s\"“”»’')\]*_]*$")
_BACK, _PRONOUN = (
    {each: re.compile(rf"[„“\"(«]?{pattern(name, each)}\b") for each in LANGUAGES}
    for name in ("opens.back", "opens.pronoun")
)

LONGEST = 3_000
"""Characters; longer sentences are cut at a space."""
_BRACKETED = 200
_DAYS = 31
_LONGEST_TOKEN = 40
_WORDS_OF_A_SENTENCE = 3


def sentences(text: str, start: int = 0, end: int | None = None, language: str | None = None) -> list[Span]:
    """Spans of the sentences of one paragraph, `text[start:end]`, in order, trimmed.

    Unknown languages are cut like German. A fragment too short to say anything ("75 % .",
    "Genf, 16. Juni 2021.") joins the sentence that follows it.
    """
    piece = text[start:end]
    spans: list[Span] = []
    low = 0
    for high in [*_ends(piece, language if language in _STARTERS else "de"), len(piece)]:
        left, right = trimmed(piece, low, high)
        low = high
        if left >= right:
            continue
        start_before, end_before = spans[-1] if spans else (0, 0)
        # the beginning decides: a column of numbers would else be searched anew at each of them
        words = re.findall(r"[^\W\d_]{2,}", piece[start_before : min(end_before, start_before + 200)])
        if spans and len(words) < _WORDS_OF_A_SENTENCE:
            spans[-1] = (start_before, right)
        else:
            spans.append((left, right))
    return [(start + left, start + right) for whole in spans for left, right in _bounded(piece, *whole)]


def _ends(text: str, language: str) -> Iterator[int]:
    """Offsets behind each sentence, its closing quotation marks and brackets included."""
    spaced = _SPACED.get(language, _SPACED["fr"])
    last = 0
    for stop in _STOP.finditer(text):
        closed = _ATTACHED.match(text, stop.end()).end()  # type: ignore[union-attr]
        if closed < len(text) and not text[closed].isspace():
            if _is_glued(text, stop.start(), closed):
                yield closed
                last = closed
            continue
        closed = spaced.match(text, closed).end()  # type: ignore[union-attr]
        # what is in a bracket that closes soon stays with its sentence
        opened = text.rfind("(", last, closed)
        bracketed = (
            opened > text.rfind(")", last, closed) and text.find(")", closed, closed + _BRACKETED) >= 0
        )
        if not bracketed and _is_end(text, stop, closed, language):
            yield closed
            last = closed


def _is_end(text: str, stop: re.Match[str], closed: int, language: str) -> bool:
    place = _NEXT.match(text, closed).end()  # type: ignore[union-attr]
    if place == len(text):
        return True
    opened = text[closed:place].strip()
    apart = opened.startswith(("(", "[")) or text.startswith(("...", "…"), place)
    if not apart and (text[place].islower() or text[place] in ",;:.?!)]"):
        return False
    if stop[0] != "." or closed > stop.end():
        return True
    found = _WORD.match(text, place)
    following = found[0] if found else ""
    starts = following.lower() in _STARTERS[language] and not following.isupper()
    token = _TOKEN.search(text, max(0, stop.start() - _LONGEST_TOKEN), stop.start())
    if token is None:
        return True
    before = text[max(0, token.start() - _LONGEST_TOKEN) : token.start()]
    return not _goes_on(token[0], before, following, text[place], starts, language)


def _goes_on(token: str, before: str, following: str, first: str, starts: bool, language: str) -> bool:
    """Whether the full stop belongs to the token, and so does not end the sentence."""
    word = token.lower().rpartition("-")[2]
    if token.isdigit():
        return _is_ordinal(token, before, following, first, starts, language)
    if token[0].isdigit():  # „24.2. Moskau“ goes on, „30.000. Bulgarien“ does not
        return not starts and bool(_DATE.fullmatch(token))
    if word in _TITLES:
        return True
    if first.isdigit() and (word in _BEFORE_FIGURES or word.endswith("str")):
        return True
    if len(token) == 1 and _LETTER.match(token):
        # "z. B.": the letter before belongs to it; "Plan B. Der Rat", "В. Путін"
        return not starts or bool(re.search(r"\b[^\W\d_]\.\s?$", before))
    if "." in token:  # d.h, U.S, a.m
        return not starts and all(0 < len(part) <= 3 for part in token.split("."))
    if language == "de" and _ROMAN.fullmatch(token):
        return not starts
    if token.isupper() or word in _NO_VOWELS:
        return False
    is_short = word in _ABBREVIATIONS or word.endswith("str") or bool(_SHORT.fullmatch(word))
    return is_short and not starts


def _is_ordinal(token: str, before: str, following: str, first: str, starts: bool, language: str) -> bool:
    """17. 9. 2025, 3. Oktober, den 47. Präsidenten; not „im Jahr 2025. Der“, „in Minute 89. Bayern“."""
    if len(token) > 3 or starts:
        return False
    if first.isdigit():
        return len(token) <= 2
    if language != "de":
        return False
    word = _BEFORE.search(before)
    if (
        following.lower() in _AFTER_ORDINAL
        or before.endswith("(")
        or (word and word[1].lower() in _DETERMINED)
    ):
        return True
    return int(token) <= _DAYS and (word is None or word[1].islower())


def _is_glued(text: str, stop: int, closed: int) -> bool:
    """Whether a space was forgotten after the stop („Prozent.Die“); not in web addresses and file names."""
    if not (text[closed].isupper() and text[closed + 1 : closed + 2].islower()):
        return False
    token = _TOKEN.search(text, max(0, stop - _LONGEST_TOKEN), stop)
    if token is None or len(token[0]) < 3 or not token[0].isalpha() or not token[0][1:].islower():
        return False
    if token[0].lower() in _ABBREVIATIONS | _TITLES | _BEFORE_FIGURES:
        return False
    chunk = text[max(0, stop - _LONGEST_TOKEN) : closed + _LONGEST_TOKEN]
    left, right = chunk[: min(stop, _LONGEST_TOKEN)].split(), chunk[min(stop, _LONGEST_TOKEN) :].split()
    return not re.search(r"[@/\\]|www\.|\.\w", (left or [""])[-1]) and not re.search(
        r"[@/\\]|\w\.[a-z]", right[0][1:]
    )


def _bounded(text: str, low: int, high: int) -> Iterator[Span]:
    while high - low > LONGEST:
        cut = text.rfind(" ", low + 1, low + LONGEST) + 1 or low + LONGEST
        yield trimmed(text, low, cut)
        low = trimmed(text, cut, high)[0]
    if low < high:
        yield low, high


def points_back(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a word that means something said before, by its article's language."""
    return _BACK[language].match(sentence) is not None


def opens_with_pronoun(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a pronoun, so that only the one before names whom or what it means."""
    return _PRONOUN[language].match(sentence) is not None


def is_question(sentence: str) -> bool:
    """Whether a sentence ends with a question mark, whatever closes it."""
    return _ASKS.search(sentence) is not None
