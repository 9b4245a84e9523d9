"""Drives the articles page as a person would, in a real Chromium, over a real index that grows meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rag.settings import Settings
from tests.test_browser import axe_violations
from tests.visit import CHIP, MARKS, PHONE, Site, ask, dossier, serving, visited

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

BRIDGE = """---
title: Brücke am Hafen gesperrt
outlet: Hafenbote
published: 2025-09-03
---
Die Brücke am Hafen wird ab Montag gesperrt. Die Bauarbeiten dauern bis in den Oktober hinein.
"""
BUSES = """---
title: Mehr Busse in der Stadt
outlet: Stadtblatt
published: 2025-09-01
genre: comment
---
Die Busse fahren ab Freitag häufiger durch die Stadt. Der Rat hat das am Mittwoch beschlossen.
"""
BARE = "Der Stadtrat tagt am Mittwoch zum letzten Mal in diesem Jahr im alten Rathaus."
MARKET = """Der Wochenmarkt zieht um

Der Wochenmarkt zieht im Oktober auf den Rathausplatz um. Marktleiterin Hanne Vries erwartet 62 Stände.
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("house")
    (root / "articles").mkdir()
    for name, text in {"bridge.md": BRIDGE, "buses.md": BUSES, "rat.txt": BARE}.items():
        (root / "articles" / name).write_text(text, "utf-8")
    return Settings(articles=root / "articles", data=root / "data", article_limit=50_000, sync_seconds=0.3)


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with dossier(settings) as found:
        yield found


@pytest.fixture
def site(browser: Any, address: str) -> Iterator[Site]:
    """A site that must not have complained by the end of the test."""
    yield from visited(browser, address)


def titles(page: Any) -> list[str]:
    return list(page.locator("td.titel > a").all_inner_texts())


def choose(page: Any, *files: tuple[str, bytes]) -> None:
    page.locator("#dateien").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    )


def outcome(page: Any, name: str) -> Any:
    return page.locator("#results li", has=page.get_by_text(name, exact=True)).locator(".outcome")


def refusals_are_expected(site: Site) -> None:
    """A refused upload is a failed response, which the browser notes as an error of its own."""
    site.complaints[:] = [c for c in site.complaints if "422" not in c]


# --- reading


def test_the_list_says_what_is_there(site: Site) -> None:
    page = site.page("/artikel")
    expect(page.get_by_role("heading", name="Artikel", exact=True)).to_be_visible()
    expect(page.locator(".summary")).to_contain_text("1.–3. September 2025")
    assert titles(page)[:2] == ["Brücke am Hafen gesperrt", "Mehr Busse in der Stadt"]
    cells = page.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    assert cells[1:4] == ["Stadtblatt", "1. Sep. 2025", "Deutsch"]
    expect(page.locator(".badge")).to_have_text("Kommentar")
    expect(page.get_by_role("group", name="Erscheinungsdaten")).to_be_visible()
    expect(page.locator(".timeline .undated")).to_contain_text("1 Artikel ohne Datum")
    assert page.get_by_role("link", name="Gespräch").get_attribute("href") == "/"
    assert (
        page.locator("footer").get_by_role("link", name="Auswertung").get_attribute("href") == "/auswertung"
    )
    page.get_by_role("link", name="Brücke am Hafen gesperrt").click()
    expect(page.locator("article.reader h1")).to_have_text("Brücke am Hafen gesperrt")


def test_it_is_english_for_an_english_browser(site: Site) -> None:
    page = site.page("/artikel", locale="en-GB")
    expect(page.get_by_role("heading", name="Articles", exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name="Outlet")).to_be_visible()
    expect(page.get_by_role("button", name="Read in again")).to_be_visible()


def test_the_list_follows_what_is_typed(site: Site) -> None:
    page = site.page("/artikel")
    page.get_by_role("searchbox").press_sequentially("oktober hafen")
    expect(page.locator("td.titel > a")).to_have_count(1)
    expect(page.locator(".summary")).to_contain_text("1 von")
    assert page.locator("rect.rest").count() == 1
    assert page.url.endswith("/artikel?q=oktober+hafen")
    page.reload()
    expect(page.locator("td.titel > a")).to_have_count(1)
    page.get_by_role("link", name="Suche aufheben").click()
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("td.titel > a").nth(2)).to_be_visible()
    page.get_by_role("searchbox").fill("Mond<b>")
    expect(page.locator(".nothing")).to_have_text("Kein Artikel enthält „Mond<b>“.")


def test_a_heading_sorts_by_keyboard_and_keeps_the_focus(site: Site) -> None:
    page = site.page("/artikel")
    heading = page.get_by_role("columnheader", name="Titel")
    for direction in ("ascending", "descending"):
        heading.get_by_role("link").focus()
        page.keyboard.press("Enter")
        expect(heading).to_have_attribute("aria-sort", direction)
        expect(heading.get_by_role("link")).to_be_focused()
        shown = [title for title in titles(page) if title != "Artikel ohne Titel"]
        assert shown == sorted(shown, reverse=direction == "descending")


def test_it_reads_searches_and_sorts_without_scripts(site: Site) -> None:
    page = site.page("/artikel", java_script_enabled=False)
    expect(page.get_by_text("Zum Hochladen braucht diese Seite JavaScript.")).to_be_visible()
    expect(page.locator(".drop")).to_be_hidden()
    page.get_by_role("searchbox").fill("Hafen")
    page.get_by_role("button", name="Suchen").click()
    expect(page.locator("td.titel > a")).to_have_text(["Brücke am Hafen gesperrt"])
    page.get_by_role("link", name="Suche aufheben").click()
    page.get_by_role("columnheader", name="Titel").get_by_role("link").click()
    expect(page.locator("th.titel")).to_have_attribute("aria-sort", "ascending")


# --- taking in


def test_a_new_article_answers_a_question_without_a_restart_until_it_is_deleted(site: Site) -> None:
    page = site.page("/artikel")
    choose(page, ("Markt.txt", MARKET.encode()))
    expect(outcome(page, "Markt.txt")).to_have_text("aufgenommen")
    expect(page.get_by_role("link", name="Der Wochenmarkt zieht um")).to_be_visible()
    expect(page.locator("#results a")).to_have_attribute("href", "/quelle/Markt")
    chat = site.page()
    ask(chat, "Wie viele Stände erwartet Hanne Vries?")
    expect(chat.locator(".bot-row").last).to_contain_text("62 Stände")
    expect(chat.locator(CHIP).first).to_have_attribute("href", re.compile("^/quelle/Markt"))

    page.get_by_role("button", name="Der Wochenmarkt zieht um löschen").click()
    dialog = page.get_by_role("dialog", name="Artikel löschen?")
    expect(dialog).to_contain_text("„Der Wochenmarkt zieht um“ wird gelöscht")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Der Wochenmarkt zieht um löschen").click()
    dialog.get_by_role("button", name="Löschen").click()
    expect(page.get_by_role("link", name="Der Wochenmarkt zieht um")).to_have_count(0)
    expect(page.locator("button.delete")).to_have_count(0)
    expect(page.locator(".folder").first).to_have_attribute(
        "title", "Artikel aus „articles“ löschen Sie in diesem Ordner: Beleg liest ihn nur."
    )


def test_what_people_changed_of_an_article_says_so_with_what_the_file_says(site: Site) -> None:
    page = site.page("/artikel")
    choose(
        page, ("baeder.txt", b"Das Freibad bleibt zu\n\nDas Freibad am Wehr bleibt im Sommer geschlossen.\n")
    )
    row = page.locator("tbody tr", has_text="baeder").or_(page.locator("tbody tr", has_text="Freibad")).first
    row.get_by_role("button", name="ändern").click()
    form = page.get_by_role("dialog", name="Angaben zum Artikel")
    form.get_by_label("Titel").fill("Freibad geschlossen")
    form.get_by_label("Medium").fill("Wehrblatt")
    form.get_by_label("Datum").fill("2025-06-02")
    form.get_by_role("button", name="Speichern").click()
    changed = page.locator("tbody tr", has=page.get_by_role("link", name="Freibad geschlossen"))
    expect(changed).to_contain_text("Wehrblatt")
    expect(changed.locator(".copy")).to_have_text(
        "bearbeitet – in der Datei: Titel: Das Freibad bleibt zu; Medium: keine Angabe; Datum: keine Angabe"
    )
    assert axe_violations(site.page("/artikel", bypass_csp=True, locale="en-GB")) == []
    changed.get_by_role("button", name="löschen").click()
    page.get_by_role("button", name="Löschen", exact=True).click()
    expect(changed).to_have_count(0)


def test_each_file_has_a_result_of_its_own(site: Site) -> None:
    page = site.page("/artikel")
    choose(
        page,
        ("gut.txt", b"Das Freibad bleibt bis zum Ende der Ferien ge\xc3\xb6ffnet, sagte der Bademeister."),
        ("leer.txt", b""),
        ("gross.txt", b"x" * 50_001),
        ("luege.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 99),
        ("luege.pdf", b"Das ist kein PDF."),
        ("tabelle.csv", b"a;b"),
    )
    expect(outcome(page, "gross.txt")).to_have_text("abgelehnt: ist größer als 50 kB; bitte teilen")
    expect(outcome(page, "leer.txt")).to_have_text("abgelehnt: ist leer")
    expect(outcome(page, "luege.txt")).to_contain_text(
        "abgelehnt: ist ein PNG-Bild, anders als die Endung sagt"
    )
    expect(outcome(page, "luege.pdf")).to_contain_text(
        "abgelehnt: ist keine pdf-Datei, sondern etwas anderes"
    )
    expect(outcome(page, "tabelle.csv")).to_contain_text("abgelehnt: Dateien mit der Endung „.csv“")
    expect(outcome(page, "gut.txt")).to_have_text("aufgenommen")
    choose(
        page,
        ("gut.txt", b"Das Freibad bleibt bis zum Ende der Ferien ge\xc3\xb6ffnet, sagte der Bademeister."),
    )
    expect(page.locator("#results li").last.locator(".outcome")).to_have_text("war schon da")
    expect(page.locator("#results progress")).to_have_count(0)
    assert page.locator("#results").evaluate("list => list.scrollTop") == 0
    refusals_are_expected(site)


def test_files_are_dropped_anywhere_on_the_page(site: Site) -> None:
    page = site.page("/artikel")
    dropped = page.evaluate_handle(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(["Das Theater am Deich eröffnet im November."], "Deich.txt"));
            return files;
        }"""
    )
    page.dispatch_event("h1", "dragenter", {"dataTransfer": dropped})
    expect(page.locator(".articles.dragged")).to_be_visible()
    page.dispatch_event("h1", "drop", {"dataTransfer": dropped})
    expect(page.locator(".articles.dragged")).to_have_count(0)
    expect(outcome(page, "Deich.txt")).to_have_text("aufgenommen")


def test_a_file_put_into_the_folder_appears_by_itself(site: Site, settings: Settings) -> None:
    page = site.page("/artikel")
    expect(page.locator("td.titel > a").first).to_be_visible()
    file = settings.articles / "turm.md"
    file.write_text(
        "# Der Turm wird saniert\n\nDer Wasserturm im Westen wird bis zum Frühjahr saniert.", "utf-8"
    )
    expect(page.get_by_role("link", name="Der Turm wird saniert")).to_be_visible(timeout=60_000)
    file.unlink()
    expect(page.get_by_role("link", name="Der Turm wird saniert")).to_have_count(0)


def test_reading_in_again_on_request(site: Site) -> None:
    page = site.page("/artikel")
    button = page.get_by_role("button", name="Neu einlesen")
    button.click()
    expect(page.locator("#state")).to_contain_text("Aktuell. Zuletzt geprüft um")
    expect(button).to_be_enabled()


# --- everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, scheme: str) -> None:
    page = site.page("/artikel", color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    expect(page.locator("#state")).to_contain_text("Aktuell")
    assert axe_violations(page) == []
    choose(
        page, ("leer.txt", b""), ("Theater.txt", f"Das Theater spielt am {scheme} Sonntag im Park.".encode())
    )
    expect(outcome(page, "Theater.txt")).to_have_text("aufgenommen")
    page.get_by_role("searchbox").fill("Theater")
    page.locator("button.delete").first.click()
    expect(page.locator("#confirm")).to_be_visible()
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".summary")).to_contain_text("von")
    assert axe_violations(page) == []
    refusals_are_expected(site)


def test_nothing_is_wider_than_the_screen(site: Site) -> None:
    page = site.page("/artikel")
    choose(page, ("ein-sehr-langer-dateiname-ohne-jede-luecke-" * 3 + ".csv", b"a"))
    expect(page.locator("#results .refused")).to_be_visible()
    for width in (320, PHONE["width"], 768):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for selector in ("td.titel > a", "th a", ".drop", "#refresh", ".timeline svg"):
            box = page.locator(selector).first.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
    refusals_are_expected(site)


@pytest.mark.usefixtures("browser", "address")
def test_a_replicas_page_works_without_anything_to_add(browser: Any, settings: Settings) -> None:
    from ingest.intake import ArticleIntake
    from rag.engine import open_engine
    from rag.serve.app import create_app

    of_replica = replace(settings, chroma_url="http://127.0.0.1:9", chroma_replica=True)
    engine, intake = open_engine(of_replica), ArticleIntake(of_replica)
    intake.start()
    try:
        with serving(create_app(engine, of_replica, intake=intake)) as found:
            visited = Site(browser, found, None)  # type: ignore[arg-type]
            page = visited.page("/artikel")
            expect(page.locator("#state")).to_contain_text("antwortet nicht")
            page.locator("#refresh").click()
            expect(page.locator("#state")).to_contain_text("antwortet nicht")
            assert titles(page)
            assert page.locator("#dateien").count() == 0
            assert visited.complaints == []
            page.context.close()
    finally:
        intake.close()
        engine.close()
