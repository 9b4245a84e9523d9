"""Embeddings of LlamaIndex: on a server, or of any class; a separate module, because imports are slow."""

import functools
import importlib
from typing import Any

from llama_index.core.embeddings import BaseEmbedding
from openai import OpenAI
from pydantic import Field

from rag.errors import ConfigError
from rag.models.embedding_choice import Choice
from rag.models.faults import Server
from rag.models.proxies import client

QUERY_PATIENCE = 5.0
"""Seconds to wait for a question's vector before it is answered by words alone."""

_BATCH = {"openai": 128, "openai-like": 16}  # texts; a small machine takes seconds for each
OPTIONS = {
    "additional_kwargs", "default_headers", "dimensions", "embed_batch_size",
    "query_patience", "query_prefix", "text_prefix", "timeout",
}  # fmt: skip
"""The options that BELEG_EMBEDDING_OPTIONS may have for a server; others are refused, not ignored."""


class ServerEmbedding(BaseEmbedding):
    """A model on a server that speaks OpenAI's protocol.

    LlamaIndex's own class takes vectors in the order they come, makes spaces of line breaks, and tries again
    by itself. `query_prefix` and `text_prefix` go before what is embedded, for models that were trained so
    (E5: "query: " and "passage: ").
    """

    api_base: str
    api_key: str = Field(repr=False, exclude=True)
    timeout: float = 60.0
    default_headers: dict[str, str] | None = None
    dimensions: int | None = None
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    query_prefix: str = ""
    text_prefix: str = ""
    query_patience: float = QUERY_PATIENCE

    @functools.cached_property
    def client(self) -> OpenAI:
        """The client of the server; the retry layer is ours."""
        return OpenAI(
            api_key=self.api_key,
            base_url=self.api_base,
            max_retries=0,
            default_headers=self.default_headers,
            http_client=client(self.api_base),
        )

    def close(self) -> None:
        """Closes the connections to the server."""
        if opened := vars(self).pop("client", None):
            opened.close()

    def _vectors(self, texts: list[str], patience: float) -> list[list[float]]:
        length: dict[str, Any] = {} if self.dimensions is None else {"dimensions": self.dimensions}
        reply = self.client.embeddings.create(
            input=texts, model=self.model_name, timeout=patience, **length, **self.additional_kwargs
        )
        # some servers number every vector 0: the sort is stable
        return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._vectors([self.text_prefix + text for text in texts], self.timeout)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors([self.query_prefix + query], self.query_patience)[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def server_embedding(choice: Choice, server: Server, key: str) -> ServerEmbedding:
    """The model of a choice, with its options. Raises ConfigError for unknown ones."""
    if unknown := sorted(choice.options.keys() - OPTIONS):
        raise ConfigError(
            f"BELEG_EMBEDDING_OPTIONS: {', '.join(unknown)}: unknown; allowed: {', '.join(sorted(OPTIONS))}"
        )
    # base64, the client's default, is not known to every server
    form = {} if choice.kind == "openai" else {"encoding_format": "float"}
    given = {"embed_batch_size": _BATCH[choice.kind], "timeout": server.patience, **choice.options}
    given |= {"model_name": choice.name, "api_base": server.base_url, "api_key": key}
    try:
        given["additional_kwargs"] = form | given.get("additional_kwargs", {})
        return ServerEmbedding(**given)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"BELEG_EMBEDDING_OPTIONS: {choice.without_credentials(exc)}") from None


def class_embedding(choice: Choice) -> BaseEmbedding:
    """The class at a dotted path, made with the options that are given.

    Raises ConfigError: for a missing package with the command that installs it.
    """
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
