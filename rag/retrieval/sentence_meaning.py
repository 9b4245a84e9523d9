"""Compares the sentences of a ranking with a question in meaning, by vectors stored at ingest.

`focus` decides among sentences of one article. An article names its topic at the beginning and takes it for
granted afterwards, so the question is embedded once more without those words ("Wie teuer kommt Canons neue
Kamera im Paket?" becomes "Wie teuer kommt im Paket?"), and each sentence is compared with the mean of its
article.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.question.query import Concept
from rag.retrieval.matching import coverage
from rag.retrieval.retriever import Ranking
from rag.store.library import Library
from rag.store.passage_vectors import PassageVectors
from rag.store.terms import PassageTerms
from rag.text.analysis import TOKEN

Vector = NDArray[np.float64]
Floats = NDArray[np.float32]
Embed = Callable[[str], Floats]

FOCUSED = 3
"""Best articles whose sentences are compared without the topic, each for one more embedding of the question;
all if there are at most `FEW`."""
FEW = 5
NAMED = 0.6
"""How far the beginning of an article must cover a concept for it to belong to the topic."""
_BEGINNING = 3  # sentences


@dataclass(frozen=True, slots=True)
class SentenceMeaning:
    """Cosines of a question with each sentence of a ranking, in order: with the sentence, with its passage,
    and with the sentence plus the one before; and its focus, 0 outside the best articles."""

    sentence: Vector
    passage: Vector
    pair: Vector
    focus: Vector


def sentence_meaning(
    library: Library, ranking: Ranking, question: str, embed: Embed
) -> SentenceMeaning | None:
    """The nearness of all sentences of a ranking; None while some passages have no vectors of sentences.

    `embed` returns the vector of a question.
    """
    held = vectors_held(library, ranking)
    if not held:
        return None
    asked = embed(question)
    sizes = [len(each.sentences) for each in held]
    sentences = np.concatenate([each.sentences for each in held])
    focus = np.zeros(len(sentences))
    owners = np.repeat([hit.passage.article.id for hit in ranking.hits], sizes)
    best = list(dict.fromkeys(owners.tolist()))
    for id in best if library.counts().articles <= FEW else best[:FOCUSED]:
        rows = library.rows_of_article(id)
        opening = next(iter(library.terms_of(rows[:1]).values()), "")
        focused = embed(without_topic(question, ranking.query.concepts, opening))
        mean = np.concatenate([each.sentences for each in library.vectors_of(rows).values()]).mean(axis=0)
        own = owners == id
        focus[own] = (sentences[own] - mean) @ focused
    return SentenceMeaning(
        sentence=_cosines(sentences, asked),
        passage=np.repeat(_cosines(np.stack([each.passage for each in held]), asked), sizes),
        pair=_cosines(np.concatenate([each.pairs for each in held]), asked),
        focus=focus,
    )


def _cosines(vectors: Floats, asked: Floats) -> Vector:
    return (vectors @ asked).astype(np.float64)


def vectors_held(library: Library, ranking: Ranking) -> list[PassageVectors]:
    """The vectors of each passage of a ranking; none if some are missing, or of other sentence boundaries."""
    rows = library.rows_of([hit.passage.chunk.id for hit in ranking.hits])
    vectors = library.vectors_of(rows.values())
    held = []
    for hit in ranking.hits:
        each = vectors.get(rows.get(hit.passage.chunk.id, -1))
        if each is None or len(each.sentences) != len(hit.sentences):
            return []
        held.append(each)
    return held


def without_topic(question: str, concepts: Sequence[Concept], opening: str) -> str:
    """The question without words for what the article names in its heading or first three sentences.

    `opening` is the article's first passage as packed by `PassageTerms.pack`.
    """
    if not concepts or not opening:
        return question
    terms = PassageTerms.unpack(opening)
    covered = coverage(concepts, [terms.heading, *terms.sentences[:_BEGINNING]]).max(axis=0)
    named = {
        word.lower()
        for concept, share in zip(concepts, covered, strict=True)
        if share >= NAMED
        for word in concept.word.split()
    }
    kept = TOKEN.sub(lambda word: "" if word[0].lower() in named else word[0], question)
    return " ".join(kept.split())
