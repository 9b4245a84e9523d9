"""Protects what readers say of an upload: kept beside the file, taken up at once, and gone with it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ingest.intake import ArticleIntake
from ingest.sources import describe, edited, sidecar_of
from ingest.sync import sync
from rag.errors import ArticleError
from rag.schema import Article
from rag.settings import Settings
from rag.store.library import Library

TEXT = "Die Kapelle am Hang wird im Juni neu gedeckt. Das kostet 40.000 Euro."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "articles").mkdir()
    made = Settings(articles=tmp_path / "articles", data=tmp_path / "data")
    made.uploads_dir.mkdir(parents=True)
    (made.uploads_dir / "kapelle.txt").write_text(TEXT, "utf-8")
    sync(made)
    return made


def article(settings: Settings) -> Article:
    sync(settings)
    with Library.open(settings.data_dir, read_only=True) as library:
        found = library.article("kapelle")
    assert found is not None
    return found


def test_what_is_said_of_a_file_is_taken_up_and_the_file_stays(settings: Settings) -> None:
    file = settings.uploads_dir / "kapelle.txt"
    before = article(settings)
    said = {"title": "Neues Dach", "outlet": "Bergblatt", "author": "Eva Horn", "published": "3.5.2025"}
    describe(file, said, {})
    known = article(settings)
    assert (known.title, known.outlet, known.author) == ("Neues Dach", "Bergblatt", "Eva Horn")
    assert known.published == date(2025, 5, 3)
    assert known.text == before.text == file.read_text("utf-8")
    assert known.sha256 != before.sha256


def test_what_is_left_empty_is_as_the_file_says_it(settings: Settings) -> None:
    file = settings.uploads_dir / "kapelle.txt"
    before = article(settings)
    describe(file, {"outlet": "Bergblatt"}, {})
    assert article(settings).outlet == "Bergblatt"
    describe(file, {"outlet": " "}, {})
    assert not sidecar_of(file).exists()
    assert article(settings) == before


def test_a_day_that_is_none_is_refused_and_nothing_written(settings: Settings) -> None:
    file = settings.uploads_dir / "kapelle.txt"
    with pytest.raises(ArticleError, match="'bald' is not a date"):
        describe(file, {"title": "Dach", "published": "bald"}, {})
    assert not sidecar_of(file).exists()


@pytest.mark.parametrize(
    "content", ["", "[1]", "{", json.dumps({"title": 5, "published": "bald"}), "[" * 99_999]
)
def test_a_broken_sidecar_costs_nothing(settings: Settings, content: str) -> None:
    sidecar_of(settings.uploads_dir / "kapelle.txt").write_text(content, "utf-8")
    assert article(settings).text == TEXT


def test_only_uploads_are_described_and_with_a_file_goes_what_was_said(settings: Settings) -> None:
    uploads = ArticleIntake(settings)
    own = settings.articles / "a.txt"
    own.write_text(TEXT, "utf-8")
    with pytest.raises(ArticleError, match="not an upload"):
        uploads.describe(own, {"title": "x"})
    file = settings.uploads_dir / "kapelle.txt"
    uploads.describe(file, {"title": "Dach"})
    uploads.remove(file)
    assert list(settings.uploads_dir.iterdir()) == []


def test_what_was_changed_is_told_with_what_the_file_says(settings: Settings) -> None:
    file = settings.uploads_dir / "kapelle.txt"
    file.write_text(f"Neues Dach\n\nBergblatt, 3. Mai 2025\n\n{TEXT}", "utf-8")
    uploads, before = ArticleIntake(settings), article(settings)
    assert edited(file) is None
    assert (before.title, before.published) == ("Neues Dach", date(2025, 5, 3))
    # the form sends all fields, also those that nobody has touched
    said = {"title": "Neues Dach", "outlet": "Talblatt", "author": "", "published": "2025-05-04"}
    uploads.describe(file, said)
    assert uploads.edited(file) == {"outlet": before.outlet or "", "published": "2025-05-03"}
    assert (article(settings).title, article(settings).outlet) == ("Neues Dach", "Talblatt")
    uploads.describe(file, {**said, "outlet": before.outlet or "", "published": "2025-05-03"})
    assert edited(file) is None
    assert article(settings) == before


def test_of_a_sidecar_from_elsewhere_no_more_is_known_than_that_it_is_there(settings: Settings) -> None:
    file = settings.uploads_dir / "kapelle.txt"
    sidecar_of(file).write_text(json.dumps({"title": "Dach", "in_file": 5}), "utf-8")
    assert edited(file) == {}


def test_of_a_file_of_several_articles_all_are_corrected(settings: Settings) -> None:
    file = settings.uploads_dir / "mehr.jsonl"
    file.write_text(
        "\n".join(json.dumps({"text": f"{n}. {TEXT}", "outlet": outlet}) for n, outlet in enumerate("AB", 1)),
        "utf-8",
    )
    ArticleIntake(settings).describe(file, {"outlet": "A"})
    sync(settings)
    with Library.open(settings.data_dir, read_only=True) as library:
        found = [each for each in library.articles() if each.id.startswith("mehr")]
    assert [each.outlet for each in found] == ["A", "A"]
