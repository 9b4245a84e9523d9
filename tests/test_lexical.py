"""Protects the scores: BM25 as the reference implementation computes it, and the same after loading."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import log
from pathlib import Path
from typing import Any, cast

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.analysis import grams, key
from rag.errors import IndexDamaged
from rag.lexical import (
    GRAMS_B,
    K1,
    WORDS_B,
    Field,
    Floats,
    WeightedTerms,
    build_field,
    build_index,
    heading,
    index_chunks,
    load_index,
)
from rag.schema import Article, Aside, Chunk

TERMS = "a b c d e f".split()
DOCUMENTS = st.lists(st.lists(st.sampled_from(TERMS), min_size=1, max_size=12), min_size=1, max_size=8)
QUERIES = st.lists(st.sampled_from([*TERMS, "unknown"]), max_size=6, unique=True)


def reference(documents: Sequence[Sequence[str]], query: Sequence[str], b: float) -> Any:
    """Scores of all documents by bm25s."""
    index = bm25s.BM25(method="lucene", k1=K1, b=b)
    index.index([list(document) for document in documents], show_progress=False)
    known = [term for term in query if any(term in document for document in documents)]
    return index.get_scores(known) if known else np.zeros(len(documents))


def scores(field: Field, query: Sequence[str]) -> Floats:
    return field.sums(query)[1]


# --- BM25 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", [WORDS_B, GRAMS_B])
@settings(deadline=None)
@given(documents=DOCUMENTS, query=QUERIES)
def test_scores_are_those_of_the_reference(documents: list[list[str]], query: list[str], b: float) -> None:
    assert scores(build_field(documents, b), query) == pytest.approx(reference(documents, query, b), abs=1e-5)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["Der Gipfel in Genf.", "Genf, Genf!", "Präsident Putin reiste ab."]), min_size=1
    )
)
def test_scores_on_grams_of_news_are_those_of_the_reference(texts: list[str]) -> None:
    documents, query = [grams(text) for text in texts], list(dict.fromkeys(grams("Putin in Genf")))
    assert scores(build_field(documents, GRAMS_B), query) == pytest.approx(
        reference(documents, query, GRAMS_B), abs=1e-5
    )


def test_a_score_worked_out_by_hand() -> None:
    field = build_field([["a", "a", "b"], ["b"]], WORDS_B)
    idf = log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    share = 2 / (2 + K1 * (1 - WORDS_B + WORDS_B * 3 / 2))
    assert field.term_idf("a") == pytest.approx(idf)
    assert field.sums(["a"])[0] == pytest.approx(idf)
    assert scores(field, ["a"]) == pytest.approx([idf * share, 0])


@settings(deadline=None)
@given(DOCUMENTS, QUERIES)
def test_no_score_reaches_the_summed_idf(documents: list[list[str]], query: list[str]) -> None:
    most, found = build_field(documents, WORDS_B).sums(query)
    assert (found >= 0).all()
    assert (found <= most).all()


def test_rarer_terms_have_larger_idf_and_unknown_ones_the_largest() -> None:
    field = build_field([["a", "b"], ["a", "b"], ["a"]], WORDS_B)
    assert 0 < field.term_idf("a") < field.term_idf("b") < field.term_idf("unknown")


def test_unknown_terms_score_nothing_but_count_in_what_was_possible() -> None:
    field = build_field([["a"], ["b"]], WORDS_B)
    most, found = field.sums(["a", "unknown"])
    assert found == pytest.approx(scores(field, ["a"]))
    assert most == pytest.approx(field.term_idf("a") + field.term_idf("unknown"))


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_an_index_of_nothing_answers_with_nothing(documents: list[list[str]]) -> None:
    field = build_field(documents, WORDS_B)
    assert scores(field, ["a"]).tolist() == [0] * len(documents)
    assert field.synonyms([(1.0, ["a"])])[1].tolist() == [0] * len(documents)


def test_documents_without_terms_score_nothing() -> None:
    assert scores(build_field([[], ["a"]], WORDS_B), ["a"])[0] == 0


# --- synonyms ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS, st.lists(st.booleans(), min_size=8, max_size=8))
def test_synonyms_count_as_one_term(documents: list[list[str]], flips: list[bool]) -> None:
    # in some documents the first term is said in another word: that must change nothing
    said = [
        ["other" if term == "a" and flip else term for term in document]
        for document, flip in zip(documents, flips, strict=False)
    ]
    idf, share = build_field(said, WORDS_B).synonyms([(1.0, ["a"]), (1.0, ["other"])])
    assert idf * share == pytest.approx(scores(build_field(documents, WORDS_B), ["a"]), abs=1e-5)


def test_a_document_counts_its_best_alternative_by_weight() -> None:
    field = build_field([["a", "x"], ["b", "x"], ["a", "b"], ["x", "x"]], WORDS_B)
    idf, share = field.synonyms([(1.0, ["a"]), (0.5, ["b"])])
    _, full = field.synonyms([(1.0, ["a"])])
    assert share == pytest.approx([full[0], full[0] / 2, full[2], 0])
    assert idf == pytest.approx(field.idf(3))


def test_the_order_of_alternatives_makes_no_difference() -> None:
    field = build_field([["a", "b", "b"], ["b", "c"], ["c"]], WORDS_B)
    alternatives = [(1.0, ["a"]), (0.7, ["b"]), (0.4, ["b", "c"])]
    idf, share = field.synonyms(alternatives)
    other_idf, other = field.synonyms(alternatives[::-1])
    assert (idf, share.tolist()) == (other_idf, other.tolist())


def test_a_phrase_is_shared_by_how_many_of_its_terms_are_there() -> None:
    field = build_field([["a", "b"], ["a", "x"], ["x", "y"]], WORDS_B)
    _, share = field.synonyms([(1.0, ["a", "b"])])
    _, single = field.synonyms([(1.0, ["a"])])
    assert share[0] > share[1] == pytest.approx(single[1] / 2)
    assert share[2] == 0


def test_unknown_alternatives_and_none_at_all_are_said_nowhere() -> None:
    field = build_field([["a"], ["b"]], WORDS_B)
    nowhere: list[WeightedTerms] = [[], [(1, ["unknown"])], [(1, ["unknown", "too"])], [(1, [])]]
    for alternatives in nowhere:
        idf, share = field.synonyms(alternatives)
        assert idf == pytest.approx(field.idf(0))
        assert share.tolist() == [0, 0]


# --- on disk -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS | st.just([]), QUERIES)
def test_a_field_scores_the_same_after_saving_and_loading(
    documents: list[list[str]], query: list[str]
) -> None:
    field = build_field(documents, WORDS_B)
    with tempfile.TemporaryDirectory() as folder:
        field.save(Path(folder) / "field")
        loaded = Field.load(Path(folder) / "field", len(documents))
        assert loaded.vocabulary == field.vocabulary
        assert loaded.sums(query)[0] == field.sums(query)[0]
        assert scores(loaded, query).tolist() == scores(field, query).tolist()


def test_terms_with_blanks_survive_saving(tmp_path: Path) -> None:
    documents = [grams("Zelensky in Genf"), grams("Київ 2022")]
    build_field(documents, GRAMS_B).save(tmp_path / "field")
    loaded = Field.load(tmp_path / "field", 2)
    assert set(loaded.vocabulary) == {gram for document in documents for gram in document}
    assert scores(loaded, [" in g"])[0] > 0 == scores(loaded, [" in g"])[1]


# --- the index of a library --------------------------------------------------------------------

ARTICLE = Article(
    id="a",
    text="Genf. Der Gipfel dauerte lange.",
    source="a.txt",
    sha256="0" * 64,
    title="Treffen am See",
    outlet="Blatt",
    author="Vitaly Portnikov",
    published=date(2021, 6, 16),
    asides=(Aside(0, 5, "dateline"), Aside(6, 6, "caption")),
)
CHUNK = Chunk("a#0#0", "a", 0, 6, 31, "Der Gipfel dauerte lange.", ((6, 31),))
OTHER = replace(ARTICLE, id="b", title="Wetter", outlet=None, author=None, published=None, asides=())
OTHER_CHUNK = replace(CHUNK, id="b#0#0", article_id="b", text="Es regnete am See.")


@dataclass
class FakeLibrary:
    """What `build_index` asks of a library."""

    revision: int
    held: tuple[tuple[Article, Chunk], ...] = ((ARTICLE, CHUNK), (OTHER, OTHER_CHUNK))

    def articles(self) -> list[Article]:
        return [article for article, _ in self.held]

    def chunks(self) -> list[Chunk]:
        return [chunk for _, chunk in self.held]


def built(folder: Path, library: FakeLibrary) -> Path:
    """Builds the index and returns where it lies."""
    build_index(folder, cast(Any, library))
    return max((folder / "lexical").iterdir(), key=lambda path: path.name)


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        (ARTICLE, "Treffen am See · Blatt · Vitaly Portnikov · Genf. · 16. Juni 2021"),
        (OTHER, "Wetter"),
        (replace(OTHER, title=None), ""),
    ],
)
def test_the_heading_says_what_is_known_and_nothing_else(article: Article, expected: str) -> None:
    assert heading(article) == expected


@pytest.mark.parametrize("word", ["Gipfel", "Treffen", "Blatt", "Portnikow", "Genf", "Juni", "2021"])
def test_a_chunk_is_found_by_its_text_and_by_the_heading_of_its_article(word: str) -> None:
    index = index_chunks([(ARTICLE, CHUNK), (OTHER, OTHER_CHUNK)])
    assert index.ids == ("a#0#0", "b#0#0")
    for field, terms in ((index.words, [key(word)]), (index.grams, grams(word)[:1])):
        found = scores(field, terms)
        assert found[0] > 0 == found[1]


def test_an_index_is_loaded_as_it_was_built(tmp_path: Path) -> None:
    built(tmp_path, FakeLibrary(3))
    fresh, loaded = index_chunks(FakeLibrary(3).held), load_index(tmp_path, 3)
    assert loaded.ids == fresh.ids
    for one, two in ((loaded.words, fresh.words), (loaded.grams, fresh.grams)):
        assert one.size == two.size
        assert one.vocabulary == two.vocabulary
        assert one.impact.tolist() == two.impact.tolist()


def test_the_index_of_an_empty_library_can_be_loaded(tmp_path: Path) -> None:
    built(tmp_path, FakeLibrary(1, held=()))
    assert load_index(tmp_path, 1).ids == ()


def test_the_revision_before_stays_and_older_ones_go(tmp_path: Path) -> None:
    built(tmp_path, FakeLibrary(1))
    built(tmp_path, FakeLibrary(2, held=((OTHER, OTHER_CHUNK),)))
    assert load_index(tmp_path, 2).ids == ("b#0#0",)
    assert load_index(tmp_path, 1).ids != ("b#0#0",)
    built(tmp_path, FakeLibrary(3))
    with pytest.raises(IndexDamaged, match="python -m ingest"):
        load_index(tmp_path, 1)


def test_an_aborted_build_does_not_disturb_the_next(tmp_path: Path) -> None:
    made = built(tmp_path, FakeLibrary(1))
    made.rename(made.with_suffix(".partial"))
    built(tmp_path, FakeLibrary(1))
    assert load_index(tmp_path, 1).ids == ("a#0#0", "b#0#0")


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense",
        b"\x93NUM",
        pytest.param(
            b"",
        ),
    ],
)
@pytest.mark.parametrize("name", ["words/docs.npy", "grams/indptr.npy"])
def test_an_array_that_cannot_be_read_is_reported_with_the_way_out(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (built(tmp_path, FakeLibrary(1)) / name).write_bytes(content)
    with pytest.raises(IndexDamaged, match="python -m ingest"):
        load_index(tmp_path, 1)


@pytest.mark.parametrize("name", ["ids.txt", "words/vocabulary.txt", "grams/impact.npy"])
def test_a_missing_or_cut_file_is_reported(tmp_path: Path, name: str) -> None:
    path = built(tmp_path, FakeLibrary(1)) / name
    if path.suffix == ".npy":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(IndexDamaged):
        load_index(tmp_path, 1)
