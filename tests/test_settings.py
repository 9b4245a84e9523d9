"""Protects where settings come from: arguments go before the environment, that before `.env`, that before
the defaults; and what is wrong with one is said by its name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.settings import load_settings
from tests.conftest import ROOT


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("rag.settings.ENV_FILE", tmp_path / "env")
    return tmp_path / "env"


def test_arguments_go_before_the_environment_and_that_before_the_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("BELEG_PASSAGES=3\nBELEG_READERS=3\nBELEG_WAITING=3\n", encoding="utf-8")
    monkeypatch.setenv("BELEG_PASSAGES", "4")
    monkeypatch.setenv("BELEG_READERS", "4")
    settings = load_settings(passages=5, readers=None)
    assert (settings.passages, settings.readers, settings.waiting) == (5, 4, 3)
    assert {"passages", "readers", "waiting"} == settings.model_fields_set


def test_file_may_have_quotes_comments_and_umlauts(env_file: Path) -> None:
    env_file.write_text('# unser Dossier\nexport BELEG_ARTICLES="Bücher & mehr"  # hier\n', encoding="utf-8")
    assert load_settings().articles == Path("Bücher & mehr")


def test_empty_variable_says_nothing(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("BELEG_PASSAGES=3\nBELEG_READERS=\nBELEG_STRANGE=1\n", encoding="utf-8")
    monkeypatch.setenv("BELEG_PASSAGES", "")
    monkeypatch.setenv("BELEG_WAITING", "")
    settings = load_settings()
    assert settings.passages == 3
    assert settings.model_fields_set == {"passages"}


def test_servers_go_by_the_names_that_every_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("CHROMA_URL", "http://127.0.0.1:8000")
    settings = load_settings(openai_base_url="http://127.0.0.1:11434/v1")
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-secret"
    assert settings.chroma_url == "http://127.0.0.1:8000"
    assert settings.base_url == "http://127.0.0.1:11434/v1"
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(("name", "value"), [("BELEG_PASSAGES", "many"), ("BELEG_PORT", "-1")])
def test_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"^{name}: .*see .env.example"):
        load_settings()


def test_settings_are_read_without_what_they_do_not_need() -> None:
    code = (
        "import sys; from rag.settings import load_settings; load_settings()\n"
        "print(*{'pydantic_settings', 'asyncio', 'ssl', 'dotenv'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
