"""Embeddings by other models: on a server that speaks OpenAI's protocol, or any class of LlamaIndex's.

They embed in batches, with retries and checks, and never pay twice for a text. LlamaIndex's own
`embeddings_cache` would write questions to disk, too, and confuse a question and a passage with the same
words, although models want different prefixes; so Beleg has its own cache.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter

from rag.errors import ConfigError, ProviderProtocol
from rag.models import load_llama_index
from rag.models.embedder import Embedder, Floats, shared_encoder
from rag.models.embedding_cache import FILE_NAME, EmbeddingCache
from rag.models.faults import Server, translated, waited
from rag.models.proxies import NO_KEY, client
from rag.settings import EmbeddingChoice, Settings, embedding_choice

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from openai import OpenAI

_BATCH = {"openai": 128, "openai-like": 16}  # texts; a small machine takes seconds for each


_PATIENCE = 120.0  # seconds for a batch of texts

PROBE = "Beleg"
"""A text to find out a model's dimension, and whether it is still the same model."""
RETRIES, LONGEST_WAIT = 6, 90.0
"""Further tries for a batch, and the longest wait in seconds; servers' limits are by the minute."""

_FIRST_RETRIES = 2
_SAME_MODEL = 0.99  # cosine: servers round, and batch in different ways
_REMOTE = {"api_base", "api_key", "azure_endpoint", "base_url", "endpoint_url"}


def build_embedder(settings: Settings) -> Embedder:
    """The embedding that the settings name, with its cache in the data folder.

    Raises ConfigError for an unknown name, or a server without the address or key that it needs.
    """
    choice = embedding_choice(settings)
    if choice.kind == "builtin":
        return Embedder()
    if choice.kind == "e5":
        return shared_encoder()
    key = _key(settings)
    return ModelEmbedder(choice, _server(settings, choice, key), key or NO_KEY, settings.data_dir / FILE_NAME)


def _server(settings: Settings, choice: EmbeddingChoice, key: str | None) -> Server:
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


class ModelEmbedder(Embedder):
    """A model of somebody else behind one retry layer and a cache. Safe to use from several threads.

    It is built when it is first needed, for its import takes seconds. A class that somebody else wrote is
    called by one thread at a time.
    """

    is_builtin = False

    def __init__(self, choice: EmbeddingChoice, server: Server, key: str, cache: Path) -> None:
        super().__init__()
        self.server = server
        self._choice, self._key, self._cache_path = choice, key, cache
        self._is_class = choice.kind == "class"
        self._dimension: int | None = None
        self._model: ServerEmbedding | BaseEmbedding | None = None
        self._cache: EmbeddingCache | None = None
        self._guard = threading.Lock()
        self._turn = threading.Lock() if self._is_class else contextlib.nullcontext()

    @property
    def host(self) -> str | None:  # type: ignore[override]
        """As above; for a class that takes a key or an address, its name."""
        if self._is_class and not _REMOTE & type(self.model).model_fields.keys():
            return None
        return self.server.host

    @property
    def model(self) -> ServerEmbedding | BaseEmbedding:
        """What embeds. Raises ConfigError if it cannot be built."""
        with self._guard:
            if self._model is None:
                if self._is_class:
                    self._model = _class_embedding(self._choice)
                else:
                    self._model = _server_embedding(self._choice, self.server, self._key)
            return self._model

    @property
    def cache(self) -> EmbeddingCache:
        """Vectors that were paid for."""
        with self._guard:
            if self._cache is None:  # an empty one is false
                self._cache = EmbeddingCache(self._cache_path)
            return self._cache

    def load(self) -> None:
        _ = self.model

    def expect(self, dimension: int | None) -> None:
        self._dimension = dimension

    def dimension(self) -> int:
        """Length of the vectors, found by asking once. Raises ProviderError.

        If it differs from the cache, a different model has this name now, and cached vectors are dropped.
        """
        if self._dimension is None:
            row = self._asked([PROBE], _FIRST_RETRIES)[0]
            held = self.cache.get(self._choice.identity, [PROBE]).get(PROBE)
            if held is None or held.shape != row.shape or _cosine(held, row) <= _SAME_MODEL:
                self.cache.forget(self._choice.identity)
                self.cache.put(self._choice.identity, [PROBE], row[None, :])
            self._dimension = len(row)
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text; asks for what the cache does not hold, and keeps it batch by batch.

        Raises ProviderError: what came before is kept.
        """
        length = self.dimension()
        held = self.cache.get(self._choice.identity, texts)
        found = {text: row for text, row in held.items() if len(row) == length}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        size = self.model.embed_batch_size if missing else 1
        for start in range(0, len(missing), size):
            batch = missing[start : start + size]
            rows = self._asked(batch, RETRIES)
            self.cache.put(self._choice.identity, batch, rows)
            found |= zip(batch, rows, strict=True)
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(-1, length)

    def prune(self, texts: Iterable[str], limit: int) -> None:
        self.cache.prune(self._choice.identity, itertools.chain([PROBE], texts), limit)

    def close(self) -> None:
        with self._guard:
            if self._cache is not None:
                self._cache.close()
                self._cache = None
            if self._model is not None and not self._is_class:
                self._model.close()  # type: ignore[union-attr]  # a ServerEmbedding
                self._model = None

    def _query(self, question: str) -> Floats:
        # asked for once: a reader does not wait for a second try
        model = self.model
        try:
            with self._turn:
                found = model.get_query_embedding(question)
        except Exception as exc:
            patience = getattr(model, "query_patience", self.server.patience)
            slow = {"model_silent": "class_silent" if self._is_class else "question_silent"}
            server = replace(self.server, patience=patience, codes={**self.server.codes, **slow})
            raise translated(exc, server) from exc
        row: Floats = self._checked([found], 1)[0]
        return row

    def _asked(self, texts: list[str], retries: int) -> Floats:
        model = self.model
        for attempt in itertools.count():
            try:
                with self._turn:
                    return self._checked(model.get_text_embedding_batch(texts), len(texts))
            except Exception as exc:  # a class of somebody else may raise anything
                error = translated(exc, self.server)
                if not waited(error, attempt, retries=retries, longest=LONGEST_WAIT):
                    raise error from exc
        raise AssertionError("a try succeeds, or raises")

    def _checked(self, found: Any, wanted: int) -> Floats:
        """The vectors as an array. Raises ProviderProtocol unless all are usable for search."""
        who = self.server.model if self._is_class else f"{self.server.model} at {self.server.host}"
        try:
            rows = np.asarray(found, dtype=np.float32)
        except (TypeError, ValueError) as exc:
            raise ProviderProtocol("embedding_ragged", model=who) from exc
        if rows.ndim != 2 or len(rows) != wanted:
            sent = len(rows) if rows.ndim else 0
            raise ProviderProtocol("embedding_count", model=who, sent=sent, wanted=wanted)
        if self._dimension not in (None, rows.shape[1]):
            raise ProviderProtocol("embedding_length", model=who, sent=rows.shape[1], wanted=self._dimension)
        if not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise ProviderProtocol("embedding_zero", model=who)
        return rows


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


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


def _server_embedding(choice: EmbeddingChoice, server: Server, key: str) -> ServerEmbedding:
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


def _class_embedding(choice: EmbeddingChoice) -> BaseEmbedding:
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
