"""Protects readers in a real Chromium from articles, files, addresses, questions and a model that mean harm:
nothing runs, nothing leaves the page's origin, and no link does more than lead to another page of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rag.i18n import GERMAN
from rag.settings import load_settings
from tests.openai_server import Reply, openai_server, refusal
from tests.poison import BEACON, ECHO, POISON, TRUTH
from tests.test_widget import PAGE, Newspaper, site_with
from tests.visit import CHIP, MARKS, Site, answered, send, serving

pytestmark = MARKS
expect = pytest.importorskip("playwright.sync_api").expect

RUN = "window.pwned=1"
ATTACK = (
    f'"><img src={BEACON}/i.png onerror="{RUN}"><script>{RUN}</script><svg onload="{RUN}">'
    f'<form action="{BEACON}"><button formaction="javascript:{RUN}">x</button></form>'
    f'<link rel=stylesheet href="{BEACON}/s.css"><style>@import url({BEACON}/t.css)</style>'
    f"[klick](javascript:{RUN}) ![b]({BEACON}/m.png) <iframe src=javascript:{RUN}></iframe> {{{{{RUN}}}}}"
)
QUESTION = "Wie ist die Fähre nach Moorhafen gestrichen?"
HOSTILE = {
    "titel.md": f"---\ntitle: '{ATTACK.replace(chr(39), '')}'\noutlet: '{ATTACK}'\n---\n{TRUTH} {ATTACK}",
    f"a' onclick={RUN.replace('/', '')} b.txt": f"Fähre\n\n{TRUTH} {ATTACK}",
}
VERBATIM = "Wie ist die Fähre nach Moorhafen heute gestrichen?"


def obeys(body: dict[str, Any]) -> Reply:
    """A model that does as it is told; it refuses one question, so that Beleg offers the verbatim answer."""
    if VERBATIM in str(body["messages"][-1]["content"]):
        return refusal(401, ATTACK)
    return Reply(f"{TRUTH[:-1]} [1.1]. {ATTACK} {ECHO}", size=11)


DEAD = """() => [...document.querySelectorAll('a[href], [src], form, [onclick], [onerror], [onload]')]
    .filter(e => [...e.attributes].some(a => a.name.startsWith('on'))
        || ['href', 'src', 'action'].some(name => e.hasAttribute(name)
            && !['http:', 'https:', 'blob:'].includes(new URL(e.getAttribute(name), location).protocol)
            && !e.getAttribute(name).startsWith('data:image/'))
        || (e.tagName === 'A' && new URL(e.href).origin !== location.origin))
    .map(e => e.outerHTML.slice(0, 200))"""
"""What a click could run, or what leads elsewhere."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The real app over poisoned articles, with a model that does as it is told; a page that may frame it."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from ingest.intake import ArticleIntake
    from ingest.sync import sync
    from rag.engine import open_engine
    from rag.serve.app import create_app

    root: Path = tmp_path_factory.mktemp("house")
    (root / "articles").mkdir()
    (root / "page").mkdir()
    for name, text in {**POISON, **HOSTILE}.items():
        (root / "articles" / name).write_text(text, "utf-8")
    with openai_server(obeys) as model, site_with("", root / "page") as newspaper:
        told = {"openai_base_url": model.base_url, "openai_api_key": "sk-x", "llm": "obeys"}
        folders = {"articles": root / "articles", "data": root / "data"}
        settings = load_settings(**folders, **told, origins=newspaper, sync_seconds=0.3)
        assert sync(settings).articles >= len(POISON)
        with closing(open_engine(settings)) as engine, closing(ArticleIntake(settings)) as intake:
            intake.start()
            with serving(create_app(engine, settings, intake=intake)) as address:
                (root / "page" / "index.html").write_text(PAGE.format(beleg=address, lang="de"), "utf-8")
                articles = list(engine.library.versions())
                yield {"address": address, "newspaper": newspaper, "articles": articles}


@pytest.fixture
def site(browser: Any, house: dict[str, Any]) -> Iterator[Site]:
    """A site whose pages must not have asked for anything elsewhere, run anything or failed."""
    visited = Site(browser, house["address"], None)  # type: ignore[arg-type]
    yield visited
    for context in browser.contexts:
        for page in context.pages:
            assert_dead(page)
        context.close()
    assert visited.complaints == []


def assert_dead(page: Any) -> None:
    """Nothing ran in any frame, and nothing is there that a click could run or send elsewhere."""
    page.wait_for_timeout(200)  # for what would be asked for late
    for frame in page.frames:
        assert frame.evaluate("window.pwned") is None
        if frame == page.main_frame:
            assert frame.evaluate(DEAD) == []


@pytest.mark.parametrize("question", [f"{QUESTION} {ATTACK}", QUESTION])
def test_an_answer_of_a_model_that_obeys_them(site: Site, question: str) -> None:
    page = site.page()
    send(page, question)
    expect(page.locator(".user-row").last).to_contain_text(question[-20:])
    # the first question of a process loads the model's client
    expect(page.locator(".bot-row").last.locator("a.record")).to_be_attached(timeout=30_000)
    answered(page)
    assert_dead(page)
    assert page.locator("#conversation :is(form, iframe, script, img[src*='beacon'])").count() == 0
    page.locator(".tool.conversations").click()
    expect(page.get_by_text(QUESTION).first).to_be_visible()


def test_an_answer_in_their_own_words_and_its_source(site: Site) -> None:
    page = site.page()
    send(page, VERBATIM)
    page.get_by_role("button", name=GERMAN("chat.without_model")).click()
    answered(page)
    page.locator(CHIP).first.click()
    expect(page.locator("dialog mark").first).to_be_visible()


def test_every_article_in_the_reader(site: Site, house: dict[str, Any]) -> None:
    page = site.page("/artikel")
    for ident in house["articles"]:
        found = page.goto(f"{site.address}/quelle/{quote(ident, safe='')}?von=0&bis=10")
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert_dead(page)


def test_the_articles_page_with_hostile_words_and_files(site: Site) -> None:
    page = site.page(f"/artikel?q={quote(ATTACK)}&sort={quote(ATTACK)}")
    assert_dead(page)
    page.goto(f"{site.address}/artikel")
    hostile = [
        {"name": f"<img src=x onerror={RUN}>.txt", "mimeType": "text/plain", "buffer": TRUTH.encode()},
        {"name": f"<svg onload={RUN}>.exe", "mimeType": "text/html", "buffer": ATTACK.encode()},
    ]
    page.locator("input[type=file]").first.set_input_files(hostile)
    expect(page.get_by_text("onerror=").first).to_be_visible()
    expect(page.get_by_text(".exe").first).to_be_visible()
    assert_dead(page)
    # the refusal of the program is a failed response, which the browser notes as an error of its own
    assert all("422" in each for each in site.complaints)
    site.complaints.clear()


@pytest.mark.parametrize(
    "path",
    ["/?lang={}", "/?embed={}", "/quelle/{}", "/quelle/{}?von={}&bis={}&v={}&teil=1", "/anmelden?next={}",
     "/auswertung?x={}", "/api/v1/docs?x={}", "/antwort/{}.json", "/{}"],
)  # fmt: skip
def test_what_an_address_says_stays_text(browser: Any, house: dict[str, Any], path: str) -> None:
    site = Site(browser, house["address"], None)  # type: ignore[arg-type]
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda r: site._note_outside(r.url))
    page.on("dialog", site._dismiss)
    for said in (ATTACK, f"javascript:{RUN}", "//beacon.example/"):
        found = page.goto(site.address + path.replace("{}", quote(said, safe="")))
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert page.url.startswith(site.address)
        assert_dead(page)
    context.close()
    assert site.complaints == []


def test_the_widget_on_another_page(browser: Any, house: dict[str, Any]) -> None:
    paper = Newspaper(browser, house["newspaper"], house["address"])
    paper.bubble.click()
    composer = paper.chat.locator("#composer textarea")
    composer.fill(f"{QUESTION} {ATTACK}")
    composer.press("Enter")
    expect(paper.chat.locator(".bot-row").last.locator("a.record, .failure")).to_be_attached()
    assert_dead(paper.page)
    assert paper.outside == []
    paper.page.context.close()
