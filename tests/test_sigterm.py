"""Protects the end of the program: SIGTERM in the middle of an answer or of indexing costs nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rag.store.library import Library
from tests.conftest import ROOT
from tests.openai_server import Reply, openai_server

pytestmark = pytest.mark.slow
WITHIN = 300  # seconds, on a busy machine; Beleg gives itself 5
TEXT = "Der Stadtrat hat den Wärmeplan am Dienstag beschlossen. Die Vorlage Nummer {} kostet {} Euro."


@contextmanager
def chat(folder: Path, *options: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The web chat in a process of its own, on any port."""
    command = [
        sys.executable,
        "app.py",
        "--articles",
        str(folder / "articles"),
        "--data",
        str(folder / "data"),
    ]
    with subprocess.Popen(
        [*command, "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            **variables,
        },
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # one that goes on would keep the test waiting for ever


def fill(folder: Path, count: int) -> None:
    (folder / "articles").mkdir(exist_ok=True)
    for n in range(count):
        (folder / "articles" / f"rat-{n}.txt").write_text(TEXT.format(n, n), "utf-8")


def ended(process: subprocess.Popen[str]) -> str:
    """What it said, once SIGTERM has ended it in time and in order."""
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=WITHIN)
    assert process.returncode == 0, errors
    return errors


def ready(client: httpx.Client) -> bool:
    """Whether the chat has taken over; what is asked in that moment may be cut."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    endless = Reply("Der Stadtrat hat den Wärmeplan beschlossen [1]. " * 40, after=60, then="hang")
    with openai_server(endless) as server:
        model = {"OPENAI_BASE_URL": server.base_url, "BELEG_LLM": "scripted", "OPENAI_API_KEY": "sk-x"}
        with chat(tmp_path, **model) as process:
            assert process.stdout
            address = re.fullmatch(r"Beleg: (http://\S+)\n", process.stdout.readline())
            assert address
            asked = {"question": "Was hat der Stadtrat beschlossen?"}
            transport = httpx.HTTPTransport(retries=3)
            with httpx.Client(base_url=address[1], timeout=60, transport=transport) as client:
                while not ready(client):
                    time.sleep(0.1)
                with client.stream("POST", "/api/v1/stream", json=asked) as reply:
                    assert reply.status_code == 200
                    lines = reply.iter_lines()
                    while "delta" not in next(lines):
                        pass
                    ended(process)


def test_in_the_middle_of_indexing(tmp_path: Path) -> None:
    fill(tmp_path, 400)
    with chat(tmp_path) as process:
        while process.poll() is None and not (tmp_path / "data" / "library.sqlite3").exists():
            time.sleep(0.01)
        ended(process)
    from ingest.sync import sync
    from tests.dossier import settings_for

    settings = settings_for(tmp_path)
    assert sync(settings).articles == 400
    with Library.open(settings.data_dir, read_only=True) as library:
        assert library.counts().articles == 400
