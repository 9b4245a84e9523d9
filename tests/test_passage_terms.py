"""Protects the analysis that is stored with the index: it is what analysing the passage anew would give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.question.query import understand
from rag.retrieval import passage_terms as module
from rag.retrieval.passage_terms import (
    PassageTerms,
    StoredTerms,
    analysed_passage,
    passage_terms,
    sentence_terms,
    write_terms,
)
from rag.retrieval.retriever import Index
from rag.schema import Span
from rag.text.analysis import folded, key, keys
from tests.dossier import BRIDGE, DOSSIER, Shelf, fill, settings_for

SENTENCES = st.lists(
    st.one_of(st.text(max_size=40), st.sampled_from(["Er gab 2021 nach.", "Зеленський reiste", ""])),
    max_size=4,
)


def joined(sentences: Sequence[str], gap: str = "\n") -> tuple[str, list[Span]]:
    """Sentences as one text, and where they stand in it."""
    text, spans = "", []
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + gap
    return text, spans


def stored(folder: Path, passages: Sequence[PassageTerms]) -> StoredTerms | None:
    write_terms(folder, (passage.pack() for passage in passages))
    return StoredTerms.load(folder, len(passages))


@settings(deadline=None)
@given(SENTENCES, st.text(max_size=20))
def test_unpacking_gives_what_was_packed(sentences: list[str], heading: str) -> None:
    terms = passage_terms(heading, *joined(sentences))
    assert PassageTerms.unpack(terms.pack()) == terms


@settings(deadline=None)
@given(SENTENCES, st.sampled_from([" ", "\n\n", " (Foto: Ines Brandt) "]))
def test_one_look_at_a_passage_gives_what_each_look_gives(sentences: list[str], gap: str) -> None:
    text, spans = joined(sentences, gap)
    terms, head, own, line = analysed_passage("Risse · Bote", text, (0, len(text)), spans)
    assert terms == passage_terms("Risse · Bote", text, spans)
    assert [*head, *own] == keys(f"Risse · Bote\n{text}")
    assert head == keys("Risse · Bote")
    assert line == folded(f"Risse · Bote\n{text}")


def test_a_separated_verb_is_among_the_keys() -> None:
    assert key("zurückgeben") in sentence_terms("Sie gab das Amt gestern zurück.").keys


def test_terms_are_read_by_row(tmp_path: Path) -> None:
    passages = [passage_terms(f"Titel {n}", *joined([f"Satz {n}."] * n)) for n in range(4)]
    held = stored(tmp_path, passages)
    assert held is not None
    assert [held[row] for row in (3, 0, 2, 1)] == [passages[row] for row in (3, 0, 2, 1)]


def test_no_passages_are_stored_and_read_too(tmp_path: Path) -> None:
    assert stored(tmp_path, []) is not None


def test_terms_of_other_passages_are_refused(tmp_path: Path) -> None:
    stored(tmp_path, [passage_terms("Titel", *joined(["Satz."]))])
    with pytest.raises(ValueError, match="do not fit"):
        StoredTerms.load(tmp_path, 2)
    (ends,) = tmp_path.glob("*.npy")
    np.save(ends, np.array([1]))
    with pytest.raises(ValueError, match="do not fit"):
        StoredTerms.load(tmp_path, 1)


def test_terms_made_with_other_data_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(tmp_path, [passage_terms("Titel", *joined(["Satz."]))])
    monkeypatch.setattr(module, "_version", lambda: "another")
    assert StoredTerms.load(tmp_path, 1) is None


def test_an_index_without_stored_terms_ranks_as_one_with_them(tmp_path: Path) -> None:
    from rag.retrieval.lexical import load_index
    from rag.store.library import Library

    given = settings_for(tmp_path)
    fill(given, *DOSSIER)
    query = understand("Was sagt Ines Brandstätter über die Risse in der Brücke?")

    def ranked() -> list[tuple[str, float, tuple[object, ...]]]:
        with Library.open(given.data_dir, read_only=True) as library:
            ranking = Index(load_index(given.data_dir, library.revision), library).rank(query, 20)
            return [(hit.passage.chunk.id, hit.passage.score, hit.sentences) for hit in ranking.hits]

    with_terms = ranked()
    removed = list(given.data_dir.glob("lexical/*/main/terms-*"))
    for path in removed:
        path.unlink()
    assert removed
    assert ranked() == with_terms
    assert with_terms[0][0].startswith(BRIDGE.id)
    assert Shelf(DOSSIER).index().rank(query, 20).hits[0].sentences == with_terms[0][2]
