"""Protects reading of PDF files: the order of what is printed, and its words."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from ingest.readers import read_file
from ingest.readers.pdf import reflow
from tests.printed import pdf
from tests.test_readers import LIMIT, complaint, read_one, write


def test_pdf_lines_become_paragraphs(tmp_path: Path) -> None:
    lines = [
        "Gipfel ohne Ergebnis",
        "Die Präsidenten haben in Anchorage drei Stunden lang mitein-",
        "ander gesprochen. Über die Kriegs- und Abrüstungsthemen des Ost-",
        "West-Konflikts wurde nichts bekannt.",
        "Die Ukraine reagierte zurückhaltend auf das Treffen in Alaska.",
        "3",
    ]
    document = read_one(
        tmp_path, "a.pdf", pdf(lines, info="/Title(Gipfel ohne Ergebnis)/Author(Anna Muster)")
    )
    assert document.text.split("\n\n") == [
        "Gipfel ohne Ergebnis",
        "Die Präsidenten haben in Anchorage drei Stunden lang miteinander gesprochen. Über die Kriegs- und"
        " Abrüstungsthemen des Ost-West-Konflikts wurde nichts bekannt.",
        "Die Ukraine reagierte zurückhaltend auf das Treffen in Alaska.",
    ]
    assert (document.title, document.author) == ("Gipfel ohne Ergebnis", "Anna Muster")


def test_what_a_program_writes_into_pdf_metadata_is_not_believed(tmp_path: Path) -> None:
    info = "/Title(Microsoft Word - Entwurf 3.docx)/Author(admin)/CreationDate(D:20250815)"
    document = read_one(tmp_path, "a.pdf", pdf(["Ein Satz."], info=info))
    assert (document.title, document.author, document.published) == (None, None, None)


def test_running_headers_go_and_a_sentence_over_a_page_break_stays_whole() -> None:
    pages = [
        [f"Beispielblatt, Seite {n}", f"{word} hat einen Satz, der auf der nächsten Seite endet bei", str(n)]
        for n, word in enumerate(("Berlin", "Kiew", "Moskau", "Paris"), 1)
    ]
    text = " ".join(reflow(pages)[0])
    assert "Beispielblatt" not in text
    assert "Seite endet bei Kiew hat einen Satz" in text


def figures(page: int) -> list[str]:
    return [f"{1990 + page} zogen {place * 37 + page} Familien in die Siedlung." for place in range(6)]


@pytest.mark.parametrize("pages", [2, 5, 40])
def test_lines_of_figures_stay_at_the_edges_of_pages(tmp_path: Path, pages: int) -> None:
    text = read_one(tmp_path, "a.pdf", pdf(*[figures(page) for page in range(pages)])).text
    for page in range(pages):
        assert all(line in " ".join(text.split()) for line in figures(page))


def test_a_column_of_figures_keeps_its_ends() -> None:
    pages = [
        ["Einwohner", *(str(700 + 13 * page + row) for row in range(4)), f"Seite {page + 1}"]
        for page in range(3)
    ]
    text = " ".join(reflow(pages)[0])
    assert re.findall(r"\d+", text) == [str(700 + 13 * page + row) for page in range(3) for row in range(4)]


def test_years_that_head_pages_and_a_short_table_stay() -> None:
    assert reflow([["2003", "Der Bau begann."], ["2004", "Die Halle wurde eröffnet."]])[0] == [
        "2003",
        "Der Bau begann.",
        "2004",
        "Die Halle wurde eröffnet.",
    ]
    assert " ".join(reflow([["Besucher", "1522", "1633"]])[0]) == "Besucher 1522 1633"


def test_heads_of_two_lines_go_and_of_left_and_right_pages_too() -> None:
    left, right = ["Seeblatt", "Chronik der Werft"], ["Seeblatt", "Heft 12 / 2025"]
    pages = [
        [
            *(left if page % 2 else right),
            f"Im Jahr {1900 + page} lief Schiff {page} vom Stapel.",
            f"– {page} –",
        ]
        for page in range(6, 14)
    ]
    text = " ".join(reflow(pages)[0])
    assert not any(word in text for word in ("Seeblatt", "Chronik", "Heft", "–"))
    assert all(f"Schiff {page} vom" in text for page in range(6, 14))


def test_no_more_than_two_lines_are_taken_from_the_end_of_a_page() -> None:
    same = ["Werftblatt", "Sommer", "Dritte Zeile"]
    text = " ".join(reflow([[*same, f"Satz {word} endet hier."] for word in ("eins", "zwei", "drei")])[0])
    assert text.count("Dritte Zeile") == 3
    assert "Werftblatt" not in text


LEFT = [
    "Die Mühle am Bach steht seit",
    "drei Jahren leer. Jetzt kauft sie",
    "ein Verein aus der Nachbarschaft.",
]
RIGHT = ["Der Verein will dort ab Mai", "wieder Korn mahlen und Brot", "backen, sagt Vorsitzende Rosa Kern."]


def columns(left: list[str], right: list[str], up: int = 700) -> list[tuple[int, int, str]]:
    """Row by row, as some programs write them."""
    rows = enumerate(zip(left, right, strict=True))
    return [each for n, (a, b) in rows for each in ((60, up - 14 * n, a), (300, up - 14 * n, b))]


def test_columns_of_a_pdf_are_read_one_after_the_other(tmp_path: Path) -> None:
    headline = (60, 740, "Ein Verein kauft die alte Mühle und will wieder Brot backen")
    page = [headline, *columns(LEFT, RIGHT)]
    text = read_one(tmp_path, "a.pdf", pdf(page)).text
    assert text.split("\n\n") == [headline[2], " ".join(LEFT), " ".join(RIGHT)]


def test_a_table_of_a_pdf_is_read_row_by_row(tmp_path: Path) -> None:
    page = columns(["Jahr", "2001", "2002", "2003"], ["Besucher", "12000", "14000", "9000"])
    text = " ".join(read_one(tmp_path, "a.pdf", pdf(page)).text.split())
    assert text == "Jahr Besucher 2001 12000 2002 14000 2003 9000"


@pytest.mark.parametrize("hyphen", ["-", "\u2010", "\u00ad", "¬"])
def test_hyphens_of_all_kinds_at_line_ends_join_their_word(hyphen: str) -> None:
    (text,), _ = reflow([[f"Die Feuer{hyphen}", f"wehr löschte den Brand in der Lager{hyphen}", "halle."]])
    assert text == "Die Feuerwehr löschte den Brand in der Lagerhalle."


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Der Eltern-", "und Lehrerrat tagt."], "Der Eltern- und Lehrerrat tagt."),
        (["Sie gilt EU-", "weit seit Mai."], "Sie gilt EU-weit seit Mai."),
        (["Der Nord-Süd-", "Link wird gebaut."], "Der Nord-Süd-Link wird gebaut."),
        (
            ["Die sozial-liberale Koalition endet, sozial-", "liberale Ideen bleiben."],
            "Die sozial-liberale Koalition endet, sozial-liberale Ideen bleiben.",
        ),
    ],
)
def test_hyphens_that_belong_to_a_word_stay(lines: list[str], text: str) -> None:
    assert reflow([lines])[0] == [text]


def test_where_the_pages_of_a_pdf_begin_is_known(tmp_path: Path) -> None:
    pages = [["Der Rat hat den Haushalt nach langer Aussprache mit den"], ["Stimmen aller beschlossen."], []]
    path = write(tmp_path, "a.pdf", pdf(*pages, ["Die Sitzung endete spät."]))
    reading = read_file(path, limit_bytes=LIMIT)
    (document,) = reading.documents
    assert [document.text[start:].split()[0] for start in document.pages] == ["Der", "Stimmen", "Die", "Die"]
    assert "1 of 4 pages have no text" in reading.problems[0]


def test_a_pdf_of_one_endless_paragraph_is_joined_piece_by_piece() -> None:
    lines = [f"Zeile {n} geht ohne Punkt und Komma immer weiter und weiter und" for n in range(40_000)]
    (text,), (start,) = reflow([lines])
    assert (len(text), start) == (sum(map(len, lines)) + len(lines) - 1, 0)


def test_locked_pdf_says_so(tmp_path: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(["Geheim."])))
    writer.encrypt("secret", algorithm="RC4-128")
    with (tmp_path / "a.pdf").open("wb") as file:
        writer.write(file)
    assert "password" in complaint(tmp_path / "a.pdf")


# --- by place ----------------------------------------------------------------------------------


def wide(words: str, left: float, up: float) -> list[tuple[float, float, str]]:
    """A justified line, whose words stand far apart."""
    placed = []
    for word in words.split():
        placed.append((left, up, word))
        left += 5.5 * len(word) + 14
    return placed


def test_columns_that_are_not_level_and_have_wide_gaps_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [each for n, line in enumerate(LEFT) for each in wide(line, 60, 700 - 14 * n)]
    right = [each for n, line in enumerate(RIGHT) for each in wide(line, 320, 707 - 14 * n)]
    text = read_one(tmp_path, "a.pdf", pdf([*left, *right])).text
    assert " ".join(text.split()) == " ".join([*LEFT, *RIGHT])


def test_three_narrow_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    lines = [
        ["Der Rat hat", "gestern den", "Haushalt für", "das nächste", "Jahr mit den"],
        ["Stimmen aller", "beschlossen,", "obwohl die", "Rücklagen zu", "Ende gehen und"],
        ["das Land nichts", "mehr gibt. Im Mai", "wird sogar neu", "gewählt, meinte", "gestern Frau Kern."],
    ]
    page = [
        (60.0 + 150 * column, 700.0 - 14 * row, line)
        for row in range(5)
        for column, line in enumerate(held[row] for held in lines)
    ]
    text = read_one(tmp_path, "a.pdf", pdf(page)).text
    assert text == " ".join(line for column in lines for line in column)


def test_the_foot_below_two_columns_stays_out_of_their_sentences(tmp_path: Path) -> None:
    page = [(60, 760, "Seeblatt"), *columns(LEFT, [*RIGHT[:2], "backen und es"]), (60, 600, "Heft im Mai")]
    text = read_one(tmp_path, "a.pdf", pdf(page)).text
    assert text.split("\n\n") == [
        "Seeblatt",
        " ".join(LEFT),
        " ".join([*RIGHT[:2], "backen und es"]),
        "Heft im Mai",
    ]


def test_a_bold_heading_is_no_part_of_the_sentence_below_it(tmp_path: Path) -> None:
    drawn = (
        "BT /F2 11 Tf 60 700 Td (Mehr Arbeit als erwartet) Tj /F1 11 Tf 0 -14 Td (im Hafen der Stadt lagen am"
        " Montag) Tj 0 -14 Td (neun Schiffe.) Tj ET"
    )
    text = read_one(tmp_path, "a.pdf", pdf(drawn)).text
    assert text.split("\n\n") == [
        "Mehr Arbeit als erwartet",
        "im Hafen der Stadt lagen am Montag neun Schiffe.",
    ]


def test_a_line_is_full_where_the_next_word_had_no_place(tmp_path: Path) -> None:
    lines = [
        "Gemessen wurden vor der Stadt",
        "Stickstoff und",
        "Arzneimittelrückstände, viel mehr",
        "als im Mai.",
    ]
    text = read_one(tmp_path, "a.pdf", pdf(lines)).text
    assert text == " ".join(lines)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_page_that_is_turned_for_the_eye_reads_the_same(tmp_path: Path, rotate: int) -> None:
    page = [
        (60, 740, "Ein Verein kauft die alte Mühle im Tal"),
        *columns(["Er will dort wieder Ge-", *LEFT[1:]], RIGHT),
    ]
    text = read_one(tmp_path, "a.pdf", pdf(page, rotate=rotate)).text
    assert text == read_one(tmp_path, "b.pdf", pdf(page)).text
    assert " ".join(RIGHT) in text


@pytest.mark.parametrize("matrix", ["0 -1 1 0", "0 1 -1 0", "-1 0 0 -1"])
def test_letters_that_lie_on_their_side_are_read(tmp_path: Path, matrix: str) -> None:
    drawn = (
        f"BT /F1 11 Tf {matrix} 300 400 Tm (Der Pegel stieg am Montag auf) Tj 0 -14 Td (neun Meter.) Tj ET"
    )
    assert read_one(tmp_path, "a.pdf", pdf(drawn)).text == "Der Pegel stieg am Montag auf neun Meter."


def test_what_runs_along_an_edge_stays_out_of_the_lines(tmp_path: Path) -> None:
    lines = " ".join(f"1 0 0 1 60 {700 - 14 * n} Tm ({line}) Tj" for n, line in enumerate(LEFT))
    drawn = f"BT /F1 11 Tf {lines} 0 -1 1 0 40 702 Tm (Foto: Rosa Kern) Tj ET"
    assert read_one(tmp_path, "a.pdf", pdf(drawn)).text.split("\n\n") == [" ".join(LEFT), "Foto: Rosa Kern"]


def test_raised_numbers_are_marks_of_notes_and_powers_are_not(tmp_path: Path) -> None:
    drawn = (
        "BT /F1 11 Tf 60 700 Td (Der Speicher fasst 90 m) Tj 5 Ts /F1 6 Tf (3) Tj 0 Ts /F1 11 Tf"
        " (, sagt Kern.) Tj 5 Ts /F1 6 Tf (12) Tj ET"
    )
    assert read_one(tmp_path, "a.pdf", pdf(drawn)).text == "Der Speicher fasst 90 m3, sagt Kern.[12]"


def test_rows_of_a_table_stay_rows(tmp_path: Path) -> None:
    rows = [
        ["Lager am Hafen", "voll", "4.100"],
        ["Lager im Wald", "leer", "4.600"],
        ["Lager am See", "voll", "5.300"],
    ]
    page = [
        (60.0 + 150 * place, 700.0 - 14 * n, cell)
        for n, row in enumerate(rows)
        for place, cell in enumerate(row)
    ]
    text = read_one(tmp_path, "a.pdf", pdf(page)).text
    assert text.split("\n\n") == [" ".join(row) for row in rows]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Le compte-", "rendu est prêt."], "Le compte-rendu est prêt."),
        (["Donnez-", "vous la peine."], "Donnez-vous la peine."),
        (["La muni-", "cipalité vote."], "La municipalité vote."),
        (["Foi preciso aprová-", "lo depressa."], "Foi preciso aprová-lo depressa."),
        (["O vice-", "presidente falou."], "O vice-presidente falou."),
        (["Foi feita uma análi-", "se breve."], "Foi feita uma análise breve."),
        (["Будь-", "яке рішення."], "Будь-яке рішення."),
        (["Міська гро-", "мада."], "Міська громада."),
    ],
)
def test_hyphens_that_other_languages_always_write_stay(lines: list[str], text: str) -> None:
    assert reflow([lines])[0] == [text]
