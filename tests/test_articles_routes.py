"""Protects the addresses behind the articles page: they list, take in and delete the articles of a real
index, and let no other site do so."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.intake import ArticleIntake
from ingest.sync import sync
from rag.settings import Settings
from rag.store.answers import Records
from rag.store.library import Library

BRIDGE = (
    "Brücke am Hafen gesperrt\n\nDie Brücke am Hafen wird ab Montag gesperrt, sagte Bürgermeisterin Öztürk."
)
BUSES = "Busse fahren häufiger\n\nDie Busse fahren ab Freitag häufiger. Der Rat zahlt 100 % der Kosten."
NEW = "Der Markt zieht um\n\nDer Wochenmarkt zieht im Oktober auf den Rathausplatz um."


class House:
    """A site over an index of its own."""

    def __init__(self, root: Path) -> None:
        from fastapi import FastAPI
        from starlette.testclient import TestClient

        from rag.serve.pages.articles import add_articles_page
        from rag.serve.queue import Service
        from rag.serve.security.guard import Guard, Limits
        from rag.serve.security.headers import safe_headers

        (root / "articles").mkdir()
        (root / "articles" / "bridge.txt").write_text(BRIDGE, "utf-8")
        (root / "articles" / "buses.txt").write_text(BUSES, "utf-8")
        self.settings = Settings(
            articles=root / "articles",
            data=root / "data",
            article_limit=10_000,
            sync_seconds=0,
            rate=0,
        )
        sync(self.settings)
        self.library = Library.open(self.settings.data_dir, read_only=True)
        self.intake = ArticleIntake(self.settings)
        app = FastAPI()
        app.add_middleware(Guard, settings=self.settings, limits=Limits(self.settings))
        app.add_middleware(safe_headers)
        engine: Any = SimpleNamespace(library=self.library)
        self.service = Service(engine, self.settings, Records(None), intake=self.intake)
        add_articles_page(app, self.service)
        self.client = TestClient(app, base_url="http://127.0.0.1", headers={"Accept-Language": "de"})
        self.intake.start()

    def upload(self, name: str, content: bytes, **headers: str) -> Any:
        return self.client.post("/artikel/datei", params={"name": name}, content=content, headers=headers)

    def ids(self) -> set[str]:
        return set(self.library.versions())

    def settled(self, *names: str) -> Any:
        """The state once nothing is going on any more, with that of these uploads."""
        deadline = time.monotonic() + 300
        while (told := self.client.get("/artikel/stand", params={"datei": names}).json())["running"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return told

    def close(self) -> None:
        self.intake.close()
        self.library.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def titles(html: str) -> list[str]:
    return re.findall(r'<td role="cell" class="titel"><a[^>]*>([^<]+)</a>', html)


def test_the_list_is_found_by_any_word_in_any_case(house: House) -> None:
    def found(query: str) -> list[str]:
        return titles(house.client.get("/artikel", params={"q": query}).text)

    assert len(found("")) == 2
    assert found("öztürk") == found("ÖZTÜRK hafen") == found("rücke mont") == ["Brücke am Hafen gesperrt"]
    assert found("100 %") == ["Busse fahren häufiger"]
    assert found("%") == ["Busse fahren häufiger"]
    assert found("_") == found("Brücke Busse") == found("' OR 1=1 --") == []


def test_the_list_is_sorted_by_its_address(house: House) -> None:
    sorted_up, down = (
        titles(house.client.get("/artikel", params={"sort": sort}).text) for sort in ("titel", "-titel")
    )
    assert sorted_up == down[::-1] == ["Brücke am Hafen gesperrt", "Busse fahren häufiger"]


def test_a_part_of_the_page_is_the_same_list(house: House) -> None:
    whole, part = (house.client.get("/artikel", params={"q": "Rat", "teil": t}).text for t in ("", "1"))
    assert part in whole
    assert "<html" not in part


def test_the_page_may_send_its_search_and_run_no_inline_script(house: House) -> None:
    policy = house.client.get("/artikel", headers={"Accept": "text/html"}).headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "script-src 'self';" in policy


def test_an_upload_is_read_in_and_deleted_again(house: House) -> None:
    answer = house.upload("Markt & Platz.txt", NEW.encode())
    assert (answer.status_code, answer.json()) == (201, {"name": "Markt-Platz.txt", "known": False})
    told = house.settled("Markt-Platz.txt")
    assert told["files"]["Markt-Platz.txt"] == {
        "articles": [{"id": "Markt-Platz", "title": "Der Markt zieht um"}],
        "problems": [],
    }
    assert 'data-id="Markt-Platz"' in house.client.get("/artikel").text
    answer = house.client.post("/artikel/loeschen", params={"id": "Markt-Platz"})
    assert (answer.status_code, answer.json()["detail"]) == (202, "Markt-Platz.txt ist gelöscht.")
    house.settled()
    assert house.ids() == {"bridge", "buses"}
    assert list(house.settings.uploads_dir.glob("*.txt")) == []


@pytest.mark.parametrize(
    ("name", "content", "status", "reason"),
    [
        ("leer.txt", b"", 422, "ist leer"),
        ("bild.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, 422, "ist ein PNG-Bild, anders als die Endung sagt"),
        ("bericht.pdf", b"Kein PDF.", 422, "ist keine pdf-Datei, sondern etwas anderes"),
        ("tabelle.csv", b"a;b", 422, "Dateien mit der Endung „.csv“ werden nicht gelesen"),
        ("gross.txt", b"x" * 10_001, 413, "ist größer als 10"),
    ],
)
def test_a_bad_upload_is_refused_with_the_reason(
    house: House, name: str, content: bytes, status: int, reason: str
) -> None:
    answer = house.upload(name, content)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(reason)
    english = house.upload(name, content, **{"Accept-Language": "en"}).json()["detail"]
    assert english != answer.json()["detail"]
    assert not house.client.get("/artikel/stand").json()["running"]
    assert house.ids() == {"bridge", "buses"}


def test_an_upload_of_unknown_length_is_refused_while_it_comes_in(house: House) -> None:
    received, sent = 0, []

    async def receive() -> dict[str, object]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 4000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/artikel/datei", "query_string": b"name=lang.txt"}
    asyncio.run(
        house.client.app(
            {**scope, "headers": [(b"host", b"127.0.0.1")], "http_version": "1.1"}, receive, send
        )
    )
    assert sent[0]["status"] == 413
    assert received == 3
    assert [p for p in house.settings.uploads_dir.rglob("*") if p.is_file()] == []


def test_the_same_name_twice_keeps_both(house: House) -> None:
    names = [house.upload("a.txt", text.encode()).json()["name"] for text in (NEW, NEW + " Neu.", NEW)]
    assert names == ["a.txt", "a-2.txt", "a.txt"]
    house.settled()
    assert house.ids() == {"bridge", "buses", "a", "a-2"}
    page = house.client.get("/artikel").text
    assert 'Kopie von <a href="/quelle/a' in page


def test_one_deletion_takes_all_articles_of_the_file(house: House) -> None:
    lines = '{"id": "r1", "text": "Der Rat tagt am Mittwoch."}\n{"id": "r2", "text": "Der Markt zieht um."}\n'
    house.upload("rat.jsonl", lines.encode())
    house.settled()
    assert "alle 2 Artikel darin" in house.client.get("/artikel").text
    house.client.post("/artikel/loeschen", params={"id": "r2"})
    house.settled()
    assert house.ids() == {"bridge", "buses"}


def test_articles_of_the_folder_are_not_deleted(house: House) -> None:
    answer = house.client.post("/artikel/loeschen", params={"id": "bridge"})
    assert answer.status_code == 409
    assert "löschen Sie in diesem Ordner" in answer.json()["detail"]
    assert (house.settings.articles / "bridge.txt").exists()
    assert house.client.post("/artikel/loeschen", params={"id": "../bridge"}).status_code == 404


def test_reading_in_again_takes_up_what_changed(house: House) -> None:
    (house.settings.articles / "neu.txt").write_text(NEW, "utf-8")
    before = house.client.get("/artikel/stand").json()["revision"]
    assert house.client.post("/artikel/einlesen").status_code == 202
    told = house.settled()
    assert "neu" in house.ids()
    assert told["revision"] > before
    assert told["text"].startswith("Aktuell. Zuletzt geprüft um")


def test_a_failure_to_read_in_is_told_and_the_old_index_stays(house: House) -> None:
    for path in house.settings.articles.iterdir():
        path.unlink()
    house.client.post("/artikel/einlesen")
    told = house.settled()
    assert told["failed"]
    assert told["text"].startswith("Das Einlesen ist fehlgeschlagen: articles enthält keine Artikel mehr.")
    assert len(titles(house.client.get("/artikel").text)) == 2


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_other_sites_change_nothing(house: House, headers: dict[str, str]) -> None:
    for path in (
        "/artikel/datei?name=a.txt",
        "/artikel/loeschen?id=bridge",
        "/artikel/angaben?id=bridge",
        "/artikel/einlesen",
    ):
        answer = house.client.post(path, content=NEW.encode(), headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "foreign_origin"
    assert not house.settings.uploads_dir.exists()
    assert not house.intake.state.running


def test_our_own_pages_and_programs_may(house: House) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1"}, {}):
        assert house.client.post("/artikel/einlesen", headers=headers).status_code == 202


@pytest.mark.parametrize(
    "path", ["/artikel/datei", "/artikel/loeschen", "/artikel/angaben", "/artikel/einlesen"]
)
def test_nothing_is_changed_by_a_link(house: House, path: str) -> None:
    assert house.client.get(path, params={"name": "a.txt", "id": "bridge"}).status_code == 405


def test_without_an_intake_nothing_is_taken_in(house: House) -> None:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from rag.serve.pages.articles import add_articles_page

    app = FastAPI()
    house.service.intake = None
    add_articles_page(app, house.service)
    client = TestClient(app)
    assert titles(client.get("/artikel").text) != []
    assert client.post("/artikel/datei?name=a.txt", content=b"x").status_code == 404


def test_title_and_day_of_an_upload_are_changed_and_shown(house: House) -> None:
    house.upload("Markt.txt", NEW.encode())
    house.settled("Markt.txt")
    said = {"title": "Markt <zieht> um", "published": "2025-10-01", "outlet": "", "author": ""}
    answer = house.client.post("/artikel/angaben", params={"id": "Markt"}, data=said)
    assert (answer.status_code, answer.json()) == (
        202,
        {"detail": "Die Angaben zu Markt.txt sind gespeichert."},
    )
    house.settled("Markt.txt")
    page = house.client.get("/artikel").text
    assert "Markt &lt;zieht&gt; um" in page
    assert 'data-published="2025-10-01"' in page


def test_a_day_that_is_none_is_refused_and_files_of_the_folder_are_left_alone(house: House) -> None:
    house.upload("Markt.txt", NEW.encode())
    house.settled("Markt.txt")
    answer = house.client.post("/artikel/angaben", params={"id": "Markt"}, data={"published": "bald"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "„bald“ ist kein Datum; bitte als JJJJ-MM-TT schreiben",
    )
    answer = house.client.post("/artikel/angaben", params={"id": "bridge"}, data={"title": "x"})
    assert answer.status_code == 409
