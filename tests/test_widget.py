"""Protects the chat on other pages: it opens where it is allowed, nowhere else, and leaves the page alone."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigError
from rag.serve.security.headers import safe_headers
from rag.settings import Settings, load_settings
from tests.doors import fake
from tests.fake_engine import FakeEngine, canned
from tests.visit import CHIP, MARKS, PATIENCE, PHONE, QUESTION, chat_of, serving

PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Lokalzeitung</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src {beleg}; frame-src {beleg}">
<script src="{beleg}/widget.js" defer></script></head>
<body><main><h1>Lokalzeitung</h1><p><a href="#">Ein Verweis</a></p></main></body></html>"""


# --- who may


@pytest.mark.parametrize(
    ("origins", "embedders"),
    [
        ("", ()),
        ("https://news.example", ("https://news.example",)),
        ("https://a.example, http://b.example:8080", ("https://a.example", "http://b.example:8080")),
        (
            "https://*.intern.example http://localhost:3000",
            ("https://*.intern.example", "http://localhost:3000"),
        ),
    ],
)
def test_origins_are_a_list(origins: str, embedders: tuple[str, ...]) -> None:
    assert load_settings(origins=origins).embedders == embedders


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "https:",
        "news.example",
        "https://a.example/path",
        "https://a.example;script-src *",
        "javascript://x",
    ],
)
def test_what_is_no_origin_is_refused(origins: str) -> None:
    with pytest.raises(ConfigError, match=r"BELEG_ORIGINS: .* is no origin"):
        load_settings(origins=origins)


@pytest.mark.parametrize(
    ("path", "framed"),
    [
        *[("/", True), ("/quelle/wolf", True), ("/anmelden", True)],
        *[("/artikel", False), ("/auswertung", False), ("/antwort/x.md", False)],
    ],
)
def test_only_the_chat_and_its_sources_may_be_framed(path: str, framed: bool) -> None:
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    app = Starlette(routes=[Route("/{any:path}", lambda _: HTMLResponse("<p>"))])
    client = TestClient(safe_headers(app, embedders=["https://news.example"]))
    policy = client.get(path).headers["content-security-policy"]
    assert policy.endswith(
        "frame-ancestors 'self' https://news.example" if framed else "frame-ancestors 'self'"
    )


@pytest.mark.parametrize(
    ("path", "referer", "allowed"),
    [
        ("/", "https://news.example/page", True),
        ("/quelle/wolf", "https://m.paper.example/", True),
        ("/", "https://evil.example/", False),
        ("/", "https://paper.example.evil.example/", False),
        ("/artikel", "https://news.example/", False),
        ("/", "http://[", True),  # nobody is named: the policy decides
    ],
)
def test_a_frame_that_is_refused_says_so(tmp_path: Path, path: str, referer: str, allowed: bool) -> None:
    client = fake(tmp_path, origins="https://news.example https://*.paper.example")
    asks = {"Accept": "text/html", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    page = client.get(path, headers={**asks, "Referer": referer})
    assert ("Hier nicht anzeigbar" in page.text) is not allowed
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'self' *") is not allowed


# --- in the browser


@contextmanager
def site_with(page: str, folder: Path) -> Iterator[str]:
    """A page on an origin of its own, and another site at that: localhost is not 127.0.0.1."""
    (folder / "index.html").write_text(page, "utf-8")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing of it."""

    def log_message(self, *_: object) -> None:
        pass


class Newspaper:
    """A page of another site with the widget, and what it asked for."""

    def __init__(self, browser: Any, address: str, beleg: str, **options: Any) -> None:
        context = browser.new_context(
            **{"locale": "de-DE", "viewport": {"width": 1200, "height": 800}, **options}
        )
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.frames: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, address, beleg))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.bubble = self.page.get_by_role("button", name="Fragen an die Artikel")
        self.dialog = self.page.get_by_role("dialog")
        self.chat = self.page.frame_locator("iframe")

    def _note(self, url: str, *known: str) -> None:
        if url.startswith(known[1] + "/?"):
            self.frames.append(url)
        if not url.startswith((*known, "data:", "blob:")):
            self.outside.append(url)


@pytest.fixture(scope="module")
def allowed(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Visits a newspaper's page, which Beleg allows to show it."""
    folder = tmp_path_factory.mktemp("page")
    with site_with("", folder) as address:
        settings = Settings(data=tmp_path_factory.mktemp("data"), origins=address)
        with serving(chat_of(FakeEngine(), settings)) as beleg:

            def visit(lang: str = "de", **options: Any) -> Newspaper:
                (folder / "index.html").write_text(PAGE.format(beleg=beleg, lang=lang), "utf-8")
                return Newspaper(browser, address, beleg, **options)

            yield visit
            for context in browser.contexts:
                context.close()


class TestInTheBrowser:
    pytestmark = MARKS

    def test_the_bubble_opens_a_chat_that_answers(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed()
        assert paper.frames == []
        expect(paper.page.locator("iframe")).to_have_count(0)
        paper.bubble.click()
        composer = paper.chat.locator("#composer textarea")
        composer.fill(QUESTION)
        composer.press("Enter")
        expect(paper.chat.locator(CHIP)).to_have_count(3)
        paper.chat.locator(CHIP).first.click()
        expect(paper.chat.locator("dialog.source[open] mark")).to_have_text(
            canned(QUESTION).citations[0].quote
        )
        expect(paper.chat.locator("#masthead")).to_be_hidden()
        assert (paper.outside, paper.errors) == ([], [])

    def test_escape_closes_it_and_focus_returns(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed()
        paper.bubble.focus()
        paper.page.keyboard.press("Enter")
        expect(paper.dialog).to_be_visible()
        expect(paper.page.get_by_role("button", name="Schließen")).to_be_focused()
        paper.page.keyboard.press("Escape")
        expect(paper.dialog).to_be_hidden()
        expect(paper.bubble).to_be_focused()
        expect(paper.bubble).to_have_attribute("aria-expanded", "false")

    def test_escape_in_the_chat_closes_its_source_first(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed()
        paper.bubble.click()
        paper.chat.locator(".example").first.click()
        paper.chat.locator(CHIP).first.click()
        expect(paper.chat.locator("dialog.source[open]")).to_be_visible()
        paper.page.keyboard.press("Escape")
        expect(paper.chat.locator("dialog.source")).to_be_hidden()
        expect(paper.dialog).to_be_visible()
        paper.chat.locator("#composer textarea").press("Escape")
        expect(paper.dialog).to_be_hidden()
        expect(paper.bubble).to_be_focused()

    def test_a_conversation_is_there_when_it_is_opened_again(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed()
        paper.bubble.click()
        paper.chat.locator(".example").first.click()
        expect(paper.chat.locator(CHIP)).to_have_count(3)
        paper.page.get_by_role("button", name="Schließen").click()
        paper.bubble.click()
        expect(paper.chat.locator(CHIP)).to_have_count(3)
        assert len(paper.frames) == 1

    def test_it_speaks_the_language_of_the_page(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed("en")
        paper.page.get_by_role("button", name="Ask the articles").click()
        expect(paper.chat.get_by_placeholder("Ask about the news …")).to_be_visible()
        expect(paper.chat.get_by_role("heading", name="What would you like to know?")).to_be_visible()

    def test_it_fills_a_phone(self, allowed: Any) -> None:
        paper = allowed(viewport=PHONE)
        paper.bubble.click()
        paper.chat.locator("#composer textarea").wait_for()
        box = paper.dialog.bounding_box()
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])

    def test_the_frame_is_sandboxed_and_the_page_keeps_its_styles(self, allowed: Any) -> None:
        paper = allowed()
        paper.bubble.click()
        sandbox = paper.page.locator("iframe").get_attribute("sandbox")
        assert "allow-top-navigation" not in sandbox
        assert paper.page.locator("h1").evaluate("e => getComputedStyle(e).fontFamily") != ""
        assert paper.page.evaluate("document.querySelectorAll('style, link').length") == 0

    def test_words_of_other_frames_and_pages_do_not_close_it(self, allowed: Any) -> None:
        from playwright.sync_api import expect

        paper = allowed()
        paper.bubble.click()
        paper.page.evaluate("window.postMessage('beleg:close', '*')")
        paper.page.wait_for_timeout(200)
        expect(paper.dialog).to_be_visible()

    def test_axe_has_no_complaints_open_or_closed(self, allowed: Any) -> None:
        from axe_playwright_python.sync_playwright import Axe

        paper = allowed()
        page = paper.page
        assert violations(Axe(), page) == []
        paper.bubble.click()
        assert violations(Axe(), page) == []

    def test_other_sites_get_no_chat(self, browser: Any, allowed: Any, tmp_path: Path) -> None:
        beleg = allowed().page.evaluate("new URL(document.querySelector('script').src).origin")
        with site_with(PAGE.format(beleg=beleg, lang="de"), tmp_path) as stranger:
            paper = Newspaper(browser, stranger, beleg)
            paper.bubble.click()
            paper.chat.get_by_role("heading", name="Hier nicht anzeigbar").wait_for()
            assert paper.chat.get_by_role("link").get_attribute("target") == "_blank"
            assert paper.chat.locator("#composer").count() == 0
            # where the browser does not say whose page it is, the policy keeps the chat out
            frame = (
                "Object.assign(document.createElement('iframe'), {referrerPolicy: 'no-referrer', src: '%s'})"
            )
            with paper.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
                paper.page.evaluate(f"document.body.append({frame % beleg})")

    def test_where_a_login_is_asked_for_one_of_the_same_site_works(
        self, browser: Any, tmp_path: Path
    ) -> None:
        from playwright.sync_api import expect

        with site_with("", tmp_path) as address:
            settings = Settings(data=tmp_path / "data", origins=address, auth="password:apfel-birne")
            with serving(chat_of(FakeEngine(), settings)) as served:
                beleg = served.replace("127.0.0.1", "localhost")  # the site does not depend on the port
                (tmp_path / "index.html").write_text(PAGE.format(beleg=beleg, lang="de"), "utf-8")
                paper = Newspaper(browser, address, beleg)
                paper.bubble.click()
                paper.chat.get_by_label("Passwort").fill("apfel-birne")
                paper.chat.get_by_role("button", name="Anmelden").click()
                paper.chat.locator(".example").first.click()
                expect(paper.chat.locator(CHIP)).to_have_count(3)


def violations(axe: Any, page: Any) -> list[str]:
    # the chat itself is looked at by the tests of the chat
    return [found["id"] for found in axe.run(page, options={"iframes": False}).response["violations"]]
