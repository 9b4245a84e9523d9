"""Protects vectors that were paid for: found again bit by bit, whoever asks, and no more than are wanted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ConfigError
from rag.models.embedder import Floats
from rag.models.embedding_cache import FILE_NAME, EmbeddingCache


def rows(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)


def test_vectors_come_back_as_they_were_after_reopening(tmp_path: Path) -> None:
    path, kept = tmp_path / "new" / FILE_NAME, rows(2)
    with closing(EmbeddingCache(path)) as cache:
        cache.put("m", ["eins", "zwei"], kept)
    with closing(EmbeddingCache(path)) as cache:
        found = cache.get("m", ["zwei", "drei", "eins", "zwei"])
    assert sorted(found) == ["eins", "zwei"]
    np.testing.assert_array_equal([found["eins"], found["zwei"]], kept)


def test_models_do_not_share_vectors(tmp_path: Path) -> None:
    with closing(EmbeddingCache(tmp_path / FILE_NAME)) as cache:
        cache.put("m", ["eins"], rows(1))
        cache.put("n", ["eins"], rows(1, seed=1))
        cache.forget("m")
        assert cache.get("m", ["eins"]) == {}
        np.testing.assert_array_equal(cache.get("n", ["eins"])["eins"], rows(1, seed=1)[0])


def test_many_texts_are_held_at_once(tmp_path: Path) -> None:
    texts = [f"Text {number}" for number in range(1201)]
    with closing(EmbeddingCache(tmp_path / FILE_NAME)) as cache:
        cache.put("m", texts, rows(1201))
        assert len(cache.get("m", texts)) == len(cache) == 1201


def test_pruning_keeps_what_is_wanted_and_leaves_a_small_cache_alone(tmp_path: Path) -> None:
    with closing(EmbeddingCache(tmp_path / FILE_NAME)) as cache:
        cache.put("m", ["eins", "zwei", "drei"], rows(3))
        cache.put("n", ["eins"], rows(1))
        assert cache.prune("m", iter([]), limit=4) == 0
        assert cache.prune("m", ["eins"], limit=2) == 2
        assert (len(cache.get("m", ["eins", "zwei"])), len(cache.get("n", ["eins"]))) == (1, 1)
        assert cache.prune("m", ["eins"], limit=1) == 1
        assert (len(cache.get("m", ["eins"])), len(cache.get("n", ["eins"]))) == (1, 0)


def test_many_threads_share_one_cache(tmp_path: Path) -> None:
    def work(number: int) -> bool:
        texts, kept = [f"{number} a", f"{number} b"], rows(2, seed=number)
        cache.put("m", texts, kept)
        found = cache.get("m", texts)
        return bool(np.array_equal([found[text] for text in texts], kept))

    with closing(EmbeddingCache(tmp_path / FILE_NAME)) as cache, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))
        assert len(cache) == 128


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_cache_that_cannot_be_read_starts_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with closing(EmbeddingCache(path)) as cache:
        cache.put("m", ["eins"], rows(1))
        assert len(cache) == 1
    assert "starts anew" in caplog.text


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot use .*check free space and permissions"):
        EmbeddingCache(tmp_path / "file" / FILE_NAME)
