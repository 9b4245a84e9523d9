"""Questions to begin with and to go on with, taken from the dossier: who says what, and what is treated."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rag.question.glossary import is_german
from rag.schema import Article
from rag.text.languages import CARRIERS, LANGUAGES, STOP, table

_CAPITALISED = re.compile(r"(?:[A-ZÄÖÜ][\w’'-]+ )+[A-ZÄÖÜ][\w’'-]{2,}")
_SAYS = re.compile(
    r"\b(?:sag|erklär|beton|mein|urteil|argumentier|kritisier|warn|forder|glaub|analysier|nann|nenn|bezeichne)t?e?\b"
)
_SENTENCE = re.compile(r"[^.!?\n]+")
_NOUN = re.compile(r"(?<![.!?:„“] )(?<!^)(?<![A-ZÄÖÜ]\w\s)\b[A-ZÄÖÜ][a-zäöüß]{8,}\b")
_SHARED_BY = 2
NAME_PARTS = 2
_TOPIC = re.compile(
    r"(?:garantie|garantien|stand|sanktion|sanktionen|verhandlung|verhandlungen|ung|ungen|keit|heit|schaft|tion"
    r"|tionen|abkommen|vertrag|zölle|wahl|wahlen|krise|gipfel|politik|gesetz|preise|kosten|angriffe|proteste"
    r"|nisse|gewinne|pläne|treffen)$"
)


def suggest(articles: Iterable[Article], language: str = "de") -> Iterator[str]:
    """Questions about German articles, speakers and shared topics in turn, the likeliest first.

    `language` is that of the questions (English for one that Beleg does not speak).
    """
    return (question for question, _ in _suggest(articles, language))


def _suggest(articles: Iterable[Article], language: str) -> Iterator[tuple[str, str]]:
    """The questions with what each is about."""
    texts = [_answerable(article) for article in articles]
    forms = table(language if language in LANGUAGES else "en", "suggest")
    for subjects in zip_longest(_speakers(texts), _topics(texts)):
        for form, subject in zip(("speaker", "topic"), subjects, strict=True):
            if subject:
                yield forms[form].format(subject), subject


def follow_ups(cited: Iterable[Article], asked: Iterable[str], language: str = "de") -> Iterator[str]:
    """Questions about the cited articles that were not asked yet, in this language, the likeliest first.

    A question that names the same person or topic as an earlier one counts as asked.
    """
    known = [_words(question) for question in asked]
    for question, subject in _suggest(cited, language):
        if not any(_words(subject) <= earlier for earlier in known):
            yield question


def _words(question: str) -> set[str]:
    return {word.strip(".,;:!?„“”\"'()").lower() for word in question.split()}


def _speakers(texts: Sequence[str]) -> list[str]:
    """First and last names in sentences that report speech, those named most often first."""
    named = Counter(
        " ".join(own)
        for text in texts
        for sentence in _SENTENCE.findall(text)
        if _SAYS.search(sentence)
        for run in _CAPITALISED.findall(sentence)
        if len(own := [part for part in run.split() if not _is_word(part)]) == NAME_PARTS
    )
    spoken_of = Counter(word.strip(".,;:!?“”„") for text in texts for word in text.split())
    genitive = {word for word in spoken_of if word.endswith("s") and spoken_of[word[:-1]] >= spoken_of[word]}
    named = Counter({name: n for name, n in named.items() if not genitive & set(name.split())})
    return sorted(named, key=lambda name: (-named[name], -spoken_of[name.split()[-1]], name))


def _topics(texts: Sequence[str]) -> list[str]:
    """Long nouns that several articles use, in their commonest form."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    spread: dict[str, set[int]] = defaultdict(set)
    for i, text in enumerate(texts):
        for noun in _NOUN.findall(text):
            stem = noun[:-1] if noun.endswith(("s", "n")) else noun
            if _TOPIC.search(noun) and noun.lower() not in CARRIERS["de"]:
                forms[stem][noun] += 1
                spread[stem].add(i)
    shared = [stem for stem in forms if len(spread[stem]) >= min(_SHARED_BY, len(texts))]
    shared.sort(key=lambda stem: (-len(spread[stem]), -forms[stem].total(), stem))
    return [forms[stem].most_common(1)[0][0] for stem in shared]


def _is_word(name: str) -> bool:
    """Whether a part of a name is an ordinary German word instead."""
    return len(name) < 3 or name.lower() in STOP["de"] or is_german(name.removesuffix("s"))


def _answerable(article: Article) -> str:
    text = article.text
    for aside in article.asides:
        text = text[: aside.start] + " " * (aside.end - aside.start) + text[aside.end :]
    return text
