"""Protects the invariant that everything rests on: a chunk is the article's own text, cut by offset."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import chunk_article
from ingest.readers import read_file
from ingest.readers.document import Document
from ingest.structure.article import answerable, article_from
from rag.schema import CHUNKER_VERSION, Article, Aside, Chunk
from rag.text.normalize import normalise
from rag.text.sentences import sentences

ORIGINALS = Path(__file__).parents[2] / "shared" / "articles"
SENTENCE = "Der Präsident sprach am Freitag in Anchorage über den Frieden."  # ten words


def article(text: str, *asides: Aside) -> Article:
    return Article(id="a", text=text, source="a.txt", sha256="0123456789abcdef", language="de", asides=asides)


def sizes(chunks: list[Chunk]) -> list[int]:
    return [len(chunk.text.split()) for chunk in chunks]


def assert_sound(found: Article, chunks: list[Chunk]) -> None:
    """What must hold for the chunks of any article."""
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.id == f"{found.id}#{found.sha256[:12]}#{chunk.ordinal}"
        assert found.text[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != ""
        assert (chunk.start, chunk.end) == (chunk.sentences[0][0], chunk.sentences[-1][1])
        assert all(low < high for low, high in chunk.sentences)
    spans = [span for chunk in chunks for span in chunk.sentences]
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    for aside in found.asides:
        assert all(chunk.end <= aside.start or aside.end <= chunk.start for chunk in chunks)


def covered(found: Article, chunks: list[Chunk]) -> str:
    return "".join("".join(found.text[low:high].split()) for chunk in chunks for low, high in chunk.sentences)


def uncovered_blocks(found: Article) -> str:
    return "".join(
        "".join(found.text[low:high].split()) for low, high in answerable(found.text, found.asides)
    )


# --- any text ----------------------------------------------------------------------------------


@settings(deadline=None)  # the first call loads models
@given(st.text(max_size=400), st.integers(1, 20))
def test_chunks_of_any_text_are_cut_by_offset_and_lose_nothing(text: str, words: int) -> None:
    found = article_from(Document(normalise(text)), "a", "a.txt")
    chunks = chunk_article(found, words)
    assert_sound(found, chunks)
    assert covered(found, chunks) == uncovered_blocks(found)


NEWS = st.lists(
    st.sampled_from(
        ["Er kam.", "„Ja“, sagte er.", "\n", "\n\n", "Am 15. August 2025 war Ruhe.", "z. B. so", "—", "wort"]
    ),
    max_size=60,
).map(" ".join)


@settings(deadline=None)  # the first call loads models
@given(NEWS, st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=4), st.integers(1, 30))
def test_no_chunk_covers_an_aside_wherever_it_lies(
    text: str, places: list[tuple[int, int]], words: int
) -> None:
    asides = [Aside(low, min(low + size, len(text)), "caption") for low, size in places if low < len(text)]
    found = article(text, *asides)
    chunks = chunk_article(found, words)
    assert_sound(found, chunks)
    assert covered(found, chunks) == uncovered_blocks(found)


# --- where chunks end --------------------------------------------------------------------------


def test_a_chunk_is_filled_with_whole_sentences_up_to_its_length() -> None:
    chunks = chunk_article(article(" ".join([SENTENCE] * 9)), 35)
    assert sizes(chunks) == [30, 30, 30]
    assert all(chunk.text.endswith("Frieden.") for chunk in chunks)


def test_a_full_enough_chunk_ends_with_its_paragraph() -> None:
    text = "\n\n".join(
        [" ".join([SENTENCE] * 3), " ".join([SENTENCE] * 2), SENTENCE, " ".join([SENTENCE] * 3)]
    )
    assert sizes(chunk_article(article(text), 40)) == [30, 30, 30]


def test_an_aside_ends_a_chunk_and_the_next_begins_behind_it() -> None:
    text = f"{SENTENCE}\n\nZwischentitel\n\n{SENTENCE}"
    start = text.index("Zwischentitel")
    chunks = chunk_article(article(text, Aside(start, start + 13, "heading")))
    assert [chunk.text for chunk in chunks] == [SENTENCE, SENTENCE]


def test_a_sentence_behind_a_glued_heading_starts_where_the_heading_ends() -> None:
    text = f"Putins Forderungen{SENTENCE}"
    (chunk,) = chunk_article(article(text, Aside(0, 18, "heading")))
    assert chunk.text == SENTENCE


def test_a_small_rest_joins_the_chunk_before() -> None:
    text = " ".join([SENTENCE] * 4 + ["Das war alles von ihm."])
    assert sizes(chunk_article(article(text), 40)) == [45]


def test_a_small_rest_behind_an_aside_stays_alone() -> None:
    text = f"{' '.join([SENTENCE] * 4)}\n\nTitel\n\nDas war alles von ihm."
    start = text.index("Titel")
    assert sizes(chunk_article(article(text, Aside(start, start + 5, "caption")), 40)) == [40, 5]


def test_an_over_long_sentence_is_cut_between_words_into_equal_parts() -> None:
    found = article(" ".join(f"wort{n}" for n in range(250)))
    chunks = chunk_article(found, 100)
    assert sizes(chunks) == [84, 84, 82]
    assert covered(found, chunks) == found.text.replace(" ", "")


def test_text_without_any_space_is_cut_too() -> None:
    found = article("a" * 50_000)
    chunks = chunk_article(found)
    assert_sound(found, chunks)
    assert max(len(chunk.text) for chunk in chunks) <= 25_000
    assert "".join(chunk.text for chunk in chunks) == found.text


@pytest.mark.parametrize("text", ["", "   \n ", "— * — * —"])
def test_text_without_words_has_no_chunks(text: str) -> None:
    assert chunk_article(article(text)) == []


def test_an_article_that_is_all_aside_has_no_chunks() -> None:
    assert chunk_article(article(SENTENCE, Aside(0, len(SENTENCE), "caption"))) == []


def test_ids_change_with_the_article_s_hash() -> None:
    (chunk,) = chunk_article(article(SENTENCE))
    assert chunk.id == "a#0123456789ab#0"
    assert CHUNKER_VERSION


@pytest.mark.parametrize("end", [":", "?", "?“"])
def test_what_announces_something_stays_with_it(end: str) -> None:
    before, after = " ".join(["Wort"] * 9) + ".", " ".join(["Mai"] * 30) + "."
    text = "\n\n".join([*[before] * 4, f"Wann öffnet die neue Schleuse{end}", after, *[before] * 7])
    chunks = chunk_article(article(text), 68)
    assert len(chunks) > 1
    assert not any(chunk.text.endswith(end) for chunk in chunks)


# --- long texts --------------------------------------------------------------------------------


def test_a_text_full_of_colons_does_not_become_one_chunk() -> None:
    chunks = chunk_article(
        article("\n\n".join(["Er sagte am Freitag in Anchorage dazu Folgendes:"] * 500)), 40
    )
    assert max(sizes(chunks)) <= 60


def test_a_very_long_paragraph_gives_the_sentences_of_its_parts() -> None:
    text = " ".join([SENTENCE] * 3_000)
    chunks = chunk_article(article(text))
    assert sum(len(chunk.sentences) for chunk in chunks) == 3_000


# --- the originals -----------------------------------------------------------------------------


def originals() -> list[Article]:
    if not ORIGINALS.is_dir():
        pytest.skip(f"the five original articles are not in {ORIGINALS}")
    return [
        article_from(document, path.stem, path.name)
        for path in sorted(ORIGINALS.glob("*.txt"))
        for document in read_file(path, limit_bytes=1_000_000).documents
    ]


def test_chunks_of_the_originals_hold_every_sentence_once_and_no_aside() -> None:
    for found in originals():
        chunks = chunk_article(found)
        assert_sound(found, chunks)
        expected = [
            span
            for low, high in answerable(found.text, found.asides)
            for span in sentences(found.text, low, high, found.language)
        ]
        assert [span for chunk in chunks for span in chunk.sentences] == expected
        assert max(sizes(chunks)) <= 180
        text = "\n".join(chunk.text for chunk in chunks)
        for gone in (
            "▲",
            "AFP/",
            "/EPA",
            "observador",
            "Kommentar verfassen",
            "date 2025",
            "taz |",
            "Vitaly Portnikov.",
        ):
            assert gone not in text
