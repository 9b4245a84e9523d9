"""Who does what to whom: the right side of two sentences that have the same words."""

import json
from pathlib import Path

import pytest

from rag.answering.roles import agreement

SET = Path(__file__).parent.parent / "eval" / "sets" / "roles.jsonl"
GOAL = 0.85


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (
            "Was fordert die Stadt?",
            "Die Stadt fordert vom Land Geld.",
            "Das Land fordert von der Stadt Geld.",
        ),
        ("Wen lobte Harms?", "Harms lobte Lürsen.", "Lürsen lobte Harms."),
        ("Von wem wurde Harms gelobt?", "Harms wurde von Lürsen gelobt.", "Lürsen wurde von Harms gelobt."),
        ("Was sagt Harms?", "Die Fähre bleibe, so Harms.", "Die Fähre wurde Harms versprochen, so Lürsen."),
        ("Who warned Harms?", "Lürsen warned Harms.", "Harms warned Lürsen."),
        ("Whom did Harms warn?", "Harms warned Lürsen.", "Lürsen warned Harms."),
    ],
)
def test_the_same_words_agree_only_in_the_same_parts(question: str, right: str, wrong: str) -> None:
    assert agreement(question, right) > agreement(question, wrong)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Was fordert die Stadt?", "Der Wolf lief in eine Kamerafalle."),
        ("Wann war das?", "Im Mai tagte der Rat."),
        ("", ""),
    ],
)
def test_where_nobody_is_in_both_nothing_is_known(question: str, sentence: str) -> None:
    assert agreement(question, sentence) == 0.0


def test_the_right_side_comes_first_in_most_pairs_of_the_set() -> None:
    pairs = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]
    won = [
        agreement(pair["question"], pair["right"]) > agreement(pair["question"], pair["wrong"])
        for pair in pairs
    ]
    assert sum(won) / len(won) >= GOAL
