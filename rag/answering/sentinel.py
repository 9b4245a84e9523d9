"""Recognises a reply that declines, by the agreed word (the sentinel) or in the model's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.models.chat import End, Said
from rag.models.debris import Restarted
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


@dataclass(frozen=True, slots=True)
class Declined:
    """The model says that the passages do not answer."""


def is_sentinel(text: str) -> bool:
    """Whether these words are only the sentinel, or a variant of it."""
    return _SENTINEL.fullmatch(text) is not None or _ALONE.fullmatch(text) is not None


def declines(sentence: str) -> bool:
    """Whether a sentence says in its own words that the passages do not answer."""
    said = facts(sentence)
    about = _OF_THE_SOURCES.match(sentence) or _OF_ITSELF.match(sentence)
    return about is not None and said.negations > 0 and not (said.numbers or said.days or said.quotes)


def sentinel_first(pieces: Iterator[Said]) -> Iterator[Said | Declined]:
    """Holds back the beginning of a reply until it cannot be the sentinel any more."""
    held, decided, declined = "", False, False
    for piece in pieces:
        if isinstance(piece, Restarted):
            held, decided, declined = "", False, False
            yield piece
        elif isinstance(piece, End):
            if not decided and held:
                yield Declined() if is_sentinel(held) else held
            yield piece
        elif decided:
            if not declined:
                yield piece
        else:
            held += piece
            declined = _SENTINEL.match(held) is not None and len(held) >= SENTINEL_LENGTH
            decided = len(held) >= SENTINEL_LENGTH
            if decided:
                yield Declined() if declined else held
