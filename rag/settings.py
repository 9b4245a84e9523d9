"""All settings, read from the environment (`BELEG_…`) and `.env`; nothing else reads either."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import ConfigError


class Settings(BaseSettings):
    """Beleg's settings; each can be set as `BELEG_<NAME>` in the environment or in `.env`."""

    model_config = SettingsConfigDict(env_prefix="BELEG_", env_file=".env", extra="ignore", frozen=True)

    articles: Path = Field(Path("seeds"), description="folder with the articles")
    data: Path | None = Field(
        None, description="folder of the index; without it, one for each articles folder in .beleg/"
    )
    embedding: str = Field("builtin", description="embedding model")
    dictionary: Path | None = Field(
        Path("/usr/share/trans/de-en"),
        description="Ding dictionary (Debian: trans-de-en), used when it is there",
    )
    host: str = Field("127.0.0.1", description="address of the web chat")
    port: int = Field(7860, ge=0, le=65535, description="port of the web chat")
    chunk_words: int = Field(120, ge=30, le=400, description="words a chunk, about")
    passages: int = Field(8, ge=1, le=50, description="passages retrieved for a question")
    question_limit: int = Field(2000, ge=10, description="longest question, in characters")
    history_turns: int = Field(6, ge=0, description="earlier messages that a follow-up may refer to")
    article_limit: int = Field(20_000_000, ge=1000, description="largest article file that is read, in bytes")

    @property
    def data_dir(self) -> Path:
        """The index folder; by default one for each articles folder, so that none mixes."""
        if self.data is not None:
            return self.data
        path = self.articles.resolve()
        slug = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "articles"
        return Path(".beleg") / f"{slug}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with `overrides` (None is ignored) on top.

    Raises ConfigError, naming the setting and what is wrong with it.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "BELEG_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']}; see .env.example for what it takes") from exc
