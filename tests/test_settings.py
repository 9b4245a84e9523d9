"""Protects where settings come from: arguments go before the environment, that before `.env`, that before
the defaults; and what is wrong with one is said by its name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from rag.errors import ConfigError
from rag.settings import Settings, load_settings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _as_a_user_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELEG_EMBEDDING", raising=False)


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
    assert {"passages", "readers", "waiting"} == settings.given


def test_file_may_have_quotes_comments_and_umlauts(env_file: Path) -> None:
    env_file.write_text('# unser Dossier\nexport BELEG_ARTICLES="Bücher & mehr"  # hier\n', encoding="utf-8")
    assert load_settings().articles == Path("Bücher & mehr")


def test_empty_variable_says_nothing(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("BELEG_PASSAGES=3\nBELEG_READERS=\nBELEG_STRANGE=1\n", encoding="utf-8")
    monkeypatch.setenv("BELEG_PASSAGES", "")
    monkeypatch.setenv("BELEG_WAITING", "")
    settings = load_settings()
    assert settings.passages == 3
    assert settings.given == {"passages"}


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


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("articles", "Bücher/neu", Path("Bücher/neu")),
        ("articles", Path("x"), Path("x")),
        ("embedding_options", None, None),
        ("llm_window", "4096", 4096),
        ("llm_temperature", "0.5", 0.5),
        ("llm_temperature", 2, 2.0),
        ("judge", "True", True),
        ("judge", "off", False),
        ("judge", True, True),
        ("log_format", "json", "json"),
        ("auth", SecretStr("password:x"), SecretStr("password:x")),
    ],
)
def test_values_may_be_given_as_text(name: str, given: object, value: object) -> None:
    found = getattr(Settings(**{name: given}), name)  # type: ignore[arg-type]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given", "wrong"),
    [
        ("passages", "4.5", "Input should be a valid integer"),
        ("passages", 4.5, "Input should be a valid integer"),
        ("passages", "0", "Input should be greater than or equal to 1"),
        ("passages", "51", "Input should be less than or equal to 50"),
        ("deadline", "0", "Input should be greater than 0"),
        ("deadline", "nan", "Input should be greater than 0"),
        ("deadline", "soon", "Input should be a valid number"),
        ("judge", "perhaps", "Input should be a valid boolean"),
        ("log_level", "loud", "Input should be 'debug', 'info', 'warning' or 'error'"),
        ("origins", "https://a.example/x", "https://a.example/x is no origin"),
    ],
)
def test_what_is_wrong_with_a_value_is_said(name: str, given: object, wrong: str) -> None:
    with pytest.raises(ConfigError, match=f"^BELEG_{name.upper()}: {wrong}.*; see .env.example"):
        load_settings(**{name: given})


def test_settings_do_not_change_and_a_changed_copy_is_checked_too() -> None:
    settings = Settings(passages=3)
    with pytest.raises(FrozenInstanceError):
        settings.passages = 4  # type: ignore[misc]
    assert replace(settings, passages=4).passages == 4
    with pytest.raises(ValidationError, match="passages"):
        replace(settings, passages=0)


def test_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="PASAGES"):
        load_settings(pasages=3)


def test_settings_are_read_without_what_they_do_not_need() -> None:
    code = (
        "import sys; from rag.settings import load_settings; load_settings()\n"
        "print(*{'asyncio', 'ssl', 'dotenv'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
