"""Protects the index from its source: whatever happens to files, disk or process, what answers is a
whole version of the articles, and the next sync makes it the newest."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from ingest.diff import is_current
from ingest.sources import assign_ids, slug
from ingest.sync import SyncReport, catch_up, sync
from rag.engine import open_engine
from rag.errors import ArticleError, BelegError, ConfigError, IndexBusy, IndexMismatch, ProviderUnavailable
from rag.schema import CHUNKER_VERSION, Article
from rag.settings import Settings
from rag.store.chroma import FOLDER, Chroma, is_whole
from rag.store.library import Library
from rag.store.library_file import FILE_NAME, SCHEMA_VERSION

ROOT = Path(__file__).parents[1]
HEATING = "Der Stadtrat hat am Mittwoch den Wärmeplan beschlossen. 38 Mitglieder stimmten dafür, 21 dagegen."
SUMMIT = "Trump und Putin trafen sich am Freitag in Anchorage. Das Treffen dauerte knapp drei Stunden."
BRIDGE = "Die Brücke am Hafen wird ab Montag gesperrt. Die Bauarbeiten dauern bis in den Oktober hinein."


class House:
    """A source folder and a data folder, and what the index in it says."""

    def __init__(self, root: Path) -> None:
        self.articles, self.data = root / "articles", root / "data"
        self.articles.mkdir(parents=True)
        self.settings = Settings(articles=self.articles, data=self.data, embedding="builtin")

    def write(self, name: str, text: str) -> Path:
        path = self.articles / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def sync(self, **options: object) -> SyncReport:
        return sync(self.settings, **options)  # type: ignore[arg-type]

    def held(self) -> dict[str, Article]:
        with Library.open(self.data, read_only=True) as library:
            return {article.id: article for article in library.articles()}

    def texts(self) -> dict[str, str]:
        return {id: article.text for id, article in self.held().items()}

    def assert_whole(self) -> None:
        """Library, vectors and manifest hold the same."""
        with Library.open(self.data, read_only=True) as library, Chroma.open(self.data) as chroma:
            assert chroma.damage is None
            assert chroma.ids() == set(library.chunk_rows())
            assert {id: entry.sha256 for id, entry in library.manifest().items()} == library.versions()
        assert is_current(self.settings)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.write("heating.txt", HEATING)
    house.write("summit.txt", SUMMIT)
    return house


def numbers(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.deleted, report.unchanged


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    stats = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


# --- the diff


def test_first_sync_indexes_everything(house: House) -> None:
    report = house.sync()
    assert numbers(report) == (2, 0, 0, 0)
    assert (report.articles, report.chunks, report.skipped, report.repaired) == (2, 2, (), ())
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


def test_added_changed_and_deleted_files_are_told_apart(house: House) -> None:
    house.sync()
    house.write("bridge.txt", BRIDGE)
    house.write("summit.txt", SUMMIT + " Danach reiste er ab.")
    (house.articles / "heating.txt").unlink()
    assert numbers(house.sync()) == (1, 1, 1, 0)
    assert house.texts() == {"bridge": BRIDGE, "summit": SUMMIT + " Danach reiste er ab."}
    house.assert_whole()


def test_sync_without_changes_writes_nothing(house: House) -> None:
    house.sync()
    before = snapshot(house.data)
    report = house.sync()
    assert numbers(report) == (0, 0, 0, 2)
    assert (report.articles, report.chunks) == (2, 2)
    assert snapshot(house.data) == before


def test_sync_without_changes_imports_nothing_heavy(house: House) -> None:
    house.sync()
    code = (
        "import sys; from ingest.__main__ import main\n"
        f"status = main([{str(house.articles)!r}, '--data', {str(house.data)!r}])\n"
        "heavy = {'chromadb', 'llama_index.core', 'numpy'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else status)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_touched_file_with_the_same_text_is_unchanged(house: House) -> None:
    house.sync()
    os.utime(house.articles / "summit.txt", ns=(1, 1))
    assert not is_current(house.settings)
    assert numbers(house.sync()) == (0, 0, 0, 2)
    assert is_current(house.settings)
    with Library.open(house.data) as library:
        assert library.revision == 1


def test_file_that_moves_keeps_its_article(house: House) -> None:
    house.sync()
    (house.articles / "2025").mkdir()
    (house.articles / "summit.txt").rename(house.articles / "2025" / "summit.txt")
    assert numbers(house.sync()) == (0, 0, 0, 2)
    assert house.held()["summit"].source == "2025/summit.txt"


def test_renamed_file_is_a_new_article(house: House) -> None:
    house.sync()
    (house.articles / "summit.txt").rename(house.articles / "alaska.txt")
    assert numbers(house.sync()) == (1, 0, 1, 1)
    assert house.texts() == {"heating": HEATING, "alaska": SUMMIT}
    house.assert_whole()


def test_text_that_changes_back_is_served_again(house: House) -> None:
    house.sync()
    house.write("summit.txt", BRIDGE)
    house.sync()
    house.write("summit.txt", SUMMIT)
    assert numbers(house.sync()) == (0, 1, 0, 1)
    assert house.texts()["summit"] == SUMMIT
    house.assert_whole()


def test_chunks_are_slices_of_their_articles(house: House) -> None:
    house.write("long.txt", "\n\n".join(f"{HEATING} {SUMMIT} {BRIDGE}" for _ in range(20)))
    house.sync()
    with Library.open(house.data) as library:
        chunks = library.chunks_of("long")
        long = library.article("long")
        assert long is not None
        assert len(chunks) > 3
        for chunk in chunks:
            assert long.text[chunk.start : chunk.end] == chunk.text
            assert chunk.id == f"long#{long.sha256[:12]}#{chunk.ordinal}"


# --- ids


def test_two_files_of_one_name_are_known_by_their_paths(house: House) -> None:
    house.write("2024/summit.txt", BRIDGE)
    house.sync()
    assert set(house.held()) == {"heating", "2024-summit.txt", "summit.txt"}


def test_file_that_takes_the_name_of_an_indexed_one_renames_both(house: House) -> None:
    house.sync()
    house.write("2024/summit.txt", BRIDGE)
    house.sync()
    assert house.texts() == {"heating": HEATING, "2024-summit.txt": BRIDGE, "summit.txt": SUMMIT}
    house.assert_whole()
    (house.articles / "2024" / "summit.txt").unlink()
    house.sync()
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


def test_records_keep_their_id_or_are_counted(house: House) -> None:
    lines = [
        {"id": "a/1", "text": SUMMIT},
        {"text": BRIDGE},
        {"id": "heating", "text": "Ein ganz anderer Text."},
    ]
    house.write("wire.jsonl", "\n".join(map(json.dumps, lines)))
    house.sync()
    assert set(house.held()) == {"a-1", "wire-2", "wire.jsonl-heating", "heating.txt", "summit"}


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Grüße aus Köln!.txt", "Gruesse-aus-Koeln-.txt"),
        ("../../etc/passwd", "etc-passwd"),
        ("Élysée", "Elysee"),
        ("000_37b85e8eaa727cb2", "000_37b85e8eaa727cb2"),
    ],
)
def test_ids_are_safe_in_addresses(name: str, id: str) -> None:
    assert slug(name) == id


def test_names_without_a_safe_letter_still_differ() -> None:
    assert slug("Зеленський") != slug("Путін")
    assert len(slug("x" * 500)) <= 100


def test_ids_never_clash() -> None:
    wanted = [("a", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "b")]
    assert len(set(assign_ids(wanted))) == 5


# --- what cannot be read


def test_unreadable_files_are_skipped_by_name(house: House) -> None:
    house.write("empty.txt", "")
    (house.articles / "noise.txt").write_bytes(bytes(range(256)) * 20)
    report = house.sync()
    assert numbers(report) == (2, 0, 0, 0)
    names = [(Path(name).name, reason) for name, reason in report.skipped]
    assert [name for name, _ in names] == ["empty.txt", "noise.txt"]
    assert names[0][1].startswith("is empty")


def test_skipped_files_are_named_again_by_a_sync_that_changes_nothing(house: House) -> None:
    house.write("empty.txt", "")
    first = house.sync()
    before = snapshot(house.data)
    assert house.sync().skipped == first.skipped
    assert snapshot(house.data) == before
    assert is_current(house.settings)


def test_file_that_became_unreadable_keeps_its_earlier_version(house: House) -> None:
    house.sync()
    (house.articles / "summit.txt").write_bytes(b"\0" * 50)
    report = house.sync()
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    ((name, reason),) = report.skipped
    assert Path(name).name == "summit.txt"
    assert "earlier version still answers" in reason
    house.write("summit.txt", BRIDGE)
    assert house.sync().skipped == ()
    assert house.texts()["summit"] == BRIDGE


def test_broken_line_of_a_record_file_costs_only_itself(house: House) -> None:
    house.write("wire.jsonl", json.dumps({"text": BRIDGE}) + "\n{broken\n")
    report = house.sync()
    assert report.added == 3
    assert "line 2" in report.skipped[0][1]


def test_nothing_readable_makes_no_index_and_says_why(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("empty.txt", "")
    report = house.sync()
    assert report.articles == 0
    assert len(report.skipped) == 1
    assert not is_current(house.settings)


def test_near_duplicates_are_noted_and_forgotten_with_their_original(house: House) -> None:
    body = " ".join(f"Satz {n} über das Treffen in Anchorage und die Folgen für Europa." for n in range(20))
    house.write("apa.txt", body)
    house.sync()
    house.write("standard.txt", body + " Ein Satz mehr.")
    assert house.sync().duplicates == (("standard", "apa"),)
    assert house.held()["standard"].copy_of == "apa"
    (house.articles / "apa.txt").unlink()
    assert house.sync().duplicates == ()
    assert house.held()["standard"].copy_of is None


# --- where articles come from


def test_empty_source_says_how_to_add_articles(tmp_path: Path) -> None:
    house = House(tmp_path)
    with pytest.raises(ArticleError, match="put files there"):
        house.sync()


def test_missing_source_is_an_error_and_costs_nothing(house: House) -> None:
    house.sync()
    house.articles.rename(house.articles.with_name("elsewhere"))
    with pytest.raises(ArticleError, match="does not exist"):
        house.sync()
    assert len(house.texts()) == 2


def test_missing_path_makes_no_data_folder(house: House) -> None:
    with pytest.raises(ArticleError):
        house.sync(paths=[house.articles / "nowhere"])
    assert not house.data.exists()


def test_emptied_source_costs_nothing_unless_it_is_meant(house: House) -> None:
    house.sync()
    for path in house.articles.iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="--rebuild"):
        house.sync()
    assert len(house.texts()) == 2
    assert house.sync(rebuild=True).deleted == 2
    assert house.texts() == {}


def test_uploads_belong_to_the_source(house: House) -> None:
    house.sync()
    (house.data / "uploads").mkdir()
    (house.data / "uploads" / "bridge.txt").write_text(BRIDGE)
    assert not is_current(house.settings)
    assert numbers(house.sync()) == (1, 0, 0, 2)
    (house.data / "uploads" / "bridge.txt").unlink()
    assert numbers(house.sync()) == (0, 0, 1, 2)


def test_emptied_source_is_noticed_beside_uploads(house: House) -> None:
    house.sync()
    (house.data / "uploads").mkdir()
    (house.data / "uploads" / "bridge.txt").write_text(BRIDGE)
    for path in house.articles.iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="holds no articles any more"):
        house.sync()
    assert len(house.texts()) == 2


def test_given_paths_replace_the_source_and_stay_it(house: House, tmp_path: Path) -> None:
    house.sync()
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text(BRIDGE)
    assert numbers(house.sync(paths=[other])) == (1, 0, 2, 0)
    assert is_current(house.settings)
    assert numbers(house.sync()) == (0, 0, 0, 1)
    assert numbers(house.sync(paths=[house.articles])) == (2, 0, 1, 0)
    assert numbers(house.sync()) == (0, 0, 0, 2)


def test_another_articles_setting_goes_before_remembered_paths(house: House, tmp_path: Path) -> None:
    house.sync(paths=[house.articles / "summit.txt"])
    assert set(house.held()) == {"summit"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text(BRIDGE)
    report = sync(Settings(articles=other, data=house.data))
    assert numbers(report) == (1, 0, 1, 0)


def test_index_of_a_dossier_does_not_give_way_to_articles_that_nobody_named(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = tmp_path / "home" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "summit.txt").write_text(SUMMIT)
    monkeypatch.chdir(tmp_path / "home")
    unnamed = Settings(data=house.data)
    sync(unnamed, paths=[house.articles])
    (house.data / "source.json").unlink()
    with pytest.raises(
        ConfigError, match=r"holds other articles, such as .*heating.txt.*python -m ingest FOLDER"
    ):
        sync(unnamed)
    assert set(house.held()) == {"heating", "summit"}
    assert numbers(sync(unnamed, paths=[Path("seeds")])) == (0, 0, 1, 1)


def test_articles_that_moved_with_their_folder_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "seeds").mkdir(parents=True)
    (tmp_path / "here" / "seeds" / "summit.txt").write_text(SUMMIT)
    monkeypatch.chdir(tmp_path / "here")
    sync(Settings(data=tmp_path / "here" / "data"))
    (tmp_path / "here").rename(tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    assert numbers(sync(Settings(data=tmp_path / "there" / "data"))) == (0, 0, 0, 1)


def test_file_whose_name_is_no_utf8_is_indexed_beside_the_others(house: House) -> None:
    latin = [os.fsdecode(b"Stra\xdfe.txt"), os.fsdecode(b"Stra\xdfe leer.txt"), os.fsdecode(b"Stra\xe4e.txt")]
    house.write(latin[0], BRIDGE)
    house.write(latin[1], "")
    house.write(latin[2], BRIDGE.replace("Hafen", "Markt"))
    report = house.sync()
    assert report.articles == 4
    assert [(Path(name).name, why[:8]) for name, why in report.skipped] == [
        ("Stra\ufffde leer.txt", "is empty")
    ]
    held = house.held()
    assert all(re.fullmatch(r"[\w.-]+", id, re.ASCII) for id in held)
    assert [article.source for article in held.values()].count("Stra\ufffde.txt") == 2
    house.assert_whole()
    house.write(latin[2], SUMMIT.replace("Anchorage", "Genf"))
    assert numbers(house.sync()) == (0, 1, 0, 3)
    with closing(open_engine(house.settings)) as engine:
        assert engine.ask("Wo trafen sich Trump und Putin?").citations


def test_folder_whose_name_is_no_utf8_is_a_source(tmp_path: Path) -> None:
    house = House(tmp_path / os.fsdecode(b"M\xe4rz"))
    house.write("heating.txt", HEATING)
    house.settings = replace(house.settings, data=tmp_path / "data")
    house.data = tmp_path / "data"
    house.sync()
    assert Settings(articles=house.articles).data_dir.name.startswith("articles-")
    house.assert_whole()
    (house.articles / "heating.txt").unlink()
    with pytest.raises(ConfigError, match="holds no articles any more"):
        house.sync()


# --- crashes


class PulledPlug(Exception):
    """Stands for a kill at a certain moment."""


def crash_in_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def cutting(*_: object) -> None:
        raise PulledPlug

    monkeypatch.setattr("ingest.chunking.chunk_article", cutting)


def crash_before_add(monkeypatch: pytest.MonkeyPatch) -> None:
    def adding(*_: object) -> None:
        raise PulledPlug

    monkeypatch.setattr(Chroma, "add", adding)


def crash_after_add(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Chroma.add

    def adding(*args: object) -> None:
        add(*args)  # type: ignore[arg-type]
        raise PulledPlug

    monkeypatch.setattr(Chroma, "add", adding)


def crash_in_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def building(*_: object) -> None:
        raise PulledPlug

    monkeypatch.setattr("rag.store.library.passage_terms", building)


def crash_before_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    def deleting(*_: object) -> None:
        raise PulledPlug

    monkeypatch.setattr(Chroma, "delete", deleting)


Crash = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    ("crash", "after"),
    [
        (crash_in_the_library, HEATING),
        (crash_in_the_transaction, HEATING),
        (crash_before_delete, BRIDGE),
        (crash_before_add, BRIDGE),
        (crash_after_add, BRIDGE),
    ],
)
def test_crash_leaves_a_whole_version_and_the_next_sync_heals(
    house: House, monkeypatch: pytest.MonkeyPatch, crash: Crash, after: str
) -> None:
    house.sync()
    house.write("heating.txt", BRIDGE)
    (house.articles / "summit.txt").unlink()
    with monkeypatch.context() as broken:
        crash(broken)
        with pytest.raises(PulledPlug):
            house.sync()
    assert house.texts()["heating"] == after
    assert is_current(house.settings, vectors=False) == (after == BRIDGE)
    assert not is_current(house.settings)
    assert house.sync().repaired == ()
    assert house.texts() == {"heating": BRIDGE}
    house.assert_whole()


@pytest.mark.parametrize("crash", [crash_in_the_library, crash_in_the_transaction])
def test_crash_of_the_first_sync_leaves_nothing_that_answers(
    house: House, monkeypatch: pytest.MonkeyPatch, crash: Crash
) -> None:
    with monkeypatch.context() as broken:
        crash(broken)
        with pytest.raises(PulledPlug):
            house.sync()
    assert house.texts() == {}
    assert house.sync().added == 2
    house.assert_whole()


def test_file_that_changes_back_after_a_crash_keeps_its_chunks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sync()
    house.write("heating.txt", BRIDGE)
    with monkeypatch.context() as broken:
        crash_before_add(broken)
        with pytest.raises(PulledPlug):
            house.sync()
    house.write("heating.txt", HEATING)
    house.sync()
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


# --- damage


def test_deleted_vector_index_is_built_anew_from_the_library(house: House) -> None:
    house.sync()
    for path in (house.data / FOLDER).rglob("*"):
        if path.is_file():
            path.unlink()
    assert not is_current(house.settings)
    report = house.sync()
    assert numbers(report) == (0, 0, 0, 2)
    assert "the vector index was damaged" in report.repaired[0]
    house.assert_whole()


def test_emptied_database_is_noticed_and_built_anew(house: House) -> None:
    house.sync()
    (house.data / FOLDER / "chroma.sqlite3").write_bytes(b"")
    assert "the vector index was damaged" in house.sync().repaired[0]
    house.assert_whole()


def test_garbage_of_the_same_size_is_noticed(house: House) -> None:
    house.sync()
    database = house.data / FOLDER / "chroma.sqlite3"
    database.write_bytes(b"\x5a" * database.stat().st_size)
    assert "the vector index was damaged" in house.sync().repaired[0]
    house.assert_whole()


@pytest.mark.slow
def test_spoilt_hnsw_files_are_said_and_built_anew(house: House) -> None:
    # above five hundred Chroma writes the files
    records = (json.dumps({"id": f"m{n}", "text": f"{SUMMIT} Meldung {n}."}) for n in range(600))
    house.write("many.jsonl", "\n".join(records))
    house.sync()
    files = list((house.data / FOLDER).glob("*/*.bin"))
    assert files
    for file in files:
        os.truncate(file, file.stat().st_size // 2)
    assert "the vector index was damaged" in house.sync().repaired[0]
    house.assert_whole()


def test_repair_that_is_cut_off_is_gone_on_with(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sync()
    (house.data / FOLDER / "chroma.sqlite3").write_bytes(b"")
    monkeypatch.setattr("rag.store.chroma.MOST", 1)
    with monkeypatch.context() as broken:
        crash_after_add(broken)
        with pytest.raises(PulledPlug):
            house.sync()
    assert not is_current(house.settings)
    house.sync()
    house.assert_whole()


def test_passages_that_are_missing_from_the_vectors_come_back(house: House) -> None:
    house.sync()
    with Chroma.open(house.data) as chroma:
        chroma.delete(sorted(chroma.ids())[:1])
    os.utime(house.articles / "summit.txt", ns=(1, 1))
    house.write("bridge.txt", BRIDGE)
    assert house.sync().repaired == ("1 passages were missing from the vector index and are back",)
    house.assert_whole()


@pytest.mark.parametrize("content", [b"", b"garbage " * 500])
def test_broken_library_is_put_aside_and_built_anew(house: House, content: bytes) -> None:
    house.sync()
    (house.data / FILE_NAME).write_bytes(content)
    assert not is_current(house.settings)
    report = house.sync()
    assert "the library was damaged" in report.repaired[0]
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


def test_deleted_library_is_built_anew_and_said(house: House) -> None:
    house.sync()
    (house.data / FILE_NAME).unlink()
    assert not is_current(house.settings)
    assert house.sync().repaired[0] == "the library was missing and was built anew"
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


def of_format(house: House, version: int) -> None:
    with closing(sqlite3.connect(house.data / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def test_index_of_an_earlier_beleg_is_built_anew_from_the_articles(house: House) -> None:
    house.sync()
    of_format(house, SCHEMA_VERSION - 1)
    assert not is_current(house.settings)
    with pytest.raises(IndexMismatch, match=rf"format {SCHEMA_VERSION - 1}, .* run: python -m ingest$"):
        open_engine(house.settings)
    report = house.sync()
    assert (report.articles, report.repaired) == (
        2,
        ("the index was of an earlier Beleg and was built anew from the articles",),
    )
    house.assert_whole()


def test_index_of_an_earlier_beleg_stays_where_its_articles_are_not_at_hand(house: House) -> None:
    house.sync()
    of_format(house, SCHEMA_VERSION - 1)
    before = (house.data / FILE_NAME).read_bytes()
    for path in house.articles.iterdir():
        path.unlink()
    with pytest.raises(IndexMismatch):
        house.sync(allow_empty=True)
    assert (house.data / FILE_NAME).read_bytes() == before


def test_index_of_a_newer_beleg_is_left_alone_until_it_is_rebuilt(house: House) -> None:
    house.sync()
    version = SCHEMA_VERSION + 1
    of_format(house, version)
    before = (house.data / FILE_NAME).read_bytes()
    assert not is_current(house.settings)
    for opened in (house.sync, lambda: open_engine(house.settings)):
        with pytest.raises(IndexMismatch, match=f"format {version}, .* run: python -m ingest --rebuild"):
            opened()
    assert (house.data / FILE_NAME).read_bytes() == before
    house.sync(rebuild=True)
    house.assert_whole()


# --- rebuilding


def test_other_settings_are_a_mismatch_that_leaves_the_index_alone(house: House) -> None:
    house.sync()
    before = snapshot(house.data)
    other = replace(house.settings, chunk_words=60)
    assert not is_current(other)
    with pytest.raises(IndexMismatch) as caught:
        sync(other)
    for words in (
        f"{CHUNKER_VERSION}/120 words",
        f"{CHUNKER_VERSION}/60 words",
        "python -m ingest --rebuild",
    ):
        assert words in str(caught.value)
    assert {name for name, state in snapshot(house.data).items() if before.get(name) != state} <= {
        "chroma.lock"
    }


def test_rebuild_takes_on_other_settings(house: House) -> None:
    house.write("long.txt", " ".join(f"{HEATING} {SUMMIT}" for _ in range(20)))
    chunks = house.sync().chunks
    house.settings = replace(house.settings, chunk_words=60)
    report = house.sync(rebuild=True)
    assert numbers(report) == (0, 0, 0, 3)
    assert report.chunks > chunks
    assert f"{CHUNKER_VERSION}/60 words" in report.fingerprint
    house.assert_whole()


def test_old_index_answers_until_the_rebuilt_one_is_complete(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sync()
    old, house.settings = house.settings, replace(house.settings, chunk_words=60)
    with monkeypatch.context() as broken:
        crash_in_the_library(broken)
        with pytest.raises(PulledPlug):
            house.sync(rebuild=True)
    assert is_current(old)
    house.sync(rebuild=True)
    house.assert_whole()


def test_rebuild_that_stopped_before_the_vectors_is_completed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write("long.txt", " ".join(f"{HEATING} {SUMMIT}" for _ in range(20)))
    house.sync()
    before = vectors_of(house)
    house.settings = replace(house.settings, chunk_words=60)
    with monkeypatch.context() as broken:
        crash_before_add(broken)
        with pytest.raises(PulledPlug):
            house.sync(rebuild=True)
    assert house.sync().repaired == ()
    house.assert_whole()
    first = min(id for id in before if id.startswith("long"))
    assert (vectors_of(house)[first] != before[first]).any()  # of the same id, and of another text


def vectors_of(house: House) -> dict[str, Any]:
    with Chroma.open(house.data) as chroma:
        ids = sorted(chroma.ids())
        vectors = chroma.vectors(ids)
        assert vectors is not None
        return dict(zip(ids, vectors, strict=True))


# --- vectors that come later


def test_articles_answer_by_words_before_their_vectors_are_there(house: House) -> None:
    report = house.sync(wait=False)
    assert (report.articles, report.pending) == (2, 2)
    assert is_current(house.settings, vectors=False)
    assert not is_current(house.settings)
    with closing(open_engine(house.settings)) as engine:
        assert engine.ask("Wo trafen sich Trump und Putin?").citations
    report = house.sync()
    assert (numbers(report), report.pending, report.repaired) == ((0, 0, 0, 2), 0, ())
    house.assert_whole()


def test_vectors_give_way_to_new_files_and_go_on_after_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.chroma.MOST", 1)
    asked = iter([False, True])
    assert house.sync(stop=lambda: next(asked)).pending == 1
    house.write("bridge.txt", BRIDGE)
    assert house.sync().pending == 0
    house.assert_whole()


def test_newest_articles_get_their_vectors_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.store.chroma.MOST", 1)
    for name, day in (("old", "2024-01-05"), ("new", "2025-08-16"), ("middle", "2024-11-30")):
        house.write(f"{name}.md", f"---\ntitle: {name}\npublished: {day}\n---\n{BRIDGE} {name}\n")
    asked = iter([False, False, True])
    house.sync(stop=lambda: next(asked))
    with Chroma.open(house.data) as chroma:
        assert {id.split("#")[0] for id in chroma.ids()} == {"new", "middle"}


def test_rebuild_keeps_the_earlier_version_of_an_unreadable_file(house: House) -> None:
    house.sync()
    (house.articles / "summit.txt").write_bytes(b"\0" * 50)
    report = house.sync(rebuild=True)
    assert len(report.skipped) == 1
    assert house.texts() == {"heating": HEATING, "summit": SUMMIT}
    house.assert_whole()


# --- other processes and threads


def test_sync_beside_another_process_says_who_it_is(house: House) -> None:
    house.sync()
    house.write("bridge.txt", BRIDGE)
    code = (
        "import sys, time; from pathlib import Path; from rag.store.chroma import Chroma\n"
        "with Chroma.open(Path(sys.argv[1])): print('open', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(house.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(IndexBusy, match=str(other.pid)):
            house.sync()
        (house.articles / "bridge.txt").unlink()
        assert is_current(house.settings)
        assert numbers(house.sync()) == (0, 0, 0, 2)  # nothing to do needs no lock
        other.kill()


def test_sync_in_the_process_that_has_the_folder_open(house: House) -> None:
    house.sync()
    with Chroma.open(house.data) as chroma:
        house.write("bridge.txt", BRIDGE)
        house.sync()
        assert chroma.count() == 3
        assert is_whole(house.data)
    house.assert_whole()


def test_reader_sees_the_new_articles_without_opening_again(house: House) -> None:
    house.sync()
    with Library.open(house.data, read_only=True) as library:
        revision = library.revision
        house.write("bridge.txt", BRIDGE)
        house.sync()
        assert library.revision > revision
        assert library.article("bridge") is not None


def test_the_words_of_every_revision_are_those_of_its_chunks(house: House) -> None:
    house.sync()
    house.write("bridge.txt", BRIDGE)
    house.sync()
    (house.articles / "heating.txt").unlink()
    house.sync()
    with Library.open(house.data) as library:
        assert set(library.candidates([], 99)) == {row for (row,) in library._rows("SELECT rowid FROM words")}


def test_is_current_never_raises(tmp_path: Path) -> None:
    settings = Settings(articles=tmp_path / "nowhere", data=tmp_path / "data")
    assert not is_current(settings)
    assert not (tmp_path / "data").exists()


def test_copies_found_one_by_one_are_those_found_at_once(tmp_path: Path) -> None:
    def story(n: int) -> str:
        return " ".join(f"Meldung {n}: Satz {k} über Ort {n * 7 % 13} und Person {k * n}." for k in range(15))

    texts = {f"{letter}{n}.txt": story(n) + f" Bericht {letter}." for n in range(4) for letter in "abc"}
    one_by_one, at_once = House(tmp_path / "1"), House(tmp_path / "2")
    for n in range(20):
        one_by_one.write(f"other{n}.txt", story(n + 50))
        at_once.write(f"other{n}.txt", story(n + 50))
    for name, text in texts.items():
        at_once.write(name, text)
        one_by_one.write(name, text)
        one_by_one.sync()
    duplicates = at_once.sync().duplicates
    assert len(duplicates) == 8
    assert one_by_one.sync().duplicates == duplicates


def test_progress_counts_up_to_the_whole(house: House) -> None:
    steps: list[tuple[str, int, int]] = []
    house.sync(progress=lambda *step: steps.append(step))
    assert steps[0] == ("read", 0, 2)
    assert ("read", 2, 2) in steps
    assert ("index", 2, 2) in steps
    assert steps[-1] == ("embed", 2, 2)


def test_full_disk_is_a_message_and_leaves_the_index(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sync()
    house.write("bridge.txt", BRIDGE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("rag.store.library.passage_terms", full)
        with pytest.raises(ConfigError, match="No space left on device; the existing index"):
            house.sync()
    assert len(house.texts()) == 2
    house.sync()
    house.assert_whole()


@pytest.mark.parametrize(
    "error", [IndexBusy("folder_in_use", path="data"), ProviderUnavailable("encoder_failed", why="killed")]
)
def test_a_question_is_answered_from_the_index_as_it_is_while_another_process_or_the_embedding_is_at_it(
    house: House, monkeypatch: pytest.MonkeyPatch, error: BelegError
) -> None:
    house.write("a.txt", "Der Steg am See ist gesperrt.")
    house.sync()
    house.write("b.txt", "Die Mole am Hafen ist offen.")
    monkeypatch.setattr("ingest.sync.sync", Mock(side_effect=error))
    assert catch_up(house.settings) == [str(error)]


def test_without_an_index_it_is_told_why_there_is_no_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write("a.txt", "Der Steg am See ist gesperrt.")
    monkeypatch.setattr("ingest.sync.sync", Mock(side_effect=IndexBusy("folder_in_use", path="data")))
    with pytest.raises(IndexBusy):
        catch_up(house.settings)
