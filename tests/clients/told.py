"""What each client tells the driver, a line for each thing tried. Nothing of Beleg is installed here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata

QUESTION = "Wie oft reiste Witkoff nach Russland?"
QUOTE = "reiste fünfmal nach Russland"
ADDRESS = sys.argv[1]
DATA = sys.argv[2]


def version(package: str) -> None:
    """Says which version runs."""
    print(f"version {metadata.version(package)}", flush=True)


def tried(what: str, work: Callable[[], object]) -> None:
    """Says whether what it gives holds the quote, or is true where it is no text."""
    try:
        given = work()
        works = QUOTE in given if isinstance(given, str) else bool(given)
        said = "works" if works else f"gives {str(given)[:200]!r}"
    except Exception as error:
        said = f"fails {type(error).__name__}: {error}"[:300]
    print(f"{what}: {' '.join(said.split())}", flush=True)


def refused(work: Callable[[], object], word: str) -> bool:
    """Whether it fails, and says why."""
    try:
        work()
    except Exception as error:
        return word in str(error)
    return False
