"""Protects the scores: BM25 as the reference implementation computes it, and the same after loading."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
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

from rag.errors import IndexDamaged
from rag.retrieval import bm25, lexical
from rag.retrieval.bm25 import K1, Field, Floats, WeightedTerms
from rag.retrieval.lexical import (
    GRAMS_B,
    WORDS_B,
    LexicalIndex,
    build_index,
    heading,
    index_chunks,
    load_index,
)
from rag.retrieval.postings import Postings, of_grams, of_terms, term_hash, term_hashes
from rag.schema import Article, Aside, Chunk
from rag.text.analysis import folded, grams, key

TERMS = "a b c d e f".split()
DOCUMENTS = st.lists(st.lists(st.sampled_from(TERMS), min_size=1, max_size=12), min_size=1, max_size=8)
QUERIES = st.lists(st.sampled_from([*TERMS, "unknown"]), max_size=6, unique=True)


def reference(documents: Sequence[Sequence[str]], query: Sequence[str], b: float) -> Any:
    """Scores of all documents by bm25s."""
    index = bm25s.BM25(method="lucene", k1=K1, b=b)
    index.index([list(document) for document in documents], show_progress=False)
    known = [term for term in query if any(term in document for document in documents)]
    return index.get_scores(known) if known else np.zeros(len(documents))


def build_field(documents: Sequence[Sequence[str]], b: float) -> Field:
    return Field([of_terms(documents)], b)


def said(field: Field, alternatives: WeightedTerms) -> tuple[float, Any]:
    """A concept's idf, and its share in every document."""
    [found] = field.synonyms([alternatives])
    share = np.zeros(field.rows)
    share[found.rows] = found.scores
    return found.possible, share


def scores(field: Field, query: Sequence[str]) -> Floats:
    return field.look_up(query).sums()[1]


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
    assert field.look_up(["a"]).idf[0] == pytest.approx(idf)
    assert field.look_up(["a"]).sums()[0] == pytest.approx(idf)
    assert scores(field, ["a"]) == pytest.approx([idf * share, 0])


@settings(deadline=None)
@given(DOCUMENTS, QUERIES)
def test_no_score_reaches_the_summed_idf(documents: list[list[str]], query: list[str]) -> None:
    most, found = build_field(documents, WORDS_B).look_up(query).sums()
    assert (found >= 0).all()
    assert (found <= most).all()


def test_rarer_terms_have_larger_idf_and_unknown_ones_the_largest() -> None:
    field = build_field([["a", "b"], ["a", "b"], ["a"]], WORDS_B)
    idf = field.look_up(["a", "b", "unknown"]).idf
    assert 0 < idf[0] < idf[1] < idf[2]


def test_unknown_terms_score_nothing_but_count_in_what_was_possible() -> None:
    field = build_field([["a"], ["b"]], WORDS_B)
    most, found = field.look_up(["a", "unknown"]).sums()
    assert found == pytest.approx(scores(field, ["a"]))
    assert most == pytest.approx(field.look_up(["a"]).idf[0] + field.look_up(["unknown"]).idf[0])


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_an_index_of_nothing_answers_with_nothing(documents: list[list[str]]) -> None:
    field = build_field(documents, WORDS_B)
    assert scores(field, ["a"]).tolist() == [0] * len(documents)
    assert said(field, [(1.0, ["a"])])[1].tolist() == [0] * len(documents)


def test_in_other_wordswithout_terms_score_nothing() -> None:
    assert scores(build_field([[], ["a"]], WORDS_B), ["a"])[0] == 0


# --- synonyms ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS, st.lists(st.booleans(), min_size=8, max_size=8))
def test_synonyms_count_as_one_term(documents: list[list[str]], flips: list[bool]) -> None:
    # in some documents the first term is said in another word: that must change nothing
    in_other_words = [
        ["other" if term == "a" and flip else term for term in document]
        for document, flip in zip(documents, flips, strict=False)
    ]
    idf, share = said(build_field(in_other_words, WORDS_B), [(1.0, ["a"]), (1.0, ["other"])])
    assert idf * share == pytest.approx(scores(build_field(documents, WORDS_B), ["a"]), abs=1e-5)


def test_a_document_counts_its_best_alternative_by_weight() -> None:
    field = build_field([["a", "x"], ["b", "x"], ["a", "b"], ["x", "x"]], WORDS_B)
    idf, share = said(field, [(1.0, ["a"]), (0.5, ["b"])])
    _, full = said(field, [(1.0, ["a"])])
    assert share == pytest.approx([full[0], full[0] / 2, full[2], 0])
    assert idf == pytest.approx(log(1 + (field.size - 3 + 0.5) / 3.5))


def test_the_order_of_alternatives_makes_no_difference() -> None:
    field = build_field([["a", "b", "b"], ["b", "c"], ["c"]], WORDS_B)
    alternatives = [(1.0, ["a"]), (0.7, ["b"]), (0.4, ["b", "c"])]
    idf, share = said(field, alternatives)
    other_idf, other = said(field, alternatives[::-1])
    assert (idf, share.tolist()) == (other_idf, other.tolist())


def test_a_phrase_is_shared_by_how_many_of_its_terms_are_there() -> None:
    field = build_field([["a", "b"], ["a", "x"], ["x", "y"]], WORDS_B)
    _, share = said(field, [(1.0, ["a", "b"])])
    _, single = said(field, [(1.0, ["a"])])
    assert share[0] > share[1] == pytest.approx(single[1] / 2)
    assert share[2] == 0


def test_unknown_alternatives_and_none_at_all_are_said_nowhere() -> None:
    field = build_field([["a"], ["b"]], WORDS_B)
    nowhere: list[WeightedTerms] = [[], [(1, ["unknown"])], [(1, ["unknown", "too"])], [(1, [])]]
    for alternatives in nowhere:
        idf, share = said(field, alternatives)
        assert idf == pytest.approx(log(1 + (field.size + 0.5) / 0.5))
        assert share.tolist() == [0, 0]


# --- on disk -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS | st.just([]), QUERIES)
def test_a_field_scores_the_same_after_saving_and_loading(
    documents: list[list[str]], query: list[str]
) -> None:
    made = of_terms(documents)
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "field")
        loaded = Field([Postings.load(Path(folder) / "field", len(documents))], WORDS_B)
        assert loaded.look_up(query).sums()[0] == Field([made], WORDS_B).look_up(query).sums()[0]
        assert scores(loaded, query).tolist() == scores(Field([made], WORDS_B), query).tolist()


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Zelensky in Genf", "Київ 2022", "a", "", "東京都 北京", "Rat Rat Rat"])))
def test_grams_counted_at_once_are_those_counted_one_by_one(texts: list[str]) -> None:
    at_once, one_by_one = (
        of_grams([folded(text) for text in texts]),
        of_terms([grams(text) for text in texts]),
    )
    for name in ("terms", "indptr", "docs", "tf", "lengths"):
        assert getattr(at_once, name).tolist() == getattr(one_by_one, name).tolist()


def test_more_in_other_wordsthan_are_sorted_at_once_score_the_same() -> None:
    documents = [["a"] * (n % 3) + ["b"] * (n % 7 == 0) + [f"only {n}"] for n in range(700)]
    field = build_field(documents, WORDS_B)
    assert scores(field, ["a", "b", "only 600"]) == pytest.approx(
        reference(documents, ["a", "b", "only 600"], WORDS_B), abs=1e-5
    )


def test_no_two_of_many_terms_share_a_hash() -> None:
    terms = {
        a + b + c + d for a in "abcdefgh " for b in "abcdefgh " for c in "klmno12" for d in ("", "x", "ü")
    }
    assert len({term_hash(term) for term in terms}) == len(terms)


@given(st.lists(st.text(min_size=1, max_size=40), max_size=9))
def test_many_terms_at_once_have_the_hashes_of_each(terms: list[str]) -> None:
    assert term_hashes(terms).tolist() == [term_hash(term) for term in terms]


# --- parts -------------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS, st.lists(st.booleans(), min_size=8, max_size=8), st.integers(0, 8), QUERIES)
def test_parts_with_in_other_wordsgone_score_as_a_whole_without_them(
    documents: list[list[str]], flips: list[bool], cut: int, query: list[str]
) -> None:
    there = [not gone for _, gone in zip(documents, flips, strict=False)]
    pieces = [(documents[:cut], there[:cut]), (documents[cut:], there[cut:])]
    gone = [np.array([row for row, kept in enumerate(k) if not kept], dtype=np.int32) for _, k in pieces]
    parts = Field([of_terms(part) for part, _ in pieces], WORDS_B, gone)
    whole = build_field([d for d, kept in zip(documents, there, strict=True) if kept], WORDS_B)

    def kept(found: tuple[float, Floats]) -> tuple[float, list[float]]:
        assert not found[1][~parts.live].any()
        return found[0], found[1][parts.live].tolist()

    assert parts.size == whole.size
    assert [parts.look_up([term]).idf[0] for term in query] == [
        whole.look_up([term]).idf[0] for term in query
    ]
    most, found = whole.look_up(query).sums()
    assert kept(parts.look_up(query).sums()) == (most, found.tolist())
    alternatives = [(1.0, query[:1]), (0.7, query[1:2]), (0.5, query[2:])]
    idf, share = said(whole, alternatives)
    assert kept(said(parts, alternatives)) == (idf, share.tolist())


def test_in_large_fields_common_terms_are_passed_over_in_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    field = build_field([["a", "b"], *([["a"]] * 99)], WORDS_B)
    assert field.look_up(["a", "b"]).sums()[0] > field.look_up(["b"]).sums()[0]
    monkeypatch.setattr(bm25, "FEW", 50)
    most, found = field.look_up(["a", "b"]).sums()
    assert most == field.look_up(["b"]).sums()[0] == field.look_up(["b"]).idf[0]
    assert np.flatnonzero(found).tolist() == [0]


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
OTHER = replace(
    ARTICLE,
    id="b",
    text="Wien. Es regnete am See.",
    title="Wetter",
    outlet=None,
    author=None,
    published=None,
    asides=(),
)
OTHER_CHUNK = Chunk("b#0#0", "b", 0, 6, 24, "Es regnete am See.", ((6, 24),))


@dataclass
class FakeLibrary:
    """What `build_index` asks of a library."""

    revision: int
    held: tuple[tuple[Article, Chunk], ...] = ((ARTICLE, CHUNK), (OTHER, OTHER_CHUNK))
    fingerprint: str = "these settings"

    def article(self, id: str) -> Article | None:
        return next((article for article, _ in self.held if article.id == id), None)

    def chunks(self, ids: Collection[str] | None = None) -> list[Chunk]:
        return [chunk for _, chunk in self.held if ids is None or chunk.id in ids]

    def chunk_ids(self) -> list[str]:
        return [chunk.id for _, chunk in self.held]


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
    for one, two in (
        (loaded.segments[0].words, fresh.segments[0].words),
        (loaded.segments[0].grams, fresh.segments[0].grams),
    ):
        assert [array.tolist() for array in (one.terms, one.docs, one.tf, one.lengths)] == [
            array.tolist() for array in (two.terms, two.docs, two.tf, two.lengths)
        ]


def test_the_index_of_an_empty_library_can_be_loaded(tmp_path: Path) -> None:
    built(tmp_path, FakeLibrary(1, held=()))
    assert load_index(tmp_path, 1).ids == ()


def test_the_revision_before_stays_and_older_ones_go(tmp_path: Path) -> None:
    built(tmp_path, FakeLibrary(1))
    built(tmp_path, FakeLibrary(2, held=((OTHER, OTHER_CHUNK),)))
    assert load_index(tmp_path, 2).held() == {"b#0#0"}
    assert load_index(tmp_path, 1).held() == {"a#0#0", "b#0#0"}
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
@pytest.mark.parametrize("name", ["main/words/docs.npy", "main/grams/indptr.npy"])
def test_an_array_that_cannot_be_read_is_reported_with_the_way_out(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (built(tmp_path, FakeLibrary(1)) / name).write_bytes(content)
    with pytest.raises(IndexDamaged, match="python -m ingest"):
        load_index(tmp_path, 1)


@pytest.mark.parametrize("name", ["main/ids.txt", "main/words/terms.npy", "main/grams/tf.npy"])
def test_a_missing_or_cut_file_is_reported(tmp_path: Path, name: str) -> None:
    path = built(tmp_path, FakeLibrary(1)) / name
    if path.suffix == ".npy":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(IndexDamaged):
        load_index(tmp_path, 1)


# --- changes -----------------------------------------------------------------------------------

TEXTS = ["Der Gipfel in Genf.", "Putin reiste ab.", "Genf, Genf!", "Es regnete.", "Der Rat tagt in Genf."]
STATES = st.lists(st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(TEXTS)), min_size=1, max_size=5)


def library_of(revision: int, texts: dict[str, str], **more: str) -> FakeLibrary:
    """A library of articles of one chunk each."""
    held = []
    for id, text in sorted(texts.items()):
        article = replace(OTHER, id=id, text=text)
        held.append(
            (article, Chunk(f"{id}#{TEXTS.index(text)}#0", id, 0, 0, len(text), text, ((0, len(text)),)))
        )
    return FakeLibrary(revision, tuple(held), **more)


def by_chunk(index: LexicalIndex, question: str) -> tuple[object, ...]:
    """All that an index says of a question: idfs, and the scores of the chunks that it finds."""
    terms, parts = [key(word) for word in question.split()], grams(question)
    words, said = index.words.look_up(terms).sums(), index.grams.look_up(parts).sums()
    rows = sorted(np.flatnonzero(words[1] + said[1]).tolist(), key=lambda row: index.ids[row])
    return words[0], said[0], [(index.ids[row], words[1][row], said[1][row]) for row in rows]


@pytest.mark.parametrize("least_merged", [0, 3, 1000])
@settings(deadline=None, max_examples=40)
@given(states=STATES)
def test_an_index_that_followed_its_changes_is_one_built_at_once(
    least_merged: int, states: list[dict[str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "LEAST_MERGED", least_merged)
        for revision, texts in enumerate(states, 1):
            build_index(Path(folder), cast(Any, library_of(revision, texts)))
            followed = load_index(Path(folder), revision)
            whole = index_chunks(library_of(revision, texts).held)
            assert followed.held() == whole.held()
            for question in ("Gipfel in Genf", "Putin", "Rat"):
                assert by_chunk(followed, question) == by_chunk(whole, question)


def test_a_small_change_leaves_the_main_segment_alone(tmp_path: Path) -> None:
    first = built(tmp_path, library_of(1, {"a": TEXTS[0], "b": TEXTS[1]}))
    second = built(tmp_path, library_of(2, {"a": TEXTS[0], "b": TEXTS[2], "c": TEXTS[3]}))
    for file in ("ids.txt", "words/docs.npy", "grams/tf.npy"):
        assert (first / "main" / file).samefile(second / "main" / file)
    assert load_index(tmp_path, 2).held() == {"a#0#0", "b#2#0", "c#3#0"}
    assert load_index(tmp_path, 1).held() == {"a#0#0", "b#1#0"}


def test_a_change_as_large_as_the_index_builds_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "LEAST_MERGED", 1)
    built(tmp_path, library_of(1, {"a": TEXTS[0], "b": TEXTS[1]}))
    built(tmp_path, library_of(2, {"a": TEXTS[0], "b": TEXTS[2], "c": TEXTS[3]}))
    assert load_index(tmp_path, 2).ids == ("a#0#0", "b#2#0", "c#3#0")


@pytest.mark.parametrize("how", ["other settings", "whole"])
def test_other_settings_or_a_rebuild_take_nothing_over(tmp_path: Path, how: str) -> None:
    first = built(tmp_path, library_of(1, {"a": TEXTS[0]}))
    fingerprint = "others" if how == "other settings" else "these settings"
    build_index(tmp_path, cast(Any, library_of(2, {"a": TEXTS[0]}, fingerprint=fingerprint)), how == "whole")
    second = first.with_name(first.name.replace("1", "2", 1))
    assert not (first / "main" / "ids.txt").samefile(second / "main" / "ids.txt")


def test_a_damaged_index_is_not_continued(tmp_path: Path) -> None:
    first = built(tmp_path, library_of(1, {"a": TEXTS[0]}))
    (first / "main" / "words" / "docs.npy").write_bytes(b"nonsense")
    built(tmp_path, library_of(2, {"a": TEXTS[0], "b": TEXTS[1]}))
    assert load_index(tmp_path, 2).held() == {"a#0#0", "b#1#0"}
