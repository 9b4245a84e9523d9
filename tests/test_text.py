"""Protects the offsets that every citation rests on: text is normalised once, then only cut into slices."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.schema import Span
from rag.text import _bare, count_tokens, german_date, normalise, paragraphs, sentences
from tests.conftest import ROOT

AFTER_CLOSING = (
    "a closing quotation mark is left to the next sentence where a comma or a semicolon follows it"
)
ABBREVIATION = "Punkt does not know the abbreviation, and _ABBREVIATIONS lacks it"
ORDINAL = "an ordinal before a noun ends the sentence, unless the noun is one that Punkt has met there"

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates included
PIECES = [
    *"„ “ » « ’ ( ) . , ! ? … : – 3. 15. Mai 2025 z. B. Dr. Mio. % und dann Genf 75".split(),
    *["\n", "\n\n", "\t", "\u00a0", " ", '"', "Er sagte", " Der Präsident kam nach Genf. ", "Wir gehen"],
]
NEWS_LIKE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def xfail(value: str, reason: str) -> object:
    return pytest.param(value, marks=pytest.mark.xfail(strict=True, reason=reason))


def cut(text: str, language: str | None = "de") -> list[str]:
    return [text[low:high] for low, high in sentences(text, language=language)]


def blocks(text: str) -> list[str]:
    return [text[low:high] for low, high in paragraphs(text)]


def visible(text: str) -> str:
    return "".join(text.split())


def assert_sound(text: str, spans: list[Span]) -> None:
    """Spans are in order, apart, trimmed, and leave out nothing but white space."""
    assert all(0 <= low < high <= len(text) for low, high in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    assert [text[low:high] for low, high in spans] == [text[low:high].strip() for low, high in spans]
    assert visible("".join(text[low:high] for low, high in spans)) == visible(text)


# --- normalise ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ma\u0308rz", "März"),
        ("Зеленськии\u0306", "Зеленський"),
        ("eins\r\nzwei\rdrei\n", "eins\nzwei\ndrei\n"),
        ("\ufeffGenf", "Genf"),
        ("Ge\ufeffnf", "Genf"),
        ("Ge\x00n\x1bf\x7f", "Genf"),
        ("Ge\ud800nf\udfff", "Genf"),
        ("a\x00\u0308", "ä"),
        ("eins\tzwei\nd\u00a0rei", "eins\tzwei\nd\u00a0rei"),
        ("„Ja“ – sagte er … ½ ﬁ 🙂", "„Ja“ – sagte er … ½ ﬁ 🙂"),
        ("", ""),
    ],
)
def test_normalise_keeps_what_is_readable_in_one_form(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@settings(deadline=None)
@given(ANY_TEXT)
def test_normalised_text_is_stable_and_can_be_written(raw: str) -> None:
    text = normalise(raw)
    assert normalise(text) == text
    assert text.encode("utf-8").decode("utf-8") == text


# --- paragraphs --------------------------------------------------------------------------------


def test_each_line_is_a_paragraph_of_its_own() -> None:
    assert blocks("Der erste endet.\nDer zweite endet.\n\n  Der dritte auch. \n") == [
        "Der erste endet.",
        "Der zweite endet.",
        "Der dritte auch.",
    ]


def test_hard_wrapped_text_breaks_at_blank_lines_only() -> None:
    first = (
        "Der Präsident reiste am Freitag nach Alaska, um dort\nmit den anderen zu sprechen,\nwie man hört."
    )
    second = "In Kiew wartete man derweil auf eine Nachricht von\nden beiden, und niemand rief\nan."
    assert blocks(f"{first}\n\n{second}\n") == [first, second]


def test_one_long_line_shows_that_a_text_is_not_wrapped() -> None:
    lines = ["Der Gipfel in Genf und die", "Folgen für", "Europa " + "und die Welt " * 10]
    assert blocks("\n".join(lines)) == [line.strip() for line in lines]


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n "])
def test_blank_text_has_no_paragraphs_and_no_sentences(text: str) -> None:
    assert paragraphs(text) == []
    assert sentences(text) == []


@settings(deadline=None)
@given(ANY_TEXT | NEWS_LIKE)
def test_paragraphs_are_slices_that_leave_out_white_space_only(raw: str) -> None:
    text = normalise(raw)
    assert_sound(text, paragraphs(text))


# --- sentences ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [
        "15. August 2025 in Anchorage",
        "3. Oktober",
        "24.02.2022 in Kiew",
        "24.2. den Krieg",
        "19.30 Uhr",
        "zum 80. Geburtstag",
        "das 20. Jahrhundert",
        "Ludwig XIV. von Frankreich",
        "Dr. Müller",
        "Prof. Dr. Meier",
        "J. D. Vance",
        "Wladimir W. Putin",
        "St. Petersburg",
        "z.B. Frankreich",
        "d. h. Moskau",
        "u. a. Frankreich",
        "v. a. Deutschland",
        "3,5 Mio. Euro",
        "5 Mrd. Euro",
        "ca. 300 Menschen",
        "Nr. 5",
        "Art. 5 der Nato",
        "Gen. Kellogg",
        "bzw. Kiew",
        "z. T. Moskau",
        "z. B. Frankreich",
        "i. d. R. Frankreich",
        "im Okt. 2022",
        "Hr. Müller",
        "mind. 3 Tage",
        "den 47. Präsidenten",
        "die 3. Runde",
        "den 2. Weltkrieg",
    ],
)
def test_dates_initials_and_abbreviations_end_no_sentence(named: str) -> None:
    whole = [f"Der Sprecher nannte gestern {named} ausdrücklich als Grund.", "Danach schwieg er lange Zeit."]
    assert cut(" ".join(whole)) == whole


@pytest.mark.parametrize(
    "whole",
    [
        ["Der Krieg dauert noch an!", "Wer hilft der Ukraine jetzt?", "Niemand weiß es genau."],
        ["Er sagte dort: „Wir gehen heute.“", "Dann ging er nach Hause."],
        ["Er sagte dort: »Wir gehen heute.«", "Dann ging er nach Hause."],
        ['Er sagte dort: "Wir gehen heute."', "Dann ging er nach Hause."],
        ["„Wir wollen endlich Frieden.", "Wir wollen ihn jetzt.“", "Das sagte der Präsident."],
        ["Erst kam „Der Spiegel“.", "Dann kam die Zeit hinzu."],
        ["Er sagte: „Das ist gut!“ und ging weg.", "Niemand hielt ihn auf."],
        ["„Kommt er wirklich hierher?“ fragte sie.", "Niemand gab eine Antwort."],
        ["Das Treffen dauerte lange (rund drei Stunden).", "Dann flog er heim."],
        ["Er flog gleich heim (es war schon spät.)", "Dann schlief er ein."],
        ["»Er rief: „Wir gehen nach Hause! “ «", "Dann ging er weg."],
    ],
)
def test_closing_marks_stay_with_their_sentence(whole: list[str]) -> None:
    assert cut(" ".join(whole)) == whole


def test_marks_of_footnotes_stay_with_the_sentence_they_follow() -> None:
    assert cut("Der Damm wird erhöht.[2] Der Kreis zahlt die Hälfte.[4][11] Gebaut wird ab März.[1]") == [
        "Der Damm wird erhöht.[2]",
        "Der Kreis zahlt die Hälfte.[4][11]",
        "Gebaut wird ab März.[1]",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "„Kommt er wirklich hierher?“, fragte der Reporter.",
        "»Kommt er wirklich hierher?«, fragte der Reporter.",
        "Er sagte: „Wir gehen jetzt.“; sie aber blieb.",
    ],
)
@pytest.mark.xfail(strict=True, reason=AFTER_CLOSING)
def test_a_quotation_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "75 % . Das ist eine klare Mehrheit der Befragten.",
        "Genf, 16. Juni 2021. Die Präsidenten trafen sich am Morgen.",
        "Ja! Er hat dem Plan tatsächlich zugestimmt.",
        "1. 2. 3. Das sind die Punkte der Liste.",
    ],
)
def test_fragments_join_the_sentence_that_follows(text: str) -> None:
    assert cut(text) == [text]


def test_a_fragment_at_the_end_stays_a_sentence() -> None:
    assert cut("Hat er dem Plan zugestimmt? Nein.") == ["Hat er dem Plan zugestimmt?", "Nein."]


@pytest.mark.parametrize(
    ("language", "whole"),
    [
        ("en", ["On Aug. 15 Mr. Trump met Mr. Putin in the U.S. state of Alaska.", "They talked for hours."]),
        ("fr", ["Le 15 août 2025, M. Trump a reçu M. Poutine.", "Ils ont parlé longtemps."]),
        ("pt", ["O Sr. Trump recebeu o Dr. Putin no Alasca.", "Eles falaram durante horas."]),
        ("uk", ["Президент прибув до Женеви вчора.", "Він розмовляв три години."]),
        ("xx", ["Am 15. August 2025 trafen sich beide.", "Danach reisten sie wieder ab."]),
        (None, ["Am 15. August 2025 trafen sich beide.", "Danach reisten sie wieder ab."]),
    ],
)
def test_each_language_has_its_boundaries_and_german_stands_in(
    language: str | None, whole: list[str]
) -> None:
    assert cut(" ".join(whole), language) == whole


def test_a_line_break_in_hard_wrapped_text_ends_no_sentence() -> None:
    assert cut("Der Präsident reiste am\nFreitag ab. Danach flog\ner nach Hause.") == [
        "Der Präsident reiste am\nFreitag ab.",
        "Danach flog\ner nach Hause.",
    ]


def test_spans_count_from_the_start_of_the_whole_text() -> None:
    text = "Titel\n\nDer Gipfel war gestern. Heute ist Ruhe in Genf.\n\nEnde"
    spans = sentences(text, *paragraphs(text)[1])
    assert [text[low:high] for low, high in spans] == ["Der Gipfel war gestern.", "Heute ist Ruhe in Genf."]


@settings(deadline=None)  # the first call loads a model
@given(ANY_TEXT | NEWS_LIKE)
def test_sentences_are_slices_that_leave_out_white_space_only(raw: str) -> None:
    text = normalise(raw).strip()
    assert_sound(text, sentences(text))


@settings(deadline=None)
@given(NEWS_LIKE, NEWS_LIKE, NEWS_LIKE)
def test_what_stands_around_a_paragraph_does_not_move_its_sentences(
    before: str, paragraph: str, after: str
) -> None:
    paragraph = paragraph.strip()
    start = len(before)
    alone = [(start + low, start + high) for low, high in sentences(paragraph)]
    assert sentences(before + paragraph + after, start, start + len(paragraph)) == alone


@pytest.mark.xfail(strict=True, reason="white space before the first sentence becomes part of it")
def test_the_first_sentence_is_trimmed_too() -> None:
    assert cut("  Der Gipfel war gestern.") == ["Der Gipfel war gestern."]


@pytest.mark.parametrize(
    "text",
    [
        "Der Gipfel in Genf dauerte drei Stunden. " * 200,
        "Wort " * 2_000 + "Ende.",
        "x" * 7_000,
        "1. " * 3_000,
    ],
    ids=["sentences", "one sentence", "one word", "numbers"],
)
def test_texts_beyond_one_window_are_cut_without_loss(text: str) -> None:
    assert_sound(text.strip(), sentences(text.strip()))


def test_a_sentence_across_two_windows_stays_whole() -> None:
    sentence = "Der Gipfel in Genf dauerte nach Angaben des Kremls rund drei Stunden."
    assert cut(" ".join([sentence] * 200)) == [sentence] * 200


# --- Punkt without the rest of nltk


@pytest.fixture
def quill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose own code imports much, and a part of it that needs nothing of that."""
    name = "quill_of_the_tests"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("ink = 'much'\n", "utf-8")
    (folder / "nib.py").write_text("width = 2\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for held in [held for held in sys.modules if held.startswith(name)]:
        del sys.modules[held]


def test_a_part_of_a_package_is_imported_without_the_rest(quill: str) -> None:
    with _bare(quill):
        nib = importlib.import_module(f"{quill}.nib")
        assert not hasattr(sys.modules[quill], "ink")
    assert nib.width == 2
    assert importlib.import_module(quill).ink == "much"


def test_a_thread_that_imports_the_package_meanwhile_has_the_whole_of_it(quill: str) -> None:
    imported, inks = threading.Event(), []

    def other() -> None:
        package: ModuleType = importlib.import_module(quill)
        imported.set()
        inks.append(package.ink)

    thread = threading.Thread(target=other)
    with _bare(quill):
        assert not hasattr(sys.modules[quill], "ink")
        thread.start()
        assert imported.wait(10)
        importlib.import_module(f"{quill}.nib")
    thread.join(10)
    assert inks == ["much"]


def test_threads_may_begin_with_several_languages_at_once() -> None:
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from rag.text import sentences\n"
        "cut = lambda language: sentences('Er kam. Sie ging.', language=language)\n"
        "with ThreadPoolExecutor(4) as threads: list(threads.map(cut, ['de', 'en', 'fr', 'pt']))\n"
        "assert 'scipy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# --- dates and tokens --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2025, 8, 15), "15. August 2025"),
        (date(2024, 3, 1), "1. März 2024"),
        (date(2023, 12, 31), "31. Dezember 2023"),
        (None, ""),
    ],
)
def test_days_are_written_as_in_german_newspapers(day: date | None, written: str) -> None:
    assert german_date(day) == written


@pytest.mark.parametrize(
    ("text", "model", "tokens"),
    [
        ("Hallo Welt", "gpt-4o", 2),
        ("Bundeskanzleramt", "gpt-4o", 6),
        ("Bundeskanzleramt", "gpt-4", 7),
        ("", "gpt-4o", 0),
    ],
)
def test_tokens_are_counted_offline_by_the_vocabulary_of_the_model(
    text: str, model: str, tokens: int
) -> None:
    assert count_tokens(text, model) == tokens


def test_an_unknown_model_counts_like_the_newest() -> None:
    assert count_tokens("Bundeskanzleramt", "a-model-of-tomorrow") == count_tokens(
        "Bundeskanzleramt", "gpt-4o"
    )


def test_control_tokens_in_an_article_count_as_plain_text() -> None:
    assert count_tokens("<|endoftext|>") > 1
