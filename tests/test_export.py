"""Protects what readers take away: quotes, places, hashes and changes since, in Markdown and JSON."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from markdown_it import MarkdownIt

from rag.i18n import ENGLISH, GERMAN
from rag.schema import Filters
from rag.serve.pages import export
from rag.settings import Settings
from rag.store.answers import Records
from rag.wire import answer_to_dict
from tests.fake_engine import FakeEngine, canned

TODAY = date(2026, 1, 2)


def turn(question: str) -> dict[str, Any]:
    return {"question": question, "record": answer_to_dict(canned(question))}


def markdown(*turns: dict[str, Any], changed: bool = False, title: str = "Titel") -> str:
    return export.conversation("md", title, turns, GERMAN, lambda _: changed, today=TODAY).decode()


def test_markdown_holds_the_answer_with_its_whole_evidence() -> None:
    text = markdown(turn("wärmeplan"))
    cited = canned("wärmeplan").citations[1]
    assert text.startswith("# Titel\n\n*Gespeichert am 2. Januar 2026 mit Beleg*\n\n## wärmeplan\n")
    assert "Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen. [1]" in text
    assert f"> [2] {cited.quote}" in text
    assert f"Zeichen {cited.start} bis {cited.end}, Artikel-Hash `{cited.sha256[:12]}`" in text
    assert "Stadtbote, 12. März 2025: Stadtrat beschließt Wärmeplan" in text
    assert "Ohne Sprachmodell: wörtliche Fundstellen · Index: `fake`" in text


def test_a_models_answer_names_it_and_what_is_doubtful() -> None:
    text = markdown(turn("prosa"))
    assert "*Antwort: modell-1" in text
    assert "- *nicht belegt:* Der Bau dauert zwölf Jahre." in text
    assert "- *nur teilweise belegt:*" in text


@pytest.mark.parametrize("changed", [True, False])
def test_a_source_that_has_changed_since_is_flagged(changed: bool) -> None:
    assert ("**seither geändert**" in markdown(turn("wärmeplan"), changed=changed)) is changed
    sent = json.loads(export.conversation("json", "x", [turn("wärmeplan")], GERMAN, lambda _: changed))
    assert {citation["changed"] for citation in sent["turns"][0]["record"]["citations"]} == {changed}


def test_json_is_the_records_as_they_are() -> None:
    sent = json.loads(export.conversation("json", "x", [turn("wärmeplan")], GERMAN, lambda _: False))
    record = sent["turns"][0]["record"]
    for citation in record["citations"]:
        del citation["changed"]
    original = answer_to_dict(canned("wärmeplan"))
    assert {**record, "id": "", "created": ""} == {**original, "id": "", "created": ""}


def test_a_stopped_answer_is_exported_as_such() -> None:
    text = markdown({"question": "Wer?", "text": "Es war [1] so"})
    assert text.endswith("## Wer?\n\nEs war  so\n\n*Angehalten*\n")


@pytest.mark.parametrize("keyword", ["gift", "*x* <b> [y](javascript:z) # wärmeplan"])
def test_nothing_in_the_file_is_active(keyword: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(markdown(turn(keyword), title=keyword))
    assert "<b>" not in rendered
    assert "<img" not in rendered
    assert "<script" not in rendered
    assert "href" not in rendered


def test_english_words() -> None:
    assert (
        "*Saved on 2 January 2026" in export.conversation("md", "x", [], ENGLISH, bool, today=TODAY).decode()
    )


@pytest.fixture
def client(tmp_path: Path) -> Any:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from rag.serve.pages.routes import add_answer_routes, add_interface_routes
    from rag.serve.queue import Service

    app, records = FastAPI(), Records(tmp_path)
    service = Service(FakeEngine(), Settings(), records)  # type: ignore[arg-type]
    record = answer_to_dict(canned("wärmeplan"))
    records.put({**record, "id": "abc"})
    add_answer_routes(app, service)
    add_interface_routes(app, Settings())
    return TestClient(app, follow_redirects=False)


def test_an_answer_has_an_address(client: Any) -> None:
    saved = client.get("/antwort/abc.md")
    assert "attachment" in saved.headers["content-disposition"]
    assert "Rund 45 Prozent" in saved.text
    assert client.get("/antwort/abc.json").json()["question"] == "wärmeplan"
    assert client.get("/antwort/xyz.md").status_code == 404
    assert client.get("/antwort/abc.exe").status_code == 422


def test_an_answer_has_a_page_with_its_quotes_that_lead_to_their_places(client: Any) -> None:
    page = client.get("/antwort/abc").text
    cited = canned("wärmeplan").citations[1]
    assert cited.quote in page
    assert f'href="/quelle/waermeplan?von={cited.start}&amp;bis={cited.end}' in page
    assert 'href="/?gespraech=abc"' in page
    assert "<h1>wärmeplan</h1>" in page
    gone = client.get("/antwort/xyz")
    assert gone.status_code == 404
    assert "Diese Antwort gibt es hier nicht mehr" in gone.text


def test_an_answer_is_a_word_file_with_quotes_pages_and_dates(client: Any) -> None:
    saved = client.get("/antwort/abc.docx")
    assert saved.headers["content-type"].endswith("wordprocessingml.document")
    told = [paragraph.text for paragraph in Document(io.BytesIO(saved.content)).paragraphs]
    assert told[:3] == ["wärmeplan", told[1], "wärmeplan"]
    at = told.index("[2] Rund 45 Prozent davon sollen aus Bundesmitteln kommen.")
    assert told[at + 1].startswith("Stadtbote, 12. März 2025: Stadtrat beschließt Wärmeplan")
    assert sum("38 gegen 21" in paragraph for paragraph in told) == 1


def test_an_answer_is_one_html_file_whose_links_lead_back_here(client: Any) -> None:
    text = client.get("/antwort/abc.html").text
    assert 'href="http://testserver/quelle/waermeplan?von=' in text
    assert "<style>" in text
    assert "<link" not in text
    assert "<script" not in text


@pytest.mark.parametrize("form", ["md", "html", "docx", "json"])
@pytest.mark.parametrize("question", ["\x00 \ud800 <b>", "gift", "prosa"])
def test_anything_that_was_said_can_be_saved_in_every_form(client: Any, form: str, question: str) -> None:
    sent = {"title": question, "turns": [turn(question), {"question": question, "text": "\x07", "cut": True}]}
    saved = client.post(f"/export/{form}", content=json.dumps(sent))
    assert saved.status_code == 200
    if form == "html":
        assert not re.search("<(?:b|img|form|script)[ >]", saved.text)
    if form == "docx":
        told = [paragraph.text for paragraph in Document(io.BytesIO(saved.content)).paragraphs]
        assert GERMAN("answer.cut") in told


def test_a_conversation_is_sent_and_comes_back_as_a_file(client: Any) -> None:
    sent = {"title": "Über: <Straße>", "turns": [turn("wärmeplan"), {"question": "Und?", "text": ""}]}
    saved = client.post("/export/md", json=sent)
    assert "beleg-%C3%BCber-stra%C3%9Fe.md" in saved.headers["content-disposition"]
    assert saved.text.startswith("# Über: \\<Straße\\>")
    assert client.post("/export/json", json=sent).json()["title"] == "Über: <Straße>"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"title": "x"}', b'{"title": "x", "turns": [{}]}', b'{"title":"x","turns":[1]}']
)
def test_anything_else_is_refused(client: Any, body: bytes) -> None:
    assert client.post("/export/md", content=body).status_code == 422


def test_a_record_that_is_none_is_refused(client: Any) -> None:
    sent = {"title": "x", "turns": [{"question": "x", "record": {"text": 1}}]}
    assert client.post("/export/md", json=sent).status_code == 422


@pytest.mark.parametrize(
    ("referer", "target"),
    [
        (None, "/"),
        ("http://testserver/quelle/a?von=1", "/quelle/a?von=1"),
        ("https://evil.example//evil.example/x", "/evil.example/x"),
    ],
)
def test_a_chosen_language_is_kept_and_leads_back(client: Any, referer: str | None, target: str) -> None:
    chosen = client.get("/sprache/en", headers={"Referer": referer} if referer else {})
    assert (chosen.status_code, chosen.headers["location"]) == (303, target)
    assert chosen.cookies["beleg_lang"] == "en"
    client.cookies = {"beleg_lang": "en"}
    assert client.get("/beleg/words.json", headers={"Accept-Language": "de"}).json()["lang"] == "en"
    assert "beleg_lang" not in client.get("/sprache/xx").cookies


FILTERS = Filters(("Stadtbote",), ("Eva Horn",), date(2025, 3, 1), None, ("waermeplan", "verloren"), "report")
AMONG = "Gefragt wurden nur: Stadtbote · Eva Horn · ab 1. März 2025 · Berichte · {} · verloren"


def test_every_form_says_which_articles_were_asked() -> None:
    answer = replace(canned("wärmeplan"), filters=FILTERS)
    asked = [{"question": "wärmeplan", "record": json.loads(json.dumps(answer_to_dict(answer)))}]
    told = AMONG.format(answer.citations[0].title)
    assert f"\n\n*{told}*\n\n" in markdown(*asked)
    assert told in export.conversation("html", "x", asked, GERMAN, lambda _: False).decode()
    written = export.conversation("docx", "x", asked, GERMAN, lambda _: False)
    assert told in [each.text for each in Document(io.BytesIO(written)).paragraphs]
    sent = json.loads(export.conversation("json", "x", asked, GERMAN, lambda _: False))
    assert sent["turns"][0]["record"]["filters"]["outlets"] == ["Stadtbote"]
    assert "Gefragt wurden" not in markdown(turn("wärmeplan"))
    many = replace(answer, filters=Filters(articles=tuple("abcd")))
    asked = [{"question": "?", "record": answer_to_dict(many)}]
    english = export.conversation("md", "x", asked, ENGLISH, lambda _: False).decode()
    assert "Only asked: 4 chosen articles" in english


@pytest.mark.parametrize("reason", [None, "unsupported"])
def test_that_an_answer_is_unsure_or_stands_in_for_another_is_said_in_every_form(reason: str | None) -> None:
    said = "Keine eindeutige Antwort. Am nächsten kommt:"
    sure = canned("wärmeplan")
    (citation, *_) = sure.citations
    answer = replace(
        sure,
        text=f"{said}\n\n{citation.quote} [1]",
        statements=tuple(replace(each, text=citation.quote) for each in sure.statements[:1]),
        citations=(citation,),
        certainty="sure" if reason else "unsure",
        reason=reason,
    )
    asked = [{"question": "wärmeplan", "record": answer_to_dict(answer)}]
    assert said in markdown(*asked)
    html = export.conversation("html", "x", asked, GERMAN, lambda _: False).decode()
    assert said in html
    assert html.count(citation.quote) == 1
    written = export.conversation("docx", "x", asked, GERMAN, lambda _: False)
    assert said in [each.text for each in Document(io.BytesIO(written)).paragraphs]
