"""The answer without a language model: the sentences that answer best, verbatim."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.question.answer_type import Cue, cue_of
from rag.question.figures import figure_of
from rag.retrieval.matching import Matrix, present, summed
from rag.retrieval.meaning import SentenceMeaning
from rag.retrieval.retriever import Hit, Ranking
from rag.schema import Article, Chunk, Citation, Message, Span
from rag.store.terms import SentenceTerms
from rag.text.analysis import language_of
from rag.text.languages import pattern
from rag.text.sentences import is_question, points_back

Vector = NDArray[np.float64]

# fitted as conditional logit models (`python -m eval.fit`): by words alone, and with meaning
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
    "read": 1.0,
    "reason": 5.0,
}
WEIGHTS_WITH_MEANING = {
    "grams": 2.3,
    "passage": 3.4,
    "best passage": -0.4,
    "read": 1.7,
    "dateline": -0.9,
    "figure": -0.5,
    "like sentence": 10.6,
    "like passage": 23.6,
    "like pair": 19.3,
    "focus": 37.4,
    "whole": 1.5,
    "reason": 4.0,
}
FIGURE_WEIGHT = 0.9
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

_DATELINE = re.compile(r"[^\W\d_][\w./ -]{1,30} [–—-] ")
"""A place at the beginning of a sentence, as in agency reports: „Wien – Die …“."""
_LINE = re.compile(r"[^\n]+")
_DIGIT = re.compile(r"\d")
_REASON = Cue("named reason", frozenset())
SAID = 0.7
"""How far a sentence must cover a word to say it."""
CONTENT = 0.9
"""Weight from which a word is what the question is about, not how it asks."""
REACH = 4.0
"""Sentences that score lower than the best by more are not part of an answer."""
ASKING = 8.0
"""What a question in the text scores less than it would as a statement: it answers nothing."""
INTERVIEW, LONGEST_QUESTION = 3, 300
"""So many paragraphs of at most so many characters that end with a question make an article an interview."""
REASON_BEHIND = 3
"""Sentences behind an event that may name its reason: „Als Grund nannte er …“."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with its place and its score (higher is better).

    `covered` is how far it says each concept of the question, 0 to 1; `near` is its cosine with the question,
    None by words alone. `answers` is the question in the text that stands before it and that it answers.
    """

    hit: Hit
    index: int
    score: float
    covered: Vector
    near: float | None = None
    answers: str = ""

    @property
    def article(self) -> Article:
        """The sentence's article."""
        return self.hit.passage.article

    @property
    def chunk(self) -> Chunk:
        """The sentence's chunk."""
        return self.hit.passage.chunk

    @property
    def span(self) -> Span:
        """The sentence's span in its article."""
        return self.hit.passage.chunk.sentences[self.index]

    def is_in(self, citation: Citation) -> bool:
        """Whether the sentence overlaps the cited words."""
        start, end = self.span
        return self.article.id == citation.article_id and start < citation.end and citation.start < end

    @property
    def terms(self) -> SentenceTerms:
        """The sentence's search keys and grams."""
        return self.hit.sentences[self.index]

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        start, end = self.span
        return self.hit.passage.article.text[start:end]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence to score: its text, the language of its article, and its terms."""

    text: str
    language: str
    terms: SentenceTerms


def candidates(ranking: Ranking, meaning: SentenceMeaning | None = None) -> list[Candidate]:
    """All sentences of the ranking's passages, best answer first; by words alone without a `meaning`."""
    if not ranking.hits:
        return []
    weights = WEIGHTS if meaning is None else WEIGHTS_WITH_MEANING
    named = features(ranking, meaning)
    scores = sum(weight * named[name] for name, weight in weights.items())
    places = [(hit, j, row) for hit in ranking.hits for j, row in enumerate(hit.matrix)]
    near = [None] * len(places) if meaning is None else meaning.sentence.tolist()
    found = [
        Candidate(hit, j, score, row, cosine)
        for (hit, j, row), score, cosine in zip(places, np.asarray(scores).tolist(), near, strict=True)
    ]
    return sorted(_after_questions(found), key=lambda candidate: -candidate.score)


def _after_questions(found: Sequence[Candidate]) -> list[Candidate]:
    """The sentences, in order, where those behind a question in the text say what that says, and it nothing.

    An interviewer's question has the words of ours, and its answer has not: „Wann kommt die Brücke?“ –
    „Im Mai.“
    """
    read = list[Candidate]()
    question: Candidate | None = None
    for each in found:
        if question is not None and question.chunk.id != each.chunk.id:
            question = None
        if asks(each.article, each.span):
            before = question.answers if question else ""
            question = replace(each, answers=f"{before} {each.text}".strip())
            read.append(replace(each, score=each.score - ASKING))
        elif question is None or not _is_followed(question, each.span):
            read.append(each)
            question = None
        else:
            near = None if each.near is None else max(each.near, question.near or 0.0)
            score, covered = max(each.score, question.score), np.maximum(each.covered, question.covered)
            answer = replace(each, score=score, covered=covered, near=near, answers=question.answers)
            read.append(answer)
            question = None
    return read


def _is_followed(question: Candidate, span: Span) -> bool:
    """Whether a sentence answers the question before it: in an interview, in the same paragraph, or behind a
    question that is a paragraph of its own; a comment may end a paragraph with one."""
    text, (start, end) = question.article.text, question.span
    is_alone = not text[:start].rpartition("\n")[2].strip()
    return is_alone or "\n" not in text[end : span[0]] or len(_questions_of(question.article)) >= INTERVIEW


def asks(article: Article, span: Span) -> bool:
    """Whether a sentence asks, or belongs to an interviewer's question."""
    start, end = span
    if is_question(article.text[start:end]):
        return True
    questions = _questions_of(article)
    return len(questions) >= INTERVIEW and any(low <= start and end <= high for low, high in questions)


@functools.lru_cache(maxsize=100)
def _questions_of(article: Article) -> list[Span]:
    """The paragraphs of an article that end with a question."""
    lines = (line.span() for line in _LINE.finditer(article.text))
    return [
        span
        for span in lines
        if is_question(article.text[slice(*span)]) and span[1] - span[0] <= LONGEST_QUESTION
    ]


def features(ranking: Ranking, meaning: SentenceMeaning | None = None) -> dict[str, Vector]:
    """The features by which sentences are chosen, by name: one number for each sentence, in order."""
    hits, question = ranking.hits, _Question(ranking)
    sizes = [len(hit.sentences) for hit in hits]
    sentences = [
        _Sentence(hit.passage.article.text[start:end], language_of(hit.passage.article.language), terms)
        for hit in hits
        for (start, end), terms in zip(hit.passage.chunk.sentences, hit.sentences, strict=True)
    ]
    matrix = np.concatenate([hit.matrix for hit in hits])
    gains = _gains(matrix, np.repeat([hit.title for hit in hits], sizes, axis=0), sizes)
    before, two_before, after, title = (summed(gain, question.weights) for gain in gains)
    anaphoric = [points_back(each.text, each.language) for each in sentences]
    best = hits[0].passage.score
    found = {
        "coverage": summed(matrix, question.weights),
        "grams": question.gram_coverage([each.terms.folded for each in sentences]),
        "passage": np.repeat([hit.passage.score / best for hit in hits], sizes),
        "best passage": np.repeat(np.arange(len(hits)) == 0, sizes).astype(float),
        "before": before,
        "before, anaphoric": before * anaphoric,
        "two before": two_before,
        "after": after,
        "title": title,
        "read": np.array([question.read(each.text, each.language) for each in sentences]),
        "figure": np.array([question.has_other_figure(each.text) for each in sentences], dtype=float),
        "whole": ((matrix[:, question.content] >= SAID).all(axis=1) & question.content.any()).astype(float),
        "dateline": np.array([_DATELINE.match(each.text) is not None for each in sentences], dtype=float),
        "reason": _told_before(summed(matrix, question.event) >= SAID, sizes)
        * np.array([question.has_reason(each.text, each.language) for each in sentences]),
    }
    if meaning is None:
        return found
    return found | {
        "like sentence": meaning.sentence,
        "like passage": meaning.passage,
        "like pair": meaning.pair,
        "focus": meaning.focus,
    }


class _Question:
    """The parts of a question that the scoring of every sentence needs."""

    def __init__(self, ranking: Ranking) -> None:
        query = ranking.query
        self.query = query
        self.weights = ranking.idf / (float(ranking.idf.sum()) or 1.0)
        self.content = np.array([concept.weight >= CONTENT for concept in query.concepts], dtype=bool)
        event = ranking.idf * self.content
        self.event = event / (float(event.sum()) or 1.0)
        self.gram_idf = ranking.gram_idf
        self.gram_total = sum(ranking.gram_idf.values()) or 1.0
        self.cue = cue_of(query.text)
        self.figure = figure_of(query)

    def read(self, sentence: str, language: str) -> float:
        """Scores for having the kind of answer that is asked for, and the very kind of figure."""
        cue, figure = self.cue, self.figure
        gain = CUE_WEIGHTS[cue.kind] if cue and cue.offered_by(sentence, language) else 0.0
        finer = figure if figure and figure.kind not in CUE_WEIGHTS else None
        return gain + FIGURE_WEIGHT * bool(finer and finer.offered_by(sentence, language))

    def has_reason(self, sentence: str, language: str) -> bool:
        """Whether a sentence names a reason, and the question asks for one."""
        asks = self.cue is not None and self.cue.kind == "reason"
        return asks and _REASON.offered_by(sentence, language)

    def has_other_figure(self, sentence: str) -> bool:
        """Whether a sentence has figures, and the question asks for none."""
        return self.figure is None and _DIGIT.search(sentence) is not None

    def gram_coverage(self, lines: Sequence[str]) -> Vector:
        """Share of the question's 5-grams in each sentence, given as folded text."""
        if self.gram_idf:
            idf = np.array(list(self.gram_idf.values()))
            return summed(present(self.gram_idf.keys(), lines), idf / self.gram_total)
        concepts = self.query.concepts
        grams = dict.fromkeys(gram for concept in concepts for a in concept.alternatives for gram in a.grams)
        places = {gram: place for place, gram in enumerate(grams)}
        said = present(grams.keys(), lines)
        shares = np.zeros((len(lines), len(concepts)))
        for j, concept in enumerate(concepts):
            for a in concept.alternatives:
                if a.grams:
                    held = said[:, [places[gram] for gram in a.grams]].sum(axis=1)
                    np.maximum(shares[:, j], a.weight * (held / len(a.grams)), out=shares[:, j])
        return summed(shares, self.weights)


def _told_before(event: NDArray[np.bool_], sizes: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each sentence, or one of the `REASON_BEHIND` before it in its chunk, tells the event."""
    chunks = np.split(event, np.cumsum(sizes)[:-1])
    told = [chunk[max(0, at - REASON_BEHIND) : at + 1].any() for chunk in chunks for at in range(len(chunk))]
    return np.array(told, dtype=bool)


def _gains(matrix: Matrix, title: Matrix, sizes: Sequence[int]) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """How much the neighbours and the title add to what each sentence covers of each concept.

    Four arrays: the sentence before, the one before that, the one after, and the title. Each counts only what
    the sentence itself does not cover; the second also leaves out what the sentence before covers. The
    sentences are those of chunks with `sizes` sentences each; `title` has one row for each sentence.
    """
    before, two_before, after = np.zeros_like(matrix), np.zeros_like(matrix), np.zeros_like(matrix)
    chunk = np.repeat(np.arange(len(sizes)), sizes)
    near, far = chunk[1:] == chunk[:-1], chunk[2:] == chunk[:-2]
    both = np.maximum(matrix[1:], matrix[:-1])
    before[1:] = (both - matrix[1:]) * near[:, np.newaxis]
    two_before[2:] = (np.maximum(both[1:], matrix[:-2]) - both[1:]) * far[:, np.newaxis]
    after[:-1] = (both - matrix[:-1]) * near[:, np.newaxis]
    return before, two_before, after, np.maximum(matrix, title) - matrix


AGAIN, AGAIN_ASKED_FOR = 4.0, 2.0
"""Penalty for a sentence quoted last, and for one that has the person, number or day asked for.

By words alone it is the greater one for both: the words carried over are all that sentence's own.
"""
_MORE = re.compile(rf"\b{pattern('follow_up.more')}\b", re.IGNORECASE)


def leaning(found: list[Candidate], question: str, history: Sequence[Message]) -> list[Candidate]:
    """The candidates for a follow-up question, best first, given the conversation before it."""
    last = next((message.content for message in reversed(history) if message.role == "assistant"), "")
    said = " ".join(last.split())
    cue = None if _MORE.search(question) else cue_of(question)

    def lowered(each: Candidate) -> Candidate:
        if " ".join(each.text.split()) not in said:
            return each
        may_answer = cue is not None and each.near is not None and cue.offered_by(each.text)
        penalty = AGAIN_ASKED_FOR if may_answer else AGAIN
        return replace(each, score=each.score - penalty)

    return sorted(map(lowered, found), key=lambda candidate: -candidate.score)
