"""Drives the chat over a small real dossier: which articles answer, what it is, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from rag.settings import Settings
from tests.test_browser import axe_violations
from tests.visit import DESKTOP, MARKS, PHONE, Site, ask, dossier, visited

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

ARTICLES = {
    "bridge.md": """---
title: Brücke am Hafen gesperrt
outlet: Hafenbote
published: 2025-09-03
---
Die Brücke am Hafen wird ab Montag gesperrt. Die Bauarbeiten an der Brücke kosten 4 Millionen Euro.
""",
    "bridge-2.md": """---
title: Streit um die Brücke
outlet: Stadtblatt
published: 2025-09-10
---
Die Bauarbeiten an der Brücke kosten 6 Millionen Euro, schätzt Ratsfrau Hanne Vries. Die Brücke ist alt.
""",
    "fair.md": """---
title: Der Markt zieht um
outlet: Stadtblatt
published: 2025-10-01
---
Der Markt zieht auf den Rathausplatz um. Hanne Vries erwartet 62 Stände auf dem Markt.
""",
}
COSTS = "Was kosten die Bauarbeiten an der Brücke?"
ENGLISH = {"locale": "en-GB"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("dossier")
    (root / "articles").mkdir()
    for name, text in ARTICLES.items():
        (root / "articles" / name).write_text(text, "utf-8")
    settings = Settings(
        articles=root / "articles", data=root / "data", sync_seconds=0, trusted_proxies="127.0.0.1"
    )
    with dossier(settings) as found:
        yield found


@pytest.fixture
def site(browser: Any, address: str) -> Iterator[Site]:
    """A site that must not have complained by the end of the test."""
    yield from visited(browser, address)


def choose(page: Any) -> Any:
    """Opens the dialog."""
    page.locator("#choice .narrow").click()
    dialog = page.get_by_role("dialog", name="Welche Artikel sollen antworten?")
    expect(dialog).to_be_visible()
    return dialog


def chips(page: Any) -> Any:
    return page.locator("#choice a.filter > span")


# --- what the dossier is


def test_the_start_page_says_what_the_dossier_is(site: Site) -> None:
    page = site.page()
    overview = page.locator(".overview")
    expect(overview).to_contain_text("3. September – 1. Oktober 2025")
    expect(overview).to_contain_text("Medium Stadtblatt · Hafenbote")
    page.locator(".overview .bars a").first.click()
    expect(page.locator("#choice .told")).to_have_text("1 von 3 Artikeln")
    expect(chips(page)).to_have_text(["3. September 2025"])
    overview.get_by_role("link", name="Stadtblatt", exact=True).click()
    expect(chips(page)).to_have_text(["Stadtblatt"])
    english = site.page(locale="en-GB").locator(".overview")
    expect(english).to_contain_text("Outlet Stadtblatt · Hafenbote")


# --- which articles answer


def test_an_outlet_is_chosen_and_alone_answers(site: Site) -> None:
    page = site.page()
    dialog = choose(page)
    dialog.get_by_role("checkbox", name="Hafenbote 1 Artikel").check()
    dialog.get_by_role("button", name="Eingrenzen").click()
    expect(chips(page)).to_have_text(["Hafenbote"])
    expect(page.locator("#choice .told")).to_have_text("1 von 3 Artikeln")
    assert page.url.endswith("/?medium=Hafenbote")
    ask(page, COSTS)
    expect(page.locator(".bot-row").last).to_contain_text("4 Millionen")
    expect(page.locator(".bot-row").last).not_to_contain_text("6 Millionen")
    page.locator("#choice a.filter").click()
    expect(chips(page)).to_have_count(0)
    expect(page.locator("#composer textarea")).to_be_focused()
    assert "medium=" not in page.url


def test_the_page_of_an_answer_says_which_articles_were_asked_and_leads_back_to_that_choice(
    site: Site,
) -> None:
    page = site.page("/?medium=Hafenbote&artikel=bridge&von=2025-09-02")
    expect(chips(page)).to_have_count(3)
    ask(page, COSTS)
    page.locator("a.record").click()
    said = page.locator("section.kept > p.small").first
    expect(said).to_have_text("Gefragt wurden nur: Hafenbote · ab 2. Sep. 2025 · Brücke am Hafen gesperrt")
    page.get_by_role("link", name="Im Gespräch öffnen").click()
    expect(page.locator(".user-row")).to_contain_text(COSTS)
    expect(chips(page)).to_have_text(["Hafenbote", "ab 2. Sep. 2025", "Brücke am Hafen gesperrt"])


@pytest.mark.parametrize("scripts", [True, False])
def test_the_choice_is_a_page_of_its_own_too(site: Site, scripts: bool) -> None:
    page = site.page("/auswahl?medium=Stadtblatt", java_script_enabled=scripts)
    expect(page.get_by_role("checkbox", name="Stadtblatt 2 Artikel")).to_be_checked()
    page.get_by_role("checkbox", name="Stadtblatt 2 Artikel").uncheck()
    page.get_by_role("checkbox", name="Hafenbote 1 Artikel").check()
    page.get_by_role("button", name="Eingrenzen").click()
    if scripts:
        expect(chips(page)).to_have_text(["Hafenbote"])
    else:
        expect(page.get_by_role("checkbox", name="Hafenbote 1 Artikel")).to_be_checked()
        expect(page.get_by_role("textbox", name="Ihre Frage")).to_be_visible()


def test_days_and_articles_are_chosen_and_left_out_again(site: Site) -> None:
    page = site.page()
    dialog = choose(page)
    dialog.get_by_label("von").fill("2025-09-05")
    dialog.get_by_role("checkbox", name=re.compile("Streit um die Brücke")).check()
    dialog.get_by_role("button", name="Eingrenzen").click()
    expect(chips(page)).to_have_text(["ab 5. Sep. 2025", "Streit um die Brücke"])
    ask(page, COSTS)
    expect(page.locator(".bot-row").last).to_contain_text("6 Millionen")
    dialog = choose(page)
    expect(dialog.get_by_label("von")).to_have_value("2025-09-05")
    page.keyboard.press("Escape")
    choose(page).get_by_role("button", name="Alle Artikel").click()
    expect(chips(page)).to_have_count(0)


def test_a_choice_is_kept_with_its_conversation(site: Site) -> None:
    page = site.page("/?medium=Hafenbote")
    ask(page, COSTS)
    page.get_by_role("button", name="Neues Gespräch").click()
    expect(chips(page)).to_have_count(0)
    expect(page.locator(".user-row")).to_have_count(0)
    ask(page, "Wie viele Stände erwartet Hanne Vries?")
    page.goto(site.address + "/artikel")
    page.get_by_role("link", name="Gespräch").click()
    expect(page.locator(".user-row")).to_contain_text("Stände")
    page.get_by_role("button", name="Gespräche", exact=True).click()
    page.get_by_role("button", name=COSTS, exact=True).click()
    expect(chips(page)).to_have_text(["Hafenbote"])
    expect(page.locator(".user-row")).to_contain_text("Brücke")
    page.reload()
    expect(chips(page)).to_have_text(["Hafenbote"])
    expect(page.locator(".user-row")).to_contain_text("Brücke")


def test_a_link_with_another_choice_begins_a_conversation_of_its_own(site: Site) -> None:
    page = site.page("/?medium=Hafenbote")
    ask(page, COSTS)
    page.goto(site.address + "/?artikel=fair&von=nie")
    expect(chips(page)).to_have_text(["Der Markt zieht um"])
    expect(page.locator(".user-row")).to_have_count(0)
    page.goto(site.address + "/?medium=Kurier")
    expect(page.locator("#choice .wrong")).to_contain_text("kein Artikel hat das Medium „Kurier“")
    page.goto(site.address + "/?medium=Hafenbote")
    expect(chips(page)).to_have_text(["Hafenbote"])
    expect(page.locator(".user-row")).to_have_count(0)


# --- the list and an article


def test_a_bar_of_the_timeline_shows_its_days_alone(site: Site) -> None:
    page = site.page("/artikel")
    page.get_by_role("link", name="3. Sep. 2025: 1 Artikel").click()
    expect(page.locator("td.titel > a")).to_have_text(["Brücke am Hafen gesperrt"])
    expect(page.locator(".summary")).to_contain_text("1 von 3 Artikeln · 3. September 2025")
    assert page.url.endswith("/artikel?von=2025-09-03&bis=2025-09-03")
    page.get_by_role("searchbox").fill("Markt")
    expect(page.locator(".nothing")).to_be_visible()
    page.get_by_role("searchbox").fill("Brücke")
    expect(page.locator("td.titel > a")).to_have_count(1)
    page.get_by_role("link", name="Fragen zu diesen Artikeln").click()
    expect(chips(page)).to_have_text(["Brücke am Hafen gesperrt"])


@pytest.mark.parametrize("scripts", [True, False])
def test_from_a_list_into_an_article_on_and_back(site: Site, scripts: bool) -> None:
    page = site.page("/artikel?q=Hanne", java_script_enabled=scripts)
    expect(page.locator(".excerpt").first).to_contain_text("Hanne Vries erwartet 62 Stände")
    page.get_by_role("link", name="Der Markt zieht um").click()
    expect(page.locator("mark")).to_have_text(["Hanne"])
    expect(page.get_by_role("link", name="Voriger", exact=False)).to_have_count(0)
    page.get_by_role("link", name="Nächster").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Streit um die Brücke")
    field = page.get_by_role("searchbox", name="In diesem Artikel suchen")
    expect(field).to_have_value("Hanne")
    field.fill("brücke")
    field.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Treffer 1 von 2")
    page.get_by_role("link", name="Nächster Treffer").click()
    expect(page.locator("mark#treffer")).to_have_text("Brücke")
    expect(page.get_by_role("status").first).to_contain_text("Treffer 2 von 2")
    field.fill("nirgends")
    field.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("kein Treffer")
    page.get_by_role("link", name="Zur Liste").click()
    assert page.url.endswith("/artikel?q=Hanne")


def test_an_article_is_asked_about(site: Site) -> None:
    page = site.page("/quelle/fair")
    page.get_by_role("link", name="Fragen zu diesem Artikel").click()
    expect(chips(page)).to_have_text(["Der Markt zieht um"])


# --- without scripts, and below a path


def test_without_scripts_a_form_asks_and_answers(site: Site) -> None:
    page = site.page("/auswertung", java_script_enabled=False)
    page.get_by_role("link", name="Gespräch").click()
    page.wait_for_url("**/fragen")
    page.get_by_label("Ihre Frage").fill("Wie viele Stände erwartet Hanne Vries?")
    page.get_by_role("button", name="Frage absenden").click()
    expect(page.locator(".asked")).to_contain_text("62 Stände auf dem Markt.\u20601")
    page.locator(".asked a.number").click()
    expect(page.locator("mark")).to_contain_text("62 Stände")
    page.go_back()
    page.get_by_label("Ihre Frage").fill(COSTS)
    page.get_by_text("Welche Artikel sollen antworten?").click()
    page.get_by_role("checkbox", name="Hafenbote 1 Artikel").check()
    page.get_by_role("button", name="Frage absenden").click()
    expect(page.locator(".asked")).to_have_count(2)
    expect(page.locator("#antwort")).to_contain_text("4 Millionen")
    expect(page.get_by_role("checkbox", name="Hafenbote 1 Artikel")).to_be_checked()
    page.get_by_label("Ihre Frage").fill(" ")
    page.get_by_role("button", name="Frage absenden").click()
    expect(page.get_by_role("alert")).to_contain_text("Die Frage ist leer")
    site.complaints[:] = [each for each in site.complaints if "400" not in each]


def test_below_a_path_every_link_works(browser: Any, site: Site) -> None:
    below = Site(browser, f"{site.address}/dossier", None)  # type: ignore[arg-type]
    page = below.page(extra_http_headers={"X-Forwarded-Prefix": "/dossier"})
    page.get_by_role("button", name="Artikel eingrenzen").click()
    page.get_by_role("checkbox", name="Hafenbote 1 Artikel").check()
    page.get_by_role("button", name="Eingrenzen", exact=True).click()
    expect(chips(page)).to_have_text(["Hafenbote"])
    ask(page, COSTS)
    page.locator("#conversation .bot-row .md a[href*='/quelle/']").first.click()
    expect(page.locator("dialog.source mark").first).to_contain_text("4 Millionen")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(".user-row")).to_contain_text("Brücke")
    page.goto(f"{below.address}/artikel?q=Hanne&sort=titel&von=2025-09-01")
    page.get_by_role("searchbox").fill("Brücke")
    expect(page.locator("td.titel > a")).to_have_count(2)
    page.get_by_role("link", name="Brücke am Hafen gesperrt").click()
    expect(page.locator("mark").first).to_be_visible()
    for page_of in ("/", "/artikel", "/quelle/fair?liste=q%3DHanne&suche=Hanne", "/auswertung", "/fragen"):
        page.goto(below.address + page_of)
        expect(page.locator('a[href="/dossier/artikel"]').first).to_be_visible()
        links = page.evaluate(
            "[...document.querySelectorAll('a[href], form[action]')].map(e => e.href ?? e.action)"
        )
        for each in {str(link).partition("#")[0] for link in links if isinstance(link, str)}:
            assert each.startswith(below.address), (page_of, each)
            assert page.request.get(each).status == 200, each
    assert below.complaints == []


# --- everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_little_height_shows_the_answer(site: Site, scheme: str) -> None:
    # a screen of 1280 × 800 at 200 %
    page = site.page(
        viewport={"width": 640, "height": 400},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    ask(page, COSTS)
    expect(page.locator("#conversation blockquote").first).to_be_in_viewport(ratio=0.9)
    bubble = page.locator(".user-row .message").first.bounding_box()
    delete = page.get_by_role("button", name="Gespräch löschen").bounding_box()
    assert bubble["x"] + bubble["width"] <= delete["x"], "the button lies on the question"
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("scheme", "locale", "viewport"),
    [
        ("light", "de-DE", DESKTOP),
        ("light", "en-GB", PHONE),
        ("dark", "de-DE", PHONE),
        ("dark", "en-GB", DESKTOP),
    ],
)
def test_axe_finds_nothing(site: Site, scheme: str, locale: str, viewport: Any) -> None:
    page = site.page(
        "/?medium=Hafenbote&artikel=bridge",
        locale=locale,
        color_scheme=scheme,
        viewport=viewport,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    expect(chips(page)).to_have_count(2)
    assert axe_violations(page) == []
    page.locator("#choice .narrow").click()
    expect(page.locator("dialog.choosing")).to_be_visible()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for path in (
        "/artikel?q=Hanne&von=2025-09-01",
        "/quelle/fair?liste=q%3DHanne&suche=markt",
        "/fragen",
        "/auswahl",
    ):
        page.goto(site.address + path)
        expect(page.locator("mark, .plain").first).to_be_visible()
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
