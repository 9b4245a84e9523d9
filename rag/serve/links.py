"""Addresses of ours, as a reader's browser asks for them: below the path at which a proxy shows Beleg."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from functools import cache
from pathlib import Path

PREFIX = "X-Forwarded-Prefix"
STATIC = Path(__file__).parent / "static"
_root: ContextVar[str] = ContextVar("beleg_root", default="")


def link(path: str) -> str:
    """The address of one of our paths: `/dossier/artikel`; just the path where Beleg has its own host."""
    return _root.get() + path


def below(prefix: str) -> None:
    """Links of whatever is being answered lie below this path."""
    _root.set(prefix)


def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser may keep it for ever."""
    return link(f"/beleg/{name}?v={_digest(name)}")


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
