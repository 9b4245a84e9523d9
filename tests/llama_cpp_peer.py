"""A real model server to talk to: llama-cpp-python with a tiny model of random weights, made on the spot.

What it answers makes no sense, but everything about the answer is real: tokens, streaming, grammar, vectors.
This file is both sides: the tests start it as a script by the Python that has llama_cpp (`make test-llama`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(os.environ.get("BELEG_LLAMA_PYTHON", ROOT / ".venv-llama" / "bin" / "python"))
MODEL = "zufall"
CONTEXT = 16_384
DIMENSIONS = 64
READY_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class LlamaPeer:
    """A running server, as an OpenAI client wants it. The model chats and embeds."""

    base_url: str
    model: str = MODEL
    context: int = CONTEXT
    dimensions: int = DIMENSIONS


# --- the side of the tests


def installed() -> bool:
    """Whether there is a Python with llama_cpp."""
    look = "from importlib.util import find_spec as f; raise SystemExit(not (f('llama_cpp') and f('gguf')))"
    return PYTHON.exists() and subprocess.run([PYTHON, "-I", "-c", look], check=False).returncode == 0


@contextmanager
def serve(folder: Path) -> Iterator[LlamaPeer]:
    """Runs the server on a free port of the loopback; its model and its log are in `folder`."""
    log = folder / "llama.log"
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    script = [str(PYTHON), "-I", __file__, str(listener.fileno()), str(folder)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            script,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            env={},
        )
    listener.close()  # the server's now: when that ends, so does the port
    try:
        peer = LlamaPeer(f"http://127.0.0.1:{port}/v1")
        _await(peer, log)
        yield peer
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(peer: LlamaPeer, log: Path) -> None:
    # the port is open from the start, so that the first request waits for the model
    try:
        with urllib.request.urlopen(f"{peer.base_url}/models", timeout=READY_WITHIN) as response:
            response.read()
    except (urllib.error.URLError, OSError) as exc:
        raise RuntimeError(f"llama_cpp did not start: {exc}\n{log.read_text('utf-8', 'replace')}") from exc


# --- the side of the server

SIZES = {"layers": 2, "heads": 4, "hidden": 128, "pieces": 1_200}
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<' + message['role'] + '>\\n' + message['content'] + '\\n' }}"
    "{% endfor %}"
    "{{ '<assistant>\\n' }}"
)


def write_model(path: Path, corpus: str) -> None:
    """Writes a model of the Llama architecture, about 0.5 MB; `corpus` shapes its vocabulary."""
    import gguf

    tokens, scores, kinds = _vocabulary(corpus)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(MODEL)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(DIMENSIONS)
    writer.add_block_count(SIZES["layers"])
    writer.add_feed_forward_length(SIZES["hidden"])
    writer.add_head_count(SIZES["heads"])
    writer.add_head_count_kv(SIZES["heads"])
    writer.add_rope_dimension_count(DIMENSIONS // SIZES["heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHAT_TEMPLATE)
    _add_weights(writer, len(tokens), plain=len(tokens) - SIZES["pieces"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary(corpus: str) -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and kinds: three special ones, every byte, and the most frequent parts of words."""
    import gguf

    counts: Counter[str] = Counter()
    for word, often in Counter(corpus.split()).items():
        spaced = f"▁{word}"
        for start in range(len(spaced)):
            for end in range(start + 1, min(start + 5, len(spaced) + 1)):
                counts[spaced[start:end]] += often
    # by frequency, so that the beginning of each piece is a piece, and merging letter by letter finds it
    pieces = [
        piece for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    ]
    pieces = pieces[: SIZES["pieces"]]
    kind = gguf.TokenType
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(pieces))]
    kinds = [kind.UNKNOWN, *[kind.CONTROL] * 2, *[kind.BYTE] * 256, *[kind.NORMAL] * len(pieces)]
    return tokens, scores, kinds


def _add_weights(writer: Any, size: int, *, plain: int) -> None:
    import numpy as np

    rng = np.random.default_rng(8)

    def add(name: str, rows: int, columns: int = DIMENSIONS) -> None:
        weights = rng.normal(0, columns**-0.5, (rows, columns))
        writer.add_tensor(f"{name}.weight", weights.astype(np.float16))

    def add_norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(DIMENSIONS, np.float32))

    embedding = rng.normal(0, 1, (size, DIMENSIONS))
    embedding[:, 0] = 3  # the same in each token, so that the end below is about as likely after any of them
    writer.add_tensor("token_embd.weight", embedding.astype(np.float16))
    output = rng.normal(0, 0.3, (size, DIMENSIONS))
    output[:plain] = 0  # neither special tokens nor single bytes, which are seldom valid UTF-8
    output[2, 0] = 2.2  # the end, after some dozens of tokens
    writer.add_tensor("output.weight", output.astype(np.float16))
    add_norm("output_norm")
    for layer in range(SIZES["layers"]):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}", DIMENSIONS)
        for name in ("ffn_gate", "ffn_up"):
            add(f"blk.{layer}.{name}", SIZES["hidden"])
        add(f"blk.{layer}.ffn_down", DIMENSIONS, SIZES["hidden"])
        for name in ("attn_norm", "ffn_norm"):
            add_norm(f"blk.{layer}.{name}")


def main(descriptor: int, folder: Path) -> None:
    """Serves on an open socket until SIGTERM."""
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    model = folder / f"{MODEL}.gguf"
    write_model(model, "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "seeds").glob("*.*"))))
    app = create_app(
        # interrupting, its default, ends a stream without an error as soon as another request comes
        server_settings=ServerSettings(interrupt_requests=False),
        model_settings=[
            ModelSettings(
                model=str(model),
                model_alias=MODEL,
                n_ctx=CONTEXT,
                embedding=True,
                logits_all=False,
                seed=8,
                # several would wait for each other, busily, on a machine that has other work
                n_threads=1,
                n_threads_batch=1,
            )
        ],
    )
    config = uvicorn.Config(app, timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
