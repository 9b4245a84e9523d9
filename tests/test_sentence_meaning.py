"""Protects reading sentences by meaning while some passages have no vectors yet."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from rag.question.query import understand
from rag.retrieval.retriever import Retriever
from rag.retrieval.sentence_meaning import Floats, SentenceMeaning, sentence_meaning
from rag.store.passage_vectors import PassageVectors
from tests.dossier import APPLES, BRIDGE, DOSSIER, index_of

QUESTION = "Was steht an der Wiede?"


def embed(text: str) -> Floats:
    """Some vector of length 1."""
    vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(8)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def give_vectors(index: Retriever, *ids: str) -> None:
    """Keeps vectors for all sentences of the articles with these ids."""
    library = index.library
    for article in library.articles(ids):
        for chunk in library.chunks_of(article.id):
            sentences = np.stack([embed(article.text[slice(*span)]) for span in chunk.sentences])
            vectors = PassageVectors(embed(chunk.text), sentences, sentences).pack()
            library.put_vectors([(library.rows_of([chunk.id])[chunk.id], *vectors)])


def read(index: Retriever) -> tuple[list[str], SentenceMeaning | None]:
    """The article of each sentence that is found, and how near the sentences are."""
    ranking = index.rank(understand(QUESTION), 20)
    articles = [hit.passage.article.id for hit in ranking.hits for _ in hit.sentences]
    return articles, sentence_meaning(index.library, ranking, QUESTION, embed)


def test_sentences_without_vectors_yet_count_neither_for_nor_against() -> None:
    index = index_of(*DOSSIER)
    give_vectors(index, BRIDGE.id)
    articles, meaning = read(index)
    assert {BRIDGE.id, APPLES.id} <= set(articles)
    assert meaning is not None
    there = np.array([id == BRIDGE.id for id in articles])
    for cosines in (meaning.sentence, meaning.passage, meaning.pair):
        assert cosines[~there] == pytest.approx(cosines[there].mean())
    assert np.ptp(meaning.sentence[there]) > 0
    assert np.any(meaning.focus[there])
    assert not np.any(meaning.focus[~there])


def test_where_no_sentence_has_vectors_words_alone_count() -> None:
    assert read(index_of(*DOSSIER))[1] is None
