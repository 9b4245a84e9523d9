"""Numbers and dates as people write them, in German, English, French, Portuguese and Ukrainian.

All code that reads or writes a number or a date takes its words and patterns from here.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from rag.text.languages import LANGUAGES, pattern, table, word_set
from rag.text.normalize import lower_case

Day = tuple[int | None, int, int | None]
"""Year, month and day of the month; None where it is not said."""


@dataclass(frozen=True, slots=True)
class Written:
    """A number or date in a text at `start` to `end`: the values of the numbers, or the days.

    Several for a range („1. bis 15. Oktober“), a time (10.30 Uhr), or where more than one reading is
    possible.
    """

    start: int
    end: int
    numbers: tuple[float, ...] = ()
    days: tuple[Day, ...] = ()


def _placed(name: str, first: int) -> dict[str, int]:
    """Position in its language's list, for the words of all languages."""
    return {
        form: number
        for language in LANGUAGES
        for number, forms in enumerate(table(language, name).split(), first)
        for form in forms.split("/")
    }


def _valued(name: str, *languages: str) -> dict[str, Decimal]:
    """Value of each number word, from the languages' tables."""
    return {
        word.replace("_", " "): Decimal(value)
        for language in languages or LANGUAGES
        for value, words in (table(language, name) or {}).items()
        for word in words.split()
    }


# --- dates ----------------------------------------------------------------------------------------

_FULL_MONTHS, _SHORT_MONTHS = _placed("calendar.months", 1), _placed("calendar.short", 1)
_WORDS_TOO, _NOT_ALONE = word_set("calendar.doubtful"), word_set("calendar.not_alone")
"""Short forms that are also other words: months only with a full stop or a year; full ones that are."""
MONTHS = {name: number for name, number in (_SHORT_MONTHS | _FULL_MONTHS).items() if name != "-"}


def alternatives(names: Iterable[str]) -> str:
    """A pattern for any of the names, the longer ones first."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


FULL_MONTH = alternatives(_FULL_MONTHS)
MONTH = (
    rf"(?:(?:{alternatives(MONTHS.keys() - _WORDS_TOO)})\b"
    rf"|(?:{alternatives(_WORDS_TOO)})(?=\.|,?(?: de)? (?:1\d|20)\d\d\b))"
)
ORDINAL = r"(?:\.|st|nd|rd|th|er|º|-го)?"
OF = r"(?:\s+(?:of|de|do|du))?"
THROUGH = (
    r"\s*(?:[–/-]|bis|und|sowie|oder|to|and|or|au|à|et|ou|a|e|до|по|та|або|і)\s*"
    r"(?:(?:zum|dem|den|the|le|o|ao)\s*)?"
)
_YEAR = r"(?:1\d|20)\d\d\b"


def _date(year: str, first: str, last: str) -> re.Pattern[str]:
    return re.compile(
        r"(?<![\d.])(?i:(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
        # before a two-figure year a space only if the month has one, too: „24.12. 18:30 Uhr“ has no year
        rf"|(?P<dotted>\d{{1,2}}\.(?:\d{{1,2}}\.(?:[ \u00a0]?\d{{4}}|\d\d(?!\d)){year}"
        rf"|[ \u00a0]\d{{1,2}}\.(?:[ \u00a0]?(?:\d{{4}}|\d\d(?![\d:]))){year}))"
        r"|(?P<slashed>\d{1,2}/\d{1,2}/(?:\d{4}|\d\d))"
        rf"|(?P<long>{first}\d{{1,2}}{ORDINAL}{OF}\s*\b{MONTH}(?:\.?,?{OF}\s+{_YEAR}){year})"
        rf"|(?P<english>\b{MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b{last}(?![.:]\d|\s*(?:Uhr|Prozent|%))"
        rf"(?:,?\s+{_YEAR}){year}))(?!\d)"
    )


DATE = _date("?", rf"(?:\d{{1,2}}{ORDINAL}{THROUGH})?", r"(?:\s?[–-]\s?\d{1,2}\b)?")
"""One or two days, with or without a year: 15.08.2025, 15. Aug., August 15, 15 de agosto, 1. bis 15. Mai."""
FULL_DATE = _date("", "", "")
"""One day with its year."""
_MONTH_ALONE = re.compile(rf"\b({FULL_MONTH})\b(?:{OF}\s+({_YEAR}))?", re.IGNORECASE)
_FIGURES, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CENTURY_TURNS = 70


def days_of(match: re.Match[str], *, month_first: bool = False) -> tuple[Day, ...]:
    """The days that a match of `DATE` or `FULL_DATE` means, without those that the calendar does not have.

    03/04/2019 is the third of April, and with `month_first` perhaps the fourth of March.
    """
    written = next(match[kind] for kind in ("iso", "dotted", "slashed", "long", "english") if match[kind])
    figures = [int(figure) for figure in _FIGURES.findall(written)]
    if match["iso"]:
        year, month, day = figures
        return _real([(year, month, day)])
    if match["long"] or match["english"]:
        month = next(MONTHS[word] for word in _LETTERS.findall(lower_case(written)) if word in MONTHS)
        stated = next((figure for figure in figures if figure > 99), None)
        return _real((stated, month, day) for day in figures if day <= 99)
    first, second, *years = figures
    said = [year if year > 99 else year + (2000 if year < _CENTURY_TURNS else 1900) for year in years]
    orders = [(first, second), (second, first)]
    orders = orders if match["slashed"] and (month_first or second > 12) else orders[:1]
    return _real((next(iter(said), None), month, day) for day, month in dict.fromkeys(orders))


def _real(days: Iterable[tuple[int | None, int, int]]) -> tuple[Day, ...]:
    return tuple(day for day in days if 1 <= day[1] <= 12 and 1 <= day[2] <= _LENGTHS[day[1] - 1])


def dates(text: str, language: str = "de") -> Iterator[Written]:
    """The dates of a text, then its months without a day, with or without a year."""
    passed = []
    for match in DATE.finditer(text):
        is_verb = language == "en" and re.search(r"\b(?:may|march)\b", match[0])  # "Only 5 may enter"
        if not is_verb and (days := days_of(match, month_first=language == "en")):
            passed.append(match.span())
            yield Written(*match.span(), days=days)
    for match in _MONTH_ALONE.finditer(text):
        name, year = lower_case(match[1]), match[2]
        doubtful = name in _NOT_ALONE and not (year and match[1][0].isupper())
        if not doubtful and not any(low <= match.start() < high for low, high in passed):
            yield Written(*match.span(), days=((int(year) if year else None, MONTHS[name], None),))


WEEKDAYS = _placed("calendar.weekdays", 0)

# --- numbers --------------------------------------------------------------------------------------

_SCALES = {language: _valued("numbers.scales", language) for language in LANGUAGES}
_ALL_SCALES = _valued("numbers.scales")
"""Words that multiply the number before them; what a "billion" is depends on the language of the text."""
_FRACTIONS = _valued("numbers.fractions")
_WORDS = {language: _valued("numbers.words", language) for language in LANGUAGES}
_ONE, _AND = word_set("numbers.one"), word_set("numbers.joins")

_GERMAN = {"ein": Decimal(1)} | _WORDS["de"]
_GERMAN_ORDINALS = _valued("numbers.ordinals", "de")


def _any(least: int, below: int) -> str:
    """A pattern for the German number words from one value up to, but not including, another."""
    return alternatives(word for word, value in _GERMAN.items() if least <= value < below)


_BELOW_HUNDRED = rf"(?:(?:{_any(1, 10)})und(?:{_any(20, 100)})|{_any(2, 100)})"
_BELOW_THOUSAND = rf"(?:(?:{_any(1, 10)})?hundert(?:und)?{_BELOW_HUNDRED}?|{_BELOW_HUNDRED})"
COMPOUND = re.compile(
    r"(?:mal\w{0,3}|fach\w{0,2}|(?:jähr|stünd|täg|minüt|wöch|monat|köpf|seit|stell|teil|strahl)\w+)$"
)
"""What may stand behind a German number in one word: „zweimal“, „dreijährig“."""
_SPOKEN = re.compile(
    rf"(?:(?P<thousands>{_BELOW_THOUSAND}|ein)?(?P<thousand>tausend))?(?:und)?(?P<rest>{_BELOW_THOUSAND})?"
    rf"(?P<half>einhalb)?(?:{COMPOUND.pattern})?"
)

_HALF, _THOUSAND, _LARGEST = Decimal("0.5"), 1000, 10**15
_HALVES = "½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚"
_MINUS = r"(?<![\w.,)\]])[−-](?=[\d½¼¾])|(?<=\s)–(?=\d)"
_MINUS_BEFORE, _LONGEST_MINUS = re.compile(rf"\b{pattern('numbers.minus')}\s+$", re.I), 12
_NUMBER = re.compile(
    rf"(?P<minus>{_MINUS})?(?:(?P<digits>(?<!\d)(?!0)\d{{1,3}}(?P<apart>[.,'’ \u00a0\u2009\u202f])\d{{3}}"
    rf"(?:(?P=apart)\d{{3}})*(?!\d)(?:[.,]\d+(?!\d))?|\d+(?:[.,]\d+)?)(?:[ \u00a0]?(?P<part>[{_HALVES}]))?"
    rf"|(?P<alone>[{_HALVES}]))",
    re.IGNORECASE,
)
_SCALE = re.compile(rf"[\s\u00a0-]*({alternatives(_ALL_SCALES)})(?![\w])", re.IGNORECASE)
_HOUR, _HALF_DAY = r"\b(?P<hour>[01]?\d|2[0-4])", r"\s*(?P<half>[ap])\.?m\b"
_CLOCK = re.compile(
    rf"{_HOUR}(?::(?P<m1>[0-5]\d)(?::[0-5]\d)?(?!\d)(?:{_HALF_DAY})?"
    r"|\.(?P<m2>[0-5]\d)(?=(?:\s*[–-]\s*\d{1,2}(?:[.:]\d\d)?)?\s*(?:Uhr|h\b|[ap]\.?m\b))(?:\s*(?P<half2>[ap])\.?m\b)?"
    r"|\s?h\s?(?P<m3>[0-5]\d)(?!\d)|\s*(?P<half3>[ap])\.?m\b)",
    re.IGNORECASE,
)
_SEASON = re.compile(r"\b((?:19|20)\d\d)\s?[/–-]\s?(\d\d)(?!\d)")
_BELOW_ZERO = re.compile(rf"\s*{pattern('numbers.below_zero')}", re.IGNORECASE)
_WORD = re.compile(r"quatre-vingts?(?![\w])|[^\W\d_]+(?:['’][^\W\d_]+)*", re.IGNORECASE)


def written(text: str, language: str = "de") -> Iterator[Written]:
    """All dates and numbers of a text; parts of a date do not count as numbers."""
    found = list(dates(text, language))
    yield from found
    rest = _without(text, found)
    for reader in (_seasons, _clocks, _figures, _spelt):
        found = list(reader(rest, language))
        yield from found
        rest = _without(rest, found)


def _without(text: str, found: Iterable[Written]) -> str:
    """The text at the same length, with bars over what was read."""
    for each in found:
        text = text[: each.start] + "|" * (each.end - each.start) + text[each.end :]
    return text


def _seasons(text: str, _: str) -> Iterator[Written]:
    for match in _SEASON.finditer(text):
        first, last = int(match[1]), int(match[2])
        if last > first % 100 or (first + 1) % 100 == last:  # else a year and a month
            yield Written(*match.span(), numbers=(float(first), float(first + (last - first) % 100)))


def _clocks(text: str, _: str) -> Iterator[Written]:
    """Times of day: hour (0 to 24) and, if given, minute."""
    for match in _CLOCK.finditer(text):
        hour, minute = int(match["hour"]), int(match["m1"] or match["m2"] or match["m3"] or 0)
        half = (match["half"] or match["half2"] or match["half3"] or "").lower()
        hour = hour % 12 + (12 if half == "p" else 0) if half else hour
        yield Written(*match.span(), numbers=(float(hour), float(minute)) if minute else (float(hour),))


def _figures(text: str, language: str) -> Iterator[Written]:
    for match in _NUMBER.finditer(text):
        # 1.300 and 1,300 are thousands, 2,5 and 2.5 are not
        digits = (match["digits"] or "0").replace(match["apart"] or " ", "").replace(",", ".")
        value = Decimal(digits)
        for part in (match["part"], match["alone"]):
            value += Decimal(unicodedata.numeric(part)).quantize(Decimal("1.000000")) if part else 0
        end = match.end()
        if scale := _SCALE.match(text, end):
            value, end = value * _scale(scale[1], language), scale.end()
        yield _number(text, match.start(), end, -value if match["minus"] else value)


def _number(text: str, start: int, end: int, value: Decimal) -> Written:
    """A number, negative where the words around it say so: „minus fünf“, „5 Grad unter null“."""
    if _MINUS_BEFORE.search(text, max(0, start - _LONGEST_MINUS), start) or _BELOW_ZERO.match(text, end):
        value = -value
    return Written(start, end, (round(float(value), 6),))


def _scale(word: str, language: str) -> Decimal:
    # a German Billion is a million millions
    return _SCALES.get(language, {}).get(lower_case(word)) or _ALL_SCALES[lower_case(word)]


def _spelt(text: str, language: str) -> Iterator[Written]:
    """Numbers in words: zweihundertfünfzig, "two hundred and fifty", « quatre-vingt-dix »."""
    run: list[_Part] = []
    before = ""
    for match in _WORD.finditer(text):
        word = lower_case(match[0]).replace("’", "'")
        apart = run and text[run[-1].end : match.start()].strip(" \u00a0-")
        kind, value = _part(word, before, language, begun=bool(run) and not apart)
        if apart or not kind:
            yield from _summed(text, run, language)
            run = []
        if kind == "value" or (run and kind):
            run.append(_Part(match.start(), match.end(), kind, value))
        before = word
    yield from _summed(text, run, language)


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of a number: a `value`, a `scale` that multiplies what is before it, `one`, or `and`."""

    start: int
    end: int
    kind: str
    value: Decimal


def _part(word: str, before: str, language: str, *, begun: bool) -> tuple[str, Decimal]:
    if word in ("cent", "cento") and before in ("pour", "por"):
        return "", Decimal(0)
    if word in ("cent", "cents") and language == "fr" and begun:
        return "scale", Decimal(100)
    if (value := _value(word, language)) is not None:
        return "value", value
    if word in _ALL_SCALES:
        alone = before in _ONE or (language, word) in (("fr", "mille"), ("pt", "mil"))
        return "value" if alone and not begun else "scale", _scale(word, language)
    if language != "de" and word in _AND:
        return "and", Decimal(0)
    return "one" if language != "de" and word in _ONE else "", Decimal(1)


def _summed(text: str, run: Iterable[_Part], language: str) -> Iterator[Written]:
    """The numbers that adjacent number words make, usually one."""
    total, current, joined = Decimal(0), Decimal(0), False
    start = end = -1
    for part in run:
        if part.kind == "and":
            joined = True
            continue
        if start >= 0 and part.kind == "scale" and (not joined or current == _HALF):
            if part.value < _THOUSAND:
                current = (current or 1) * part.value
            else:
                total = total + current * part.value if current else total * part.value
                current = Decimal(0)
        elif (
            start >= 0
            and part.kind != "scale"
            and _joins(total, current, part.value, language, joined=joined)
        ):
            current += part.value
        else:
            if start >= 0:
                yield _number(text, start, end, total + current)
            start = part.start if part.kind == "value" else -1
            large = part.value >= _THOUSAND
            total, current = (part.value, Decimal(0)) if large else (Decimal(0), part.value)
        end, joined = part.end, False
    if start >= 0:
        yield _number(text, start, end, total + current)


def _joins(total: Decimal, current: Decimal, value: Decimal, language: str, *, joined: bool) -> bool:
    """Whether this word continues the number before it: "twenty-five", « soixante-douze »."""
    if total + current >= _LARGEST:
        return False
    if not current:
        return total > 0 and any(total % power == 0 and value < power for power in (10**9, 10**6, 1000))
    if value == _HALF:
        return joined
    if language == "fr" and current % 100 in (60, 80) and value < 20:
        return True
    unit = next((power for power in (10**6, 1000, 100, 10, 1) if current % power == 0), 0)
    return current >= 20 and value < unit and not (joined and language == "en" and unit < 100)


def _value(word: str, language: str) -> Decimal | None:
    """The value of a single number word in lower case, None for any other; `ein` and `one` are none."""
    if word in _FRACTIONS:
        return _FRACTIONS[word]
    if language != "de":
        return _WORDS.get(language, _WORDS["en"]).get(word)
    spoken = _SPOKEN.fullmatch(word)
    if (ordinal := _GERMAN_ORDINALS.get(word.rstrip("nmsr"))) or spoken is None:
        return ordinal
    if not (spoken["thousand"] or spoken["rest"]):
        return None
    thousands = _below_thousand(spoken["thousands"] or "") or 1 if spoken["thousand"] else 0
    return 1000 * thousands + _below_thousand(spoken["rest"] or "") + (_HALF if spoken["half"] else 0)


def _below_thousand(word: str) -> Decimal:
    hundreds, hundred, rest = word.rpartition("hundert")
    one, _, ten = rest.removeprefix("und").rpartition("und")
    value = sum(_GERMAN.get(part, Decimal(0)) for part in (one, ten))
    return value + (100 * _GERMAN.get(hundreds, Decimal(1)) if hundred else Decimal(0))
