"""Protects the container's files where no Docker engine is: what they copy, run and set exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.settings import DEFAULTS, variable
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
KNOWN = {variable(name) for name in DEFAULTS}


def steps(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    sent = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in (step.split()[0] for step in steps("COPY")):
        assert (ROOT / source).exists()
        assert f"!{source}" in sent


def test_every_package_is_in_the_image() -> None:
    assert {"rag", "ingest", "eval", "app.py"} <= {step.split()[0] for step in steps("COPY")}


@pytest.mark.slow
def test_what_is_copied_is_enough_to_answer_and_to_measure(tmp_path: Path) -> None:
    image = tmp_path / "beleg"
    image.mkdir()
    for source, target in (step.split() for step in steps("COPY")):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, image / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, image / target)
    environment = {**os.environ, "BELEG_DATA": str(tmp_path / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
    commands = [
        ["app.py", "--help"],
        ["-m", "rag", "ask", "Wie oft reiste Witkoff nach Russland?"],
        ["-m", "eval", "eval/sets/seeds.jsonl", "--tag", "topic_switch"],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=image,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr


def test_it_runs_the_chat_without_root_from_the_hashed_lock() -> None:
    (command,) = steps("CMD")
    assert json.loads(command) == ["python", "app.py"]
    assert "--require-hashes -r requirements.lock" in steps("RUN")[0]
    assert steps("USER") == ["beleg"]


def test_variables_are_settings() -> None:
    set_here = re.findall(r"\b((?:BELEG|OPENAI)_\w+)=", " ".join(steps("ENV")))
    assert set(set_here) <= KNOWN
    assert set(COMPOSE["services"]["beleg"]["environment"]) <= KNOWN


def test_every_setting_can_be_given_and_replicas_are_replicas() -> None:
    folders_and_port = {"BELEG_DATA", "BELEG_HOST", "BELEG_PORT"}
    assert set(COMPOSE["services"]["beleg"]["environment"]) == KNOWN - folders_and_port
    replica = COMPOSE["services"]["replica"]
    assert replica["environment"]["BELEG_CHROMA_REPLICA"] == "true"
    assert replica["environment"]["CHROMA_URL"]
    assert "volumes" not in replica, "each has a data folder of its own"


def test_one_port_is_exposed_checked_and_published_on_loopback() -> None:
    (port,) = steps("EXPOSE")
    assert f"BELEG_PORT={port}" in steps("ENV")[0]
    assert f"127.0.0.1:{port}/healthz" in steps("HEALTHCHECK")[0]
    assert COMPOSE["services"]["beleg"]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize(("name", "value"), [("read_only", True), ("cap_drop", ["ALL"])])
def test_the_container_may_do_little(name: str, value: object) -> None:
    assert COMPOSE["services"]["beleg"][name] == value
    assert "data" in COMPOSE["volumes"]
