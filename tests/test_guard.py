"""Protects the guard: nobody comes in without a secret, none leaks, and too much is refused clearly."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr
from starlette.testclient import TestClient

from rag.errors import ConfigError
from rag.serve.app import add_doors
from rag.serve.queue import Service
from rag.serve.security.guard import (
    SESSION_SECONDS,
    Access,
    Rates,
    access_of,
    host_name,
    is_loopback,
    is_open,
)
from rag.serve.security.login import inside
from rag.settings import load_settings
from rag.store.answers import Records
from tests.fake_engine import FakeEngine

PASSWORD, TOKEN = "apfel-birne", "0123456789abcdef"
AUTH = f"password:{PASSWORD} token:zeitung={TOKEN}"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def site(folder: Path, **given: Any) -> TestClient:
    """A small app behind the guard, as the chat is."""
    settings = load_settings(articles=folder, data=folder / "data", **given)
    app = FastAPI()
    engine = FakeEngine()
    service = Service(engine, settings, Records(None))  # type: ignore[arg-type]
    add_doors(app, service)

    @app.get("/geheim")
    def secret() -> str:
        return "offen"

    @app.post("/geheim")
    @app.post("/gradio_api/queue/join")
    async def change(request: Request) -> int:
        return len(await request.body())

    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def guarded(tmp_path: Path) -> TestClient:
    return site(tmp_path, auth=AUTH)


def access(auth: str = AUTH) -> Access:
    found = access_of(SecretStr(auth))
    assert found
    return found


# --- the setting


@pytest.mark.parametrize(
    ("auth", "reason"),
    [
        ("kurz", "too short; it has at least 8"),
        ("user:geheimnis", "neither password:… nor token:NAME=…"),
        ("token:0123456789abcdef", "neither"),
        ("token:a b=0123456789abcdef", "neither"),
        ("password:kurz", "password in BELEG_AUTH is too short; it has at least 8"),
        ("token:x=zukurz", "token in BELEG_AUTH is too short"),
        ("   ", "BELEG_AUTH is empty"),
    ],
)
def test_a_malformed_setting_is_told_without_quoting_it(auth: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        access_of(SecretStr(auth))
    assert "geheimnis" not in str(caught.value)
    assert "zukurz" not in str(caught.value)


def test_several_passwords_and_tokens_are_known_by_their_secrets() -> None:
    found = access(f"{AUTH} password:zweites-wort token:archiv=fedcba9876543210")
    assert [found.admits(word) for word in (PASSWORD, "zweites-wort", "falsch", TOKEN, "")] == [
        *(True, True, False, False, False)
    ]
    assert [found.owner(token) for token in (TOKEN, "fedcba9876543210", PASSWORD, "")] == [
        *("zeitung", "archiv", None, None)
    ]


def test_a_secret_alone_is_for_people_and_for_programs() -> None:
    found = access("ein-wort-fuer-alle")
    assert found.admits("ein-wort-fuer-alle")
    assert found.owner("ein-wort-fuer-alle") == "all"
    assert found.owner("ein-anderes-wort") is None


def test_no_secret_is_kept_or_shown() -> None:
    shown = repr(access()) + repr(load_settings(auth=AUTH))
    assert PASSWORD not in shown
    assert TOKEN not in shown


def test_a_session_ends_and_cannot_be_forged(monkeypatch: pytest.MonkeyPatch) -> None:
    session = access().session()
    now = time.time()
    assert access().knows(session)
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS - 1)
    assert access().knows(session)
    reader, made, signature = session.split(".")
    for forged in (f"{reader}.9{made}.{signature}", f"{reader}.{made}.AAAA", made, "", "..", "ä.ö.ü"):
        assert not access().knows(forged)
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 2)
    assert not access().knows(session)


def test_a_changed_setting_ends_all_sessions() -> None:
    assert not access(AUTH + "x").knows(access().session())


# --- coming in


def test_without_credentials_only_health_and_login_are_open(guarded: TestClient) -> None:
    answers = {
        path: guarded.get(path) for path in ("/healthz", "/readyz", "/anmelden", "/geheim", "/metrics")
    }
    assert {path: answer.status_code for path, answer in answers.items()} == {
        **{"/healthz": 200, "/readyz": 200, "/anmelden": 200, "/geheim": 401, "/metrics": 401}
    }
    assert answers["/geheim"].json()["error"]["code"] == "unauthorized"
    assert answers["/geheim"].headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["/", "/feedback.jsonl", "/artikel", "/export/md", "/mcp", "/v1/models", "/x"]
)
def test_every_other_address_is_behind_the_guard_whether_it_exists_or_not(
    guarded: TestClient, path: str
) -> None:
    assert guarded.get(path).status_code == guarded.post(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["/beleg/../geheim", "/beleg/x/../../geheim", "//geheim", "/healthz/", "/HEALTHZ"]
)
def test_no_spelling_of_an_address_is_open_by_mistake(path: str) -> None:
    assert not is_open(path)


def test_a_browser_is_led_to_the_login_and_back(guarded: TestClient) -> None:
    led = guarded.get("/geheim?x=1", headers={"Accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (303, "/anmelden?next=/geheim%3Fx%3D1")
    page = guarded.get(led.headers["location"], headers={"Accept-Language": "de"})
    assert 'value="/geheim?x=1"' in page.text
    assert '<label for="password">Passwort</label>' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    welcome = guarded.post("/anmelden", data={"password": PASSWORD, "next": "/geheim?x=1"})
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/geheim?x=1")
    cookie = welcome.headers["set-cookie"]
    assert all(word in cookie for word in ("beleg_session=", "HttpOnly", "SameSite=lax", "Path=/"))
    assert guarded.get("/geheim").text == '"offen"'
    leaving = guarded.get("/abmelden")
    assert '<form class="login" method="post" action="/abmelden">' in leaving.text
    assert "form-action 'self'" in leaving.headers["content-security-policy"]
    assert guarded.get("/geheim").status_code == 200
    guarded.post("/abmelden")
    assert guarded.get("/geheim").status_code == 401


def test_the_cookie_is_for_encrypted_connections_where_the_login_was_one(tmp_path: Path) -> None:
    client = site(tmp_path, auth=AUTH)
    client.base_url = client.base_url.copy_with(scheme="https")
    assert "Secure" in client.post("/anmelden", data={"password": PASSWORD}).headers["set-cookie"]


def test_a_wrong_password_is_said_in_the_readers_language(guarded: TestClient) -> None:
    answer = guarded.post("/anmelden", data={"password": "falsch"}, headers={"Accept-Language": "en"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert 'role="alert"' in answer.text
    assert "This is not the password." in answer.text


def test_guessing_passwords_is_slowed_down_also_for_the_right_one(
    guarded: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(10):
        assert guarded.post("/anmelden", data={"password": "geraten"}).status_code == 401
    answer = guarded.post("/anmelden", data={"password": PASSWORD}, headers={"Accept-Language": "de"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "Zu viele Versuche" in answer.text
    assert "geraten" not in caplog.text
    # a token is guessed no faster, and a valid one is not kept out by whoever guesses behind the same proxy
    wrong = guarded.get("/geheim", headers={"Authorization": "Bearer geraten"})
    assert wrong.json()["error"]["code"] == "too_many_guesses"
    assert guarded.get("/geheim", headers=BEARER).status_code == 200


def test_a_program_comes_in_with_its_token_only(guarded: TestClient) -> None:
    assert guarded.get("/geheim", headers=BEARER).status_code == 200
    for sent in ("Bearer falsch", f"Basic {TOKEN}", f"Bearer {PASSWORD}", "Bearer", "Bearer ü".encode()):
        assert guarded.get("/geheim", headers={"Authorization": sent}).status_code == 401  # type: ignore[dict-item]


def test_errors_have_openais_form_at_its_door(guarded: TestClient) -> None:
    error = guarded.get("/v1/models").json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "unauthorized")


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/artikel?q=a#b", "/artikel?q=a#b"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_login_leads_nowhere_but_into_this_site(address: str, leads_to: str) -> None:
    assert inside(address) == leads_to


# --- other sites


def test_without_a_login_a_foreign_name_is_refused(tmp_path: Path) -> None:
    client = site(tmp_path, hosts="beleg.example, zweiter.example")
    names = [
        "127.0.0.1:7860",
        "localhost",
        "[::1]:80",
        "Beleg.Example",
        "evil.example",
        "",
        "[::1",
        "10.0.0.1",
    ]
    found = [client.get("/geheim", headers={"Host": name}).status_code for name in names]
    assert found == [200, 200, 200, 200, 403, 403, 403, 403]
    assert "BELEG_HOSTS" in client.get("/geheim", headers={"Host": "evil.example"}).json()["error"]["message"]


def test_a_page_of_another_site_changes_nothing(guarded: TestClient) -> None:
    guarded.post("/anmelden", data={"password": PASSWORD})
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert guarded.post("/geheim", headers=foreign).json()["error"]["code"] == "foreign_origin"
        assert guarded.get("/geheim", headers=foreign).status_code == 200
        # no browser sends a token by itself
        assert guarded.post("/geheim", headers={**foreign, **BEARER}).status_code == 200
    assert guarded.post("/geheim", headers={"Origin": "http://127.0.0.1"}).status_code == 200


# --- too much


def test_more_requests_than_the_rate_are_told_when_to_come_back(tmp_path: Path) -> None:
    client = site(tmp_path, rate=2, auth=AUTH)
    found = [client.post("/geheim", headers=BEARER) for _ in range(3)]
    assert [answer.status_code for answer in found] == [200, 200, 429]
    assert 0 < int(found[2].headers["retry-after"]) <= 60
    assert found[2].json()["error"]["code"] == "rate_limited"
    assert client.get("/geheim", headers=BEARER).status_code == 200  # pages are read freely


def test_each_client_has_a_rate_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    rates = Rates(1, 60)
    assert [rates.take("a"), rates.take("a"), rates.take("b")] == [0, 60, 0]


def test_a_rate_recovers_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    rates = Rates(2, 60)
    first = rates.take("a")
    now[0] += 20
    assert [first, rates.take("a"), rates.take("a")] == [0, 0, 40]
    now[0] += 41
    assert [rates.take("a"), rates.take("a")] == [0, 19]


def test_too_large_requests_are_refused_whatever_size_they_state(tmp_path: Path) -> None:
    client = site(tmp_path, request_limit=10_000)
    assert client.post("/geheim", content=b"x" * 10_000).json() == 10_000
    assert client.post("/geheim", content=b"x" * 10_001).status_code == 413
    parts = (b"x" * 1000 for _ in range(11))  # sent in chunks, without a length
    assert client.post("/geheim", content=parts).status_code == 413


def test_an_event_of_the_chat_has_a_bounded_number_of_values(tmp_path: Path) -> None:
    client = site(tmp_path)
    conversation = {"data": ["Wer?", [{"role": "user", "content": "Er, sie, es"}] * 5_000]}
    assert client.post("/gradio_api/queue/join", json=conversation).status_code == 200
    for nothing in ({}, 0):
        event = {"data": ["Wer?", [nothing] * 30_000]}
        assert client.post("/gradio_api/queue/join", json=event).status_code == 413
        assert client.post("/geheim", json=event).status_code == 200


# --- small parts


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("", False), ("10.0.0.1", False), ("localhost.evil.example", False)),
    ],
)
def test_addresses_that_only_this_machine_can_reach(host: str, local: bool) -> None:
    assert is_loopback(host) == local


def test_the_name_in_a_host_header_has_no_port() -> None:
    assert [host_name(host) for host in ("A.example:80", "[::1]:7860", "a@b", "[")] == [
        *("a.example", "::1", "b", "")
    ]
