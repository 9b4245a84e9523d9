"""What an answer of each kind looks like in an article, by the article's language.

One set of patterns serves all languages; each language fills in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CAPITAL = "A-ZÀ-ÖØ-ÞŒА-ЯЄІЇҐ"
_NAME = rf"[{_CAPITAL}][\w’'-]+"


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a language, as alternatives of a pattern.

    `numbers` and `units` are beginnings of words; `before_place` stands between a preposition and a name,
    `particles` between the parts of a name.
    """

    calendar: str
    then: str
    numbers: str
    units: str
    age: str
    places: str
    before_place: str
    particles: str
    reasons: str
    copulas: str
    one: str


_GERMAN = _Words(
    calendar="Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    "|Frühjahr|Sommer|Herbst|Winter|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag",
    then=r"Jahrhundert|\b\d+er[- ]Jahre|\b(?:gestern|heute)\b",
    numbers="zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dutzend|hundert|tausend|million|milliarde|"
    "hälfte|drittel|viertel|doppelt|erst|zweit|dritt|einzig|kein|einmal|mehrmals|mehrere|jahrzehnt",
    units="sekund|minut|stund|tag|tägig|woche|wöchig|monat|jahr|jährig",
    age=r"\b\d{1,3}[- ]?jährig\w*|\b\d{1,3} Jahren? |im Alter von|\bgeboren\b",
    places="in|im|bei|aus|nach|auf|an|am|vor|nahe",
    before_place="(?:der |den |dem )?",
    particles="von|van|de|der|al|bin",
    reasons="weil|denn|da|wegen|aufgrund|damit|daher|deshalb|darum|dadurch|indem|infolge|um|grund|gründe"
    r"|ursache|führt|führte|zurückzuführen|sodass|aus \w+ gründen",
    copulas=r"ist|war|sind|waren|heißt|bezeichnet|genannt|sogenannt\w*|eine? art",
    one="ein",
)
_ENGLISH = _Words(
    calendar="January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|spring|summer|autumn|winter"
    "|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    then=r"\bcentur(?:y|ies)\b|\b\d+s\b|\b(?:yesterday|today)\b",
    numbers="two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|"
    "half|third|quarter|twice|double|first|second|only|no|once|several|decade|twent|thirt|fort|fift",
    units="second|minute|hour|day|night|week|month|year|decade|centur",
    age=r"\b\d{1,3}[- ]years?[- ]old|\baged? (?:of )?\d|\b\d{1,3}, |\bborn\b",
    places="in|at|from|to|near|on|of|outside|across|into|around",
    before_place="(?:the )?",
    particles="of|von|van|de|der|al|bin|the",
    reasons="because|since|due|owing|as|so|to|for|thus|therefore|hence|caus(?:e|es|ed|ing)|reasons?|result(?:s|ed)?"
    r"|led|leads?|why|blamed?|in order",
    copulas="is|was|are|were|means?|called|known|refers?|a (?:kind|type|form|sort) of",
    one="an?|one",
)
_FRENCH = _Words(
    calendar="janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
    "|printemps|été|automne|hiver|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
    then=r"\bsiècles?\b|\bannées \d+|\b(?:hier|aujourd[’']hui)\b",
    numbers="deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|douzaine|vingt|trente|quarante|cinquante"
    "|cent|mille|million|milliard|moitié|tiers|quart|double|premi|second|seul|aucun|plusieurs|décennie",
    units="seconde|minute|heure|jour|nuit|semaine|mois|an|année|décennie|siècle",
    age=r"\b\d{1,3} ans\b|\bâgée?s? de\b|\bnée?\b",
    places="à|au|aux|en|dans|de|du|des|chez|près de|vers|sur",
    before_place="(?:la |le |les |l[’'])?",
    particles="de|du|la|le|van|von|al",
    reasons="parce|car|puisque|afin|pour|donc|ainsi|grâce|cause|causée?s?|raisons?|suite|dû|due|faute"
    "|entraîné|provoquée?s?",
    copulas="est|était|sont|étaient|désigne|signifie|appelée?s?|une? (?:sorte|forme|type) de",
    one="une?",
)
_PORTUGUESE = _Words(
    calendar="janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro"
    "|primavera|verão|outono|inverno|segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira"
    "|sábado|domingo",
    then=r"\bséculos?\b|\banos \d+|\b(?:ontem|hoje)\b",
    numbers="dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|dúzia|vinte|trinta|quarenta"
    "|cinquenta|cem|cento|mil|milhão|milhões|metade|terço|quarto|dobro|primeir|segund|únic|nenhum|vári|década",
    units="segundo|minuto|hora|dia|noite|semana|mês|meses|ano|década|século",
    age=r"\b\d{1,3} anos\b|\bidade de\b|\bnascid[ao]\b|\bnasceu\b",
    places="em|no|na|nos|nas|de|do|da|dos|das|ao|à|para|perto de",
    before_place="(?:[oa]s? )?",
    particles="de|do|da|dos|das|van|von|al",
    reasons="porque|pois|devido|causa|causad[ao]s?|por|para|portanto|assim|razão|razões|motivos?|graças"
    "|provocad[ao]s?",
    copulas="é|era|são|eram|foi|significa|chamad[ao]s?|um(?:a)? (?:tipo|forma|espécie) de",
    one="uma?",
)
_UKRAINIAN = _Words(
    calendar="січ|лют|берез|квіт|трав|черв|лип|серп|верес|жовт|листопад|груд|весн|літ|осен|осін|зим"
    "|понеділ|вівтор|серед|четвер|п[’']ятниц|субот|неділ",
    then=r"\bстоліт|\b\d+-[іх]\b|\bрок(?:у|ів|и)\b|\b(?:вчора|сьогодні)\b",
    numbers="дв|тр|чотир|п[’']ят|шіст|шест|сім|сем|вісім|восьм|дев[’']ят|десят|одинадцят|дванадцят|двадцят|сорок"
    "|сто|сот|тисяч|мільйон|мільярд|половин|чверт|перш|друг|єдин|жодн|кільк|десятиліт",
    units="секунд|хвилин|годин|день|дні|дня|доб|ноч|тиж|місяц|рік|рок|десятиліт|столітт",
    age=r"\b\d{1,3}[- ]?річн|\b\d{1,3} рок|\bвіком\b|\bвіці\b|\bнароди(?:вся|лася)\b",
    places="в|у|на|з|із|до|від|біля|під|при",
    before_place="",
    particles="фон|ван|де",
    reasons="бо|тому|оскільки|через|щоб|аби|завдяки|адже|причин\\w*|спричин\\w*|внаслідок|зумовлен\\w*",
    copulas="це|є|був|була|було|були|означає|називається|називають|вид|тип",
    one="один|одн",
)


def _patterns(told: _Words, ending: str = "") -> Mapping[str, re.Pattern[str]]:
    """The patterns of a language; `ending` follows the words of the calendar."""
    calendar = rf"(?:{told.calendar}){ending}"
    return {
        "date": re.compile(
            rf"\b(?:1\d|20)\d\d\b|\d(?:\.|st|nd|rd|th|er)? ?(?:de )?{calendar}"
            rf"|\b{calendar}\b(?:\.? \d{{1,2}}\b(?!:))?|{told.then}",
        ),
        "number": re.compile(rf"\d[\d.,]*|\b(?:{told.numbers})\w*"),
        "duration": re.compile(rf"(?:\d|\b(?:{told.numbers}|{told.one})\w*).{{0,12}}?(?:{told.units})\w*"),
        "age": re.compile(told.age),
        # not at the beginning of a sentence, where a capital tells nothing
        "person": re.compile(rf"(?<![.!?“„] )(?<!^){_NAME} (?:(?:{told.particles}) )?{_NAME}"),
        "place": re.compile(rf"\b(?i:{told.places})\b {told.before_place}[{_CAPITAL}]\w+"),
        "reason": re.compile(rf"\b(?:{told.reasons})\b"),
        "definition": re.compile(rf"\b(?:{told.copulas})\b"),
    }


OFFERS = {
    "de": _patterns(_GERMAN),
    "en": _patterns(_ENGLISH),
    "fr": _patterns(_FRENCH),
    "pt": _patterns(_PORTUGUESE),
    "uk": _patterns(_UKRAINIAN, r"\w*"),
}
"""By language and kind of answer."""

_MONTHS = {
    "de": r"Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "en": r"January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan\.|Feb\.|Aug\.|Sept?\.|Oct\.|Nov\.|Dec\.",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "pt": "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro",
    "uk": "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня",
}
_BEHIND_A_COUNT = {"de": "[A-ZÄÖÜ]"}  # German nouns tell „2014 Menschen“ from the year


def _dates(language: str) -> re.Pattern[str]:
    month = rf"(?:{_MONTHS[language]})"
    year = r"\b(?:1[5-9]|20)\d\d\b"
    counted = rf"(?! {_BEHIND_A_COUNT[language]})" if language in _BEHIND_A_COUNT else ""
    return re.compile(
        rf"\b\d{{1,2}}(?:\.|st|nd|rd|th|er)? ?(?:de )?{month}(?:,? (?:de )?\d{{4}})?"
        rf"|\b{month} (?:\d{{1,2}}\b(?:st|nd|rd|th)?(?:, \d{{4}})?|\d{{4}})|{year}{counted}"
    )


DATES = {language: _dates(language) for language in _MONTHS}
"""Dates by language, which are no counts: „am 15. August 2025“, „seit 2014“, but „2014 Menschen“ is one."""
