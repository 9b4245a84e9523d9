"""Summaries without a language model: the sentences that are most like the rest, verbatim."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.answering.compose import quoted
from rag.answering.work import Outcome, SumUp
from rag.retrieval.matching import Matrix
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


@dataclass(frozen=True, slots=True)
class _Sentence:
    article: Article
    chunk: Chunk
    span: Span

    @property
    def text(self) -> str:
        return self.article.text[slice(*self.span)]

    @property
    def points_back(self) -> bool:
        return points_back(self.text, language_of(self.article.language))


def summarise(library: Library, asked: SumUp) -> tuple[Outcome, tuple[Passage, ...]]:
    """The key sentences of articles, in their order, and their passages. They are as many as `asked` for, or
    3 to 5 of one article and the lead of each of several."""
    held = {article.id: article for article in library.articles(asked.ids)}
    shown = [held[id] for id in asked.ids if id in held and held[id].copy_of not in held][:MOST_ARTICLES]
    found = {article.id: _sentences(library, article) for article in shown}
    if len(shown) == 1:
        whole = found[shown[0].id]
        number = asked.sentences or min(MOST, max(LEAST, len(whole) // EACH))
        sentences = _key(whole, min(number, MOST_SENTENCES))
    elif asked.sentences is None:  # of each the first sentence that stands alone
        leads = (found[article.id][:LEADING] for article in shown)
        sentences = [next((each for each in lead if not each.points_back), lead[0]) for lead in leads if lead]
    else:
        leading = [each for article in shown for each in found[article.id][:LEADING]]
        sentences = _key(leading, min(asked.sentences, MOST_SENTENCES))
    passages = {each.chunk.id: Passage(each.chunk, each.article, 1.0) for each in sentences}
    return _told(sentences, asked.headings), tuple(passages.values())


def _sentences(library: Library, article: Article) -> list[_Sentence]:
    """The article's sentences in order, without captions and the like."""
    spans: dict[Span, _Sentence] = {}
    for chunk in library.chunks_of(article.id):
        for start, end in chunk.sentences:
            if not any(aside.start < end and start < aside.end for aside in article.asides):
                spans.setdefault((start, end), _Sentence(article, chunk, (start, end)))
    return [spans[span] for span in sorted(spans)]


def _key(sentences: list[_Sentence], most: int) -> list[_Sentence]:
    """The sentences that are most like the others, and unlike each other, in order."""
    if not sentences:
        return []
    first = sentences[0].article
    texts = [*(each.text for each in sentences), first.title or sentences[0].text]
    alike = _alike(texts, language_of(first.language))
    standing = [_standing(each) for each in sentences]
    standing[0] *= 1 + FIRST
    worth = _centrality(alike[:-1, :-1]) * (1 + TITLE * alike[:-1, -1]) * standing
    chosen: list[int] = []
    while len(chosen) < min(most, len(sentences)):
        nearest = alike[:-1, chosen].max(axis=1) if chosen else np.zeros(len(sentences))
        left = worth * (1 - REDUNDANT * nearest)
        left[chosen] = -1.0
        chosen.append(int(left.argmax()))
    return [sentences[i] for i in sorted(chosen)]


def _alike(texts: Sequence[str], language: str) -> Matrix:
    """The cosine of every pair of texts' terms, 0 to 1, rare terms weighing more."""
    counted = [Counter(filter(None, (key(word, language) for word in words(text)))) for text in texts]
    spread = Counter(term for terms in counted for term in terms)
    rare = [math.log((len(texts) + 1) / number) for number in spread.values()]
    vectors = np.array([[terms[term] for term in spread] for terms in counted]) * rare
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1.0)
    alike: Matrix = np.clip(vectors @ vectors.T, 0.0, 1.0)
    return alike


def _centrality(alike: Matrix) -> Matrix:
    """LexRank: how often a random walk from sentence to similar sentence visits each; the maximum is 1."""
    ahead = alike / np.maximum(alike.sum(axis=1, keepdims=True), 1e-9)
    rank = np.full(len(alike), 1 / len(alike))
    for _ in range(STEPS):
        rank = (1 - DAMPING) / len(alike) + DAMPING * (rank @ ahead)
    central: Matrix = rank / rank.max()
    return central


def _standing(sentence: _Sentence) -> float:
    """A factor for the beginning and the length of a sentence."""
    text = sentence.text
    back = sentence.points_back or text.rstrip().endswith("?")
    return (BACKWARDS if back else 1.0) * (1.0 if _SHORT <= len(text.split()) <= _LONG else LENGTH)


def _told(sentences: Sequence[_Sentence], headings: Mapping[str, str]) -> Outcome:
    """The sentences with citations, below the headings of their articles."""
    text, statements, citations = "", list[Statement](), list[Citation]()
    for id, own in itertools.groupby(sentences, lambda sentence: sentence.article.id):
        numbered = enumerate(own, len(citations) + 1)
        cited = [cite(each.article, each.span, number, "supported") for number, each in numbered]
        text, quotations = quoted(cited, None, f"{text}\n\n{headings[id]}".strip())
        statements += quotations
        citations += cited
    return Outcome(text, tuple(statements), tuple(citations))
