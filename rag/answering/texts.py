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


UNVERIFIED = {
    "de": "Die Antwort des Sprachmodells ließ sich an den Artikeln nicht belegen;"
    " hier sind die Stellen, die der Frage am nächsten kommen.",
    "en": "The language model's answer could not be verified against the articles;"
    " here are the places that come nearest to the question.",
    "fr": "La réponse du modèle de langage n’a pas pu être vérifiée dans les articles ;"
    " voici les passages les plus proches de la question.",
    "pt": "A resposta do modelo de linguagem não pôde ser verificada nos artigos;"
    " eis os trechos mais próximos da pergunta.",
    "uk": "Відповідь мовної моделі не вдалося підтвердити статтями; ось місця, найближчі до запитання.",
}


def unverified(language: str) -> str:
    """The sentence that withholds an answer which the articles do not bear out."""
    return UNVERIFIED.get(language, UNVERIFIED["en"])


NEAREST = {
    "de": "Keine eindeutige Antwort. Am nächsten kommt:",
    "en": "No clear answer. What comes nearest:",
    "fr": "Pas de réponse certaine. Ce qui s’en approche le plus :",
    "pt": "Sem resposta clara. O que mais se aproxima:",
    "uk": "Однозначної відповіді немає. Найближче до неї:",
}


def comes_nearest(language: str) -> str:
    """The line above places that may answer a question, and may not."""
    return NEAREST.get(language, NEAREST["en"])


TOO_MANY = {
    "de": "Mehr als vier Fragen auf einmal beantworte ich nicht; bitte stellen Sie die übrigen noch einmal.",
    "en": "I answer no more than four questions at once; please ask the others again.",
    "fr": "Je ne réponds pas à plus de quatre questions à la fois ; veuillez reposer les autres.",
    "pt": "Não respondo a mais de quatro perguntas de cada vez; faça as restantes outra vez, por favor.",
    "uk": "За один раз я відповідаю не більше ніж на чотири запитання; решту поставте, будь ласка, ще раз.",
}


def too_many(language: str) -> str:
    """The sentence that says that the questions after the fourth are left."""
    return TOO_MANY.get(language, TOO_MANY["en"])


STANDS_IN = {
    "de": "Ohne Sprachmodell: wörtliche Fundstellen.",
    "en": "Without a language model: verbatim passages.",
    "fr": "Sans modèle de langage : extraits littéraux.",
    "pt": "Sem modelo de linguagem: trechos literais.",
    "uk": "Без мовної моделі: дослівні цитати.",
}
UNPROVEN = {
    "de": "Die Antwort des Sprachmodells ließ sich an den Artikeln nicht belegen.",
    "en": "The language model's answer could not be verified against the articles.",
    "fr": "La réponse du modèle de langage n’a pas pu être vérifiée dans les articles.",
    "pt": "A resposta do modelo de linguagem não pôde ser verificada nos artigos.",
    "uk": "Відповідь мовної моделі не вдалося підтвердити статтями.",
}
UNANSWERED = {
    "de": "Das Sprachmodell fand in ihnen keine Antwort.",
    "en": "The language model found no answer in them.",
    "fr": "Le modèle de langage n’y a pas trouvé de réponse.",
    "pt": "O modelo de linguagem não encontrou neles uma resposta.",
    "uk": "Мовна модель не знайшла в них відповіді.",
}


def stand_in(withheld: bool, language: str) -> str:
    """What stands above verbatim sentences in place of a model's answer: withheld, or none given."""
    why = UNPROVEN if withheld else UNANSWERED
    known = language if language in STANDS_IN else "en"
    return f"{STANDS_IN[known]} {why[known]}"


NOTICES = frozenset(
    [
        *NEAREST.values(),
        *(stand_in(withheld, language) for withheld in (True, False) for language in STANDS_IN),
    ]
)
"""What stands above quotations and is no part of what they say."""
