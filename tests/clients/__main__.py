"""`make clients`: the clients that docs/apps.md names, as they are today, each asking a real Beleg.

Each runs in an environment of its own below `.venv-clients`, which uv makes: this needs the network. What
works is a line for each, and what does not below it; then the status is 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import llama_index.core

from tests.conftest import ROOT
from tests.real_server import running

ENVIRONMENT = {
    "UV_CACHE_DIR": str(ROOT / ".venv-clients"),
    "UV_LINK_MODE": "copy",  # LlamaIndex refuses data files with several hard links
    # the vocabularies that tiktoken would fetch
    "TIKTOKEN_CACHE_DIR": str(Path(llama_index.core.__file__).parent / "_static" / "tiktoken_cache"),
}


@dataclass(frozen=True, slots=True)
class Client:
    """A client: the script that uses it, and the packages that this takes."""

    name: str
    script: str
    packages: tuple[str, ...]


_CHROMA = ("llama-index-core", "llama-index-vector-stores-chroma", "llama-index-embeddings-openai-like")
CLIENTS = (
    *(Client(f"openai {n}", "use_openai.py", (f"openai=={n}.*",)) for n in (1, 2, 3)),
    Client("langchain-openai", "use_langchain.py", ("langchain-openai",)),
    Client("litellm", "use_litellm.py", ("litellm",)),
    Client("llm", "use_llm.py", ("llm",)),
    Client("LlamaIndex OpenAILike", "use_openai_like.py", ("llama-index-llms-openai-like",)),
    Client("pydantic-ai", "use_pydantic_ai.py", ("pydantic-ai-slim[openai]",)),
    Client("mcp 1", "use_mcp_1.py", ("mcp==1.*",)),
    Client("mcp 2", "use_mcp.py", ("mcp==2.*",)),
    Client("fastmcp", "use_fastmcp.py", ("fastmcp",)),
    Client("chromadb", "use_chromadb.py", ("chromadb",)),
    Client("VectorStoreIndex", "use_vector_store_index.py", _CHROMA),
)


def said_by(client: Client, address: str, data: Path) -> list[str]:
    """What the client's script prints, and at last why it ended, if it did not end well."""
    wanted = [option for package in client.packages for option in ("--with", package)]
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--quiet", "--no-project", "--isolated"]
    done = subprocess.run(
        [*uv, "--python", sys.executable, *wanted, "python", client.script, address, str(data)],
        cwd=Path(__file__).parent,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    end = [f"the script: fails {(done.stderr.splitlines() or ['?'])[-1]}"] if done.returncode else []
    return [*done.stdout.splitlines(), *end]


def line(client: Client, said: list[str]) -> tuple[str, bool]:
    """openai 1 (1.109.1): chat, responses; and whether all of it works."""
    version = next((each.split()[1] for each in said if each.startswith("version ")), "?")
    told = [each for each in said if ": " in each]
    works = [each.removesuffix(": works") for each in told if each.endswith(": works")]
    wrong = [each for each in told if not each.endswith(": works")]
    good = bool(works) and not wrong
    return "\n    ".join([f"{client.name} ({version}): {', '.join(works) or 'nothing'}", *wrong]), good


def main() -> int:
    """0 where all works."""
    parser = argparse.ArgumentParser(prog="make clients", description=__doc__)
    parser.add_argument("names", nargs="*", help="a part of a client's name; without, all of them")
    names = parser.parse_args().names
    all_good = True
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with running(ROOT / "seeds", data, OPENAI_API_KEY="", OPENAI_BASE_URL="") as address:
            for client in CLIENTS:
                if not names or any(name in client.name for name in names):
                    told, good = line(client, said_by(client, address, data))
                    print(told, flush=True)
                    all_good = all_good and good
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
