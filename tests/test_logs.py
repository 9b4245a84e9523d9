"""Protects the log: a line can be traced to its request, forged by nobody, and tells no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.serve.logs import HEADER, JsonLines, TextLines, configure, with_ids
from rag.settings import Settings
from tests.pages import pages

QUERY = "Geheimsache Wärmeplan"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    from starlette.testclient import TestClient

    def broken() -> None:
        raise RuntimeError("a secret detail")

    with pages(tmp_path) as app:
        app.get("/kaputt")(broken)
        with TestClient(with_ids(app), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="rag")
    return caplog


def test_the_senders_id_is_taken_over_and_else_one_is_made(client: Any) -> None:
    assert client.get("/artikel", headers={HEADER: "probe-1"}).headers[HEADER] == "probe-1"
    made = [client.get("/artikel").headers[HEADER] for _ in range(2)]
    assert len(set(made)) == 2
    assert all(len(each) == 32 for each in made)


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "a\tb", "<b>", "\u00e4"])
def test_what_is_no_id_is_replaced(client: Any, bad: str) -> None:
    assert client.get("/artikel", headers={HEADER: bad.encode("latin-1")}).headers[HEADER] != bad


@pytest.mark.parametrize(("path", "status"), [("/quelle/fehlt", 404), ("/kaputt", 500)])
def test_failures_name_their_request_and_no_detail(client: Any, path: str, status: int) -> None:
    reply = client.get(path, headers={HEADER: "probe-2"})
    assert (reply.status_code, reply.headers[HEADER]) == (status, "probe-2")
    assert "secret detail" not in reply.text


def test_a_request_is_one_line_without_what_was_asked(client: Any, told: pytest.LogCaptureFixture) -> None:
    client.get("/artikel", params={"q": QUERY}, headers={HEADER: "probe-3"})
    (line,) = [record.getMessage() for record in told.records if record.name == "rag.serve.logs"]
    assert line.startswith("GET '/artikel': 200 in ")
    assert "Geheimsache" not in told.text


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_line_of_a_request_has_its_id(
    client: Any, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    level = root.level
    handler = configure(Settings(log_format=form, log_level="info"))
    try:
        client.get("/artikel", headers={HEADER: "probe-4"})
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    (line,) = [each for each in capsys.readouterr().err.splitlines() if "rag.serve.logs" in each]
    assert json.loads(line)["request"] == "probe-4" if form == "json" else line.endswith("[probe-4]")


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_foreign_text_begins_no_line_of_its_own(form: logging.Formatter) -> None:
    record = logging.LogRecord("rag", logging.WARNING, "x.py", 1, "%s", ("a\n2026-01-01 ERROR forged",), None)
    assert len(form.format(record).splitlines()) == 1


def test_settings_as_they_are_logged_hide_their_keys() -> None:
    settings = Settings(openai_api_key="sk-verysecret", embedding_key="sk-other")  # type: ignore[arg-type]
    assert "sk-" not in f"{settings!r} {vars(settings)}"
