"""Beleg's retrieval as a LlamaIndex retriever: for any LlamaIndex app, agent or evaluator."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from rag.engine import Engine
from rag.schema import Passage


class BelegRetriever(BaseRetriever):
    """Passages of an engine, best first, as nodes with exact offsets into their article."""

    def __init__(self, engine: Engine, k: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._engine = engine
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(passage) for passage in self._engine.search(query_bundle.query_str, self._k)]


def as_node(passage: Passage) -> NodeWithScore:
    """A passage as LlamaIndex's node: the chunk's id, text and offsets, the article as its source."""
    chunk, article = passage.chunk, passage.article
    stated = {
        "article_id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "author": article.author,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
    }
    node = TextNode(
        id_=chunk.id,
        text=chunk.text,
        start_char_idx=chunk.start,
        end_char_idx=chunk.end,
        metadata={name: value for name, value in stated.items() if value is not None},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=article.id)},
    )
    return NodeWithScore(node=node, score=passage.score)
