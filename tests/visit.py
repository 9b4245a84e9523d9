"""The web chat as the browser tests visit it: the real app with a small engine, and a real Chromium."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from rag.settings import Settings
from tests.fake_engine import FakeEngine

CHROMIUM = Path(os.environ.get("BELEG_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
QUESTION = "Was hat der Stadtrat zum Wärmeplan beschlossen?"
CHIP = '#conversation .bot-row a[href^="/quelle/"]:not(.card, .place)'
DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 390, "height": 844}
PATIENCE = 60_000  # milliseconds, for a busy machine: nothing waits for it where all is well

MARKS = [
    pytest.mark.browser,
    pytest.mark.slow,
    # Gradio 6.31 sums up its queue with an option and a keyword that pandas 3 has deprecated
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


class Site:
    """A served chat with its engine, and pages that record what they should not do."""

    def __init__(self, browser: Any, address: str, engine: FakeEngine) -> None:
        self.browser = browser
        self.address = address
        self.engine = engine
        self.complaints: list[str] = []

    def page(self, path: str = "/", *, locale: str = "de-DE", **options: Any) -> Any:
        """An open page; every outside request, console error, failed response or dialog is noted."""
        context = self.browser.new_context(locale=locale, **{"viewport": DESKTOP, **options})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda r: self._note_outside(r.url))
        page.on("response", lambda r: self._note(r.status >= 400, f"{r.status} {r.url}"))
        page.on("console", lambda m: self._note(m.type == "error", f"console: {m.text}"))
        page.on("pageerror", lambda e: self._note(True, f"exception: {e}"))
        page.on("dialog", self._dismiss)
        page.goto(self.address + path)
        if path.partition("?")[0] == "/":
            expect = _expect()
            expect(page.locator("#masthead .held")).to_be_attached()
            expect(page.locator("#composer .submit-button[aria-label]")).to_be_visible()
        return page

    def _note(self, wrong: bool, complaint: str) -> None:
        if wrong:
            self.complaints.append(complaint)

    def _note_outside(self, url: str) -> None:
        self._note(not url.startswith((self.address, "data:", "blob:")), f"outside: {url}")

    def _dismiss(self, dialog: Any) -> None:
        self._note(True, f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api")
    api.expect.set_options(timeout=PATIENCE)
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app on a free port, in a thread; its address."""
    import uvicorn

    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:  # else a test that fails keeps all tests from ending
        server.should_exit = True
        thread.join()


def within_a_loop(build: Callable[[], Any]) -> Any:
    """What is built; Gradio opens an event loop where there is none, and leaves it open."""

    async def built() -> Any:
        return build()

    try:
        asyncio.get_running_loop()  # Playwright's
    except RuntimeError:
        return asyncio.run(built())
    return build()


def chat_of(engine: FakeEngine, settings: Settings) -> Any:
    """The real app with the small engine."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from rag.serve.app import create_app

    return within_a_loop(lambda: create_app(engine, settings))  # type: ignore[arg-type]


@contextmanager
def dossier(*dossiers: Settings) -> Iterator[str]:
    """The real app over the articles of the settings, with engines and watchers; its address."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from ingest.intake import ArticleIntake
    from ingest.sync import sync
    from rag.engine import open_engine
    from rag.serve.app import site_of

    for settings in dossiers:
        sync(settings)
    with ExitStack() as opened:
        engines = [opened.enter_context(closing(open_engine(each))) for each in dossiers]
        intakes = [opened.enter_context(closing(ArticleIntake(each))) for each in dossiers]
        for intake in intakes:
            intake.start()
        with serving(within_a_loop(lambda: site_of(dossiers, engines, intakes))) as address:
            yield address


def visited(browser: Any, address: str) -> Iterator[Site]:
    """A site for one test, whose browser must not have complained by the end of it."""
    site = Site(browser, address, None)  # type: ignore[arg-type]
    yield site
    for context in browser.contexts:
        context.close()
    assert site.complaints == []


def ask(page: Any, question: str = QUESTION) -> None:
    """Types a question, sends it with Enter and waits for the whole answer.

    On a busy machine the page may not have closed the last answer yet, and the key is lost: who sees that
    presses it again.
    """
    asked, answers = page.locator(".user-row"), page.locator(".bot-row").count()
    before = asked.count()
    send(page, question)
    with suppress(AssertionError):
        _expect()(asked).to_have_count(before + 1, timeout=10_000)
    if asked.count() == before:
        page.locator("#composer textarea").press("Enter")
    _expect()(page.locator(".bot-row")).to_have_count(answers + 1)
    answered(page)


def send(page: Any, question: str) -> None:
    """Types a question and sends it with Enter."""
    page.locator("#composer textarea").fill(question)
    page.locator("#composer textarea").press("Enter")


def answered(page: Any) -> None:
    """Waits until the last answer is complete and another question can be asked."""
    expect = _expect()
    expect(page.locator(".bot-row").last.locator("a.record")).to_be_attached()
    expect(page.locator("#composer .submit-button")).to_be_visible()
    expect(page.locator(".message-buttons-left button[data-kind]").last).to_be_visible()


def clear(page: Any) -> None:
    """Deletes the conversation on the page, and says that it is meant."""
    page.get_by_role("button", name="Gespräch löschen").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Löschen").click()
    _expect()(page.locator(".user-row")).to_have_count(0)


def _expect() -> Any:
    return pytest.importorskip("playwright.sync_api").expect
