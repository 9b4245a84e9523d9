"""Language models and embeddings: built from the settings, asked, and their faults translated."""

import threading

_guard = threading.Lock()


def load_llama_index() -> None:
    """Imports LlamaIndex's core, which is slow; to be called before importing a part of it in a thread.

    Its modules import each other in cycles. Two threads that start at different ends would see half-loaded
    modules: "cannot import name 'core' from 'llama_index'".
    """
    with _guard:
        import llama_index.core  # noqa: F401
