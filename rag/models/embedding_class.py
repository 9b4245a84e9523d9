"""Any LlamaIndex embedding class by its dotted path."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError
from rag.models.embedding_choice import Choice, is_credential

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding


def embedding_of_class(choice: Choice) -> BaseEmbedding:
    """The embedding at a dotted path, made with the options that are given.

    Raises ConfigError: for a missing package with the command that installs it.
    """
    found = _imported(choice.name)
    given = dict(choice.options)
    if "max_retries" in found.model_fields:
        given.setdefault("max_retries", 0)  # the retry layer is ours
    try:
        return found(**given)
    except ImportError as exc:
        raise _missing(choice.name, exc) from exc
    except Exception as exc:  # a class of somebody else may raise anything
        said = without_secrets(exc, choice)
        raise ConfigError(
            f"{choice.name} cannot be built with BELEG_EMBEDDING_OPTIONS ({type(exc).__name__}: {said})"
        ) from None


def _imported(path: str) -> type[BaseEmbedding]:
    from llama_index.core.embeddings import BaseEmbedding

    module, _, name = path.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), name, None)
    except ImportError as exc:
        raise _missing(path, exc) from exc
    if not (isinstance(found, type) and issubclass(found, BaseEmbedding)):
        raise ConfigError(f"BELEG_EMBEDDING: {path} is no LlamaIndex embedding class")
    return found


def _missing(path: str, error: ImportError) -> ConfigError:
    """What to install: LlamaIndex's packages are named by their modules, others by what they import."""
    lacking = error.name or ""
    if not lacking:
        return ConfigError(f"BELEG_EMBEDDING: {path} cannot be imported: {error}")
    parts = lacking.split(".")
    of_llama_index = parts[:2] == ["llama_index", "embeddings"]
    package = ("-".join(path.split(".")[:3]) if of_llama_index else parts[0]).replace("_", "-")
    return ConfigError(f"BELEG_EMBEDDING: {path} needs a package that is missing; run: pip install {package}")


def without_secrets(error: Exception, choice: Choice) -> str:
    """What an error says, short, on one line, without the credentials among the options."""
    text = " ".join(str(error).split())
    for name, value in choice.options.items():
        if is_credential(name):
            text = text.replace(str(value), "…")
    return text[:300]
