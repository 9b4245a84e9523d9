"""Addresses of ours, as a reader's browser asks for them: below the path at which a proxy shows Beleg."""

from __future__ import annotations

from contextvars import ContextVar

PREFIX = "X-Forwarded-Prefix"
_root: ContextVar[str] = ContextVar("beleg_root", default="")


def link(path: str) -> str:
    """The address of one of our paths: `/dossier/artikel`; just the path where Beleg has its own host."""
    return _root.get() + path


def below(prefix: str) -> None:
    """Links of whatever is being answered lie below this path."""
    _root.set(prefix)
