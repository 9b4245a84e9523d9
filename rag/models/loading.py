"""LlamaIndex's slow import, by one thread at a time."""

from __future__ import annotations

import threading

_guard = threading.Lock()


def load_llama_index() -> None:
    """Imports LlamaIndex's core; whoever imports a part of it in a thread calls this before.

    Its modules import each other in circles. Of two threads that begin at different ends, each gets modules
    of the other's that are half loaded: "cannot import name 'core' from 'llama_index'".
    """
    with _guard:
        import llama_index.core  # noqa: F401
