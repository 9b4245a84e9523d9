"""What every test stands on: a closed network, no settings of this machine, and what may be missing."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

from rag.settings import Settings
from tests import llama_cpp_peer
from tests.fake_engine import FakeEngine
from tests.llama_cpp_peer import LlamaPeer
from tests.visit import CHROMIUM, Site, chat_of, chromium, serving

ROOT = Path(__file__).resolve().parent.parent
hypothesis.settings.register_profile("long", max_examples=5_000, deadline=None)  # --hypothesis-profile long
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell's background ignores Ctrl-C, and so would every program that a test starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
OF_THE_TESTS = ("BELEG_CHROMIUM", "BELEG_REQUIRE_")


class NetworkBlocked(RuntimeError):
    """A test tried to reach another machine; no OSError, so that no handler takes it for a bad connection."""


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """From the first fixture on: only loopback, and neither this machine's environment nor its `.env`."""
    with pytest.MonkeyPatch.context() as patch:
        _close_network(patch)
        _forget_environment(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of originals and questions beside the project; they are never copied into it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        missing("../shared, the folder of originals, is not here", "BELEG_REQUIRE_SHARED")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FakeEngine]]:
    """One chat for the tests of a file: its address, and the engine behind it."""
    engine = FakeEngine()
    with serving(chat_of(engine, Settings(data=tmp_path_factory.mktemp("data")))) as address:
        yield address, engine


@pytest.fixture
def site(browser: Any, served: tuple[str, FakeEngine]) -> Iterator[Site]:
    """A site that must not have complained by the end of the test."""
    address, engine = served
    engine.histories.clear()
    visited = Site(browser, address, engine)
    yield visited
    for context in browser.contexts:
        context.close()
    assert visited.complaints == []


@pytest.fixture(scope="session")
def llama_cpp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaPeer]:
    """A real language model, where `make test-llama` has installed it."""
    if not llama_cpp_peer.installed():
        missing("no language model is installed: make test-llama does it", "BELEG_REQUIRE_LLAMA")
    with llama_cpp_peer.serve(tmp_path_factory.mktemp("llama")) as peer:
        yield peer


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `browser` need a Chromium."""
    if item.get_closest_marker("browser") and not CHROMIUM.exists():
        missing(f"no Chromium at {CHROMIUM} (or set BELEG_CHROMIUM)", "BELEG_REQUIRE_BROWSER")


def missing(reason: str, switch: str) -> NoReturn:
    """Skips the test, saying why; fails it instead where the environment variable `switch` is set."""
    if os.environ.get(switch):
        pytest.fail(f"{reason}, and {switch} is set", pytrace=False)
    pytest.skip(reason)


def _forget_environment(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("BELEG_", "OPENAI_", "CHROMA_", "XDG_")) and not name.startswith(OF_THE_TESTS):
            patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setattr("rag.settings.ENV_FILE", home / "no.env")
    # tests that are not about meaning wait for no encoder
    patch.setenv("BELEG_EMBEDDING", "builtin")
    patch.setattr("rag.settings.has_encoder", lambda: False)


def _close_network(patch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, _guarded_method(getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patch.setattr(socket, name, _guarded_lookup(getattr(socket, name)))


def _guarded_method(method: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        # the address comes last: connect(address), sendto(data, flags, address)
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_strangers(arguments[-1][0])
        return method(self, *arguments)

    return guarded


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: str | bytes | None, *arguments: Any, **options: Any) -> Any:
        _refuse_strangers(host)
        return lookup(host, *arguments, **options)

    return guarded


def _refuse_strangers(host: str | bytes | None) -> None:
    name = host.decode("ascii") if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        local = False
    else:
        local = (getattr(address, "ipv4_mapped", None) or address).is_loopback
    if not local:
        raise NetworkBlocked(f"tests reach loopback only, and this one asked for {name}")
