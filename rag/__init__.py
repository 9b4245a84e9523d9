"""Beleg: answers about a dossier of news articles, every statement with its exact citation.

from rag import open_engine

with closing(open_engine("dossier")) as engine:
    answer = engine.ask("Wer leitet die Delegation?")
    print(answer.text, answer.citations[0].quote)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.engine import Engine

__all__ = ["open_engine"]


def open_engine(
    articles: str | Path | None = None,
    data: str | Path | None = None,
    *,
    dossier: str | None = None,
    sync: bool = True,
    **settings: object,
) -> Engine:
    """An engine over a folder of articles, indexed first where that is new or has changed.

    `articles` is the folder (or file), `data` the folder of its index, `dossier` the name of one of several;
    by default they come from the environment and `.env`. Further `settings` have the names of .env.example
    without BELEG_, in lower case: `passages=4`. With `sync=False` the index is used as it is. Files that
    cannot be read are logged as warnings.

    Raises ConfigError for a setting that is wrong or an index that is not there, ArticleError when
    there is nothing to read, IndexBusy when another process owns the index, IndexMismatch and
    IndexDamaged when it does not fit the settings or cannot be read; all are BelegError of rag.errors.
    """
    # imported here because they are slow, and every part of Beleg imports `rag`
    import logging

    from rag.engine import open_engine as open_index
    from rag.errors import ConfigError
    from rag.settings import DEFAULTS, load_settings

    if unknown := sorted(settings.keys() - DEFAULTS.keys()):
        raise ConfigError(f"there is no setting {', '.join(unknown)}; .env.example lists them all")
    chosen = load_settings(articles=articles, data=data, dossier=dossier, **settings)
    if sync:
        from ingest.sync import catch_up

        for note in catch_up(chosen):
            logging.getLogger(__name__).warning("%s", note)
    return open_index(chosen)
