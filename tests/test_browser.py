"""Drives the web chat as a person would, in a real Chromium: nothing leaks, everything opens."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from rag.serve.chat.conversation import Chat
from tests.fake_engine import ARTICLES, DECLINED, FakeEngine, canned
from tests.visit import CHIP, MARKS, PHONE, QUESTION, Site, answered, ask, clear, send

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect


def mark_in_panel(page: Any) -> Any:
    return page.locator("dialog.source[open] mark")


def is_in_view(page: Any, selector: str, frame: str) -> bool:
    return bool(
        page.evaluate(
            """([inner, outer]) => {
                const [a, b] = [inner, outer].map((s) => document.querySelector(s).getBoundingClientRect());
                return a.top >= b.top && a.bottom <= b.bottom;
            }""",
            [selector, frame],
        )
    )


# --- start


def test_start_screen_says_what_is_there_and_who_answers(site: Site) -> None:
    page = site.page()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    expect(page.locator(".held")).to_have_text("3 Artikel · 12. März – 2. April 2025")
    expect(page.locator("#footnote")).to_contain_text("Ohne Sprachmodell: wörtliche Fundstellen")
    assert page.locator(".example").all_inner_texts() == site.engine.suggestions()
    expect(page.locator("#composer textarea")).to_be_focused()
    assert page.title() == "Beleg"


def test_a_suggested_question_is_asked_by_click_and_by_enter(site: Site) -> None:
    page = site.page()
    page.locator(".example").first.click()
    expect(page.locator(CHIP)).to_have_count(3)
    expect(page.locator(".user-row")).to_have_text(QUESTION)
    page = site.page()
    page.locator(".example").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(CHIP)).to_have_count(1)


# --- answers


def test_an_answer_has_quotations_cards_and_what_was_searched(site: Site) -> None:
    page = site.page()
    page.locator("#composer textarea").fill(QUESTION)
    page.get_by_role("button", name="Frage absenden").click()
    answered(page)
    expect(page.locator("#composer textarea")).to_have_value("")
    for cited in canned(QUESTION).citations:
        expect(page.locator("blockquote").nth(cited.number - 1)).to_contain_text(cited.quote)
    assert page.locator("blockquote cite").all_inner_texts()[0] == "Stadtbote, 12. März 2025"
    assert page.locator(".card .title").all_inner_texts() == [a.title for a in ARTICLES[:2]]
    step = page.get_by_role("button", name="3 Artikel durchsucht, 2 zitiert (0,02 s)")
    expect(step).to_have_attribute("aria-expanded", "false")
    step.focus()
    page.keyboard.press("Space")
    expect(step).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".thought-group .place")).to_have_count(3)


def test_history_reaches_the_engine_without_citations(site: Site) -> None:
    page = site.page()
    ask(page, "Was kostet *Fernwärme* 2026?")
    ask(page)
    first, second = site.engine.histories
    assert first == []
    assert [message.role for message in second] == ["user", "assistant"]
    assert second[0].content == "Was kostet *Fernwärme* 2026?"
    assert second[1].content == canned("fernwärme").citations[0].quote


def test_an_abstention_offers_the_nearest_places(site: Site) -> None:
    page = site.page()
    ask(page, "Wer war auf dem Mond?")
    expect(page.locator(".bot-row").last).to_contain_text(DECLINED)
    expect(page.locator(".places .label")).to_have_text("Nächstliegende Stellen")
    expect(page.locator(CHIP)).to_have_count(0)
    page.locator(".bot-row .message-content > .md > .places .place").click()
    expect(mark_in_panel(page)).to_have_text(canned("").further[0].quote)


def test_clear_returns_to_the_start_screen(site: Site) -> None:
    page = site.page()
    ask(page)
    page.locator(CHIP).first.click()
    expect(mark_in_panel(page)).to_be_visible()
    clear(page)
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    expect(page.locator("dialog.source")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    ask(page)
    assert site.engine.histories[-1] == []
    without_early_cancels(site)


def without_early_cancels(site: Site) -> None:
    """Gradio's page may cancel an event before it knows its id, which its server refuses."""
    site.complaints[:] = [each for each in site.complaints if "422" not in each]


def test_clearing_while_an_answer_grows_stops_it(site: Site) -> None:
    page = site.page()
    page.locator("#composer textarea").fill("langsam: Wärmeplan?")
    page.keyboard.press("Enter")
    expect(page.locator(".bot-row")).to_contain_text("Die Vorlage wurde mit 38")
    clear(page)
    page.wait_for_timeout(1500)
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    ask(page)
    without_early_cancels(site)


def test_what_is_kept_late_of_a_stopped_answer_does_not_bring_it_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, reopen = Chat.stop, Chat.reopen

    def stopped(chat: Chat, *told: Any) -> Any:
        time.sleep(1)
        return stop(chat, *told)

    def reopened(chat: Chat, *told: Any) -> Any:
        time.sleep(0.5)
        return reopen(chat, *told)

    monkeypatch.setattr(Chat, "stop", stopped)
    monkeypatch.setattr(Chat, "reopen", reopened)
    page = site.page()
    send(page, "langsam: Wärmeplan?")
    expect(page.locator(".bot-row")).to_contain_text("Die Vorlage wurde mit 38")
    clear(page)
    page.wait_for_timeout(1500)
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_a_long_conversation_shows_the_newest_question(site: Site) -> None:
    page = site.page()
    for _ in range(3):
        ask(page)
    expect(page.locator(".user-row").last).to_be_in_viewport()
    expect(page.locator(CHIP).last).to_be_in_viewport()


def test_copying_gives_the_words_with_numbers_and_sources(site: Site) -> None:
    page = site.page(permissions=["clipboard-read", "clipboard-write"])
    ask(page)
    page.get_by_role("button", name="Antwort mit Quellen kopieren").click()
    expect(page.get_by_role("button", name="Kopiert")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen. [1] (Stadtbote, 12.")
    assert f"[1] Stadtbote, 12. März 2025: {ARTICLES[0].title} <{site.address}/quelle/waermeplan?" in copied


# --- what cannot be answered


@pytest.mark.parametrize(
    ("question", "notice"),
    [
        ("   ", "Bitte geben Sie eine Frage ein."),
        ("ß" * 2001, "Die Frage ist zu lang: 2\u202f001 Zeichen, höchstens 2\u202f000 sind möglich."),
        ("absturz", "internen Fehlers"),
    ],
)
def test_failures_are_notices_and_the_question_stays(site: Site, question: str, notice: str) -> None:
    page = site.page()
    page.locator("#composer textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(notice)
    expect(page.locator("#composer textarea")).to_have_value(question)
    expect(page.locator(".bot-row")).to_have_count(0)
    assert "secret" not in page.content()
    ask(page)
    expect(page.locator("#notice")).to_be_hidden()


# --- citations


def test_each_chip_opens_exactly_its_sentence_and_says_which(site: Site) -> None:
    page = site.page()
    ask(page)
    for cited in canned(QUESTION).citations:
        page.locator(CHIP).nth(cited.number - 1).click()
        expect(page.locator("dialog .position")).to_have_text(f"{cited.number} / 3")
        expect(mark_in_panel(page)).to_have_text(cited.quote)
        expect(page.locator("dialog .name")).to_have_text(str(cited.title))
        assert is_in_view(page, "dialog mark", ".source-body")
        expect(page.locator("a.current")).to_have_text(str(cited.number))


def test_keyboard_opens_steps_and_returns(site: Site) -> None:
    page = site.page()
    ask(page)
    chips = page.locator(CHIP)
    chips.nth(1).focus()
    page.keyboard.press("Enter")
    quotes = [cited.quote for cited in canned(QUESTION).citations]
    expect(mark_in_panel(page)).to_have_text(quotes[1])
    expect(mark_in_panel(page)).to_be_focused()
    page.get_by_role("button", name="Nächster Beleg").press("Enter")
    expect(mark_in_panel(page)).to_have_text(quotes[2])
    expect(page.get_by_role("button", name="Nächster Beleg")).to_be_disabled()
    page.get_by_role("button", name="Voriger Beleg").press("Enter")
    expect(mark_in_panel(page)).to_have_text(quotes[1])
    page.keyboard.press("Escape")
    expect(page.locator("dialog.source")).to_be_hidden()
    expect(chips.nth(1)).to_be_focused()


def test_close_button_returns_focus_and_the_chat_gets_its_width_back(site: Site) -> None:
    page = site.page()
    ask(page)
    width = page.locator("#conversation").bounding_box()["width"]
    page.locator(CHIP).first.click()
    expect(mark_in_panel(page)).to_be_visible()
    assert page.locator("#conversation").bounding_box()["width"] == width - 480
    page.get_by_role("button", name="Artikel schließen").click()
    expect(page.locator(CHIP).first).to_be_focused()
    assert page.locator("#conversation").bounding_box()["width"] == width


def test_a_card_opens_its_article(site: Site) -> None:
    page = site.page()
    ask(page)
    page.locator(".card").nth(1).click()
    expect(page.locator("dialog .name")).to_have_text(str(ARTICLES[1].title))
    expect(mark_in_panel(page)).to_have_text(canned(QUESTION).citations[2].quote)


def test_hover_and_focus_preview_the_place(site: Site) -> None:
    page = site.page(bypass_csp=True)
    ask(page)
    page.locator(CHIP).nth(1).hover()
    preview = page.get_by_role("tooltip")
    expect(preview).to_contain_text("Stadtbote · 12. März 2025")
    around = preview.locator(".around")
    expect(around).to_contain_text("612 Millionen Euro über zehn Jahre. Rund 45 Prozent davon")
    expect(around).to_contain_text("aus Bundesmitteln kommen. Die Opposition kritisierte")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    page.locator(".card").last.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(around).to_contain_text("hält das für optimistisch. Einen Anschlusszwang")


def test_a_modified_click_stays_a_plain_link(site: Site) -> None:
    page = site.page()
    ask(page)
    for modifier in ("Control", "Shift"):
        with page.context.expect_page() as opened:
            page.locator(CHIP).first.click(modifiers=[modifier])
        expect(opened.value.locator("mark")).to_have_text(canned(QUESTION).citations[0].quote)
    expect(page.locator("dialog.source")).to_be_hidden()


def test_when_the_panel_cannot_load_the_link_is_followed(site: Site) -> None:
    page = site.page()
    ask(page)
    page.route("**/quelle/*teil=1*", lambda route: route.abort())
    page.locator(CHIP).first.click()
    page.wait_for_url("**/quelle/waermeplan?**")
    expect(page.locator("mark")).to_have_text(canned(QUESTION).citations[0].quote)
    site.complaints[:] = [c for c in site.complaints if "ERR_FAILED" not in c]


def test_without_javascript_the_link_is_a_page_at_the_marked_sentence(site: Site) -> None:
    page = site.page()
    ask(page)
    href = page.locator(CHIP).nth(1).get_attribute("href")
    plain = site.page(href, java_script_enabled=False, viewport={"width": 390, "height": 400})
    expect(plain.locator("mark")).to_have_text(canned(QUESTION).citations[1].quote)
    expect(plain.locator("mark")).to_be_in_viewport()
    expect(plain.locator("h1")).to_have_text(str(ARTICLES[0].title))


# --- phone, themes, strangers


def test_on_a_phone_the_source_is_a_sheet_and_nothing_scrolls_sideways(site: Site) -> None:
    page = site.page(viewport=PHONE, is_mobile=True, has_touch=True)
    assert_fits(page)
    ask(page)
    assert_fits(page)
    page.locator(CHIP).nth(1).tap()
    expect(mark_in_panel(page)).to_have_text(canned(QUESTION).citations[1].quote)
    assert is_in_view(page, "dialog mark", ".source-body")
    assert page.locator("dialog.source").bounding_box()["width"] == PHONE["width"]
    assert_fits(page)
    page.go_back()
    expect(page.locator("dialog.source")).to_be_hidden()
    expect(page.locator(CHIP)).to_have_count(3)


def assert_fits(page: Any) -> None:
    """No element sticks out of the window."""
    wide = page.evaluate(
        """[...document.querySelectorAll("body *")].filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        }).map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def luminance(page: Any, selector: str, prop: str) -> float:
    colour = page.locator(selector).first.evaluate(f"(e) => getComputedStyle(e).{prop}")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 765


def test_dark_mode_follows_the_system(site: Site) -> None:
    light, dark = (site.page(color_scheme=scheme) for scheme in ("light", "dark"))
    for page in (light, dark):
        ask(page)
        page.locator(CHIP).first.click()
        expect(mark_in_panel(page)).to_be_visible()
    for selector in ("body", "dialog.source", ".card"):
        assert luminance(light, selector, "backgroundColor") > 0.9
        assert luminance(dark, selector, "backgroundColor") < 0.2
    reader = site.page("/quelle/waermeplan", color_scheme="dark")
    assert luminance(reader, "body", "backgroundColor") < 0.2
    assert luminance(reader, ".reader", "color") > 0.7


# --- accessibility


def axe_violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    expect(page.locator('[role="list"]:empty')).to_have_count(0)  # one that is still being filled
    # what fades in has poor contrast for a moment
    page.wait_for_function(
        "document.getAnimations().every((a) => a.playState !== 'running'"
        " || a.effect.getComputedTiming().iterations === Infinity)"
    )
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, scheme: str) -> None:
    page = site.page(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    assert axe_violations(page) == []
    ask(page)
    page.locator(".thought-group > .title").click()
    expect(page.locator(".thought-group .place")).to_have_count(3)
    assert axe_violations(page) == []
    page.locator(CHIP).first.click()
    expect(mark_in_panel(page)).to_be_visible()
    assert axe_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/quelle/waermeplan?von=149&bis=202", "/quelle/fehlt"])
def test_axe_finds_nothing_on_article_pages(site: Site, scheme: str, path: str) -> None:
    page = site.page(path, color_scheme=scheme, bypass_csp=True)
    assert axe_violations(page) == []
    site.complaints[:] = [c for c in site.complaints if "404" not in c]


def test_everything_is_reached_by_tab_with_a_visible_focus(site: Site) -> None:
    page = site.page()
    ask(page)
    page.locator("#composer textarea").focus()
    reached = []
    for _ in range(24):
        page.keyboard.press("Shift+Tab")
        reached.append(page.evaluate("document.activeElement.className.split(' ')[0]"))
        page.wait_for_function("() => getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    below = ["narrow", "option", "option", *["icon-button"] * 4, "record", "", "card", "card"]
    header = ["language", "tool", "tool", "tool", "tool", "", "here"]
    # the choice of articles, below the answer, what is folded, three chips, the step, edit, clear, the header
    assert reached == [*below, "", "", "", "title", "icon-button", "icon-button", *header]


# --- responses


def test_headers_and_addresses(served: tuple[str, FakeEngine]) -> None:
    import httpx

    address, _ = served
    with httpx.Client(base_url=address) as client:
        page = client.get("/", headers={"Accept": "text/html"})
        policy = page.headers["content-security-policy"]
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert "frame-ancestors 'self'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        asset = re.search(r'src="\./(assets/[^"]+)"', page.text)
        assert asset
        assert "immutable" in client.get("/" + asset[1]).headers["cache-control"]
        style = re.search(r"/beleg/base\.css\?v=\w+", page.text)
        assert style
        assert "immutable" in client.get(style[0]).headers["cache-control"]
        assert page.headers["content-encoding"] == "gzip"
        assert client.get("/docs").status_code == 404


@pytest.mark.parametrize("query", ["von=9&bis=2", "von=-1&bis=5", "von=1&bis=999999", "von=x&bis=²", "von=1"])
def test_an_address_without_a_sensible_range_marks_nothing(
    served: tuple[str, FakeEngine], query: str
) -> None:
    import httpx

    answer = httpx.get(f"{served[0]}/quelle/waermeplan?{query}")
    assert answer.status_code == 200
    assert "<mark" not in answer.text
