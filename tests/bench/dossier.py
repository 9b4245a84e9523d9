"""The web chat over an index as it is: `python -m tests.bench.dossier ARTICLES DATA --port PORT`."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from pathlib import Path

from app import run
from rag.engine import open_engine
from rag.settings import Settings


def main() -> None:
    """Serves until it is ended."""
    articles, data, _, port = sys.argv[1:]
    settings = Settings(articles=Path(articles), data=Path(data), llm="none")
    bound = socket.create_server(("127.0.0.1", int(port)))

    def site():  # type: ignore[no-untyped-def]
        from rag.serve.app import create_app

        return create_app(engine, settings)

    with closing(open_engine(settings)) as engine:
        run(site, bound, "the benchmark's", settings)


if __name__ == "__main__":
    main()
