"""Beleg's web chat: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BelegError, ConfigError
from rag.settings import Settings, load_dossiers
from rag.store import lock
from rag.terminal import Bars, make_ready, program

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from rag.engine import Engine

PORTS_TRIED = 20
END_SECONDS = 5.0  # after a signal, for answers under way; then the program ends anyway

# before gradio is imported: nothing is sent anywhere
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Brings the index up to date and serves the chat until Ctrl-C or SIGTERM."""
    make_ready()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # in order, as at Ctrl-C
    try:
        serve(*settings_from(arguments))
    except BelegError as error:
        print(f"Beleg: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def settings_from(arguments: Sequence[str] | None) -> tuple[Settings, ...]:
    """Settings of each dossier from the environment, with the command line on top."""
    parser = argparse.ArgumentParser(
        prog=program("app.py", "serve"), description="Beleg's web chat: open the address that it prints."
    )
    parser.add_argument("--articles", type=Path, help="folder with the articles (default: seeds)")
    parser.add_argument("--data", type=Path, help="folder of the index")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 7860)")
    return load_dossiers(**vars(parser.parse_args(arguments)))


def serve(*dossiers: Settings) -> None:
    """Sets everything up in order: log, port, articles, engines, server.

    `dossiers` differ in name, articles and data folder only.
    """
    from rag.serve.logs import configure

    settings = dossiers[0]
    configure(settings)
    with closing(listener(settings)) as bound, contextlib.ExitStack() as opened:
        for each in dossiers:
            update(each)
        from ingest.intake import ArticleIntake
        from rag.engine import open_engine

        for each in dossiers:
            if not each.chroma_url:  # an engine that asks Chroma has it, too; one by words alone has not
                opened.enter_context(lock.owned(each.data_dir.resolve()))
        engines = [opened.enter_context(closing(open_engine(each))) for each in dossiers]
        intakes = [opened.enter_context(closing(ArticleIntake(each))) for each in dossiers]
        for each in dossiers:
            lock.announce(each.data_dir.resolve(), f"{address_of(bound)}/{each.dossier}".rstrip("/"))

        def site() -> ASGIApp:
            # importing gradio takes seconds; meanwhile the port already answers
            from rag.serve.app import site_of

            app = site_of(dossiers, engines, intakes)
            for engine, intake in zip(engines, intakes, strict=True):
                warm_up(engine, with_model=engine is engines[0])
                intake.start()
            return app

        note = "answers are verbatim sentences; no language model, nothing is sent anywhere"
        if (host := engines[0].sends_to) is not None:
            note = f"{engines[0].mode} answers; questions and passages are sent to {host}"
        run(site, bound, note, settings)


def warm_up(engine: Engine, *, with_model: bool) -> None:
    """Loads what the first question needs while its reader is still typing; all dossiers share one model."""

    def load() -> None:
        with contextlib.suppress(Exception):  # the first question will report it; or Beleg is ending
            for question in ("Wer war dabei?", "Who was there?"):
                engine.ask(question, extractive=True)
            if with_model and engine.model is not None:
                engine.model.warm_up()

    threading.Thread(target=load, daemon=True).start()


def listener(settings: Settings) -> socket.socket:
    """A socket on the settings' port, or on the next free one if no port was set.

    Raises ConfigError where there is none, and for an address that other machines can reach without
    `BELEG_AUTH`.
    """
    from rag.serve.security.guard import access_of, is_loopback

    host, port = settings.host, settings.port
    if access_of(settings.auth) is None and not is_loopback(host):
        raise ConfigError(
            f"the host {host or '(any)'} can be reached from other machines; set BELEG_AUTH, as in"
            " BELEG_AUTH='password:SECRET token:NAME=SECRET' (docs/api.md says more), or use 127.0.0.1"
        )
    last = port if "port" in settings.given else min(port + PORTS_TRIED, 65535)
    for tried in range(port, last + 1):
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, tried))
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(f"cannot listen on {host}, port {tried}: {error.strerror}") from error
            continue
        if tried != port:
            print(f"Beleg: port {port} is taken, using {tried}")
        return bound
    raise ConfigError(f"port {port} is taken; choose another with --port, or stop what uses it")


def address_of(bound: socket.socket) -> str:
    """The address for a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def update(settings: Settings) -> None:
    """Reads new and changed articles into the index, and says which files could not be read.

    If a Chroma server cannot be written, or the index folder is read-only or its disk full, it says so and
    uses the index as it is.
    """
    from ingest.diff import is_current
    from ingest.sync import answers_all_the_same, embeds_at_once, sync

    if is_current(settings):
        return
    try:
        with closing(Bars()) as bars:
            report = sync(settings, allow_empty=True, wait=embeds_at_once(settings), progress=bars.show)
    except BelegError as error:
        current = is_current(settings.unpublished, vectors=False)
        if not current and not answers_all_the_same(settings, error):
            raise
        print(f"Beleg: {error}", file=sys.stderr)
        return
    if not report.articles:
        print(f"Beleg: no articles in {settings.articles} yet; put files there, or upload some in the chat")
    for note in [*report.repaired, *(f"{name}: {reason}" for name, reason in report.skipped)]:
        print(f"Beleg: {note}", file=sys.stderr)


def run(build: Callable[[], ASGIApp], bound: socket.socket, note: str, settings: Settings) -> None:
    """Serves the app from `build` until a signal; prints address and note as soon as a page answers.

    Until the app is built, a page says so. Pages of the embedders may show both in a frame.
    """
    from rag.serve.opening import opening

    with served(opening(settings.embedders, settings.dossier_names), bound.dup(), settings.proxies):
        print(f"Beleg: {address_of(bound)}\nBeleg: {note}", flush=True)
        app = build()
    with served(app, bound, settings.proxies) as server:
        while server.is_alive():
            server.join(1)  # an unlimited wait would not always notice a signal


@contextlib.contextmanager
def served(app: ASGIApp, bound: socket.socket, proxies: Sequence[str] = ()) -> Iterator[threading.Thread]:
    """Serves an app in its own thread, from the moment it can be asked until the block ends.

    That thread and those that it starts are daemons, so that none keeps the program from ending.
    """
    import uvicorn

    from rag.serve.logs import with_ids
    from rag.serve.security.connections import LARGEST_HEAD, Connections

    connections = Connections(proxies)
    config = uvicorn.Config(
        connections.watching(with_ids(app)),
        http=connections.protocol(),
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=5,
        limit_concurrency=connections.most,
        # rag.serve.security.connections handles BELEG_TRUSTED_PROXIES
        proxy_headers=False,
        # uvicorn logs to the same place
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=3,
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        if not server.started:
            raise ConfigError("the web server could not be started; the lines above say why")
        yield thread
    finally:
        server.should_exit = True
        thread.join(END_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
