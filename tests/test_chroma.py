"""Protects the vectors: they follow the library, others read them, damage is noticed, they have one owner."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection

from rag.errors import ConfigError, IndexBusy, IndexMismatch
from rag.models.embedder import Floats
from rag.models.embedder import vectors as hashed
from rag.models.embedding import build_embedder
from rag.schema import BUILTIN_DIMENSION, Article, Chunk
from rag.settings import Settings
from rag.store.chroma import CHUNKS, FOLDER, Chroma, Embed, Pair, add_missing, delete_unknown, is_whole
from rag.store.library import Library
from rag.store.lock import announce, owner
from tests.builtin_embedding import BuiltinEmbedding

NOTE = "embedding builtin/512"
SENTENCES = [
    "Trump und Putin trafen sich in Anchorage.",
    "Der Stadtrat beschloss den Wärmeplan für „40 Quartiere“.",
    "Die Fernwärme kostet 13,8 Cent je Kilowattstunde.",
]


def pair(n: int, sentence: str) -> Pair:
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
    return article, chunk


def fill(chroma: Chroma, sentences: list[str] = SENTENCES) -> list[str]:
    """Writes an article a sentence; the ids of their chunks."""
    pairs = [pair(n, sentence) for n, sentence in enumerate(sentences)]
    chroma.add(pairs, hashed(sentences))
    return [chunk.id for _, chunk in pairs]


def many(number: int) -> list[str]:
    return [f"Absatz {n} über Thema{n % 97} und Ort{n % 89} im Jahr {1900 + n}." for n in range(number)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def chroma(data: Path) -> Iterator[Chroma]:
    with Chroma.open(data) as chroma:
        yield chroma


@pytest.fixture
def library(data: Path) -> Iterator[Library]:
    with Library.open(data) as library:
        yield library


def put(library: Library, sentences: Sequence[str], note: str = NOTE) -> None:
    pairs = [pair(n, sentence) for n, sentence in enumerate(sentences)]
    library.replace([(article, [chunk]) for article, chunk in pairs], meta={"fingerprint": note})


def embed(pairs: Sequence[Pair]) -> Floats:
    return hashed([chunk.text for _, chunk in pairs])


def reconcile(library: Library, chroma: Chroma, by: Embed) -> int:
    """As a sync does it."""
    delete_unknown(library, chroma)
    return add_missing(library, chroma, by)


# --- writing and finding


def test_nearest_chunk_comes_first_with_its_similarity(chroma: Chroma) -> None:
    ids = fill(chroma)
    found = chroma.query(hashed(["Was kostet eine Kilowattstunde Fernwärme?"])[0], 3)
    assert found[0][0] == ids[2]
    assert 0.2 < found[0][1] < 1
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_chunk_finds_itself_with_similarity_one(chroma: Chroma) -> None:
    ids = fill(chroma)
    assert chroma.query(hashed(SENTENCES)[1], 1) == [(ids[1], pytest.approx(1, abs=1e-5))]


def test_nothing_is_found_where_there_is_nothing(chroma: Chroma) -> None:
    assert chroma.query(hashed(["Fernwärme"])[0], 5) == []


def test_writing_again_replaces(chroma: Chroma) -> None:
    fill(chroma)
    fill(chroma)
    assert chroma.count() == 3


def test_deleted_chunks_are_gone_and_unknown_ids_do_no_harm(chroma: Chroma) -> None:
    ids = fill(chroma)
    chroma.delete([ids[0], "unknown#0#0"])
    chroma.delete([])
    assert chroma.ids() == set(ids[1:])


def test_vectors_come_back_in_the_order_asked_or_not_at_all(chroma: Chroma) -> None:
    ids = fill(chroma)
    found = chroma.vectors(ids[::-1])
    assert found is not None
    np.testing.assert_allclose(found, hashed(SENTENCES)[::-1], atol=1e-6)
    assert chroma.vectors([*ids, "unknown#0#0"]) is None


def test_vector_of_another_length_is_a_mismatch(chroma: Chroma) -> None:
    fill(chroma)
    with pytest.raises(IndexMismatch, match="--rebuild"):
        chroma.query(np.ones(20, dtype=np.float32), 1)


# --- following the library


def test_chroma_has_what_the_library_has_and_nothing_else(library: Library, chroma: Chroma) -> None:
    put(library, SENTENCES)
    assert reconcile(library, chroma, embed) == 0
    assert chroma.ids() == set(library.chunk_rows())
    put(library, ["Etwas ganz anderes."])
    assert reconcile(library, chroma, embed) == 0
    assert chroma.ids() == set(library.chunk_rows())
    assert len(chroma.ids()) == 3


def test_what_is_there_is_not_embedded_again(library: Library, chroma: Chroma) -> None:
    asked: list[str] = []

    def counted(pairs: Sequence[Pair]) -> Floats:
        asked.extend(chunk.text for _, chunk in pairs)
        return embed(pairs)

    put(library, SENTENCES[:2])
    reconcile(library, chroma, counted)
    put(library, SENTENCES)
    reconcile(library, chroma, counted)
    assert sorted(asked) == sorted(SENTENCES)


def test_what_failed_is_gone_on_with(
    library: Library, chroma: Chroma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma, "batch", 1)
    put(library, SENTENCES)

    def failing(pairs: Sequence[Pair]) -> Floats:
        if chroma.count() == 2:
            raise RuntimeError("out of order")
        return embed(pairs)

    with pytest.raises(RuntimeError):
        reconcile(library, chroma, failing)
    assert chroma.count() == 2
    assert reconcile(library, chroma, embed) == 0
    assert chroma.count() == 3


def test_no_batch_is_larger_than_chroma_takes(
    library: Library, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    upsert = Collection.upsert

    def limited(self: Collection, **values: Any) -> None:
        sizes.append(len(values["ids"]))
        upsert(self, **values)

    monkeypatch.setattr(Client, "get_max_batch_size", lambda _: 20)
    monkeypatch.setattr(Collection, "upsert", limited)
    sentences = many(100)
    put(library, sentences)
    with Chroma.open(data) as chroma:
        reconcile(library, chroma, embed)
        assert (sum(sizes), max(sizes) <= 20) == (100, True)
        assert chroma.query(hashed([sentences[43]])[0], 1)[0][0].startswith("a43#")


@pytest.mark.parametrize("dimension", [512, 20])
def test_another_embedding_has_all_its_vectors_made_anew(
    library: Library, chroma: Chroma, dimension: int
) -> None:
    put(library, SENTENCES)
    reconcile(library, chroma, embed)
    library.note("fingerprint", "another")
    rows = np.eye(dimension, dtype=np.float32)[:3]
    reconcile(library, chroma, lambda pairs: rows[: len(pairs)])
    assert chroma.fingerprint == "another"
    found = chroma.vectors(sorted(chroma.ids()))
    assert found is not None
    assert sorted(found.argmax(axis=1).tolist()) == [0, 1, 2]


def test_reader_goes_on_while_everything_is_made_anew(library: Library, data: Path, chroma: Chroma) -> None:
    put(library, SENTENCES)
    with Chroma.open(data) as reader:
        reconcile(library, chroma, embed)
        library.note("fingerprint", "another")
        reconcile(library, chroma, embed)
        assert reader.query(hashed(SENTENCES)[1], 1)[0][0].startswith("a1#")


def test_a_write_that_failed_is_not_trusted(
    library: Library, chroma: Chroma, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    put(library, SENTENCES)
    with monkeypatch.context() as broken:
        broken.setattr(Collection, "upsert", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(ConfigError, match="full"):
            reconcile(library, chroma, embed)
    assert not is_whole(data)
    reconcile(library, chroma, embed)
    assert is_whole(data)
    assert chroma.ids() == set(library.chunk_rows())


# --- what others find there


def raw(data: Path):  # type: ignore[no-untyped-def]
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(_env_file=None, anonymized_telemetry=False)
    client = chromadb.PersistentClient(str(data.resolve() / FOLDER), settings=settings)
    return client.get_collection(CHUNKS, embedding_function=None)


def test_plain_chroma_user_finds_text_and_metadata(chroma: Chroma, data: Path) -> None:
    ids = fill(chroma)
    found = raw(data).get(ids=[ids[0]], include=["documents", "metadatas"])
    assert found["documents"] == [SENTENCES[0]]
    assert SENTENCES[0] not in found["metadatas"][0]["_node_content"], "it is there once"
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
        "document_id": "a0",
        "doc_id": "a0",
        "ref_doc_id": "a0",
    }


def test_unknown_facts_are_left_out_of_the_metadata(chroma: Chroma, data: Path) -> None:
    ids = fill(chroma)
    (metadata,) = raw(data).get(ids=[ids[1]], include=["metadatas"])["metadatas"]
    assert "title" not in metadata
    assert "author" not in metadata


def test_index_is_built_for_recall_with_cosine(chroma: Chroma, data: Path) -> None:
    fill(chroma)
    hnsw = raw(data).configuration_json["hnsw"]
    assert (hnsw["space"], hnsw["max_neighbors"]) == ("cosine", 64)
    assert (hnsw["ef_construction"], hnsw["ef_search"]) == (400, 500)


def test_llama_index_reads_text_and_metadata(chroma: Chroma, data: Path) -> None:
    from llama_index.core import VectorStoreIndex
    from llama_index.vector_stores.chroma import ChromaVectorStore

    ids = fill(chroma)
    store = ChromaVectorStore(chroma_collection=raw(data))
    index = VectorStoreIndex.from_vector_store(store, embed_model=BuiltinEmbedding())
    best = index.as_retriever(similarity_top_k=2).retrieve("Was kostet die Fernwärme?")[0]
    assert best.node.node_id == ids[2]
    assert best.node.get_content() == SENTENCES[2]
    assert best.node.metadata["article_id"] == "a2"
    assert best.node.metadata["published"] == 20250816
    assert best.node.ref_doc_id == "a2"
    assert (best.node.start_char_idx, best.node.end_char_idx) == (0, len(SENTENCES[2]))  # type: ignore[attr-defined]


# --- damage


def written(data: Path, sentences: list[str]) -> None:
    with Chroma.open(data) as chroma:
        chroma.renew(NOTE)
        fill(chroma, sentences)


def hnsw_file(data: Path, name: str) -> Path:
    return max((data / FOLDER).glob(f"*/{name}"), key=lambda path: path.stat().st_size)


def test_folder_is_whole_while_it_is_used_and_afterwards(data: Path) -> None:
    data.mkdir()
    assert not is_whole(data)
    with Chroma.open(data) as chroma:
        chroma.renew(NOTE)
        fill(chroma)
        assert is_whole(data)
        chroma.query(hashed(["Fernwärme"])[0], 1)
        assert is_whole(data)
    assert is_whole(data)


@pytest.mark.parametrize("number", [40, 600])
def test_what_was_read_by_a_killed_process_is_whole(data: Path, number: int) -> None:
    written(data, many(number))
    code = HOLDER.replace("print(", "chroma.query(chroma.vectors([next(iter(chroma.ids()))])[0], 3); print(")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        process.kill()
    assert is_whole(data)
    with Chroma.open(data) as chroma:
        assert (chroma.count(), chroma.damage) == (number, None)


@pytest.mark.parametrize("spoil", ["delete", "truncate", "garbage", "empty"])
@pytest.mark.parametrize("name", ["chroma.sqlite3", "data_level0.bin", "link_lists.bin"])
def test_spoilt_file_is_noticed_and_all_is_thrown_away(data: Path, name: str, spoil: str) -> None:
    written(data, many(600))  # above five hundred Chroma writes the graph
    _spoil(data / FOLDER / name if name.endswith("3") else hnsw_file(data, name), spoil)
    with Chroma.open(data) as chroma:  # opening it as it is would be a SIGSEGV
        assert chroma.damage == "files are missing, changed or cut short"
        assert chroma.count() == 0
        assert not is_whole(data)
        fill(chroma)
        assert chroma.count() == 3


def _spoil(path: Path, how: str) -> None:
    size = path.stat().st_size
    if how == "delete":
        path.unlink()
    elif how == "truncate":
        os.truncate(path, size // 2)
    else:
        path.write_bytes(b"\x5a" * size if how == "garbage" else b"")


def test_folder_of_an_earlier_beleg_is_filled_anew(data: Path) -> None:
    written(data, SENTENCES)
    (data / "chroma.files").unlink()
    with Chroma.open(data) as chroma:
        assert (chroma.count(), chroma.damage) == (0, None)


# --- one owner


ROOT = Path(__file__).parents[1]
HOLDER = """
import sys, time
from pathlib import Path
from rag.store.chroma import Chroma
with Chroma.open(Path(sys.argv[1])) as chroma:
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the folder open."""
    command = [sys.executable, "-c", HOLDER, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_second_process_is_told_who_has_the_folder(holder: subprocess.Popen[str], data: Path) -> None:
    with pytest.raises(IndexBusy, match=f"process {holder.pid}"):
        Chroma.open(data)


def test_lock_of_a_killed_process_does_not_block(holder: subprocess.Popen[str], data: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Chroma.open(data) as chroma:
        assert chroma.count() == 0


def test_one_process_may_open_the_folder_twice(chroma: Chroma, data: Path) -> None:
    fill(chroma)
    with Chroma.open(data) as second:
        assert second.count() == 3
    assert chroma.count() == 3


def test_owner_leaves_its_address_and_takes_it_along(data: Path) -> None:
    with Chroma.open(data):
        announce(data.resolve(), "http://127.0.0.1:7860")
        noted = owner(data)
        assert noted is not None
        assert (noted["pid"], noted["address"]) == (str(os.getpid()), "http://127.0.0.1:7860")
    assert owner(data) is None


def test_folder_that_cannot_be_written_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(ConfigError):
        Chroma.open(tmp_path / "data")


# --- the built-in embedding


def test_embedding_is_the_same_in_every_process() -> None:
    code = "from rag.models.embedder import vectors; print(vectors(['Gipfel in Alaska'])[0].tobytes().hex())"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
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


def test_unknown_embedding_names_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match="allowed: auto, e5, words"):
        build_embedder(Settings(embedding="bge-m4"))
