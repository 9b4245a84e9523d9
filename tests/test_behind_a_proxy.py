"""Protects Beleg behind a proxy: who is believed, whom limits count for, and where links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.errors import ConfigError
from rag.settings import load_settings
from tests.doors import BEARER, WITH_TOKEN, client, doors
from tests.fake_engine import FakeEngine

PROXY, STRANGER = "10.0.0.5", "198.51.100.7"
BELOW = {"X-Forwarded-Prefix": "/dossier"}


def site(folder: Path, peer: str = PROXY, **given: Any) -> TestClient:
    settings = load_settings(data=folder, articles=folder, **{"trusted_proxies": "10.0.0.0/24", **given})
    return client(doors(FakeEngine(), settings), client=(peer, 5), follow_redirects=False)


def guesses(asking: TestClient, forwarded: Iterator[str]) -> list[int]:
    wrong = {"Authorization": "Bearer falsch"}
    return [
        asking.get("/v1/models", headers={**wrong, "X-Forwarded-For": each}).status_code for each in forwarded
    ]


def test_a_stranger_cannot_make_up_addresses(tmp_path: Path) -> None:
    asked = guesses(site(tmp_path, STRANGER, **WITH_TOKEN), (f"192.0.2.{n}" for n in range(12)))
    assert asked == [401] * 10 + [429] * 2


def test_a_trusted_proxy_says_who_asks(tmp_path: Path) -> None:
    asking = site(tmp_path, **WITH_TOKEN)
    assert guesses(asking, (f"192.0.2.{n}" for n in range(12))) == [401] * 12
    assert guesses(asking, ("192.0.2.99" for _ in range(11)))[-1] == 429
    assert asking.get("/v1/models", headers={**BEARER, "X-Forwarded-For": "192.0.2.99"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("trusted_proxies", "*"), ("trusted_proxies", "nginx"), ("root_path", "dossier")]
)
def test_malformed_settings_are_told(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"BELEG_{name.upper()}: {re.escape(value)} is no"):
        load_settings(**{name: value})


def cited(asking: TestClient, **headers: str) -> list[str]:
    sent = {"model": "beleg", "messages": [{"role": "user", "content": "Wärmeplan"}]}
    reply = asking.post("/v1/chat/completions", json=sent, headers={**BEARER, **headers}).json()
    return [mark["url_citation"]["url"] for mark in reply["choices"][0]["message"]["annotations"]]


def test_citations_lead_below_the_path_of_the_proxy(tmp_path: Path) -> None:
    for url in cited(site(tmp_path), **BELOW, Host="localhost"):
        assert url.startswith("http://localhost/dossier/quelle/")
    for url in cited(site(tmp_path, root_path="/dossier/"), Host="localhost"):
        assert url.startswith("http://localhost/dossier/quelle/")


def test_only_a_trusted_proxy_says_below_which_path(tmp_path: Path) -> None:
    for url in cited(site(tmp_path, STRANGER), **BELOW):
        assert url.startswith("http://127.0.0.1/quelle/") or url.startswith("http://127.0.0.1:80/quelle/")


@pytest.mark.parametrize("prefix", ["//evil.example", "/a b", "https://evil.example", '/"><b>', "/ä"])
def test_a_prefix_that_is_none_is_left_out(tmp_path: Path, prefix: str) -> None:
    found = cited(site(tmp_path), **{"X-Forwarded-Prefix": prefix.encode()}, Host="localhost")  # type: ignore[arg-type]
    assert found
    assert all(url.startswith("http://localhost/quelle/") for url in found)


def test_an_invented_host_stands_in_no_link(tmp_path: Path) -> None:
    found = cited(site(tmp_path, STRANGER, **WITH_TOKEN), Host="evil.example")
    assert found
    assert not any("evil" in url for url in found)
    known = cited(site(tmp_path, STRANGER, **WITH_TOKEN, hosts="beleg.example"), Host="beleg.example:8443")
    assert all(url.startswith("http://beleg.example:8443/quelle/") for url in known)


@pytest.mark.parametrize("path", ["/anmelden", "/dossier/anmelden"])
def test_pages_and_their_links_lie_below_the_path_whether_the_proxy_takes_it_away_or_not(
    tmp_path: Path, path: str
) -> None:
    page = site(tmp_path, auth="password:apfel-birne").get(path, headers=BELOW)
    assert page.status_code == 200
    assert re.findall(r'(?:href|src|action)="(?!/dossier/)([^"#]*)"', page.text) == []


def test_an_address_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    asking = site(tmp_path)
    page = asking.get("/nirgends", headers={**BELOW, "Accept": "text/html", "Accept-Language": "de"})
    assert (page.status_code, "Diese Seite gibt es nicht" in page.text) == (404, True)
    assert 'href="/dossier/artikel"' in page.text
    assert asking.get("/nirgends", headers=BELOW).json() == {"detail": "Not Found"}
    assert asking.get("/api/v1/nirgends", headers={"Accept": "text/html"}).json()["error"]
    strange = asking.get("/", headers={"Accept": "text/html", "Host": "evil.example"})
    assert (strange.status_code, "BELEG_HOSTS" in strange.text) == (403, True)


def test_a_login_leads_back_below_the_path(tmp_path: Path) -> None:
    asking = site(tmp_path, auth="password:apfel-birne")
    asked = asking.get("/artikel?q=x", headers={**BELOW, "Accept": "text/html"})
    assert asked.headers["location"] == "/dossier/anmelden?next=/artikel%3Fq%3Dx"
    form = {"password": "apfel-birne", "next": "/artikel?q=x"}
    answer = asking.post("/anmelden", data=form, headers=BELOW)
    assert answer.headers["location"] == "/dossier/artikel?q=x"
    assert "path=/dossier;" in answer.headers["set-cookie"].lower()


def test_rest_is_the_same_below_the_path(tmp_path: Path) -> None:
    asking = site(tmp_path)
    schema = asking.get("/api/v1/openapi.json", headers=BELOW).json()
    assert schema["servers"] == [{"url": "/dossier/api/v1"}]
    assert asking.get("/dossier/api/v1/articles/waermeplan", headers=BELOW).json()["id"] == "waermeplan"
