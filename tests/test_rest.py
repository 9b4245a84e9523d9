"""Protects REST: one Answer, honest errors, a schema kept to the letter, work that ends with its client."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from starlette.testclient import TestClient

from ingest.intake import ArticleIntake
from rag.engine import Engine
from rag.schema import Delta, Done, Event, Retrieved
from rag.settings import Settings, load_settings
from rag.wire import answer_to_dict
from tests.doors import BEARER, WITH_TOKEN, client, doors, fake, over_dossier
from tests.dossier import BRIDGE
from tests.fake_engine import DECLINED, FakeEngine, canned
from tests.visit import serving

QUESTION = "Was kostet die Reparatur der Brücke?"
FAKE_QUESTION = "Was hat der Stadtrat zum Wärmeplan beschlossen?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with over_dossier(tmp_path_factory.mktemp("rest"), rate=0, hosts="testserver") as engine:
        yield engine


@pytest.fixture(scope="module")
def settings(engine: Engine) -> Settings:
    return engine.settings


@pytest.fixture(scope="module")
def app(engine: Engine, settings: Settings) -> Iterator[FastAPI]:
    with closing(ArticleIntake(settings)) as intake:
        yield doors(engine, settings, intake)


@pytest.fixture(scope="module")
def api(app: FastAPI) -> TestClient:
    return client(app)


def events(body: str) -> list[tuple[str, Any]]:
    """Names and data of a stream's events."""
    parts = [part.split("\n") for part in body.strip().split("\n\n")]
    return [(first.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for first, data in parts]


# --- questions


def test_an_answer_cites_the_article_to_the_character(api: TestClient) -> None:
    answer = api.post("/api/v1/ask", json={"question": QUESTION}).json()
    cited = answer["citations"][0]
    assert "4,3 Millionen Euro" in cited["quote"]
    assert BRIDGE.text[cited["start"] : cited["end"]] == cited["quote"]
    assert api.get(f"/api/v1/answers/{answer['id']}").json() == answer
    assert cited["quote"].split()[0] in api.get(f"/api/v1/answers/{answer['id']}/markdown").text


def test_rest_gives_the_answer_that_python_gives(api: TestClient, engine: Engine) -> None:
    def plain(answer: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in answer.items() if k not in ("id", "created", "timings")}

    asked = api.post("/api/v1/ask", json={"question": QUESTION}).json()
    assert plain(asked) == plain(answer_to_dict(engine.ask(QUESTION)))


def test_a_stream_ends_with_the_whole_answer(api: TestClient) -> None:
    response = api.post("/api/v1/stream", json={"question": QUESTION})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response.text)
    assert [name for name, _ in found] == ["retrieved", "delta", "done"]
    assert found[0][1]["passages"][0]["article_id"] == "bruecke"
    assert found[1][1]["text"] == found[2][1]["text"]
    assert found[2][1]["citations"][0]["article_id"] == "bruecke"


def test_the_history_is_handed_on(tmp_path: Path) -> None:
    engine = FakeEngine()
    said = [{"role": "user", "content": "Was?"}, {"role": "assistant", "content": "Das. [1]"}]
    fake(tmp_path, engine).post("/api/v1/ask", json={"question": FAKE_QUESTION, "history": said})
    assert [dataclasses.asdict(message) for message in engine.histories[0]] == said


def test_a_record_keeps_no_more_of_a_conversation_than_was_used(app: FastAPI, api: TestClient) -> None:
    said = [{"role": "user", "content": "Die Brücke. " * 5_000}] * 20
    answer = api.post("/api/v1/ask", json={"question": "Und wann?", "history": said}).json()
    records = app.state.service.records
    assert records.rate(answer["id"], "up")
    [case] = [case for case in records.cases() if case["id"].endswith(answer["id"])]
    assert 0 < len(json.dumps(case["history"])) < 20_000


def test_declining_is_an_answer(tmp_path: Path) -> None:
    api = fake(tmp_path)
    answer = api.post("/api/v1/ask", json={"question": "Wer gewann das Spiel?"})
    assert answer.status_code == 200
    assert (answer.json()["abstained"], answer.json()["text"]) == (True, DECLINED)
    assert 'beleg_answers_total{door="rest",outcome="abstained"} 1.0' in api.get("/metrics").text


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ("kaputt", 502, "provider_unavailable"),
        ("abbruch Wärmeplan", 502, "provider_unavailable"),
        ("absturz", 500, "internal"),
    ],
)
def test_a_failure_is_never_an_answer(tmp_path: Path, question: str, status: int, code: str) -> None:
    response = fake(tmp_path).post("/api/v1/ask", json={"question": question})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert "secret" not in response.text


def test_a_failure_in_mid_stream_is_an_event(tmp_path: Path) -> None:
    found = events(fake(tmp_path).post("/api/v1/stream", json={"question": "abbruch Wärmeplan"}).text)
    assert [found[0][0], found[1][0], found[-1][0]] == ["retrieved", "delta", "error"]
    assert found[-1][1]["error"] == {
        "code": "provider_unavailable",
        "message": "the connection broke; ask again",
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"question": " "}, 400),
        ({"question": "x" * 2001}, 400),
        ({"question": ""}, 422),
        ({}, 422),
        ({"question": "Was?", "extra": 1}, 422),
        ({"question": 1}, 422),
        ([], 422),
        ({"question": "Was?", "history": [{"role": "system", "content": ""}]}, 422),
    ],
)
def test_bad_requests_say_what_is_wrong(api: TestClient, sent: Any, status: int) -> None:
    for door in ("ask", "stream"):
        response = api.post(f"/api/v1/{door}", json=sent)
        assert (response.status_code, set(response.json())) == (status, {"error"})
        assert response.json()["error"]["message"]


def test_a_lone_surrogate_is_a_bad_request(api: TestClient) -> None:
    response = api.post(
        "/api/v1/ask", content=rb'{"question": "\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422


def test_what_can_be_asked_of_an_address_is_told_whole(api: TestClient) -> None:
    refused = api.put("/api/v1/articles")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    assert "GET, POST" in refused.json()["error"]["message"]
    assert api.patch("/api/v1/articles/bruecke").headers["allow"] == "DELETE, GET"
    options = api.options("/api/v1/articles")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, POST")
    assert api.options("/api/v1/nothing").status_code == 404


def test_a_form_in_the_place_of_json_is_told_the_type_to_send(api: TestClient) -> None:
    answer = api.post("/api/v1/ask", data={"question": "Was kostet die Brücke?"})
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["error"]["message"]


def test_without_credentials_nothing_is_answered(tmp_path: Path) -> None:
    api = fake(tmp_path, **WITH_TOKEN)
    assert api.post("/api/v1/ask", json={"question": FAKE_QUESTION}).status_code == 401
    assert api.post("/api/v1/ask", json={"question": FAKE_QUESTION}, headers=BEARER).status_code == 200


def test_over_the_rate_is_told_when_to_come_back(tmp_path: Path) -> None:
    api = fake(tmp_path, rate=1)
    found = [api.get("/api/v1/feedback") for _ in range(2)]
    assert [response.status_code for response in found] == [200, 429]
    assert int(found[1].headers["retry-after"]) > 0


def test_a_full_queue_is_told_at_once(tmp_path: Path) -> None:
    api = fake(tmp_path, readers=1, waiting=0)
    list(api.app.state.service.queue.enter())  # type: ignore[attr-defined]
    for door in ("ask", "stream"):
        response = api.post(f"/api/v1/{door}", json={"question": FAKE_QUESTION})
        assert (response.status_code, response.json()["error"]["code"]) == (503, "overloaded")
        assert response.headers["retry-after"]


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    api = fake(tmp_path, deadline=0.05)
    response = api.post("/api/v1/ask", json={"question": "langsam Wärmeplan"})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_a_search_that_waits_too_long_is_given_up(tmp_path: Path) -> None:
    api = fake(tmp_path, deadline=0.05, readers=1)
    queue = api.app.state.service.queue  # type: ignore[attr-defined]
    list(queue.enter())
    response = api.get("/api/v1/search", params={"q": QUESTION})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline_exceeded")
    queue.leave()


def test_search_finds_passages(api: TestClient) -> None:
    found = api.get("/api/v1/search", params={"q": QUESTION, "k": 2}).json()["passages"]
    assert found[0]["article_id"] == "bruecke"
    assert len(found) <= 2
    assert api.get("/api/v1/search", params={"q": QUESTION, "k": 0}).status_code == 422


# --- a client that leaves


class Endless(FakeEngine):
    """Answers without end, and notes when it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def stream(self, question: str, *_: object, **__: object) -> Iterator[Event]:
        try:
            yield Retrieved(question, (), 0.0)
            while True:
                time.sleep(0.01)
                yield Delta("x")
        finally:
            self.closed.set()


def read_a_little(address: str) -> None:
    """Leaves after the first bytes, or (where none come) soon."""
    waits = httpx.Timeout(5, read=0.3)
    with (
        suppress(httpx.ReadTimeout),
        httpx.stream("POST", address, json={"question": "x"}, timeout=waits) as stream,
    ):
        next(stream.iter_raw())


@pytest.mark.parametrize("door", ["stream", "ask"])
def test_a_client_that_leaves_ends_the_engines_stream(tmp_path: Path, door: str) -> None:
    engine = Endless()
    app = doors(engine, load_settings(data=tmp_path))
    with serving(app) as address:
        read_a_little(f"{address}/api/v1/{door}")
        assert engine.closed.wait(60)
    assert app.state.service.queue.taken == 0


class Halved(FakeEngine):
    """Half of a surrogate pair, as a model's server may send it that cuts an emoji in two."""

    def stream(self, *_: object, **__: object) -> Iterator[Event]:
        yield Delta("gut \ud83d")
        yield Done(canned("prosa"))


def test_half_an_emoji_breaks_no_stream(tmp_path: Path) -> None:
    api = fake(tmp_path, Halved())
    found = events(api.post("/api/v1/stream", json={"question": "x"}).text)
    assert [name for name, _ in found] == ["delta", "done"]
    assert found[0][1]["text"] == "gut ?"
    sent = {"model": "beleg", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    assert api.post("/v1/chat/completions", json=sent).text.endswith("data: [DONE]\n\n")


class Stalled(FakeEngine):
    """Waits in the middle of an answer, and notes when it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.closed = threading.Event(), threading.Event()

    def stream(self, question: str, *_: object, **__: object) -> Iterator[Event]:
        try:
            yield Retrieved(question, (), 0.0)
            self.go_on.wait(60)
            yield Delta("x")
        finally:
            self.closed.set()


def test_a_deadline_ends_a_stream_that_waits_for_its_model(tmp_path: Path) -> None:
    engine = Stalled()
    app = doors(engine, load_settings(data=tmp_path, deadline=0.5))
    found = events(client(app).post("/api/v1/stream", json={"question": "x"}).text)
    assert [name for name, _ in found] == ["retrieved", "error"]
    assert found[-1][1]["error"]["code"] == "deadline_exceeded"
    assert not engine.closed.is_set()  # nobody can be called back from the middle of a step
    engine.go_on.set()
    assert engine.closed.wait(60)


# --- articles


def test_articles_are_listed_read_and_marked(api: TestClient) -> None:
    listed = api.get("/api/v1/articles", params={"q": "Brücke", "sort": "title"}).json()
    assert [row["id"] for row in listed["articles"]] == ["bruecke"]
    assert (listed["total"], listed["pages"]) == (1, 1)
    read = api.get("/api/v1/articles/bruecke", params={"highlight": ["0-15", "4-9"]}).json()
    assert read["text"] == BRIDGE.text
    assert [mark["quote"] for mark in read["highlights"]] == [BRIDGE.text[0:15], BRIDGE.text[4:9]]
    for wrong in ("9-4", "0-99999", "a-b", "-1-2"):
        assert api.get("/api/v1/articles/bruecke", params={"highlight": wrong}).status_code == 400
    assert api.get("/api/v1/articles/../../etc/passwd").status_code == 404


def test_an_upload_is_checked_and_kept(api: TestClient, settings: Settings) -> None:
    text = b"Ein Kutter sank.\n\nDer Kutter sank am Montag vor der Mole."
    taken = api.post("/api/v1/articles", params={"name": "kutter.txt"}, content=text)
    assert (taken.status_code, taken.json()["name"]) == (201, "kutter.txt")
    assert (settings.uploads_dir / "kutter.txt").read_bytes() == text
    refused = api.post("/api/v1/articles", params={"name": "bild.exe"}, content=b"MZ")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "article_unreadable")
    assert api.post("/api/v1/articles", params={"name": "../x"}, content=text).status_code == 422


def test_only_uploads_can_be_deleted(api: TestClient) -> None:
    assert api.delete("/api/v1/articles/bruecke").json()["error"]["code"] == "not_uploaded"
    assert api.delete("/api/v1/articles/nie").status_code == 404


def test_a_sync_is_asked_for_and_watched(api: TestClient) -> None:
    assert api.post("/api/v1/sync").status_code == 202
    told = api.get("/api/v1/sync").json()
    assert set(told) >= {"running", "done", "total", "error"}
    assert told["checked"] is None or datetime.fromisoformat(told["checked"]).tzinfo


def test_without_an_intake_articles_are_for_reading_only(engine: Engine, settings: Settings) -> None:
    api = client(doors(engine, settings))
    assert api.get("/api/v1/articles").status_code == 200
    for refused in (api.post("/api/v1/sync"), api.delete("/api/v1/articles/bruecke")):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "read_only")


# --- feedback and evaluation


def test_feedback_becomes_a_question_set(api: TestClient) -> None:
    ident = api.post("/api/v1/ask", json={"question": QUESTION}).json()["id"]
    noted = api.put(f"/api/v1/answers/{ident}/feedback", json={"rating": "down", "note": "unvollständig"})
    assert (noted.status_code, noted.content) == (204, b"")
    cases = [json.loads(line) for line in api.get("/api/v1/feedback").text.splitlines()]
    assert [(case["question"], case["note"]) for case in cases if case["id"] == f"feedback-{ident}"] == [
        (QUESTION, "unvollständig")
    ]
    assert api.put("/api/v1/answers/nie/feedback", json={"rating": "up"}).status_code == 404


def test_the_latest_evaluation_is_there_once_one_was_made(api: TestClient, settings: Settings) -> None:
    assert api.get("/api/v1/evaluation").status_code == 404
    (settings.data_dir / "evaluation").mkdir()
    (settings.data_dir / "evaluation" / "latest.json").write_text('{"about": {}}')
    assert api.get("/api/v1/evaluation").json() == {"about": {}}


# --- the schema


def test_the_schema_has_the_fields_that_are_sent(api: TestClient) -> None:
    described = api.get("/api/v1/openapi.json").json()["components"]["schemas"]["Answer"]
    assert set(described["required"]) == set(described["properties"]) == set(answer_to_dict(canned("prosa")))


def test_the_documentation_needs_nothing_from_elsewhere(api: TestClient) -> None:
    page = api.get("/api/v1/docs", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert "POST /api/v1/ask" in page.text
    assert 'href="#Answer"' in page.text
    assert 'id="Answer"' in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.slow
@pytest.mark.parametrize("fits", [True, False], ids=["fitting", "not fitting"])
@pytest.mark.parametrize(("door", "operations"), [("/api/v1", 14), ("/v1", 6)])
def test_every_response_is_as_the_schema_says(
    engine: Engine, settings: Settings, door: str, operations: int, fits: bool
) -> None:
    """Of what fits the schema, and of what does not, which is refused."""
    import schemathesis
    from schemathesis import GenerationMode, checks

    app = doors(engine, settings, ArticleIntake(settings))
    schema = schemathesis.openapi.from_asgi(f"{door}/openapi.json", app)
    wanted = [
        checks.not_a_server_error,
        *(check for check in checks.CHECKS.get_all() if check.__name__ in _CONFORMANCE),
    ]
    assert len(wanted) == 1 + len(_CONFORMANCE)
    mode = GenerationMode.POSITIVE if fits else GenerationMode.NEGATIVE
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if not fits and not operation.body and not operation.query:
            continue  # whatever stands in a path may be an id

        @bounded(
            max_examples=5,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def conforms(case: Any) -> None:
            case.call_and_validate(checks=wanted)

        conforms()
        tried += 1
    assert tried >= (operations if fits else 4)


_CONFORMANCE = (
    *("status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("negative_data_rejection", "allow_header_conformance"),
)
