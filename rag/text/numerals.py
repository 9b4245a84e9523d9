"""Number words, months and weekdays of the languages that readers and articles use."""

from __future__ import annotations

import re


def _numbered(first: int, *names: str) -> dict[str, int]:
    """Names in order, several for a number joined by a slash."""
    return {name: first + i for i, group in enumerate(names) for name in group.split("/")}


MONTHS = _numbered(
    1,
    "januar/jänner/january/janvier/janeiro/січня/січні/січень",
    "februar/february/février/fevereiro/лютого/лютому/лютий",
    "märz/march/mars/março/березня/березні/березень",
    "april/avril/abril/квітня/квітні/квітень",
    "mai/may/maio/травня/травні/травень",
    "juni/june/juin/junho/червня/червні/червень",
    "juli/july/juillet/julho/липня/липні/липень",
    "august/août/agosto/серпня/серпні/серпень",
    "september/septembre/setembro/вересня/вересні/вересень",
    "oktober/october/octobre/outubro/жовтня/жовтні/жовтень",
    "november/novembre/novembro/листопада/листопаді/листопад",
    "dezember/december/décembre/dezembro/грудня/грудні/грудень",
)
WEEKDAYS = _numbered(
    0,
    "montag/monday/lundi/segunda-feira/понеділок/понеділка",
    "dienstag/tuesday/mardi/terça-feira/вівторок/вівторка",
    "mittwoch/wednesday/mercredi/quarta-feira/середу/середа",
    "donnerstag/thursday/jeudi/quinta-feira/четвер/четверга",
    "freitag/friday/vendredi/sexta-feira/п'ятницю/п’ятницю/п'ятниця",
    "samstag/sonnabend/saturday/samedi/sábado/суботу/субота",
    "sonntag/sunday/dimanche/domingo/неділю/неділя",
)
SCALES = {
    "mil milhões": 1e9, "milliarde": 1e9, "milliard": 1e9, "мільярд": 1e9, "billion": 1e9, "млрд": 1e9,
    "mrd": 1e9, "мільйон": 1e6, "milhões": 1e6, "million": 1e6, "milhão": 1e6, "млн": 1e6, "mio": 1e6,
    "thousand": 1e3, "tausend": 1e3, "тисяч": 1e3, "mille": 1e3, "тис": 1e3, "tsd": 1e3, "mil": 1e3,
    "hundred": 1e2, "hundert": 1e2, "cents": 1e2,
}  # fmt: skip
"""What multiplies the number before it; a word stands before the words that begin it."""

FRACTIONS = {
    "halb": 0.5, "halbe": 0.5, "halben": 0.5, "halbes": 0.5, "halber": 0.5, "half": 0.5, "demi": 0.5,
    "demie": 0.5, "hälfte": 0.5, "moitié": 0.5, "metade": 0.5, "половина": 0.5, "половину": 0.5,
    "meia": 0.5, "meio": 0.5, "anderthalb": 1.5, "eineinhalb": 1.5,
    "півтори": 1.5, "півтора": 1.5,
}  # fmt: skip

_GERMAN = _numbered(
    2, "zwei/zwo", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"
) | _numbered(13, "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn")
_GERMAN_TENS = dict(
    zip(
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split(),
        range(20, 100, 10),
        strict=True,
    )
)
_GERMAN_ORDINALS = _numbered(2, *"zweite dritte vierte fünfte sechste siebte/siebente".split())
_ONES = {"ein": 1} | {name: value for name, value in _GERMAN.items() if value < 10}
_ALTERNATIVES = "|".join(sorted(_GERMAN | _GERMAN_TENS, key=len, reverse=True))
_ONE = "|".join(sorted(_ONES, key=len, reverse=True))
_TEN = "|".join(_GERMAN_TENS)
_BELOW_HUNDRED = rf"(?:(?P<one>{_ONE})und(?P<ten>{_TEN})|(?P<plain>{_ALTERNATIVES}))"
_SPOKEN = re.compile(
    rf"(?:(?P<thousands>{_ALTERNATIVES}|ein)?(?P<thousand>tausend))?"
    rf"(?:(?P<hundreds>{_ONE})?(?P<hundred>hundert))?(?:und)?{_BELOW_HUNDRED}?(?P<half>einhalb)?"
    r"(?:mal\w{0,3}|fach\w{0,2}|(?:jähr|stünd|täg|minüt|wöch|monat|köpf|seit|stell|teil|strahl)\w+)?"
)
_OTHERS = {
    "en": _numbered(
        2,
        *"two/twice three/thrice four five six seven eight nine ten eleven twelve thirteen fourteen".split(),
        *"fifteen sixteen seventeen eighteen nineteen twenty".split(),
    )
    | dict(zip("thirty forty fifty sixty seventy eighty ninety".split(), range(30, 100, 10), strict=True))
    | _numbered(3, *"third fourth fifth sixth seventh eighth ninth tenth".split()),
    "fr": _numbered(2, *"deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze".split())
    | {"quinze": 15, "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "cent": 100},
    "pt": _numbered(2, *"dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze".split())
    | {"quinze": 15, "vinte": 20, "trinta": 30, "quarenta": 40, "cinquenta": 50, "sessenta": 60, "cem": 100},
    "uk": _numbered(
        2,
        *"два/дві/двох/двом/двічі три/трьох/трьом/тричі чотири/чотирьох п'ять/п'яти/п'ятьох".split(),
        *"шість/шести сім/семи вісім/восьми дев'ять/дев'яти десять/десяти одинадцять дванадцять".split(),
    )
    | {"двадцять": 20, "тридцять": 30, "сорок": 40, "п'ятдесят": 50, "сто": 100},
}


def word_value(word: str, language: str) -> float | None:
    """The value of a number word in lower case, None for any other; `ein` and `one` are none."""
    word = word.replace("’", "'")
    if word in FRACTIONS:
        return FRACTIONS[word]
    if language != "de":
        first, _, second = word.partition("-")
        known = _OTHERS.get(language, _OTHERS["en"])
        if second and first in known:
            return known[first] + known[second] if second in known and known[first] >= 20 else known[first]
        return known.get(word)
    ordinal = _GERMAN_ORDINALS.get(word.rstrip("nmsr"))
    return float(ordinal) if ordinal else _german_value(word)


def _german_value(word: str) -> float | None:
    match = _SPOKEN.fullmatch(word)
    if match is None or not any(match[name] for name in ("thousand", "hundred", "one", "plain")):
        return None
    value = 0.0
    if match["thousand"]:
        value += 1000 * (_all(match["thousands"]) or 1)
    if match["hundred"]:
        value += 100 * (_all(match["hundreds"]) or 1)
    if match["one"]:
        value += _ONES[match["one"]] + _GERMAN_TENS[match["ten"]]
    value += _all(match["plain"])
    return value + 0.5 if match["half"] else value


def _all(word: str | None) -> float:
    return float((_GERMAN | _GERMAN_TENS | _ONES).get(word or "", 0))
