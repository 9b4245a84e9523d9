"""Builds the language model and the embedding from the settings. Nothing is loaded or sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import ConfigError
from rag.models import load_llama_index
from rag.models.chat import NO_KEY, ChatModel
from rag.models.embedder import Embedder, ModelEmbedder
from rag.models.embedding_cache import FILE_NAME
from rag.models.embedding_choice import Choice, chosen
from rag.models.faults import Server
from rag.settings import OPENAI_MODEL

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from pydantic import SecretStr

    from rag.settings import Settings

_PATIENCE = 120.0  # seconds for a batch of texts


def build_model(settings: Settings) -> ChatModel | None:
    """The language model that the settings name; None without one."""
    if not settings.has_model:
        return None
    name, has_key = settings.llm or OPENAI_MODEL, settings.openai_api_key is not None
    return ChatModel(Server(name, settings.base_url, has_key, settings.llm_patience), settings)


def build_embedder(settings: Settings) -> Embedder:
    """The embedding that the settings name, with its cache in the data folder.

    Raises ConfigError for an unknown name, or a server without the address or key that it needs.
    """
    choice = chosen(settings)
    if choice.kind == "builtin":
        return Embedder()
    if choice.kind == "e5":
        from rag.models.encoder import shared_encoder

        return shared_encoder()
    server = _server(settings, choice)

    def build() -> BaseEmbedding:
        load_llama_index()
        from rag.models.embedding import class_embedding, server_embedding

        if choice.kind == "class":
            return class_embedding(choice)
        key = _key(settings)
        return server_embedding(choice, server, key.get_secret_value() if key else NO_KEY)

    return ModelEmbedder(choice, server, build, settings.data_dir / FILE_NAME)


def _server(settings: Settings, choice: Choice) -> Server:
    """Whom messages about an embedding are about, and what they advise."""
    codes = {"model_silent": "class_silent", "model_nonsense": "class_nonsense"}
    address, key_name = "BELEG_EMBEDDING_OPTIONS", "BELEG_EMBEDDING_OPTIONS (api_key)"
    url, own, key = choice.name.rpartition(".")[2], settings.embedding_url, None
    if choice.kind != "class":
        codes = {"model_silent": "embedding_silent", "model_nonsense": "embedding_nonsense"}
        address = "OPENAI_BASE_URL" if own is None else "BELEG_EMBEDDING_URL"
        at_openai = own is None and settings.embedding_key is None
        key_name = "OPENAI_API_KEY" if at_openai else "BELEG_EMBEDDING_KEY"
        url, key = (own or settings.base_url).rstrip("/"), _key(settings)
        if choice.kind == "openai-like" and own is None and settings.openai_base_url is None:
            raise ConfigError(
                f"BELEG_EMBEDDING names the model {choice.name}, but not where it is: set"
                " BELEG_EMBEDDING_URL, as http://127.0.0.1:11434/v1"
            )
        if choice.kind == "openai" and key is None:
            raise ConfigError(f"BELEG_EMBEDDING={settings.embedding} needs a key: set {key_name}")
    return Server(
        choice.name,
        url,
        key is not None,
        choice.options.get("timeout", _PATIENCE),
        setting="BELEG_EMBEDDING",
        address=address,
        key=key_name,
        without="BELEG_EMBEDDING=words",
        codes={**codes, "model_window": "embedding_window"},
    )


def _key(settings: Settings) -> SecretStr | None:
    """The key for the embedding's server; OPENAI_API_KEY goes to no server but its own."""
    if settings.embedding_key is not None:
        return settings.embedding_key
    own = settings.embedding_url
    at_home = own is None or urlsplit(own).netloc == urlsplit(settings.base_url).netloc
    return settings.openai_api_key if at_home else None
