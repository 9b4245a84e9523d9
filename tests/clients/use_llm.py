"""The command `llm`, with Beleg in its list of models."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from told import ADDRESS, QUESTION, tried, version

MODELS = f"""
- model_id: beleg-chat
  model_name: beleg
  api_base: {ADDRESS}/v1
- model_id: beleg-text
  model_name: beleg
  api_base: {ADDRESS}/v1
  completion: true
"""


def asked(*options: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "extra-openai-models.yaml").write_text(MODELS, "utf-8")
        told = subprocess.run(
            [sys.executable, "-m", "llm", *options, QUESTION],
            env=os.environ | {"LLM_USER_PATH": folder, "OPENAI_API_KEY": "none"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return told.stdout + told.stderr


version("llm")
tried("chat, streamed", lambda: asked("-m", "beleg-chat"))
tried("chat", lambda: asked("-m", "beleg-chat", "--no-stream"))
tried("completions", lambda: asked("-m", "beleg-text"))
