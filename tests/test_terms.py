"""Protects what a search needs of a passage: stored with it, and what analysing it anew would give."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import chunk_article
from rag.store.terms import PassageTerms, passage_terms, sentence_terms
from rag.text.analysis import folded, key, keys
from tests.dossier import BRIDGE, article

TEXTS = st.lists(
    st.one_of(st.text(max_size=40), st.sampled_from(["Er gab 2021 nach.", "Зеленський reiste", ""])),
    max_size=4,
).map("\n\n".join)


@settings(deadline=None)
@given(TEXTS)
def test_unpacking_gives_what_was_packed(text: str) -> None:
    made = article("a", text, title="Risse")
    for chunk in chunk_article(made, 120):
        terms, _ = passage_terms(made, chunk)
        assert PassageTerms.unpack(terms.pack()) == terms


def test_sentences_and_heading_are_as_analysed_alone() -> None:
    (chunk,) = chunk_article(BRIDGE, 400)
    terms, found = passage_terms(BRIDGE, chunk)
    alone = [sentence_terms(BRIDGE.text[start:end], "de") for start, end in chunk.sentences]
    assert list(terms.sentences) == alone
    assert terms.heading.folded == folded("Risse im Stahl · Küstenkurier · Jette Lürsen · 4. März 2024")
    assert found == [*keys("Risse im Stahl · Küstenkurier · Jette Lürsen · 4. März 2024"), *keys(chunk.text)]


def test_a_separated_verb_is_among_the_keys() -> None:
    assert key("zurückgeben") in sentence_terms("Sie gab das Amt gestern zurück.").keys
