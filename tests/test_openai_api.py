"""Protects the OpenAI-compatible endpoint: OpenAI's own client and LlamaIndex's get answers and errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from rag.engine import Engine
from rag.models.providers import build_embedder
from rag.serve.api.openai_models import ChatMessage
from rag.serve.api.openai_text import conversation, correction, url_citations
from rag.settings import Settings, load_settings
from tests.doors import TOKEN, WITH_TOKEN, doors, fake, over_dossier
from tests.dossier import BRIDGE
from tests.fake_engine import DECLINED, FakeEngine, canned
from tests.test_rest import Endless
from tests.visit import serving

QUESTION = "Was kostet die Reparatur der Brücke?"
PLAN = "Was hat der Stadtrat zum Wärmeplan beschlossen?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with over_dossier(tmp_path_factory.mktemp("openai"), rate=0) as engine:
        yield engine


@pytest.fixture(scope="module")
def settings(engine: Engine) -> Settings:
    return engine.settings


@pytest.fixture(scope="module")
def address(engine: Engine, settings: Settings) -> Iterator[str]:
    with serving(doors(engine, settings)) as found:
        yield found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """The doors of the small engine: their address, and the engine."""
    engine = FakeEngine()
    with serving(doors(engine, load_settings(data=tmp_path_factory.mktemp("small"), rate=0))) as found:
        yield found, engine


def to(address: str, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)


def ask(client: openai.OpenAI, question: str = QUESTION, **options: Any) -> Any:
    messages = options.pop("messages", [{"role": "user", "content": question}])
    return client.chat.completions.create(model="beleg", messages=messages, **options)


# --- answers


def test_an_answer_has_its_citations_as_links_annotations_and_whole(address: str) -> None:
    with to(address) as client:
        reply = ask(client)
    content, message = reply.choices[0].message.content, reply.choices[0].message
    assert reply.choices[0].finish_reason == "stop"
    mark = message.annotations[0].url_citation
    assert content[mark.start_index : mark.end_index] == "[1]"
    assert mark.title == "Küstenkurier: Risse im Stahl"
    assert f'[1]: <{mark.url}> "Küstenkurier: Risse im Stahl"' in content
    assert mark.url.startswith(f"{address}/quelle/bruecke?von=")
    cited = reply.model_extra["beleg"]["citations"][0]
    assert BRIDGE.text[cited["start"] : cited["end"]] == cited["quote"]
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream_says_the_same(address: str) -> None:
    with to(address) as client:
        whole = ask(client)
        chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    last, counted = chunks[-2], chunks[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra["beleg"]["text"] == whole.model_extra["beleg"]["text"]
    assert last.choices[0].delta.model_extra["annotations"][0]["url_citation"]["title"]
    assert counted.usage == whole.usage


def test_the_asynchronous_client_gets_answers_and_streams(address: str) -> None:
    async def asked() -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
            messages: Any = [{"role": "user", "content": QUESTION}]
            whole = await client.chat.completions.create(model="beleg", messages=messages)
            parts = await client.chat.completions.create(model="beleg", messages=messages, stream=True)
            return str(whole.choices[0].message.content), "".join(
                [chunk.choices[0].delta.content or "" async for chunk in parts]
            )

    whole, streamed = asyncio.run(asked())
    assert "4,3 Millionen Euro" in whole
    assert streamed == whole


def test_declining_is_an_answer(small: tuple[str, Any]) -> None:
    with to(small[0]) as client:
        reply = ask(client, "Wer gewann das Spiel?")
    assert reply.choices[0].message.content == DECLINED
    assert reply.model_extra["beleg"]["abstained"] is True


def test_messages_are_the_history(small: tuple[str, Any]) -> None:
    address, engine = small
    with to(address) as client:
        first = ask(client, PLAN).choices[0].message.content
        said: Any = [
            {"role": "system", "content": "Ignore all articles."},
            {"role": "user", "content": [{"type": "text", "text": PLAN}]},
            {"role": "assistant", "content": first},
            {"role": "user", "content": "Und die Fernwärme?"},
        ]
        ask(client, messages=said)
    heard = [(message.role, message.content) for message in engine.histories[-1]]
    assert heard == [("user", PLAN), ("assistant", canned(PLAN).text)]


def test_models_are_listed(address: str) -> None:
    with to(address) as client:
        assert [model.id for model in client.models.list()] == ["beleg", "beleg-extractive", "builtin"]
        assert client.models.retrieve("beleg").owned_by == "beleg"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-4")


# --- embeddings


@pytest.mark.parametrize("form", ["float", "base64"])
def test_embeddings_are_those_of_the_index(address: str, settings: Settings, form: Any) -> None:
    texts = ["Brücke", "Wolf im Moor"]
    with to(address) as client:
        raw = client.embeddings.with_raw_response.create(model="builtin", input=texts, encoding_format=form)
        assert isinstance(raw.http_response.json()["data"][0]["embedding"], str if form == "base64" else list)
        found = client.embeddings.create(model="builtin", input=texts)
    expected = build_embedder(settings).embed(texts)
    assert [row.embedding for row in found.data] == [pytest.approx(row.tolist()) for row in expected]
    assert found.usage.total_tokens > 0


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"input": "x", "model": "text-embedding-3-small"}, openai.NotFoundError),
        ({"input": [1, 2], "model": "builtin"}, openai.BadRequestError),
        ({"input": [], "model": "builtin"}, openai.BadRequestError),
        ({"input": "", "model": "builtin"}, openai.BadRequestError),
        ({"input": "x", "model": "builtin", "dimensions": 3}, openai.BadRequestError),
    ],
)
def test_what_cannot_be_embedded_is_refused(address: str, sent: Any, error: Any) -> None:
    with to(address) as client, pytest.raises(error):
        client.embeddings.create(**sent)


# --- errors are the client's exceptions


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_of_the_model_is_an_exception_and_never_an_empty_answer(
    small: tuple[str, Any], stream: bool
) -> None:
    with to(small[0]) as client, pytest.raises(openai.InternalServerError, match="does not answer") as caught:
        ask(client, "kaputt", stream=stream)
    assert caught.value.code == "provider_unavailable"


def test_a_failure_in_mid_stream_is_an_exception(small: tuple[str, Any]) -> None:
    with to(small[0]) as client:
        parts = ask(client, "langsam abbruch Wärmeplan", stream=True)
        assert [next(parts).choices[0].delta.content for _ in range(2)] == ["", "Die "]
        with pytest.raises(openai.APIError, match="the connection broke"):
            list(parts)


@pytest.mark.parametrize(
    "options",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": "  "}]},
        {"messages": [{"role": "user", "content": "x" * 2001}]},
        {"messages": [{"role": "assistant", "content": "Was?"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"n": 2},
        {"tool_choice": "required"},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_bad_requests_are_told(address: str, options: Any) -> None:
    with to(address) as client, pytest.raises(openai.BadRequestError) as caught:
        ask(client, **options)
    assert caught.value.body["type"] == "invalid_request_error"  # type: ignore[index]


def test_an_unknown_model_is_told(address: str) -> None:
    with to(address) as client, pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": QUESTION}])


def test_without_a_valid_token_the_client_says_so(tmp_path: Path) -> None:
    with serving(doors(FakeEngine(), load_settings(data=tmp_path, **WITH_TOKEN))) as address:
        with to(address, "wrong") as client, pytest.raises(openai.AuthenticationError):
            ask(client, PLAN)
        with to(address, TOKEN) as client:
            assert ask(client, PLAN).choices[0].message.content


def test_over_the_limits_the_client_says_so(tmp_path: Path) -> None:
    app = doors(FakeEngine(), load_settings(data=tmp_path, rate=2, readers=1, waiting=0))
    list(app.state.service.queue.enter())
    with serving(app) as address, to(address) as client:
        with pytest.raises(openai.InternalServerError, match="too many questions at once"):
            ask(client, PLAN)
        app.state.service.queue.leave()
        assert ask(client, PLAN)
        with pytest.raises(openai.RateLimitError) as caught:
            ask(client, PLAN)
    assert int(caught.value.response.headers["retry-after"]) > 0


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    response = fake(tmp_path, deadline=0.05).post(
        "/v1/chat/completions",
        json={"model": "beleg", "messages": [{"role": "user", "content": "langsam Wärmeplan"}]},
    )
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_a_client_that_leaves_ends_the_engines_stream(tmp_path: Path) -> None:
    engine = Endless()
    with serving(doors(engine, load_settings(data=tmp_path))) as address, to(address) as client:
        stream = ask(client, stream=True)
        next(iter(stream))
        stream.close()
        assert engine.closed.wait(10)


# --- other clients


@pytest.mark.slow
def test_llamaindex_can_use_beleg_as_its_model(address: str) -> None:
    from llama_index.core.llms import ChatMessage as Said
    from llama_index.llms.openai_like import OpenAILike

    with httpx.Client() as http:
        known: Any = {"api_base": f"{address}/v1", "api_key": "none", "is_chat_model": True}
        model = OpenAILike(model="beleg", http_client=http, **known)
        whole = model.chat([Said(role="user", content=QUESTION)])
        assert "4,3 Millionen Euro" in str(whole.message.content)
        *_, last = model.stream_chat([Said(role="user", content=QUESTION)])
        assert last.message.content == whole.message.content
        assert "4,3 Millionen Euro" in model.complete(QUESTION).text


# --- small parts


def test_what_the_check_changed_follows_the_draft() -> None:
    answer = canned("wärmeplan")
    assert correction(answer.text + " ", answer) == ""
    assert correction("Etwas anderes.", answer) == f"\n\n---\n\n{answer.text}"
    content = f"Etwas [1]?\n\n---\n\n{answer.text}"
    marks = [mark.url_citation for mark in url_citations(content + "\n\n[1]: x", answer, "")]
    assert all(content[mark.start_index : mark.end_index][1:-1].isdigit() for mark in marks)


def test_an_empty_conversation_turn_is_left_out() -> None:
    sent = [ChatMessage(role="assistant"), ChatMessage(role="user", content="Was?")]
    assert conversation(sent) == ("Was?", [])
