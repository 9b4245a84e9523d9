"""Addresses of ours, as a reader's browser asks for them: below the path at which a proxy shows Beleg, and
the name of a dossier where there are several."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path

PREFIX = "X-Forwarded-Prefix"
STATIC = Path(__file__).parent / "static"
_root: ContextVar[str] = ContextVar("beleg_root", default="")
_dossiers: ContextVar[tuple[str, ...]] = ContextVar("beleg_dossiers", default=())


def link(path: str) -> str:
    """The address of one of our paths: `/dossier/artikel`; just the path where Beleg has its own host."""
    return _root.get() + path


def below(prefix: str, dossiers: Sequence[str] = ()) -> None:
    """Links of whatever is being answered lie below this path, which ends with one of `dossiers`, if any."""
    _root.set(prefix)
    _dossiers.set(tuple(dossiers))


def of_all() -> str:
    """The path below which all dossiers lie."""
    root = _root.get()
    return root.rpartition("/")[0] if _dossiers.get() else root


def dossiers() -> list[tuple[str, str, bool]]:
    """Of each dossier the name, the path below which it lies, and whether it is the one that answers."""
    here = _root.get()
    paths = [(name, f"{of_all()}/{name}") for name in _dossiers.get()]
    return [(name, path, path == here) for name, path in paths]


def asset(name: str) -> str:
    """The address of one of our files, with its hash, so that a browser may keep it for ever."""
    return link(f"/beleg/{name}?v={_digest(name)}")


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
