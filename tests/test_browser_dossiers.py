"""Drives several dossiers in one place: chosen at the top, in the address, apart from each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from rag.settings import load_dossiers
from tests.dossier import APPLES, BRIDGE, write
from tests.test_browser import axe_violations, mark_in_panel
from tests.visit import DESKTOP, MARKS, PHONE, Site, ask, dossier, visited

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

HARVEST = "Mit wie vielen Tonnen rechnen die Obstbauern?"
CHIP = "#conversation .bot-row a[href^='/land/quelle/']:not(.card, .place)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("dossiers")
    write(root / "a", BRIDGE)
    write(root / "b", APPLES)
    with dossier(*load_dossiers(dossiers=f"stadt={root}/a land={root}/b", data=root / "data")) as found:
        yield found


@pytest.fixture
def site(browser: Any, address: str) -> Iterator[Site]:
    """A site that must not have complained by the end of the test."""
    yield from visited(browser, address)


def is_open(page: Any, name: str) -> None:
    expect(page.locator(".dossiers summary")).to_have_text(re.compile(f"Dossier: *{name}"))
    expect(page.locator("#composer .submit-button[aria-label]")).to_be_visible()


def test_another_dossier_is_chosen_and_answers_from_its_own_articles(site: Site) -> None:
    page = site.page()
    expect(page).to_have_url(f"{site.address}/stadt/")
    is_open(page, "stadt")
    page.locator(".dossiers summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="land", exact=True)).to_be_hidden()
    expect(page.locator(".dossiers summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="land", exact=True).press("Enter")
    expect(page).to_have_url(f"{site.address}/land/")
    is_open(page, "land")
    expect(page).to_have_title("land – Beleg")
    ask(page, HARVEST)
    chip = page.locator(CHIP).first
    assert chip.evaluate("(a) => getComputedStyle(a).textDecorationLine") == "none", "it looks like a chip"
    chip.click()
    expect(mark_in_panel(page)).to_contain_text("900 Tonnen")
    page.reload()
    expect(mark_in_panel(page)).to_contain_text("900 Tonnen")

    # a colleague opens the address
    other = site.page(page.url.removeprefix(site.address), viewport=PHONE)
    is_open(other, "land")
    expect(other.locator(".user-row")).to_have_text([HARVEST])
    expect(mark_in_panel(other)).to_contain_text("900 Tonnen")


def test_conversations_of_one_are_not_those_of_the_other(site: Site) -> None:
    page = site.page("/land/")
    is_open(page, "land")
    ask(page, HARVEST)
    expect(page).to_have_url(re.compile("gespraech="))
    page.goto(f"{site.address}/stadt/")
    is_open(page, "stadt")
    page.get_by_role("button", name="Gespräche", exact=True).click()
    expect(page.get_by_text("Noch keine Gespräche")).to_be_visible()
    assert page.locator(".user-row").count() == 0
    page.goto(f"{site.address}/land/")
    expect(page.locator(".user-row")).to_have_text([HARVEST])
    page.get_by_role("button", name="Gespräche", exact=True).click()
    expect(page.get_by_role("button", name=HARVEST).first).to_be_visible()


def test_the_articles_page_leads_to_that_of_the_other(site: Site) -> None:
    page = site.page("/stadt/artikel", viewport=PHONE, has_touch=True)
    page.locator(".dossiers summary").tap()
    page.get_by_role("link", name="land", exact=True).tap()
    expect(page).to_have_url(f"{site.address}/land/artikel")
    expect(page.locator("td.titel > a")).to_have_text(["Frost kostet die Hälfte der Äpfel"])


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)])
def test_the_open_menu_fits_and_axe_finds_nothing(site: Site, scheme: str, viewport: Any) -> None:
    for path in ("/stadt/", "/stadt/artikel"):
        page = site.page(
            path, color_scheme=scheme, viewport=viewport, reduced_motion="reduce", bypass_csp=True
        )
        page.locator(".dossiers summary").click()
        expect(page.get_by_role("link", name="land", exact=True)).to_be_visible()
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.mouse.click(5, 400)
        expect(page.get_by_role("link", name="land", exact=True)).to_be_hidden()
