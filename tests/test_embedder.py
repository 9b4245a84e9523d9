"""Protects what is paid for: vectors come from the server that was named, once, whole, or with one error."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from llama_index.core.embeddings import BaseEmbedding

from rag.errors import (
    ConfigError,
    ContextOverflow,
    ProviderAuth,
    ProviderError,
    ProviderProtocol,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)
from rag.models import faults
from rag.models.embedder import Embedder
from rag.models.embedding import ModelEmbedder, build_embedder
from rag.settings import Settings, embedding_choice, load_settings
from rag.store.library_file import fingerprint
from tests.embedding_server import DIMENSION, Model, reply_of, reply_with, serving, vector
from tests.openai_server import HTML, Reply, refusal

KEY = "sk-do-not-tell-4711"
TEXTS = ["Ein Wolf im Moor.", "Die Brücke ist gesperrt.", "Äpfel, halbiert."]


@pytest.fixture
def server() -> Iterator[Model]:
    with serving() as served:
        yield served


@pytest.fixture
def like(server: Model, tmp_path: Path) -> Callable[..., Settings]:
    """Settings for a model on the server."""

    def settings(**overrides: object) -> Settings:
        given = {"embedding": "openai-like:bge-m3", "embedding_url": server.url, "data": tmp_path}
        return load_settings(**(given | overrides))

    return settings


@pytest.fixture
def embedder(like: Callable[..., Settings]) -> Iterator[Embedder]:
    embedder = build_embedder(like())
    yield embedder
    embedder.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, not waited."""
    noted: list[float] = []
    monkeypatch.setattr(faults, "time", SimpleNamespace(sleep=noted.append))
    return noted


def expected(texts: list[str]) -> Any:
    return np.array([vector(text) for text in texts], dtype=np.float32)


# --- who is asked


def test_each_text_gets_its_own_vector_whatever_the_order_of_the_reply(embedder: Embedder) -> None:
    np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    np.testing.assert_allclose(embedder.query(TEXTS[0]), expected(TEXTS)[0], rtol=1e-6)
    assert embedder.dimension() == DIMENSION


def test_openai_models_are_asked_with_the_key(server: Model, tmp_path: Path) -> None:
    settings = load_settings(
        embedding="openai:text-embedding-3-small",
        openai_base_url=server.url,
        openai_api_key=KEY,
        data=tmp_path,
    )
    embedder = build_embedder(settings)
    np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    embedder.close()
    assert {request["model"] for request in server.requests} == {"text-embedding-3-small"}
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_the_openai_key_goes_to_no_other_server(server: Model, like: Callable[..., Settings]) -> None:
    build_embedder(like(openai_api_key=KEY)).query("Wer?")
    build_embedder(like(openai_api_key=KEY, embedding_key="own")).query("Wer?")
    build_embedder(like(openai_api_key=KEY, openai_base_url=server.url)).query("Wer?")
    assert server.keys == ["Bearer none", "Bearer own", f"Bearer {KEY}"]


def test_a_key_alone_switches_no_embedding_on(tmp_path: Path) -> None:
    settings = load_settings(openai_api_key=KEY, data=tmp_path)
    embedder = build_embedder(settings)
    assert embedder.is_builtin
    assert embedder.host is None
    assert "embedding builtin/512" in fingerprint(settings)


def test_options_reach_the_server(server: Model, like: Callable[..., Settings]) -> None:
    options = {"dimensions": 8, "query_prefix": "query: ", "text_prefix": "passage: ", "embed_batch_size": 2}
    embedder = build_embedder(like(embedding_options=json.dumps(options)))
    embedder.embed(TEXTS)
    embedder.query("Wer?")
    embedder.close()
    assert [len(request["input"]) for request in server.requests] == [1, 2, 1, 1]
    assert all(request["dimensions"] == 8 for request in server.requests)
    assert server.texts[1:] == [*(f"passage: {text}" for text in TEXTS), "query: Wer?"]


# --- names


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"embedding": "bge-m4"},
            "BELEG_EMBEDDING: 'bge-m4' is unknown; allowed: auto, e5, words",
        ),
        ({"embedding": "openai:"}, "is unknown"),
        ({"embedding": "openai:m"}, "set OPENAI_API_KEY"),
        ({"embedding": "openai-like:m"}, "set BELEG_EMBEDDING_URL"),
        ({"embedding_options": "{}}"}, "BELEG_EMBEDDING_OPTIONS is no JSON"),
        ({"embedding_options": "[]"}, "a JSON object is wanted"),
        ({"embedding_options": '{"dimensions": 8}'}, "the builtin embedding takes none"),
    ],
)
def test_settings_that_name_no_embedding_are_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build_embedder(load_settings(**given))


def test_unknown_options_are_not_passed_over(like: Callable[..., Settings]) -> None:
    embedder = build_embedder(like(embedding_options='{"dimension": 8}'))
    with pytest.raises(ConfigError, match=r"dimension: unknown; allowed: .*dimensions"):
        embedder.load()


def test_identity_holds_what_vectors_depend_on(like: Callable[..., Settings]) -> None:
    options = {"dimensions": 8, "embed_batch_size": 4, "default_headers": {"X-Token": "s"}}
    assert embedding_choice(like(embedding_options=json.dumps(options))).identity == (
        'openai-like:bge-m3 {"dimensions": 8}'
    )


# --- classes by their path


class Letters(BaseEmbedding):
    """Counts letters; a class as somebody else may write one."""

    api_key: str = ""
    max_retries: int = 10
    fails: bool = False

    def _get_text_embedding(self, text: str) -> list[float]:
        if self.fails:
            raise RuntimeError(f"no luck with {self.api_key}")
        return [1.0, *(float(text.count(letter)) for letter in "aeiou")]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


class Picky(BaseEmbedding):
    """A class that cannot be built."""

    def __init__(self, **fields: object) -> None:
        raise ImportError("weights are missing, see the manual", name=str(fields.get("lacking", "")) or None)

    _get_text_embedding = Letters._get_text_embedding
    _get_query_embedding = Letters._get_query_embedding
    _aget_query_embedding = Letters._aget_query_embedding


PATH = f"{__name__}.Letters"


def test_a_class_is_found_by_its_path(tmp_path: Path) -> None:
    settings = load_settings(embedding=PATH, embedding_options='{"api_key": "k"}', data=tmp_path)
    embedder = build_embedder(settings)
    assert isinstance(embedder, ModelEmbedder)
    np.testing.assert_array_equal(embedder.embed(["aaee"]), [[1, 2, 2, 0, 0, 0]])
    np.testing.assert_array_equal(embedder.query("ou"), [1, 0, 0, 0, 1, 1])
    assert embedder.model.max_retries == 0  # type: ignore[attr-defined]
    assert embedder.host == "Letters"  # it takes a key, so it may send texts somewhere
    assert embedding_choice(settings).identity == PATH  # without the key
    embedder.close()


@pytest.mark.parametrize(
    ("path", "options", "told"),
    [
        ("llama_index.embeddings.nowhere.Far", {}, "run: pip install llama-index-embeddings-nowhere"),
        ("no_such_thing.deep.Embedding", {}, "run: pip install no-such-thing"),
        (f"{__name__}.Picky", {"lacking": "onnx_runtime.x"}, "run: pip install onnx-runtime"),
        (f"{__name__}.Picky", {}, "weights are missing, see the manual"),
        (f"{__name__}.Letter", {}, "is no LlamaIndex embedding class"),
        (f"{__name__}.DIMENSION", {}, "is no LlamaIndex embedding class"),
        (PATH, {"embed_batch_size": 0, "api_key": "hush"}, "cannot be built with BELEG_EMBEDDING_OPTIONS"),
    ],
)
def test_a_class_that_cannot_be_had_says_what_to_do(
    path: str, options: dict[str, object], told: str, tmp_path: Path
) -> None:
    settings = load_settings(embedding=path, embedding_options=json.dumps(options), data=tmp_path)
    with pytest.raises(ConfigError, match=told) as raised:
        build_embedder(settings).load()
    assert "hush" not in str(raised.value)


def test_what_a_class_raises_is_a_provider_error(tmp_path: Path) -> None:
    options = {"fails": True, "api_key": KEY}
    settings = load_settings(embedding=PATH, embedding_options=json.dumps(options), data=tmp_path)
    with pytest.raises(ProviderProtocol, match=r"Letters failed: RuntimeError: no luck") as raised:
        build_embedder(settings).embed(TEXTS)
    assert KEY not in str(raised.value)


# --- paid for once


def test_what_is_held_is_not_asked_for_again(
    server: Model, embedder: Embedder, like: Callable[..., Settings]
) -> None:
    first = embedder.embed(TEXTS)
    asked = len(server.requests)
    again = build_embedder(like())
    again.expect(DIMENSION)
    np.testing.assert_array_equal(again.embed(list(reversed(TEXTS))), first[::-1])
    assert len(server.requests) == asked
    again.embed([*TEXTS, "Neu.", "Neu."])
    assert server.requests[-1]["input"] == ["Neu."]
    again.close()


def test_another_model_or_another_length_is_asked_for_itself(
    server: Model, embedder: Embedder, like: Callable[..., Settings]
) -> None:
    embedder.embed(TEXTS)
    for other in ({"embedding": "openai-like:e5"}, {"embedding_options": '{"dimensions": 4}'}):
        asked = len(server.texts)
        build_embedder(like(**other)).embed(TEXTS)
        assert set(server.texts[asked:]) >= set(TEXTS)


def test_what_came_before_a_failure_is_kept(server: Model, like: Callable[..., Settings]) -> None:
    settings = like(embedding_options='{"embed_batch_size": 1}')
    server.script.extend([server.truth, server.truth, refusal(401, "no")])
    with pytest.raises(ProviderAuth):
        build_embedder(settings).embed(TEXTS)
    asked = len(server.texts)
    again = build_embedder(settings)
    again.expect(DIMENSION)
    np.testing.assert_allclose(again.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    assert server.texts[asked:] == TEXTS[1:]


def test_another_model_behind_the_name_makes_the_old_vectors_worthless(
    embedder: Embedder, like: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder.embed(TEXTS)
    monkeypatch.setattr(
        "tests.embedding_server.vector", lambda text, dimension: vector(text + " x", dimension)
    )
    again = build_embedder(like())
    np.testing.assert_allclose(again.embed(TEXTS), expected([f"{text} x" for text in TEXTS]), rtol=1e-6)


def test_a_question_is_asked_once_and_never_written_down(
    server: Model, embedder: Embedder, tmp_path: Path
) -> None:
    embedder.query("Wer ist das?")
    embedder.query("Wer ist das?")
    assert server.texts == ["Wer ist das?"]
    assert list(tmp_path.iterdir()) == []


# --- faults


def test_a_busy_server_is_asked_again_when_it_says(
    server: Model, embedder: Embedder, waits: list[float]
) -> None:
    server.fail(429, "rate_limit_exceeded", times=2, retry_after="7")
    np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    assert waits == [7, 7]


def test_a_failure_that_passes_is_tried_again_after_growing_waits(
    server: Model, embedder: Embedder, waits: list[float]
) -> None:
    embedder.expect(DIMENSION)
    server.fail(503, times=3)
    embedder.embed(TEXTS)
    assert len(server.requests) == 4
    assert waits == sorted(waits)
    assert 0.5 <= waits[0] < waits[2] <= 3


@pytest.mark.parametrize(
    ("status", "code", "headers", "error", "told"),
    [
        (401, "invalid_api_key", {}, ProviderAuth, r"refused access \(401\); check BELEG_EMBEDDING_KEY"),
        (404, "model_not_found", {}, ProviderProtocol, "does not know the model bge-m3"),
        (429, "insufficient_quota", {}, ProviderRateLimited, "quota .* is used up.*BELEG_EMBEDDING=words"),
        (429, "busy", {"retry_after": "3600"}, ProviderRateLimited, "try again in 3600 seconds"),
        (400, "context_length_exceeded", {}, ContextOverflow, "set BELEG_CHUNK_WORDS lower"),
    ],
)
def test_a_failure_that_stays_is_reported_at_once(
    server: Model,
    like: Callable[..., Settings],
    waits: list[float],
    status: int,
    code: str,
    headers: dict[str, str],
    error: type[ProviderError],
    told: str,
) -> None:
    server.fail(status, code, **headers)
    with pytest.raises(error, match=told) as raised:
        build_embedder(like(embedding_key=KEY)).embed(TEXTS)
    assert KEY not in str(raised.value)
    assert (len(server.requests), waits) == (1, [])


def test_without_a_key_the_advice_is_to_set_one(server: Model, embedder: Embedder) -> None:
    server.fail(401)
    with pytest.raises(ProviderAuth, match="set BELEG_EMBEDDING_KEY"):
        embedder.query("Wer?")


def test_a_server_that_is_not_there_is_named(like: Callable[..., Settings]) -> None:
    nobody = like(embedding_url="http://127.0.0.1:9/v1")
    with pytest.raises(
        ProviderUnavailable, match=r"127.0.0.1:9 cannot be reached.*BELEG_EMBEDDING_URL right"
    ):
        build_embedder(nobody).query("Wer?")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (reply_with([[1.0, 2.0]]), "sent 1 embeddings for 3 texts"),
        (reply_with([[1.0] * DIMENSION] * 4), "sent 4 embeddings for 3 texts"),
        (reply_with([[1.0, 2.0]] * 3), r"vectors of 2 numbers, where the index has 16.*ingest --rebuild"),
        (reply_with([[1.0] * 16, [1.0] * 15, [1.0] * 16]), "vectors of different lengths"),
        (reply_with([[0.0] * 16, [1.0] * 16, [1.0] * 16]), "no direction"),
        (reply_with([[float("nan")] * 16] * 3), "no direction"),
        (reply_with([["a"] * 16] * 3), "not an embedding"),
        (HTML, "not an embedding"),
        (reply_of({"data": None}), "not an embedding"),
        (reply_of({"object": "list"}), "not an embedding"),
    ],
)
def test_vectors_that_cannot_be_searched_with_are_never_kept(
    server: Model, embedder: Embedder, reply: Reply, told: str
) -> None:
    embedder.expect(DIMENSION)
    server.script.append(reply)
    with pytest.raises(ProviderProtocol, match=told):
        embedder.embed(TEXTS)
    embedder.embed(TEXTS)
    assert server.requests[-1]["input"] == TEXTS


@pytest.mark.parametrize(
    ("option", "use", "told"),
    [
        ("query_patience", "query", 'no sign for 0.1 seconds; raise "query_patience"'),
        ("timeout", "dimension", 'no sign for 0.1 seconds; raise "timeout" or lower "embed_batch_size"'),
    ],
)
def test_a_server_that_hangs_is_left_and_the_option_named(
    like: Callable[..., Settings], waits: list[float], option: str, use: str, told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        embedder = build_embedder(like(embedding_url=url, embedding_options=json.dumps({option: 0.1})))
        with pytest.raises(ProviderTimeout, match=told):
            getattr(embedder, use)(*(["Wer?"] if use == "query" else []))
    assert waits == []
