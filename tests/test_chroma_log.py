"""Protects small changes of the vector index: what is put into Chroma's log is what Chroma would have put
there, Chroma takes it when it is next opened, and it is asked itself wherever the log alone does not do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.chroma_log import ChromaLog
from rag.errors import IndexDamaged, IndexMismatch
from rag.hashing import vectors as hashed
from rag.seal import DATABASE, FOLDER, SEAL, inspect
from rag.shelf import Shelf
from rag.vector_records import version_id
from rag.vectors import Vectors
from tests.test_vectors import NOTE, SENTENCES, entry, fill

NEW = ["Die Brücke am „Hafen“ wird gesperrt.", "Die Bücherei öffnet\nwieder: 13,8 % mehr Bücher."]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A sealed index of three articles."""
    with Vectors.open(tmp_path / "data") as vectors:
        fill(vectors)
    return tmp_path / "data"


def change(vectors: Vectors) -> list[str]:
    """Adds two articles and removes the first of the old ones; the ids of the chunks that are left."""
    entries = [entry(n, sentence) for n, sentence in enumerate(NEW, 7)]
    vectors.write(entries, hashed(NEW), NOTE)
    article, chunks = entry(0, SENTENCES[0])
    vectors.delete([chunks[0].id], [version_id(article.id, article.sha256)])
    old = [chunks[0].id for _, chunks in map(entry, (1, 2), SENTENCES[1:])]
    return [*old, *(chunks[0].id for _, chunks in entries)]


def log(data: Path) -> list[tuple[Any, ...]]:
    """The log's rows, but for the time."""
    with closing(sqlite3.connect(data / FOLDER / DATABASE)) as connection:
        rows = connection.execute(
            "SELECT seq_id, topic, id, operation, vector, encoding, metadata FROM embeddings_queue"
        ).fetchall()
    return [(*row, json.loads(metadata)) for *row, metadata in rows]


def waiting(data: Path) -> int:
    """Records that Chroma has not taken yet."""
    found = ChromaLog.open(data / FOLDER)
    assert found
    with closing(found):
        return found.waiting()


def test_the_log_is_written_as_chroma_writes_it(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    before = len(log(data))
    with Vectors.open(data, to_write=True) as vectors:
        change(vectors)
    assert waiting(data) == 6
    with Vectors.open(copy) as vectors:
        change(vectors)
    assert waiting(copy) == 0
    assert len(log(data)) == before + 6
    assert log(data)[-6:] == log(copy)[-6:]


def test_chroma_finds_what_was_put_into_its_log(data: Path) -> None:
    with Vectors.open(data, to_write=True) as vectors:
        left = change(vectors)
        assert vectors.count() == 4
    assert inspect(data) == "intact"
    with Vectors.open(data) as vectors:
        assert vectors.ids() == set(left)
        assert len(vectors.versions()) == vectors.count() == 4
        assert vectors.query(hashed(NEW)[0], 1) == [(left[2], pytest.approx(1, abs=1e-5))]
        assert np.allclose(vectors.vectors(left[2:]), hashed(NEW), atol=1e-6)
        kept = vectors.query(hashed(SENTENCES)[0], 4)
        assert {id for id, _ in kept} == set(left)
    assert waiting(data) == 0


def test_chunks_are_counted_whatever_waits(data: Path) -> None:
    with Vectors.open(data, to_write=True) as vectors:
        change(vectors)
        change(vectors)  # replaces, and removes what is not there any more
        assert vectors.count() == 4
        article, chunks = entry(7, NEW[0])
        vectors.delete([chunks[0].id, "unknown#0#0"], [version_id(article.id, article.sha256)])
        assert vectors.count() == 3
    with Vectors.open(data) as vectors:
        assert vectors.count() == len(vectors.ids()) == 3


def test_who_asks_gets_chroma_itself_with_all_that_was_written(data: Path) -> None:
    with Vectors.open(data, to_write=True) as vectors:
        identity, left = vectors.identity, change(vectors)
        assert vectors.ids() == set(left)
        assert vectors.identity == identity
        with Vectors.open(data) as other:
            assert other.query(hashed(NEW)[1], 1)[0][0] == left[3]


def test_more_than_may_wait_goes_to_chroma(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.vectors.MOST", 5)  # four are written, then two removed
    with Vectors.open(data, to_write=True) as vectors:
        left = change(vectors)
        assert vectors.ids() == set(left)
    assert waiting(data) == 0


def of_another_version(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO migrations VALUES ('embeddings_queue', 3, '3.sql', '', '')")


def of_another_user(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE collections SET name = 'theirs' WHERE name = 'chunks'")


@pytest.mark.parametrize("strange", [of_another_version, of_another_user])
def test_a_file_that_is_not_as_known_is_left_to_chroma(
    data: Path, strange: Callable[[sqlite3.Connection], None]
) -> None:
    with closing(sqlite3.connect(data / FOLDER / DATABASE)) as connection, connection:
        strange(connection)
    assert ChromaLog.open(data / FOLDER) is None


def test_an_index_without_records_is_left_to_chroma(tmp_path: Path) -> None:
    with closing(Shelf(tmp_path / FOLDER)):
        pass
    assert ChromaLog.open(tmp_path / FOLDER) is None


def test_a_folder_that_was_touched_is_left_to_chroma(data: Path) -> None:
    (data / SEAL).unlink()
    with Vectors.open(data, to_write=True) as vectors:
        change(vectors)
    assert waiting(data) == 0


def test_a_vector_of_another_length_is_a_mismatch_and_nothing_is_written(data: Path) -> None:
    before = log(data)
    with (
        Vectors.open(data, to_write=True) as vectors,
        pytest.raises(IndexMismatch, match="--rebuild"),
    ):
        vectors.write([entry(7, NEW[0])], np.ones((1, 20), np.float32), NOTE)
    assert log(data) == before


def test_a_spoilt_file_is_damage(data: Path) -> None:
    (data / FOLDER / DATABASE).write_bytes(b"SQLite format 3\0" + b"\xff" * 9_000)
    with pytest.raises(IndexDamaged, match="python -m ingest"):
        ChromaLog.open(data / FOLDER)
