"""Embeddings by other models: on a server that speaks OpenAI's protocol, or any class of LlamaIndex's."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, TypeAdapter

from rag.errors import ConfigError
from rag.models import load_llama_index
from rag.models.embedding_choice import Choice
from rag.models.faults import Server
from rag.models.proxies import client

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from openai import OpenAI

_BATCH = {"openai": 128, "openai-like": 16}  # texts; a small machine takes seconds for each


class ServerEmbedding(BaseModel):
    """A model on a server, with the methods of LlamaIndex's classes that Beleg calls.

    LlamaIndex's own class takes vectors in the order they come, makes spaces of line breaks, and tries again
    by itself. `query_prefix` and `text_prefix` go before what is embedded, for models that were trained so
    (E5: "query: " and "passage: "). `query_patience` are the seconds to wait for a question's vector before
    the question is answered by words alone.
    """

    name: str
    url: str
    key: str = Field(repr=False)
    embed_batch_size: int = Field(gt=0, le=2048)
    timeout: float
    default_headers: dict[str, str] | None = None
    dimensions: int | None = None
    additional_kwargs: dict[str, Any]
    query_prefix: str = ""
    text_prefix: str = ""
    query_patience: float = 5.0

    @functools.cached_property
    def client(self) -> OpenAI:
        """The client of the server; the retry layer is ours."""
        from openai import OpenAI

        options: Any = {"api_key": self.key, "base_url": self.url, "default_headers": self.default_headers}
        return OpenAI(max_retries=0, http_client=client(self.url), **options)

    def close(self) -> None:
        """Closes the connections to the server."""
        if opened := vars(self).pop("client", None):
            opened.close()

    def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]:
        """The vectors of passages. Raises what the client raises."""
        return self._vectors([self.text_prefix + text for text in texts], self.timeout)

    def get_query_embedding(self, question: str) -> list[float]:
        """The vector of a question. Raises what the client raises."""
        return self._vectors([self.query_prefix + question], self.query_patience)[0]

    def _vectors(self, texts: list[str], patience: float) -> list[list[float]]:
        length: dict[str, Any] = {} if self.dimensions is None else {"dimensions": self.dimensions}
        reply = self.client.embeddings.create(
            input=texts, model=self.name, timeout=patience, **length, **self.additional_kwargs
        )
        # some servers number every vector 0: the sort is stable
        found = [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]
        return TypeAdapter(list[list[float]]).validate_python(found)


OPTIONS = ServerEmbedding.model_fields.keys() - {"name", "url", "key"}
"""The options that BELEG_EMBEDDING_OPTIONS may have for a server; others are refused, not ignored."""


def server_embedding(choice: Choice, server: Server, key: str) -> ServerEmbedding:
    """The model of a choice, with its options. Raises ConfigError for unknown ones."""
    if unknown := sorted(choice.options.keys() - OPTIONS):
        raise ConfigError(
            f"BELEG_EMBEDDING_OPTIONS: {', '.join(unknown)}: unknown; allowed: {', '.join(sorted(OPTIONS))}"
        )
    # base64, the client's default, is not known to every server
    form = {} if choice.kind == "openai" else {"encoding_format": "float"}
    given = {"embed_batch_size": _BATCH[choice.kind], "timeout": server.patience, **choice.options}
    try:
        given["additional_kwargs"] = form | given.get("additional_kwargs", {})
        return ServerEmbedding(name=choice.name, url=server.base_url, key=key, **given)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"BELEG_EMBEDDING_OPTIONS: {choice.without_credentials(exc)}") from None


def class_embedding(choice: Choice) -> BaseEmbedding:
    """The class at a dotted path, made with the options that are given.

    Raises ConfigError: for a missing package with the command that installs it.
    """
    load_llama_index()
    from llama_index.core.embeddings import BaseEmbedding

    module, _, name = choice.name.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), name, None)
        if not (isinstance(found, type) and issubclass(found, BaseEmbedding)):
            raise ConfigError(f"BELEG_EMBEDDING: {choice.name} is no LlamaIndex embedding class")
        ours = {"max_retries": 0} if "max_retries" in found.model_fields else {}  # the retry layer is ours
        return found(**(ours | dict(choice.options)))
    except ImportError as exc:
        raise ConfigError(f"BELEG_EMBEDDING: {choice.name} {_to_install(choice.name, exc)}") from exc
    except ConfigError:
        raise
    except Exception as exc:  # a class of somebody else may raise anything
        said = f"{type(exc).__name__}: {choice.without_credentials(exc)}"
        raise ConfigError(f"{choice.name} cannot be built with BELEG_EMBEDDING_OPTIONS ({said})") from None


def _to_install(path: str, error: ImportError) -> str:
    """What is missing: LlamaIndex's packages are named by their modules, others by what they import."""
    if not error.name:
        return f"cannot be imported: {error}"
    parts = error.name.split(".")
    of_llama_index = parts[:2] == ["llama_index", "embeddings"]
    package = ("-".join(path.split(".")[:3]) if of_llama_index else parts[0]).replace("_", "-")
    return f"needs a package that is missing; run: pip install {package}"
