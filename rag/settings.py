"""All settings, read from the environment (`BELEG_…`, `OPENAI_…`) and `.env`; nothing else reads either."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_type_hints

from rag.errors import ConfigError
from rag.fields import Secret, read, setting

ENV_FILE = Path(".env")
NO_MODEL = "none"
OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"
# goes into a header: nothing that could end it, or begin another directive
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Beleg's settings; `load_settings` reads each as `BELEG_<NAME>` from the environment or from `.env`.

    `openai_api_key` and `openai_base_url` go by the names that every OpenAI program knows. Each value may
    be given as text. Raises ConfigError, naming the variable and what is wrong with it.
    """

    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Names of the settings that somebody has set, where `load_settings` made them."""

    articles: Path = setting(Path("seeds"), help="folder with the articles")
    data: Path | None = setting(
        None, help="folder of the index; without it, one for each articles folder in .beleg/"
    )
    openai_api_key: Secret | None = setting(
        None, variable="OPENAI_API_KEY", help="key of the language model's server"
    )
    openai_base_url: str | None = setting(
        None,
        variable="OPENAI_BASE_URL",
        help="address of an OpenAI-compatible server, as http://127.0.0.1:11434/v1",
    )
    llm: str | None = setting(
        None,
        help="model that writes the answers; none: verbatim sentences, and no language model is asked",
    )
    llm_window: int | None = setting(
        None, least=1024, help="tokens that the model can take in; without it, what is known of the model"
    )
    llm_reply: int = setting(800, least=64, help="tokens that an answer may have")
    llm_deadline: float = setting(90.0, above=0, help="seconds until an answer must be complete")
    llm_patience: float = setting(30.0, above=0, help="seconds without any sign of the model")
    llm_retries: int = setting(2, least=0, help="further tries when the model's server is busy or down")
    llm_temperature: float = setting(0.0, least=0, most=2, help="sampling temperature of the model")
    judge: bool = setting(False, help="let the model judge sentences that words alone cannot check")
    embedding: str = setting(
        "builtin",
        help="embedding: builtin, openai:MODEL, openai-like:MODEL, or the path of a LlamaIndex class",
    )
    embedding_url: str | None = setting(
        None, help="address of the embedding's server; without it, OPENAI_BASE_URL"
    )
    embedding_key: Secret | None = setting(
        None, help="key of the embedding's server; without it, OPENAI_API_KEY at OPENAI_BASE_URL"
    )
    embedding_options: str | None = setting(
        None, help='arguments of the embedding as JSON, as {"dimensions": 512}'
    )
    dense_weight: float | None = setting(
        None, least=0, most=10, help="weight of the embedding in the ranking, that of the words being 1"
    )
    dictionary: Path | None = setting(
        Path("/usr/share/trans/de-en"),
        help="Ding dictionary (Debian: trans-de-en), used when it is there",
    )
    chroma_url: str | None = setting(
        None,
        variable="CHROMA_URL",
        help="Chroma server that several Belegs share, as http://127.0.0.1:8000",
    )
    chroma_replica: bool = setting(
        False, help="take the articles from the Chroma server; otherwise ours are written to it"
    )
    chroma_token: Secret | None = setting(None, help="token for the Chroma server")
    chroma_headers: Secret | None = setting(
        None, help='further headers for the Chroma server as JSON, as {"Authorization": "Basic …"}'
    )
    chroma_ca: Path | None = setting(
        None, help="certificates (PEM) to trust the Chroma server by, in place of the usual ones"
    )
    chroma_tenant: str = setting("default_tenant", help="tenant on the Chroma server")
    chroma_database: str = setting("default_database", help="database on the Chroma server")
    host: str = setting("127.0.0.1", help="address of the web chat")
    port: int = setting(7860, least=0, most=65535, help="port of the web chat")
    auth: Secret | None = setting(
        None, help="who may come in, as password:SECRET token:NAME=SECRET; needed beyond this machine"
    )
    hosts: str = setting(
        "", help="further names that this machine is called by, as beleg.example, where no auth is set"
    )
    rate: int = setting(600, least=0, help="questions and changes a minute by one client; 0: any number")
    request_limit: int = setting(
        10_000_000, least=10_000, help="largest request, in bytes; an article has a limit of its own"
    )
    deadline: float = setting(
        120.0, above=0, help="seconds until a program has its answer, waiting for its turn included"
    )
    origins: str = setting(
        "",
        help="sites whose pages may show the chat, as https://news.example https://*.intern.example",
    )
    chunk_words: int = setting(120, least=30, most=400, help="words a chunk, about")
    passages: int = setting(8, least=1, most=50, help="passages retrieved for a question")
    question_limit: int = setting(2000, least=10, help="longest question, in characters")
    history_turns: int = setting(6, least=0, help="earlier messages that a follow-up may refer to")
    readers: int = setting(50, least=1, help="questions answered at the same time")
    waiting: int = setting(
        100, least=0, help="questions that wait for their turn; more are asked to come back in a minute"
    )
    article_limit: int = setting(20_000_000, least=1000, help="largest article file that is read, in bytes")
    sync_seconds: float = setting(
        5.0, least=0, help="seconds between looks at the articles folder while the chat runs; 0: none"
    )
    log_format: Literal["text", "json"] = setting("text", help="form of the log on stderr: text, json")
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "warning", help="from what on it is logged: debug, info (each request), warning, error"
    )

    def __post_init__(self) -> None:
        for name, each in FIELDS.items():
            try:
                value = read(getattr(self, name), _kinds()[name], each.metadata)
            except ValueError as exc:
                raise _wrong(name, exc) from exc
            object.__setattr__(self, name, value)
        if self.llm and self.llm.lower() != NO_MODEL and not (self.openai_api_key or self.openai_base_url):
            raise ConfigError(
                f"BELEG_LLM names the model {self.llm}, but not where it is: set OPENAI_API_KEY (OpenAI), or"
                " OPENAI_BASE_URL (any compatible server)"
            )
        if self.chroma_replica and not self.chroma_url:
            raise ConfigError("BELEG_CHROMA_REPLICA takes the articles from a Chroma server: set CHROMA_URL")
        for origin in self.embedders:
            if not _ORIGIN.fullmatch(origin):
                raise _wrong(
                    "origins", f"{origin} is no origin: scheme and host alone, as https://news.example:8443"
                )

    @property
    def data_dir(self) -> Path:
        """The index folder; by default one for each articles folder, so that none mixes."""
        if self.data is not None:
            return self.data
        path = self.articles.resolve()
        slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "articles"
        return Path(".beleg") / f"{slug}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"

    @property
    def uploads_dir(self) -> Path:
        """Where the web chat saves articles; always a source beside the articles folder."""
        return self.data_dir / "uploads"

    @property
    def embedders(self) -> tuple[str, ...]:
        """The origins whose pages may show the chat in a frame, beside our own."""
        return tuple(self.origins.replace(",", " ").split())

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


FIELDS: Mapping[str, Field[Any]] = {each.name: each for each in fields(Settings) if each.metadata}
"""Every setting by its name, with its default and, as metadata, its help."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return str(FIELDS[name].metadata["variable"] or f"BELEG_{name.upper()}")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`, with `overrides` (None is ignored) on top.

    Raises ConfigError, naming the setting and what is wrong with it.
    """
    named = {name: value for name, value in overrides.items() if value is not None and name != "given"}
    chosen: dict[str, Any] = {**_said(_file()), **_said(os.environ), **named}
    return Settings(**chosen, given=frozenset(chosen))


def _wrong(name: str, why: object) -> ConfigError:
    return ConfigError(f"{variable(name)}: {why}; see .env.example for what it takes")


@functools.cache
def _kinds() -> Mapping[str, Any]:
    return get_type_hints(Settings)


def _said(environment: Mapping[str, str | None]) -> dict[str, str]:
    """What an environment says of the settings, by their names; an empty variable says nothing."""
    held = {name.upper(): value for name, value in environment.items() if value}
    return {name: held[key] for name in FIELDS if (key := variable(name)) in held}


def _file() -> Mapping[str, str | None]:
    if not ENV_FILE.is_file():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(ENV_FILE, encoding="utf-8")
