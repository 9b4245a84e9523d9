"""Protects the index from its disk: full at any point of a sync, or read-only, it is said, and the articles
as they were go on answering. Real file systems, each in a mount namespace of a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import app
import rag
from ingest.diff import is_current
from rag.engine import Engine, open_engine
from rag.errors import ConfigError
from tests.conftest import ROOT, missing
from tests.test_sync import House

pytestmark = pytest.mark.slow

QUESTION = "Welcher Stand gilt in Ort 3?"
DISK = "24m"
FREE = (0, 20, 64, 200)  # kB: it runs out in the lock, in the library, in Chroma
PROGRAM = "import sys; from pathlib import Path; from tests import test_disk; test_disk.{}(Path(sys.argv[1]))"


def on_a_disk_of_its_own(scenario: Callable[[Path], None], root: Path) -> None:
    """Runs a scenario in another process, for which `root`/data is a small file system."""
    (root / "data").mkdir()
    mount = f'mount -t tmpfs -o size={DISK} none "$1/data" && exec "$0" -c "$2" "$1"'
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        allowed = subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        missing("no mount namespace of one's own (unshare) is allowed here", "BELEG_REQUIRE_MOUNT")
    program = PROGRAM.format(scenario.__name__)
    done = subprocess.run(
        [*namespace, "sh", "-c", mount, sys.executable, str(root), program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_disk_that_fills_up_is_said_and_costs_no_answer(tmp_path: Path) -> None:
    on_a_disk_of_its_own(filling_disk, tmp_path)


def test_read_only_index_answers_and_says_why_it_cannot_change(tmp_path: Path) -> None:
    on_a_disk_of_its_own(read_only_disk, tmp_path)


# --- the scenarios, in their own process


def filling_disk(root: Path) -> None:
    """Syncs with less and less room; each fails with a message, and the next with room completes."""
    house = House(root)
    house.settings = replace(house.settings, embedding="words")  # each step is embedded anew
    write(house, 0)
    house.sync()
    with closing(open_engine(house.settings)) as engine:
        for version, free in enumerate(FREE, 1):
            before = house.texts()
            write(house, version)
            with no_room_but(free * 1024, house.data):
                for _ in range(2):  # a second try must not take what Chroma left half done for damage
                    with pytest.raises(ConfigError, match=r"room|free space"):
                        house.sync()
                assert_answers(engine)
                assert_starts(house)
            held = house.texts()
            assert held in (before, wanted(version))
            assert not is_current(house.settings)
            assert house.sync().repaired == ()
            assert house.texts() == wanted(version)
            house.assert_whole()


def read_only_disk(root: Path) -> None:
    """Asks and syncs on a disk that nothing can be written to."""
    house = House(root)
    write(house, 0)
    house.sync()
    subprocess.run(["mount", "-o", "remount,ro", str(house.data)], check=True)
    assert is_current(house.settings)
    assert house.sync().unchanged == len(wanted(0))
    with closing(open_engine(house.settings)) as engine:
        assert_answers(engine)
        write(house, 1)
        with pytest.raises(ConfigError, match="Read-only file system"):
            house.sync()
        assert_answers(engine)
    assert_starts(house)
    assert house.texts() == wanted(0)
    subprocess.run(["mount", "-o", "remount,rw", str(house.data)], check=True)
    house.sync()
    assert house.texts() == wanted(1)
    house.assert_whole()


def assert_starts(house: House) -> None:
    """The chat and Python's door start on the index as it is."""
    app.update(house.settings)
    chosen = {"data": house.settings.data, "embedding": house.settings.embedding}
    with closing(rag.open_engine(house.settings.articles, **chosen)) as engine:
        assert_answers(engine)


def wanted(version: int) -> dict[str, str]:
    sentence = "In Ort {} gilt Stand {}, und die Gemeinde berät weiter über Haushalt und Schule. "
    return {f"a{n}": sentence.format(n, version).strip() * 20 for n in range(30)}


def write(house: House, version: int) -> None:
    for id, text in wanted(version).items():
        house.write(f"{id}.txt", text)


def assert_answers(engine: Engine) -> None:
    passages = engine.search(QUESTION)
    assert passages
    assert all(p.chunk.text in p.article.text for p in passages)


@contextmanager
def no_room_but(free: int, folder: Path) -> Iterator[None]:
    """Takes all room on a folder's disk but that many bytes, and gives it back."""
    ballast = folder / "ballast"
    stat = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_frsize - free)
    try:
        yield
    finally:
        ballast.unlink()
