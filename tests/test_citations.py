"""Protects the reading of citations: every form that models write, whole or in pieces, and no other."""

from __future__ import annotations

import random

import pytest

from rag.verification.reply import LONGEST_MARKER, Marker, Piece, parse


def read(*deltas: str) -> list[str]:
    """Text as it is, a marker as `<…>` with its pointers; neighbouring texts joined."""
    joined: list[str] = []
    marker_before = True
    for piece in parse(deltas):
        is_marker = isinstance(piece, Marker)
        shown = _shown(piece)
        if is_marker or marker_before:
            joined.append(shown)
        else:
            joined[-1] += shown
        marker_before = is_marker
    return joined


def _shown(piece: Piece) -> str:
    return piece if isinstance(piece, str) else f"<{' '.join(map(str, piece.pointers))}>"


@pytest.mark.parametrize(
    ("written", "pointers"),
    [
        ("[1]", "<[1]>"),
        ("[12]", "<[12]>"),
        ("[2.3]", "<[2.3]>"),
        ("[1, 2]", "<[1] [2]>"),
        ("[1;2]", "<[1] [2]>"),
        ("[1 und 2]", "<[1] [2]>"),
        ("[1 and 2]", "<[1] [2]>"),
        ("[1-3]", "<[1] [2] [3]>"),
        ("[1–3]", "<[1] [2] [3]>"),
        ("[1–5]", "<[1] [2] [3] [4] [5]>"),
        ("[1, 3-4]", "<[1] [3] [4]>"),
        ("[2.1-2.3]", "<[2.1] [2.2] [2.3]>"),
        ("[2.1-3]", "<[2.1] [2.2] [2.3]>"),
        ("[1, 1]", "<[1]>"),
        ("【1†source】", "<[1]>"),
        ("【3:0†source】", None),
        ("［1］", "<[1]>"),
        ("[^1]", "<[1]>"),
        ("[Quelle 1]", "<[1]>"),
        ("[Quelle 1, Quelle 2]", "<[1] [2]>"),
        ("[Source 1]", "<[1]>"),
        ("[source: 4]", "<[4]>"),
        ("[Dokument 1]", "<[1]>"),
        ("[citation:1]", "<[1]>"),
        ("[ID:1]", "<[1]>"),
        ("[siehe 1.2]", "<[1.2]>"),
        ("[vgl. Passage 3]", "<[3]>"),
        ("[Doc1]", "<[1]>"),
        ("[source_id=2]", "<[2]>"),
        ("[voir article 2]", "<[2]>"),
        ("[[1]]", "<[1]>"),
        ("\\[1\\]", "<[1]>"),
        ("\\\\[1.2\\\\]", "<[1.2]>"),
        ("[siehe Foto]", None),
        ("[rund 5]", None),
        ("C:\\Texte", None),
        ("[1](https://x.example/a)", "<[1]>"),
        ("[0]", "<[0]>"),
        ("[99]", "<[99]>"),
        ("[1-6]", "<>"),
        ("[3-1]", "<>"),
        ("[…]", None),
        ("[...]", None),
        ("[sic]", None),
        ("(1)", None),
        ("[1234]", None),
        ("[]", None),
        ("[Anm. d. Red.]", None),
        ("[1.2 Prozent]", None),
    ],
)
def test_forms_of_citations(written: str, pointers: str | None) -> None:
    expected = ["A ", pointers, " b."] if pointers else [f"A {written} b."]
    assert read(f"A {written} b.") == expected


def test_neighbouring_citations_stay_apart() -> None:
    assert read("A[1][2].") == ["A", "<[1]>", "<[2]>", "."]


def test_citation_that_never_closes_is_resolved_at_the_end() -> None:
    assert read("A [1") == ["A ", "<[1]>"]
    assert read("A [") == ["A ["]
    assert read("A [sic") == ["A [sic"]


def test_bracket_that_does_not_close_in_time_is_text() -> None:
    long = "[" + "1, " * LONGEST_MARKER + "1]"
    assert read(f"A {long} b") == [f"A {long} b"]


def test_text_before_a_citation_is_not_held_back() -> None:
    pieces = parse(iter(["Ein Satz ", "geht weiter [", "1", "]."]))
    assert [next(pieces), next(pieces), next(pieces)] == [
        "Ein Satz ",
        "geht weiter ",
        Marker("[1]", pieces_of("[1]")),
    ]


def pieces_of(written: str) -> tuple[object, ...]:
    [marker] = parse([written])
    assert isinstance(marker, Marker)
    return marker.pointers


PARTS = [
    "A b. ",
    "[1]",
    "[1, 2]",
    "[1–3]",
    "【1†x】",
    "[^2]",
    "[Quelle 1]",
    "[1](http://x/y)",
    "[…]",
    "[sic]",
]
PARTS += ["[[1]]", "\\[1\\]", "\\", "[siehe 1]", "(1)", "[0]", "[1", "[", "【", "[12.3]", "\n", " und "]


@pytest.mark.parametrize("seed", range(60))
def test_any_split_of_the_stream_reads_as_the_whole(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(PARTS) for _ in range(12))
    deltas, rest = [], text
    while rest:
        size = chance.randint(1, 6)
        deltas.append(rest[:size])
        rest = rest[size:]
    assert read(*deltas) == read(text)
