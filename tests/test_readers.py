"""Protects reading: every format gives clean text and only stated facts, every bad file a clear message."""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import date
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoding import decode
from ingest.documents import Document, parse_date, parse_genre
from ingest.files import find_files
from ingest.read_pdf import reflow
from ingest.readers import read_file
from rag.errors import ArticleError
from rag.text import normalise

LIMIT = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_one(folder: Path, name: str, content: str | bytes) -> Document:
    (document,) = read_file(write(folder, name, content), limit_bytes=LIMIT).documents
    return document


def complaint(path: Path) -> str:
    with pytest.raises(ArticleError) as caught:
        read_file(path, limit_bytes=LIMIT)
    assert path.name in str(caught.value)
    return str(caught.value)


def marked(document: Document) -> list[tuple[str, str]]:
    return [(aside.kind, document.text[aside.start : aside.end]) for aside in document.asides]


def pdf(*pages: list[str], info: str = "") -> bytes:
    """A PDF of the given lines, as small as it may be."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(count))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for i, lines in enumerate(pages):
        shown = "".join(f"({line}) Tj 0 -14 Td\n" for line in lines)
        stream = f"BT /F1 11 Tf 60 780 Td\n{shown}ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 850]/Contents {5 + 2 * i} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects.append(f"<<{info}>>")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body}endobj\n".encode("cp1252")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info {len(objects)} 0 R>>"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}\n".encode()
    return out + f"startxref\n{start}\n%%EOF\n".encode()


# --- which files -------------------------------------------------------------------------------


def test_folders_are_searched_recursively_without_hidden_files_and_readmes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("z.txt", "b/a.MD", "b/README.md", ".hidden.txt", ".git/c.txt", "picture.png", "~$d.docx"):
        write(tmp_path, name, "x")
    assert find_files([tmp_path]) == [tmp_path / "b/a.MD", tmp_path / "z.txt"]


def test_a_file_named_twice_is_found_once_and_one_named_itself_always(tmp_path: Path) -> None:
    readme = write(tmp_path, "README.md", "x")
    article = write(tmp_path, "a.txt", "x")
    assert find_files([tmp_path, article, readme, readme]) == [readme, article]


def test_missing_path_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="nowhere"):
        find_files([tmp_path / "nowhere"])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_closed_folder_is_listed_so_that_it_is_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert find_files([tmp_path]) == [closed]


# --- plain text --------------------------------------------------------------------------------


def test_txt_is_its_normalised_content_and_nothing_is_moved(tmp_path: Path) -> None:
    raw = " date 2025-08-19 Für „Europa“\r\n\r\nA\u0308rger \u00ad\n observador\n"
    assert read_one(tmp_path, "a.txt", raw) == Document(normalise(raw))


@pytest.mark.parametrize(
    "data",
    [
        "Größe „heute“ – für 5 €".encode(),
        b"\xef\xbb\xbf" + "Größe „heute“ – für 5 €".encode(),
        "Größe „heute“ – für 5 €".encode("utf-16"),
        b"\xfe\xff" + "Größe „heute“ – für 5 €".encode("utf-16-be"),
        "Größe „heute“ – für 5 €".encode("cp1252"),
    ],
    ids=["utf-8", "bom", "utf-16-le", "utf-16-be", "cp1252"],
)
def test_encodings_of_german_texts_are_recognised(data: bytes) -> None:
    assert normalise(decode(data)) == "Größe „heute“ – für 5 €"


def test_latin1_and_a_declared_encoding_are_read() -> None:
    assert decode("Größe\x81".encode("latin-1")) == "Größe\x81"
    assert decode("Київ і Москва".encode("cp1251"), "windows-1251") == "Київ і Москва"
    assert decode("Größe".encode("cp1252"), "no-such-encoding") == "Größe"


def test_one_broken_byte_does_not_turn_utf8_into_mojibake() -> None:
    assert decode("Größe für Käse".encode() + b"\xc3") == "Größe für Käse\ufffd"


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_decoding_never_fails(data: bytes) -> None:
    normalise(decode(data)).encode()


def test_nuls_and_control_characters_are_cleaned(tmp_path: Path) -> None:
    assert read_one(tmp_path, "a.txt", "Der Präsident\0 sprach am Freitag\x07.").text == (
        "Der Präsident sprach am Freitag."
    )


# --- bad files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"\xef\xbb\xbf \r\n\t\n", "empty"),
        ("a.txt", b"\0" * 500, "empty"),
        ("a.txt", "– … –", "no text"),
        ("a.txt", PNG, "PNG.*remove"),
        ("a.md", pdf(["Text"]), r"a PDF.*rename it to end in \.pdf"),
        ("a.txt", b"PK\x03\x04" + bytes(40), r"rename it to end in \.docx"),
        ("a.txt", "<!DOCTYPE html><html><p>Text</p></html>", r"web page.*rename it to end in \.html"),
        ("a.txt", b"Text\0\1\2\3" * 50, "binary"),
        ("a.pdf", "Nur Text", "not a pdf"),
        ("a.pdf", PNG, "PNG"),
        ("a.pdf", b"%PDF-1.4\n" + b"kaputt" * 50, "broken PDF"),
        ("a.pdf", pdf([]), "no text.*OCR"),
        ("a.docx", "Nur Text", "not a docx"),
        ("a.docx", b"PK\x03\x04" + b"kaputt" * 50, "not a readable Word file"),
        ("a.doc", "Text", r"'\.doc' are not read"),
        ("a.html", "<html><body><script>1</script></body></html>", "no article"),
        ("a.md", "---\ntitle: Nur ein Titel\n---\n\n", "no text"),
        ("a.jsonl", '{"title": "x"}\n', "no usable line.*line 1.*text"),
    ],
)
def test_unusable_files_are_refused_by_name_with_the_next_step(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(ArticleError, match=f"{name}.*{message}"):
        read_file(path, limit_bytes=LIMIT)


def test_a_file_over_the_limit_is_refused_and_one_at_it_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Wort " * 20)
    assert read_file(path, limit_bytes=100).documents
    with pytest.raises(ArticleError, match=r"larger.*BELEG_ARTICLE_LIMIT"):
        read_file(path, limit_bytes=99)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in complaint(tmp_path / "missing.txt")
    folder = tmp_path / "folder.txt"
    folder.mkdir()
    assert "not a regular file" in complaint(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_make_reading_wait_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a regular file" in complaint(tmp_path / "pipe.txt")


# --- Markdown ----------------------------------------------------------------------------------

MARKDOWN = """---
title: "Gipfel: ohne Ergebnis"
outlet: Beispielblatt
author: [Anna Muster, Max Beispiel]
published: 2025-08-15
language: de-AT
genre: Gastbeitrag
---

Der *erste* Absatz ist hart
umbrochen und hat [einen **Verweis**](https://example.org "x").

## Was folgt

- Ein Punkt ohne Ende
- Noch einer

1. Erstens

> Ein Zitat mit `Code` und ![Bild](bild.png).

<script>alert(1)</script>

| Land | Stimmen |
|------|---------|
| USA  | 1       |
"""


def test_markdown_becomes_plain_paragraphs_with_its_headings_as_asides(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.md", MARKDOWN)
    assert document.text.split("\n\n") == [
        "Der erste Absatz ist hart umbrochen und hat einen Verweis.",
        "Was folgt",
        "Ein Punkt ohne Ende",
        "Noch einer",
        "1. Erstens",
        "Ein Zitat mit Code und .",
        "Land | Stimmen",
        "USA | 1",
    ]
    assert marked(document) == [("heading", "Was folgt")]
    assert document.structured


def test_front_matter_states_the_facts(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.md", MARKDOWN)
    facts = (document.title, document.outlet, document.author, document.published)
    assert facts == ("Gipfel: ohne Ergebnis", "Beispielblatt", "Anna Muster, Max Beispiel", date(2025, 8, 15))
    assert (document.language, document.genre) == ("de", "comment")


def test_unknown_in_front_matter_is_none(tmp_path: Path) -> None:
    head = "---\ntitle: Unbekannt\noutlet: ''\nauthor: unknown\npublished:\ngenre: ~\n---\n"
    document = read_one(tmp_path, "a.md", head + "Text hier.")
    assert document == Document("Text hier.", structured=True)


def test_front_matter_values_stay_words(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.md", "---\ntitle: No\nauthor: 007\n---\nText hier.")
    assert (document.title, document.author) == ("No", "007")


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("---\ntitle: Gipfel\noutlet: taz: Berlin\n---\n", "line 3"),
        ('---\ntitle: "Gipfel\noutlet: taz\n---\n', "line"),
        ("---\ntitle: Gipfel\n\nText ohne Ende der Angaben.\n", "line 1"),
    ],
)
def test_malformed_front_matter_is_refused_with_its_line(tmp_path: Path, head: str, line: str) -> None:
    assert line in complaint(write(tmp_path, "a.md", head + "Text hier."))


def test_a_date_that_is_none_is_reported_and_left_unknown(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", "---\npublished: 2025-13-45\n---\nText hier.")
    reading = read_file(path, limit_bytes=LIMIT)
    assert reading.documents[0].published is None
    assert "2025-13-45" in reading.problems[0]


def test_a_rule_across_the_page_is_no_front_matter(tmp_path: Path) -> None:
    assert (
        read_one(tmp_path, "a.md", "---\n\nErster Absatz\n\n---\n\nZweiter").text
        == "Erster Absatz\n\nZweiter"
    )


def test_first_top_heading_is_the_title_only_when_none_is_stated(tmp_path: Path) -> None:
    plain = read_one(tmp_path, "a.md", "# Der Titel\n\nText hier.\n\n# Noch einer\n\nMehr.")
    assert plain.title == "Der Titel"
    assert marked(plain) == [("title", "Der Titel"), ("heading", "Noch einer")]
    other = read_one(tmp_path, "b.md", "---\ntitle: Anders\n---\n# Der Titel\n\nText hier.")
    assert (other.title, marked(other)) == ("Anders", [("heading", "Der Titel")])
    assert read_one(tmp_path, "c.md", "## Abschnitt\n\nText hier.").title is None


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80))
def test_markdown_of_any_text_keeps_asides_inside_normal_text(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_text("# Kopf\n\n" + text + "\n\n## Fuß\n\nText", encoding="utf-8")
    document = read_file(path, limit_bytes=LIMIT).documents[0]
    assert normalise(document.text) == document.text
    assert marked(document)[0] == ("title", "Kopf")


# --- HTML --------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html lang="de-AT"><head><title>Trump trifft Putin - Beispielblatt</title>
<meta property="og:site_name" content="Beispielblatt"><meta name="author" content="Anna Muster">{meta}</head>
<body><nav><a href="/">Start</a></nav><article><h1>Trump trifft Putin</h1>
<p>Die Präsidenten der USA und Russlands haben sich am 16. Juni 2021 in Genf getroffen. Das Treffen
dauerte fast drei Stunden und blieb ohne <b>greifbares</b> Ergebnis<br>für die Ukraine.</p>
<h2>Was folgt daraus</h2>
<p>Beide Seiten kündigten weitere Gespräche an. Ein Ort für das nächste Treffen steht noch nicht fest.</p>
<ul><li>Erstens ein Waffenstillstand im Osten</li></ul></article>
<footer>Impressum</footer><script>alert(1)</script></body></html>"""
DATED = '<meta property="article:published_time" content="2025-08-16T10:00:00+02:00">'


def test_saved_page_gives_its_article_with_facts_and_headings(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.html", PAGE.format(meta=DATED))
    assert (document.title, document.outlet, document.author) == (
        "Trump trifft Putin", "Beispielblatt", "Anna Muster"
    )  # fmt: skip
    assert (document.published, document.language) == (date(2025, 8, 16), "de")
    assert marked(document) == [("title", "Trump trifft Putin"), ("heading", "Was folgt daraus")]
    assert "ohne greifbares Ergebnis für die Ukraine." in document.text
    assert document.text.endswith("\n\nErstens ein Waffenstillstand im Osten")
    assert "alert" not in document.text


def test_date_of_a_page_is_not_taken_from_its_text(tmp_path: Path) -> None:
    assert read_one(tmp_path, "a.htm", PAGE.format(meta="")).published is None


def test_page_in_its_declared_encoding_or_with_an_xml_prologue_is_read(tmp_path: Path) -> None:
    latin = PAGE.format(meta='<meta charset="iso-8859-1">').encode("latin-1")
    assert "Präsidenten" in read_one(tmp_path, "a.html", latin).text
    xhtml = '<?xml version="1.0" encoding="utf-8"?>\n' + PAGE.format(meta="")
    assert "Präsidenten" in read_one(tmp_path, "b.html", xhtml).text


def test_markup_that_states_an_opinion_makes_a_comment(tmp_path: Path) -> None:
    mark = '<script type="application/ld+json">{"@type": "OpinionNewsArticle"}</script>'
    assert read_one(tmp_path, "a.html", PAGE.format(meta=mark).replace("{{", "{")).genre == "comment"
    assert read_one(tmp_path, "b.html", PAGE.format(meta="")).genre is None


def test_absurdly_nested_page_is_refused_and_no_crash(tmp_path: Path) -> None:
    complaint(write(tmp_path, "a.html", "<html>" + "<div>" * 20_000 + "Text"))


# --- PDF ---------------------------------------------------------------------------------------


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
    text = " ".join(reflow(pages))
    assert "Beispielblatt" not in text
    assert "Seite endet bei Kiew hat einen Satz" in text


def test_locked_pdf_says_so(tmp_path: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(["Geheim."])))
    writer.encrypt("secret", algorithm="RC4-128")
    with (tmp_path / "a.pdf").open("wb") as file:
        writer.write(file)
    assert "password" in complaint(tmp_path / "a.pdf")


# --- Word --------------------------------------------------------------------------------------


def word(title: str = "", author: str = "python-docx") -> io.BytesIO:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = title, author
    document.add_heading("Gipfel ohne Ergebnis", 1)
    document.add_paragraph("Die Präsidenten haben gesprochen.")
    document.add_heading("Was folgt", 2)
    document.add_paragraph("Trump in Anchorage", style="Caption")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Land", "Stimmen"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer


def test_word_styles_become_asides_and_properties_facts(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.docx", word("Gipfel ohne Ergebnis", "Anna Muster").getvalue())
    assert (document.title, document.author) == ("Gipfel ohne Ergebnis", "Anna Muster")
    assert marked(document) == [
        ("title", "Gipfel ohne Ergebnis"), ("heading", "Was folgt"), ("caption", "Trump in Anchorage")
    ]  # fmt: skip
    assert document.text.endswith("\n\nLand | Stimmen")


def test_defaults_of_word_properties_are_not_believed(tmp_path: Path) -> None:
    document = read_one(tmp_path, "a.docx", word("Word Document").getvalue())
    assert (document.title, document.author) == ("Gipfel ohne Ergebnis", None)


# --- JSON Lines --------------------------------------------------------------------------------


def test_good_lines_are_kept_and_bad_ones_reported_by_number(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "a", "text": "Erster\u2028Text", "title": "T", "published": "15. August 2025"}),
        "{kaputt",
        '{"text": 5}',
        "[" * 100_000,
        "",
        '{"id": "a", "text": "Doppelt"}',
        '{"text": "Paar \\ud83d\\ude00 und Rest \\ud83d.", "genre": "report", "published": "gestern"}',
    ]
    path = write(tmp_path, "a.jsonl", "\r\n".join(lines))
    reading = read_file(path, limit_bytes=LIMIT)
    assert [(d.id, d.text) for d in reading.documents] == [
        ("a", "Erster\u2028Text"),
        (None, "Paar 😀 und Rest ."),
    ]
    assert reading.documents[0].published == date(2025, 8, 15)
    assert reading.documents[1].genre == "report"
    assert [f"line {n}" in problem for n, problem in zip((2, 3, 4, 6, 7), reading.problems, strict=True)] == [
        True
    ] * 5


# --- metadata ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-08-15", date(2025, 8, 15)),
        ("2025-08-15T14:00:00Z", date(2025, 8, 15)),
        ("15.08.2025", date(2025, 8, 15)),
        ("15. 8. 25, 14:30 Uhr", date(2025, 8, 15)),
        ("15. August 2025", date(2025, 8, 15)),
        ("1. März 1998", date(1998, 3, 1)),
        ("3. Jänner 2024", date(2024, 1, 3)),
        ("August 15, 2025", date(2025, 8, 15)),
        ("31.02.2025", None),
        ("15. August", None),
        ("30.9.3015", None),
        ("Mitte August 2025", None),
    ],
)
def test_dates_are_read_as_germans_write_them(text: str, day: date | None) -> None:
    assert parse_date(text) == day


def test_genres_other_than_report_and_comment_are_unknown() -> None:
    assert [parse_genre(word) for word in ("Kommentar", "Bericht", "Interview", "")] == [
        "comment", "report", None, None
    ]  # fmt: skip


def test_readers_load_no_heavy_library_before_they_need_it() -> None:
    import subprocess

    code = (
        "import sys, ingest.readers, ingest.articles, ingest.chunking\n"
        "heavy = {'trafilatura', 'pypdf', 'docx', 'markdown_it', 'yaml', 'numpy', 'py3langid'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
