"""Beleg as parts of LlamaIndex: retriever, query engine and tool, for any of its apps, agents or evaluators.

LlamaIndex's own base classes send its instrumentation events, so that what traces them sees Beleg too;
its global `Settings` are neither read nor changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from rag.schema import Answer, Citation, Passage, Span
from rag.wire import answer_text, answer_to_dict

if TYPE_CHECKING:
    from rag.engine import Engine

DESCRIPTION = (
    "Answers a question about a dossier of news articles, in German, English, French, Portuguese or "
    "Ukrainian. Every statement carries a number in brackets, and the words of the article that it rests on "
    "follow. Where the articles do not answer the question, it says so."
)


class BelegRetriever(BaseRetriever):
    """Passages of an engine, best first, as nodes with exact offsets into their article."""

    def __init__(self, engine: Engine, k: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._engine = engine
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(passage) for passage in self._engine.search(query_bundle.query_str, self._k)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_node(passage) for passage in await self._engine.asearch(query_bundle.query_str, self._k)]


class BelegQueryEngine(BaseQueryEngine):
    """Answers of an engine as LlamaIndex responses; an abstention is one, a failure raises BelegError.

    `source_nodes[n - 1]` is the place that `[n]` cites, with its words as text and exact offsets;
    `metadata` is the whole answer as `answer_to_dict` gives it, `certainty` and `citations` included.
    """

    def __init__(
        self, engine: Engine, *, extractive: bool = False, callback_manager: CallbackManager | None = None
    ) -> None:
        super().__init__(callback_manager)
        self._engine = engine
        self._extractive = extractive

    def _query(self, query_bundle: QueryBundle) -> Response:
        return as_response(self._engine.ask(query_bundle.query_str, extractive=self._extractive))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return as_response(await self._engine.aask(query_bundle.query_str, extractive=self._extractive))

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The passages for a question, best first."""
        return BelegRetriever(self._engine).retrieve(query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


class CitedResponse(Response):
    """A response whose string, which agents read, lists the sources too; `response` is the text alone."""

    def __str__(self) -> str:
        return str((self.metadata or {}).get("readable") or super().__str__())


def as_response(answer: Answer) -> CitedResponse:
    """An answer as LlamaIndex's response."""
    nodes = [_cited_node(citation, answer) for citation in answer.citations]
    metadata = {**answer_to_dict(answer), "readable": answer_text(answer, quotes=True)}
    return CitedResponse(answer.text, nodes, metadata)


def as_node(passage: Passage) -> NodeWithScore:
    """A passage as LlamaIndex's node: the chunk's id, text and offsets, the article as its source."""
    chunk, article = passage.chunk, passage.article
    names = ("title", "outlet", "author", "published", "language")
    stated = {"article_id": article.id, **{name: getattr(article, name) for name in names}}
    stated["published"] = article.published and article.published.isoformat()
    return _node(chunk.id, chunk.text, (chunk.start, chunk.end), stated, passage.score)


def _cited_node(citation: Citation, answer: Answer) -> NodeWithScore:
    """A cited place as a node; its score is that of the passage around it, where that was retrieved."""
    start, end = citation.start, citation.end
    names = ("article_id", "title", "outlet", "published", "number", "status")
    stated = {name: getattr(citation, name) for name in names}
    stated["published"] = citation.published and citation.published.isoformat()
    own = (passage for passage in answer.passages if passage.article.id == citation.article_id)
    scores = (each.score for each in own if each.chunk.start <= start and end <= each.chunk.end)
    ident = f"{citation.article_id}#{citation.sha256[:12]}#{start}-{end}"
    return _node(ident, citation.quote, (start, end), stated, next(scores, None))


def _node(ident: str, text: str, span: Span, stated: dict[str, Any], score: float | None) -> NodeWithScore:
    node = TextNode(
        id_=ident,
        text=text,
        start_char_idx=span[0],
        end_char_idx=span[1],
        metadata={name: value for name, value in stated.items() if value is not None},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=stated["article_id"])},
    )
    return NodeWithScore(node=node, score=score)
