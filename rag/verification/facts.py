"""What a sentence says that can be checked to the letter: numbers, dates, quotations, negation.

Numbers are compared by value, however they are written („fünfmal“, „5“, "five times"), dates by
day and month, with weekdays and „heute“ resolved against the day of publication.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text.normalize import lower_case
from rag.text.numerals import MONTHS, SCALES, WEEKDAYS, word_value

Day = tuple[int | None, int, int | None]
"""Year, month and day of the month; None where it is not said."""

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_ORDINAL = r"(?:\.|st|nd|rd|th|er|º|-го)?"
_DATE = re.compile(
    rf"\b(?P<iso>\d{{4}}-\d\d-\d\d)\b"
    rf"|\b(?P<d1>\d{{1,2}}){_ORDINAL}\s+(?:de\s+|of\s+)?(?P<m1>{_MONTH})\b\.?(?:,?\s+(?:de\s+)?(?P<y1>\d{{4}}))?"
    rf"|\b(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*(?:Uhr|Prozent|%))(?:,?\s+(?P<y2>\d{{4}}))?"
    rf"|\b(?P<d3>\d{{1,2}})\.\s?(?P<m3>\d{{1,2}})\.(?:\s?(?P<y3>\d{{4}}|\d\d\b))?"
    rf"|\b(?P<m4>{_MONTH})\b(?:\s+(?:de\s+)?(?P<y4>\d{{4}}))?",
    re.IGNORECASE,
)
_AMBIGUOUS_MONTHS = frozenset({"may", "march", "mai", "mars"})
_WEEKDAY = re.compile(
    rf"\b({'|'.join(WEEKDAYS)})(?:s|abend|morgen|nacht|mittag|nachmittag|vormittag)?\b", re.I
)
_RELATIVE = {
    "vorgestern": -2, "gestern": -1, "heute": 0, "morgen": 1, "yesterday": -1, "today": 0, "tomorrow": 1,
}  # fmt: skip
_RELATIVE_WORD = re.compile(rf"(?<!am )(?<!guten )\b(?:{'|'.join(_RELATIVE)})\b")
_CLOCK = re.compile(
    r"\b(\d{1,2})[.:](\d\d)(?=\s*(?:Uhr|h\b|am\b|pm\b|a\.m|p\.m)|\b(?![.,]?\d))(?<=:\d\d|\.\d\d)"
)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f' ]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?")
_SCALE = re.compile(rf"[\s-]*({'|'.join(SCALES)})\w{{0,2}}\b", re.IGNORECASE)
_FIGURE = re.compile(rf"\d[\d.,]*(?:\s*(?:{'|'.join(SCALES)})\w{{0,2}}\b\.?)?", re.IGNORECASE)
_AND_A_HALF = re.compile(r"\b(\w+)(?: and a half| et demie?| e meia)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_QUOTE = re.compile(r"„([^„“”\"]+)[“”\"]|“([^“”]+)”|»([^»«]+)«|«\s?([^«»]+?)\s?»|\"([^\"]+)\"")
_ELLIPSIS = re.compile(r"\s*(?:\[?…\]?|\[?\.\.\.\]?)\s*")
_NEGATION = re.compile(
    r"\b(?:nicht|nichts|nie|niemals|niemand\w*|kein\w*|ohne|weder|unge\w+|not|no|never|none|nobody|nothing|neither"
    r"|without|n't|cannot|ne|pas|jamais|aucun\w*|sans|não|nunca|nenhum\w*|sem|не|ні|ніколи|жодн\w+|без|немає)\b"
    r"|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text says to the letter.

    `numbers` by value, those of dates left out; `days` as said or resolved; `weekdays` 0 (Monday)
    to 6; `quotes` folded.
    """

    numbers: frozenset[float]
    days: frozenset[Day]
    weekdays: frozenset[int]
    quotes: tuple[str, ...]
    negations: int


def facts(text: str, language: str = "de", published: date | None = None) -> Facts:
    """The facts of a text; with the day it was published, „gestern“ and „am Freitag“ are days too."""
    days, rest = _days(text)
    weekdays = {WEEKDAYS[lower_case(match[1])] for match in _WEEKDAY.finditer(rest)}
    if published:
        days |= {
            _day(published + timedelta(_RELATIVE[word])) for word in _RELATIVE_WORD.findall(rest.lower())
        }
        days |= {_day(day) for weekday in weekdays for day in _nearest(weekday, published)}
    return Facts(
        frozenset(_numbers(rest, language)),
        frozenset(days),
        frozenset(weekdays),
        tuple(quotations(text)),
        len(_NEGATION.findall(text)),
    )


def besides_facts(text: str) -> str:
    """The words of a text without its dates and figures, which are compared by value."""
    for written in (_DATE, _WEEKDAY, _FIGURE):
        text = written.sub(" · ", text)
    return text


def missing(claim: Facts, source: Facts, source_text: str, published: date | None) -> list[str]:
    """What the claim says to the letter and the source does not: `number`, `date`, `quote`, each once."""
    lacks = []
    years = {year for year, _, _ in source.days if year} | ({published.year} if published else set())
    if any(number not in source.numbers and number not in years for number in claim.numbers):
        lacks.append("number")
    if not all(_said(day, source.days, published) for day in claim.days) or not all(
        weekday in source.weekdays or _falls_on(weekday, source.days, published) for weekday in claim.weekdays
    ):
        lacks.append("date")
    words = fold_quote(source_text)
    if any(quote not in words for quote in claim.quotes):
        lacks.append("quote")
    return lacks


def quotations(text: str) -> Iterator[str]:
    """The quotations of a text, folded as `fold_quote` does; one with an omission is several."""
    for found in _QUOTE.finditer(text):
        inner = next(group for group in found.groups() if group)
        yield from filter(None, (fold_quote(part) for part in _ELLIPSIS.split(inner)))


def fold_quote(text: str) -> str:
    """Letters and digits in lower case, one space between words: how quotations are compared."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(re.findall(r"\w+", folded))


def _days(text: str) -> tuple[set[Day], str]:
    """The dates of a text, and the text without them."""
    days: set[Day] = set()

    def take(match: re.Match[str]) -> str:
        day = _read(match)
        if day is None:
            return match[0]
        days.add(day)
        return " · "

    return days, _DATE.sub(take, text)


def _read(match: re.Match[str]) -> Day | None:
    if match["iso"]:
        iso = [int(part) for part in match["iso"].split("-")]
        return (iso[0], iso[1], iso[2]) if iso[1] <= 12 else None
    if match["m4"]:
        if lower_case(match["m4"]) in _AMBIGUOUS_MONTHS and (not match["y4"] or not match["m4"][0].isupper()):
            return None
        return int(match["y4"]) if match["y4"] else None, MONTHS[lower_case(match["m4"])], None
    i = next(i for i in "123" if match[f"d{i}"])
    month = int(match["m3"]) if i == "3" else MONTHS[lower_case(match[f"m{i}"])]
    year = int(match[f"y{i}"]) if match[f"y{i}"] else None
    day = int(match[f"d{i}"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return year + 2000 if year is not None and year < 100 else year, month, day


def _day(day: date) -> Day:
    return day.year, day.month, day.day


def _nearest(weekday: int, published: date) -> Iterator[date]:
    """The days of that name in the week before publication, on it, and in the week after."""
    back = (published.weekday() - weekday) % 7
    yield published - timedelta(back)
    yield published - timedelta(back) + timedelta(7)


def _said(day: Day, said: frozenset[Day], published: date | None) -> bool:
    year, month, number = day
    default = published.year if published else None
    return any(
        month == other_month
        and (number is None or number == other_number)
        and ((year or default) == (other_year or default) or year is None or (other_year or default) is None)
        for other_year, other_month, other_number in said
    )


def _falls_on(weekday: int, days: frozenset[Day], published: date | None) -> bool:
    for stated, month, number in days:
        year = stated or (published.year if published else None)
        try:
            if year and number and date(year, month, number).weekday() == weekday:
                return True
        except ValueError:
            continue
    return False


def _numbers(text: str, language: str) -> Iterator[float]:
    def digits(match: re.Match[str]) -> str:
        found.extend((float(match[1]), float(match[2])))
        return " · "

    found: list[float] = []
    text = _AND_A_HALF.sub(lambda m: f"{(word_value(lower_case(m[1]), language) or 0) + 0.5}", text)
    text = _CLOCK.sub(digits, text)
    yield from found
    end = 0
    for match in _NUMBER.finditer(text):
        value = _value(match[0])
        scale = _SCALE.match(text, match.end())
        yield value * _scale(scale[1], language) if scale else value
    for match in _WORD.finditer(text):
        if match.start() < end:
            continue
        spoken = word_value(lower_case(match[0]), language)
        if spoken is None:
            continue
        scale = _SCALE.match(text, match.end())
        end = scale.end() if scale else match.end()
        yield spoken * _scale(scale[1], language) if scale else spoken


def _scale(word: str, language: str) -> float:
    factor = SCALES[lower_case(word)]
    # a German Billion is a million millions
    return 1e12 if lower_case(word) == "billion" and language == "de" else factor


def _value(written: str) -> float:
    """1.300 and 1,300 are thousands, 2,5 and 2.5 are not."""
    separators = re.findall(r"[^\d]", written)
    last = separators[-1] if separators else ""
    decimals = written.rpartition(last)[2] if last else ""
    is_decimal = last in (".", ",") and (
        len(decimals) != 3 or written.startswith("0") or (len(set(separators)) > 1)
    )
    whole, _, fraction = written.rpartition(last) if is_decimal else (written, "", "")
    return float(f"{re.sub(r'[^0-9]', '', whole)}.{fraction or 0}")
