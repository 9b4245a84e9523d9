"""Protects how a model's text becomes sentences: each with its own citations, as soon as it is complete."""

from __future__ import annotations

from rag.verification.reply import Draft, Sentence, parse, plain


def sentences(text: str, size: int = 4) -> list[tuple[str, list[tuple[str, int]]]]:
    """Each sentence with its citations and their offsets, the text streamed in small pieces."""
    deltas = [text[i : i + size] for i in range(0, len(text), size)]
    draft = Draft()
    found: list[Sentence] = []
    for piece in parse(plain(deltas)):
        found += draft.add(piece)
    found += draft.finish()
    return [(s.text, [(marker.written, at) for at, marker in s.markers]) for s in found]


def test_each_sentence_has_its_own_citations() -> None:
    assert sentences("Er kam am Abend an [1]. Sie ging vor ihm [2][3].") == [
        ("Er kam am Abend an.", [("[1]", 18)]),
        ("Sie ging vor ihm.", [("[2]", 16), ("[3]", 16)]),
    ]


def test_citation_behind_the_full_stop_belongs_to_the_sentence_before() -> None:
    assert sentences("Er kam am Abend an. [1] Sie ging vor ihm. [2]") == [
        ("Er kam am Abend an.", [("[1]", 19)]),
        ("Sie ging vor ihm.", [("[2]", 17)]),
    ]


def test_citation_at_the_beginning_of_a_line_belongs_to_that_line() -> None:
    assert sentences("Er kam.\n[1] Sie ging.") == [("Er kam.", []), ("Sie ging.", [("[1]", 0)])]


def test_dates_and_abbreviations_end_no_sentence() -> None:
    text = "Am 15. August kam er z. B. nach Anchorage [1]. Dann ging er."
    assert [sentence for sentence, _ in sentences(text)] == [
        "Am 15. August kam er z. B. nach Anchorage.",
        "Dann ging er.",
    ]


def test_lines_are_sentences() -> None:
    assert [s for s, _ in sentences("Es gab\n- keine Einigung [1]\n- kein Abkommen [2]")] == [
        "Es gab",
        "- keine Einigung",
        "- kein Abkommen",
    ]


def test_list_of_sources_at_the_end_is_left_out() -> None:
    assert sentences("Er kam [1].\n\nQuellen:\n[1] Stadtbote, 12. März") == [("Er kam.", [("[1]", 6)])]


def test_emphasis_and_leading_space_are_left_out() -> None:
    assert sentences("\n\n **Er** kam **schnell** [1].") == [("Er kam schnell.", [("[1]", 14)])]


def test_however_it_is_streamed_the_sentences_are_the_same() -> None:
    text = "Am 3. Mai kam er [1]. Sie ging. [2] „Nein!“, rief er [3].\nUnd **so** weiter [1, 2]."
    whole = sentences(text, len(text))
    assert all(sentences(text, size) == whole for size in range(1, 9))


def test_text_is_shown_as_it_comes_up_to_the_first_citation() -> None:
    draft = Draft()
    [piece] = parse(["Er kam "])
    assert list(draft.add(piece)) == []
    assert draft.showable == "Er kam"
    for piece in parse(["[1] an"]):
        assert list(draft.add(piece)) == []
    assert draft.showable == "Er kam"
