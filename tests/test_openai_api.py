"""Protects the OpenAI-compatible endpoint: OpenAI's own client and LlamaIndex's get answers and errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import tiktoken
from markdown_it import MarkdownIt

from rag.engine import Engine
from rag.models.embedding import build_embedder
from rag.serve.api.openai import ChatMessage, conversation
from rag.serve.api.openai_forms import correction, decided, escaped, url_citations
from rag.settings import Settings, load_settings
from tests.doors import TOKEN, WITH_TOKEN, doors, fake, over_dossier
from tests.dossier import BRIDGE
from tests.fake_engine import FakeEngine, canned
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


def test_tokens_are_embedded_as_their_text(address: str) -> None:
    """LangChain sends them by default, of cl100k_base where it does not know the model."""
    tokens = tiktoken.get_encoding("cl100k_base").encode("Wolf im Moor")
    with to(address) as client:
        text = client.embeddings.create(model="builtin", input="Wolf im Moor")
        for sent in (tokens, [tokens]):
            found = client.embeddings.create(model="builtin", input=sent)
            assert found.data[0].embedding == text.data[0].embedding


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"input": "x", "model": "text-embedding-3-small"}, openai.NotFoundError),
        ({"input": [1, -2], "model": "builtin"}, openai.BadRequestError),
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
        assert engine.closed.wait(60)


# --- text that is foreign

PICTURE = "![bild](https://evil.example/md.png)"


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_of_an_article_becomes_active_in_markdown(small: tuple[str, Any], stream: bool) -> None:
    with to(small[0]) as client:
        reply = ask(client, "gift", stream=stream)
        if stream:
            content = "".join(chunk.choices[0].delta.content or "" for chunk in reply)
        else:
            content = reply.choices[0].message.content
    shown = MarkdownIt("commonmark").render(content)
    assert "evil.example/md.png" in shown, "the words are there"
    assert not re.search(r"<(?:img|script|form)|href=\"(?!http://127)", shown)
    assert 'href="http://127.0.0.1' in shown


@pytest.mark.parametrize(
    "text",
    [
        PICTURE,
        f"\\{PICTURE}",
        f"\\\\{PICTURE}",
        "[1](https://evil.example)",
        "![1](https://evil.example)",
        "![1]",
        "[1]: https://evil.example",
        "[x][1]",
        "[x]\n\n[x]: https://evil.example",
        "<img src=https://evil.example/x>",
        "<https://evil.example>",
        "<!-- x --><b>",
        "[[1]](https://evil.example)",
    ],
)
def test_every_way_to_a_link_or_picture_is_closed(text: str) -> None:
    shown = MarkdownIt("commonmark").render(f'{escaped(text)}\n\n[1]: <http://127.0.0.1/quelle/a> "a"')
    assert (
        re.findall(r"<(?!/?(?:p|a href=\"http://127\.0\.0\.1/|/a|br)\b)|<img", shown.replace("</a>", ""))
        == []
    )
    grown = ""
    for end in range(len(text) + 1):
        assert escaped(decided(text[:end])).startswith(grown)
        grown = escaped(decided(text[:end]))


def test_what_was_escaped_is_heard_as_it_was_said() -> None:
    sent = [ChatMessage(role="assistant", content=escaped(PICTURE) + ' <b>\n\n[1]: <http://x> "x"')]
    sent += [ChatMessage(role="user", content="Und?")]
    assert conversation(sent, 6)[1][0].content == f"{PICTURE} <b>"


# --- other endpoints, and what clients send


def test_completions_answer_as_the_chat_does(address: str) -> None:
    with to(address) as client:
        whole = client.completions.create(model="beleg", prompt=QUESTION)
        assert whole.choices[0].text == ask(client).choices[0].message.content
        parts = list(client.completions.create(model="beleg", prompt=[QUESTION], stream=True))
        assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text
        assert parts[-1].choices[0].finish_reason == "stop"
        with pytest.raises(openai.BadRequestError, match="best_of, echo and suffix"):
            client.completions.create(model="beleg", prompt=QUESTION, echo=True)


def test_responses_answer_as_the_chat_does(address: str) -> None:
    with to(address) as client:
        whole = client.responses.create(model="beleg", input=QUESTION)
        assert whole.output_text == ask(client).choices[0].message.content
        assert whole.status == "completed"
        mark: Any = whole.output[0].content[0].annotations[0]  # type: ignore[union-attr]
        assert whole.output_text[mark.start_index : mark.end_index] == "[1]"
        assert whole.model_extra["beleg"]["citations"]  # type: ignore[index]
        with client.responses.stream(model="beleg", input=QUESTION) as events:
            kinds = [event.type for event in events]
            assert events.get_final_response().output_text == whole.output_text
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_a_conversation_may_be_the_input_of_a_response(small: tuple[str, Any]) -> None:
    address, engine = small
    with to(address) as client:
        first = client.responses.create(model="beleg", input=PLAN)
        said: Any = [{"role": "user", "content": PLAN}, *first.output]
        said += [{"role": "user", "content": [{"type": "input_text", "text": "Und die Fernwärme?"}]}]
        client.responses.create(model="beleg", input=said)
    assert [message.content for message in engine.histories[-1]] == [PLAN, canned(PLAN).text]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"tools": [{"type": "web_search"}]}, "leave tools out"),
        ({"text": {"format": {"type": "json_object"}}}, "Answers are text"),
        ({"previous_response_id": "resp_1"}, "send it whole"),
        ({"background": True}, "leave background out"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "its role is user"),
    ],
)
def test_what_a_response_cannot_be_is_told(address: str, options: Any, reason: str) -> None:
    with to(address) as client, pytest.raises(openai.BadRequestError, match=reason):
        client.responses.create(**{"model": "beleg", "input": QUESTION, **options})


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_of_the_model_is_an_exception_of_responses_too(
    small: tuple[str, Any], stream: bool
) -> None:
    with to(small[0]) as client, pytest.raises(openai.InternalServerError, match="does not answer"):
        client.responses.create(model="beleg", input="kaputt", stream=stream)


def test_parts_of_a_message_are_words_apart(small: tuple[str, Any]) -> None:
    parts = [{"type": "text", "text": "Was kostet die"}, {"type": "text", "text": "Fernwärme?"}]
    with to(small[0]) as client:
        reply = ask(client, messages=[{"role": "user", "content": parts}])
    assert reply.model_extra["beleg"]["question"] == "Was kostet die Fernwärme?"


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_ends_where_the_client_wants_it(small: tuple[str, Any], stream: bool) -> None:
    def asked(client: openai.OpenAI, **options: Any) -> tuple[str, str]:
        reply = ask(client, PLAN, stream=stream, **options)
        if not stream:
            return reply.choices[0].message.content, reply.choices[0].finish_reason
        chunks = list(reply)
        return "".join(c.choices[0].delta.content or "" for c in chunks), chunks[-1].choices[0].finish_reason

    with to(small[0]) as client:
        assert asked(client, max_tokens=3) == ("Die Vorlage wur", "length")
        text, finish = asked(client, stop=["mit 38", "xyz"])
    assert (text, finish) == ("Die Vorlage wurde ", "stop")


@pytest.mark.parametrize(
    "task",
    [
        "### Task:\nGenerate a concise, 3-5 word title with an emoji.\n### Chat History:\n<chat_history>",
        "### Task:\nSuggest 3-5 relevant follow-up questions.",
        "Use the context.\n<context>\nEin Text.\n</context>\n\nWas kostet es?",
    ],
)
def test_tasks_of_a_client_are_no_questions(address: str, task: str) -> None:
    with (
        to(address) as client,
        pytest.raises(openai.BadRequestError, match="no question but a client's task"),
    ):
        ask(client, task)


@pytest.mark.parametrize("options", [{"response_format": {"type": None}}, {"tool_choice": ""}])
def test_what_asks_for_nothing_is_let_be(address: str, options: Any) -> None:
    with to(address) as client:
        assert ask(client, **options)


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
    marks = [mark.url_citation for mark in url_citations(content + '\n\n[1]: <x> "x"', answer, "")]
    assert all(content[mark.start_index : mark.end_index][1:-1].isdigit() for mark in marks)


def test_an_empty_conversation_turn_is_left_out() -> None:
    sent = [ChatMessage(role="assistant"), ChatMessage(role="user", content="Was?")]
    assert conversation(sent, 6) == ("Was?", [])
