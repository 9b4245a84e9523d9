"""The answer without a language model: the sentences that answer best, verbatim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.analysis import grams_of, key, tokens
from rag.cues import Cue, cue_of
from rag.matching import Matrix, SentenceTerms, soft_match
from rag.retrieval import Hit, Ranking
from rag.schema import Article, Chunk, Span

Vector = NDArray[np.float64]

# fitted as a conditional logit on the XQuAD tuning questions
WEIGHTS = {
    "coverage": 4.0,
    "grams": 4.3,
    "passage": 4.4,
    "best passage": 1.2,
    "before": 1.6,
    "before, anaphoric": 0.7,
    "two before": 0.4,
    "after": 0.8,
    "title": 2.6,
    "count beside its noun": 0.9,
    "source": 2.0,
}
CUE_WEIGHTS = {
    "date": 1.35,
    "number": 1.9,
    "duration": 1.9,
    "age": 2.5,
    "person": 0.8,
    "place": 0.6,
    "reason": 1.1,
    "definition": 0.1,
}

_ANAPHORIC = re.compile(
    r"^[„“\"(]?(?:Er|Sie|Es|Dies\w*|Dessen|Deren|Ihr\w*|Sein\w*|Dort|Da\w+|Hier\w*|Das|Jene\w*|Beide|Solche\w*"
    r"|Letzter\w*|Später|Dann|Anschließend|Zudem|Außerdem|Auch|Schließlich|So)\b"
)
_COUNTED = re.compile(r"wie ?viele?\w* (\w+)", re.IGNORECASE)
_COUNT = re.compile(
    r"\d|(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend|million|milliarde|dutzend"
    r"|mehrere|keine?)",
    re.IGNORECASE,
)
NAMED = 0.9
_COUNT_REACH = 3
_SAME_NOUN = 0.6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer: where it stands, and how well it answers (higher is better).

    `covered` is how far it says each concept of the question, 0 to 1.
    """

    hit: Hit
    index: int
    score: float
    covered: Vector

    @property
    def article(self) -> Article:
        """The article that the sentence stands in."""
        return self.hit.passage.article

    @property
    def chunk(self) -> Chunk:
        """The chunk that the sentence stands in."""
        return self.hit.passage.chunk

    @property
    def span(self) -> Span:
        """The sentence's place in its article."""
        return self.hit.passage.chunk.sentences[self.index]

    @property
    def terms(self) -> SentenceTerms:
        """The sentence's search keys and grams."""
        return self.hit.sentences[self.index]

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        start, end = self.span
        return self.hit.passage.article.text[start:end]


def candidates(ranking: Ranking) -> list[Candidate]:
    """All sentences of the ranking's passages, best answer first."""
    if not ranking.hits:
        return []
    question = _Question(ranking)
    best = ranking.hits[0].passage.score
    found = [
        candidate
        for place, hit in enumerate(ranking.hits)
        for candidate in _sentences(hit, question, hit.passage.score / best, first=place == 0)
    ]
    return sorted(found, key=lambda candidate: -candidate.score)


class _Question:
    """What the scoring of every sentence shares."""

    def __init__(self, ranking: Ranking) -> None:
        query = ranking.query
        self.query = query
        self.weights = ranking.idf / (float(ranking.idf.sum()) or 1.0)
        self.gram_idf = ranking.gram_idf
        self.gram_total = sum(ranking.gram_idf.values()) or 1.0
        self.cue = cue_of(query.text)
        counted = _COUNTED.search(query.text)
        self.counted = key(counted.group(1)) if counted else None

    def names_source(self, hit: Hit) -> bool:
        """Whether the question names this hit's article, by author, outlet or place, as its source."""
        return any(
            concept.is_source and covered >= NAMED
            for concept, covered in zip(self.query.concepts, hit.title, strict=True)
        )

    def cue_weight(self, sentence: str) -> float:
        cue: Cue | None = self.cue
        return CUE_WEIGHTS[cue.kind] if cue and cue.offered_by(sentence) else 0.0

    def gram_coverage(self, sentence_grams: set[str]) -> float:
        if self.gram_idf:
            return sum(idf for g, idf in self.gram_idf.items() if g in sentence_grams) / self.gram_total
        shares = [
            max((a.weight * _share(a.grams, sentence_grams) for a in concept.alternatives), default=0.0)
            for concept in self.query.concepts
        ]
        return float(np.array(shares) @ self.weights) if shares else 0.0


def _sentences(hit: Hit, question: _Question, relative: float, first: bool) -> list[Candidate]:
    matrix, weights = hit.matrix, question.weights
    article, spans = hit.passage.article, hit.passage.chunk.sentences
    before, two_before, after, title = _gains(matrix, hit.title)
    source = float(question.names_source(hit))
    found = []
    for j, (start, end) in enumerate(spans):
        sentence = article.text[start:end]
        gain = float(before[j] @ weights)
        features = {
            "coverage": float(matrix[j] @ weights),
            "grams": question.gram_coverage(set(grams_of(hit.sentences[j].folded))),
            "passage": relative,
            "best passage": float(first),
            "before": gain,
            "before, anaphoric": gain if _ANAPHORIC.match(sentence) else 0.0,
            "two before": float(two_before[j] @ weights),
            "after": float(after[j] @ weights),
            "title": float(title[j] @ weights),
            "source": source,
            "count beside its noun": float(_counts(sentence, question.counted)),
        }
        score = sum(WEIGHTS[name] * value for name, value in features.items()) + question.cue_weight(sentence)
        found.append(Candidate(hit, j, score, matrix[j]))
    return found


def _gains(matrix: Matrix, title: Vector) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """What the sentence before each, the one before that, the one after and the title cover of each
    concept beyond what is covered already: by the sentence, and by the one before for the second."""
    before, two_before, after = np.zeros_like(matrix), np.zeros_like(matrix), np.zeros_like(matrix)
    both = np.maximum(matrix[1:], matrix[:-1])
    before[1:] = both - matrix[1:]
    two_before[2:] = np.maximum(both[1:], matrix[:-2]) - both[1:]
    after[:-1] = both - matrix[:-1]
    return before, two_before, after, np.maximum(matrix, title) - matrix


def _share(grams: Sequence[str], present: set[str]) -> float:
    return sum(gram in present for gram in grams) / len(grams) if grams else 0.0


def _counts(sentence: str, noun: str | None) -> bool:
    """Whether a count stands right before the noun that the question counts."""
    if noun is None or not _COUNT.search(sentence):
        return False
    words = [word for word, _, _ in tokens(sentence)]
    return any(
        _COUNT.match(word)
        and any(soft_match(key(near), noun) >= _SAME_NOUN for near in words[i + 1 : i + 1 + _COUNT_REACH])
        for i, word in enumerate(words)
    )
