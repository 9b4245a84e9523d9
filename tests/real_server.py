"""Beleg as people start it: `python app.py` in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT


@dataclass(frozen=True, slots=True)
class Running:
    """A server, and where what it logs is written."""

    address: str
    process: subprocess.Popen[str]
    log: Path


@contextmanager
def running(articles: Path, data: Path, **environment: str) -> Iterator[str]:
    """A server over these articles; its address."""
    with server(articles, data, **environment) as started:
        yield started.address


@contextmanager
def server(articles: Path, data: Path, **environment: str) -> Iterator[Running]:
    """The same with its process; its errors are in `server.log` beside the index."""
    command = [sys.executable, "app.py", "--articles", str(articles), "--data", str(data), "--port", "0"]
    data.parent.mkdir(parents=True, exist_ok=True)
    path = data.parent / "server.log"
    with (
        path.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout
            line = process.stdout.readline()
            address = re.fullmatch(r"Beleg: (http://127\.0\.0\.1:\d+)\n", line)
            assert address, line + path.read_text("utf-8")
            _await_doors(address[1], process)
            yield Running(address[1], process, path)
        finally:
            process.terminate()
            process.communicate()


def _await_doors(address: str, process: subprocess.Popen[str]) -> None:
    """The port answers before the doors are loaded, and says so.

    What is asked in the moment at which the chat takes over may be cut, and is asked again.
    """
    while not _answers(f"{address}/healthz"):
        assert process.poll() is None
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code != 503
    except httpx.TransportError:
        return False
