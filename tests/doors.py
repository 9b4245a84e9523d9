"""An app with the doors for programs, without the chat, for tests of each door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.engine import Engine, open_engine
from rag.serve.app import add_doors
from rag.serve.queue import Intake, Service
from rag.settings import Settings, load_settings
from rag.store.answers import Records
from tests.dossier import DOSSIER, fill, settings_for
from tests.fake_engine import FakeEngine

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WITH_TOKEN = {"auth": f"token:test={TOKEN}"}


@contextmanager
def over_dossier(folder: Path, **given: Any) -> Iterator[Engine]:
    """An engine over the small dossier, indexed in the folder, by these settings."""
    settings = settings_for(folder, **given)
    fill(settings, *DOSSIER)
    with closing(open_engine(settings)) as engine:
        yield engine


def doors(engine: Any, settings: Settings, intake: Intake | None = None) -> FastAPI:
    """The app, with records in memory; its service is `app.state.service`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = Service(engine, settings, Records(None), intake=intake)
    add_doors(app, app.state.service)
    return app


def client(app: FastAPI, **options: Any) -> TestClient:
    """A client of this machine, which sees a failure as a response."""
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False, **options)


def fake(folder: Path, engine: FakeEngine | None = None, **given: Any) -> TestClient:
    """A client of the small engine's doors."""
    return client(doors(engine or FakeEngine(), load_settings(data=folder, **given)))
