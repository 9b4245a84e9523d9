"""Protects Beleg as a part of LlamaIndex: its retriever works where any retriever does."""

from pathlib import Path

import pytest

from rag.settings import load_settings

ARTICLE = """Die Stadt baut im Mai eine neue Brücke über den Fluss.

Der Bürgermeister Jan Kowalski nannte den Neubau überfällig. Die Kosten liegen bei zwölf Millionen Euro."""


@pytest.fixture
def engine(tmp_path: Path):
    from ingest.sync import sync
    from rag.engine import open_engine

    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "bruecke.txt").write_text(ARTICLE, encoding="utf-8")
    settings = load_settings(articles=articles, data=tmp_path / "data")
    sync(settings)
    engine = open_engine(settings)
    yield engine
    engine.close()


def test_retriever_returns_nodes_with_exact_offsets(engine) -> None:
    from llama_index.core.base.base_retriever import BaseRetriever

    retriever = engine.as_retriever(k=1)
    assert isinstance(retriever, BaseRetriever)
    (found,) = retriever.retrieve("Was kostet die Brücke?")
    assert found.node.metadata["article_id"] == "bruecke"
    assert ARTICLE[found.node.start_char_idx : found.node.end_char_idx] == found.node.get_content()
    assert 0 < found.score <= 1


def test_retriever_serves_a_llama_index_query_engine(engine) -> None:
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    answer = RetrieverQueryEngine.from_args(engine.as_retriever(), llm=MockLLM()).query("Wer ist Kowalski?")
    assert any("Kowalski" in node.text for node in answer.source_nodes)
