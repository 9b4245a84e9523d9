"""Our own files for the browser, and the addresses under which it may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from rag.serve.links import link

STATIC = Path(__file__).parent / "static"


def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser never keeps an old one."""
    return link(f"/beleg/{name}?v={_digest(name)}")


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
