"""Recognises a reply that declines, by the agreed word (the sentinel) or in the model's own words."""

from __future__ import annotations

import re

from rag.verification.facts import facts

SENTINEL_LENGTH = 16
"""Characters of a reply that are held back until it is clear whether it begins with the sentinel."""

_SENTINEL = re.compile(r"[\W_]*(?:KEINE[_ ]?ANTWORT|NO[_ ]?ANSWER)\b[\W_]*")
_ALONE = re.compile(
    r"[\W_]*(?:keine?[_ ]?(?:antwort|angaben?|informationen?)|no[_ ]?(?:answer|information)|unanswerable"
    r"|(?:pas|aucune|sans)[_ ]?(?:de )?réponse|sem[_ ]?resposta|немає[_ ]?відповіді)[\W_]*",
    re.IGNORECASE,
)
_SOURCE = (
    r"passage[ns]?|artikeln?|articles?|texte?[ns]?|quellen?|sources?|[ck]ontexte?|contexto|dokumenten?|documents?"
    r"|dossiers?|fundstellen?|auszüge?n?|excerpts?|extraits?|trechos?|textos?|artigos?|informatione?[ns]?"
    r"|informações|angaben|уривк\w+|статт\w+|текст\w*|джерел\w+|інформаці\w+"
)
_SAYS = (
    r"(?:be)?antwort\w*|answer\w*|enth[aä]lt\w*|contains?|mention\w*|erwähn\w+|nenn\w+|sag\w+|say\w*|state\w*"
    r"|provid\w+|specif\w+|gibt|geben|hervor\w*|f(?:i|u)nde\w*|find|found|steh\w*|réponse|répond\w*|contien\w+"
    r"|indiqu\w+|trouv\w+|respond\w+|resposta|cont[êé]m|menciona\w*|encontr\w+|містят\w*|згад\w+|відпові\w+|немає"
)
_OF_THE_SOURCES = re.compile(rf"(?=.*\b(?:{_SOURCE})\b).*\b(?:{_SAYS})\b", re.IGNORECASE | re.DOTALL)
_OF_ITSELF = re.compile(
    r"(?=.*\b(?:ich|i|je|eu|я)\b).*\b(?:beantworten|weiß|wissen|answer|know|répondre|sais|responder|sei|знаю)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_sentinel(text: str) -> bool:
    """Whether these words are only the sentinel, or a variant of it."""
    return _SENTINEL.fullmatch(text) is not None or _ALONE.fullmatch(text) is not None


def begins_with_sentinel(text: str) -> bool:
    """Whether a reply begins with the sentinel, whatever follows."""
    return _SENTINEL.match(text) is not None


def declines(sentence: str) -> bool:
    """Whether a sentence says in its own words that the passages do not answer."""
    said = facts(sentence)
    about = _OF_THE_SOURCES.match(sentence) or _OF_ITSELF.match(sentence)
    return about is not None and said.negations > 0 and not (said.numbers or said.days or said.quotes)
