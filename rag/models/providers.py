"""Models by LlamaIndex: whatever embeds or generates comes from here, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import ConfigError
from rag.models.chat import ChatModel, Connections, Opened
from rag.models.embedder import Embedder, HashedEmbedder, ModelEmbedder
from rag.models.embedding_cache import FILE_NAME as CACHE
from rag.models.embedding_choice import Choice, chosen
from rag.models.embedding_class import embedding_of_class, without_secrets
from rag.models.faults import Server, Terms
from rag.models.proxies import client
from rag.settings import OPENAI_MODEL

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from pydantic import SecretStr

    from rag.models.llm import ServerLLM
    from rag.settings import Settings

_NO_KEY = "none"
_PATIENCE = 120.0  # seconds for a batch of texts
_BATCH = {"openai": 128, "openai-like": 16}  # texts; a small machine takes seconds for each


def build_model(settings: Settings) -> ChatModel | None:
    """The language model that the settings name; None without one. Nothing is loaded or sent yet."""
    if not settings.has_model:
        return None
    key = settings.openai_api_key
    server = Server(settings.llm or OPENAI_MODEL, settings.base_url, key is not None, settings.llm_patience)

    def build(opened: Opened, connections: Connections) -> ServerLLM:
        from rag.models.llm import ServerLLM

        hooks: dict[str, list[Callable[..., Any]]] = {
            "request": [connections.watch],
            "response": [opened.note],
        }
        try:
            return ServerLLM(
                model=server.model,
                window=settings.llm_window,
                temperature=settings.llm_temperature,
                api_base=server.base_url,
                api_key=key.get_secret_value() if key else _NO_KEY,
                max_retries=0,  # the retry layer is ours: nested ones ask twelve times
                timeout=settings.llm_patience,
                http_client=client(server.base_url, event_hooks=hooks),
            )
        except ValueError as exc:
            raise ConfigError(f"BELEG_LLM: {server.model} cannot be used for chat: {exc}") from exc

    return ChatModel(server, build, settings.llm_retries)


def build_embedder(settings: Settings) -> Embedder:
    """The embedding that the settings name, with its cache in the data folder. Nothing is sent yet.

    Raises ConfigError for an unknown name, or a server without the address or key that it needs.
    """
    choice = chosen(settings)
    if choice.kind == "builtin":
        return HashedEmbedder()
    cache = settings.data_dir / CACHE
    if choice.kind == "class":
        server = Server(choice.name, choice.name.rpartition(".")[2], False, _PATIENCE, _CLASS_TERMS)
        return ModelEmbedder(
            choice.identity, server, lambda: embedding_of_class(choice), cache, is_class=True
        )
    server = _embedding_server(settings, choice)
    return ModelEmbedder(choice.identity, server, lambda: _on_server(settings, choice, server), cache)


def build_embedding(settings: Settings) -> BaseEmbedding:
    """The same as LlamaIndex sees it, without cache and retries. Raises ConfigError."""
    choice = chosen(settings)
    if choice.kind == "builtin":
        from rag.models.embedding import HashedEmbedding

        return HashedEmbedding()
    if choice.kind == "class":
        return embedding_of_class(choice)
    return _on_server(settings, choice, _embedding_server(settings, choice))


_CLASS_TERMS = Terms(
    model="BELEG_EMBEDDING",
    address="BELEG_EMBEDDING_OPTIONS",
    key="the key in BELEG_EMBEDDING_OPTIONS",
    reply="embedding",
    slow="try again",
    overflow="a passage does not fit into {model}; set BELEG_CHUNK_WORDS lower",
    without="BELEG_EMBEDDING=builtin",
)


def _embedding_server(settings: Settings, choice: Choice) -> Server:
    own = settings.embedding_url
    if choice.kind == "openai-like" and own is None and settings.openai_base_url is None:
        raise ConfigError(
            f"BELEG_EMBEDDING names the model {choice.name}, but not where it is: set BELEG_EMBEDDING_URL, as"
            " http://127.0.0.1:11434/v1"
        )
    key = _embedding_key(settings)
    terms = replace(
        _CLASS_TERMS,
        slow='raise "timeout" or lower "embed_batch_size" in BELEG_EMBEDDING_OPTIONS',
        address="OPENAI_BASE_URL" if own is None else "BELEG_EMBEDDING_URL",
        key="OPENAI_API_KEY" if own is None and settings.embedding_key is None else "BELEG_EMBEDDING_KEY",
    )
    if choice.kind == "openai" and key is None:
        raise ConfigError(f"BELEG_EMBEDDING={settings.embedding} needs a key: set {terms.key}")
    url, patience = (own or settings.base_url).rstrip("/"), choice.options.get("timeout", _PATIENCE)
    return Server(choice.name, url, key is not None, patience, terms)


def _embedding_key(settings: Settings) -> SecretStr | None:
    """The key that goes to the embedding's server: OPENAI_API_KEY never goes to another than its own."""
    if settings.embedding_key is not None:
        return settings.embedding_key
    own = settings.embedding_url
    at_home = own is None or urlsplit(own).netloc == urlsplit(settings.base_url).netloc
    return settings.openai_api_key if at_home else None


def _on_server(settings: Settings, choice: Choice, server: Server) -> BaseEmbedding:
    from rag.models.embedding_remote import server_embedding

    key = _embedding_key(settings)
    try:
        return server_embedding(
            dict(choice.options),
            model_name=choice.name,
            api_base=server.base_url,
            api_key=key.get_secret_value() if key else _NO_KEY,
            embed_batch_size=_BATCH[choice.kind],
            timeout=server.patience,
            http_client=client(server.base_url),
            # base64, the client's default, is not known to every server
            additional_kwargs={} if choice.kind == "openai" else {"encoding_format": "float"},
        )
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"BELEG_EMBEDDING_OPTIONS: {without_secrets(exc, choice)}") from None
