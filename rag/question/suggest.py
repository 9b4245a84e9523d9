"""Suggested questions: what people in the dossier say, and what its articles are about.

Only people and titles are named, because they need no inflection.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rag.question.glossary import is_german
from rag.schema import Article
from rag.text.analysis import language_of
from rag.text.languages import LANGUAGES, STOP, pattern, table
from rag.text.normalize import CAPITAL

_NAME = rf"((?:[{CAPITAL}][\w’'-]+ )+[{CAPITAL}][\w’'-]{{2,}})"
_FEW = r"(?: [\w’'-]+){0,2}?"
_SPEAKS = {
    language: re.compile(rf"{_NAME}(?={_FEW} {speech}\b)|\b{speech}{_FEW} {_NAME}")
    for language in LANGUAGES
    for speech in [pattern("suggest.speech", language)]
}
"""A name at most two words away from a verb of saying."""
NAME_PARTS = 2
LONGEST_TITLE = 70  # characters


def suggest(articles: Iterable[Article], language: str = "de", quoted: str = "") -> Iterator[str]:
    """Questions about the articles, best first: one for each article, then a second one for each.

    They alternate between what somebody says and what an article is about. People named in the `quoted` words
    come first. `language` is that of the questions (English for one that Beleg does not know).
    """
    return (question for question, _ in _suggest(articles, language, quoted))


def follow_ups(
    cited: Iterable[Article], asked: Iterable[str], language: str = "de", quoted: str = ""
) -> Iterator[str]:
    """Questions about the cited articles that were not asked yet, in this language, best first.

    A question that names the same person or title as an earlier one counts as asked.
    """
    known = [_words(question) for question in asked]
    for question, subject in _suggest(cited, language, quoted):
        if not any(_words(subject) <= earlier for earlier in known):
            yield question


def _suggest(articles: Iterable[Article], language: str, quoted: str) -> Iterator[tuple[str, str]]:
    """The questions, each with its subject."""
    forms, known = table(language if language in LANGUAGES else "en", "suggest"), []
    for i, article in enumerate(articles):
        people = [("speaker", name) for name in speakers(article, quoted)]
        titles = [("about", article.title)] if article.title and len(article.title) <= LONGEST_TITLE else []
        subjects = [*titles, *people] if i % 2 else [*people[:1], *titles, *people[1:]]
        known.append([(forms[form].format(subject), subject) for form, subject in subjects])
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*known))
    yield from dict.fromkeys(pair for pair in rounds if pair)


def _words(question: str) -> set[str]:
    return {word.strip(".,;:!?„“”\"'()").lower() for word in question.split()}


def speakers(article: Article, quoted: str) -> list[str]:
    """Full names next to verbs of saying; those in the quoted words first."""
    language, text = language_of(article.language), answerable(article)
    named = Counter(
        " ".join(own)
        for runs in _SPEAKS[language].findall(text)
        for run in runs
        if len(own := [part for part in run.split() if not _is_word(part, language)]) == NAME_PARTS
    )
    spoken_of = Counter(word.strip(".,;:!?“”„") for word in text.split())
    genitive = {word for word in spoken_of if word.endswith("s") and spoken_of[word[:-1]] >= spoken_of[word]}
    names: Sequence[str] = [name for name in named if not genitive & set(name.split())]
    return sorted(names, key=lambda name: (name.split()[-1] not in quoted, -named[name], name))


def _is_word(name: str, language: str) -> bool:
    """Whether a part of a supposed name is an ordinary word."""
    known = language == "de" and is_german(name.removesuffix("s"))
    return len(name) < 3 or name.lower() in STOP[language] or known


def answerable(article: Article) -> str:
    """The article's text without captions, bylines and the like."""
    text = article.text
    for aside in article.asides:
        text = text[: aside.start] + " " * (aside.end - aside.start) + text[aside.end :]
    return text
