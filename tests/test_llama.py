"""Protects Beleg as a part of LlamaIndex: retriever, query engine and tool work where any others do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from rag.engine import Engine
from rag.errors import BadRequest, ProviderUnavailable
from rag.schema import Answer
from tests.dossier import DOSSIER, LIBRARY, engine_over

QUESTION = "Wer leitet die Bücherei?"
QUOTE = "Mareike Deters leitet die Bücherei seit acht Jahren."
UNKNOWN = "Wer gewann das Endspiel in Rom?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over the invented dossier, without a language model."""
    with engine_over(tmp_path_factory.mktemp("llama"), *DOSSIER) as engine:
        yield engine


def text_of(engine: Engine, ident: str) -> str:
    article = engine.library.article(ident)
    assert article
    return article.text


# --- retriever


def test_retriever_returns_nodes_with_exact_offsets(engine: Engine) -> None:
    from llama_index.core.base.base_retriever import BaseRetriever

    retriever = engine.as_retriever(k=1)
    assert isinstance(retriever, BaseRetriever)
    (found,) = retriever.retrieve("Was kostet die Reparatur der Brücke?")
    assert found.node.metadata["article_id"] == "bruecke"
    text = text_of(engine, "bruecke")
    assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.get_content()  # type: ignore[attr-defined]
    assert 0 < (found.score or 0) <= 1


def test_retriever_serves_a_llama_index_query_engine(engine: Engine) -> None:
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    answer = RetrieverQueryEngine.from_args(engine.as_retriever(), llm=MockLLM()).query(QUESTION)
    assert any(QUOTE in node.text for node in answer.source_nodes)


def test_retriever_serves_a_llama_index_evaluator(engine: Engine) -> None:
    from llama_index.core.evaluation import RetrieverEvaluator

    evaluator = RetrieverEvaluator.from_metric_names(["hit_rate", "mrr"], retriever=engine.as_retriever())
    expected = engine.search(QUESTION, 1)[0].chunk.id
    result = asyncio.run(evaluator.aevaluate(QUESTION, [expected]))
    assert result.metric_vals_dict == {"hit_rate": 1.0, "mrr": 1.0}


# --- query engine


def test_query_engine_answers_with_the_cited_places_as_nodes(engine: Engine) -> None:
    response = engine.as_query_engine().query(QUESTION)
    first = response.source_nodes[0].node
    assert response.response is not None
    assert response.response.startswith(f"{QUOTE} [1]")
    assert first.get_content() == QUOTE
    assert text_of(engine, "buecherei")[first.start_char_idx : first.end_char_idx] == QUOTE  # type: ignore[attr-defined]
    assert first.metadata["number"] == 1
    assert first.metadata["outlet"] == LIBRARY.outlet
    assert response.metadata is not None
    assert len(response.metadata["citations"]) == len(response.source_nodes)
    assert response.metadata["citations"][0]["quote"] == QUOTE
    assert response.metadata["abstained"] is False


def test_its_string_lists_the_sources_for_other_models(engine: Engine) -> None:
    said = str(engine.as_query_engine().query(QUESTION))
    assert f"[1] {LIBRARY.title}, {LIBRARY.outlet}, 2024-01-12 (buecherei:" in said
    assert said.count(QUOTE) == 2


def test_query_engine_says_that_it_declined(engine: Engine) -> None:
    response = asyncio.run(engine.as_query_engine().aquery(UNKNOWN))
    assert response.metadata is not None
    assert response.metadata["abstained"] is True
    assert response.metadata["reason"]
    assert response.source_nodes == []
    assert "keine belegte Antwort" in str(response)


def test_failures_are_raised(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadRequest):
        engine.as_query_engine().query("  ")

    def fails(*_: object, **__: object) -> Answer:
        raise ProviderUnavailable("the model's server is down")

    monkeypatch.setattr(engine, "ask", fails)
    with pytest.raises(ProviderUnavailable, match="down"):
        engine.as_query_engine().query(QUESTION)
    with pytest.raises(ProviderUnavailable, match="down"):
        engine.as_tool().call(QUESTION)


def test_a_router_chooses_it_among_other_engines(engine: Engine) -> None:
    from llama_index.core.llms import CustomLLM
    from llama_index.core.llms.mock import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine
    from llama_index.core.selectors import LLMSingleSelector
    from llama_index.core.tools import QueryEngineTool

    class Chooser(MockLLM):
        def _generate_text(self, length: int) -> str:  # noqa: ARG002
            return '[{"choice": 2, "reason": "it is about the dossier"}]'

    chooser: CustomLLM = Chooser(max_tokens=1)
    other = RetrieverQueryEngine.from_args(engine.as_retriever(), llm=MockLLM())
    router = RouterQueryEngine(
        selector=LLMSingleSelector.from_defaults(llm=chooser),
        query_engine_tools=[QueryEngineTool.from_defaults(other, description="other"), engine.as_tool()],
        llm=chooser,
    )
    response = router.query(QUESTION)
    assert response.source_nodes[0].node.get_content() == QUOTE


def test_llama_index_hears_of_questions_and_passages(engine: Engine) -> None:
    from llama_index.core.instrumentation import get_dispatcher
    from llama_index.core.instrumentation.event_handlers import BaseEventHandler
    from llama_index.core.instrumentation.events import BaseEvent

    heard: list[str] = []

    class Listener(BaseEventHandler):
        def handle(self, event: BaseEvent, **_: Any) -> None:
            heard.append(event.class_name())

    root, listener = get_dispatcher(), Listener()
    root.add_event_handler(listener)
    try:
        engine.as_query_engine().query(QUESTION)
        engine.as_retriever().retrieve(QUESTION)
    finally:
        root.event_handlers.remove(listener)
    assert heard == ["QueryStartEvent", "QueryEndEvent", "RetrievalStartEvent", "RetrievalEndEvent"]


def test_global_settings_of_llama_index_stay_untouched(engine: Engine) -> None:
    from llama_index.core import Settings

    before = dict(vars(Settings))
    engine.as_query_engine().query(QUESTION)
    engine.as_retriever().retrieve(QUESTION)
    engine.as_tool().call(QUESTION)
    assert vars(Settings) == before


# --- tool


# llama-index-workflows looks at every attribute of an agent
@pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated")
@pytest.mark.filterwarnings("ignore:The `__fields_set__` attribute is deprecated")
@pytest.mark.filterwarnings("ignore:Accessing the 'model_(computed_)?fields' attribute")
def test_an_agent_asks_it_and_reads_the_answer_with_its_sources(engine: Engine) -> None:
    from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
    from llama_index.core.llms import ChatMessage
    from llama_index.core.llms.llm import ToolSelection
    from llama_index.core.llms.mock import MockFunctionCallingLLM

    read: list[str] = []

    def scripted(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        if messages[-1].role != "tool":
            call = ToolSelection(tool_id="1", tool_name="dossier", tool_kwargs={"input": QUESTION})
            return ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [call]})
        read.append(messages[-1].content or "")
        return ChatMessage(role="assistant", content="Mareike Deters.")

    async def conversation() -> tuple[str, list[ToolCallResult]]:
        tool = engine.as_tool("dossier", "Local news of Moorhafen.")
        llm = MockFunctionCallingLLM(response_generator=scripted)
        handler = FunctionAgent(tools=[tool], llm=llm, streaming=False).run(user_msg=QUESTION)
        results = [event async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
        return str(await handler), results

    said, (result,) = asyncio.run(conversation())
    assert said == "Mareike Deters."
    assert f"[1] {LIBRARY.title}, {LIBRARY.outlet}" in read[0]
    assert QUOTE in read[0]
    assert result.tool_output.raw_output.metadata["citations"][0]["article_id"] == "buecherei"


def test_the_tool_describes_itself(engine: Engine) -> None:
    assert engine.as_tool().metadata.name == "beleg"
    assert "news articles" in engine.as_tool().metadata.description
    assert engine.as_tool(description="Moorhafen").metadata.description == "Moorhafen"
