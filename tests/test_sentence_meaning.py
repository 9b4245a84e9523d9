"""Protects reading sentences by meaning while some passages have no vectors yet."""

from __future__ import annotations

import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest

from ingest.__main__ import summary
from ingest.diff import is_current
from ingest.meaning import WISH, Wish
from ingest.sync import sync
from rag.engine import open_engine
from rag.models.embedder import DIMENSION, Encoder
from rag.question.query import understand
from rag.retrieval.meaning import Dense, Floats, SentenceMeaning, sentence_meaning
from rag.retrieval.retriever import Nearness, Retriever
from rag.settings import Settings
from rag.store.library import Library
from rag.store.terms import pack_vectors
from tests.dossier import APPLES, BRIDGE, DOSSIER, fill, index_of, settings_for, write

QUESTION = "Was steht an der Wiede?"


def embed(text: str) -> Floats:
    """Some vector of length 1."""
    vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(8)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def give_vectors(library: Library, *ids: str) -> None:
    """Keeps vectors for all sentences of the articles with these ids."""
    for article in library.articles(ids):
        for chunk in library.chunks_of(article.id):
            sentences = np.stack([embed(article.text[slice(*span)]) for span in chunk.sentences])
            vectors = map(pack_vectors, (embed(chunk.text), sentences, sentences))
            library.put_vectors([(library.rows_of([chunk.id])[chunk.id], *vectors)])


def read(index: Retriever) -> tuple[list[str], SentenceMeaning | None]:
    """The article of each sentence that is found, and how near the sentences are."""
    ranking = index.rank(understand(QUESTION), 20)
    articles = [hit.passage.article.id for hit in ranking.hits for _ in hit.sentences]
    return articles, sentence_meaning(index.library, ranking, QUESTION, embed)


def test_sentences_are_compared_in_meaning_once_all_that_are_found_have_vectors() -> None:
    index = index_of(*DOSSIER)
    give_vectors(index.library, BRIDGE.id)
    articles, meaning = read(index)
    assert {BRIDGE.id, APPLES.id} <= set(articles)
    assert meaning is None
    give_vectors(index.library, *index.library.versions())
    articles, meaning = read(index)
    assert meaning is not None
    assert len(meaning.sentence) == len(meaning.passage) == len(meaning.pair) == len(articles)
    assert np.ptp(meaning.sentence) > 0
    assert np.any(meaning.focus)


def test_a_passage_without_a_vector_yet_is_found_by_its_words(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    fill(settings, *DOSSIER)
    with Library.open(settings.data_dir) as library:
        give_vectors(library, APPLES.id)
    with closing(open_engine(settings)) as engine:
        apples = [chunk.id for chunk in engine.library.chunks_of(APPLES.id)]
        dense = create_autospec(Dense, instance=True)
        dense.near.return_value = Nearness(5.0, dict.fromkeys(apples, 1.0))
        engine.dense = dense
        answer = engine.ask("Was kostet die Reparatur der Brücke an der Wiede?")
    assert answer.citations[0].article_id == BRIDGE.id
    assert answer.by_words


def test_where_no_sentence_has_vectors_words_alone_count() -> None:
    assert read(index_of(*DOSSIER))[1] is None


class TestManyArticles:
    """What is too much to embed unasked."""

    @pytest.fixture
    def settings(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
        monkeypatch.setattr("ingest.sync.MOST_UNASKED", 2)
        monkeypatch.setattr(Encoder, "embed", lambda _, texts: np.ones((len(texts), DIMENSION), np.float32))
        write(tmp_path / "articles", *DOSSIER)
        return settings_for(tmp_path, embedding="e5")

    def test_they_are_left_to_words_and_it_is_said_what_it_takes(self, settings: Settings) -> None:
        report = sync(settings)
        assert report.pending == 0
        assert "5 passages are found by their words alone" in (report.unasked or "")
        assert "python -m ingest --embed" in summary(report)
        assert is_current(settings)
        assert sync(settings).unasked == report.unasked  # whoever looks again is told again

    @pytest.mark.parametrize("wish", ["all", "passages"])
    def test_whoever_asks_has_them_made_and_is_not_asked_again(self, settings: Settings, wish: Wish) -> None:
        sync(settings)
        assert sync(settings, embed=wish).unasked is None
        new = (replace(BRIDGE, id=f"neu-{n}", text=f"Neu ist Kran {n}.") for n in range(3))
        write(settings.articles, *new)
        assert sync(settings).unasked is None
        with Library.open(settings.data_dir, read_only=True) as library:
            assert library.without_vectors() == (0, 0)
            assert bool(library.without_sentences()) == (wish == "passages")

    def test_a_few_more_are_embedded_without_being_asked(self, settings: Settings) -> None:
        sync(settings, embed="all")
        with Library.open(settings.data_dir) as library:
            library.note(WISH, None)
        write(settings.articles, replace(BRIDGE, id="neu", text="Ganz neu ist der Kran."))
        assert sync(settings).unasked is None
        with Library.open(settings.data_dir, read_only=True) as library:
            assert library.without_vectors() == (0, 0)
