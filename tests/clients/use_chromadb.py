"""Chroma's own client on a copy of the index: the text of each passage, found by a vector."""

import shutil
import tempfile
from pathlib import Path

import chromadb
from told import DATA, QUOTE, tried, version


def passages() -> chromadb.Collection:
    folder = Path(tempfile.mkdtemp()) / "chroma"
    shutil.copytree(Path(DATA) / "chroma", folder)
    return chromadb.PersistentClient(str(folder)).get_collection("chunks", embedding_function=None)


def nearest() -> str:
    found = collection.get(where_document={"$contains": QUOTE}, include=["embeddings"])
    near = collection.query(query_embeddings=found["embeddings"][:1], n_results=1)
    return near["documents"][0][0]


version("chromadb")
collection = passages()
tried("every passage with its text", lambda: all(collection.get()["documents"]))
tried("found by its text and by its vector", nearest)
