"""What Beleg itself says in an answer, by language."""

from __future__ import annotations

DECLINED = {
    "de": "In den vorliegenden Artikeln finde ich dazu keine belegte Antwort.",
    "en": "I find no supported answer to this in the articles at hand.",
    "fr": "Je ne trouve pas de réponse attestée à cette question dans les articles disponibles.",
    "pt": "Não encontro nos artigos disponíveis uma resposta comprovada a esta pergunta.",
    "uk": "У наявних статтях я не знаходжу підтвердженої відповіді на це запитання.",
}


def declined(language: str) -> str:
    """The sentence that declines a question, in its language (English for any other)."""
    return DECLINED.get(language, DECLINED["en"])
