"""Protects what only the data folder holds: a backup brings it back whole, and never costs anything."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.backup import back_up, restore
from rag.errors import ConfigError
from rag.settings import Settings
from rag.store import lock
from rag.store.answers import Records
from tests.dossier import settings_for

ANSWER = {"id": "a1", "question": "Wer?", "language": "de", "text": "Niemand."}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with an upload whose facts were corrected, and another that is still coming in."""
    settings = settings_for(tmp_path)
    (settings.uploads_dir / ".incoming").mkdir(parents=True)
    (settings.uploads_dir / "rat.txt").write_text("Der Rat tagte.", "utf-8")
    (settings.uploads_dir / ".rat.txt.json").write_text('{"outlet": "Küstenkurier"}', "utf-8")
    (settings.uploads_dir / ".incoming" / "halb.txt").write_text("Der R", "utf-8")
    return settings


@pytest.fixture
def running(settings: Settings) -> Records:
    """The records as the web chat has them open, with an answer that is only in their journal."""
    records = Records(settings.data_dir)
    records.put(ANSWER)
    records.rate("a1", "up")
    return records


def test_a_round_trip_while_the_chat_runs_loses_nothing(
    settings: Settings, running: Records, tmp_path: Path
) -> None:
    assert back_up(settings, tmp_path / "b.tgz") == ["records.sqlite", "uploads"]
    other = settings_for(tmp_path, data=tmp_path / "other")
    assert restore(other, tmp_path / "b.tgz") == ["records.sqlite", "uploads"]
    assert {path.name for path in other.uploads_dir.iterdir()} == {"rat.txt", ".rat.txt.json"}
    restored = Records(other.data_dir)
    assert (restored.get("a1"), restored.rating("a1")) == (ANSWER, "up")
    restored.close()
    running.close()


def test_nothing_is_replaced_without_being_told_to(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "b.tgz")
    (settings.uploads_dir / "neu.txt").write_text("Neu.", "utf-8")
    with pytest.raises(ConfigError, match="uploads already; --force"):
        restore(settings, tmp_path / "b.tgz")
    assert (settings.uploads_dir / "neu.txt").exists()
    restore(settings, tmp_path / "b.tgz", force=True)
    assert {path.name for path in settings.uploads_dir.iterdir()} == {"rat.txt", ".rat.txt.json"}


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name in names:
            made.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"no archive",
        archive("uploads/a.txt"),
        archive("beleg-backup-1", "../evil"),
        archive("beleg-backup-1", "uploads/../../evil"),
        archive("beleg-backup-1", "/etc/evil"),
        archive("beleg-backup-1", "chroma.sqlite3"),
    ],
)
def test_what_is_no_backup_changes_nothing(settings: Settings, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tgz").write_bytes(content)
    with pytest.raises(ConfigError, match="no backup of Beleg"):
        restore(settings, tmp_path / "b.tgz", force=True)
    assert (settings.uploads_dir / "rat.txt").exists()
    assert not list(tmp_path.rglob("evil"))


def test_a_backup_that_fails_leaves_the_one_before(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="was not written"):
        back_up(settings, tmp_path / "missing" / "b.tgz")
    with pytest.raises(ConfigError, match="nothing to back up"):
        back_up(settings_for(tmp_path, data=tmp_path / "empty"), tmp_path / "b.tgz")
    assert not (tmp_path / "b.tgz").exists()


def test_each_is_one_command(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = str(tmp_path / "b.tgz"), str(settings.data_dir)
    assert main(["--data", data, "--backup", file]) == 0
    assert main(["--data", data, "--restore", file]) == 1
    assert main(["--data", data, "--restore", file, "--force"]) == 0
    assert "has uploads again" in capsys.readouterr().out
    assert lock.owner(settings.data_dir) is None
