"""Protects how places are told from other words: by how they are used, whatever the dossier is about."""

from __future__ import annotations

import pytest

from rag.question.known import places

GERMAN = (
    "Das Treffen in Riad war kurz. Wer in Riad war, fuhr in der Nacht nach Paris. "
    "In Paris, so hieß es in Paris, und in Wahrheit auch in Wahrheit, "
    "war die Wahrheit eine andere Wahrheit; Riads Wahrheit. "
    "Im August, in August, in August."
)
ENGLISH = "They met in Oslo. In the Hall, in Oslo, the Hall was full. Nobody stayed in Lisbon."


@pytest.mark.parametrize(
    ("text", "found"),
    [(GERMAN, ["Riad", "Paris"]), (ENGLISH, ["Oslo"]), ("Wenig Text in Wien.", []), ("", [])],
)
def test_places_stand_after_in_and_without_an_article(text: str, found: list[str]) -> None:
    assert sorted(places([text])) == sorted(found)
