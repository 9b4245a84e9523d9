"""The smallest Gradio app, as a measure for the start of ours: `python -m tests.bench.trivial PORT`."""

from __future__ import annotations

import sys

import gradio as gr


def main() -> None:
    """Serves a chat that says back what it is told."""
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.ChatInterface(lambda message, _: message)
    demo.launch(server_port=int(sys.argv[1]), quiet=True)


if __name__ == "__main__":
    main()
