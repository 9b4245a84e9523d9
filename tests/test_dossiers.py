"""Protects several dossiers in one place: each answers from its own articles alone, at every door."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from eval.cases import Case, QuestionSet
from eval.run import plans
from ingest.__main__ import main as ingest
from ingest.sync import sync
from rag import open_engine as engine_of
from rag.__main__ import main
from rag.engine import open_engine
from rag.errors import ConfigError
from rag.settings import Settings, load_dossiers, load_settings
from tests.dossier import APPLES, BRIDGE, CONCERT, LIBRARY, write
from tests.fake_engine import FakeEngine
from tests.visit import chat_of, within_a_loop

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`stadt` and `land`, each with articles that the other does not have."""
    folder = tmp_path_factory.mktemp("dossiers")
    write(folder / "stadt", BRIDGE, LIBRARY)
    write(folder / "auf dem land", APPLES, CONCERT)
    return folder


def both(folder: Path, **given: Any) -> tuple[Settings, ...]:
    dossiers = f"stadt={folder / 'stadt'} land={folder / 'auf dem land'}"
    return load_dossiers(**{"dossiers": dossiers, "data": folder / "data", **given})


def site(settings: tuple[Settings, ...], **options: Any) -> Iterator[TestClient]:
    """A client of both dossiers' app, of which the program is served whole."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from rag.serve.app import site_of

    for each in settings:
        sync(each)
    engines = [open_engine(each) for each in settings]
    app = within_a_loop(lambda: site_of(settings, engines, [None, None]))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, **options) as asking:
        yield asking
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module")
def asking(folder: Path) -> Iterator[TestClient]:
    yield from site(both(folder))


# --- settings


def test_each_has_its_articles_and_a_data_folder_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b c"):
        (tmp_path / name).mkdir()
    first, second = load_dossiers(dossiers=f"eins={tmp_path}/a\n  zwei={tmp_path}/b c ", data=tmp_path / "d")
    assert (first.dossier, first.articles, first.data_dir) == ("eins", tmp_path / "a", tmp_path / "d/eins")
    assert (second.dossier, second.articles) == ("zwei", tmp_path / "b c")
    assert first.dossier_names == second.dossier_names == ("eins", "zwei")
    assert load_settings(dossiers=first.dossiers).dossier == "eins"
    assert load_settings(dossiers=first.dossiers, dossier="zwei").data_dir.parent == Path(".beleg")


def test_without_the_setting_and_with_articles_named_there_is_one(folder: Path) -> None:
    assert [each.dossier for each in load_dossiers()] == [""]
    (named,) = both(folder, articles=folder / "stadt")
    assert (named.dossier, named.dossier_names, named.data_dir) == ("", (), folder / "data")


@pytest.mark.parametrize(
    ("dossiers", "told"),
    [
        ("stadt", "'stadt' has no folder"),
        ("Stadt={0}/stadt", "'Stadt' is no name of small letters"),
        ("a/b={0}/stadt", "'a/b' is no name"),
        ("../x={0}/stadt", "'../x' is no name"),
        ("artikel={0}/stadt", "/artikel is an address of Beleg's own"),
        ("stadt={0}/stadt stadt={0}/land", "the name stadt is given twice"),
        ("stadt={0}/nirgends", "stadt has no folder '{0}/nirgends'"),
        ("stadt={0}/stadt land={0}/stadt/../stadt", "stadt and land are the same folder"),
    ],
)
def test_what_is_wrong_with_the_setting_is_told(folder: Path, dossiers: str, told: str) -> None:
    with pytest.raises(ConfigError, match="BELEG_DOSSIERS: .*" + told.format(folder)):
        load_dossiers(dossiers=dossiers.format(folder))


def test_a_dossier_that_is_none_is_told_with_those_there_are(folder: Path) -> None:
    named = both(folder)[0].dossiers
    with pytest.raises(ConfigError, match=r"no dossier 'hafen'; there are stadt, land"):
        load_settings(dossiers=named, dossier="hafen")
    with pytest.raises(ConfigError, match="BELEG_DOSSIERS"):
        load_settings(dossier="hafen")


def test_a_chroma_server_holds_one_dossier(folder: Path) -> None:
    with pytest.raises(ConfigError, match="CHROMA_URL or BELEG_DOSSIERS"):
        both(folder, chroma_url="http://127.0.0.1:1")


def test_no_dossier_can_be_called_like_a_page_or_a_door(tmp_path: Path) -> None:
    chat = chat_of(FakeEngine(), Settings(data=tmp_path))
    paths = [str(getattr(route, "path", "")) for route in chat.routes]
    names = {path.split("/")[1] for path in paths if path.count("/")}
    assert {"artikel", "v1", "mcp", "healthz", "beleg"} < names
    for name in names:
        if name and "." not in name and "{" not in name:
            with pytest.raises(ConfigError, match=f"/{name} is an address"):
                load_dossiers(dossiers=f"{name}={tmp_path}")


# --- the doors


def test_an_address_without_a_name_leads_to_the_first(asking: TestClient) -> None:
    led = [
        asking.get(path).headers["location"] for path in ("/", "/artikel?q=Risse", "/land", "/land?embed=1")
    ]
    assert led == ["/stadt/", "/stadt/artikel?q=Risse", "/land/", "/land/?embed=1"]
    assert asking.post("/v1/chat/completions", json={}).headers["location"] == "/stadt/v1/chat/completions"
    assert [asking.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]


def test_rest_and_its_citations_are_of_the_dossier(asking: TestClient) -> None:
    def held(name: str) -> list[str]:
        return [each["id"] for each in asking.get(f"/{name}/api/v1/articles").json()["articles"]]

    assert (sorted(held("stadt")), sorted(held("land"))) == (
        ["bruecke", "buecherei"],
        ["apfelernte", "konzert"],
    )
    question = {"question": "Mit wie vielen Tonnen rechnen die Obstbauern?"}
    answer = asking.post("/land/api/v1/ask", json=question).json()
    assert answer["citations"][0]["article_id"] == "apfelernte"
    assert asking.post("/stadt/api/v1/ask", json=question).json()["abstained"]
    assert asking.get(f"/land/antwort/{answer['id']}").status_code == 200
    assert asking.get(f"/stadt/antwort/{answer['id']}").status_code == 404
    assert asking.get("/stadt/quelle/apfelernte").status_code == 404
    schema = asking.get("/land/api/v1/openapi.json").json()
    assert schema["servers"] == [{"url": "/land/api/v1"}]


def test_openais_protocol_and_mcp_are_of_the_dossier(asking: TestClient) -> None:
    message = {"role": "user", "content": "Wer leitet die Bücherei?"}
    reply = asking.post("/stadt/v1/chat/completions", json={"model": "beleg", "messages": [message]}).json()
    mark = reply["choices"][0]["message"]["annotations"][0]
    assert mark["url_citation"]["url"].startswith("http://127.0.0.1/stadt/quelle/buecherei")
    call = {"name": "ask", "arguments": {"question": "Wer dirigiert die Konzerte?"}}
    sent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accept = {"Accept": "application/json, text/event-stream"}
    for name, cited in (("land", True), ("stadt", False)):
        told = asking.post(f"/{name}/mcp", json=sent, headers=accept)
        assert ("Tschumatschenko" in told.text) is cited, told.text


def test_pages_and_their_links_lie_below_the_name(asking: TestClient) -> None:
    page = asking.get("/land/artikel").text
    assert 'href="/stadt/artikel"' in page
    assert 'href="/land/quelle/apfelernte' in page
    assert 'href="/artikel"' not in page
    assert "--dossier land" in asking.get("/land/auswertung").text
    missing = asking.get("/land/nirgends", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert (missing.status_code, "Diese Seite gibt es nicht" in missing.text) == (404, True)
    assert asking.get("/land/sprache/de").headers["location"] == "/land/"


def test_a_proxy_shows_them_below_a_path(folder: Path) -> None:
    settings = both(folder, trusted_proxies="10.0.0.5")
    for asking in site(settings, client=("10.0.0.5", 5)):
        below = {"X-Forwarded-Prefix": "/archiv"}
        for path in ("/land/artikel", "/archiv/land/artikel"):
            page = asking.get(path, headers=below).text
            assert 'href="/archiv/stadt/artikel"' in page
            assert 'href="/archiv/land/artikel"' in page
        assert asking.get("/", headers=below).headers["location"] == "/archiv/stadt/"


def test_a_login_is_for_all_and_nothing_is_told_before(folder: Path) -> None:
    settings = both(folder, auth=f"password:apfel-birne token:test={TOKEN}")
    page = {"Accept": "text/html"}
    for asking in site(settings):
        assert asking.get("/", headers=page).headers["location"] == "/anmelden?next=/"
        assert "stadt" not in asking.get("/anmelden").text
        assert asking.get("/land/artikel", headers=page).headers["location"].startswith("/land/anmelden?next")
        for path in ("/v1/models", "/land/v1/models", "/stadt/mcp"):
            assert asking.get(path).status_code == 401
        assert asking.get("/land/v1/models", headers=BEARER).status_code == 200
        wrong = {"Authorization": "Bearer falsch"}
        guessed = [
            asking.get(f"/{name}/v1/models", headers=wrong).status_code for name in ["stadt", "land"] * 6
        ]
        assert guessed == [401] * 10 + [429] * 2


def test_who_has_logged_in_at_one_is_in_at_all_and_counted_over_all(folder: Path) -> None:
    for asking in site(both(folder, rate=4, auth="password:apfel-birne")):
        asking.post("/land/anmelden", data={"password": "apfel-birne", "next": "/"})  # the first of four
        assert asking.get("/stadt/artikel", headers={"Accept": "text/html"}).status_code == 200
        asked = [asking.get(f"/{name}/api/v1/articles").status_code for name in ["stadt", "land"] * 2]
        assert asked == [200, 200, 200, 429]


# --- commands and Python


@pytest.fixture
def told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BELEG_DOSSIERS", both(folder)[0].dossiers)
    monkeypatch.setenv("BELEG_DATA", str(folder / "data"))
    return folder


def test_commands_take_the_one_that_is_named(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(["--dossier", "land"]) == 0
    assert main(["search", "Äpfel", "--dossier", "land", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])[0]["article_id"] == "apfelernte"
    assert main(["search", "Bücherei", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["article_id"] == "buecherei"
    with closing(engine_of(dossier="land")) as engine:
        assert engine.search("Äpfel")[0].article.id == "apfelernte"
    (plan,) = plans(QuestionSet("x", (Case(id="1", question="?"),)), [], None, [], "land")
    assert plan.settings.data_dir == told / "data" / "land"


def test_a_path_of_another_folder_takes_the_place_of_none(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest([str(told / "stadt")]) == 1
    assert "--dossier NAME" in capsys.readouterr().err
    assert main(["ask", "Wer?", "--dossier", "hafen"]) == 1
    assert "there are stadt, land" in capsys.readouterr().err
