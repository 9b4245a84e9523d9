"""What the language model is told: `rag/data/prompts.toml`, which gives the reason for each rule."""

import tomllib
from importlib.resources import files
from typing import Any

PROMPTS: dict[str, Any] = tomllib.loads((files("rag") / "data" / "prompts.toml").read_text(encoding="utf-8"))
"""Texts by name, the `tools` that a model may call, and the form of a judge's `verdict`."""
