"""All settings, read from the environment (`BELEG_…`, `OPENAI_…`) and `.env`; nothing else reads either."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import field, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from rag.errors import ConfigError

ENV_FILE = Path(".env")
NO_MODEL = "none"
OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"
_NAMES_OF_ALL = {
    "openai_api_key": "OPENAI_API_KEY",
    "openai_base_url": "OPENAI_BASE_URL",
    "chroma_url": "CHROMA_URL",
}
"""Settings that every program knows by these variables."""
_AFTER_THE_MODEL = 30.0  # seconds
_ROOT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
# goes into a header: nothing that could end it, or begin another directive
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Settings:
    """Beleg's settings; `load_settings` reads each as `BELEG_<NAME>` from the environment or from `.env`.

    `openai_api_key` and `openai_base_url` go by the names that every OpenAI program knows.
    """

    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Names of the settings that somebody has set, where `load_settings` made them."""

    articles: Path = Field(Path("seeds"), description="folder with the articles")
    data: Path | None = Field(
        None, description="folder of the index; without it, one for each articles folder in .beleg/"
    )
    openai_api_key: SecretStr | None = Field(None, description="key of the language model's server")
    openai_base_url: str | None = Field(
        None, description="address of an OpenAI-compatible server, as http://127.0.0.1:11434/v1"
    )
    llm: str | None = Field(
        None,
        description="model that writes the answers; none: verbatim sentences, and no language model is asked",
    )
    llm_window: int | None = Field(
        None, ge=1024, description="tokens that the model can take in; without it, what is known of the model"
    )
    llm_reply: int = Field(800, ge=64, description="tokens that an answer may have")
    llm_deadline: float = Field(240.0, gt=0, description="seconds until an answer must be complete")
    llm_patience: float = Field(120.0, gt=0, description="seconds without any sign of the model")
    steps: int = Field(
        4,
        ge=1,
        le=10,
        description="requests to the model for an answer, where it can call tools; 1: no tools",
    )
    llm_retries: int = Field(2, ge=0, description="further tries when the model's server is busy or down")
    llm_temperature: float = Field(0.0, ge=0, le=2, description="sampling temperature of the model")
    judge: bool = Field(False, description="let the model judge sentences that words alone cannot check")
    embedding: str = Field(
        "auto",
        description="embedding: auto (e5 where its wheel is installed, else words), e5, words, openai:MODEL,"
        " openai-like:MODEL, or the path of a LlamaIndex class",
    )
    embedding_url: str | None = Field(
        None, description="address of the embedding's server; without it, OPENAI_BASE_URL"
    )
    embedding_key: SecretStr | None = Field(
        None, description="key of the embedding's server; without it, OPENAI_API_KEY at OPENAI_BASE_URL"
    )
    embedding_options: str | None = Field(
        None, description='arguments of the embedding as JSON, as {"dimensions": 512}'
    )
    dense_weight: float | None = Field(
        None, ge=0, le=10, description="weight of the embedding in the ranking, that of the words being 1"
    )
    dictionary: Path | None = Field(
        Path("/usr/share/trans/de-en"),
        description="Ding dictionary (Debian: trans-de-en), used when it is there",
    )
    chroma_url: str | None = Field(
        None, description="Chroma server that several Belegs share, as http://127.0.0.1:8000"
    )
    chroma_replica: bool = Field(
        False, description="take the articles from the Chroma server; otherwise ours are written to it"
    )
    chroma_token: SecretStr | None = Field(None, description="token for the Chroma server")
    chroma_headers: SecretStr | None = Field(
        None, description='further headers for the Chroma server as JSON, as {"Authorization": "Basic …"}'
    )
    chroma_ca: Path | None = Field(
        None, description="certificates (PEM) to trust the Chroma server by, in place of the usual ones"
    )
    chroma_tenant: str = Field("default_tenant", description="tenant on the Chroma server")
    chroma_database: str = Field("default_database", description="database on the Chroma server")
    host: str = Field("127.0.0.1", description="address of the web chat")
    port: int = Field(7860, ge=0, le=65535, description="port of the web chat")
    auth: SecretStr | None = Field(
        None, description="who may come in, as password:SECRET token:NAME=SECRET; needed beyond this machine"
    )
    hosts: str = Field(
        "", description="further names that this machine is called by, as beleg.example, where no auth is set"
    )
    trusted_proxies: str = Field(
        "", description="proxies that are believed what they forward for whom, as 10.0.0.5 172.16.0.0/12"
    )
    root_path: str = Field(
        "",
        description="path below which a proxy shows Beleg, as /dossier, unless it sends X-Forwarded-Prefix",
    )
    rate: int = Field(600, ge=0, description="questions and changes a minute by one client; 0: any number")
    request_limit: int = Field(
        2_000_000, ge=10_000, description="largest request, in bytes; an article has a limit of its own"
    )
    deadline: float = Field(
        120.0,
        gt=0,
        description="seconds until a program has its answer, waiting for its turn included; with a language"
        " model at least 30 more than its own",
    )
    origins: str = Field(
        "",
        description="sites whose pages may show the chat, as https://news.example https://*.intern.example",
    )
    chunk_words: int = Field(120, ge=30, le=400, description="words a chunk, about")
    passages: int = Field(8, ge=1, le=50, description="passages retrieved for a question")
    question_limit: int = Field(2000, ge=10, description="longest question, in characters")
    history_turns: int = Field(
        6, ge=0, description="earlier messages that a follow-up may refer to, 2,000 characters of each"
    )
    readers: int = Field(50, ge=1, description="questions answered at the same time")
    waiting: int = Field(
        100, ge=0, description="questions that wait for their turn; more are asked to come back in a minute"
    )
    article_limit: int = Field(20_000_000, ge=1000, description="largest article file that is read, in bytes")
    sync_seconds: float = Field(
        5.0, ge=0, description="seconds between looks at the articles folder while the chat runs; 0: none"
    )
    log_format: Literal["text", "json"] = Field("text", description="form of the log on stderr: text, json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="from what on it is logged: debug, info (each request), warning, error"
    )

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
        for origin in value.replace(",", " ").split():
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin} is no origin: scheme and host alone, as https://news.example:8443"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for proxy in value.replace(",", " ").split():
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(
                    f"{proxy} is no address and no network, as 10.0.0.5 or 172.16.0.0/12"
                ) from None
        return value

    @field_validator("root_path")
    @classmethod
    def _root_is_a_path(cls, value: str) -> str:
        if not _ROOT_PATH.fullmatch(value.rstrip("/")):
            raise ValueError(f"{value} is no path of letters, digits and -._~, as /dossier")
        return value.rstrip("/")

    @property
    def data_dir(self) -> Path:
        """The index folder; by default one for each articles folder, so that none mixes."""
        if self.data is not None:
            return self.data
        path = self.articles.resolve()
        slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "articles"
        return Path(".beleg") / f"{slug}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"

    @property
    def answered_within(self) -> float:
        """Seconds until a program has its answer: never before the model's own have passed."""
        return max(self.deadline, self.llm_deadline + _AFTER_THE_MODEL) if self.has_model else self.deadline

    @property
    def uploads_dir(self) -> Path:
        """Where the web chat saves articles; always a source beside the articles folder."""
        return self.data_dir / "uploads"

    @property
    def embedders(self) -> tuple[str, ...]:
        """The origins whose pages may show the chat in a frame, beside our own."""
        return tuple(self.origins.replace(",", " ").split())

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of the proxies that are believed."""
        return tuple(self.trusted_proxies.replace(",", " ").split())

    @property
    def unpublished(self) -> Self:
        """These settings for one who only asks: then nothing is written to a Chroma server."""
        return self if self.chroma_replica else replace(self, chroma_url=None)

    @property
    def has_model(self) -> bool:
        """Whether a language model writes the answers: one is configured, and not switched off."""
        configured = self.openai_api_key is not None or self.openai_base_url is not None
        return configured and (self.llm or "").lower() != NO_MODEL

    @property
    def base_url(self) -> str:
        """Where the language model is asked."""
        return (self.openai_base_url or OPENAI).rstrip("/")


FIELDS: Mapping[str, FieldInfo] = {
    each.name: each.default for each in fields(Settings) if isinstance(each.default, FieldInfo)
}
"""Every setting by its name."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return _NAMES_OF_ALL.get(name, f"BELEG_{name.upper()}")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`, with `overrides` (None is ignored) on top.

    Raises ConfigError, naming the setting and what is wrong with it.
    """
    named = {name: value for name, value in overrides.items() if value is not None and name != "given"}
    # pydantic-settings would do this, and imports asyncio and ssl: a quarter of a second in every command
    from dotenv import dotenv_values

    file = dotenv_values(ENV_FILE, encoding="utf-8") if ENV_FILE.is_file() else {}
    chosen: dict[str, Any] = {**_said(file), **_said(os.environ), **named}
    try:
        return Settings(**chosen, given=frozenset(chosen))
    except ValidationError as exc:
        first = exc.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise ConfigError(why) from exc
        name = variable(str(first["loc"][0]))
        raise ConfigError(f"{name}: {why}; see .env.example for what it takes") from exc


def _said(environment: Mapping[str, str | None]) -> dict[str, str]:
    """What an environment says of the settings, by their names; an empty variable says nothing."""
    held = {name.upper(): value for name, value in environment.items() if value}
    return {name: held[key] for name in FIELDS if (key := variable(name)) in held}
