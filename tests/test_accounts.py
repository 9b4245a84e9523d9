"""Protects that nothing of a file is lost in silence: what was read and left out is counted and named."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docx
import pytest

from ingest.__main__ import main
from ingest.readers import read_file
from ingest.sync import sync
from rag.i18n import GERMAN
from rag.serve.pages.articles import articles_page
from rag.serve.pages.catalogue import Catalogue, Wish
from rag.settings import Settings
from rag.store.library import Library
from tests.printed import pdf
from tests.test_readers import LIMIT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "scan.pdf").write_bytes(pdf(["Der Kiosk am Bahnhof schließt."], [], []))
    (articles / "alt.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    (articles / "bild.pdf").write_bytes(b"kein PDF")
    said = "# Tribune : un pont de trop\n\nPar Zoé Élan – La Gazette, 3 avril 2025\n\nLe pont ne sert à rien."
    (articles / "pont.md").write_text(said, "utf-8")
    return articles


def test_check_says_what_is_read_of_each_file_and_indexes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folder.parent / "data"
    assert main([str(folder), "--check", "--data", str(data)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "bild.pdf: not read",
        "  is not a pdf file but something else; save it as text, or remove it",
        "pont.md: read: 1 article, 91 characters",
        "  title: Tribune : un pont de trop; outlet: La Gazette; author: Zoé Élan; date: 2025-04-03;"
        " genre: comment; language: French",
        "scan.pdf: read: 1 article, 30 characters, 1 page; left out: 2 pages",
        "  title: –; outlet: –; author: –; date: –; genre: –; language: German",
        "  2 of 3 pages have no text: scanned? run OCR over it (ocrmypdf)",
        "not read: 1 file of other kinds: .doc 1",
    ]
    assert not data.exists()


def test_check_says_the_same_to_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"][2]["left_out"] == {"pages": 2}
    assert told["files"][1]["articles"] == [
        {"title": "Tribune : un pont de trop", "outlet": "La Gazette", "author": "Zoé Élan"}
        | {"published": "2025-04-03", "genre": "comment", "language": "fr"}
    ]
    assert told["not_read"] == "1 file of other kinds: .doc 1"


def test_what_an_article_states_is_said_in_german_too() -> None:
    facts = {"title": "Die Brücke", "outlet": None, "author": None, "published": None}
    assert GERMAN.stated({**facts, "genre": "report", "language": "uk"}) == (
        "Titel: Die Brücke; Medium: –; Autor: –; Datum: –; Textsorte: Bericht; Sprache: Ukrainisch"
    )


def test_the_articles_page_names_what_was_left_out(folder: Path) -> None:
    settings = Settings(articles=folder, data=folder.parent / "data")
    report = sync(settings)
    assert dict(report.left_out) == {"pages": 2}
    with Library.open(settings.data_dir, read_only=True) as library:
        catalogue = Catalogue(library, settings.uploads_dir)
        service: Any = SimpleNamespace(catalogue=catalogue, settings=settings, intake=None)
        html = articles_page(service, Wish(), GERMAN, part=True)
    assert "gelesen: 1 Artikel, 30 Zeichen, 1 Seite; nicht gelesen: 2 Seiten" in html
    assert "1 Datei anderer Art: .doc 1" in html


def test_headers_and_comments_of_word_files_are_counted(tmp_path: Path) -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("Die Halle wird im Herbst gestrichen.")
    word.add_comment(paragraph.runs, "Stimmt das?", author="x")
    word.sections[0].header.paragraphs[0].text = "Entwurf"
    word.save(str(tmp_path / "a.docx"))
    reading = read_file(tmp_path / "a.docx", limit_bytes=LIMIT)
    assert reading.documents[0].text == "Die Halle wird im Herbst gestrichen."
    assert reading.left_out == {"pictures": 0, "headers": 1, "comments": 1}


def test_control_characters_of_a_name_reach_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rot\x1b[31m\n.txt").write_text("Die Ampel ist rot und bleibt es.")
    (tmp_path / "leer\x07.txt").write_text("")
    assert main([str(tmp_path), "--data", str(tmp_path / ".data")]) == 0
    out = capsys.readouterr().out
    assert "1 article" in out
    assert "leer\ufffd.txt: is empty" in out
    assert "\x1b" not in out
    assert "\x07" not in out
