"""Protects the addresses of a conversation in a real Chromium: Back, Forward, links for others, a page."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from rag.serve.chat.conversation import Chat
from tests.fake_engine import canned
from tests.test_browser import assert_fits, axe_violations, mark_in_panel
from tests.visit import CHIP, MARKS, PHONE, QUESTION, Site, ask

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

OTHER = "Was kostet Fernwärme?"


def shows(page: Any, *questions: str) -> None:
    expect(page.locator(".user-row")).to_have_text(list(questions))
    expect(page.locator(".bot-row")).to_have_count(len(questions))


def ask_two(page: Any) -> None:
    """Asks two questions, each until its answer has its address."""
    ask(page, OTHER)
    expect(page).to_have_url(re.compile("gespraech="))
    first = page.url
    ask(page)
    expect(page).not_to_have_url(first)


def test_back_and_forward_follow_the_conversation_and_the_source(site: Site) -> None:
    page = site.page()
    ask(page, OTHER)
    expect(page).to_have_url(re.compile("gespraech="))
    first = page.url
    ask(page)
    expect(page).not_to_have_url(first)
    second = page.url
    page.locator(CHIP).nth(2).click()
    expect(mark_in_panel(page)).to_be_visible()
    page.get_by_role("button", name="Nächster Beleg").click()
    cited = canned(QUESTION).citations[2].quote
    expect(mark_in_panel(page)).to_have_text(cited)
    third = page.url
    assert "quelle=" in third

    page.go_back()
    expect(page.locator("dialog.source")).to_be_hidden()
    assert page.url == second
    page.go_back()
    shows(page, OTHER)
    assert page.url == first
    page.go_back()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    page.go_forward()
    shows(page, OTHER)
    page.go_forward()
    shows(page, OTHER, QUESTION)
    page.go_forward()
    expect(mark_in_panel(page)).to_have_text(cited)
    page.reload()
    expect(mark_in_panel(page)).to_have_text(cited)
    page.keyboard.press("Escape")
    expect(page).to_have_url(second)
    assert page.evaluate("Object.keys(localStorage).length") == 1


def test_back_leads_from_an_answer_that_came_at_once_to_the_start(site: Site) -> None:
    page = site.page()
    page.evaluate(  # so that the page sees the question and its whole answer in one look
        "() => { window.requestAnimationFrame = (look) => setTimeout(look, 2000); }"
    )
    ask(page, OTHER)
    expect(page).to_have_url(re.compile("gespraech="))
    page.go_back()
    expect(page).to_have_url(f"{site.address}/")
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()


def test_back_twice_in_a_row_shows_where_the_reader_has_come_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopen = Chat.reopen
    begun = threading.Semaphore(0)
    go_on = threading.Event()

    def slowly(chat: Chat, *told: Any) -> Any:
        begun.release()
        go_on.wait(30)
        return reopen(chat, *told)

    page = site.page()
    ask_two(page)
    monkeypatch.setattr(Chat, "reopen", slowly)
    page.evaluate("history.back()")
    assert begun.acquire(timeout=30)
    page.evaluate("history.back()")
    expect(page).not_to_have_url(re.compile("gespraech="))
    page.wait_for_timeout(300)
    go_on.set()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()


def test_what_is_asked_after_going_back_is_a_conversation_of_its_own(site: Site) -> None:
    page = site.page()
    ask_two(page)
    page.go_back()
    shows(page, OTHER)
    ask(page, "Und die prosa?")
    page.wait_for_function("() => Object.keys(localStorage).length === 2")
    kept = page.evaluate(
        "Object.values(localStorage).map((kept) => JSON.parse(kept).turns.map((t) => t.question))"
    )
    assert sorted(kept) == [[OTHER, "Und die prosa?"], [OTHER, QUESTION]]


def test_a_link_shows_a_colleague_the_conversation_and_the_open_source(site: Site) -> None:
    page = site.page()
    ask(page, OTHER)
    ask(page)
    page.locator(CHIP).nth(3).click()
    expect(mark_in_panel(page)).to_be_visible()
    expect(page).to_have_url(re.compile("quelle="))
    theirs = site.page(page.url.removeprefix(site.address), locale="en-GB")
    shows(theirs, OTHER, QUESTION)
    expect(mark_in_panel(theirs)).to_have_text(canned(QUESTION).citations[2].quote)
    assert theirs.evaluate("Object.keys(localStorage).length") == 0
    theirs.keyboard.press("Escape")
    ask(theirs, "prosa")
    assert [len(history) for history in site.engine.histories] == [0, 2, 4]
    theirs.wait_for_function(
        "() => JSON.parse(Object.values(localStorage)[0] ?? '{\"turns\": []}').turns.length === 3"
    )


def test_a_link_to_what_is_no_longer_kept_says_so(site: Site) -> None:
    page = site.page("/?gespraech=nobody")
    expect(page.get_by_role("alert")).to_contain_text("nicht mehr zu lesen")
    ask(page)


def test_on_paper_is_the_whole_conversation_with_its_sources_and_nothing_to_press(
    site: Site, tmp_path: Path
) -> None:
    page = site.page(color_scheme="dark")
    for question in (OTHER, QUESTION, OTHER, QUESTION):
        ask(page, question)
    page.locator(CHIP).first.click()
    expect(mark_in_panel(page)).to_be_visible()
    page.pdf(path=str(tmp_path / "conversation.pdf"))
    pages = [
        sheet.get_textpage().get_text_range()
        for sheet in pypdfium2.PdfDocument(tmp_path / "conversation.pdf")
    ]
    told = " ".join(" ".join(pages).split())
    assert len(pages) > 1
    for answer in (canned(OTHER), canned(QUESTION)):
        for cited in answer.citations:
            assert told.count(cited.quote) == 2
    assert told.count("Die ersten Bauarbeiten beginnen im September") == 4  # folded on the screen
    for said in ("Frage zu den Nachrichten", "Teilen und speichern", "Gibt es Zuschüsse", "Auswertung"):
        assert said not in told
    assert told.index(OTHER) < told.index("13,8 Cent") < told.index(QUESTION)


def test_an_answer_has_a_page_of_its_own(site: Site) -> None:
    page = site.page(locale="en-GB", color_scheme="dark", bypass_csp=True, viewport=PHONE)
    ask(page, "prosa")
    page.locator("a.record").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("prosa")
    expect(page.locator("figure")).to_have_count(3)
    assert axe_violations(page) == []
    assert_fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Word").click()
    assert download.value.suggested_filename == "beleg-prosa.docx"
    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".share .print").click()
    assert page.evaluate("window.printed")
    page.locator("figure a").nth(1).click()
    expect(page.locator("mark")).to_have_text(canned(QUESTION).citations[1].quote)
    page.go_back()
    page.locator(".share a").first.click()
    shows(page, "prosa")
