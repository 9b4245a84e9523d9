"""Summaries without a language model: the sentences that are most like the rest, verbatim."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.answering.work import Outcome
from rag.schema import Article, Chunk, Citation, Passage, Span, Statement, cite
from rag.store.library import Library
from rag.text.analysis import key, language_of, words
from rag.text.sentences import points_back

LEAST, MOST, EACH = 3, 5, 12
"""Sentences in the summary of an article, unless the question says: one for each 12, but 3 to 5."""
MOST_SENTENCES = 20
MOST_ARTICLES = 10
LEADING = 3
"""First sentences of each article among which a summary of several chooses."""
DAMPING, STEPS = 0.85, 50  # LexRank: Erkan and Radev 2004
FIRST, TITLE, BACKWARDS, LENGTH = 0.5, 3.0, 0.4, 0.6
"""Bonuses for the first sentence and for words of the title; factors for referring back and for length."""
REDUNDANT = 0.7
_SHORT, _LONG = 7, 40  # words

Matrix = NDArray[np.float64]
Similarity = Callable[[Sequence[str], str], Matrix]
"""The similarity of every pair of texts in a language, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Key sentences with their passages."""

    outcome: Outcome
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Sentence:
    article: Article
    chunk: Chunk
    span: Span

    @property
    def text(self) -> str:
        return self.article.text[slice(*self.span)]


def by_words(texts: Sequence[str], language: str) -> Matrix:
    """Cosine of the texts' terms, rare terms weighing more."""
    counted = [Counter(filter(None, (key(word, language) for word in words(text)))) for text in texts]
    spread = Counter(term for terms in counted for term in terms)
    place = {term: i for i, term in enumerate(spread)}
    vectors = np.zeros((len(texts), max(1, len(place))))
    for row, terms in enumerate(counted):
        for term, number in terms.items():
            vectors[row, place[term]] = number * math.log((len(texts) + 1) / spread[term])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1.0)
    alike: Matrix = np.clip(vectors @ vectors.T, 0.0, 1.0)
    return alike


def summarise(
    library: Library,
    ids: Sequence[str],
    headings: dict[str, str],
    most: int | None,
    similarity: Similarity = by_words,
) -> Summary:
    """The key sentences of articles, in their order: `most` of them, or 3 to 5 of one article and the lead of
    each of several.

    `headings` are the lines above the sentences of each article, by its id.
    """
    articles = {article.id: article for article in library.articles(ids)}
    shown = [articles[id] for id in ids if id in articles and articles[id].copy_of not in articles][
        :MOST_ARTICLES
    ]
    found = {article.id: _sentences(library, article) for article in shown}
    if len(shown) == 1:
        whole = found[shown[0].id]
        number = most or min(MOST, max(LEAST, len(whole) // EACH))
        sentences = _key(whole, min(number, MOST_SENTENCES), similarity)
    elif most is None:
        sentences = [each for article in shown for each in _opening(found[article.id])]
    else:
        leading = [each for article in shown for each in found[article.id][:LEADING]]
        sentences = _key(leading, min(most, MOST_SENTENCES), similarity)
    passages = {each.chunk.id: Passage(each.chunk, each.article, 1.0) for each in sentences}
    return Summary(_told(sentences, headings), tuple(passages.values()))


def _sentences(library: Library, article: Article) -> list[_Sentence]:
    """The article's sentences in order, without captions and the like."""
    spans: dict[Span, _Sentence] = {}
    for chunk in library.chunks_of(article.id):
        for start, end in chunk.sentences:
            if not any(aside.start < end and start < aside.end for aside in article.asides):
                spans.setdefault((start, end), _Sentence(article, chunk, (start, end)))
    return [spans[span] for span in sorted(spans)]


def _opening(sentences: list[_Sentence]) -> list[_Sentence]:
    """The lead of an article: its first sentence that stands alone."""
    language = language_of(sentences[0].article.language) if sentences else "de"
    alone = [each for each in sentences[:LEADING] if not points_back(each.text, language)]
    return (alone or sentences)[:1]


def _key(sentences: list[_Sentence], most: int, similarity: Similarity) -> list[_Sentence]:
    """The sentences that are most like the others, and unlike each other, in order."""
    if not sentences:
        return []
    first = sentences[0].article
    texts = [*(each.text for each in sentences), first.title or sentences[0].text]
    alike = similarity(texts, language_of(first.language))
    standing = [_standing(each, opens=i == 0) for i, each in enumerate(sentences)]
    worth = _centrality(alike[:-1, :-1]) * (1 + TITLE * alike[:-1, -1]) * standing
    chosen: list[int] = []
    while len(chosen) < min(most, len(sentences)):
        nearest = alike[:-1, chosen].max(axis=1) if chosen else np.zeros(len(sentences))
        left = worth * (1 - REDUNDANT * nearest)
        left[chosen] = -1.0
        chosen.append(int(left.argmax()))
    return [sentences[i] for i in sorted(chosen)]


def _centrality(alike: Matrix) -> Matrix:
    """LexRank: how often a random walk from sentence to similar sentence visits each; the maximum is 1."""
    ahead = alike / np.maximum(alike.sum(axis=1, keepdims=True), 1e-9)
    rank = np.full(len(alike), 1 / len(alike))
    for _ in range(STEPS):
        rank = (1 - DAMPING) / len(alike) + DAMPING * (rank @ ahead)
    central: Matrix = rank / rank.max()
    return central


def _standing(sentence: _Sentence, *, opens: bool) -> float:
    """A factor for the position, beginning and length of a sentence."""
    text = sentence.text
    worth = 1 + FIRST * opens
    if points_back(text, language_of(sentence.article.language)) or text.rstrip().endswith("?"):
        worth *= BACKWARDS
    return worth if _SHORT <= len(text.split()) <= _LONG else worth * LENGTH


def _told(sentences: Sequence[_Sentence], headings: Mapping[str, str]) -> Outcome:
    """The sentences with citations, below the headings of their articles."""
    text, statements, citations = "", list[Statement](), list[Citation]()
    below = None
    for number, sentence in enumerate(sentences, 1):
        if sentence.article.id != below:
            below = sentence.article.id
            text += ("\n\n" if text else "") + headings[below]
        citation = cite(sentence.article, sentence.span, number, "supported")
        said = f"{' '.join(citation.quote.split())} [{number}]"
        start = len(text) + 2
        text += f"\n\n{said}"
        citations.append(citation)
        statements.append(Statement(citation.quote, (number,), "supported", start, start + len(said)))
    return Outcome(text, tuple(statements), tuple(citations))
