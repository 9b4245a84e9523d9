"""Protects the read model: what is served, in which version, and that a reader never sees half a change."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rag.errors import ConfigError, IndexDamaged, IndexMismatch
from rag.schema import CHUNKER_VERSION, Article, Aside, Chunk
from rag.settings import Settings
from rag.store.library import Library
from rag.store.library_file import FILE_NAME, check_fingerprint, fingerprint
from rag.store.library_rows import Counts, Entry, FileState

TEXT = "Grüße 👋 aus Alaska\n\n„Das Treffen war gut“, sagte er. Straßen­sperren gab es viele."


def article(id: str = "alaska", text: str = TEXT, **facts: object) -> Article:
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Article(id=id, text=text, source=f"{id}.txt", sha256=sha, **facts)  # type: ignore[arg-type]


def chunks(article: Article, *spans: tuple[int, int]) -> list[Chunk]:
    return [
        Chunk(
            id=f"{article.id}#{article.sha256[:12]}#{n}",
            article_id=article.id,
            ordinal=n,
            start=start,
            end=end,
            text=article.text[start:end],
            sentences=((start, end),),
        )
        for n, (start, end) in enumerate(spans or [(0, len(article.text))])
    ]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


def test_article_comes_back_as_it_was_written(library: Library) -> None:
    written = article(
        title="Grüße",
        outlet="taz",
        author="A. B.",
        published=date(2025, 8, 16),
        language="de",
        genre="comment",
        asides=(Aside(0, 19, "title"),),
    )
    library.replace([(written, chunks(written))])
    assert library.article("alaska") == written
    assert list(library.articles()) == [written]


def test_chunk_text_is_the_slice_of_its_article_beyond_the_basic_plane_too(library: Library) -> None:
    written = article()
    cut = chunks(written, (0, 19), (21, 52), (53, len(TEXT)))
    library.replace([(written, cut)])
    assert library.chunks_of("alaska") == cut
    assert [chunk.text for chunk in library.chunks_of("alaska")] == [TEXT[c.start : c.end] for c in cut]


def test_a_passage_is_a_chunk_with_its_article(library: Library) -> None:
    written = article()
    cut = chunks(written, (0, 19), (21, 52), (53, len(TEXT)))
    library.replace([(written, cut)])
    rows = library.rows_of([cut[2].id, "nowhere#0#0", cut[0].id])
    found = library.passages_at(list(rows.values()))
    assert {id: found[row] for id, row in rows.items()} == {c.id: (written, c) for c in (cut[0], cut[2])}


def test_unknown_ids_are_none_or_empty(library: Library) -> None:
    assert library.article("nowhere") is None
    assert library.chunks_of("nowhere") == []
    assert list(library.articles(["nowhere"])) == []


def test_articles_and_chunks_can_be_asked_for_in_any_number(library: Library) -> None:
    many = [article(f"a{n:04}") for n in range(2_000)]
    library.replace((one, chunks(one)) for one in many)
    ids = [one.id for one in many]
    assert [one.id for one in library.articles(ids)] == ids
    assert len(library.rows_of(library.chunk_rows())) == 2_000


def test_new_version_replaces_the_old_one_with_its_chunks(library: Library) -> None:
    old, new = article(text="Alt. Ganz alt."), article(text="Neu.")
    library.replace([(old, chunks(old, (0, 4), (5, 14)))])
    library.replace([(new, chunks(new))])
    assert library.article("alaska") == new
    assert list(library.chunk_rows()) == [f"alaska#{new.sha256[:12]}#0"]


def test_removed_article_is_gone_with_its_chunks_and_marks(library: Library) -> None:
    one = article()
    library.replace([(one, chunks(one))], marks={"alaska": [1, 2]})
    library.replace(removed=["alaska"])
    assert library.counts() == Counts(0, 0, None, None)
    assert library.sharing([1, 2]) == {}


def test_revision_grows_with_every_change_and_only_then(library: Library) -> None:
    one = article()
    library.replace([(one, chunks(one))])
    assert library.revision == 1
    library.replace(files={"/a.txt": FileState(1, 2)}, meta={"fingerprint": "x"})
    library.note("vectors", "s")
    assert library.revision == 1
    library.replace(copies={"alaska": "other"})
    assert library.revision == 2
    library.replace(copies={"alaska": "other"})
    assert library.revision == 2


def test_failure_inside_a_flip_changes_nothing(library: Library) -> None:
    old, new = article(text="Alt."), article(text="Neu.")
    library.replace([(old, chunks(old))], meta={"fingerprint": "before"})

    def breaking() -> Iterator[tuple[Article, list[Chunk]]]:
        yield new, chunks(new)
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        library.replace(breaking(), meta={"fingerprint": "after"})
    assert library.article("alaska") == old
    assert (library.revision, library.fingerprint) == (1, "before")


def test_reader_in_another_thread_sees_the_old_state_until_the_flip_is_done(library: Library) -> None:
    old, new = article(text="Alt."), article(text="Neu.")
    library.replace([(old, chunks(old))])
    seen: list[Article | None] = []

    def slowly() -> Iterator[tuple[Article, list[Chunk]]]:
        yield new, chunks(new)
        reader = threading.Thread(target=lambda: seen.append(library.article("alaska")))
        reader.start()
        reader.join()

    library.replace(slowly())
    assert seen == [old]
    assert library.article("alaska") == new


def test_many_threads_read_at_once(library: Library) -> None:
    one = article()
    library.replace([(one, chunks(one))])
    seen: list[Article | None] = []
    threads = [threading.Thread(target=lambda: seen.append(library.article("alaska"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [one] * 20


def test_manifest_and_files_are_replaced_as_a_whole(library: Library) -> None:
    one, two = article("one"), article("two")
    library.replace(
        [(one, chunks(one)), (two, chunks(two))],
        manifest={
            "one": Entry("one", "/s/one.txt", "one.txt", "1"),
            "two": Entry("two", "/s/two.txt", "two.txt", "2"),
        },
        files={"/s/one.txt": FileState(1, 2), "/s/bad.txt": FileState(3, 4, ("empty",), unread=True)},
    )
    assert {path: held[:2] for path, held in library.files().items()} == {
        "/s/one.txt": (1, 2),
        "/s/bad.txt": (3, 4),
    }
    library.replace(removed=["two"], manifest={"one": Entry("one", "/s/one.txt", "one.txt", "1")}, files={})
    assert library.manifest() == {"one": Entry("one", "/s/one.txt", "one.txt", "1")}
    assert library.files() == {}


def test_article_follows_its_file_to_another_folder(library: Library) -> None:
    one = article()
    library.replace(
        [(one, chunks(one))], manifest={"alaska": Entry("alaska", "/s/alaska.txt", "alaska.txt", "1")}
    )
    library.replace(manifest={"alaska": Entry("alaska", "/s/2025/alaska.txt", "2025/alaska.txt", "1")})
    moved = library.article("alaska")
    assert moved is not None
    assert moved.source == "2025/alaska.txt"


def test_counts_give_the_first_and_last_day(library: Library) -> None:
    days = [date(2025, 8, 19), date(2025, 8, 15), None]
    many = [article(f"a{n}", published=day) for n, day in enumerate(days)]
    library.replace((one, chunks(one)) for one in many)
    assert library.counts() == Counts(3, 3, date(2025, 8, 15), date(2025, 8, 19))


@pytest.mark.parametrize("content", [b"", b"garbage " * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_broken_library_is_reported_with_the_command_that_rebuilds(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(IndexDamaged, match="python -m ingest --rebuild"):
        Library.open(tmp_path)


def test_truncated_library_is_reported(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        many = [article(f"a{n}") for n in range(500)]
        library.replace((one, chunks(one)) for one in many)
    data = (tmp_path / FILE_NAME).read_bytes()
    for left in (len(data) // 2, len(data) - 1):
        (tmp_path / FILE_NAME).write_bytes(data[:left])
        with pytest.raises(IndexDamaged, match="--rebuild"):
            Library.open(tmp_path, read_only=True)


def test_library_that_is_being_written_is_not_taken_for_a_truncated_one(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.replace((one, chunks(one)) for one in [article(f"a{n}") for n in range(500)])
        with Library.open(tmp_path, read_only=True) as other:
            assert other.counts().articles == 500


def test_database_of_another_program_is_not_taken_for_a_library(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute("CREATE TABLE articles (id)")
    other.commit()
    other.close()
    with pytest.raises(IndexDamaged, match="not an index of Beleg"):
        Library.open(tmp_path)


def test_library_of_a_newer_beleg_is_a_mismatch(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    newer = sqlite3.connect(tmp_path / FILE_NAME)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(IndexMismatch, match="format 99"):
        Library.open(tmp_path)


def test_missing_library_is_not_created_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="python -m ingest"):
        Library.open(tmp_path / "data", read_only=True)
    assert not (tmp_path / "data").exists()


def test_reader_cannot_write(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    with Library.open(tmp_path, read_only=True) as library, pytest.raises(ConfigError):
        library.note("fingerprint", "x")


def test_closed_library_leaves_one_file(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.replace([(article(), chunks(article()))])
    with Library.open(tmp_path, read_only=True) as library:
        assert library.counts().articles == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_folder_that_cannot_be_made_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(ConfigError, match="cannot use"):
        Library.open(tmp_path / "data")


def test_fingerprint_names_what_the_index_depends_on() -> None:
    settings = Settings(chunk_words=90)
    assert "embedding builtin/512" in fingerprint(settings)
    assert f"chunks {CHUNKER_VERSION}/90 words" in fingerprint(settings)


def test_mismatch_says_both_sides_and_what_to_do() -> None:
    with pytest.raises(IndexMismatch) as caught:
        check_fingerprint("embedding bge-m3", "embedding builtin/512")
    for words in ("embedding bge-m3", "embedding builtin/512", "python -m ingest --rebuild"):
        assert words in str(caught.value)


def test_threads_one_after_another_leave_one_connection_open(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for _ in range(5):
            thread = threading.Thread(target=library.counts)
            thread.start()
            thread.join()
        assert len(library._idle) == 1
    assert library._idle == []


def test_a_connection_in_use_is_closed_once_it_is_not(tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    with library._connection() as connection:
        library.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
