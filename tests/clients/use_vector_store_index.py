"""LlamaIndex's `VectorStoreIndex` on a copy of the index, with the embedding that Beleg serves."""

import shutil
import tempfile
from pathlib import Path

import chromadb
from llama_index.core import VectorStoreIndex
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore
from told import ADDRESS, DATA, QUESTION, tried, version

folder = Path(tempfile.mkdtemp()) / "chroma"
shutil.copytree(Path(DATA) / "chroma", folder)
collection = chromadb.PersistentClient(str(folder)).get_collection("chunks", embedding_function=None)
embedding = OpenAILikeEmbedding(model_name="auto", api_base=f"{ADDRESS}/v1", api_key="none")
index = VectorStoreIndex.from_vector_store(ChromaVectorStore(collection), embed_model=embedding)


def found() -> str:
    return " ".join(node.get_content() for node in index.as_retriever(similarity_top_k=5).retrieve(QUESTION))


version("llama-index-core")
tried("retriever", found)
