"""Protects a conversation in a real Chromium: stopped, repeated, changed, judged, kept and taken away."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.schema import Event
from rag.serve.queue import Queue
from rag.settings import Settings
from tests.fake_engine import FakeEngine, canned
from tests.test_browser import assert_fits, axe_violations, mark_in_panel
from tests.visit import (
    CHIP,
    DESKTOP,
    MARKS,
    PHONE,
    QUESTION,
    Site,
    answered,
    ask,
    chat_of,
    clear,
    send,
    serving,
)

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

SLOW = "langsam: Wärmeplan?"


def stored(page: Any) -> list[Any]:
    """The conversations that the browser keeps."""
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([k]) => k.startsWith('beleg:conversation:')).map(([, v]) => v)"
    )
    return [json.loads(each) for each in kept]


def wait_until_kept(page: Any, turns: int) -> None:
    page.wait_for_function(
        """(n) => Object.keys(localStorage).filter((k) => k.startsWith("beleg:conversation:"))
            .some((k) => JSON.parse(localStorage[k]).turns.filter((t) => t.record).length === n)""",
        arg=turns,
    )


def open_list(page: Any) -> Any:
    page.get_by_role("button", name="Gespräche").click()
    expect(page.locator("dialog.list")).to_be_visible()
    return page.locator("dialog.list li")


# --- stop, retry, edit, options


def test_stop_at_any_moment_leaves_what_came_and_retry_works(site: Site) -> None:
    page = site.page()
    for n, moment in enumerate(range(0, 2000, 350)):
        send(page, SLOW)
        stop = page.get_by_role("button", name="Antwort anhalten")
        expect(stop).to_be_visible()
        page.wait_for_timeout(moment)
        if stop.is_visible():
            stop.click()
        expect(page.locator("#composer .submit-button")).to_be_visible()
        complete = page.locator(".bot-row a.record").count() > 0
        if not complete:
            expect(page.locator(".bot-row")).to_contain_text("Angehalten")
        if n % 3 == 0 and not complete:
            page.get_by_role("button", name="Noch einmal antworten").click()
            answered(page)
            expect(page.locator(".bot-row")).not_to_contain_text("Angehalten")
            expect(page.locator(CHIP)).to_have_count(3)
        clear(page)
    ask(page)


def test_retry_answers_the_same_question_again(site: Site) -> None:
    page = site.page()
    ask(page, "Was kostet *Fernwärme*?")
    ask(page)
    record = page.locator("a.record").last
    first = record.get_attribute("href")
    page.get_by_role("button", name="Noch einmal antworten").click()
    expect(record).not_to_have_attribute("href", first)
    answered(page)
    expect(page.locator(".user-row")).to_have_count(2)
    assert len(site.engine.histories) == 3
    assert site.engine.histories[1] == site.engine.histories[2]


def test_a_question_is_changed_in_its_own_words(site: Site) -> None:
    page = site.page()
    ask(page, 'Was "kostet" *Fernwärme*?')
    ask(page)
    page.locator(".user-row").first.hover()
    page.get_by_role("button", name="Frage ändern").first.click()
    box = page.locator(".user-row textarea")
    expect(box).to_have_value('Was "kostet" *Fernwärme*?')
    box.fill("Und der *Wärmeplan*?")
    page.get_by_role("button", name="Geänderte Frage absenden").click()
    expect(page.locator(".user-row")).to_have_count(1)
    expect(page.locator(".user-row")).to_have_text("Und der *Wärmeplan*?")
    answered(page)
    expect(page.locator(CHIP)).to_have_count(3)
    assert site.engine.histories[-1] == []


def test_changing_a_question_loses_nothing_and_enter_sends_it(site: Site) -> None:
    page = site.page(bypass_csp=True)
    ask(page, "Was kostet Fernwärme?")
    ask(page)
    wait_until_kept(page, 2)
    page.locator(".user-row").first.hover()
    change = page.locator(".message-buttons-right").first.get_by_role("button", name="Frage ändern")
    change.click()
    page.keyboard.press("Escape")
    expect(page.locator(".user-row textarea")).to_have_count(0)
    change.click()
    page.locator(".user-row textarea").fill("Was steht zum Wärmeplan?")
    page.keyboard.press("Enter")
    expect(page.locator(".user-row")).to_have_count(1)
    expect(page.locator(".user-row")).to_have_text("Was steht zum Wärmeplan?")
    answered(page)
    note = page.locator(".offer")
    expect(note).to_contain_text("Die frühere Fassung ist noch unter „Gespräche“.")
    assert axe_violations(page) == []
    wait_until_kept(page, 1)
    assert sorted(len(each["turns"]) for each in stored(page)) == [1, 2]
    note.get_by_role("button", name="Dorthin zurück").click()
    expect(page.locator(".user-row")).to_have_text(["Was kostet Fernwärme?", QUESTION])
    expect(note).to_be_hidden()


def test_an_answer_that_comes_out_the_same_again_leaves_no_earlier_version(site: Site) -> None:
    page = site.page()
    ask(page)
    wait_until_kept(page, 1)
    first = stored(page)[0]["turns"][0]["record"]["id"]
    page.get_by_role("button", name="Noch einmal antworten").click()
    page.wait_for_function(
        """(first) => Object.values(localStorage).every((kept) => {
            const { turns } = JSON.parse(kept);
            return turns.length === 1 && turns[0].record && turns[0].record.id !== first;
        })""",
        arg=first,
    )
    expect(page.locator(".offer")).to_have_count(0)
    assert len(stored(page)) == 1


def test_what_to_ask_next_is_asked_by_a_click(site: Site) -> None:
    page = site.page()
    ask(page)
    group = page.get_by_role("group", name="Weiterfragen")
    expect(group.get_by_role("button")).to_have_text(
        ["Was kostet Fernwärme ab 2026?", "Gibt es Zuschüsse für Wärmepumpen?"]
    )
    group.get_by_role("button").first.click()
    expect(page.locator(".user-row").last).to_have_text("Was kostet Fernwärme ab 2026?")
    answered(page)
    expect(page.locator(".option")).to_have_text(["Gibt es Zuschüsse für Wärmepumpen?"])


def test_while_an_answer_comes_nothing_else_is_asked(site: Site) -> None:
    page = site.page()
    send(page, SLOW)
    expect(page.get_by_role("button", name="Antwort anhalten")).to_be_visible()
    send(page, QUESTION)
    expect(page.locator("#composer textarea")).to_have_value(QUESTION)
    answered(page)
    expect(page.locator(".user-row")).to_have_count(1)
    assert len(site.engine.histories) == 1


# --- when the language model fails


def test_a_failing_model_says_so_and_an_answer_without_it_is_a_click_away(site: Site) -> None:
    page = site.page()
    ask(page)
    send(page, "kaputt: Wärmeplan?")
    expect(page.locator(".failure")).to_contain_text("check BELEG_LLM_URL")
    expect(page.locator("#composer .submit-button")).to_be_visible()
    site.engine.mode = "modell-1"
    page.get_by_role("button", name="Antwort ohne Sprachmodell zeigen").click()
    answered(page)
    site.engine.mode = "extractive"
    expect(page.locator(".failure")).to_have_count(0)
    expect(page.locator(".bot-row").last).to_contain_text("Ohne Sprachmodell: wörtliche Fundstellen")
    expect(page.locator(".user-row")).to_have_count(2)
    assert [len(history) for history in site.engine.histories] == [0, 2, 2]


def test_an_answer_that_breaks_off_is_marked_as_incomplete(site: Site) -> None:
    page = site.page()
    send(page, "abbruch: Wärmeplan?")
    expect(page.locator(".failure")).to_contain_text("Unvollständig und ungeprüft")
    expect(page.locator(".bot-row")).to_contain_text("Die Vorlage wurde mit 38 gegen 21 Stimmen")
    expect(page.locator(CHIP)).to_have_count(0)
    ask(page)
    assert site.engine.histories[-1] == []


def test_a_models_sentences_show_how_well_they_are_supported(site: Site) -> None:
    page = site.page(bypass_csp=True)
    ask(page, "prosa")
    expect(page.locator(".unsupported")).to_have_text("Der Bau dauert zwölf Jahre.")
    expect(page.locator("small.status")).to_have_text(
        ["nur teilweise belegt", "nicht belegt", "Beleg berichtigt"]
    )
    assert "dotted" in page.locator(".unsupported").evaluate("(e) => getComputedStyle(e).textDecorationStyle")
    assert axe_violations(page) == []


def test_poisoned_output_of_a_model_stays_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = '<img src="https://evil.example/x.png"> <form action="//evil.example"><input></form> [x](//e.x)'

    answer = canned("prosa")
    statement = dataclasses.replace(answer.statements[2], start=0, end=len(poison))
    answer = dataclasses.replace(answer, text=poison, statements=(statement,))
    monkeypatch.setattr("tests.fake_engine.canned", lambda _: answer)
    page = site.page()
    send(page, "abbruch vergiftet")
    expect(page.locator("#composer .stop-button")).to_have_count(0)
    expect(page.locator(".bot-row").last).to_contain_text("<img src=")
    assert page.locator("#conversation :is(img, form, iframe, script)").count() == 0
    page.wait_for_timeout(300)


class HeldEngine(FakeEngine):
    """Answers no further than the search until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def stream(self, *arguments: Any, **options: Any) -> Iterator[Event]:
        for event in super().stream(*arguments, **options):
            yield event
            self.free.wait(timeout=60)


def test_a_full_house_says_so_and_who_leaves_makes_room(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, leave, left = HeldEngine(), Queue.leave, threading.Event()
    monkeypatch.setattr(Queue, "leave", lambda queue: (leave(queue), left.set()))
    with serving(chat_of(engine, Settings(data=tmp_path, readers=1, waiting=0))) as address:
        site = Site(browser, address, engine)
        first, second = site.page(), site.page(locale="en-GB")
        send(first, QUESTION)
        expect(first.locator(".thought-group")).to_be_visible()
        send(second, QUESTION)
        expect(second.get_by_role("alert")).to_contain_text("Many people are asking questions")
        expect(second.locator("#composer textarea")).to_have_value(QUESTION)
        first.context.close()
        engine.free.set()
        assert left.wait(timeout=60)
        ask(second)
        second.context.close()
    assert site.complaints == []


# --- feedback


def test_keys_lead_to_the_question_and_through_the_citations(site: Site) -> None:
    page = site.page(locale="en-GB", color_scheme="dark", bypass_csp=True)
    ask(page)
    composer = page.locator("#composer textarea")
    composer.press_sequentially("j/k?")
    expect(composer).to_have_value("j/k?")
    composer.fill("")
    page.locator(CHIP).last.focus()
    page.keyboard.press("k")
    expect(page.locator(CHIP).nth(1)).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(CHIP).nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(mark_in_panel(page)).to_have_text(canned(QUESTION).citations[2].quote)
    page.keyboard.press("k")
    expect(mark_in_panel(page)).to_have_text(canned(QUESTION).citations[1].quote)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    help = page.locator("dialog.keys")
    expect(help.locator("kbd")).to_have_count(5)
    assert axe_violations(page) == []
    help.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(help).to_have_count(0)
    page.keyboard.press("/")
    expect(composer).not_to_be_focused()
    page.locator("#masthead .tool.help").click()
    help.get_by_role("checkbox").check()
    help.get_by_role("button").click()
    page.keyboard.press("/")
    expect(composer).to_be_focused()


def test_a_thumb_is_noted_and_given_as_an_evaluation_case(site: Site) -> None:
    page = site.page(bypass_csp=True)
    ask(page, "Was kostet Fernwärme?")
    ask(page)
    wait_until_kept(page, 2)
    page.wait_for_timeout(500)  # Gradio shows a last answer twice, and forgets a thumb in between
    down = page.get_by_role("button", name="Schlechte Antwort").last
    down.click()
    why = page.get_by_role("dialog", name="Was stimmt an der Antwort nicht?")
    expect(why.get_by_role("radio")).to_have_count(4)
    assert axe_violations(page) == []
    why.get_by_label("Der Beleg stützt sie nicht").check()
    why.get_by_label("Näheres (freiwillig)").fill("anderer Ort")
    why.get_by_role("button", name="Senden").click()
    expect(why).to_have_count(0)
    expect(down).to_have_attribute("aria-pressed", "true")
    lines = page.request.get(f"{site.address}/feedback.jsonl").text().splitlines()
    case = json.loads(lines[-1])
    assert (case["question"], case["lang"], case["note"]) == (QUESTION, "de", "anderer Ort")
    assert case["tags"] == ["thumbs-down", "unsupported"]
    assert [message["role"] for message in case["history"]] == ["user", "assistant"]
    wait_until_kept(page, 2)
    page.reload()
    expect(page.get_by_role("button", name="Schlechte Antwort").last).to_have_attribute(
        "aria-pressed", "true"
    )


# --- kept conversations


def test_a_reload_keeps_the_conversation_with_the_same_evidence(site: Site) -> None:
    page = site.page()
    ask(page, "Was kostet *Fernwärme*?")
    ask(page)
    before = page.locator(".bot-row").all_inner_texts()
    wait_until_kept(page, 2)
    page.reload()
    expect(page.locator(".user-row")).to_have_count(2)
    expect(page.locator(".user-row").first).to_have_text("Was kostet *Fernwärme*?")
    assert page.locator(".bot-row").all_inner_texts() == before
    page.locator(CHIP).nth(2).click()
    expect(mark_in_panel(page)).to_have_text(canned(QUESTION).citations[1].quote)
    ask(page, "Und nun?")
    assert [len(history) for history in site.engine.histories] == [0, 2, 4]


def test_a_reload_right_after_enter_keeps_the_question_and_says_that_the_answer_was_cut(site: Site) -> None:
    page = site.page()
    page.route("**/queue/join*", lambda route: route.abort())
    send(page, QUESTION)
    page.wait_for_function("() => Object.keys(localStorage).length === 1")
    page.unroute("**/queue/join*")
    page.reload()
    expect(page.locator(".user-row")).to_have_text(QUESTION)
    expect(page.locator(".bot-row")).to_contain_text("Unterbrochen: Die Seite wurde verlassen")
    page.get_by_role("button", name="Noch einmal antworten").click()
    answered(page)
    send(page, SLOW)
    page.wait_for_function(
        "() => JSON.parse(Object.values(localStorage)[0]).turns.at(-1).text?.startsWith('Die Vorlage')"
    )
    page.reload()
    expect(page.locator(".bot-row").last).to_contain_text("Unterbrochen")
    expect(page.locator(".bot-row").last).to_contain_text("Die Vorlage")
    expect(page.locator(CHIP)).to_have_count(3)
    site.complaints[:] = [c for c in site.complaints if not re.search("ERR_FAILED|AbortError|errored out", c)]


def test_a_question_that_is_refused_is_not_kept(site: Site) -> None:
    page = site.page()
    send(page, "ß" * 2001)
    expect(page.get_by_role("alert")).to_contain_text("zu lang")
    page.wait_for_function("() => Object.keys(localStorage).length === 0")


def test_a_changed_article_is_flagged_when_its_citation_is_shown_again(site: Site) -> None:
    page = site.page()
    ask(page)
    wait_until_kept(page, 1)
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((k) => k.startsWith("beleg:conversation:"));
            const kept = JSON.parse(localStorage[key]);
            kept.turns[0].record.citations[2].sha256 = "0".repeat(64);
            localStorage[key] = JSON.stringify(kept);
        }"""
    )
    page.reload()
    expect(page.locator(".card").nth(1)).to_contain_text("seither geändert")
    expect(page.locator(".card").first).not_to_contain_text("seither geändert")
    page.locator(CHIP).nth(2).click()
    expect(page.locator("dialog.source .note")).to_contain_text("seit dieser Antwort geändert")


def test_a_damaged_store_starts_anew(site: Site) -> None:
    page = site.page()
    page.evaluate(
        """() => {
            sessionStorage["beleg:open"] = "x";
            localStorage["beleg:conversation:x"] = '{"id":"x","title":"X","updated":1,"turns":[{"q":1}]}';
            localStorage["beleg:conversation:y"] = "{";
        }"""
    )
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("nicht mehr zu lesen")
    ask(page)


def test_conversations_are_listed_opened_renamed_saved_and_deleted(site: Site, tmp_path: Path) -> None:
    page = site.page()
    ask(page)
    wait_until_kept(page, 1)
    page.get_by_role("button", name="Neues Gespräch").click()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    ask(page, "Was kostet Fernwärme?")
    page.wait_for_function("() => Object.keys(localStorage).length === 2")
    listed = open_list(page)
    expect(listed.locator(".open")).to_have_text(["Was kostet Fernwärme?", QUESTION])

    page.get_by_role("button", name=f"Umbenennen: {QUESTION}").click()
    page.get_by_role("textbox", name="Umbenennen").fill("Der Plan")
    page.keyboard.press("Enter")
    expect(listed.locator(".open")).to_have_text(["Was kostet Fernwärme?", "Der Plan"])

    with page.expect_download() as download:
        page.get_by_role("button", name="Als Markdown speichern: Der Plan").click()
    assert download.value.suggested_filename == "beleg-der-plan.md"
    download.value.save_as(tmp_path / "x.md")
    text = (tmp_path / "x.md").read_text("utf-8")
    assert text.startswith("# Der Plan\n\n*Gespeichert am")
    assert "Rund 45 Prozent davon sollen aus Bundesmitteln kommen." in text

    listed.locator(".open").last.click()
    expect(page.locator(".user-row")).to_have_text(QUESTION)
    expect(page.locator(CHIP)).to_have_count(3)
    listed = open_list(page)
    page.get_by_role("button", name="Löschen: Der Plan").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Löschen").click()
    expect(listed).to_have_count(1)
    page.get_by_role("button", name="Liste schließen").click()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    assert [each["title"] for each in stored(page)] == ["Was kostet Fernwärme?"]


def test_the_list_opens_and_closes_by_keyboard_and_axe_finds_nothing(site: Site) -> None:
    page = site.page(bypass_csp=True)
    ask(page)
    wait_until_kept(page, 1)
    opener = page.get_by_role("button", name="Gespräche")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog.list")).to_be_visible()
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog.list")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_conversation_is_deleted_only_by_who_means_it(site: Site) -> None:
    page = site.page(locale="en-GB", bypass_csp=True)
    ask(page)
    wait_until_kept(page, 1)
    dialog = page.get_by_role("alertdialog", name="Delete conversation?")
    told = f"“{QUESTION}” will be deleted from this browser"

    bin = page.locator("#conversation .top-panel button")
    bin.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_have_accessible_description(re.compile(re.escape(told)))
    expect(dialog.get_by_role("button").first).to_be_focused()
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(bin).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the cursor waits on the button that keeps it
    expect(dialog).to_have_count(0)

    page.locator("#masthead .tool.conversations").click()
    page.locator("dialog.list .tool.delete").click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("dialog.list .tool.delete")).to_be_focused()
    assert len(stored(page)) == 1
    expect(page.locator(".user-row")).to_have_count(1)

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog.list li")).to_have_count(0)
    expect(page.locator(".user-row")).to_have_count(0)
    assert stored(page) == []


# --- language, colours, embedding


def test_the_language_is_switched_and_stays(site: Site) -> None:
    page = site.page()
    ask(page)
    wait_until_kept(page, 1)
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_placeholder("Ask about the news …")).to_be_visible()
    expect(page.get_by_role("button", name="3 articles searched, 2 cited (0.02 s)")).to_be_visible()
    expect(page.locator(CHIP)).to_have_count(3)
    expect(page.get_by_role("link", name="Articles")).to_be_visible()
    page.reload()
    expect(page.get_by_placeholder("Ask about the news …")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_colours_are_chosen_and_stay_on_every_page(site: Site) -> None:
    page = site.page()
    page.get_by_role("button", name="Helle oder dunkle Darstellung").click()
    body = page.locator("body")
    expect(body).to_have_css("background-color", "rgb(19, 20, 25)")
    expect(body).to_have_class(re.compile("dark"))
    page.goto(f"{site.address}/quelle/waermeplan")
    expect(body).to_have_css("background-color", "rgb(19, 20, 25)")
    page.get_by_role("button", name="Helle oder dunkle Darstellung").click()
    expect(body).to_have_css("background-color", "rgb(251, 250, 246)")
    page.goto(site.address)
    expect(body).to_have_css("background-color", "rgb(251, 250, 246)")


def test_embedded_there_is_only_the_conversation(site: Site) -> None:
    page = site.page("/?embed=1", viewport={"width": 420, "height": 640})
    expect(page.locator("#masthead")).to_be_hidden()
    ask(page)
    page.locator(CHIP).first.click()
    expect(mark_in_panel(page)).to_be_visible()
    assert_fits(page)


def test_header_and_list_fit_a_phone(site: Site) -> None:
    page = site.page(viewport=PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    ask(page, "prosa")
    wait_until_kept(page, 1)
    for name in ("Gespräch", "Artikel", "Auswertung"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert_fits(page)
    open_list(page)
    assert_fits(page)


def test_the_header_fits_any_width_even_beside_an_article(site: Site) -> None:
    page = site.page(reduced_motion="reduce")
    ask(page)
    for width in (700, 900, 1100, DESKTOP["width"]):
        page.set_viewport_size({"width": width, "height": 700})
        assert_fits(page)
        page.locator(CHIP).first.click()
        expect(mark_in_panel(page)).to_be_visible()
        assert_fits(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog.source")).to_be_hidden()


def test_a_screen_reader_is_told_the_answer_once(site: Site) -> None:
    page = site.page()
    ask(page)
    status = page.locator(".unseen[role=status]")
    expect(status).to_contain_text("Antwort: Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.")
    expect(page.locator("#conversation [role=log]")).to_have_attribute("aria-live", "off")


def test_a_screen_reader_is_told_an_answer_that_is_there_before_the_next_frame(site: Site) -> None:
    page = site.page()
    page.evaluate("() => { window.requestAnimationFrame = (then) => setTimeout(then, 2000); }")
    ask(page)
    status = page.locator(".unseen[role=status]")
    expect(status).to_contain_text("Antwort: Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.")
