"""Sentences that go on from the one before: they open with a pronoun, or a word of time that points back."""

from __future__ import annotations

import re

_ANAPHORIC = {
    "de": r"Er|Sie|Es|Dies\w*|Dessen|Deren|Ihr\w*|Sein\w*|Dort|Da\w+|Hier\w*|Das|Jene\w*|Beide|Solche\w*"
    r"|Letzter\w*|Später|Dann|Anschließend|Zudem|Außerdem|Auch|Schließlich|So",
    "en": r"He|She|It|They|His|Her|Its|Their|This|These|That|Those|There|Both|Such|The (?:latter|former)"
    r"|Later|Then|Also|Afterwards|Eventually|Finally|Moreover|So",
    "fr": r"Il|Elle|Ils|Elles|Cel\w*|Ce|Cette|Ces|Celui\w*|Son|Sa|Ses|Leurs?|Ceux|Celles|Là|Ensuite|Puis"
    r"|Aussi|Plus tard|Enfin|Ainsi",
    "pt": r"El[ea]s?|Isso|Isto|Ess[ea]s?|Est[ea]s?|Aquel[ea]s?|Seus?|Suas?|Ambos|Ali|Depois|Então|Também"
    r"|Mais tarde|Finalmente|Assim",
    "uk": r"Він|Вона|Воно|Вони|Його|Її|Їх\w*|Це|Цей|Ця|Ці|Той|Ті|Там|Потім|Згодом|Також|Тоді|Обидв\w*|Так",
}
_BEGINS = {language: re.compile(rf"[„“\"(«]?(?:{openings})\b") for language, openings in _ANAPHORIC.items()}


_PRONOUNS = {
    language: re.compile(rf"[„“\"(«]?(?:{openings})\b")
    for language, openings in {
        "de": r"Er|Sie|Ihm|Ihn|Ihnen|Ihre?[mnrs]?|Seine?[mnrs]?|Deren|Dessen|Das (?=\w+t\b)|Diese?[mnrs]?",
        "en": r"He|She|They|His|Her|Their|Its",
        "fr": r"Elles?|Ils?(?! (?:y a|faut|est|s.agit))|Ses|Leurs?",
        "pt": r"El[ea]s?|Seus?|Suas?",
        "uk": r"Він|Вона|Воно|Вони|Його|Її|Їхн\w+",
    }.items()
}


def points_back(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a word that means something said before, by its article's language."""
    return _BEGINS[language].match(sentence) is not None


def opens_with_pronoun(sentence: str, language: str) -> bool:
    """Whether a sentence opens with a pronoun, so that only the one before names whom or what it means."""
    return _PRONOUNS[language].match(sentence) is not None
