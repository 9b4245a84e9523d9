"""Beleg on the command line: `python -m rag ask "…"`, or `beleg ask "…"` where it is installed."""

from __future__ import annotations

import argparse
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rag.errors import BadRequest, BelegError, ConfigError, ProviderError
from rag.schema import VERSION, Asking, Filters, Genre, Message
from rag.terminal import DOSSIER_HELP, as_json, ends_with_its_reader, program

if TYPE_CHECKING:
    from rag.engine import Engine

_EXAMPLES = """other commands, each with a --help of its own:
  serve     the web chat, with the doors for programs (app.py)
  ingest    read articles into the index
  eval      how good the answers to a question set are

examples:
  %(prog)s ask "Wie oft reiste Witkoff nach Russland?"
  %(prog)s ask "Why was Helsinki criticised?" --json
  %(prog)s search "Sicherheitsgarantien" --articles ~/dossier
  %(prog)s ask "Worum geht es?" --outlet taz --from 2025-08-15
"""

_PROGRAMS = {"serve": "app", "ingest": "ingest.__main__", "eval": "eval.__main__"}
"""Commands that have a module of their own."""


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 when it answered or declined, 1 on an error, which is said on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _PROGRAMS:
        return int(import_module(_PROGRAMS[given[0]]).main(given[1:]))
    options = _parser().parse_args(given)
    from rag.settings import load_settings  # pydantic takes most of a second: not for --help

    try:
        settings = load_settings(articles=options.articles, data=options.data, dossier=options.dossier)
        from ingest.sync import catch_up
        from rag.engine import open_engine

        for note in catch_up(settings):
            print(f"beleg: {note}", file=sys.stderr)

        with closing(open_engine(settings)) as engine:
            _COMMANDS[options.command](engine, options)
    except BelegError as error:
        print(f"beleg: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program("python -m rag"),
        description="Answers questions about a folder of news articles, every statement with its citation.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Beleg {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_ in [
        ("ask", "answer a question, with citations"),
        ("search", "show the passages that fit a question"),
        ("mcp", "serve agents by the Model Context Protocol, on standard input and output"),
    ]:
        command = commands.add_parser(name, help=help_)
        command.add_argument("--articles", type=Path, help="folder with the articles (default: seeds)")
        index = "folder of the index (default: one for each articles folder)"
        command.add_argument("--data", type=Path, help=index)
        command.add_argument("--dossier", metavar="NAME", help=DOSSIER_HELP)
        if name == "mcp":
            continue
        question = "the question, in German, English, French, Portuguese or Ukrainian"
        command.add_argument("question", help=question)
        command.add_argument("--json", action="store_true", help="print JSON")
        _add_filters(command)
        if name == "ask":
            verbatim = "answer with verbatim sentences, even where a language model is configured"
            command.add_argument("--extractive", action="store_true", help=verbatim)
            earlier = 'JSON file with earlier messages: [{"role": …, "content": …}, …]'
            command.add_argument("--history", type=Path, help=earlier)
        else:
            command.add_argument("-k", type=_count, default=None, help="how many passages (default: 8)")
    return parser


def _add_filters(command: argparse.ArgumentParser) -> None:
    only = command.add_argument_group("only from some articles", "each may be given several times")
    for name, what in [
        ("outlet", "of this outlet; a part of its name is enough"),
        ("author", "by this author; a part of the name is enough"),
        ("article", "the article with this id"),
    ]:
        only.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=what)
    only.add_argument("--from", dest="first", type=_day, metavar="DATE", help="from this day on (2025-08-15)")
    only.add_argument("--to", dest="last", type=_day, metavar="DATE", help="up to this day")
    only.add_argument("--genre", choices=get_args(Genre), help="reports or comments")


def _filters(options: argparse.Namespace) -> Filters:
    outlets, authors, articles = map(tuple, (options.outlet, options.author, options.article))
    return Filters(outlets, authors, options.first, options.last, articles, options.genre)


def _day(value: str) -> date:
    """A day on the command line."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is no day like 2025-08-15") from None


def _ask(engine: Engine, options: argparse.Namespace) -> None:
    how: Asking = {"extractive": options.extractive, "filters": _filters(options)}
    try:
        answer = engine.ask(options.question, _history(options.history), **how)
    except ProviderError as exc:
        if exc.partial:
            print(f"beleg: unfinished and unchecked: {exc.partial}", file=sys.stderr)
        raise type(exc)(f"{exc} (--extractive answers without the model)") from exc
    from rag.wire import answer_text, answer_to_dict

    print(as_json(answer_to_dict(answer)) if options.json else answer_text(answer))


def _search(engine: Engine, options: argparse.Namespace) -> None:
    passages = engine.search(options.question, options.k, filters=_filters(options))
    if options.json:
        from rag.wire import passage_to_dict

        print(as_json([passage_to_dict(p) for p in passages]))
        return
    for passage in passages:
        article = passage.article
        print(f"{passage.score:.2f}  {article.title or article.id}  ({article.id}, {passage.chunk.start})")
        print(f"      {' '.join(passage.chunk.text.split())}\n")


def _mcp(engine: Engine, _: argparse.Namespace) -> None:
    import logging

    from rag.serve.api.mcp import create_server

    logging.basicConfig(level="WARNING")  # else the mcp package would draw boxes around what is logged
    create_server(engine).run("stdio")


_COMMANDS = {"ask": _ask, "search": _search, "mcp": _mcp}


def _history(path: Path | None) -> tuple[Message, ...]:
    """The messages in a JSON file; raises ConfigError or BadRequest when it is no such file."""
    from pydantic import TypeAdapter, ValidationError

    if path is None:
        return ()
    try:
        return TypeAdapter(tuple[Message, ...]).validate_json(path.read_bytes().removeprefix(BOM_UTF8))
    except OSError as exc:
        raise ConfigError(f"--history: cannot read {path}: {exc.strerror}") from exc
    except ValidationError as exc:
        raise BadRequest(
            f'--history: {path} is not a JSON list of {{"role": "user"|"assistant", "content": "…"}}'
        ) from exc


def _count(value: str) -> int:
    """A positive number on the command line."""
    number = int(value)
    if number < 1:
        raise ValueError(value)
    return number


if __name__ == "__main__":
    sys.exit(main())
