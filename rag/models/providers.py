"""Builds the language model and the embedding from the settings. Nothing is loaded or sent yet."""

from urllib.parse import urlsplit

from rag.errors import ConfigError
from rag.models.chat import NO_KEY, ChatModel
from rag.models.embedder import Embedder, ModelEmbedder
from rag.models.embedding_cache import FILE_NAME
from rag.models.embedding_choice import Choice, chosen
from rag.models.faults import Server
from rag.settings import OPENAI_MODEL, Settings

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
    key = _key(settings)
    return ModelEmbedder(choice, _server(settings, choice, key), key or NO_KEY, settings.data_dir / FILE_NAME)


def _server(settings: Settings, choice: Choice, key: str | None) -> Server:
    """Whom messages about an embedding are about, and what they advise."""
    own = settings.embedding_url
    codes = {"model_silent": "embedding_silent", "model_nonsense": "embedding_nonsense"}
    if choice.kind == "class":
        codes = {"model_silent": "class_silent", "model_nonsense": "class_nonsense"}
        url, has_key = choice.name.rpartition(".")[2], False
        address, key_name = "BELEG_EMBEDDING_OPTIONS", "BELEG_EMBEDDING_OPTIONS (api_key)"
    else:
        url, has_key = (own or settings.base_url).rstrip("/"), key is not None
        address = "OPENAI_BASE_URL" if own is None else "BELEG_EMBEDDING_URL"
        at_openai = own is None and settings.embedding_key is None
        key_name = "OPENAI_API_KEY" if at_openai else "BELEG_EMBEDDING_KEY"
        if choice.kind == "openai-like" and own is None and settings.openai_base_url is None:
            raise ConfigError(
                f"BELEG_EMBEDDING names the model {choice.name}, but not where it is: set"
                " BELEG_EMBEDDING_URL, as http://127.0.0.1:11434/v1"
            )
        if choice.kind == "openai" and not has_key:
            raise ConfigError(f"BELEG_EMBEDDING={settings.embedding} needs a key: set {key_name}")
    codes["model_window"] = "embedding_window"
    told = {"setting": "BELEG_EMBEDDING", "address": address, "key": key_name}
    patience = choice.options.get("timeout", _PATIENCE)
    without = "BELEG_EMBEDDING=words"
    return Server(choice.name, url, has_key, patience, without=without, codes=codes, **told)


def _key(settings: Settings) -> str | None:
    """The key for the embedding's server; OPENAI_API_KEY goes to no server but its own."""
    own, key = settings.embedding_url, settings.embedding_key
    if key is None and (own is None or urlsplit(own).netloc == urlsplit(settings.base_url).netloc):
        key = settings.openai_api_key
    return key.get_secret_value() if key else None
