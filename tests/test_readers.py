"""Protects reading: every format gives clean text and only stated facts, every bad file a clear message."""

from __future__ import annotations

import io
import json
import os
import re
from datetime import date
from pathlib import Path

import docx
import pytest
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import read_file
from ingest.readers.document import Document, decode, parse_date, parse_genre
from ingest.sources import find_names
from rag.errors import ArticleError
from rag.i18n import GERMAN
from rag.text.normalize import normalise
from tests.printed import pdf

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
    return str(caught.value)


def marked(document: Document) -> list[tuple[str, str]]:
    return [(aside.kind, document.text[aside.start : aside.end]) for aside in document.asides]


# --- which files -------------------------------------------------------------------------------


def test_folders_are_searched_recursively_without_hidden_files_and_readmes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("z.txt", "b/a.MD", "b/README.md", ".hidden.txt", ".git/c.txt", "picture.png", "~$d.docx"):
        write(tmp_path, name, "x")
    assert find_names([tmp_path]) == [str(tmp_path / "b/a.MD"), str(tmp_path / "z.txt")]


def test_a_file_named_twice_is_found_once_and_one_named_itself_always(tmp_path: Path) -> None:
    readme = write(tmp_path, "README.md", "x")
    article = write(tmp_path, "a.txt", "x")
    assert find_names([tmp_path, article, readme, readme]) == [str(readme), str(article)]


def test_missing_path_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="nowhere"):
        find_names([tmp_path / "nowhere"])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_closed_folder_is_listed_so_that_it_is_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert find_names([tmp_path]) == [str(closed)]


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


def test_bytes_without_a_meaning_are_marked_and_a_declared_encoding_is_read() -> None:
    assert decode("Größe\x81".encode("latin-1")) == "Größe\ufffd"
    assert decode("Київ і Москва".encode("cp1251"), "windows-1251") == "Київ і Москва"
    assert decode("Größe".encode("cp1252"), "no-such-encoding") == "Größe"
    assert decode("Größe".encode("cp1252"), "utf-16") == "Größe"


@pytest.mark.parametrize("label", ["iso-8859-1", "ISO8859-1", "latin1", "us-ascii", "iso88591", "x-cp1252"])
def test_labels_of_latin1_mean_what_browsers_take_them_for(label: str) -> None:
    assert decode("„Für 7 €“ – so der Wirt".encode("cp1252"), label) == "„Für 7 €“ – so der Wirt"


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("iso-8859-9", "cp1254", "“Işık” açıldı, 5 €"),
        ("x-mac-cyrillic", "mac-cyrillic", "Мост закрыт"),
        ("koi8-ru", "koi8-u", "Міст закрито"),
        ("iso88592", "iso8859-2", "Łódź jest większa"),
        ("shift_jis", "cp932", "①橋は閉鎖"),
    ],
)
def test_other_labels_are_read_as_on_the_web(label: str, encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), label) == text


def test_page_that_declares_its_encoding_as_xml_does_is_read(tmp_path: Path) -> None:
    page = '<?xml version="1.0" encoding="iso-8859-1"?>\n' + PAGE.format(meta="")
    document = read_one(tmp_path, "a.html", page.replace("in Genf", "– in „Genf“").encode("cp1252"))
    assert "2021 – in „Genf“ getroffen" in document.text
    assert not re.search("[\x80-\x9f]", document.text)


def test_text_from_dos_keeps_its_umlauts() -> None:
    assert decode("Für das Märchen stößt man dort auf Öl.".encode("cp850")) == (
        "Für das Märchen stößt man dort auf Öl."
    )
    assert decode("Er sagte: „Das Märchen“, 5 €".encode("cp1252")) == "Er sagte: „Das Märchen“, 5 €"


def test_invisible_hyphens_leave_words_whole(tmp_path: Path) -> None:
    text = "Das Hoch\u00adwasser\u200bschutz\u2060konzept kostet 3\u00a0Millionen. \u200d🧑\u200d🚒"
    assert normalise(text) == "Das Hochwasserschutzkonzept kostet 3\u00a0Millionen. \u200d🧑\u200d🚒"
    page = "# Neues Klär\u00adwerk\n\nDas Klär&shy;werk steht am Fluss.\n\n## Kri&#8203;tik\n\nEs gibt keine."
    document = read_one(tmp_path, "a.md", page)
    assert document.text == "Neues Klärwerk\n\nDas Klärwerk steht am Fluss.\n\nKritik\n\nEs gibt keine."
    assert (document.title, marked(document)) == (
        "Neues Klärwerk", [("title", "Neues Klärwerk"), ("heading", "Kritik")]
    )  # fmt: skip


def test_control_characters_of_a_wrong_decoding_become_what_was_meant() -> None:
    assert normalise("\x84Gut\x93 \x96 kostet 5 \x80") == "„Gut“ – kostet 5 €"
    assert not re.search("[\x80-\x9f]", normalise("".join(map(chr, range(256)))))


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
        ("a.txt", b"Ein Wort und noch eines, das hier steht. \1\2 \xfc\xe4\xf6 Ende", "binary"),
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
def test_unusable_files_are_refused_with_the_next_step(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(ArticleError, match=message):
        read_file(path, limit_bytes=LIMIT)


def test_a_file_over_the_limit_is_refused_and_one_at_it_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Wort " * 20)
    assert read_file(path, limit_bytes=100).documents
    with pytest.raises(ArticleError, match=r"larger.*BELEG_ARTICLE_LIMIT"):
        read_file(path, limit_bytes=99)


def test_an_article_of_more_words_than_a_book_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.readers.document.MOST_WORDS", 100)
    assert read_file(write(tmp_path, "a.txt", "Wort " * 100), limit_bytes=10_000).documents
    with pytest.raises(ArticleError, match=r"an article has 101 words, more than 100; split it"):
        read_file(write(tmp_path, "b.txt", "a" + " ." * 100), limit_bytes=10_000)


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
    ("head", "line", "outlet"),
    [
        ("---\ntitle: Gipfel\noutlet: taz: Berlin\n---\n", "line 3", "taz: Berlin"),
        ('---\ntitle: "Gipfel\noutlet: taz\n---\n', "line", "taz"),
        ("---\ntitle: Gipfel\n\toutlet:\ttaz\n---\n", "line 3", "taz"),
        ("---\ntitle: Gipfel\noutlet: taz\n\n", "line 1", "taz"),
        ('+++\ntitle = Gipfel\noutlet = "taz"\n+++\n', "line 2", "taz"),
    ],
)
def test_malformed_front_matter_costs_no_text_and_is_named_with_its_line(
    tmp_path: Path, head: str, line: str, outlet: str
) -> None:
    reading = read_file(write(tmp_path, "a.md", head + "Text hier."), limit_bytes=LIMIT)
    (document,) = reading.documents
    assert (document.text, document.title, document.outlet) == ("Text hier.", "Gipfel", outlet)
    assert line in reading.problems[0]


@pytest.mark.parametrize(
    ("name", "content", "german"),
    [
        ("a.docx", b"PK\x03\x04kaputt", "ist keine lesbare Word-Datei; bitte neu als .docx speichern"),
        ("a.odt", b"PK\x03\x04kaputt", "ist kein lesbarer OpenDocument-Text; bitte neu speichern"),
        ("a.epub", b"PK\x03\x04kaputt", "ist kein lesbares E-Book; bitte den Text als .txt speichern"),
        ("a.pdf", b"%PDF-1.7 kaputt", "ist ein beschädigtes PDF; bitte neu exportieren"),
        (
            "a.jsonl",
            b'{"text": "a"',
            "hat keine brauchbare Zeile: Zeile 1: kein JSON; bitte ein Objekt je Zeile schreiben",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_without_the_words_of_a_library(
    tmp_path: Path, name: str, content: bytes, german: str
) -> None:
    with pytest.raises(ArticleError) as caught:
        read_file(write(tmp_path, name, content), limit_bytes=LIMIT)
    assert GERMAN.said(caught.value.phrase) == german


def test_front_matter_of_other_programs_states_the_facts(tmp_path: Path) -> None:
    toml = (
        '+++\nheadline = "Deich erhöht"\ndate = 2024-11-03T10:00:00Z\n'
        'authors = ["Ida Roth"]\nsite = "Küstenbote"\n+++\n'
    )
    yaml = (
        "---\nTitle: Deich erhöht\ndate: 2024-11-03 10:00\nauthor:\n  - '[[Personen/Roth|Ida Roth]]'\n"
        "publication: Küstenbote\nsource: https://kuestenbote.example/deich\n---\n"
    )
    jsonl = json.dumps(
        {"text": "Text.", "headline": "Deich erhöht", "authors": [{"name": "Ida Roth"}],
         "date": "2024-11-03", "publisher": "Küstenbote"}
    )  # fmt: skip
    for name, content in (("a.md", toml + "Text."), ("b.md", yaml + "Text."), ("c.jsonl", jsonl)):
        document = read_one(tmp_path, name, content)
        facts = (document.title, document.author, document.published, document.outlet)
        assert facts == ("Deich erhöht", "Ida Roth", date(2024, 11, 3), "Küstenbote")


def test_what_is_struck_out_is_no_text_and_marks_of_note_takers_neither(tmp_path: Path) -> None:
    page = "> [!note] Hinweis\n\nEs kamen ~~zwölf~~ elf, sagte ==die Wehr==; 2 == 2."
    assert read_one(tmp_path, "a.md", page).text == "Hinweis\n\nEs kamen elf, sagte die Wehr; 2 == 2."


def test_lines_that_begin_with_a_day_keep_it(tmp_path: Path) -> None:
    page = "Die Termine:\n\n12. Mai 2025, Rathaus\n19. Mai 2025, Kirche\n26. Mai 2025, Gasthof"
    assert read_one(tmp_path, "a.md", page).text.split("\n\n")[1:] == [
        "12. Mai 2025, Rathaus",
        "19. Mai 2025, Kirche",
        "26. Mai 2025, Gasthof",
    ]


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


def run_of(text: str, tag: str = "w:t") -> str:
    return f'<w:r><{tag} xml:space="preserve">{text}</{tag}></w:r>'


BOX = f"<w:txbxContent><w:p>{run_of('Kasten: Der Turm steht seit 1702.')}</w:p></w:txbxContent>"
MARKED_UP = {
    "insertion": f"{run_of('Der Turm ist ')}<w:ins>{run_of('61 Meter ')}</w:ins>{run_of('hoch.')}",
    "deletion": f"{run_of('Der Turm ist ')}<w:del>{run_of('44 Meter ', 'w:delText')}</w:del>{run_of('alt.')}",
    "moved": f"<w:moveFrom>{run_of('W')}</w:moveFrom><w:moveTo>{run_of('Da ')}</w:moveTo>{run_of('ist er.')}",
    "control": f"{run_of('Er gehört ')}<w:sdt><w:sdtContent>{run_of('dem Kreis.')}</w:sdtContent></w:sdt>",
    "box": f"<w:r><w:pict><w:p>{BOX}</w:p></w:pict></w:r>{run_of('Neben dem Turm.')}",
}


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("insertion", "Der Turm ist 61 Meter hoch."),
        ("deletion", "Der Turm ist alt."),
        ("moved", "Da ist er."),
        ("control", "Er gehört dem Kreis."),
        ("box", "Neben dem Turm.\n\nKasten: Der Turm steht seit 1702."),
    ],
)
def test_word_text_is_as_word_shows_it_with_changes_accepted(
    tmp_path: Path, markup: str, expected: str
) -> None:
    document = docx.Document()
    for child in list(parse_xml(f"<w:p {nsdecls('w')}>{MARKED_UP[markup]}</w:p>")):
        paragraph = document.paragraphs[0] if document.paragraphs else document.add_paragraph()
        paragraph._p.append(child)
    assert read_one(tmp_path, "a.docx", saved(document)).text == expected


def test_word_paragraph_inside_a_content_control_and_merged_cells_are_read_once(tmp_path: Path) -> None:
    document = docx.Document()
    inside = f"<w:sdtContent><w:p>{run_of('Ein Feld mit Text.')}</w:p></w:sdtContent>"
    control = parse_xml(f"<w:sdt {nsdecls('w')}>{inside}</w:sdt>")
    document.add_paragraph("Davor.")._p.addnext(control)
    table = document.add_table(2, 3)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "Über alle drei"
    table.cell(1, 1).text = "Mitte"
    assert read_one(tmp_path, "a.docx", saved(document)).text == (
        "Davor.\n\nEin Feld mit Text.\n\nÜber alle drei\n\nMitte"
    )


def test_word_footnotes_follow_the_text(tmp_path: Path) -> None:
    document = docx.Document()
    mark = parse_xml(f"<w:r {nsdecls('w')}><w:footnoteReference w:id='2'/></w:r>")
    document.add_paragraph("Der Umbau dauert.")._p.append(mark)
    notes = (
        f"<w:footnotes {nsdecls('w')}><w:footnote w:type='separator' w:id='0'><w:p/></w:footnote>"
        f"<w:footnote w:id='2'><w:p>{run_of('Laut Plan bis 2031.')}</w:p></w:footnote></w:footnotes>"
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    text = read_one(tmp_path, "a.docx", saved(document)).text
    assert text == "Der Umbau dauert.[1]\n\n[1] Laut Plan bis 2031."


def saved(document: DocxDocument) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


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
        json.dumps({"text": "w " * 500_001}),
        '{"Body": "Paar \\ud83d\\ude00 und Rest \\ud83d.", "genre": "report", "published": "gestern"}',
    ]
    path = write(tmp_path, "a.jsonl", "\r\n".join(lines))
    reading = read_file(path, limit_bytes=2 * LIMIT)
    assert [(d.id, d.text) for d in reading.documents] == [
        ("a", "Erster\u2028Text"),
        (None, "Paar 😀 und Rest ."),
    ]
    assert reading.documents[0].published == date(2025, 8, 15)
    assert reading.documents[1].genre == "report"
    assert [
        f"line {n}" in problem for n, problem in zip((2, 3, 4, 6, 7, 8), reading.problems, strict=True)
    ] == [True] * 6


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
        ("1er août 2025", date(2025, 8, 1)),
        ("15 de agosto de 2025", date(2025, 8, 15)),
        ("15 серпня 2025 року", date(2025, 8, 15)),
        ("31.02.2025", None),
        ("15. August", None),
        ("30.9.3015", None),
        ("Mitte August 2025", None),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, day: date | None) -> None:
    assert parse_date(text) == day


def test_genres_other_than_report_and_comment_are_unknown() -> None:
    assert [parse_genre(word) for word in ("Kommentar", "Bericht", "Interview", "")] == [
        "comment", "report", None, None
    ]  # fmt: skip
