"""Protects the vector index: others can read it, damage is noticed, and one process owns it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection

from rag.errors import ConfigError, IndexBusy, IndexDamaged, IndexMismatch
from rag.models.embedding import HashedEmbedding
from rag.models.hashing import vectors as hashed
from rag.models.providers import build_embedder, build_embedding
from rag.schema import BUILTIN_DIMENSION, Article, Chunk
from rag.settings import Settings
from rag.store.chroma import ARTICLES, CHUNKS
from rag.store.lock import owner
from rag.store.seal import DATABASE, FOLDER, SEAL, inspect
from rag.store.vector_records import chunk_records, version_id
from rag.store.vectors import Vectors

NOTE = "schema 1, embedding builtin/512"
SENTENCES = [
    "Trump und Putin trafen sich in Anchorage.",
    "Der Stadtrat beschloss den Wärmeplan für „40 Quartiere“.",
    "Die Fernwärme kostet 13,8 Cent je Kilowattstunde.",
]


def entry(n: int, sentence: str) -> tuple[Article, list[Chunk]]:
    sha = hashlib.sha256(sentence.encode()).hexdigest()
    article = Article(
        id=f"a{n}",
        text=sentence,
        source=f"a{n}.txt",
        sha256=sha,
        title="Ein Titel" if n == 0 else None,
        outlet="taz",
        published=date(2025, 8, 16),
        language="de",
    )
    chunk = Chunk(f"a{n}#{sha[:12]}#0", f"a{n}", 0, 0, len(sentence), sentence, ((0, len(sentence)),))
    return article, [chunk]


def fill(vectors: Vectors, sentences: list[str] = SENTENCES) -> list[str]:
    """Writes an article a sentence; the ids of their chunks."""
    entries = [entry(n, sentence) for n, sentence in enumerate(sentences)]
    vectors.write(entries, hashed(sentences), NOTE)
    return [chunks[0].id for _, chunks in entries]


def many(number: int) -> list[str]:
    return [f"Absatz {n} über Thema{n % 97} und Ort{n % 89} im Jahr {1900 + n}." for n in range(number)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def vectors(data: Path) -> Iterator[Vectors]:
    with Vectors.open(data) as vectors:
        yield vectors


# --- writing and finding


def test_nearest_chunk_comes_first_with_its_similarity(vectors: Vectors) -> None:
    ids = fill(vectors)
    found = vectors.query(hashed(["Was kostet eine Kilowattstunde Fernwärme?"])[0], 3)
    assert found[0][0] == ids[2]
    assert 0.2 < found[0][1] < 1
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_chunk_finds_itself_with_similarity_one(vectors: Vectors) -> None:
    ids = fill(vectors)
    assert vectors.query(hashed(SENTENCES)[1], 1) == [(ids[1], pytest.approx(1, abs=1e-5))]


def test_search_can_be_restricted_to_ids(vectors: Vectors) -> None:
    ids = fill(vectors)
    row = hashed(SENTENCES)[2]
    assert {id for id, _ in vectors.query(row, 5, ids[:2])} == set(ids[:2])
    assert vectors.query(row, 5, []) == []


def test_writing_again_replaces(vectors: Vectors) -> None:
    fill(vectors)
    fill(vectors)
    assert vectors.count() == 3


def test_deleted_chunks_are_gone_and_unknown_ids_do_no_harm(vectors: Vectors) -> None:
    ids = fill(vectors)
    article, _ = entry(0, SENTENCES[0])
    vectors.delete([ids[0], "unknown#0#0"], [version_id(article.id, article.sha256)])
    vectors.delete([], [])
    assert vectors.ids() == set(ids[1:])
    assert len(vectors.versions()) == 2


def test_more_than_one_batch_is_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    upsert = Collection.upsert

    def limited(self: Collection, **values: Any) -> None:
        sizes.append(len(values["ids"]))
        upsert(self, **values)

    monkeypatch.setattr(Client, "get_max_batch_size", lambda _: 200)
    monkeypatch.setattr(Collection, "upsert", limited)
    sentences = many(450)
    with Vectors.open(data) as vectors:
        fill(vectors, sentences)
        assert sizes == [200, 200, 50] * 2
        assert (vectors.count(), len(vectors.versions())) == (450, 450)
        found = vectors.query(hashed([sentences[430]])[0], 1)
        assert found[0][0].startswith("a430#")


def test_vector_of_another_length_is_a_mismatch(vectors: Vectors) -> None:
    fill(vectors)
    with pytest.raises(IndexMismatch, match="--rebuild"):
        vectors.query(np.ones(20, dtype=np.float32), 1)


# --- what others find there


def raw(data: Path, name: str):  # type: ignore[no-untyped-def]
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(_env_file=None, anonymized_telemetry=False)
    client = chromadb.PersistentClient(str(data.resolve() / FOLDER), settings=settings)
    return client.get_collection(name, embedding_function=None)


def test_plain_chroma_user_finds_text_and_metadata(vectors: Vectors, data: Path) -> None:
    ids = fill(vectors)
    found = raw(data, CHUNKS).get(ids=[ids[0]], include=["documents", "metadatas"])
    assert json.loads(found["metadatas"][0]["_node_content"])["text"] == SENTENCES[0]
    assert found["documents"] == [None]
    metadata = found["metadatas"][0]
    assert {key: value for key, value in metadata.items() if not key.startswith("_")} == {
        "article_id": "a0",
        "title": "Ein Titel",
        "outlet": "taz",
        "published": 20250816,
        "language": "de",
        "start": 0,
        "end": len(SENTENCES[0]),
        "ordinal": 0,
        "fingerprint": NOTE,
        "document_id": "a0",
    }


def test_unknown_facts_are_left_out_of_the_metadata(vectors: Vectors, data: Path) -> None:
    ids = fill(vectors)
    (metadata,) = raw(data, CHUNKS).get(ids=[ids[1]], include=["metadatas"])["metadatas"]
    assert "title" not in metadata
    assert "author" not in metadata


def test_articles_collection_holds_a_record_of_each_version_without_its_text(
    vectors: Vectors, data: Path
) -> None:
    fill(vectors)
    article, _ = entry(1, SENTENCES[1])
    found = raw(data, ARTICLES).get(ids=[version_id("a1", article.sha256)], include=["metadatas"])
    (metadata,) = found["metadatas"]
    assert "text" not in metadata
    assert (metadata["sha256"], metadata["source"]) == (article.sha256, "a1.txt")


def test_index_is_built_for_recall_with_cosine(vectors: Vectors, data: Path) -> None:
    fill(vectors)
    hnsw = raw(data, CHUNKS).configuration_json["hnsw"]
    assert (hnsw["space"], hnsw["max_neighbors"]) == ("cosine", 64)
    assert (hnsw["ef_construction"], hnsw["ef_search"]) == (400, 500)


def test_vectors_of_a_large_batch_wait_in_no_queue(vectors: Vectors, data: Path) -> None:
    with closing(sqlite3.connect(data / FOLDER / DATABASE)) as database:
        fill(vectors, [f"Satz {n}" for n in range(499)])
        assert database.execute("SELECT count(*) FROM embeddings_queue").fetchone() == (2 * 499,)
        fill(vectors, ["Der letzte Satz"])
        # the last one of chunks and of article records stays
        assert database.execute("SELECT count(*) FROM embeddings_queue").fetchone() == (2,)


@pytest.mark.parametrize("is_server", [True, False])
def test_llama_index_reads_text_and_metadata(
    vectors: Vectors, data: Path, monkeypatch: pytest.MonkeyPatch, is_server: bool
) -> None:
    records = functools.partial(chunk_records, is_server=is_server)
    monkeypatch.setattr("rag.store.shelf.chunk_records", lambda pairs, note, **_: records(pairs, note))
    from llama_index.core import VectorStoreIndex
    from llama_index.vector_stores.chroma import ChromaVectorStore

    ids = fill(vectors)
    store = ChromaVectorStore(chroma_collection=raw(data, CHUNKS))
    index = VectorStoreIndex.from_vector_store(store, embed_model=build_embedding(Settings()))
    best = index.as_retriever(similarity_top_k=2).retrieve("Was kostet die Fernwärme?")[0]
    assert best.node.node_id == ids[2]
    assert best.node.get_content() == SENTENCES[2]
    assert best.node.metadata["article_id"] == "a2"
    assert best.node.metadata["published"] == 20250816
    assert best.node.ref_doc_id == "a2"
    assert (best.node.start_char_idx, best.node.end_char_idx) == (0, len(SENTENCES[2]))  # type: ignore[attr-defined]


def test_our_metadata_is_what_llama_index_would_write(vectors: Vectors, data: Path) -> None:
    from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

    ids = fill(vectors)
    (ours,) = raw(data, CHUNKS).get(ids=[ids[0]], include=["metadatas"])["metadatas"]
    node = metadata_dict_to_node(dict(ours), text=SENTENCES[0])
    theirs = node_to_metadata_dict(node, remove_text=True, flat_metadata=True)
    assert ours.items() - {("_node_content", ours["_node_content"])} <= theirs.items()
    again = metadata_dict_to_node(theirs, text=SENTENCES[0])
    assert again == node


# --- damage


def sealed(data: Path, sentences: list[str]) -> None:
    with Vectors.open(data) as vectors:
        fill(vectors, sentences)


def hnsw_file(data: Path, name: str) -> Path:
    return max((data / FOLDER).glob(f"*/{name}"), key=lambda path: path.stat().st_size)


def test_folder_is_absent_then_in_use_then_intact(data: Path) -> None:
    data.mkdir()
    assert inspect(data) == "absent"
    with Vectors.open(data) as vectors:
        fill(vectors)
        assert inspect(data) == "unclear"
    assert inspect(data) == "intact"


def test_reading_alone_leaves_the_folder_intact(data: Path) -> None:
    sealed(data, SENTENCES)
    with Vectors.open(data) as vectors:
        vectors.query(hashed(["Fernwärme"])[0], 1)
    assert inspect(data) == "intact"


def test_zero_byte_database_is_damage_not_an_empty_index(data: Path) -> None:
    sealed(data, SENTENCES)
    (data / FOLDER / "chroma.sqlite3").write_bytes(b"")
    with pytest.raises(IndexDamaged, match="python -m ingest"):
        Vectors.open(data)


@pytest.mark.parametrize("spoil", ["delete", "truncate", "garbage"])
def test_spoilt_database_is_damage(data: Path, spoil: str) -> None:
    sealed(data, SENTENCES)
    _spoil(data / FOLDER / "chroma.sqlite3", spoil)
    with pytest.raises(IndexDamaged):
        Vectors.open(data)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["delete", "truncate", "garbage"])
def test_spoilt_vector_file_is_damage_and_never_crashes_us(data: Path, spoil: str) -> None:
    sealed(data, many(1_500))  # above a thousand Chroma writes the files
    _spoil(hnsw_file(data, "data_level0.bin"), spoil)
    with pytest.raises(IndexDamaged):
        Vectors.open(data)


@pytest.mark.slow
def test_folder_without_a_seal_is_tried_in_another_process(data: Path) -> None:
    sealed(data, many(1_500))
    (data / SEAL).unlink()
    Vectors.open(data).close()
    (data / SEAL).unlink()
    _spoil(hnsw_file(data, "data_level0.bin"), "truncate")  # opening it would be a SIGSEGV
    with pytest.raises(IndexDamaged):
        Vectors.open(data)


def _spoil(path: Path, how: str) -> None:
    size = path.stat().st_size
    if how == "delete":
        path.unlink()
    elif how == "truncate":
        os.truncate(path, size // 2)
    else:
        path.write_bytes(b"\x5a" * size)


def test_repair_starts_empty_and_says_why(data: Path) -> None:
    sealed(data, SENTENCES)
    _spoil(data / FOLDER / "chroma.sqlite3", "truncate")
    with Vectors.open(data, repair=True) as vectors:
        assert vectors.damage == "files are missing or cut short"
        assert vectors.count() == 0
        fill(vectors)
        assert vectors.count() == 3


# --- building anew


def test_index_built_beside_replaces_the_old_one_when_it_is_swapped(vectors: Vectors, data: Path) -> None:
    fill(vectors)
    before = vectors.identity
    with vectors.anew() as shelf:
        shelf.write([entry(7, "Ganz neu.")], hashed(["Ganz neu."]), NOTE)
        assert vectors.count() == 3
        identity = shelf.identity
    assert vectors.swap(identity, probed=True)
    assert (vectors.count(), vectors.identity) == (1, identity)
    assert identity != before
    assert [path.name for path in data.glob("chroma.new")] == []


def test_only_the_index_that_was_meant_is_swapped_in(vectors: Vectors) -> None:
    fill(vectors)
    assert not vectors.swap("no such index")
    with vectors.anew():
        pass
    assert not vectors.swap("another index")
    assert vectors.count() == 3


# --- one owner


HOLDER = """
import sys, time
from pathlib import Path
from rag.store.vectors import Vectors
with Vectors.open(Path(sys.argv[1])) as vectors:
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the folder open."""
    command = [sys.executable, "-c", HOLDER, str(data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_second_process_is_told_who_has_the_folder(holder: subprocess.Popen[str], data: Path) -> None:
    with pytest.raises(IndexBusy, match=f"process {holder.pid}"):
        Vectors.open(data)


def test_lock_of_a_killed_process_does_not_block(holder: subprocess.Popen[str], data: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Vectors.open(data) as vectors:
        assert vectors.count() == 0


def test_one_process_may_open_the_folder_twice(vectors: Vectors, data: Path) -> None:
    fill(vectors)
    with Vectors.open(data) as second:
        assert second.count() == 3
    assert vectors.count() == 3


def test_owner_leaves_its_address_and_takes_it_along(data: Path) -> None:
    with Vectors.open(data) as vectors:
        vectors.announce("http://127.0.0.1:7860")
        noted = owner(data)
        assert noted is not None
        assert (noted.pid, noted.address) == (os.getpid(), "http://127.0.0.1:7860")
    assert owner(data) is None


def test_folder_that_cannot_be_written_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(ConfigError):
        Vectors.open(tmp_path / "data")


# --- the built-in embedding


def test_embedding_is_the_same_in_every_process() -> None:
    code = "from rag.models.hashing import vectors; print(vectors(['Gipfel in Alaska'])[0].tobytes().hex())"
    command = [sys.executable, "-c", code]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert result.stdout.strip() == hashed(["Gipfel in Alaska"])[0].tobytes().hex()


def test_embedding_has_length_one_whatever_the_text() -> None:
    rows = hashed(["Gipfel in Alaska", "", "und der die das", "👋", "x" * 10_000])
    assert rows.shape == (5, BUILTIN_DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)


def test_embedding_of_a_text_does_not_depend_on_its_batch() -> None:
    texts = many(150)
    np.testing.assert_array_equal(hashed(texts)[140], hashed([texts[140]])[0])


def test_spellings_of_a_name_are_near() -> None:
    selenskyj, zelensky, merkel = hashed(["Selenskyj", "Zelensky", "Merkel"])
    assert selenskyj @ zelensky > 0.9
    assert selenskyj @ merkel < 0.3


def test_llama_index_and_ingest_get_the_same_vectors() -> None:
    settings = Settings()
    embedding = build_embedding(settings)
    assert isinstance(embedding, HashedEmbedding)
    np.testing.assert_allclose(
        embedding.get_text_embedding_batch(SENTENCES), build_embedder(settings).embed(SENTENCES), rtol=1e-6
    )
    assert embedding.get_query_embedding(SENTENCES[0]) == embedding.get_text_embedding(SENTENCES[0])


def test_unknown_embedding_names_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match="allowed: builtin"):
        build_embedding(Settings(embedding="bge-m4"))
